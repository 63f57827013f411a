"""Whether the service itself could post to an address: `trigger` on this machine proves nothing of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from suno_wav_cli.system.loopback import is_loopback
from suno_wav_cli.system.private_hosts import is_private_service


def find_reach_problem(url: str) -> str | None:
    """Return why the service cannot reach an address, or what it advises against, by its words alone."""
    if is_loopback(url):
        return "only this machine reaches this address, and the service does not"
    if is_private_service(url):
        return "this address is in a private network, which the service does not reach"
    if urlsplit(url).scheme == "http":
        return "the service asks for https, and this address is http"
    return None
