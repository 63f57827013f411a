"""`inspect`: show what is in WAV files, and whether they are whole."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from suno_wav_cli.errors import ExitCode, UsageError
from suno_wav_cli.events.commands import Inspected, WavContents
from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.levels import measure_levels
from suno_wav_cli.wav.read_tags import read_tags
from suno_wav_cli.wav.structure import Structure, read_structure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.events import Report

_REMEDY = "Download it again: the same suno-wav convert command does, with --force, and pays no second time."


def inspect_files(paths: Sequence[Path], report: Report) -> ExitCode:
    """Show each file. Return the first one's exit code if all failed, or SOME_FAILED if only some did."""
    codes = []
    for path in paths:
        inspected = _inspect(path)
        report(inspected)
        codes.append(ExitCode(inspected.exit_code))
    if ExitCode.OK not in codes:
        return codes[0]
    return ExitCode.OK if set(codes) == {ExitCode.OK} else ExitCode.SOME_FAILED


def _inspect(path: Path) -> Inspected:
    size = None
    try:
        size = _measure(path)
        structure = read_structure(path)
        recording = _read_recording(path, structure)
    except UsageError as error:
        return Inspected(
            path=path,
            bytes=size,
            wav=None,
            exit_code=error.exit_code,
            problem=error.message,
            remedy=error.remedy,
        )
    except NotAWav as error:
        return _not_whole(path, size, None, error.reason)
    except OSError as error:
        return Inspected(
            path=path,
            bytes=size,
            wav=None,
            exit_code=ExitCode.USAGE,
            problem=f"{path} cannot be read: {error.strerror or error}",
            remedy="Check the name."
            if isinstance(error, (FileNotFoundError, NotADirectoryError))
            else "Name a file that this user may read.",
        )
    if structure.flaw is not None:
        return _not_whole(path, size, recording, structure.flaw)
    return Inspected(path=path, bytes=size, wav=recording, exit_code=ExitCode.OK, problem=None, remedy=None)


def _measure(path: Path) -> int:
    """Return the file's length. Raise UsageError for a pipe or a device, which opening could block."""
    try:
        found = path.stat()
    except ValueError as error:
        raise UsageError(f"{path} cannot be a file: {error}", "Name a WAV file.") from error
    except FileNotFoundError as error:
        if str(path) != "-":
            raise
        raise UsageError(
            "inspect reads files, not standard input", "Save what comes out of the pipe, and inspect that."
        ) from error
    if stat.S_ISDIR(found.st_mode):
        raise UsageError(f"{path} is a folder", "Name the files in it: suno-wav inspect FOLDER/*.wav")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(
            f"{path} is not a file but a pipe or a device", "Save what comes out of it, and inspect that."
        )
    return found.st_size


def _read_recording(path: Path, structure: Structure) -> WavContents:
    tags, more_remarks = read_tags(path, structure.chunks)
    return WavContents(
        container=structure.container,
        format=structure.format,
        seconds=round(structure.format.seconds, 3),
        missing_bytes=structure.missing,
        levels=measure_levels(path, structure.format),
        remarks=structure.remarks + more_remarks,
        tags=tags,
    )


def _not_whole(path: Path, size: int | None, recording: WavContents | None, why: str) -> Inspected:
    return Inspected(
        path=path,
        bytes=size,
        wav=recording,
        exit_code=ExitCode.DOWNLOAD_FAILED,
        problem=f"{path} is not a whole WAV: {why}",
        remedy=_REMEDY,
    )
