"""Small texts that every sentence and table is made of."""

from __future__ import annotations

import time


def printable(text: str) -> str:
    """Replace control characters, escape sequences' first bytes included, and what no encoding carries."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )


def clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def megabytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB"


def time_of_day(seconds: float) -> str:
    """Of seconds since 1970, as this machine's clock shows it."""
    return time.strftime("%H:%M:%S", time.localtime(seconds))
