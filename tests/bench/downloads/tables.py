"""What was measured, as rows of text, and the rows as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.downloads.contenders import ARIA2C_FOUR, CURL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.downloads.contenders import Contender
    from tests.bench.downloads.costs import Cost

_UNKNOWN = "-"


@dataclass(frozen=True)
class Column:
    """`text` gets the contender, its cost, and all costs by name."""

    title: str
    text: Callable[[Contender, Cost, Mapping[str, Cost]], str]


def _wall_to(name: str) -> Column:
    return Column(
        title=f"to {name}", text=lambda _, cost, all_costs: f"{cost.wall / all_costs[name].wall:.2f}"
    )


def _speed_up(contender: Contender, cost: Cost, all_costs: Mapping[str, Cost]) -> str:
    alone = all_costs.get(contender.alone)
    return _UNKNOWN if alone is None or not contender.fetches else f"{alone.wall / cost.wall:.2f}"


_WALL = Column(title="wall s", text=lambda _, cost, __: f"{cost.wall:.2f}")
_CPU = Column(title="CPU s", text=lambda _, cost, __: f"{cost.cpu:.2f}")
_CPU_TO_CURL = Column(
    title="to curl", text=lambda _, cost, all_costs: f"{cost.cpu / all_costs[CURL].cpu:.2f}"
)
_PEAK = Column(title="peak MB", text=lambda _, cost, __: f"{cost.peak / 1e6:.0f}")

SPEED = (_WALL, _wall_to(CURL), _CPU, _CPU_TO_CURL, _PEAK)
THROTTLED = (
    _WALL,
    _wall_to(CURL),
    _wall_to(ARIA2C_FOUR),
    Column(title="times one connection", text=_speed_up),
    _CPU,
    _PEAK,
)
MEMORY = (_PEAK,)


def rows_of(columns: Sequence[Column], costs: Mapping[Contender, Cost]) -> list[list[str]]:
    """Return the titles and a row for each contender."""
    by_name = {contender.name: cost for contender, cost in costs.items()}
    rows = [["", *(column.title for column in columns)]]
    for contender, cost in costs.items():
        rows.append([contender.name, *(column.text(contender, cost, by_name) for column in columns)])
    return rows


def as_text(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in rows
    )


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    titles, *others = rows
    lines = [titles, ["---", *("---:" for _ in titles[1:])], *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
