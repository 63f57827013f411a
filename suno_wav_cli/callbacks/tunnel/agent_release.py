"""Which ngrok agent is downloaded for a system, and the digest that its file must have."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.tunnel.error_codes import INSTALL_AGENT
from suno_wav_cli.errors import TunnelFailed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class AgentRelease:
    """A program, or an archive that holds it (.zip, .tgz).

    Without `sha256` the address leads to whatever ngrok published last, and no digest is known.
    """

    url: str
    sha256: str | None


def _release(file: str, sha256: str) -> AgentRelease:
    return AgentRelease(url=f"https://bin.ngrok.com/a/{file}", sha256=sha256)


# ngrok signs no checksums, so these are the digests of package collections, which name these very
# files: nixpkgs (Linux), Homebrew (macOS), Chocolatey (Windows). To renew the table, take all of them
# from there, and compare two collections or projects wherever two have the same file.
_RELEASES: Mapping[str, AgentRelease] = MappingProxyType(
    {
        "linux_x86_64": _release(
            "58nxNCjvFS5/ngrok-v3-3.39.9-linux-amd64",
            "d26c3fa5e2ca565cee77001e92a1940ebecbcf0cf9e2f8ad4319a429aaa1bf3f",
        ),
        "linux_x86_64_arm": _release(
            "hqSwTx7kQJX/ngrok-v3-3.39.11-linux-arm64",
            "35c31fee376c6744f1730da494f0ac166c87e49741867b3dc2b79d765c13f57d",
        ),
        "linux_i386": _release(
            "giK691VJU4P/ngrok-v3-3.39.11-linux-386",
            "b3fa05960fd2e9c01fa247b154a587517b5c9b27274f5b8c573211bd8addaf48",
        ),
        "darwin_x86_64": _release(
            "8QQF2ciKqxM/ngrok-v3-3.39.11-darwin-amd64.zip",
            "c6b9b3d9184fc08c33fb8b181d9f241d8f5d61162a0be0521b6dfc1f11813a96",
        ),
        "darwin_x86_64_arm": _release(
            "dy27whJwwmb/ngrok-v3-3.39.11-darwin-arm64.zip",
            "9324a6552d74e25d5bdfdbedc4b32422c96f044fda37877498ad8ef10bddf7f7",
        ),
        "windows_x86_64": _release(
            "m9v4MphCUjA/ngrok-v3-3.39.9-windows-amd64.zip",
            "12f99dc3b2145ab1503602434e00fd38199a5545dc051dd86ba526c11ab97db1",
        ),
        "windows_i386": _release(
            "6ScSMj3w1Xw/ngrok-v3-3.39.9-windows-386.zip",
            "044936d25c6dbb92ab0a68a46f055db2f541521fbf1002d0df575c9755e1dae3",
        ),
    }
)


def expected_digest(version: tuple[int, int, int]) -> str | None:
    """Return the digest of the agent of this version for this system, or None if it is not known.

    Where the agent comes in an archive, only the archive's digest is known.
    """
    try:
        release = find_release()
    except TunnelFailed:
        return None
    name = f"/ngrok-v3-{'.'.join(map(str, version))}-"
    return release.sha256 if name in release.url and not release.url.endswith((".zip", ".tgz")) else None


def find_release() -> AgentRelease:
    """Return the agent for this system. Raise TunnelFailed if ngrok makes none."""
    from pyngrok.exception import PyngrokError
    from pyngrok.installer import get_arch, get_ngrok_cdn_url, get_system

    try:
        known = _RELEASES.get(f"{get_system()}_{get_arch()}")
        return known or AgentRelease(url=get_ngrok_cdn_url("3"), sha256=None)
    except PyngrokError as error:
        raise TunnelFailed(f"the ngrok agent cannot be downloaded: {error}", INSTALL_AGENT) from error
