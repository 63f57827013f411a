"""Sentences for people. Server text and titles lose whatever could steer a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from suno_wav_cli import events
from suno_wav_cli.terminal.listings import elsewhere_sentence, job_sentence, job_table, track_table
from suno_wav_cli.terminal.messages_account import AccountEvent, account_results, account_sentence
from suno_wav_cli.terminal.messages_deliveries import checked, delivering, forwarded, listening, received
from suno_wav_cli.terminal.messages_songs import SongEvent, song_results, song_sentence
from suno_wav_cli.terminal.texts import printable
from suno_wav_cli.terminal.waveform import recording_lines

if TYPE_CHECKING:
    from suno_wav_cli.events import Event


def may_be_lost(event: Event) -> bool:
    """Tell whether the program must not wait for somebody who reads what it says of this event."""
    return isinstance(
        event,
        events.DeliveryReceived
        | events.DeliveryRecorded
        | events.DeliveryForwarded
        | events.DeliveryChecked
        | events.DeliveryDropped
        | events.Interrupted,
    )


def is_error(event: Event) -> bool:
    if isinstance(event, events.Inspected):
        return event.problem is not None
    return isinstance(event, events.Failed | events.SongFailed | events.Interrupted)


def sentence(event: Event, *, verbose: bool) -> str | None:
    """Say what happened, and for an error on a second line what to do; None for what only `verbose` shows, or a bar."""
    if isinstance(event, SongEvent):
        return song_sentence(event, verbose=verbose)
    if isinstance(event, AccountEvent):
        return account_sentence(event)
    match event:
        case events.SandboxStarted():
            return f"suno-wav: sandbox at {event.base_url}; nothing here is paid for"
        case events.Ready(public_url=None):
            because = f"no callbacks ({printable(event.reason)}): " if event.reason else ""
            return f"suno-wav: {because}asking the service every {event.poll_interval:g} s"
        case events.Ready():
            return f"suno-wav: callbacks arrive at {event.public_url}" if verbose else None
        case events.TunnelOpening():
            return "suno-wav: opening a way for callbacks" if verbose else None
        case events.AgentDownloading():
            return f"suno-wav: no ngrok agent here; downloading it from {event.source} to {event.path}"
        case events.TunnelLost(poll_interval=None):
            return f"suno-wav: {printable(event.reason)}: nothing arrives until it is back"
        case events.TunnelLost():
            return f"suno-wav: {printable(event.reason)}: asking the service every {event.poll_interval:g} s"
        case events.TunnelRestored():
            return f"suno-wav: callbacks arrive again at {event.public_url}"
        case events.CallbackReceived():
            return f"suno-wav: callback for task {event.task_id}, code {event.code}" if verbose else None
        case events.Listening():
            return listening(event)
        case (
            events.DeliveryReceived()
            | events.DeliveryForwarded()
            | events.DeliveryChecked()
            | events.SandboxId()
            | events.CallbackKind()
        ):
            return None
        case events.DeliveryRecorded():
            return f"#{event.number} kept as {event.path}" if verbose else None
        case events.DeliveryDropped():
            return f"#{event.number} neglected: {printable(event.reason)}"
        case events.FailuresListed():
            return f"suno-wav: {event.songs or 'no'} failed {'song' if event.songs == 1 else 'songs'} in {event.path}"
        case events.JobList():
            return job_sentence(event)
        case events.TrackList():
            return f"suno-wav: music task {event.music_task_id}: {printable(event.flag or 'no state given')}"
        case events.OtherServiceJobs():
            return elsewhere_sentence(event)
        case events.Summary():
            return _summary(event)
        case events.Interrupted():
            return _interrupted(event)
        case events.Inspected(problem=None):
            return None
        case events.Inspected():
            return f"error: {printable(event.problem or '')}\n  {printable(event.remedy or '')}"
        case events.Failed():
            return f"error: {printable(event.message)}\n  {printable(event.remedy)}"
        case events.SandboxServing():
            signed = "; its callbacks are signed" if event.signed else ""
            return (
                f"suno-wav: sandbox at {event.base_url}; nothing here is paid for{signed}. Ctrl-C ends it\n"
                f"  Use it: suno-wav convert demo --provider sandbox --base-url {event.base_url} --out song.wav\n"
                f"  As kie: --provider kie (or kie-jobs) --base-url {event.base_url}/kie\n"
                "  Its audio ids: suno-wav sandbox --list"
            )
        case events.RequestServed():
            return (
                f"{event.method} {printable(event.path)} -> {event.status} {printable(event.note)}".rstrip()
            )
        case events.Delivering():
            return delivering(event)
        case events.AnswerOverdue():
            return f"suno-wav: no answer within {event.seconds:g} s, and the service would give up; still waiting"
        case events.Delivered():
            return f"suno-wav: the answer says: {printable(event.answer)}" if event.answer else None
        case events.DeliveryDelayed():
            return f"suno-wav: the service would post it again in {event.seconds:g} s"
        case _:
            assert_never(event)


def results(event: Event) -> list[str]:
    """Give what of an event belongs on standard output, a line each."""
    if isinstance(event, SongEvent):
        return song_results(event)
    if isinstance(event, AccountEvent):
        return account_results(event)
    match event:
        case events.JobList():
            return job_table(event)
        case events.TrackList():
            return track_table(event)
        case events.Inspected():
            return recording_lines(event)
        case events.Listening():
            return [event.callback_url]
        case events.DeliveryReceived():
            return [received(event)]
        case events.DeliveryForwarded():
            return [forwarded(event)]
        case events.DeliveryChecked():
            return [checked(event)]
        case events.SandboxId():
            return [f"{event.audio_id:<24} {event.about}"]
        case events.SandboxServing():
            return [event.base_url]
        case events.CallbackKind():
            return [f"{event.name:<12} {event.about}"]
        case events.Delivered():
            return [f"{event.status or 'no answer'} in {event.seconds:.2f} s: {printable(event.verdict)}"]
        case _:
            return []


def _summary(event: events.Summary) -> str | None:
    if event.requested == 0:
        return "suno-wav: nothing is unfinished here"
    if event.requested == 1:
        return None
    if event.skipped == event.requested:
        return f"suno-wav: all {event.requested} were there already"
    parts = [f"{event.saved} of {event.requested} saved"]
    counts = ((event.skipped, "there already"), (event.failed, "failed"), (event.unfinished, "left running"))
    parts += [f"{count} {name}" for count, name in counts if count]
    return f"suno-wav: {', '.join(parts)}"


def _interrupted(event: events.Interrupted) -> str:
    by = "Ctrl-C" if event.signal == "SIGINT" else event.signal
    return f"stopped by {by}" + (f"\n  To continue: {event.continue_with}" if event.continue_with else "")
