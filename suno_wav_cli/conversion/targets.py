"""Which song becomes which file: decided and checked before anything is paid for."""

from __future__ import annotations

import os
import re
import shutil
import string
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import normalize

from suno_wav_cli.conversion.resume_hint import how_to_make
from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT
from suno_wav_cli.download.part_file import part_of
from suno_wav_cli.errors import OutputExists, UsageError
from suno_wav_cli.remote.address import path_of_out
from suno_wav_cli.system.look import is_folder, look_at

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from suno_wav_cli.models import Song

FIELDS = ("title", "audio_id", "id8", "task_id", "date")

_LARGEST_SONG = 140_000_000
"""Bytes (api/README.md, section 6). The size is not known before the file is paid for."""

_UNSAFE = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_NAME = 200
"""Bytes of a file name; most file systems take 255, and `.part` comes on top."""


def choose_targets(
    songs: Sequence[Song],
    out: str | None,
    today: date,
    *,
    alone: bool | None = None,
    spool: Path | None = None,
) -> list[Path]:
    """Return the file of each song, by `--out`: a file, folder or template; None is the current folder.

    `alone` says whether `out` may name one file; by default, if there is one song. `spool` is the
    folder for a song on its way to standard output. Raise UsageError if the template is wrong or
    two songs would become one file.
    """
    alone = len(songs) == 1 if alone is None else alone
    out = out and path_of_out(out)
    if out == STANDARD_OUTPUT and spool is not None:
        out = f"{spool}{os.sep}"
        if not alone:
            raise UsageError("several songs cannot all go to standard output", "Name a folder: --out folder/")
    targets = [_target(song, out, today, alone=alone) for song in songs]
    # Two names that differ only in case, or in how an accent is written, are one file on some systems.
    taken: dict[str, Path] = {}
    for target in targets:
        name = normalize("NFC", str(target)).casefold()
        if name in taken:
            raise UsageError(
                f"two songs would become {taken[name]}",
                "Name a folder, or a template with {audio_id} or {id8} in it.",
            )
        taken[name] = target
    return targets


def names_title(out: str | None) -> bool:
    """Tell whether the names are to hold titles."""
    return out is not None and "{title}" in out


def check_targets(targets: Sequence[Path], *, ours: Callable[[Path], bool], force: bool) -> None:
    """Raise UsageError for a folder that cannot take the files, OutputExists for an existing file.

    An existing part file must be `ours`: left by a run for this very target.
    """
    for target in targets:
        try:
            _check_names(target, ours=ours, force=force)
        except (OSError, ValueError) as error:
            # Too long a name, a link to itself, a null character.
            said = getattr(error, "strerror", None) or error
            raise UsageError(f"{target} cannot be used: {said}", "Choose another --out.") from error
    needed: Counter[Path] = Counter()
    for target in targets:
        needed[target.parent] += _still_needed(target)
    for folder, room in needed.items():
        _check_folder(folder, room)


def _still_needed(target: Path) -> int:
    """Return how many bytes a song may take besides those that its part file has on the disk."""
    status = look_at(part_of(target))
    if status is None:
        return _LARGEST_SONG
    # A sparse file has fewer bytes than its size, so its blocks of 512 bytes are counted, except on Windows.
    held = int(getattr(status, "st_blocks", status.st_size // 512)) * 512
    return max(_LARGEST_SONG - held, 0)


def _check_names(target: Path, *, ours: Callable[[Path], bool], force: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder", f"Write it as {target}{os.sep} to put the song into it.")
    part = part_of(target)
    for path in (target, part):
        # `exists` would take a name that is too long for an absent file.
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()
            if not force and not (path == part and ours(target)):
                raise OutputExists(
                    f"{path} exists", "It was not touched. Choose another --out, or add --force."
                )


def _target(song: Song, out: str | None, today: date, *, alone: bool) -> Path:
    if out == STANDARD_OUTPUT:
        raise UsageError("a song cannot go to standard output here", "Name a file: --out song.wav")
    if out is None:
        return Path(_default_name(song))
    if "{" in out:
        return _filled(out, song, today)
    path = _expanded(out)
    if out.endswith(("/", os.sep)) or is_folder(path):
        return path / _default_name(song)
    if not alone:
        raise UsageError(f"several songs cannot all become {out}", f"Name a folder: --out {out}{os.sep}")
    return path


def _default_name(song: Song) -> str:
    audio_id = _safe(song.audio_id)
    return f"{_safe(song.title)} ({audio_id[:8]}).wav" if song.title else f"{audio_id}.wav"


def _filled(template: str, song: Song, today: date) -> Path:
    values = {
        "title": _safe(song.title or song.audio_id),
        "audio_id": _safe(song.audio_id),
        "id8": _safe(song.audio_id[:8]),
        "task_id": _safe(song.music_task_id or "unknown-task"),
        "date": today.isoformat(),
    }
    try:
        parsed = [
            (field, spec, how)
            for _, field, spec, how in string.Formatter().parse(template)
            if field is not None
        ]
    except ValueError as error:
        raise UsageError(f"--out '{template}' is not a template: {error}", f"Fields: {_fields()}.") from None
    for field, spec, how in parsed:
        if field not in FIELDS or spec or how:
            raise UsageError(f"--out has no field {{{field}}}", f"Fields, as they stand: {_fields()}.")
    # `~` is the person's home in the template, and only a character in a title.
    return Path(string.Formatter().vformat(str(_expanded(template)), (), values))


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"--out {path}: {error}", "Write the folder out.") from None


def _fields() -> str:
    return " ".join(f"{{{name}}}" for name in FIELDS)


def _safe(text: str) -> str:
    """Return a title or id as part of a file name that every system takes.

    It has no separators or control characters, no dots at its ends, and is not a Windows device.
    """
    # Characters that are not printable steer a terminal, or reverse the text of a line.
    visible = "".join(character if character.isprintable() else "_" for character in text)
    name = _UNSAFE.sub("_", visible)
    name = name.encode()[:_LONGEST_NAME].decode("utf-8", "ignore").strip(" .")
    return f"_{name}" if not name or _DEVICE.fullmatch(name) else name


def _check_folder(folder: Path, needed: int) -> None:
    if not is_folder(folder):
        raise UsageError(f"there is no folder {folder}", how_to_make(folder))
    try:
        # Only a try tells what permissions, read-only mounts and quotas allow.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to: {error.strerror}", "Choose another --out."
        ) from error
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return
    # Some network file systems report no size at all.
    if usage.total and usage.free < needed:
        raise UsageError(
            f"{folder} has {usage.free / 1e6:,.0f} MB free; these songs may need {needed / 1e6:,.0f} MB",
            "Make room, choose another --out, or convert fewer songs at a time.",
        )
