"""The journal: whether it is whole, and what in it wants attention."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from suno_wav_cli.commands.doctor.findings import passed, warned
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import SunoWavError
from suno_wav_cli.journal.health import Health, examine_journal
from suno_wav_cli.system.shell_words import say_how
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.commands.doctor.findings import Finding
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.journal.entry import JournalEntry

_DAY = 86400.0
_SOON = 3 * _DAY


async def read_journal(path: Path) -> Health | SunoWavError | None:
    """Return what the journal says, None without one, or the error of one that cannot be used."""

    def read() -> Health | SunoWavError | None:
        try:
            return examine_journal(path, expires_before=time.time() + _SOON)
        except SunoWavError as error:
            return error

    return await start_in_thread(read, "journal")


async def check_journal(health: Health | SunoWavError | None, path: Path) -> Finding:
    """Raise UsageError for a journal that cannot be used."""
    if isinstance(health, SunoWavError):
        raise health
    if health is None:
        return passed(f"{path} does not exist yet")
    if health.is_earlier:
        return passed(f"{path} is whole, and of an earlier version: the next conversion upgrades it")
    return passed(f"{path} is whole; {_count(health.total, 'conversion')}")


async def check_undecided(run: Run, health: Health | SunoWavError | None) -> Finding:
    entries = health.undecided if isinstance(health, Health) else ()
    if not entries:
        return passed("none")
    return warned(
        f"{_count(len(entries), 'song')} with an unknown outcome: paid for or not ({_name(entries)})",
        say_how("Look them up again, which is free", *_resume(run, entries[0])),
    )


async def check_expiring(run: Run, health: Health | SunoWavError | None) -> Finding:
    entries = health.expiring if isinstance(health, Health) else ()
    if not entries:
        return passed("nothing that is paid for is deleted within three days")
    first = min(entry.expires or 0.0 for entry in entries)
    when = _describe_time_left(first - time.time())
    return warned(
        f"{_count(len(entries), 'song')} not saved yet, which the service deletes {when} ({_name(entries)})",
        say_how("Save what is still there", *_resume(run, entries[0])),
    )


def _describe_time_left(seconds: float) -> str:
    if seconds <= 0:
        return "any time now"
    return f"within {seconds / 3600:.0f} h" if seconds < 2 * _DAY else f"in {seconds / _DAY:.0f} days"


def _resume(run: Run, entry: JournalEntry) -> tuple[str, ...]:
    return command_for(run.options_to(entry.provider, entry.service), "resume")


def _name(entries: tuple[JournalEntry, ...]) -> str:
    names = [entry.name for entry in entries[:3]]
    return ", ".join(names) + (", …" if len(entries) > len(names) else "")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
