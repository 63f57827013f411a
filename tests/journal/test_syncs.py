"""Which changes wait for the disk: what a power cut must not undo, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os
from pathlib import Path
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account, State
from suno_wav_cli.journal.parts import PartialFile
from suno_wav_cli.models import Song

def mark(step):
    os.write(1, f"step {step} ".encode())

target, part = Path("song.wav"), Path("song.wav.part")
whole = PartialFile(validator="v", length=3, missing=())
account = Account(base_url="https://api.example", provider="sunoapi", kept_days=15)
with open_journal(Path("journal.sqlite3"), account) as journal:
    # The first change to a new log writes its head too.
    journal.adopt("wav-0", "audio-0", target)
    mark("claim")
    entry = journal.claim(Song(audio_id="audio-1"), target).entry
    mark("accept")
    entry = journal.accept(entry, "wav-1")
    mark("ready")
    entry = journal.move(entry, State.READY, wav_url="https://cdn.example/a.wav")
    mark("keep")
    journal.parts.keep(part, entry, whole, "fingerprint")
    mark("restart")
    journal.parts.forget(part)
    mark("keep_again")
    journal.parts.keep(part, entry, whole, "fingerprint")
    mark("rename")
    entry = journal.begin_rename(entry, target, 3, "digest")
    mark("renamed")
    journal.parts.forget_renamed(part)
    mark("saved")
    entry = journal.move(entry, State.SAVED)
    mark("failed")
    journal.move(entry, State.FAILED)
    mark("end")
"""


@pytest.mark.long
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_only_what_a_power_cut_must_not_undo_waits_for_the_disk() -> None:
    """The payment, its answer, the rename, and what was given up; and a part file that starts over."""
    traced = ["strace", "-e", "trace=fsync,fdatasync,write", "-o", "calls", sys.executable, "-c", PROGRAM]
    done = subprocess.run(traced, capture_output=True, text=True, timeout=60, check=False)
    if "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    synced, step = list[str](), ""
    with Path("calls").open(encoding="utf-8") as calls:
        for call in calls:
            if call.startswith("write(1,"):
                step = call.split('"')[1].split()[1]
            elif "sync(" in call and step not in ("", "end", *synced[-1:]):
                synced.append(step)
    assert synced == ["claim", "accept", "restart", "rename", "failed"]
