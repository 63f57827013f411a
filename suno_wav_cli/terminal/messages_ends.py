"""Messages about how a command ends."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli.events import ends
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import describe_cost, printable

_KEYS = {"SIGINT": "Ctrl-C", "SIGBREAK": "Ctrl-Break"}


def render(event: ends.EndEvent) -> Message:
    match event:
        case ends.FailuresListed():
            songs = "song" if event.songs == 1 else "songs"
            what = f"unsaved {songs}" if event.ended_early else f"failed {songs}"
            return Message(
                text=f"suno-wav: {event.songs or 'no'} {what} in {event.path}",
                # The lines at an early end are few: the command that continues names the list.
                level=Level.DETAIL if event.ended_early else Level.INFO,
            )
        case ends.Summary():
            # What may be paid for is said even by --quiet: no other line of an early end does.
            doubt = event.ended_early and event.unknown > 0
            return Message(text=_summary(event), level=Level.ERROR if doubt else Level.INFO)
        case ends.SongsLeft():
            songs = "1 song is" if event.songs == 1 else f"{event.songs} songs are"
            return Message(
                text=f"suno-wav: {songs} left\n  To continue: {event.resume_hint}", level=Level.ERROR
            )
        case ends.Interrupted():
            by = _KEYS.get(event.signal, event.signal)
            more = f"\n  To continue: {event.resume_hint}" if event.resume_hint else ""
            return Message(text=f"stopped by {by}{more}", level=Level.ERROR, droppable=True)
        case ends.Failed():
            return Message(
                text=f"error: {printable(event.message)}\n  {printable(event.remedy)}", level=Level.ERROR
            )
        case _:
            assert_never(event)


def _summary(event: ends.Summary) -> str | None:
    if event.requested == 0:
        return "suno-wav: nothing to do"
    if event.requested == 1 and not event.ended_early:
        return None
    if event.skipped == event.requested:
        return f"suno-wav: all {event.requested} files exist"
    parts = [f"{event.saved} of {event.requested} saved"]
    counts = (
        (event.skipped, "skipped"),
        (event.failed - event.unknown, "failed"),
        (event.unknown, "unknown (paid for or not)"),
        (event.unfinished, "at the service"),
        (event.not_begun, "not begun"),
    )
    parts += [f"{count} {name}" for count, name in counts if count]
    return f"suno-wav: {', '.join(parts)}{describe_cost(event.credits, event.price)}"
