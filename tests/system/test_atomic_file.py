"""Files that get their names: synced, renamed, and tried again while Windows holds them open."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from suno_wav_cli.system.atomic_file import sync_file, when_not_shared

QUICK = (0.0, 0.0, 0.0)


class Held:
    """A file that another program holds open for so many attempts."""

    def __init__(self, attempts: int, number: int | None) -> None:
        self.attempts = 0
        self._held = attempts
        self._number = number

    def rename(self) -> None:
        self.attempts += 1
        if self.attempts <= self._held:
            error = OSError(errno.EACCES, "The process cannot access the file")
            # Only Windows has this field.
            error.winerror = self._number  # type: ignore[attr-defined,unused-ignore]
            raise error


@pytest.mark.parametrize("number", [5, 32, 33])
@pytest.mark.parametrize("held", [0, 1, 3])
def test_a_file_that_is_held_for_a_moment_is_renamed(number: int, held: int) -> None:
    file = Held(held, number)
    when_not_shared(file.rename, pauses=QUICK)
    assert file.attempts == held + 1


@pytest.mark.parametrize(("number", "attempts"), [(32, 4), (2, 1), (112, 1), (None, 1)])
def test_what_stays_and_what_is_another_trouble_is_raised(number: int | None, attempts: int) -> None:
    file = Held(10, number)
    with pytest.raises(OSError, match="cannot access"):
        when_not_shared(file.rename, pauses=QUICK)
    assert file.attempts == attempts


_AS_ON_MACOS = """
import fcntl, os, sys
sys.platform = "darwin"
fcntl.F_FULLFSYNC = {command}
from suno_wav_cli.system.atomic_file import sync_file
calls = []
sys.addaudithook(lambda event, arguments: calls.append(arguments[1]) if event == "fcntl.fcntl" else None)
with open("file", "wb") as file:
    sync_file(file.fileno())
print(calls)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="plays another system")
@pytest.mark.parametrize("command", [3, 9999], ids=["a disk that does it", "one that cannot"])
def test_macos_is_asked_to_empty_the_disks_own_memory(command: int) -> None:
    """With a harmless command in its place, or an unknown one, after which the usual sync must do."""
    done = subprocess.run(
        [sys.executable, "-c", _AS_ON_MACOS.format(command=command)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"[{command}]\n"


def test_a_file_is_synced() -> None:
    with Path("file").open("wb") as file:
        sync_file(file.fileno())
