"""Messages of `doctor`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, assert_never

from suno_wav_cli.events import checks
from suno_wav_cli.terminal.fold import wrap
from suno_wav_cli.terminal.message import Message
from suno_wav_cli.terminal.tables import get_width, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERDICT = 9
_NAME = 18
"""Columns before the fact."""

_NARROWEST = 24
"""A fact has at least as many columns, or else lines of its own."""


def render(event: checks.CheckEvent) -> Message:
    match event:
        case checks.Checked():
            return Message(result=list(check_lines(event, get_width(sys.stdout))))
        case checks.CheckSummary():
            counts = (
                (event.ok, "ok"),
                (event.warnings, "warning" if event.warnings == 1 else "warnings"),
                (event.failed, "failed"),
                (event.skipped, "skipped"),
            )
            return Message(
                text=f"suno-wav: {', '.join(f'{count} {name}' for count, name in counts if count)}"
            )
        case _:
            assert_never(event)


def check_lines(event: checks.Checked, width: int | None) -> Iterator[str]:
    """Yield the lines of a check, within `width` columns but for a command to paste."""
    head = f"{event.verdict:<{_VERDICT}}{event.check:<{_NAME - 1}} "
    indent = " " * len(head)
    if width is not None and width - len(head) < _NARROWEST:
        yield head.rstrip()
        head = indent = "  "
    yield from wrap(printable(event.fact), width, first=head, others=indent)
    if event.remedy is not None:
        yield from _remedy(printable(event.remedy), event.command, " " * _VERDICT, width)


def _remedy(remedy: str, command: str | None, indent: str, width: int | None) -> Iterator[str]:
    """Wrap the advice, but not the command that it ends with: that is to be pasted."""
    fits = width is None or len(indent) + len(remedy) <= width
    if fits or command is None:
        yield from wrap(remedy, width, first=indent, others=indent)
        return
    yield from wrap(remedy.removesuffix(command).rstrip(), width, first=indent, others=indent)
    yield f"  {command}"
