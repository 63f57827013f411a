"""The folder that the songs go to: each step of saving a file, tried with a small one."""

from __future__ import annotations

import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.commands.doctor.findings import failed, passed, skipped, warned
from suno_wav_cli.conversion.room import SONG_BYTES
from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT
from suno_wav_cli.conversion.targets import existing_folder, expand
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.remote.address import is_remote_out
from suno_wav_cli.system.atomic_file import rename_unless_taken, sync_file, sync_folder
from suno_wav_cli.system.file_lock import hold
from suno_wav_cli.system.look import is_folder
from suno_wav_cli.system.shell_words import as_operand, say_how
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from suno_wav_cli.commands.doctor.findings import Finding

_PROBE_BYTES = 64 * 1024
_SLOW_SECONDS = 2.0


async def check_folder(out: str | None) -> Finding:
    if out is not None and is_remote_out(out):
        return skipped("--out is an object store, which is tried when the first song is uploaded")
    if out == STANDARD_OUTPUT:
        return skipped("--out is standard output")
    folder = existing_folder(find_folder(out))
    # A folder in a network may never answer.
    return await start_in_thread(lambda: try_folder(folder), "disk")


def find_folder(out: str | None) -> Path:
    """Return the folder of `--out`: a file, a folder or a template; None is the current one.

    Raise UsageError for the home of an unknown user.
    """
    if not out:
        return Path.cwd()
    with_names = expand(out).absolute()
    fixed = Path(*(part for part in with_names.parts[: _count_fixed(with_names)]))
    if fixed != with_names or out.endswith("/") or is_folder(fixed):
        return fixed
    return fixed.parent


def _count_fixed(path: Path) -> int:
    """Count the parts before the first that a template fills."""
    return next((index for index, part in enumerate(path.parts) if "{" in part), len(path.parts))


def try_folder(folder: Path) -> Finding:
    """Write, lock, flush, rename and remove a file. Nothing is left."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return _not_usable(folder, error)
    if free < SONG_BYTES:
        return failed(
            f"{folder} has {free / 1e6:,.0f} MB free; a song may need {SONG_BYTES / 1e6:,.0f} MB",
            say_how("Make room, or choose another --out. What there is", "df", "-h", as_operand(folder)),
            ExitCode.USAGE,
        )
    first = folder / f".suno-wav-doctor-{secrets.token_hex(4)}.a"
    second = first.with_suffix(".b")
    try:
        return _try_file(first, second, free)
    except OSError as error:
        return _not_usable(folder, error)
    finally:
        for path in (first, second):
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _try_file(first: Path, second: Path, free: int) -> Finding:
    folder, has_locks = first.parent, True
    try:
        file = hold(first)
    except OSError:
        # Either the folder takes no file, or its file system has no locks.
        if not first.exists():
            raise
        has_locks, file = False, first.open("r+b")
    began = time.monotonic()
    with file:
        file.write(b"\0" * _PROBE_BYTES)
        file.flush()
        sync_file(file.fileno())
    rename_unless_taken(first, second)
    sync_folder(folder)
    seconds = time.monotonic() - began
    cases = "not case-sensitive" if second.with_suffix(".B").exists() else "case-sensitive"
    fact = f"{folder}: write, flush and rename work ({seconds * 1000:.0f} ms); {free / 1e9:,.1f} GB free; {cases}"
    if not has_locks:
        return warned(
            f"{fact}; its file system has no locks, so two programs may write the same song",
            "Run one suno-wav at a time there, or choose another --out.",
        )
    if seconds > _SLOW_SECONDS:
        return warned(f"{fact}: that is slow", say_how("See what is busy", "df", "-h", as_operand(folder)))
    return passed(fact)


def _not_usable(folder: Path, error: OSError) -> Finding:
    return failed(
        f"{folder} cannot be used: {error.strerror or error}",
        say_how("Choose another --out, or look at its permissions", "ls", "-ld", as_operand(folder)),
        ExitCode.USAGE,
    )
