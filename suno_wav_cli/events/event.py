"""What makes a class an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False, kw_only_default=True)
def event(cls: type[T]) -> type[T]:
    """Make a frozen dataclass without comparison and representation.

    Nobody compares events, and making these methods for all of them is a tenth of what a short run takes.
    """
    return dataclass(frozen=True, eq=False, repr=False, kw_only=True)(cls)
