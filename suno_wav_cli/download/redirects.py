"""Whether a redirect can be followed, and what is wrong with it if not."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import httpx

STATUSES = (301, 302, 303, 307, 308)

_SCHEMES = ("https", "http")
_LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_LONGEST_HOST = 253

_NO_ADDRESS = "to something that is not an address"


def find_flaw(location: str) -> str | None:
    """Complete the sentence "it redirects …", or return None for an address that may be tried.

    An HTTP library takes some of these for hosts, which then seem not to resolve for a while.
    """
    location = location.strip()
    if not location:
        return "without saying where to"
    # A space in a path is wrong, but servers write it, and the HTTP library escapes it.
    if not location.isprintable():
        return _NO_ADDRESS
    try:
        parts = urlsplit(location)
        if parts.scheme and parts.scheme not in _SCHEMES:
            return f"to {parts.scheme[:20]}:, which is not https"
        is_absolute = bool(parts.scheme) or location.startswith("//")
        usable = _is_host(parts) if is_absolute else not parts.netloc
        # Raises InvalidURL for numbers that are nearly an IP address, and for 64 KiB of address.
        httpx.URL(location)
    except (ValueError, httpx.InvalidURL):
        return _NO_ADDRESS
    return None if usable else _NO_ADDRESS


def _is_host(parts: SplitResult) -> bool:
    """Tell whether a name server could know the host. Raise ValueError if it is malformed."""
    host = (parts.hostname or "").removesuffix(".")
    if parts.port == 0 or not host:
        return False
    if ":" in host:
        return bool(ip_address(host.partition("%")[0]))
    ascii_host = host.encode("idna").decode()
    return len(ascii_host) <= _LONGEST_HOST and all(map(_LABEL.fullmatch, ascii_host.split(".")))
