"""`doctor`: what was checked, and what came of it.

The texts hold no key, no token, no user name or query of an address, and the home folder as `~`.
"""

from __future__ import annotations

from typing import TypeAlias

from suno_wav_cli.events.event import event


@event
class Checked:
    """A check has ended.

    check: what was checked.
    verdict: `ok`, `warning`, `failed` or `skipped`.
    fact: what was found.
    remedy: what to do about it; null if there is nothing to do.
    command: the line that `remedy` ends with, for a shell of this machine; null if it is words alone.
    exit_code: of a check that failed; 0 for the others.
    """

    check: str
    verdict: str
    fact: str
    remedy: str | None
    command: str | None
    exit_code: int


@event
class CheckSummary:
    """All checks have ended.

    exit_code: of the fault that `convert` would meet first; 0 if none failed.
    """

    ok: int
    warnings: int
    failed: int
    skipped: int
    exit_code: int


CheckEvent: TypeAlias = Checked | CheckSummary
