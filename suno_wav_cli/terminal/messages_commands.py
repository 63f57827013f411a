"""Messages about what commands list, the sandbox, and the end of a run."""

from __future__ import annotations

import json
import sys
from typing import assert_never

from suno_wav_cli.events import commands
from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.job_table import format_jobs, summarize_jobs
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import describe_cost, get_width, printable
from suno_wav_cli.terminal.track_table import format_tracks
from suno_wav_cli.terminal.waveform import describe_file

_KEYS = {"SIGINT": "Ctrl-C", "SIGBREAK": "Ctrl-Break"}


def render(event: commands.CommandEvent) -> Message:
    match event:
        case commands.JobList():
            return Message(text=summarize_jobs(event), result=format_jobs(event))
        case commands.TrackList():
            state = printable(event.flag or "no state given")
            return Message(
                text=f"suno-wav: music task {event.music_task_id}: {state}",
                result=format_tracks(event, get_width(sys.stdout)),
            )
        case commands.RawRecord():
            return Message(result=json.dumps(event.record, indent=2).splitlines())
        case commands.OtherServiceJobs():
            return Message(
                text=f"suno-wav: {event.count} unfinished at another service, {printable(event.service)} "
                f"({event.provider})\n  To continue: {event.resume_hint}"
            )
        case commands.SongsGivenUp():
            songs = "1 song was" if event.count == 1 else f"{event.count} songs were"
            return Message(text=f"suno-wav: {songs} refused or given up: `suno-wav jobs --failed` tells why")
        case commands.Inspected(problem=None):
            return Message(result=describe_file(event))
        case commands.Inspected():
            return Message(
                text=f"error: {printable(event.problem or '')}\n  {printable(event.remedy or '')}",
                result=describe_file(event),
                level=Level.ERROR,
            )
        case commands.SandboxStarted():
            return Message(text=f"suno-wav: sandbox at {event.base_url}; nothing here is paid for")
        case commands.SandboxServing():
            return Message(text=_serving(event), result=[event.base_url])
        case commands.SandboxId():
            return Message(result=wrap_row(f"{event.audio_id:<26} ", event.description))
        case commands.RequestServed():
            answer = f"{event.status} {printable(event.detail)}".rstrip()
            return Message(text=f"{event.method} {printable(event.path)} -> {answer}")
        case commands.FailuresListed():
            songs = "song" if event.songs == 1 else "songs"
            what = f"unsaved {songs}" if event.ended_early else f"failed {songs}"
            return Message(
                text=f"suno-wav: {event.songs or 'no'} {what} in {event.path}",
                # The lines at an early end are few: the command that continues names the list.
                level=Level.DETAIL if event.ended_early else Level.INFO,
            )
        case commands.Summary():
            # What may be paid for is said even by --quiet: no other line of an early end does.
            doubt = event.ended_early and event.unknown > 0
            return Message(text=_summary(event), level=Level.ERROR if doubt else Level.INFO)
        case commands.SongsLeft():
            songs = "1 song is" if event.songs == 1 else f"{event.songs} songs are"
            return Message(
                text=f"suno-wav: {songs} left\n  To continue: {event.resume_hint}", level=Level.ERROR
            )
        case commands.Interrupted():
            by = _KEYS.get(event.signal, event.signal)
            more = f"\n  To continue: {event.resume_hint}" if event.resume_hint else ""
            return Message(text=f"stopped by {by}{more}", level=Level.ERROR, droppable=True)
        case commands.Failed():
            return Message(
                text=f"error: {printable(event.message)}\n  {printable(event.remedy)}", level=Level.ERROR
            )
        case _:
            assert_never(event)


def _serving(event: commands.SandboxServing) -> str:
    signed = "; callbacks are signed" if event.signed else ""
    return (
        f"suno-wav: sandbox at {event.base_url}; nothing here is paid for{signed}. Press Ctrl-C to stop\n"
        f"  Use it: suno-wav convert demo --provider sandbox --base-url {event.base_url} --out song.wav\n"
        f"  As kie: --provider kie (or kie-jobs) --base-url {event.base_url}/kie\n"
        "  Its audio ids: suno-wav sandbox --list"
    )


def _summary(event: commands.Summary) -> str | None:
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
