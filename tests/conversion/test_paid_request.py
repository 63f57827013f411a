"""The journal's row about a paid request: right, whatever ends the request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.conversion.paid_request import end_early, paid_request
from suno_wav_cli.errors import (
    NoCredits,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
)
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account, JournalEntry, State
from suno_wav_cli.models import Song

if TYPE_CHECKING:
    from suno_wav_cli.journal import Journal


def answer(error: BaseException | None) -> None:
    if error is not None:
        raise error


def end_with(error: BaseException | None, *, sent: bool) -> tuple[JournalEntry, BaseException | None]:
    """End a paid request so. Return its row, and what came out."""
    account = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
    with open_journal(None, account) as journal:
        entry = journal.claim(Song(audio_id="audio-1"), Path("song.wav")).entry
        has_left, raised = asyncio.Event(), None
        if sent:
            has_left.set()

        async def send() -> None:
            async with paid_request(journal, entry, has_left):
                answer(error)

        try:
            asyncio.run(send())
        except BaseException as caught:  # noqa: BLE001 - a cancellation is one of the cases
            raised = caught
        return journal.follow(entry), raised


@pytest.mark.parametrize(
    ("error", "sent", "state"),
    [
        pytest.param(NoCredits("no", ""), True, State.REFUSED, id="refused"),
        pytest.param(ServiceUnavailable("away", ""), False, State.REFUSED, id="it never left"),
        pytest.param(SubmissionUnknown("lost", ""), True, State.UNKNOWN, id="the answer was lost"),
        pytest.param(RecordExists("409", "", None), True, State.SUBMITTING, id="409 is the caller's"),
        pytest.param(KeyError("bug"), True, State.SUBMITTING, id="a bug"),
        pytest.param(None, True, State.SUBMITTING, id="success is the caller's"),
        pytest.param(asyncio.CancelledError(), False, State.REFUSED, id="stopped before it left"),
        pytest.param(asyncio.CancelledError(), True, State.UNKNOWN, id="stopped after it left"),
    ],
)
def test_the_row_says_what_is_known(error: BaseException | None, sent: bool, state: State) -> None:
    entry, raised = end_with(error, sent=sent)
    assert entry.state == state
    if isinstance(error, SunoWavError):
        assert raised is error


def test_a_cancellation_after_the_request_has_left_says_that_its_outcome_is_unknown() -> None:
    entry, raised = end_with(asyncio.CancelledError(), sent=True)
    assert isinstance(raised, asyncio.CancelledError)
    assert "the program was stopped before the answer came" in str(entry.message)


def test_a_second_cancellation_ends_the_last_moment(caplog: pytest.LogCaptureFixture) -> None:
    """As a second Ctrl-C, by which asyncio cancels every task: the row is written, and asyncio finds no fault."""

    async def stop(journal: Journal, entry: JournalEntry) -> None:
        sent = asyncio.Event()
        sent.set()

        async def send() -> None:
            async with paid_request(journal, entry, sent):
                await asyncio.sleep(60)

        request = asyncio.create_task(send())
        stopping = asyncio.create_task(end_early(request, sent))
        await asyncio.sleep(0)
        assert not stopping.done()

    account = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
    with open_journal(None, account) as journal:
        entry = journal.claim(Song(audio_id="audio-1"), Path("song.wav")).entry
        asyncio.run(stop(journal, entry))
        assert journal.follow(entry).state == State.UNKNOWN
    assert caplog.text == ""
