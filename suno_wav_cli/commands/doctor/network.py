"""The way to the service: names, connections, certificates, and the clock."""

from __future__ import annotations

import os
import socket
import sys
import time
from email.utils import parsedate_to_datetime
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.api.reach import reach
from suno_wav_cli.api.transport import open_http
from suno_wav_cli.callbacks.signature import TOLERANCE_SECONDS
from suno_wav_cli.commands.doctor.findings import failed, passed, skipped, warned
from suno_wav_cli.commands.doctor.scrub import origin_of
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.models import Secret
from suno_wav_cli.system.http_problems import Problem
from suno_wav_cli.system.private_hosts import is_private, is_private_service
from suno_wav_cli.system.proxies import CERTIFICATE_VARIABLES, find_proxy, list_variables, run_without
from suno_wav_cli.system.shell_words import as_root, say_how
from suno_wav_cli.system.threads import start_in_thread
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from suno_wav_cli.api.reach import Reached
    from suno_wav_cli.commands.doctor.findings import Finding

ANSWER_SECONDS = 10.0

_SYSTEMD = Path("/run/systemd/system")
"""It is there if systemd runs."""


async def check_environment(base_url: str, environ: Mapping[str, str]) -> Finding:
    """Try whether the proxy and the certificates can be used. Raise UsageError."""
    tls = make_tls_context(base_url)
    await open_http(base_url, Secret(value="none"), tls, keep_alive=False).aclose()
    found = list_variables(environ)
    set_here = ", ".join(f"{name}={value}" for name, value in found) or "no proxy"
    usual = "" if any(name in CERTIFICATE_VARIABLES for name, _ in found) else "; the usual certificates"
    return passed(f"{set_here}{usual}")


async def check_localhost() -> Finding:
    """The receiver listens on 127.0.0.1, which `localhost` need not be."""
    try:
        addresses = await _resolve("localhost")
    except OSError as error:
        return warned(
            f"the name localhost does not resolve: {error.strerror}",
            "Write 127.0.0.1 in its place, or add the line `127.0.0.1 localhost` to the list of hosts.",
        )
    fact = f"localhost is {_describe_addresses(addresses)}"
    if "127.0.0.1" not in addresses:
        return warned(f"{fact}; the receiver listens on 127.0.0.1", "Write 127.0.0.1 in place of localhost.")
    return passed(fact)


async def check_name(url: str, environ: Mapping[str, str], exit_code: ExitCode) -> Finding:
    """Resolve the host's name here. A proxy may be able to even where this machine is not."""
    host, proxy = urlsplit(url).hostname or "", find_proxy(url, environ)
    if _is_address(host):
        return passed(f"{host} is an address, and needs no name server")
    try:
        addresses = await _resolve(host)
    except OSError as error:
        fact = f"{host} does not resolve: {error.strerror}"
        if proxy is not None:
            return passed(f"{fact}; {proxy.variable} has the proxy do it")
        return failed(fact, say_how("Ask a name server", "nslookup", host), exit_code)
    fact = f"{host} is {_describe_addresses(addresses)}"
    if all(map(is_private, addresses)) and not is_private_service(url):
        return warned(
            f"{fact}: of a private network, so a name server or a VPN may answer for the service",
            say_how("Ask another name server", "nslookup", host, "1.1.1.1"),
        )
    return passed(fact)


async def check_service(
    base_url: str, environ: Mapping[str, str], again: Sequence[str] = ("suno-wav", "doctor")
) -> Finding:
    """Tell a firewall that refuses from one that is silent, and both from a certificate.

    `again` is the command that checks this service.
    """
    reached = await reach(base_url, make_tls_context(base_url), seconds=ANSWER_SECONDS)
    if reached.problem is None:
        return passed(f"{origin_of(base_url)} answers HTTP {reached.status} in {reached.seconds:.2f} s")
    return failed(
        f"{_describe_way(base_url, environ)}: {_describe_problem(reached)}",
        _advise(reached.problem, base_url, environ, again),
        ExitCode.UNAVAILABLE,
    )


async def check_clock(base_url: str) -> Finding:
    """Compare this machine's clock with the service's `Date`."""
    reached = await reach(base_url, make_tls_context(base_url), seconds=ANSWER_SECONDS)
    try:
        theirs = parsedate_to_datetime(reached.date[:100]).timestamp()
    except (TypeError, ValueError, OverflowError):
        return skipped("the service tells no time")
    ahead = time.time() - reached.seconds / 2 - theirs
    if abs(ahead) < TOLERANCE_SECONDS:
        return passed(f"within {max(1, round(abs(ahead)))} s of the service's")
    side = "ahead of" if ahead > 0 else "behind"
    return warned(
        f"{_describe_length(abs(ahead))} {side} the service's: signatures of callbacks seem too old, "
        "and certificates may seem to have expired",
        _how_to_set_the_clock(),
    )


def _how_to_set_the_clock() -> str:
    advice = "Set it by the network"
    if sys.platform == "darwin":
        return say_how(advice, *as_root("sntp", "-sS", "time.apple.com"))
    if os.name == "nt":
        return say_how(advice, "w32tm", "/resync")
    if _SYSTEMD.is_dir():
        return say_how(advice, *as_root("timedatectl", "set-ntp", "true"))
    return f"{advice}."


def _describe_length(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.0f} h"


def _describe_way(url: str, environ: Mapping[str, str]) -> str:
    proxy = find_proxy(url, environ)
    return (
        origin_of(url) if proxy is None else f"{origin_of(url)} by the proxy {proxy.url} ({proxy.variable})"
    )


def _describe_problem(reached: Reached) -> str:
    detail = f" ({reached.detail})" if reached.detail else ""
    match reached.problem:
        case Problem.REFUSED:
            return "connection refused: a firewall turns it away, or nothing listens there"
        case Problem.UNREACHABLE if not reached.detail:
            return f"no answer from its address in {reached.seconds:.0f} s: a firewall may swallow it"
        case Problem.SILENT:
            return f"connected, and no answer in {reached.seconds:.0f} s"
        case _:
            return f"{reached.problem}{detail}"


def _advise(problem: Problem, url: str, environ: Mapping[str, str], again: Sequence[str]) -> str:
    # The path of an address may be secret, and its connection is what fails.
    look = ("curl", "--verbose", "--max-time", "20", origin_of(url))
    proxy = find_proxy(url, environ)
    if problem is Problem.TLS:
        advice = "If a proxy or a virus scanner reads along, set SSL_CERT_FILE to its certificate. To see whose it is"
        return say_how(advice, *look)
    if proxy is not None:
        return say_how("Start the proxy, or do without it", *run_without(proxy, environ), *again)
    return say_how("See it without suno-wav", *look)


async def _resolve(host: str) -> list[str]:
    """Return the addresses of a name. Raise OSError."""
    look_up = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
    found = await start_in_thread(look_up, "resolver")
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _describe_addresses(addresses: list[str]) -> str:
    four = [address for address in addresses if ":" not in address]
    six = [address for address in addresses if ":" in address]
    parts = [", ".join(four) or "no IPv4 address", ", ".join(six) or "no IPv6 address"]
    return " and ".join(parts)
