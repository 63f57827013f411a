"""Text that came from elsewhere."""

from __future__ import annotations


def printable(text: str) -> str:
    """Replace control characters, escape sequences' first bytes included, and what no encoding carries."""
    return "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
