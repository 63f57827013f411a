"""What follows a failed attempt, as a table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from suno_wav_cli.conversion.download_retry import (
    Attempt,
    GiveUp,
    Progress,
    Refresh,
    Restart,
    Retry,
    Step,
    next_pause,
    next_step,
)
from suno_wav_cli.errors import (
    AddressRefused,
    BrokenOff,
    DiskFull,
    DownloadFailed,
    NotAWholeWav,
    ServiceUnavailable,
    StartOver,
    SunoWavError,
)
from suno_wav_cli.system.pacing import Backoff

BROKEN = BrokenOff("the download broke off")
BUSY = BrokenOff("HTTP 503", retry_after=7.0)
CHANGED = StartOver("the file has changed")
REFUSED = AddressRefused("HTTP 403", "")
NO_WAV = NotAWholeWav("it is a web page", "")
FATAL = DownloadFailed("the folder is closed", "")
FULL = DiskFull("the disk is full", "")

ENDLESS = Backoff(retries=None, first=1.0, cap=8.0)
BOUNDED = Backoff(retries=3, first=1.0, cap=8.0)


def progress(
    *, received: int = 100, wasted: int = 0, is_address_fresh: bool = False, pauses: int = 0
) -> Progress:
    return Progress(received=received, wasted=wasted, is_address_fresh=is_address_fresh, pauses=pauses)


@pytest.mark.parametrize(
    ("error", "before", "shared", "expected"),
    [
        pytest.param(BROKEN, progress(), False, Retry(at_once=False), id="broken off"),
        pytest.param(BROKEN, progress(), True, Retry(at_once=True), id="broken off, of several connections"),
        pytest.param(BUSY, progress(), False, Retry(at_once=False), id="busy"),
        pytest.param(BUSY, progress(), True, Retry(at_once=False), id="busy, and asks several for a pause"),
        pytest.param(FULL, progress(), False, Retry(at_once=False), id="a full disk"),
        pytest.param(FULL, progress(), True, Retry(at_once=False), id="a full disk, of several"),
        pytest.param(CHANGED, progress(), False, Restart(at_once=False), id="another file"),
        pytest.param(CHANGED, progress(), True, Restart(at_once=True), id="another file, of several"),
        pytest.param(REFUSED, progress(), False, Refresh(), id="refused"),
        pytest.param(REFUSED, progress(), True, Retry(at_once=True), id="refused to one of several"),
        pytest.param(REFUSED, progress(is_address_fresh=True), False, GiveUp(), id="a fresh address refused"),
        pytest.param(NO_WAV, progress(wasted=1), False, Restart(at_once=False, refresh=True), id="no WAV"),
        pytest.param(
            NO_WAV,
            progress(wasted=1, is_address_fresh=True),
            False,
            Restart(at_once=False),
            id="no WAV at a fresh address",
        ),
        pytest.param(NO_WAV, progress(wasted=2), False, GiveUp(discard=True), id="no WAV again"),
        pytest.param(NO_WAV, progress(wasted=2), True, GiveUp(discard=True), id="no WAV again, of several"),
        pytest.param(FATAL, progress(), False, GiveUp(), id="nothing would help"),
        pytest.param(FATAL, progress(), True, GiveUp(), id="nothing would help several"),
    ],
)
def test_next_step(error: DownloadFailed, before: Progress, shared: bool, expected: Step) -> None:
    assert next_step(error, before, Attempt(began_at=0, received=100, shared=shared)) == expected


@pytest.mark.parametrize(
    ("error", "began_at", "received", "expected"),
    [
        pytest.param(BROKEN, 100, 200, progress(received=200, wasted=2), id="further than ever"),
        pytest.param(
            BROKEN,
            50,
            80,
            progress(wasted=3, is_address_fresh=True, pauses=4),
            id="further, but not far enough",
        ),
        pytest.param(BROKEN, 100, 100, progress(wasted=2, is_address_fresh=True, pauses=4), id="no byte"),
        pytest.param(
            CHANGED,
            100,
            100,
            progress(wasted=3, is_address_fresh=True, pauses=4),
            id="what was there is useless",
        ),
        pytest.param(
            NO_WAV, 0, 200, progress(wasted=3, is_address_fresh=True, pauses=4), id="all of it is useless"
        ),
    ],
)
def test_an_attempt_is_counted(
    error: DownloadFailed, began_at: int, received: int, expected: Progress
) -> None:
    before = progress(wasted=2, is_address_fresh=True, pauses=4)
    attempt = Attempt(began_at=began_at, received=received, shared=False)
    assert before.after(error, attempt, ENDLESS) == expected


def test_a_bounded_number_of_retries_is_in_all() -> None:
    attempt = Attempt(began_at=100, received=200, shared=False)
    assert progress(pauses=2).after(BROKEN, attempt, BOUNDED).pauses == 2


@pytest.mark.parametrize(
    ("error", "before", "least", "most"),
    [
        pytest.param(BROKEN, progress(), 0.5, 1, id="the first"),
        pytest.param(BROKEN, progress(pauses=2), 2, 4, id="the third"),
        pytest.param(BROKEN, progress(pauses=100), 4, 8, id="no longer than the cap"),
        pytest.param(BUSY, progress(), 7, 7, id="as long as the server asks"),
        pytest.param(ServiceUnavailable("away", ""), progress(), 0.5, 1, id="the service is away"),
    ],
)
def test_pauses_grow(error: SunoWavError, before: Progress, least: float, most: float) -> None:
    pause = next_pause(error, before, ENDLESS, seconds_left=60)
    assert pause is not None
    assert least <= pause <= most


@pytest.mark.parametrize(
    ("error", "before", "backoff", "seconds_left"),
    [
        pytest.param(BROKEN, progress(pauses=3), BOUNDED, 60, id="no retries left"),
        pytest.param(BROKEN, progress(wasted=6), ENDLESS, 60, id="too much fetched in vain"),
        pytest.param(BROKEN, progress(), ENDLESS, 0.1, id="no time left"),
        pytest.param(BUSY, progress(), ENDLESS, 6, id="less time than the server asks for"),
    ],
)
def test_no_pause_means_no_other_attempt(
    error: SunoWavError, before: Progress, backoff: Backoff, seconds_left: float
) -> None:
    assert next_pause(error, before, backoff, seconds_left) is None


def test_room_on_the_disk_is_waited_for_while_there_is_time() -> None:
    """However few the retries are, and whatever was fetched in vain meanwhile."""
    state = progress()
    for _ in range(50):
        state = state.after(FULL, Attempt(began_at=0, received=100, shared=False), BOUNDED)
        pause = next_pause(FULL, state, BOUNDED, 61.0)
        assert pause is not None
        assert 0 < pause <= 60
        state = replace(state, pauses=state.pauses + 1)
    assert next_pause(FULL, state, BOUNDED, 1.0) is None
