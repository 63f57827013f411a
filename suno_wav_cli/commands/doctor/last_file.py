"""The last file's host: where the service keeps its WAVs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from suno_wav_cli.commands.doctor.findings import passed, warned
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.download.http import DownloadPolicy
from suno_wav_cli.download.look import look_at_address
from suno_wav_cli.journal.entry import UNSAVED
from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.pacing import RateLimit
from suno_wav_cli.system.private_hosts import is_private_service
from suno_wav_cli.system.shell_words import say_how
from suno_wav_cli.system.threads import start_in_thread
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from suno_wav_cli.commands.doctor.findings import Finding
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.download.look import AddressLook
    from suno_wav_cli.journal.entry import JournalEntry

_SECONDS = 10.0
_DAY = 86400.0
_GOOD = (200, 206)


async def check_file(run: Run, entry: JournalEntry, url: str) -> Finding:
    """Ask for one byte of the last file. Raise DownloadFailed if its host does not answer."""
    settings = run.settings
    policy = DownloadPolicy(
        tls=make_tls_context(url),
        local=is_loopback(entry.service),
        private_hosts=settings.allow_private_hosts or is_private_service(entry.service),
        rate=RateLimit(None),
        max_size=settings.max_size,
        min_speed=settings.min_speed,
        stall_timeout=_SECONDS,
        timeout=_SECONDS,
    )
    look = await start_in_thread(lambda: look_at_address(url, policy), "file")
    return judge_look(run, look, entry, time.time())


def judge_look(run: Run, look: AddressLook, entry: JournalEntry, now: float) -> Finding:
    """Judge what the host answers at `now`. An address that has expired says nothing against the host."""
    expires = entry.expires or now
    if look.status not in _GOOD:
        fact = f"its host answers HTTP {look.status}"
        if expires <= now or entry.state not in UNSAVED:
            return passed(f"{fact} in {look.seconds:.2f} s; the file or its address has expired by now")
        resume = command_for(run.options_to(entry.provider, entry.service), "resume")
        return warned(f"{fact}, and the song is not saved yet", say_how("Get a fresh address", *resume))
    size = "" if look.length is None else f", {look.length / 1e6:.1f} MB"
    left = f"; deleted in {(expires - now) / _DAY:.0f} days" if expires > now else ""
    ranges = "" if look.status == 206 else "; no ranges, so a download has one connection"  # noqa: PLR2004
    kind = look.content_type or "no type"
    return passed(f"its host answers HTTP {look.status} in {look.seconds:.2f} s: {kind}{size}{left}{ranges}")
