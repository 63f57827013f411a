"""What makes a class an event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")

_LOGGED = "logged"


def not_logged() -> Any:
    """Make a field whose value a log file hides."""
    return field(metadata={_LOGGED: False})


@dataclass_transform(
    frozen_default=True, eq_default=False, kw_only_default=True, field_specifiers=(not_logged,)
)
def event(cls: type[T]) -> type[T]:
    """Make a keyword-only dataclass without `__eq__` and `__repr__`, which mypy knows as frozen.

    Events are never compared, and mypy checks that none is changed. A frozen dataclass checks it at run
    time, too: generating the methods for that would take a tenth of a short run.
    """
    return dataclass(eq=False, repr=False, kw_only=True)(cls)


def is_logged(one: Any) -> bool:
    """Tell whether a log file shows the value of a field."""
    return bool(one.metadata.get(_LOGGED, True))


def group_of(one: object) -> str:
    """Return the name of the module that has an event's class: `songs` for `Saved`."""
    return type(one).__module__.rpartition(".")[2]
