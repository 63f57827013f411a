"""All checks, in the order of the service's own list for a callback that does not come."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.commands.doctor.account import check_account, check_key, check_settings, check_versions
from suno_wav_cli.commands.doctor.disk import check_folder
from suno_wav_cli.commands.doctor.findings import Check
from suno_wav_cli.commands.doctor.last_file import check_file
from suno_wav_cli.commands.doctor.network import (
    check_clock,
    check_environment,
    check_localhost,
    check_name,
    check_service,
)
from suno_wav_cli.commands.doctor.records import check_expiring, check_journal, check_undecided
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.journal.health import Health
from suno_wav_cli.models import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.config.run import Run
    from suno_wav_cli.errors import SunoWavError


def list_checks(
    run: Run,
    base_url: str,
    *,
    key: Secret | SunoWavError | None,
    health: Health | SunoWavError | None,
) -> tuple[Check, ...]:
    """List the checks of this run.

    `key` and `health` are what was found of the key and the journal, or the error that they caused.
    """
    return (
        Check(name="settings", run=partial(check_settings, run)),
        Check(name="key", run=partial(check_key, run, base_url, key), exit_code=ExitCode.NOT_AUTHORIZED),
        *_network_checks(run, base_url),
        *_file_checks(run, health),
        Check(name="folder", run=partial(check_folder, run.settings.out), exit_code=ExitCode.USAGE),
        Check(name="clock", run=partial(check_clock, base_url), online=True, needs=("service",)),
        *_account_checks(run, base_url, key),
        *_journal_checks(run, health),
        Check(name="versions", run=check_versions),
    )


def _network_checks(run: Run, base_url: str) -> Iterator[Check]:
    yield Check(name="proxy and TLS", run=partial(check_environment, base_url, run.environ))
    yield Check(name="localhost", run=check_localhost, online=True)
    yield Check(name="service's name", run=partial(check_name, base_url, run.environ), online=True)
    yield Check(
        name="service",
        run=partial(check_service, base_url, run.environ),
        online=True,
        needs=("proxy and TLS", "service's name"),
    )


def _file_checks(run: Run, health: Health | SunoWavError | None) -> Iterator[Check]:
    entry = health.with_address if isinstance(health, Health) else None
    if entry is None or entry.wav_url is None:
        return
    name = partial(check_name, entry.wav_url, run.environ)
    look = partial(check_file, entry, entry.wav_url, run.settings)
    code = ExitCode.DOWNLOAD_FAILED
    yield Check(name="file's host", run=name, online=True, exit_code=code)
    yield Check(
        name="last file", run=look, online=True, needs=("proxy and TLS", "file's host"), exit_code=code
    )


def _account_checks(run: Run, base_url: str, key: Secret | SunoWavError | None) -> Iterator[Check]:
    if isinstance(key, Secret):
        look_up = partial(check_account, run, base_url, key)
        yield Check(name="account", run=look_up, online=True, needs=("service",))


def _journal_checks(run: Run, health: Health | SunoWavError | None) -> Iterator[Check]:
    yield Check(name="journal", run=partial(check_journal, health, run.paths.journal))
    yield Check(name="unknown outcomes", run=partial(check_undecided, health), needs=("journal",))
    yield Check(name="expiring", run=partial(check_expiring, health), needs=("journal",))
