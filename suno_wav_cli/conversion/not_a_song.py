"""What is typed in a song's place and is obviously no song: it is refused before it is paid for."""

from __future__ import annotations

import re
from pathlib import PurePath

from suno_wav_cli.errors import UsageError

_AUDIO = frozenset(
    [
        "aac",
        "ac3",
        "aif",
        "aifc",
        "aiff",
        "alac",
        "amr",
        "ape",
        "au",
        "caf",
        "flac",
        "m4a",
        "m4b",
        "mid",
        "midi",
        "mka",
        "mkv",
        "mov",
        "mp2",
        "mp3",
        "mp4",
        "mpga",
        "oga",
        "ogg",
        "opus",
        "part",
        "ra",
        "rf64",
        "snd",
        "wav",
        "wave",
        "weba",
        "webm",
        "wma",
        "wv",
    ]
)
_TEXT = frozenset(
    [
        "cfg",
        "conf",
        "csv",
        "cue",
        "doc",
        "docx",
        "htm",
        "html",
        "ini",
        "ipynb",
        "js",
        "json",
        "jsonl",
        "list",
        "log",
        "lrc",
        "lst",
        "m3u",
        "m3u8",
        "md",
        "ndjson",
        "ods",
        "odt",
        "pdf",
        "pls",
        "ps1",
        "py",
        "rst",
        "rtf",
        "sh",
        "sqlite3",
        "srt",
        "text",
        "toml",
        "ts",
        "tsv",
        "txt",
        "xls",
        "xlsx",
        "xml",
        "xspf",
        "yaml",
        "yml",
    ]
)
_COMMANDS = frozenset(
    [
        "config",
        "convert",
        "credits",
        "doctor",
        "help",
        "inspect",
        "jobs",
        "listen",
        "login",
        "logout",
        "resume",
        "sandbox",
        "status",
        "suno-wav",
        "tracks",
        "trigger",
    ]
)
_PLACEHOLDER = re.compile(
    r"((YOUR|THE|MY|SOME|AN?|ONE|EACH)[-_]?)?"
    r"((SUNO|MUSIC|AUDIO|SONG|TRACK|CLIP|TASK|WAV)[-_]?){0,3}"
    r"(IDS?|UUIDS?|SONGS?|TRACKS?|URLS?)([-_]?([0-9]{1,2}|[NXAB]))?\.*"
    r"|X{3,}|(X+-){4}X+|PLACEHOLDER",
    re.IGNORECASE,
)


def refuse_what_is_no_song(text: str) -> None:
    """Raise UsageError, with what was probably meant, for file names, commands and placeholders."""
    name = PurePath(text).name or text
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if extension in _AUDIO:
        raise UsageError(
            f"'{text}' is a file name, not an audio id", f"Did you mean --out {_shown(text, 'song.wav')}?"
        )
    if extension in _TEXT:
        raise UsageError(
            f"'{text}' is a file name, not an audio id",
            f"Did you mean --from-file {_shown(text, 'songs.txt')}?",
        )
    if text.lower() in _COMMANDS:
        command = "" if text.lower() == "suno-wav" else f" {text.lower()}"
        raise UsageError(
            f"'{text}' is a command, not an id", f"Did you mean suno-wav{command}? One command at a time."
        )
    if text and _PLACEHOLDER.fullmatch(text):
        raise UsageError(
            f"'{text}' stands for an id, and is none",
            "Write the song's own id, like 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c; song URLs work too.",
        )


def _shown(text: str, example: str) -> str:
    """Return a name as it may be pasted, or an example if it would need quotes."""
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", text) else example
