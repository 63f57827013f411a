"""`--info-json` and `--checksums` with the program: what stands beside a song, and what a later run makes of it."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.conversion.info_file import MADE_BY, info_of
from suno_wav_cli.conversion.known_task import read_known_task

if TYPE_CHECKING:
    from tests.support.program import Sandbox


def info(name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(name).read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize(
    ("song", "expected"),
    [("a.wav", "a.json"), ("a.WAV", "a.json"), ("a.1234abcd", "a.1234abcd.json"), (".wav", ".wav.json")],
)
def test_it_is_named_as_the_song(song: str, expected: str) -> None:
    assert info_of(Path("folder") / song) == Path("folder") / expected


def test_it_tells_what_is_known_and_makes_a_list_for_another_machine(sandbox: Sandbox) -> None:
    songs = ("demo+info-1", "demo+info-2")
    done = sandbox.run("convert", *songs, "--task-id", "music-7", "--info-json", "--checksums", "SUMS")
    assert done.code == 0, done
    for song in songs:
        wav = Path(f"{song}.wav").read_bytes()
        found = info(f"{song}.json")
        assert (found["audio_id"], found["music_task_id"], found["made_by"]) == (song, "music-7", MADE_BY)
        assert (found["bytes"], found["sha256"]) == (len(wav), hashlib.sha256(wav).hexdigest())
        assert (found["provider"], found["file"]) == ("sandbox", f"{song}.wav")
        assert found["format"]["sample_rate"] == 48000
        assert found["wav_task_id"]
        assert found["submitted"] <= found["saved"]
    assert subprocess.run(["sha256sum", "-c", "SUMS"], check=False, capture_output=True).returncode == 0
    Path("list").write_bytes(Path("demo+info-1.json").read_bytes() + Path("demo+info-2.json").read_bytes())
    other = sandbox.run(
        "convert",
        "--from-file",
        "list",
        "--out",
        "{audio_id}-2.wav",
        "--dry-run",
        "--json",
        env={"SUNO_WAV_HOME": "other"},
    )
    assert [event["audio_id"] for event in other.named("planned")] == list(songs)


def test_a_file_of_others_is_never_replaced(sandbox: Sandbox) -> None:
    """Not even with --force, which is about songs. Nothing is paid for."""
    Path("demo+foreign-json.json").write_text('{"audio_id": "demo+foreign-json"}')
    for more in ([], ["--force"]):
        done = sandbox.run("convert", "demo+foreign-json", "--info-json", *more)
        assert (done.code, sandbox.counted("submissions", "demo+foreign-json")) == (10, 0)
    assert Path("demo+foreign-json.json").read_text() == '{"audio_id": "demo+foreign-json"}'


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_is_not_waited_for(sandbox: Sandbox) -> None:
    os.mkfifo("demo+fifo.json")
    done = sandbox.run("convert", "demo+fifo", "--info-json")
    assert (done.code, sandbox.counted("submissions", "demo+fifo")) == (10, 0)


@pytest.mark.long
def test_a_file_of_others_that_comes_later_is_not_replaced_either(sandbox: Sandbox) -> None:
    sandbox.run("convert", "demo+appears", "--no-wait")
    Path("demo+appears.json").write_text("mine")
    done = sandbox.run("resume", "demo+appears", "--info-json", "--json")
    assert (done.code, len(done.named("saved")), len(done.named("info_not_written"))) == (5, 1, 1)
    assert Path("demo+appears.json").read_text() == "mine"


@pytest.mark.long
def test_a_rerun_adds_what_an_earlier_run_has_not_written(sandbox: Sandbox) -> None:
    """A run that was killed has saved songs whose checksums it had not written yet."""
    assert sandbox.run("convert", "demo+afterwards").code == 0
    done = sandbox.run("convert", "demo+afterwards", "--info-json", "--checksums", "SUMS")
    assert done.code == 0
    assert info("demo+afterwards.json")["sha256"] in Path("SUMS").read_text()
    before = Path("demo+afterwards.json").read_bytes(), Path("SUMS").read_bytes()
    sandbox.run("convert", "demo+afterwards", "--info-json", "--checksums", "SUMS")
    assert (Path("demo+afterwards.json").read_bytes(), Path("SUMS").read_bytes()) == before


@pytest.mark.long
def test_title_style_and_lyrics_come_from_the_music_task(sandbox: Sandbox) -> None:
    tracks = sandbox.run("tracks", "demo-music+info", "--json").named("track")
    done = sandbox.run("convert", "--task-id", "demo-music+info", "--out", ".", "--info-json")
    assert (done.code, len(tracks)) == (0, 2), done
    for track in tracks:
        found = info(f"{track['audio_id']}.json") if Path(f"{track['audio_id']}.json").exists() else None
        found = found or info(
            next(path.name for path in Path().glob("*.json") if track["audio_id"] in path.read_text())
        )
        assert (found["title"], found["style"]) == (track["title"], track["tags"])
        assert found["lyrics"]


LOST = {"SUNO_WAV_HOME": "lost"}
"""A journal that knows nothing."""


@pytest.mark.long
def test_a_lost_journal_learns_what_was_paid_for(sandbox: Sandbox) -> None:
    """A song whose file is there is saved, and another one is fetched again, free of charge."""
    songs = ("demo+lost-1", "demo+lost-2")
    assert sandbox.run("convert", *songs, "--out", "wavs/", "--info-json").code == 0
    Path("list").write_bytes(b"".join(sorted(path.read_bytes() for path in Path("wavs").glob("*.json"))))
    Path("wavs/demo+lost-2.wav").unlink()
    done = sandbox.run("convert", "--from-file", "list", "--out", "wavs/", "--json", env=LOST)
    assert done.code == 0, done
    assert [event["audio_id"] for event in done.named("skipped")] == ["demo+lost-1"]
    assert [event["audio_id"] for event in done.named("saved")] == ["demo+lost-2"]
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 1]


@pytest.mark.long
@pytest.mark.parametrize(
    "change", [{"base_url": "https://api.example"}, {"made_by": "mine"}, {"wav_task_id": None}]
)
def test_a_conversion_of_another_service_is_none_here(sandbox: Sandbox, change: dict[str, Any]) -> None:
    song = f"demo+elsewhere-{next(iter(change))}".replace("_", "-")
    assert sandbox.run("convert", song, "--info-json").code == 0
    Path("list").write_text(json.dumps(info(f"{song}.json") | change))
    done = sandbox.run("convert", "--from-file", "list", "--out", "new/", "--dry-run", "--json", env=LOST)
    assert [event["action"] for event in done.named("planned")] == ["submit"]


GENUINE = {
    "made_by": MADE_BY,
    "wav_task_id": "a" * 32,
    "provider": "sunoapi",
    "base_url": "https://api.sunoapi.org",
    "submitted": "2026-11-01T10:00:00+00:00",
    "bytes": 17_684,
    "sha256": "0" * 64,
}


def test_a_file_of_ours_names_its_conversion() -> None:
    known = read_known_task(GENUINE)
    assert known is not None
    assert (known.task_id, known.bytes) == ("a" * 32, 17_684)


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": 10**30},
        {"bytes": 2**63},
        {"bytes": -1},
        {"bytes": 0},
        {"bytes": True},
        {"bytes": 1.5},
        {"sha256": "\x1b[2J"},
        {"wav_task_id": "--force"},
        {"wav_task_id": "a\x1b[2J"},
        {"wav_task_id": ["a"]},
        {"submitted": "0001-01-01"},
        {"submitted": "1900-01-01T00:00:00+00:00"},
        {"submitted": "9999-12-31T00:00:00+00:00"},
        {"submitted": "9999-12-31T23:59:59-23:00"},
        {"submitted": "\x1b"},
        {"provider": {}},
        {"made_by": "suno-wav/99"},
    ],
)
def test_a_file_that_anybody_may_have_made_names_none(change: dict[str, Any]) -> None:
    """What is taken from it goes into the journal."""
    assert read_known_task(GENUINE | change) is None


@pytest.mark.long
def test_a_task_that_is_of_another_song_is_said(sandbox: Sandbox) -> None:
    """A list may be made by anybody. As with a task that a person names, the record is compared."""
    assert sandbox.run("convert", "demo+of-one", "demo+of-other", "--info-json").code == 0
    forged = info("demo+of-one.json") | {"audio_id": "demo+of-other"}
    Path("list").write_text(json.dumps(forged))
    done = sandbox.run("convert", "--from-file", "list", "--out", "new/", "--json", env=LOST)
    assert [event["named"] for event in done.named("other_song_named")] == ["demo+of-one"]
    assert sandbox.counted("submissions", "demo+of-other") == 1
