"""Where callbacks arrive: a local port, a receiver on it, and a way to it that was seen to work."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.background import start_in_thread
from suno_wav_cli.errors import TunnelFailed, UsageError
from suno_wav_cli.loopback import address_of, bound_socket, is_loopback
from suno_wav_cli.providers import SANDBOX
from suno_wav_cli.receiver import Limits, Probe, limited_protocol, receiver_app
from suno_wav_cli.refusals import described
from suno_wav_cli.serving import serving
from suno_wav_cli.tunnel import Destination, GivenAddress, TunnelMode, secret_path
from suno_wav_cli.tunnel.ngrok_errors import OR_POLL, ngrok_failure

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from suno_wav_cli.callback import Delivery
    from suno_wav_cli.credentials import Secrets
    from suno_wav_cli.events import Report
    from suno_wav_cli.settings import Settings
    from suno_wav_cli.tunnel import Lost, Restored, Tunnel

_PROBE_SECONDS = 4.0
_PROBE_PAUSE = 0.25
"""Between two tries: a new address may take a moment until it is known everywhere."""

_LARGEST_PAGE = 64 * 1024


@dataclass(frozen=True)
class Reception:
    """`path` is where callbacks are accepted, and `tunnel` leads there.

    `required` says that the person asked for this very way: nothing else may take its place.
    """

    bound: socket.socket
    path: str
    tunnel: Tunnel
    required: bool

    @property
    def local_url(self) -> str:
        return address_of(self.bound)


def is_required(settings: Settings) -> bool:
    """Tell whether the person asked for one certain way."""
    return settings.public_url is not None or settings.tunnel is TunnelMode.NGROK


@contextmanager
def open_reception(
    settings: Settings, secrets: Secrets, agents: Path, report: Report, *, port: int
) -> Iterator[Reception]:
    """Bind the port, and close the tunnel at the end; `agents` is the folder for those of ngrok that run.

    Raises TunnelFailed where the port cannot be bound, and UsageError.
    """
    if settings.public_url is not None and not port:
        raise UsageError("--public-url needs the port it leads to", "Add --port N.")
    try:
        bound = bound_socket(port)
    except OSError as error:
        raise TunnelFailed(
            f"port {port} cannot be opened: {error.strerror}", "Choose another --port; 0 takes a free one."
        ) from error
    with bound:
        path = settings.path if settings.no_secret else secret_path(settings.path)
        destination = Destination(address_of(bound), path, settings.domain)
        with closing(_tunnel(settings, secrets, agents, report, destination)) as tunnel:
            yield Reception(bound, path, tunnel, is_required(settings))


@asynccontextmanager
async def receiving(
    reception: Reception, deliver: Callable[[Delivery], Awaitable[None]]
) -> AsyncIterator[Probe]:
    """Serve the receiver until the block is left."""
    limits, probe = Limits(), Probe()
    app = receiver_app(reception.path, deliver, limits, probe)
    async with serving(app, reception.bound, limited_protocol(limits)):
        yield probe


async def opened(
    tunnel: Tunnel, path: str, probe: Probe, tls: ssl.SSLContext, on_change: Callable[[Lost | Restored], None]
) -> str:
    """Open the tunnel, and send one request through it that is seen here; the public base URL.

    `on_change` is called in this loop. Raises TunnelFailed.
    """
    loop = asyncio.get_running_loop()

    def changed(change: Lost | Restored) -> None:
        # The agent may have its last word when the loop is closed.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(on_change, change)

    public_url = await start_in_thread(partial(tunnel.open, changed), "tunnel")
    await _seen_through(public_url, path, probe, tls)
    return public_url


async def _seen_through(public_url: str, path: str, probe: Probe, tls: ssl.SSLContext) -> None:
    problem = TunnelFailed(f"{public_url} does not answer", OR_POLL)
    probe.seen.clear()
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(_PROBE_SECONDS),
            httpx.AsyncClient(
                headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
                verify=tls,
                trust_env=not is_loopback(public_url),
            ) as http,
        ):
            while True:
                problem = await _problem_of(http, public_url, path, probe)
                if probe.seen.is_set():
                    return
                await asyncio.sleep(_PROBE_PAUSE)
    raise problem


async def _problem_of(http: httpx.AsyncClient, public_url: str, path: str, probe: Probe) -> TunnelFailed:
    try:
        async with http.stream("POST", public_url + path, json=probe.content) as response:
            page = bytearray()
            async for piece in response.aiter_raw():
                page += piece
                if len(page) > _LARGEST_PAGE:
                    break
    except httpx.HTTPError as error:
        return TunnelFailed(f"{public_url} cannot be reached from here: {described(error)}", OR_POLL)
    said = f"{public_url} does not lead here: it answers HTTP {response.status_code}"
    return ngrok_failure(
        [response.headers.get("Ngrok-Error-Code", ""), page.decode("utf-8", "replace")], said
    )


def _tunnel(
    settings: Settings, secrets: Secrets, agents: Path, report: Report, destination: Destination
) -> Tunnel:
    if settings.public_url is not None:
        return GivenAddress(settings.public_url)
    service_is_here = settings.tunnel is TunnelMode.AUTO and settings.provider == SANDBOX
    if settings.tunnel is TunnelMode.NONE or service_is_here:
        return GivenAddress(destination.local_url)
    from suno_wav_cli.tunnel.ngrok import Ngrok

    return Ngrok(destination, secrets.ngrok_token, agents, report)
