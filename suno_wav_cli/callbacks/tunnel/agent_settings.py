"""The configuration of the ngrok agent: the person's own, without what could harm."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from suno_wav_cli.callbacks.tunnel.error_codes import OR_POLL
from suno_wav_cli.errors import TunnelFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from suno_wav_cli.callbacks.tunnel.tunnel import Destination
    from suno_wav_cli.models import Secret

_KEPT = {
    # Name in version 2 of the file format: name in version 3.
    "proxy_url": "proxy_url",
    "server_addr": "connect_url",
    "root_cas": "connect_cas",
    "dns_resolver_ips": "dns_resolver_ips",
    "crl_noverify": "crl_noverify",
}
"""How the agent reaches ngrok, which only the person knows. The rest is not for this run."""

_HARDENED = {
    "update_check": False,
    "remote_management": False,
    # Keep no requests for those who can reach the agent's own web page.
    "inspect_db_size": -1,
}


def read_user_config(path: Path) -> dict[str, Any]:
    """Read the agent settings of the person's ngrok.yml, under their version 3 names.

    Return an empty dict if the file does not exist. Raise TunnelFailed.
    """
    from pyngrok import installer

    try:
        written = installer.get_ngrok_config(str(path), use_cache=False)
        version_3 = str(written.get("version")) == "3"
        settings = written.get("agent") or {} if version_3 else written
        kept = {new: settings.get(new if version_3 else old) for old, new in _KEPT.items()}
        kept["authtoken"] = settings.get("authtoken")
    except FileNotFoundError:
        return {}
    except Exception as error:  # the YAML library's own errors have no class that pyngrok passes on
        raise TunnelFailed(
            f"the ngrok configuration {path} cannot be read: {_describe(error)}",
            f"Check it: ngrok config check. {OR_POLL}",
        ) from error
    return {name: value for name, value in kept.items() if value}


def _describe(error: Exception) -> str:
    """Say what is wrong with the file, without what stands in it: that may be the token."""
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    if isinstance(error, UnicodeDecodeError):
        return "it is not a text in UTF-8"
    mark = getattr(error, "problem_mark", None)
    if mark is not None:
        return f"line {mark.line + 1} is not YAML"
    return "it is not a list of settings" if isinstance(error, AttributeError) else type(error).__name__


def make_agent_config(user: dict[str, Any], token: Secret, config_version: str) -> dict[str, Any]:
    """Make the whole configuration, in version "2" or "3" of the file format."""
    settings: dict[str, Any] = {**user, **_HARDENED, "authtoken": token.value}
    if config_version == "3":
        return {"version": "3", "agent": settings}
    old_names = {new: old for old, new in _KEPT.items()}
    return {"version": "2", **{old_names.get(name, name): value for name, value in settings.items()}}


def tunnel_options(destination: Destination, config_version: str) -> Iterator[dict[str, Any]]:
    """Yield the options for one tunnel, from the most protection to the least.

    An agent refuses options that it does not know.
    """
    domain = destination.domain
    policy = {
        "on_http_request": [
            {
                "expressions": [f"!(req.method == 'POST' && req.url.path == '{destination.path}')"],
                "actions": [{"type": "deny", "config": {"status_code": 404}}],
            }
        ]
    }
    base: dict[str, Any]
    if config_version == "3":
        base = {"url": f"https://{domain}"} if domain else {}
    else:
        base = {"schemes": ["https"]} | ({"hostname": domain} if domain else {})
    # Versions of the agent differ in whether they want a policy as text or as an object.
    yield {**base, "inspect": False, "traffic_policy": json.dumps(policy)}
    yield {**base, "inspect": False, "traffic_policy": policy}
    yield {**base, "inspect": False}
    yield base
