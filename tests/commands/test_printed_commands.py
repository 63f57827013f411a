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
from suno_wav_cli.models import Secret
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
    (home / "journal.sqlite3").write_bytes(b"no journal" * 1000)
    done = run_program("jobs", env={"SUNO_WAV_HOME": str(home)})
    assert done.code == 2
    tools = Path("tools").absolute()
    tools.mkdir()
    tool = tools / "sqlite3"
    tool.write_text('#!/bin/sh\nif [ "$2" = .recover ]; then printf "%s\\n" "$1" >> read; fi\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    paste(done.err.partition("in its place: ")[2].strip())
    assert set(Path("read").read_text().splitlines()) == {str(home / "journal.sqlite3")}


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
