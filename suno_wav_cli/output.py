"""Which song becomes which file: decided, and found possible, before anything is paid for."""

from __future__ import annotations

import os
import re
import shutil
import string
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.errors import OutputExists, UsageError
from suno_wav_cli.models import Order, Song

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

FIELDS = ("title", "audio_id", "id8", "task_id", "date")

_LARGEST_SONG = 140_000_000
"""Bytes (contract/wav-api.md, section 6). The size is not known before the file is paid for, so the largest must fit."""

_TASK_ID = re.compile(r"[0-9a-fA-F]{32}")
_AUDIO_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,127}")
_UNSAFE = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*]')
_LONGEST_NAME = 200
"""Bytes of a file name; most file systems take 255, and `.part` comes on top."""


def audio_id_of(argument: str) -> str:
    """Take an audio id as it is, or from a song's URL. Raises UsageError for what cannot be one."""
    text = argument.strip()
    if "://" in text:
        text = urlsplit(text).path.rstrip("/").rpartition("/")[2]
    if _TASK_ID.fullmatch(text):
        raise UsageError(
            f"{text} looks like a task id, not an audio id",
            f"To convert all tracks of a music task: suno-wav convert --task-id {text}  "
            f"(for a WAV task: suno-wav status {text})",
        )
    if not _AUDIO_ID.fullmatch(text):
        raise UsageError(
            f"'{argument}' is not an audio id",
            "An audio id looks like 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c; song URLs work too.",
        )
    return text


def planned(songs: Iterable[Song], out: str | None, today: date) -> list[Order]:
    """Give each song its file, by `--out`: a file, a folder, a template, or None for the current folder.

    Raises UsageError where the template is wrong or two songs would become one file.
    """
    unique = list({song.audio_id: song for song in songs}.values())
    orders = [Order(song, _target(song, out, today, alone=len(unique) == 1)) for song in unique]
    path, count = Counter(order.target for order in orders).most_common(1)[0] if orders else (Path(), 0)
    if count > 1:
        raise UsageError(
            f"{count} songs would all become {path}",
            "Name a folder, or a template with {audio_id} or {id8} in it.",
        )
    return orders


def check_possible(orders: Sequence[Order], *, force: bool) -> None:
    """Raise UsageError for a folder that cannot take the files, and OutputExists for a file that is there already."""
    for order in orders:
        if order.target.is_dir():
            raise UsageError(
                f"{order.target} is a folder", f"Write it as {order.target}{os.sep} to put the song into it."
            )
        if order.target.exists() and not force:
            raise OutputExists(
                f"{order.target} exists",
                "Nothing was submitted. Choose another --out, or add --force or --skip-existing.",
            )
    for folder, count in Counter(order.target.parent for order in orders).items():
        _check_folder(folder, count * _LARGEST_SONG)


def _target(song: Song, out: str | None, today: date, *, alone: bool) -> Path:
    if out == "-":
        raise UsageError("writing to standard output is not supported yet", "Name a file: --out song.wav")
    if out is None:
        return Path(_default_name(song))
    if "{" in out:
        return _filled(out, song, today)
    path = Path(out).expanduser()
    if out.endswith(("/", os.sep)) or path.is_dir():
        return path / _default_name(song)
    if not alone:
        raise UsageError(f"several songs cannot all become {out}", f"Name a folder: --out {out}{os.sep}")
    return path


def _default_name(song: Song) -> str:
    name = f"{_safe(song.title)} ({song.audio_id[:8]})" if song.title else song.audio_id
    return f"{name}.wav"


def _filled(template: str, song: Song, today: date) -> Path:
    values = {
        "title": _safe(song.title or song.audio_id),
        "audio_id": song.audio_id,
        "id8": song.audio_id[:8],
        "task_id": song.music_task_id or "unknown-task",
        "date": today.isoformat(),
    }
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise UsageError(f"--out '{template}' is not a template: {error}", f"Fields: {_fields()}.") from None
    unknown = names - set(FIELDS)
    if unknown:
        raise UsageError(f"--out has no field {{{min(unknown)}}}", f"Fields: {_fields()}.")
    return Path(string.Formatter().vformat(template, (), values)).expanduser()


def _fields() -> str:
    return " ".join(f"{{{name}}}" for name in FIELDS)


def _safe(title: str) -> str:
    """Make a title a file name on every system: no separators, no control characters, no dots at the ends."""
    name = _UNSAFE.sub("_", title).encode("utf-8", "replace")[:_LONGEST_NAME].decode("utf-8", "ignore")
    return name.strip(" .") or "untitled"


def _check_folder(folder: Path, needed: int) -> None:
    if not folder.is_dir():
        raise UsageError(
            f"there is no folder {folder}", f"Nothing was submitted. Make it first: mkdir -p '{folder}'"
        )
    try:
        # Tried, not asked: permissions, read-only mounts and quotas are told apart by nothing else.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to: {error.strerror}", "Nothing was submitted. Choose another --out."
        ) from error
    usage = shutil.disk_usage(folder)
    # Some network file systems report no size at all.
    if usage.total and usage.free < needed:
        raise UsageError(
            f"{folder} has {usage.free / 1e6:,.0f} MB free; these songs may need {needed / 1e6:,.0f} MB",
            "Nothing was submitted. Make room, choose another --out, or convert fewer songs at a time.",
        )
