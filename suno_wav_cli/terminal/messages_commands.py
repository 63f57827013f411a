"""Messages about what commands list, and the sandbox."""

from __future__ import annotations

import json
import sys
from typing import assert_never

from suno_wav_cli.events import commands
from suno_wav_cli.terminal.fold import wrap_row
from suno_wav_cli.terminal.job_table import format_jobs, summarize_jobs
from suno_wav_cli.terminal.message import Level, Message
from suno_wav_cli.terminal.tables import get_width, printable
from suno_wav_cli.terminal.track_table import format_tracks
from suno_wav_cli.terminal.waveform import describe_file


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
