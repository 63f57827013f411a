"""The proxy that the environment names for an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from suno_wav_cli.system.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """`url` may hold a user name and a password."""

    variable: str
    url: str


def find_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for requests to `url`. This machine's own addresses have none."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    proxies = getproxies()
    for name in (f"{parts.scheme}_proxy", "all_proxy"):
        found = proxies.get(name.removesuffix("_proxy"))
        if found:
            return Proxy(variable=name if environ.get(name) else name.upper(), url=found)
    return None


def list_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables in force that decide about proxies and certificates."""
    names = [spelling for name in PROXY_VARIABLES for spelling in (name, name.upper())]
    return [(name, environ[name]) for name in (*names, *CERTIFICATE_VARIABLES) if environ.get(name)]
