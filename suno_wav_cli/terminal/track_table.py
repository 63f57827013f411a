"""The table that `tracks` shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.terminal.tables import Column, clock, format_table, get_width, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.events import TrackList


def format_tracks(event: TrackList) -> Iterator[str]:
    tracks = event.items
    yield from format_table(
        [
            Column(title="AUDIO ID", cells=[printable(track.audio_id) for track in tracks]),
            Column(title="TITLE", cells=[printable(track.title or "-") for track in tracks], shrinks=True),
            Column(
                title="LENGTH", cells=[clock(track.duration) if track.duration else "-" for track in tracks]
            ),
            Column(title="STATE", cells=["complete" if track.complete else "running" for track in tracks]),
            Column(title="TAGS", cells=[printable(track.tags or "") for track in tracks], shrinks=True),
        ],
        get_width(),
    )
