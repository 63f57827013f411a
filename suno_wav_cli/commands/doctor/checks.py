"""All checks, in the order of the service's own list for a callback that does not come."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.sender import ServiceTiming
from suno_wav_cli.callbacks.tunnel.tunnel import TunnelTimeouts
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
from suno_wav_cli.commands.doctor.receiver import check_path, check_receiver, check_samples
from suno_wav_cli.commands.doctor.records import check_expiring, check_journal, check_undecided
from suno_wav_cli.commands.doctor.shell import check_completion, check_man_page
from suno_wav_cli.commands.doctor.tunnel import (
    check_agent,
    check_orphans,
    check_port,
    check_public_address,
    check_token,
    wants_ngrok,
)
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.journal.health import Health
from suno_wav_cli.models import Secret

_TUNNEL_SECONDS = 90.0
"""To open a tunnel, and for a request through it."""

_POST_SECONDS = 120.0
"""For all samples, of which two may be without an answer."""

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
        *_tunnel_checks(run),
        *_network_checks(run, base_url),
        *_receiver_checks(run),
        *_file_checks(run, health),
        Check(name="folder", run=partial(check_folder, run.settings.out), exit_code=ExitCode.USAGE),
        Check(name="clock", run=partial(check_clock, base_url), online=True, needs=("service",)),
        *_account_checks(run, base_url, key),
        *_journal_checks(run, health),
        Check(name="completion", run=partial(check_completion, run.environ)),
        Check(name="man page", run=partial(check_man_page, run.environ)),
        Check(name="versions", run=check_versions),
    )


def _tunnel_checks(run: Run) -> Iterator[Check]:
    settings, code = run.settings, ExitCode.TUNNEL_FAILED
    needs: tuple[str, ...] = ("port", "address's name")
    yield Check(name="port", run=partial(check_port, run), exit_code=code)
    if wants_ngrok(settings):
        needs = ("port", "ngrok token", "ngrok agent")
        yield Check(name="ngrok token", run=partial(check_token, run), exit_code=code)
        yield Check(name="ngrok agent", run=check_agent, exit_code=code)
    yield Check(name="orphans", run=partial(check_orphans, run.paths.agents))
    given = settings.callback_url or settings.public_url
    if given is not None:
        yield _name_check("address's name", given, run, code)
    open_way = partial(check_public_address, run, TunnelTimeouts())
    yield Check(
        name="public address", run=open_way, online=True, needs=needs, seconds=_TUNNEL_SECONDS, exit_code=code
    )


def _name_check(name: str, url: str, run: Run, code: ExitCode) -> Check:
    look_up = partial(check_name, url, run.environ, code)
    return Check(name=name, run=look_up, online=True, exit_code=code)


def _receiver_checks(run: Run) -> Iterator[Check]:
    url, code = run.settings.forward_to, ExitCode.TUNNEL_FAILED
    if url is None:
        return
    post, key = partial(Check, online=True, exit_code=code), run.secrets.hmac_key
    given, needs = (url, key, ServiceTiming()), ("receiver",)
    yield post(name="receiver", run=partial(check_receiver, *given), seconds=_POST_SECONDS)
    yield post(name="receiver's path", run=partial(check_path, *given), needs=needs, seconds=_POST_SECONDS)
    yield post(name="receiver's JSON", run=partial(check_samples, *given), needs=needs, seconds=_POST_SECONDS)


def _network_checks(run: Run, base_url: str) -> Iterator[Check]:
    yield Check(name="proxy and TLS", run=partial(check_environment, base_url, run.environ))
    yield Check(name="localhost", run=check_localhost, online=True)
    yield _name_check("service's name", base_url, run, ExitCode.UNAVAILABLE)
    again = command_for(run.service_options, "doctor")
    yield Check(
        name="service",
        run=partial(check_service, base_url, run.environ, again),
        online=True,
        needs=("proxy and TLS", "service's name"),
    )


def _file_checks(run: Run, health: Health | SunoWavError | None) -> Iterator[Check]:
    entry = health.with_address if isinstance(health, Health) else None
    if entry is None or entry.wav_url is None:
        return
    look = partial(check_file, run, entry, entry.wav_url)
    code = ExitCode.DOWNLOAD_FAILED
    yield _name_check("file's host", entry.wav_url, run, code)
    yield Check(
        name="last file", run=look, online=True, needs=("proxy and TLS", "file's host"), exit_code=code
    )


def _account_checks(run: Run, base_url: str, key: Secret | SunoWavError | None) -> Iterator[Check]:
    if isinstance(key, Secret):
        look_up = partial(check_account, run, base_url, key)
        yield Check(name="account", run=look_up, online=True, needs=("service",))


def _journal_checks(run: Run, health: Health | SunoWavError | None) -> Iterator[Check]:
    yield Check(name="journal", run=partial(check_journal, health, run.paths.journal))
    yield Check(name="unknown outcomes", run=partial(check_undecided, run, health), needs=("journal",))
    yield Check(name="expiring", run=partial(check_expiring, run, health), needs=("journal",))
