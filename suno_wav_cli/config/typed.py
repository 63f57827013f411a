"""A setting's value as one would type it. The parsers read it back as the same value."""

from __future__ import annotations

from decimal import Decimal

_DURATIONS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
_SIZES = (
    *((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")),
    *((1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")),
)
_IN_BYTES = frozenset({"limit_rate", "min_speed", "max_size"})


def typed_value(name: str, value: object) -> str | None:
    """Return the text, None if the setting is not set. The fraction of a number has no exponent."""
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case float():
            return _type_duration(Decimal(repr(value)))
        case int() if name in _IN_BYTES:
            return next((f"{value // size}{unit}" for size, unit in _SIZES if value % size == 0), str(value))
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def _type_duration(seconds: Decimal) -> str:
    for length, unit in _DURATIONS:
        if seconds % length == 0:
            return f"{int(seconds) // length}{unit}"
    return f"{seconds:f}s"
