"""Which addresses belong to private networks, where a stranger's URL must not lead."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

from suno_wav_cli.errors import PrivateHost

# 198.18.0.0/15 is not among them: some proxies answer every name with an address from there.
_PRIVATE_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this machine, by another name
            "10.0.0.0/8",
            "100.64.0.0/10",  # shared with a provider's other customers, or a VPN's
            "127.0.0.0/8",
            "169.254.0.0/16",  # the link, and the metadata of cloud machines
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.168.0.0/16",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
_PRIVATE_V6 = tuple(
    map(
        IPv6Network,
        (
            "::/128",  # this machine, by another name
            "::1/128",
            "fc00::/7",
            "fe80::/10",
            "fec0::/10",  # what fc00::/7 has replaced
            "ff00::/8",  # multicast
        ),
    )
)
_ENDS_IN_V4 = tuple(
    map(
        IPv6Network,
        (
            "::/96",
            "::ffff:0:0/96",  # IPv4 by IPv6's name
            "::ffff:0:0:0/96",
            "64:ff9b::/96",  # NAT64
            "64:ff9b:1::/48",
        ),
    )
)
_OWN_NAMES = ("localhost", "local", "lan", "internal", "home.arpa")
"""Last parts of names that belong to no one on the internet."""


def is_private(address: str) -> bool:
    """Tell whether an IP address, or the IPv4 address inside of it, is one of a private network."""
    ip = ip_address(address)
    if isinstance(ip, IPv4Address):
        return any(ip in network for network in _PRIVATE_V4)
    # Membership ignores the scope of a link's address.
    ip = IPv6Address(int(ip))
    if any(ip in network for network in _PRIVATE_V6):
        return True
    return any(is_private(str(inner)) for inner in _find_inner(ip))


def _find_inner(ip: IPv6Address) -> tuple[IPv4Address, ...]:
    """Return the IPv4 addresses that packets to an IPv6 address may be sent on to."""
    if any(ip in network for network in _ENDS_IN_V4):
        return (IPv4Address(int(ip) & 0xFFFFFFFF),)
    if ip.teredo is not None:
        return ip.teredo
    return () if ip.sixtofour is None else (ip.sixtofour,)


def is_private_service(url: str) -> bool:
    """Tell whether a service's URL says itself that it is in a private network.

    A name counts only if the internet cannot have it: what another name resolves to, its owner chooses.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return is_private(host)
    except ValueError:
        return "." not in host or any(host.endswith(f".{name}") for name in _OWN_NAMES)


def choose_public(host: str, addresses: list[str]) -> list[str]:
    """Return those of a host's addresses that may be connected to. Raise PrivateHost if none may."""
    public = [address for address in addresses if not is_private(address)]
    if not public:
        raise PrivateHost(host, addresses[0])
    return public
