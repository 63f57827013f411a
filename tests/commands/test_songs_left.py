"""A run whose songs the service did not take: nothing of the list is lost, and one command goes on."""

from __future__ import annotations

import os
import shlex
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.conversion.resume_hint import SAME_COMMAND
from suno_wav_cli.conversion.song_list import read_songs
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account, State
from suno_wav_cli.models import Song
from tests.support.program import run_program
from tests.support.quick_limits import WAIT_SPEED
from tests.support.wild import envelope, settings_for

if TYPE_CHECKING:
    from starlette.responses import Response

    from tests.support.program import Finished
    from tests.support.wild import Seen, Wild

_SONGS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(4)]
_QUICK = {WAIT_SPEED: "600", "SUNO_WAV_TIMEOUT": "300ms", "SUNO_WAV_WINDOW": "20/1s"}


@pytest.fixture
def service(wild: Wild) -> Wild:
    """Give a service with a task for each song, and a balance."""
    usual, tasks = wild.answer, count()

    def answer(seen: Seen) -> Response:
        if seen.path == SUNOAPI.submit_path:
            return envelope(data={"taskId": f"{next(tasks):032x}"})
        return envelope(data=100) if seen.path == SUNOAPI.credit_path else usual(seen)

    wild.answer = answer
    return wild


def refuse(service: Wild, paid: Response, balance: Response | None = None) -> None:
    """Answer payments with `paid`, and lookups of the balance, after the first, with `balance`."""
    usual, looked_up = service.answer, count()

    def answer(seen: Seen) -> Response:
        if seen.path == SUNOAPI.submit_path:
            return paid
        if seen.path == SUNOAPI.credit_path and balance is not None and next(looked_up):
            return balance
        return usual(seen)

    service.answer = answer


def convert(service: Wild, *arguments: str, songs: list[str] = _SONGS) -> Finished:
    return run_program(
        *("convert", "--out", ".", *arguments),
        env=settings_for(service.address) | _QUICK,
        entered="".join(f"{song}\n" for song in songs).encode(),
    )


def resume(service: Wild, *arguments: str, timeout: str = "300ms") -> Finished:
    env = settings_for(service.address) | _QUICK | {"SUNO_WAV_TIMEOUT": timeout}
    return run_program("resume", *arguments, env=env)


def account_at(address: str) -> Account:
    return Account(base_url=address, provider="sunoapi", kept_days=15)


def journal_path() -> Path:
    return Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"


def lose_requests(address: str, songs: list[str]) -> None:
    """Let the journal say of these songs that it is not known whether they were submitted."""
    with open_journal(journal_path(), account_at(address)) as journal:
        for song in songs:
            lost = journal.claim(Song(audio_id=song), Path(f"{song}.wav").absolute()).entry
            journal.move(lost, State.UNKNOWN, message="it is not known")


def submissions(service: Wild) -> int:
    return sum(seen.path == SUNOAPI.submit_path for seen in service.seen)


def command_in(text: str) -> list[str]:
    """Return the words of the command that a run has printed as its last line."""
    last = text.splitlines()[-1]
    assert last.startswith("  To continue: suno-wav "), text
    return shlex.split(last.removeprefix("  To continue: suno-wav "))


@pytest.mark.long
@pytest.mark.parametrize(
    ("paid", "balance", "code"),
    [
        pytest.param(envelope(455, "maintenance"), envelope(455, "maintenance"), 6, id="maintenance"),
        pytest.param(envelope(455, "maintenance"), None, 6, id="maintenance, but for the balance"),
        pytest.param(envelope(430, "slow down"), None, 6, id="too many requests"),
        pytest.param(envelope(402, "top up"), None, 4, id="no credits"),
        pytest.param(envelope(401, "no access"), None, 3, id="the key is refused"),
    ],
)
def test_the_command_that_goes_on_is_printed(
    service: Wild, paid: Response, balance: Response | None, code: int
) -> None:
    """Standard input cannot be read again: what is left of it is kept in a file."""
    refuse(service, paid, balance)
    done = convert(service, "--from-file", "-")
    assert done.code == code, done
    words = command_in(done.err)
    kept = words[words.index("--from-file") + 1]
    assert [song.audio_id for song in read_songs(kept, print).songs] == _SONGS


@pytest.mark.long
def test_the_command_goes_on_with_what_is_left(service: Wild) -> None:
    works = service.answer
    refuse(service, envelope(455, "maintenance"), envelope(455, "maintenance"))
    words = command_in(convert(service, "--from-file", "-").err)
    service.answer = works
    done = run_program(*words, env=settings_for(service.address) | _QUICK | {"SUNO_WAV_TIMEOUT": "60s"})
    assert done.code == 0, done
    assert len(list(Path().glob("*.wav"))) == len(_SONGS)


@pytest.mark.long
def test_a_file_is_named_again(service: Wild) -> None:
    Path("songs.txt").write_text("\n".join(_SONGS))
    refuse(service, envelope(455, "maintenance"))
    done = convert(service, "--from-file", "songs.txt", "--json")
    (left,) = done.named("songs_left")
    assert left["songs"] == len(_SONGS)
    assert left["continue_argv"][1:] == ["convert", "--out", ".", "--from-file", "songs.txt", "--json"]
    assert left["resume_hint"] == SAME_COMMAND


@pytest.mark.long
@pytest.mark.parametrize(
    ("paid", "balance", "code"),
    [
        pytest.param(envelope(455, "maintenance"), envelope(455, "maintenance"), 6, id="maintenance"),
        pytest.param(envelope(430, "slow down"), None, 6, id="too many requests"),
        pytest.param(envelope(402, "top up"), None, 4, id="no credits"),
        pytest.param(envelope(401, "no access"), None, 3, id="the key is refused"),
    ],
)
def test_resume_names_the_songs_that_it_could_not_pay_for_again(
    service: Wild, paid: Response, balance: Response | None, code: int
) -> None:
    """Only these: what has become unknown meanwhile must not be paid for by that command."""
    lose_requests(service.address, _SONGS[:3])
    works = service.answer
    refuse(service, paid, balance)
    done = resume(service, *_SONGS[:2], "--resubmit")
    assert done.code == code, done
    words = command_in(done.err)
    named = {word for word in words if word in _SONGS}
    assert named
    assert named <= set(_SONGS[:2])
    assert words[:1] == ["resume"]
    assert "--resubmit" in words
    service.answer = works
    paid_before = submissions(service)
    assert resume(service, *words[1:], timeout="60s").code == 0
    assert submissions(service) - paid_before == len(named)


@pytest.mark.long
def test_resume_names_a_failed_song_with_the_payment_that_was_refused(service: Wild) -> None:
    """Its old task is over: a line that looks that up again leads nowhere."""
    with open_journal(journal_path(), account_at(service.address)) as journal:
        failed = journal.claim(Song(audio_id=_SONGS[0]), Path("song.wav").absolute()).entry
        journal.move(journal.accept(failed, "f" * 32), State.FAILED, message="it failed")
    usual = service.answer

    def answer(seen: Seen) -> Response:
        return (
            envelope(data={"successFlag": "GENERATE_WAV_FAILED"})
            if "f" * 32 in str(seen.query)
            else usual(seen)
        )

    service.answer = answer
    refuse(service, envelope(455, "maintenance"), envelope(455, "maintenance"))
    done = resume(service, _SONGS[0], "--resubmit", "--json")
    (left,) = done.named("songs_left")
    assert left["songs"] == 1
    assert {_SONGS[0], "--resubmit"} <= set(left["continue_argv"])
    assert done.named("song_failed")[0]["continue_argv"] is None
