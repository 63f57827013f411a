"""Text that may be published: no secret, no user name or query of an address, no home folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.system.shell_words import quote_pipe

if TYPE_CHECKING:
    from collections.abc import Iterable

    from suno_wav_cli.system.shell_words import Remedy

_HIDDEN = "(hidden)"
_SHORTEST = 4
"""A shorter text is no secret, and stands in every other word."""

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]{0,20}://)([^\s'\"<>]*)", re.IGNORECASE)
_USER = re.compile(r"(?<![^\s='\"(])[^\s/@='\"]+:(?!//)[^\s@'\"]+@")
"""A user name and a password before a host without a scheme, as a proxy may be written."""


@dataclass(frozen=True, kw_only=True)
class Scrubber:
    """`secrets` are cut out wherever they stand. `home` becomes `~`, which a shell reads as the same."""

    secrets: tuple[str, ...]
    home: str

    def scrub(self, text: str) -> str:
        return self._shorten_home(self._hide(text))

    def scrub_command(self, remedy: Remedy) -> str | None:
        """Return the line to paste, or None if a part of it has to be hidden: it would do something else."""
        if any(self._hide(word) != word for argv in remedy.commands for word in argv):
            return None
        return quote_pipe(remedy.commands, home=self._home)

    def _hide(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, _HIDDEN)
        text = _ADDRESS.sub(_without_user_and_query, text)
        return _USER.sub(f"{_HIDDEN}@", text)

    @property
    def _home(self) -> str:
        home = self.home.rstrip("/\\")
        return home if len(home) > 1 else ""

    def _shorten_home(self, text: str) -> str:
        if not self._home:
            return text
        return re.sub(rf"(?<![\w./~-]){re.escape(self._home)}(?![\w.-])", "~", text)


def _without_user_and_query(match: re.Match[str]) -> str:
    rest, mark, _ = match[2].partition("?")
    rest, fragment, _ = rest.partition("#")
    host, slash, path = rest.partition("/")
    # A password may hold a slash.
    before, at, _ = rest.rpartition("@")
    if at:
        host, slash, path = rest[len(before) + 1 :].partition("/")
        host = f"{_HIDDEN}@{host}"
    return f"{match[1]}{host}{slash}{path}" + (f"?{_HIDDEN}" if mark or fragment else "")


def origin_of(url: str) -> str:
    """Return an address without its path, which may be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def make_scrubber(secrets: Iterable[str], home: str) -> Scrubber:
    """Return what scrubs. The longest secrets come first: one may be a part of another."""
    known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)
    return Scrubber(secrets=tuple(known), home=home)
