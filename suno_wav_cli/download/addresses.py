"""Where bytes may come from."""

from __future__ import annotations

from urllib.parse import urlsplit

from suno_wav_cli.system.loopback import is_loopback


def may_be_fetched(url: str, *, local: bool) -> bool:
    """Tell whether to ask there at all: by https; by http of this machine only, where the service is on it (`local`)."""
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return False
    return scheme == "https" or (scheme == "http" and local and is_loopback(url))
