"""What makes a class an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, eq_default=False, kw_only_default=True)
def event(cls: type[T]) -> type[T]:
    """Make a frozen, keyword-only dataclass without `__eq__` and `__repr__`.

    Events are never compared, and generating these methods for all of them would take a tenth of
    a short run.
    """
    return dataclass(frozen=True, eq=False, repr=False, kw_only=True)(cls)
