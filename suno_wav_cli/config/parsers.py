"""From a setting's text to its value.

Each function raises ValueError that says what was expected.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.models import SubmissionWindow
from suno_wav_cli.system.shell_words import split_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_UNITS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZES = {
    "": 1,
    **{letter: 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}i": 1024**power for power, letter in enumerate("kmgt", 1)},
}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_SECONDS = 30 * 86400.0


def shown_value(text: str) -> str:
    """Return a wrong value as an error may show it. An address can hold a password, with or without a scheme."""
    return re.sub(r"(//|^(?!.*//)).*@", r"\1(hidden)@", text, count=1, flags=re.DOTALL)


def seconds(text: str) -> float:
    """Read `90`, `90s`, `15m`, `1h`."""
    match = _DURATION.fullmatch(text)
    length = float(match[1]) * _UNITS[match[2] or ""] if match else 0.0
    if not 0 < length <= _LONGEST_SECONDS:
        raise ValueError("a duration; write 90, 90s, 15m or 1h, up to 30d")
    return length


def window(text: str) -> SubmissionWindow:
    """Read `20/10s`; `20` alone is within ten seconds."""
    count, slash, duration = text.partition("/")
    try:
        return SubmissionWindow(
            submissions=number(1, 10_000)(count.strip()),
            seconds=seconds(duration.strip() if slash else "10s"),
        )
    except ValueError:
        raise ValueError("a number of submissions in a time; write 20/10s") from None


def http_url(text: str) -> str:
    expected = ValueError("an address; write https://host or https://host/path")
    try:
        parts = urlsplit(text)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and text.isascii() and text.isprintable()
        )
        # Reading the port raises ValueError if it is not a number.
        if not usable or " " in text or parts.port == 0:
            raise expected
        if parts.username is not None:
            expected = ValueError("an address without a user name and a password")
            raise expected
        # Raises UnicodeError for empty and overlong labels.
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise expected from None
    return text


def receiver_url(text: str) -> str:
    """Read an address with or without its scheme: `localhost:8000/callback`."""
    return http_url(text if "://" in text else f"http://{text}")


def base_url(text: str) -> str:
    """Normalize a service's address, because the journal compares it."""
    parts = urlsplit(http_url(text))
    if parts.query or parts.fragment:
        raise ValueError("an address without ? and #")
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (re.fullmatch(r"[0-9]{1,9}", text) and least <= int(text) <= most):
            raise ValueError(f"a number from {least} to {most}")
        return int(text)

    return parse


def fraction(least: float, most: float) -> Callable[[str], float]:
    """Read a number that may have a fraction, written without an exponent."""

    def parse(text: str) -> float:
        if not (re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) and least <= float(text) <= most):
            raise ValueError(f"a number from {least:g} to {most:g}")
        return float(text)

    return parse


def size(text: str) -> int:
    """Read `500k`, `2.5M`, `4G` as bytes in powers of 1000, `4GiB` in powers of 1024."""
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?(?:([kmgt]i?)b?|b)?", text.lower())
    count = int(Decimal(match[1]) * _SIZES[match[2] or ""]) if match else 0
    if count == 0:
        raise ValueError("a number of bytes; write 500k, 20M or 2G")
    return count


def credits_amount(text: str) -> Decimal:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", text):
        raise ValueError("an amount of credits; write 2 or 0.8")
    return Decimal(text)


def flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off"):
        return False
    raise ValueError("true or false")


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            near = find_nearest(text, choices)
            raise ValueError(f"one of: {', '.join(choices)}" + (f". Did you mean {near}?" if near else ""))
        return text

    return parse


def find_nearest(text: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant."""
    from difflib import get_close_matches

    names = [*names]
    return next(
        iter(get_close_matches(text, names, n=1) or get_close_matches(text.lower(), names, n=1)), None
    )


def path(text: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("a path of an existing user") from None


def command(text: str) -> str:
    """Return a command that `split_command` can split."""
    try:
        split_command(text)
    except ValueError as error:
        raise ValueError(f"a command: {error}") from None
    return text


def domain(text: str) -> str:
    """Read a host name, with or without `https://`."""
    name = text.strip().lower().removeprefix("https://").rstrip("/")
    if not re.fullmatch(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", name):
        raise ValueError("a domain; write name.ngrok.app")
    return name


def url_path(text: str) -> str:
    # Only characters that a proxy neither decodes nor collapses nor cuts off.
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]{1,100}){1,10}", text) or "/." in text:
        raise ValueError("a path; write /callback")
    return text
