"""However a run ends: what is saved, at the service and not begun is said, and one command continues all."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from suno_wav_cli.config.credentials import Secrets
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.conversion.context import open_context
from suno_wav_cli.conversion.outcome import exit_code_of, outcomes_before
from suno_wav_cli.conversion.pipeline import convert_all
from suno_wav_cli.conversion.plan import Action, Job
from suno_wav_cli.conversion.resume_hint import with_list, without_resubmit
from suno_wav_cli.conversion.song_list import read_songs
from suno_wav_cli.errors import ProgramBug
from suno_wav_cli.events.songs import SongFailed
from suno_wav_cli.models import Song
from tests.support.event_log import EventLog
from tests.support.program import ENDS_WITHIN, command_line, named, read_until, started, wait_until

if TYPE_CHECKING:
    from suno_wav_cli.conversion.submit import Submitter
    from tests.support.program import Sandbox


def listed(*songs: str) -> None:
    Path("songs.txt").write_text("".join(f"{song}\n" for song in songs))


def stop(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str, str]:
    process.send_signal(number)
    out, err = process.communicate(timeout=2 * ENDS_WITHIN)
    assert "Traceback" not in err
    return process.returncode, out, err


@pytest.mark.timing
@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_list_may_be_its_own_list_of_errors(sandbox: Sandbox, number: signal.Signals) -> None:
    """What is saved leaves it; what failed, is at the service or was not begun stays, with its reason."""
    songs = [f"{kind}+end{number.name}" for kind in ("demo", "demo-fails", "demo-never", "demo-mono")]
    listed(*songs)
    arguments = (
        "convert",
        "--from-file",
        "songs.txt",
        "--errors",
        "songs.txt",
        "--window",
        "1/2s",
        "--tunnel",
        "none",
    )
    with started(sandbox, *arguments) as process:
        read_until(process, lambda event: event.get("audio_id") == songs[2] and event["event"] == "looked_up")
        code, out, err = stop(process, number)
    assert code == 128 + number
    summary = next(line for line in out.splitlines() if '"summary"' in line)
    assert (
        '"saved": 1, "skipped": 0, "failed": 1, "unknown": 0, "unfinished": 1, "not_begun": 1, "ended_early": true'
        in summary
    )
    assert err.splitlines()[-1] == "  To continue: run the same command again"
    failed, waiting, not_begun = Path("songs.txt").read_text().splitlines()
    assert failed.startswith(f"{songs[1]}  # the service could not convert the song")
    assert waiting.startswith(f"{songs[2]}  # at the service as task ")
    assert not_begun == f"{songs[3]}  # not begun"
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 1, 1, 0]


@pytest.mark.timing
@pytest.mark.long
def test_the_lines_are_few_and_short_for_many_songs(sandbox: Sandbox) -> None:
    listed(*(f"demo-never+many{number}" for number in range(300)))
    process = subprocess.Popen(
        command_line("convert", "--from-file", "songs.txt", "--tunnel", "none", "--jobs", "20"),
        env=os.environ | sandbox.settings,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: sandbox.counted("accepted", "demo-never+many3") == 1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=2 * ENDS_WITHIN)
    last = err.splitlines()[-3:]
    assert last[0].startswith("suno-wav: 0 of 300 saved, ")
    assert last[0].endswith(" not begun")
    assert last[1:] == ["stopped by Ctrl-C", "  To continue: run the same command again"]


@pytest.mark.timing
@pytest.mark.long
@pytest.mark.parametrize("count", [1, 3, 30])
def test_requests_in_flight_add_no_lines(sandbox: Sandbox, count: int) -> None:
    """Of what nobody can know yet, the three lines tell the number, and the list the reason."""
    songs = [f"demo-hang+flight{count}x{number}" for number in range(count)]
    listed(*songs)
    process = subprocess.Popen(
        command_line(
            *(
                "convert",
                "--from-file",
                "songs.txt",
                "--errors",
                "songs.txt",
                "--tunnel",
                "none",
                "--out",
                ".",
            )
        ),
        env=os.environ | sandbox.settings,
        stderr=subprocess.PIPE,
        text=True,
    )
    in_flight = min(count, 20)
    wait_until(lambda: all(sandbox.counted("accepted", song) == 1 for song in songs[:in_flight]))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=2 * ENDS_WITHIN)
    rest = ", 10 not begun" if count == 30 else ""
    assert err.splitlines()[-3:] == [
        f"suno-wav: 0 of {count} saved, {in_flight} unknown (paid for or not){rest}",
        "stopped by Ctrl-C",
        "  To continue: run the same command again",
    ]
    assert "error:" not in err
    assert [song.audio_id for song in read_songs("songs.txt", print).songs] == songs
    assert Path("songs.txt").read_text().count("it is not known whether") == in_flight


@pytest.mark.long
@pytest.mark.timing
def test_the_rest_of_standard_input_is_kept_in_a_file(sandbox: Sandbox) -> None:
    """The printed command, typed as it stands, continues all of it and pays for nothing twice."""
    songs = ["demo-slow+in1", "demo+in2", "demo+in3"]
    process = subprocess.Popen(
        command_line(
            "convert", songs[0], "--from-file", "-", "--window", "1/1s", "--tunnel", "none", "--json"
        ),
        env=os.environ | sandbox.settings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("\n".join(songs[1:]))
    process.stdin.close()
    process.stdin = None
    read_until(process, named("submitted"))
    code, _, err = stop(process, signal.SIGINT)
    assert code == 130
    arguments = shlex.split(err.partition("To continue: suno-wav ")[2])
    kept = Path(arguments[arguments.index("--from-file") + 1])
    assert [song.audio_id for song in read_songs(str(kept), print).songs] == songs
    done = sandbox.run(*arguments)
    assert (done.code, len(done.named("saved"))) == (0, 3)
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 1, 1]


@pytest.mark.long
@pytest.mark.timing
def test_a_list_is_kept_while_the_balance_is_looked_up(sandbox: Sandbox) -> None:
    """Nothing has begun, and standard input cannot be read a second time."""
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        process = subprocess.Popen(
            command_line("convert", "--from-file", "-", "--out", ".", "--base-url", address),
            env=os.environ | sandbox.settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write("demo+kept1\ndemo+kept2\n")
        process.stdin.close()
        process.stdin = None
        deaf.settimeout(10)
        with closing(deaf.accept()[0]):
            code, _, err = stop(process, signal.SIGTERM)
    first, second, third = err.splitlines()
    assert (code, first, second) == (143, "suno-wav: 0 of 2 saved, 2 not begun", "stopped by SIGTERM")
    arguments = shlex.split(third.partition("To continue: suno-wav ")[2])
    kept = arguments[arguments.index("--from-file") + 1]
    assert [song.audio_id for song in read_songs(kept, print).songs] == ["demo+kept1", "demo+kept2"]


@pytest.mark.timing
def test_a_lost_journal_ends_the_run_in_a_few_lines(sandbox: Sandbox) -> None:
    songs = [f"demo-never+lost{number}" for number in range(20)]
    listed(*songs)
    arguments = (
        "convert",
        "--from-file",
        "songs.txt",
        "--errors",
        "errors.txt",
        "--window",
        "20/10s",
        "--tunnel",
        "none",
        "--timeout",
        "1s",
    )
    with started(sandbox, *arguments) as process:
        read_until(process, named("submitted"))
        journal = Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"
        # Unlike bytes that are overwritten, SQLite notices this at once.
        with closing(sqlite3.connect(journal)) as connection:
            connection.execute("DROP TABLE part")
            connection.execute("DROP TABLE conversion")
        out, err = process.communicate(timeout=4 * ENDS_WITHIN)
    assert process.returncode in {2, 5}, err
    assert "Traceback" not in err
    assert len(err.splitlines()) < 12
    assert '"summary"' in out
    assert {song.audio_id for song in read_songs("errors.txt", print).songs} == set(songs)


def run_against(sandbox: Sandbox, report: Any) -> Run:
    return Run(
        settings=Settings(provider="sandbox", base_url=sandbox.base_url, jobs=1),
        choices=(),
        secrets=Secrets(api_key=None, ngrok_token=None, hmac_key=None),
        environ=os.environ,
        report=report,
        interactive=False,
    )


class Buggy:
    """A submitter with a bug in one song, and a closed folder in another."""

    async def accept(self, job: Job) -> Any:
        if job.song.audio_id == "bug":
            raise ZeroDivisionError("a bug")
        raise PermissionError(13, "Permission denied", "closed/song.wav")


def test_a_bug_in_one_song_is_its_own(sandbox: Sandbox) -> None:
    plan = [
        Job(song=Song(audio_id=name), target=Path(f"{name}.wav"), action=Action.SUBMIT)
        for name in ("bug", "closed")
    ]
    outcomes, reported = outcomes_before(plan), EventLog()

    async def convert_both() -> None:
        async with open_context(run_against(sandbox, reported.append)) as context:
            await convert_all(context, plan, cast("Submitter", Buggy()), outcomes, wait=True)

    asyncio.run(convert_both())
    assert [event.exit_code for event in reported.of(SongFailed)] == [1, 2]
    assert [outcome.reason for outcome in outcomes] == [
        "a bug in suno-wav: ZeroDivisionError: a bug",
        "closed/song.wav: Permission denied",
    ]
    with pytest.raises(ProgramBug):
        exit_code_of(outcomes)


@pytest.mark.parametrize(
    ("typed", "continues"),
    [
        (["convert", "--from-file", "-", "--tag"], ["convert", "--from-file", "F", "--tag"]),
        (["convert", "a", "--from-file=-", "-o", "b", "b"], ["convert", "--from-file=F", "-o", "b"]),
    ],
)
def test_a_list_takes_the_place_of_standard_input(typed: list[str], continues: list[str]) -> None:
    assert with_list(typed, "F", ["a", "b"]) == tuple(continues)


def test_what_is_continued_pays_again_for_nothing() -> None:
    assert without_resubmit(["convert", "a", "--resubmit", "--force"]) == ("convert", "a", "--force")
