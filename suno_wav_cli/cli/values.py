"""Values of options that are not settings, read by the same parsers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable


def parsed_by(parse: Callable[[str], object]) -> Any:
    """Return the parser that an option takes."""
    return partial(_read, parse)


def _read(parse: Callable[[str], object], value: object) -> object:
    """Read an option's value; a default is one already. Raise BadParameter, which says what it has to be."""
    if not isinstance(value, str):
        return value
    try:
        return parse(value)
    except ValueError as error:
        raise typer.BadParameter(f"'{value}' is not {error}") from None
