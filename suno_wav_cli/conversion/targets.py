"""Which song becomes which file: decided, and found possible, before anything is paid for."""

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

from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT
from suno_wav_cli.download.part_file import part_of
from suno_wav_cli.errors import OutputExists, UsageError
from suno_wav_cli.models import Order, Song

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

FIELDS = ("title", "audio_id", "id8", "task_id", "date")

_LARGEST_SONG = 140_000_000
"""Bytes (api/README.md, section 6). The size is not known before the file is paid for, so the largest must fit."""

_UNSAFE = re.compile(r'[<>:"/\\|?*]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_NAME = 200
"""Bytes of a file name; most file systems take 255, and `.part` comes on top."""


def planned(
    songs: Iterable[Song],
    out: str | None,
    today: date,
    *,
    alone: bool | None = None,
    spool: Path | None = None,
) -> list[Order]:
    """Give each song its file, by `--out`: a file, a folder, a template, or None for the current folder.

    `alone` says whether the name of one file will do; by default, where there is one song. `spool` is the folder for a
    song on its way to standard output. Raises UsageError where the template is wrong or two songs would become one file.
    """
    unique = list({song.audio_id: song for song in songs}.values())
    alone = len(unique) == 1 if alone is None else alone
    if out == STANDARD_OUTPUT and spool is not None:
        out = f"{spool}{os.sep}"
        if not alone:
            raise UsageError("several songs cannot all go to standard output", "Name a folder: --out folder/")
    orders = [Order(song=song, target=_target(song, out, today, alone=alone)) for song in unique]
    # Two names that differ only in case, or in how an accent is written, are one file on some systems.
    taken: dict[str, Path] = {}
    for order in orders:
        name = normalize("NFC", str(order.target)).casefold()
        if name in taken:
            raise UsageError(
                f"two songs would become {taken[name]}",
                "Name a folder, or a template with {audio_id} or {id8} in it.",
            )
        taken[name] = order.target
    return orders


def names_title(out: str | None) -> bool:
    """Tell whether a title is asked for. It is a part of no other name, for running `tracks` must not change one."""
    return out is not None and "{title}" in out


def check_possible(orders: Sequence[Order], *, ours: Callable[[Path], bool], force: bool) -> None:
    """Raise UsageError for a folder that cannot take the files, and OutputExists for a file that is there already.

    A `.part` that is there must be `ours`: left by a run for this very target.
    """
    for order in orders:
        try:
            _check_names(order.target, ours=ours, force=force)
        except (OSError, ValueError) as error:
            # Too long a name, a link to itself, a null character.
            raise UsageError(f"{order.target} cannot be used: {error}", "Choose another --out.") from error
    needed: Counter[Path] = Counter()
    for order in orders:
        needed[order.target.parent] += _still_needed(order.target)
    for folder, room in needed.items():
        _check_folder(folder, room)


def _still_needed(target: Path) -> int:
    """How many bytes a song may take besides those that its `.part` has on the disk."""
    try:
        status = part_of(target).stat()
    except OSError:
        return _LARGEST_SONG
    # In blocks of 512 bytes, for its size may be more than it has; Windows does not tell them.
    held = int(getattr(status, "st_blocks", status.st_size // 512)) * 512
    return max(_LARGEST_SONG - held, 0)


def _check_names(target: Path, *, ours: Callable[[Path], bool], force: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder", f"Write it as {target}{os.sep} to put the song into it.")
    part = part_of(target)
    for path in (target, part):
        # Asked in this way, because a name that is too long is not simply absent.
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
    if out.endswith(("/", os.sep)) or path.is_dir():
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
    """Make a title or a service's id part of a file name on every system.

    No separators, no control characters, no dots at the ends, and no name that Windows keeps for a device.
    """
    # What is not printable steers a terminal, or turns the text of a line around.
    visible = "".join(character if character.isprintable() else "_" for character in text)
    name = _UNSAFE.sub("_", visible)
    name = name.encode()[:_LONGEST_NAME].decode("utf-8", "ignore").strip(" .")
    return f"_{name}" if not name or _DEVICE.fullmatch(name) else name


def _check_folder(folder: Path, needed: int) -> None:
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", f"Make it first: mkdir -p '{folder}'")
    try:
        # Tried, not asked: permissions, read-only mounts and quotas are told apart by nothing else.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to: {error.strerror}", "Choose another --out."
        ) from error
    usage = shutil.disk_usage(folder)
    # Some network file systems report no size at all.
    if usage.total and usage.free < needed:
        raise UsageError(
            f"{folder} has {usage.free / 1e6:,.0f} MB free; these songs may need {needed / 1e6:,.0f} MB",
            "Make room, choose another --out, or convert fewer songs at a time.",
        )
