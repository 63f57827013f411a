"""The journal's row about a paid request: right, whatever ends the request."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.conversion.paid_request import Payment, end_early, paid_request
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


def end_with(error: BaseException | None) -> tuple[JournalEntry, BaseException | None]:
    """End a paid request so. Return its row, and what came out."""
    account = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
    with open_journal(None, account) as journal:
        entry, raised = journal.claim(Song(audio_id="audio-1"), Path("song.wav")).entry, None

        async def send() -> None:
            async with paid_request(journal, Payment(entry=entry)):
                answer(error)

        try:
            asyncio.run(send())
        except BaseException as caught:  # noqa: BLE001 - a cancellation is one of the cases
            raised = caught
        return journal.follow(entry), raised


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(NoCredits("no", ""), State.REFUSED, id="refused"),
        pytest.param(ServiceUnavailable("busy", ""), State.REFUSED, id="refused for now"),
        pytest.param(SubmissionUnknown("lost", ""), State.UNKNOWN, id="the answer was lost"),
        pytest.param(RecordExists("409", "", None), State.SUBMITTING, id="409 is the caller's"),
        pytest.param(KeyError("bug"), State.SUBMITTING, id="a bug"),
        pytest.param(None, State.SUBMITTING, id="success is the caller's"),
        pytest.param(asyncio.CancelledError(), State.UNKNOWN, id="stopped after it left"),
    ],
)
def test_the_row_says_what_is_known(error: BaseException | None, state: State) -> None:
    entry, raised = end_with(error)
    assert entry.state == state
    if isinstance(error, SunoWavError):
        assert raised is error


@pytest.mark.parametrize("error", [ServiceUnavailable("away", ""), asyncio.CancelledError()])
def test_what_has_not_left_leaves_no_row(error: BaseException) -> None:
    """The connection could not be opened, or the program was stopped while the song waited for its turn."""
    account = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
    with open_journal(None, account) as journal:

        async def send() -> None:
            async with paid_request(journal, Payment()):
                answer(error)

        with pytest.raises(type(error)):
            asyncio.run(send())
        assert journal.songs_named("audio-1") == []


def test_a_cancellation_after_the_request_has_left_says_that_its_outcome_is_unknown() -> None:
    entry, raised = end_with(asyncio.CancelledError())
    assert isinstance(raised, asyncio.CancelledError)
    assert "the program was stopped before the answer came" in str(entry.message)


def test_a_second_cancellation_ends_the_last_moment(caplog: pytest.LogCaptureFixture) -> None:
    """As a second Ctrl-C, by which asyncio cancels every task: the row is written, and asyncio finds no fault."""

    async def stop(journal: Journal, entry: JournalEntry) -> None:
        payment = Payment(entry=entry)

        async def send() -> None:
            async with paid_request(journal, payment):
                await asyncio.sleep(60)

        request = asyncio.create_task(send())
        stopping = asyncio.create_task(end_early(request, payment))
        await asyncio.sleep(0)
        assert not stopping.done()

    account = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
    with open_journal(None, account) as journal:
        entry = journal.claim(Song(audio_id="audio-1"), Path("song.wav")).entry
        asyncio.run(stop(journal, entry))
        assert journal.follow(entry).state == State.UNKNOWN
    assert caplog.text == ""
