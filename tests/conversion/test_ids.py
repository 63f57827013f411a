"""Ids as people type them: beginnings, `@last`, addresses, and ids that were swapped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from suno_wav_cli.conversion.ids import audio_id_of, check_music_task, find, typed_task
from suno_wav_cli.errors import UsageError
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.models import Song
from tests.support.program import REPOSITORY, Sandbox, run_program

SERVICE = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
OTHER = Account(base_url="https://api.kie.ai", provider="kie", kept_days=14)
UUID = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"
TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"
SIMILAR = "988e5c0f24b24a3f9a57e1d0c6b2c8d3"


def journal_path() -> Path:
    return Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"


def known(audio_id: str, task_id: str, service: Account = SERVICE) -> None:
    with open_journal(journal_path(), service) as journal:
        journal.accept(journal.claim(Song(audio_id=audio_id), Path(f"{audio_id}.wav")).entry, task_id)


def found(argument: str, service: Account = SERVICE) -> str:
    """Give the task that was found, or the id where none was."""
    with open_journal(journal_path(), service) as journal:
        entry = find(argument, journal.history, service.base_url)
    return entry if isinstance(entry, str) else str(entry.wav_task_id)


@pytest.mark.parametrize(
    "argument",
    [TASK, TASK[:4], TASK[:31], UUID, UUID[:4], UUID.upper(), f"https://suno.com/song/{UUID}?x=1", "@last"],
)
def test_every_way_to_name_a_task(argument: str) -> None:
    known(UUID, TASK)
    assert found(argument) == TASK


def test_three_characters_are_too_few() -> None:
    known(UUID, TASK)
    assert found(TASK[:3]) == TASK[:3]


def test_several_candidates_are_listed() -> None:
    known(UUID, TASK)
    known("other", SIMILAR)
    with pytest.raises(UsageError, match=f"several ids begin with '988e5c0f': {TASK}, {SIMILAR}"):
        found("988e5c0f")
    assert found("988e5c0f1") == TASK


def test_a_whole_id_wins_over_those_that_begin_with_it() -> None:
    known("demo", TASK)
    known("demo-slow", SIMILAR)
    assert found("demo") == TASK


def test_this_service_is_asked_first_and_then_the_others() -> None:
    known(UUID, TASK)
    known("other", SIMILAR, OTHER)
    assert (found("988e5c0f"), found("988e5c0f", OTHER)) == (TASK, SIMILAR)
    assert (found("@last"), found("@last", OTHER)) == (TASK, SIMILAR)
    assert found(SIMILAR[:9]) == SIMILAR


def test_the_last_of_nothing_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="@last: no conversions recorded"):
        found("@last")


@pytest.mark.parametrize("argument", ["", "a b", "../x", "@first", "-x", "%", "_", "https://example.com/x"])
def test_what_is_no_id_is_wrong_usage(argument: str) -> None:
    known(UUID, TASK)
    with pytest.raises(UsageError):
        found(argument)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("arguments", "suggested"),
    [
        pytest.param(["status", UUID], f"suno-wav convert {UUID}", id="a song's id to status"),
        pytest.param(["tracks", UUID], f"suno-wav convert {UUID}", id="a song's id to tracks"),
        pytest.param(
            ["tracks", f"https://suno.com/song/{UUID}"], f"suno-wav convert {UUID}", id="an address to tracks"
        ),
        pytest.param(["convert", TASK], f"suno-wav convert --task-id {TASK}", id="a task's id to convert"),
        pytest.param(
            ["convert", "--task-id", UUID], f"suno-wav convert {UUID}", id="a song's id as --task-id"
        ),
    ],
)
def test_swapped_ids_are_recognised_and_the_right_command_named(
    sandbox: Sandbox, arguments: list[str], suggested: str
) -> None:
    done = sandbox.run(*arguments)
    assert (done.code, done.out) == (2, "")
    assert suggested in done.err


@pytest.mark.long
def test_a_wav_task_given_to_tracks_is_recognised(sandbox: Sandbox) -> None:
    task_id = sandbox.run("convert", "demo-never+swapped", "--no-wait").out.strip()
    done = sandbox.run("tracks", task_id)
    assert done.code == 2
    assert f"suno-wav status {task_id}" in done.err


@pytest.mark.long
def test_status_of_the_last_and_of_a_beginning(sandbox: Sandbox) -> None:
    task_id = sandbox.run("convert", "demo-never+last", "--no-wait").out.strip()
    for argument in ("@last", task_id[:10]):
        done = sandbox.run("status", argument)
        assert (done.code, done.out.splitlines()[0]) == (0, f"task      {task_id}")


def test_a_task_of_another_service_is_asked_for_there(sandbox: Sandbox) -> None:
    known(UUID, TASK, OTHER)
    done = sandbox.run("status", TASK[:8])
    assert done.code == 2
    assert f"suno-wav status {TASK} --provider kie" in done.err


def completed(*words: str) -> subprocess.CompletedProcess[str]:
    """Press TAB in bash behind these words."""
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "suno_wav_cli"],
        env=os.environ
        | {
            "_SUNO_WAV_COMPLETE": "complete_bash",
            "COMP_LINE": " ".join(["suno-wav", *words]),
        },
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.long
def test_tab_completes_task_ids_and_imports_nothing_heavy() -> None:
    known(UUID, TASK)
    known("other", "1" * 32)
    done = completed("status", TASK[:2])
    assert done.stdout.split() == [TASK]
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"httpx", "rich", "asyncio", "pyngrok", "uvicorn", "starlette", "ssl"}
    assert imported & heavy == set()


@pytest.mark.long
def test_tab_completes_only_what_resume_can_finish() -> None:
    with open_journal(journal_path(), SERVICE) as journal:
        from suno_wav_cli.journal.entry import State

        journal.move(journal.adopt(TASK, None, None), State.FAILED)
        journal.adopt(SIMILAR, None, None)
    assert completed("resume", "988e").stdout.split() == [SIMILAR]


@pytest.mark.long
def test_tab_makes_no_journal() -> None:
    assert completed("status", "98").stdout.strip() == ""
    assert not journal_path().exists()


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("content", [b"", b"no database at all" * 400])
def test_tab_has_no_trouble_to_tell(content: bytes) -> None:
    journal_path().parent.mkdir()
    journal_path().write_bytes(content)
    assert completed("status", "98").stdout.strip() == ""
    assert journal_path().read_bytes() == content


@pytest.mark.long
def test_bash_completes_a_task_with_the_shipped_script(tmp_path: Path) -> None:
    known(UUID, TASK)
    (tmp_path / "suno-wav").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m suno_wav_cli "$@"\n')
    (tmp_path / "suno-wav").chmod(0o755)
    script = (
        f'PATH="{tmp_path}:$PATH"; source "{REPOSITORY}/completions/suno-wav.bash"; '
        'COMP_LINE="suno-wav resume 98"; COMP_POINT=18; _suno_wav_completion suno-wav; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{TASK}\n"


@pytest.mark.long
def test_a_demo_id_is_nothing_to_find_on_a_new_machine() -> None:
    assert run_program("jobs", "--json").out == ""


@pytest.mark.parametrize(
    ("argument", "meant"),
    [
        ("song.wav", "Did you mean --out song.wav?"),
        ("Song.MP3", "Did you mean --out Song.MP3?"),
        ("a song.flac", "Did you mean --out song.wav?"),
        ("songs.txt", "Did you mean --from-file songs.txt?"),
        ("cover.jpg", "An audio id looks like"),
        ("list.ndjson", "Did you mean --from-file list.ndjson?"),
        ("jobs", "Did you mean suno-wav jobs?"),
        ("Resume", "Did you mean suno-wav resume?"),
    ],
)
def test_what_is_no_song_is_refused_with_what_was_meant(argument: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        audio_id_of(argument)
    assert caught.value.remedy.startswith(meant)


@pytest.mark.parametrize(
    "argument", ["ID", "ID1", "AUDIO_ID", "AUDIO_ID...", "TASK_ID", "your-audio-id", "xxxx"]
)
def test_a_placeholder_is_no_id(argument: str) -> None:
    with pytest.raises(UsageError, match="is a placeholder, not an id"):
        audio_id_of(argument)
    with pytest.raises(UsageError, match="is a placeholder, not an id"):
        check_music_task(argument)


@pytest.mark.parametrize(
    "argument", [UUID, "demo", "demo-24bit", "abc", "12345", "demo-cdn-cut100k+1", "v1.0"]
)
def test_what_may_be_a_song_is_taken(argument: str) -> None:
    assert audio_id_of(argument) == argument


def test_every_command_is_known_as_one() -> None:
    from suno_wav_cli.cli.app import app

    for command in app.registered_commands:
        with pytest.raises(UsageError, match="is a command"):
            audio_id_of(command.name or "")


@pytest.mark.parametrize(
    ("task_id", "audio_id", "name"),
    [
        (TASK, UUID, TASK),
        ("--resubmit", UUID, UUID),
        ("--resubmit", "#abc", "@last"),
        ("--resubmit", None, "@last"),
    ],
)
def test_an_id_that_cannot_be_typed_is_never_printed(task_id: str, audio_id: str | None, name: str) -> None:
    with open_journal(journal_path(), SERVICE) as journal:
        journal.adopt(task_id, audio_id, None)
        assert typed_task(task_id, journal, SERVICE.base_url) == name
        journal.adopt("newer", None, None)
        expected = None if name == "@last" else name
        assert typed_task(task_id, journal, SERVICE.base_url) == expected
