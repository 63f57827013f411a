"""Command lines in what the program says, pasted into real shells: they do what they say, and no more."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from suno_wav_cli.config.key_store import KeyStore
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.models import Secret, Song
from tests.support.program import run_program

HOSTILE = ["a'; touch PWN; echo '", "a\\' '; touch PWN; #'", "$(touch PWN)`touch PWN`", "=ls %self ~", "-rf"]
SHELLS = ["sh", "bash", "zsh", "fish"]

pytestmark = pytest.mark.first_cases(1)


def paste(line: str) -> None:
    """Run a line in each shell that is there."""
    for shell in filter(shutil.which, SHELLS):
        subprocess.run([shell, "-c", line], check=True, capture_output=True, timeout=60)
        assert not Path("PWN").exists(), (shell, line)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_remedy_for_a_missing_folder_makes_it(name: str) -> None:
    done = run_program("listen", "--tunnel", "none", f"--save={name}")
    assert done.code == 2
    paste(done.err.partition("Make it first: ")[2].strip())
    assert Path(name).is_dir()


@pytest.mark.parametrize("name", HOSTILE)
def test_the_remedy_for_an_open_key_file_closes_it(name: str) -> None:
    store = KeyStore(folder=Path(name).absolute() / "keys")
    file = Path(store.keep("https://api.sunoapi.org", Secret(value="any")).place)
    file.chmod(0o644)
    done = run_program("credits", env={"SUNO_WAV_HOME": str(Path(name).absolute())})
    assert done.code == 3
    line = re.search(r"chmod 600 .*", done.err)
    assert line is not None, done
    paste(line[0])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", HOSTILE)
def test_the_remedy_for_a_damaged_journal_reads_that_journal(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(name).absolute()
    home.mkdir(mode=0o700)
    head = b"SQLite format 3\0".ljust(60, b"\xff") + (6).to_bytes(4, "big")
    (home / "journal.sqlite3").write_bytes(head.ljust(8192, b"\xff"))
    done = run_program("jobs", env={"SUNO_WAV_HOME": str(home)})
    assert done.code == 2
    tools = Path("tools").absolute()
    tools.mkdir()
    tool = tools / "sqlite3"
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$*" >> read\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    paste(done.err.partition("in its place: ")[2].strip())
    journal = home / "journal.sqlite3"
    assert set(Path("read").read_text().splitlines()) == {
        f"-readonly {journal} .dump",
        f"-cmd PRAGMA user_version = 6 {journal}.recovered",
    }


@pytest.mark.long
@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_the_remedy_for_a_damaged_journal_saves_its_songs() -> None:
    """The new file may be put in its place: the program reads the songs that the damage has left."""
    home = Path("a home").absolute()
    home.mkdir(mode=0o700)
    path = home / "journal.sqlite3"
    account = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
    with open_journal(path, account) as journal:
        for number in range(100):
            journal.claim(Song(audio_id=f"song-{number}"), Path(f"{number}.wav"))
    content = bytearray(path.read_bytes())
    page = content.rindex(b"song-50") // 4096 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    (line,) = (
        event
        for event in run_program("doctor", "--offline", "--json", env={"SUNO_WAV_HOME": str(home)}).named(
            "checked"
        )
        if event["check"] == "journal"
    )
    recovered = path.with_name("journal.sqlite3.recovered")
    for shell in filter(shutil.which, SHELLS):
        recovered.unlink(missing_ok=True)
        subprocess.run([shell, "-c", line["command"]], check=True, timeout=60)
    assert path.read_bytes() == content
    recovered.replace(path)
    done = run_program("jobs", "--unfinished", "--json", env={"SUNO_WAV_HOME": str(home)})
    assert done.code == 0, done
    assert len(done.named("job")) > 20, done


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_stays_a_word_of_the_option_that_names_its_folder(title: str) -> None:
    """A song's title is the service's, and comes into `--out` by the template."""
    Path("songs.ndjson").write_text(json.dumps({"audio_id": "demo+titled", "title": title}) + "\n")
    arguments = ("convert", "--provider", "sandbox", "--from-file", "songs.ndjson", "--out", "{title}")
    (planned,) = run_program(*arguments, "--dry-run", "--json").named("planned")
    Path(planned["path"]).mkdir()
    done = run_program(*arguments)
    assert done.code == 2
    paste(f"printf %s\\\\n {done.err.partition('put the song into it: ')[2].strip()} >> said")
    assert set(Path("said").read_text().splitlines()) == {f"--out={planned['path']}/"}
