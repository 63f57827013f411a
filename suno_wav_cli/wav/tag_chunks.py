"""What a song's tags are in a WAV: a `LIST/INFO` chunk for DAWs and Windows, an `id3 ` chunk for players.

Many a program reads only one of the two, and so both hold all that they can.
"""

from __future__ import annotations

import io
import re
import struct
from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from suno_wav_cli.models import Cover, SongTags

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""A null ends a text in both chunks, and half of a character has no bytes."""
_CONTROL_IN_LYRICS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_LINE_ENDS = re.compile(r"\r\n?|[\x85\u2028\u2029]")

_IN_UTF_8 = struct.pack("<4sIHHHH", b"CSET", 8, 65001, 0, 0, 0)
"""RIFF's own way to say it, for a text is else ISO 8859-1 by the book.

ffmpeg (which prefers INFO to ID3), TagLib and what is made of them expect UTF-8 without asking, and exiftool where it is
said. Windows Explorer takes every text for its own code page: no encoding suits all, and this one suits most and has
every character.
"""

_LATIN_1, _UTF_16 = 0, 1
_FRONT_COVER = 3


def check_tagging_possible() -> None:
    """Raises UsageError where the library that makes ID3 tags is not installed."""
    from importlib.util import find_spec

    if find_spec("mutagen") is None:
        raise UsageError(
            "--tag needs an extra that is not installed", "Install it: pip install 'suno-wav-cli[tags]'"
        )


def tag_chunks(tags: SongTags) -> bytes:
    """Make the chunks, one after the other, each padded to an even length; empty where there is nothing to say."""
    title, style, lyrics = _line(tags.title), _line(tags.style), _lines(tags.lyrics)
    # INFO has no name for lyrics, and the comment is what everybody shows.
    named = [(name, text) for name, text in ((b"INAM", title), (b"IGNR", style), (b"ICMT", lyrics)) if text]
    chunks = b"" if all(text.isascii() for _, text in named) else _IN_UTF_8
    if named:
        info = b"".join(_chunk(name, text.encode() + b"\0") for name, text in named)
        chunks += _chunk(b"LIST", b"INFO" + info)
    if named or tags.cover:
        chunks += _chunk(b"id3 ", _id3(title, style, lyrics, tags.cover))
    return chunks


def _id3(title: str, style: str, lyrics: str, cover: Cover | None) -> bytes:
    """Make an ID3v2.3 tag in UTF-16: Windows and many players know no 2.4, and 2.3 has no UTF-8."""
    from mutagen import id3

    made = id3.ID3()
    if title:
        made.add(id3.TIT2(encoding=_UTF_16, text=title))
    if style:
        made.add(id3.TCON(encoding=_UTF_16, text=style))
    if lyrics:
        made.add(id3.USLT(encoding=_UTF_16, lang="und", desc="", text=lyrics))
    if cover:
        about = {"mime": cover.media_type, "type": _FRONT_COVER, "desc": ""}
        made.add(id3.APIC(encoding=_LATIN_1, **about, data=cover.content))
    file = io.BytesIO()
    made.save(file, v2_version=3, padding=lambda _: 0)
    return file.getvalue()


def _line(text: str | None) -> str:
    return " ".join(_CONTROL.sub(" ", text or "").split())


def _lines(text: str | None) -> str:
    return _CONTROL_IN_LYRICS.sub("", _LINE_ENDS.sub("\n", text or "")).strip()


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + b"\0" * (len(content) % 2)
