"""`doctor`: everything that can go wrong, checked for real, one check after another."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

from suno_wav_cli.commands.doctor.account import check_versions, find_key
from suno_wav_cli.commands.doctor.checks import list_checks
from suno_wav_cli.commands.doctor.findings import Check, Verdict, failed, from_error, skipped
from suno_wav_cli.commands.doctor.records import read_journal
from suno_wav_cli.commands.doctor.scrub import make_scrubber
from suno_wav_cli.config.settings import base_url_of
from suno_wav_cli.conversion.context import open_service
from suno_wav_cli.errors import ExitCode, ProgramBug, SunoWavError
from suno_wav_cli.events.checks import Checked, CheckSummary
from suno_wav_cli.models import Secret
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.shell_words import Remedy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from suno_wav_cli.commands.doctor.findings import Finding
    from suno_wav_cli.commands.doctor.scrub import Scrubber
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.events import Report

_OURS = "suno-wav"
"""It is running. What leads to it, such as `python -m suno_wav_cli`, need not be in PATH."""

_MET_FIRST = (
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.NOT_AUTHORIZED,
    ExitCode.UNAVAILABLE,
    ExitCode.NO_CREDITS,
    ExitCode.TUNNEL_FAILED,
    ExitCode.DOWNLOAD_FAILED,
)
"""The order in which `convert` meets the faults."""


def examine(run: Run, *, offline: bool) -> ExitCode:
    """Report each check, and how many ended how. Return the code that `convert` would end with."""
    with ExitStack() as stack:
        base_url = base_url_of(run.settings) if offline else stack.enter_context(open_service(run))
        return run_async(_examine(run, base_url, offline=offline))


def report_bad_settings(error: SunoWavError, report: Report, environ: Mapping[str, str]) -> ExitCode:
    """Report what can be said where the settings cannot be read, which all other checks need."""

    async def fail() -> Finding:
        raise error

    checks = [Check(name="settings", run=fail), Check(name="versions", run=check_versions)]
    scrubber = make_scrubber([], environ.get("HOME", ""))
    return run_async(run_checks(checks, report, scrubber, offline=True))


async def _examine(run: Run, base_url: str, *, offline: bool) -> ExitCode:
    key = find_key(run)
    found = (run.secrets.api_key, run.secrets.ngrok_token, run.secrets.hmac_key, key)
    secrets = [secret.value for secret in found if isinstance(secret, Secret)]
    checks = list_checks(run, base_url, key=key, health=await read_journal(run.journal_path))
    scrubber = make_scrubber(secrets, run.environ.get("HOME", ""))
    return await run_checks(checks, run.report, scrubber, offline=offline)


async def run_checks(
    checks: Sequence[Check], report: Report, scrubber: Scrubber, *, offline: bool
) -> ExitCode:
    """Run the checks in their order, and report each when it has ended."""
    found: dict[str, Finding] = {}
    for check in checks:
        finding = await _run_check(check, found, offline=offline)
        found[check.name] = finding
        remedy, command = prepare_remedy(finding.remedy, scrubber)
        report(
            Checked(
                check=check.name,
                verdict=finding.verdict,
                fact=scrubber.scrub(finding.fact),
                remedy=remedy,
                command=command,
                exit_code=finding.exit_code,
            )
        )
    code = choose_exit_code(found.values())
    counts = Counter(finding.verdict for finding in found.values())
    report(
        CheckSummary(
            ok=counts[Verdict.OK],
            warnings=counts[Verdict.WARNING],
            failed=counts[Verdict.FAILED],
            skipped=counts[Verdict.SKIPPED],
            exit_code=code,
        )
    )
    return code


def prepare_remedy(
    remedy: str | None, scrubber: Scrubber, find_program: Callable[[str], str | None] = shutil.which
) -> tuple[str | None, str | None]:
    """Return a remedy that may be published, and the command that it ends with.

    There is none if a part of it has to be hidden, or if one of its programs is not installed.
    """
    if not isinstance(remedy, Remedy):
        return None if remedy is None else scrubber.scrub(remedy), None
    advice, command = scrubber.scrub(remedy.advice), scrubber.scrub_command(remedy)
    absent = [name for name in remedy.programs if name != _OURS and find_program(name) is None]
    if command is None:
        return f"{advice}.", None
    if absent:
        return f"{advice}. Install {' and '.join(absent)} for that.", None
    return f"{advice}: {command}", command


async def _run_check(check: Check, found: Mapping[str, Finding], *, offline: bool) -> Finding:
    if offline and check.online:
        return skipped("--offline")
    for name in check.needs:
        if name in found and found[name].verdict not in (Verdict.OK, Verdict.WARNING):
            return skipped(f"needs '{name}'")
    try:
        async with asyncio.timeout(check.seconds):
            return await check.run()
    except TimeoutError:
        return failed(f"no result in {check.seconds:g} s", "Run the same command again.", check.exit_code)
    except SunoWavError as error:
        return from_error(error)
    except Exception as bug:  # noqa: BLE001 - a bug in one check must not hide what the others find
        return from_error(ProgramBug(bug))


def choose_exit_code(findings: Iterable[Finding]) -> ExitCode:
    """Return the code of the fault that `convert` would meet first, or OK."""
    codes = {finding.exit_code for finding in findings}
    return next((code for code in _MET_FIRST if code in codes), ExitCode.OK)
