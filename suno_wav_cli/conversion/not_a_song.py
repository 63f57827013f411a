"""Refuse what is typed as an id and cannot be a song, before anything is paid for."""

from __future__ import annotations

import re
from pathlib import PurePath

from suno_wav_cli.errors import UsageError

_AUDIO = re.compile(
    r"aac|ac3|aif[cf]?|alac|amr|ape|au|caf|flac|m4[ab]|midi?|mk[av]|mov|mp[234]|mpga|og[ag]|opus|part|ra|rf64|snd|wave?"
    r"|web[ma]|wma|wv|aiff"
)
_TEXT = re.compile(
    r"cfg|conf|csv|cue|docx?|html?|ini|ipynb|js|jsonl?|list|log|lrc|lst|m3u8?|md|ndjson|od[st]|pdf|pls|ps1|py|rst|rtf|sh"
    r"|sqlite3|srt|te?xt|toml|tsv?|xlsx?|xml|xspf|ya?ml"
)
_OTHER = re.compile(
    r"7z|app|avif|bak|bmp|bz2|deb|dll|dmg|exe|gif|gz|heic|ico|img|iso|jar|jpe?g|lnk|pkg|png|psd|rar|svg|tar|tgz|tiff?"
    r"|tmp|torrent|url|webp|xz|zip|zst"
)
_COMMAND = re.compile(
    r"config|convert|credits|doctor|help|inspect|jobs|listen|login|logout|resume|sandbox|status|suno-wav|tracks|trigger"
)
_PLACEHOLDER = re.compile(
    r"((YOUR|THE|MY|SOME|AN?|ONE|EACH)[-_]?)?"
    r"((SUNO|MUSIC|AUDIO|SONG|TRACK|CLIP|TASK|WAV)[-_]?){0,3}"
    r"(IDS?|UUIDS?)([-_]?([0-9]{1,2}|[NXAB]))?\.*"
    r"|X{3,40}|(X+-){4}X+|PLACEHOLDER",
    re.IGNORECASE,
)


def refuse_non_song(text: str) -> None:
    """Raise UsageError, with what was probably meant, for file names, commands and placeholders."""
    name = PurePath(text).name or text
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if _AUDIO.fullmatch(extension):
        raise UsageError(
            f"'{text}' is a file name, not an audio id", f"Did you mean --out {_shown(text, 'song.wav')}?"
        )
    if _TEXT.fullmatch(extension):
        raise UsageError(
            f"'{text}' is a file name, not an audio id",
            f"Did you mean --from-file {_shown(text, 'songs.txt')}?",
        )
    if _OTHER.fullmatch(extension):
        raise UsageError(
            f"'{text}' is a file name, not an audio id",
            "An audio id looks like 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c; song URLs work too.",
        )
    if _COMMAND.fullmatch(text.lower()):
        command = "" if text.lower() == "suno-wav" else f" {text.lower()}"
        raise UsageError(
            f"'{text}' is a command, not an id", f"Did you mean suno-wav{command}? One command at a time."
        )
    if text and _PLACEHOLDER.fullmatch(text):
        raise UsageError(
            f"'{text}' is a placeholder, not an id",
            "Write the song's own id, like 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c; song URLs work too.",
        )


def _shown(text: str, example: str) -> str:
    """Return a name as it may be pasted, or an example if it would need quotes."""
    return text if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", text) else example
