"""The table that `tracks` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.terminal.names import shorten_names
from suno_wav_cli.terminal.tables import Column, clock, format_table, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.events.commands import TrackList


def format_tracks(event: TrackList, width: int | None) -> Iterator[str]:
    tracks = event.items
    yield from format_table(
        [
            Column(title="AUDIO ID", cells=[printable(track.audio_id) for track in tracks]),
            Column(
                title="TITLE",
                cells=[printable(track.title or "-") for track in tracks],
                shrinks=True,
                narrowest=12,
                cut=shorten_names,
            ),
            Column(
                title="LENGTH",
                cells=[clock(track.duration) if track.duration else "-" for track in tracks],
                leaves=2,
            ),
            Column(title="STATE", cells=["complete" if track.complete else "running" for track in tracks]),
            Column(
                title="TAGS", cells=[printable(track.tags or "") for track in tracks], shrinks=True, leaves=1
            ),
        ],
        width,
    )
