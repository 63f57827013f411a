"""The way of a callback: the port, the ngrok agent, and the public address."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.callbacks.endpoint import is_required, open_endpoint, receive_callbacks
from suno_wav_cli.callbacks.handlers import Handlers
from suno_wav_cli.callbacks.probe import check_reachable
from suno_wav_cli.callbacks.public_url import PublicUrl
from suno_wav_cli.callbacks.sender import ServiceTiming
from suno_wav_cli.callbacks.tunnel.agent_binary import find_agent
from suno_wav_cli.callbacks.tunnel.agent_folder import find_orphans
from suno_wav_cli.callbacks.tunnel.agent_release import expected_digest
from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
from suno_wav_cli.callbacks.tunnel.tunnel import Restored, TunnelTimeouts
from suno_wav_cli.commands.doctor.findings import failed, passed, skipped, warned
from suno_wav_cli.commands.doctor.scrub import origin_of
from suno_wav_cli.config.credentials import refuse_ignored
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import ExitCode, TunnelFailed
from suno_wav_cli.models import TunnelMode
from suno_wav_cli.system.loopback import bind_socket, is_loopback
from suno_wav_cli.system.port_owner import find_port_owner
from suno_wav_cli.system.private_hosts import is_private_service
from suno_wav_cli.system.shell_words import as_root, say_how
from suno_wav_cli.system.threads import start_in_thread
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.callbacks.tunnel.tunnel import Lost
    from suno_wav_cli.commands.doctor.findings import Finding
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.events import Event

_TOKEN_PAGE = "https://dashboard.ngrok.com/get-started/your-authtoken"  # noqa: S105 - a page, no token
_AGENT_SECONDS = 5.0


def wants_ngrok(settings: Settings) -> bool:
    """Tell whether `convert` would open a tunnel by ngrok."""
    others = (settings.public_url, settings.callback_url, settings.tunnel_command)
    elsewhere = any(one is not None for one in others)
    return not (elsewhere or _is_here(settings) or settings.tunnel is TunnelMode.NONE)


def _is_here(settings: Settings) -> bool:
    """Tell whether the service is on this machine, and needs no tunnel."""
    automatic = settings.tunnel is TunnelMode.AUTO and settings.tunnel_command is None
    return automatic and settings.provider == SANDBOX


async def check_port(run: Run) -> Finding:
    """Bind the port for a moment, or say who has it."""
    port = run.settings.port
    if not port:
        return passed("any free port is taken")
    try:
        bind_socket(port).close()
    except OSError as error:
        owner = await start_in_thread(lambda: find_port_owner(port), "port")
        fact = f"port {port} cannot be opened: {error.strerror}"
        remedy = say_how("Choose another --port, or see who has it", *_who_has(port))
        if owner is not None:
            fact += f"; {owner.name} has it (process {owner.pid})"
            remedy = say_how("Choose another --port, or look at the program", "ps", "-fp", str(owner.pid))
        return _no_callbacks(run, fact, remedy)
    return passed(f"port {port} is free")


def _who_has(port: int) -> tuple[str, ...]:
    if os.name == "nt":
        return ("netstat", "-ano")
    return as_root("lsof", "-nP", f"-iTCP:{port}")


async def check_token(run: Run) -> Finding:
    """Say where the token of ngrok is from. Raise TunnelFailed if ngrok's configuration cannot be read."""
    from suno_wav_cli.callbacks.tunnel.ngrok import has_own_token

    token, required = run.secrets.ngrok_token, run.settings.tunnel is TunnelMode.NGROK
    if token is not None:
        return passed(token.origin or "set")
    try:
        if await start_in_thread(has_own_token, "ngrok"):
            return passed("ngrok's own configuration")
    except TunnelFailed as error:
        return _no_callbacks(run, error.message, error.remedy)
    if required:
        refuse_ignored(run.secrets, "ngrok_authtoken")
    remedy = say_how(
        f"For callbacks, copy yours from {_TOKEN_PAGE} and enter it",
        *("suno-wav", "config", "set", "ngrok_authtoken"),
    )
    if required:
        return failed("there is no ngrok token", remedy, ExitCode.TUNNEL_FAILED)
    return skipped("none, so convert polls", remedy)


async def check_agent() -> Finding:
    programs, deadline = SubprocessGroup(), time.monotonic() + _AGENT_SECONDS
    try:
        search = await start_in_thread(lambda: find_agent(programs, deadline, TunnelTimeouts()), "agent")
    finally:
        programs.close()
    agent = search.agent
    if agent is None:
        return skipped(f"{search.unfit or 'not here'}; the first tunnel downloads one and checks its digest")
    digest = await start_in_thread(lambda: _digest_of(agent.path), "agent")
    expected = expected_digest(agent.version)
    fact = f"{agent.path}, version {'.'.join(map(str, agent.version))}, SHA-256 {(digest or 'unknown')[:16]}"
    if None not in (digest, expected):
        if digest != expected:
            return warned(
                f"{fact}, where ngrok's own file of this version has {(expected or '')[:16]}",
                say_how(
                    "See where it is from, or remove it, and suno-wav downloads another one",
                    "ls",
                    "-l",
                    str(agent.path),
                ),
            )
        fact += ", as ngrok's own file"
    if _is_snap(agent.path):
        return warned(
            f"{fact}; a snap may not read the configuration that suno-wav writes for it",
            say_how("Remove it, and suno-wav downloads another one", *as_root("snap", "remove", "ngrok")),
        )
    return passed(fact)


def _digest_of(path: Path) -> str | None:
    with suppress(OSError), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
    return None


def _is_snap(path: Path) -> bool:
    return "snap" in path.parts[:3] or path.resolve().name == "snap"


async def check_orphans(agents: Path) -> Finding:
    pids = await start_in_thread(lambda: find_orphans(agents), "orphans")
    if not pids:
        return passed("none")
    processes = ", ".join(map(str, pids))
    return warned(
        f"ngrok agents still run whose programs were killed: {processes}",
        say_how("End them", "kill", *map(str, pids)),
    )


async def check_public_address(
    run: Run, timeouts: TunnelTimeouts, *, limit: float = ServiceTiming.answer
) -> Finding:
    """Open the way that `convert` would, and see a request arrive. Raise UsageError."""
    settings = run.settings
    if settings.callback_url is not None:
        return _judge_address(settings.callback_url, "callbacks go elsewhere, where they cannot be seen")
    if settings.tunnel is TunnelMode.NONE and settings.public_url is None:
        return skipped("--tunnel none, so convert polls")
    opened: list[str] = []
    unproven: list[tuple[str, str]] = []

    def note(change: Lost | Restored) -> None:
        if isinstance(change, Restored):
            opened.append(change.public_url)

    try:
        with (
            _without_traces(run.paths.agents),
            # Without a secret path, which would be kept in a file: only the probe is expected.
            open_endpoint(
                replace(settings, no_secret=True),
                run.secrets,
                run.paths,
                port=settings.port or 0,
                timeouts=timeouts,
            ) as endpoint,
        ):
            tls = make_tls_context(settings.public_url or (None if _is_here(settings) else "https:"))
            async with receive_callbacks(endpoint, Handlers(handle=_pass_over)) as probe:
                on_unproven = (lambda *why: unproven.append(why)) if endpoint.is_theirs else None
                await PublicUrl(endpoint, probe, tls, note, _say_nothing, on_unproven=on_unproven).open()
                if unproven:
                    return _judge_unproven(*unproven[0], endpoint.path)
                began = time.monotonic()
                try:
                    await check_reachable(
                        probe, opened[-1] + endpoint.path, tls, seconds=limit, pause=timeouts.probe_pause
                    )
                except TunnelFailed as error:
                    if not endpoint.is_theirs:
                        raise
                    return _judge_unproven(opened[-1], error.message, endpoint.path)
                seconds = time.monotonic() - began
    except TunnelFailed as error:
        return _no_callbacks(run, error.message, error.remedy)
    return _judge_address(
        opened[-1],
        f"a request through it arrived here in {seconds:.2f} s, of the {limit:g} s that the service waits",
    )


def _judge_unproven(url: str, reason: str, path: str) -> Finding:
    """This machine may be the only one that cannot reach its own address: `convert` uses it."""
    return warned(
        f"{reason}; convert uses it and polls, because many routers do not lead a request from inside back in",
        say_how(
            "While convert or listen runs, try it from elsewhere", "curl", "--request", "POST", url + path
        ),
    )


def _judge_address(url: str, fact: str) -> Finding:
    """Name what the service cannot reach or does not want, and what cannot be seen from here."""
    origin = origin_of(url)
    if is_loopback(url):
        return passed(f"{origin}: {fact}; only a service on this machine reaches it")
    if is_private_service(url):
        return warned(
            f"{origin}: {fact}; the internet does not reach a private network",
            "Use an address of the internet, or a tunnel in its place.",
        )
    if urlsplit(url).scheme != "https":
        return warned(
            f"{origin}: {fact}; the service advises https",
            "Put a certificate in front of it, or use a tunnel in its place.",
        )
    return passed(f"{origin}: {fact}. That a firewall lets the service in too, only its callback shows")


def _no_callbacks(run: Run, fact: str, remedy: str) -> Finding:
    """Without callbacks, `convert` polls, unless this very way was asked for."""
    advice, is_option, _ = remedy.partition(": --tunnel none")
    if is_option:
        # In place of an option alone: the line that shows what is left without a tunnel.
        doctor = command_for(run.service_options, "doctor", (), "--tunnel", "none")
        remedy = say_how(advice, *doctor)
    if is_required(run.settings):
        return failed(fact, remedy, ExitCode.TUNNEL_FAILED)
    return warned(f"{fact}; convert polls", remedy)


@contextmanager
def _without_traces(folder: Path) -> Iterator[None]:
    """Remove the folders that were missing before, if they are empty."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        yield
    finally:
        for one in missing:
            with suppress(OSError):
                one.rmdir()


async def _pass_over(_callback: ReceivedCallback) -> None:
    """Do nothing: no callback is expected."""


def _say_nothing(_event: Event) -> None:
    """Report nothing: the finding says it all."""
