"""The address of a file, wherever an answer has it and in whatever form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from suno_wav_cli.api.values import unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_SHOWN = 300
_USER = re.compile(r"//[^/]*@")
_MOST_VALUES = 1000
"""How many values of a list or an object are looked at."""


def find_url(*values: object) -> str | None:
    """Return the first value that is a usable http or https URL, without a user name and a password."""
    for value in values:
        if not isinstance(value, str):
            continue
        url = value.strip()
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isprintable()
            # Reading the port raises ValueError if it is not a number.
            usable = usable and parts.port != 0 and parts.username is None
        except ValueError:
            continue
        if usable:
            return url
    return None


def find_address(values: list[object], base_url: str) -> tuple[str | None, str | None]:
    """Return the first usable address, and else the first that is not usable, escaped.

    Each value is a text, or texts in a list, in an object or in JSON; of several, a WAV comes first.
    """
    unusable = None
    for value in values:
        urls = []
        for text in _find_texts(value):
            url = _resolve(text, base_url)
            if url is not None:
                urls.append(url)
            elif unusable is None and _looks_like_address(text):
                unusable = _USER.sub("//(hidden)@", escape(text.strip())[:_LONGEST_SHOWN])
        wavs = [url for url in urls if urlsplit(url).path.lower().endswith(".wav")]
        if urls:
            return (wavs or urls)[0], None
    return None, unusable


def escape(text: str) -> str:
    """Return a text without characters that steer a terminal."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


def _find_texts(value: object) -> Iterator[str]:
    # A list instead of recursion: an answer may be nested deeper than Python can follow.
    waiting, left = [value], _MOST_VALUES
    while waiting and left:
        left -= 1
        found = unpack(waiting.pop())
        if isinstance(found, str):
            yield found
        elif isinstance(found, list):
            waiting += reversed(found[:_MOST_VALUES])
        elif isinstance(found, dict):
            waiting += reversed(list(found.values())[:_MOST_VALUES])


def _resolve(text: str, base_url: str) -> str | None:
    """Return a usable URL. What begins with `/` is meant relative to the service's own address."""
    url = text.strip()
    # Some programs read a backslash as a slash, and would reach another host.
    if base_url and url.startswith("/") and "\\" not in url and url.isprintable():
        try:
            url = urljoin(base_url, url)
        except ValueError:
            return None
    return find_url(url)


def _looks_like_address(text: str) -> bool:
    text = text.strip()
    return "://" in text or text.startswith("/") or re.fullmatch(r"\S{1,2000}\.\S{1,2000}", text) is not None
