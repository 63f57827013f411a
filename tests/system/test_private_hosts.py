"""What a stranger's URL must not reach: this machine, its network, and the clouds' metadata."""

from __future__ import annotations

import pytest

from suno_wav_cli.errors import PrivateHost
from suno_wav_cli.system.private_hosts import choose_public, is_private, is_private_service

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - not listened on
    "10.0.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:10.0.0.1",
    "::10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::192.168.0.1",
    "2002:a00:1::1",
    "2001:0:a00:1::",
]
PUBLIC = [
    "1.1.1.1",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "198.18.0.1",
    "198.19.255.254",
    "::ffff:198.18.0.1",
    "::ffff:1.1.1.1",
    "64:ff9b::1.1.1.1",
    "2002:101:101::1",
    "2606:4700::1111",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_private_networks(address: str) -> None:
    assert is_private(address)
    with pytest.raises(PrivateHost) as caught:
        choose_public("cdn.example", [address])
    assert caught.value.message == f"the file's address leads into a private network: cdn.example ({address})"
    assert "--allow-private-hosts" in caught.value.remedy


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_and_of_proxies_that_answer_every_name(address: str) -> None:
    assert not is_private(address)
    assert choose_public("cdn.example", [address]) == [address]


def test_of_several_addresses_only_the_public_ones_are_left() -> None:
    assert choose_public("cdn.example", ["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111"]) == [
        "1.1.1.1",
        "2606:4700::1111",
    ]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000", True),
        ("http://[::1]:8000", True),
        ("https://10.1.2.3/suno", True),
        ("https://suno", True),
        ("https://suno.lan", True),
        ("https://suno.home.arpa.", True),
        ("https://api.sunoapi.org", False),
        ("https://localhost.example.com", False),
        ("https://198.18.0.1", False),
        ("https://1.1.1.1", False),
    ],
)
def test_a_service_that_is_local_itself(url: str, *, expected: bool) -> None:
    """What another name resolves to is not asked: its owner could let it lead here."""
    assert is_private_service(url) is expected
