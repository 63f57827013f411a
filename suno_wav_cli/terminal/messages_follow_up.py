"""Messages about what follows a saved song."""

from __future__ import annotations

from typing import assert_never

from suno_wav_cli.events import follow_up
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import megabytes, printable


def render(event: follow_up.FollowUpEvent) -> Message:
    match event:
        case follow_up.UploadStarted():
            parts = " in parts" if event.in_parts else ""
            return Message(
                text=f"{event.audio_id}: uploading {megabytes(event.bytes)}{parts}", level=Level.PROGRESS
            )
        case follow_up.UploadsLeftOpen():
            return Message(text=_left_open(event.urls))
        case follow_up.StoreUnconditional():
            return Message(
                text=f"suno-wav: the store of {printable(event.bucket)} cannot refuse to replace an object; "
                "each name is looked at first, and another program may take it in between"
            )
        case follow_up.CommandOutput():
            return Message(text=printable(event.line.expandtabs()), level=Level.OUTPUT, verbatim=True)
        case follow_up.CommandFailed():
            return Message(
                text=f"{event.audio_id}: error: the command of --exec failed: {printable(event.reason)}\n"
                f"  The song is saved as {printable(event.place)}.",
                level=Level.ERROR,
            )
        case follow_up.InfoIncomplete():
            return Message(text=f"{event.audio_id}: style and lyrics are missing: {printable(event.reason)}")
        case follow_up.InfoNotWritten():
            return Message(
                text=f"{event.audio_id}: error: {printable(str(event.path))} was not written: "
                f"{printable(event.reason)}\n  The song is saved.",
                level=Level.ERROR,
            )
        case follow_up.ChecksumsNotWritten():
            return Message(
                text=f"suno-wav: error: {printable(str(event.path))} was not extended: {printable(event.reason)}\n"
                "  The songs are saved. The same command, free of charge, adds their lines.",
                level=Level.ERROR,
            )
        case _:
            assert_never(event)


def _left_open(urls: tuple[str, ...]) -> str:
    more = f" and {len(urls) - 1} more" if len(urls) > 1 else ""
    return (
        f"suno-wav: an earlier run may have left parts of {printable(urls[0])}{more} at the store, which charges for them\n"
        "  A lifecycle rule of the bucket removes them: AbortIncompleteMultipartUpload, DaysAfterInitiation 1"
    )
