"""The end of the receiver's path, which cannot be guessed.

It is kept if the public address stays the same from run to run: the service posts the callbacks of
tasks that were submitted earlier there, and a webhook address that was entered somewhere stays right.
"""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.system.private_files import make_folder, open_private

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.config.settings import Settings

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def has_lasting_address(settings: Settings) -> bool:
    """Tell whether the public address is the same in the next run."""
    return settings.public_url is not None or settings.domain is not None


def choose_path(settings: Settings, kept: Path) -> str:
    """Return the receiver's path. `kept` is the file of the one that lasts."""
    if settings.no_secret:
        return settings.path
    token = _keep_token(kept) if has_lasting_address(settings) else _new_token()
    return f"{settings.path}/{token}"


def _new_token() -> str:
    return secrets.token_urlsafe(32)


def _keep_token(file: Path) -> str:
    """Return the token in `file`, or write a new one there. A file that cannot be used keeps nothing."""
    token = _new_token()
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    with suppress(OSError):
        make_folder(file.parent)
        with os.fdopen(open_private(str(file), flags), "r+", encoding="ascii", errors="replace") as kept:
            before = kept.read(64).strip()
            if _TOKEN.fullmatch(before):
                return before
            kept.seek(0)
            kept.truncate()
            kept.write(f"{token}\n")
    return token
