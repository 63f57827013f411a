"""Where callbacks arrive: a local port, a receiver on it, and the tunnel that leads there."""

from __future__ import annotations

from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.callbacks.tunnel import Destination, GivenAddress, secret_path
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import TunnelMode
from suno_wav_cli.system.loopback import address_of, open_port

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from suno_wav_cli.callbacks.payload import ReceivedCallback
    from suno_wav_cli.callbacks.receiver import Probe
    from suno_wav_cli.callbacks.tunnel import Tunnel
    from suno_wav_cli.config.credentials import Secrets
    from suno_wav_cli.config.settings import Settings


@dataclass(frozen=True, kw_only=True)
class CallbackEndpoint:
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
    settings: Settings, secrets: Secrets, agents: Path, *, port: int
) -> Iterator[CallbackEndpoint]:
    """Bind the port, and close the tunnel at the end; `agents` is the folder for those of ngrok that run.

    Raises TunnelFailed where the port cannot be bound, and UsageError.
    """
    if settings.public_url is not None and not port:
        raise UsageError("--public-url needs the port it leads to", "Add --port N.")
    with open_port(port) as bound:
        path = settings.path if settings.no_secret else secret_path(settings.path)
        destination = Destination(local_url=address_of(bound), path=path, domain=settings.domain)
        with closing(_tunnel(settings, secrets, agents, destination)) as tunnel:
            yield CallbackEndpoint(bound=bound, path=path, tunnel=tunnel, required=is_required(settings))


@asynccontextmanager
async def receiving(
    reception: CallbackEndpoint, deliver: Callable[[ReceivedCallback], Awaitable[None]]
) -> AsyncIterator[Probe]:
    """Serve the receiver until the block is left."""
    # A server takes long to load, and many runs need none.
    from suno_wav_cli.callbacks.limits import Limits, limited_protocol
    from suno_wav_cli.callbacks.receiver import Probe, receiver_app
    from suno_wav_cli.callbacks.server import serving

    limits, probe = Limits(), Probe()
    app = receiver_app(reception.path, deliver, limits, probe)
    async with serving(app, reception.bound, limited_protocol(limits)):
        yield probe


def _tunnel(settings: Settings, secrets: Secrets, agents: Path, destination: Destination) -> Tunnel:
    if settings.public_url is not None:
        return GivenAddress(public_url=settings.public_url)
    service_is_here = settings.tunnel is TunnelMode.AUTO and settings.provider == SANDBOX
    if settings.tunnel is TunnelMode.NONE or service_is_here:
        return GivenAddress(public_url=destination.local_url)
    from suno_wav_cli.callbacks.tunnel.ngrok import Ngrok

    return Ngrok(destination, secrets.ngrok_token, agents)
