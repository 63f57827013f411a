"""The way to an address: its host and port, and the proxy that the environment names for it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from suno_wav_cli.system.loopback import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_SCHEMES = ("http", "https", "socks5", "socks5h")
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """`url` may hold a user name and a password."""

    variable: str
    url: str

    @property
    def scheme(self) -> str:
        return self.url.partition("://")[0].lower() if "://" in self.url else "http"


def find_proxy(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for requests to `url`. This machine's own addresses have none."""
    parts = urlsplit(url)
    if is_loopback(url) or proxy_bypass(parts.hostname or ""):
        return None
    return next(_proxies(environ, f"{parts.scheme}_proxy", "all_proxy"), None)


def run_without(proxy: Proxy, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the beginning of a command that runs the rest of it without this proxy."""
    names = (proxy.variable.lower(), proxy.variable.upper())
    return ("env", *(word for name in names if environ.get(name) for word in ("-u", name)))


def find_unusable_proxy(environ: Mapping[str, str]) -> Proxy | None:
    """Return the first proxy that httpx does not understand: by its scheme, or without socksio."""
    can_socks = find_spec("socksio") is not None
    for proxy in _proxies(environ, *PROXY_VARIABLES[:3]):
        if proxy.scheme not in _SCHEMES or (proxy.scheme.startswith("socks") and not can_socks):
            return proxy
    return None


def _proxies(environ: Mapping[str, str], *names: str) -> Iterator[Proxy]:
    proxies = getproxies()
    for name in names:
        found = proxies.get(name.removesuffix("_proxy"))
        if found:
            yield Proxy(variable=name if environ.get(name) else name.upper(), url=found)


def describe_way(url: str, environ: Mapping[str, str]) -> str:
    """Return the host and the port of an address, and the proxy that leads there."""
    proxy = find_proxy(url, environ)
    if proxy is None:
        return _place(url)
    via = _place(proxy.url if "://" in proxy.url else f"http://{proxy.url}")
    return f"{_place(url)} through the proxy {via} of {proxy.variable}"


def _place(url: str) -> str:
    """Return the host and the port of an address, and nothing else of it: no user and no password."""
    try:
        parts = urlsplit(url)
        port, host = parts.port or _PORTS.get(parts.scheme), parts.hostname or ""
    except ValueError:
        return "an address that is not valid"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def list_variables(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the variables in force that decide about proxies and certificates."""
    names = [spelling for name in PROXY_VARIABLES for spelling in (name, name.upper())]
    return [(name, environ[name]) for name in (*names, *CERTIFICATE_VARIABLES) if environ.get(name)]
