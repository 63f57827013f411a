"""What an agent of a certain version takes as its configuration, and how it refuses the rest."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Version = tuple[int, ...]

CONFIG_3_SINCE = (3, 16)
ENDPOINTS_SINCE = (3, 30)


def _words(text: str) -> set[str]:
    return set(text.split())


_AGENT_FIELDS = _words(
    "api_key authtoken connect_timeout console_ui console_ui_color dns_resolver_ips heartbeat_interval "
    "heartbeat_tolerance inspect_db_size log log_format log_level metadata proxy_url remote_management "
    "update_channel update_check web_addr"
)
_NEWER_AGENT_FIELDS = {"crl_noverify", "web_allow_hosts"}
_TOP_FIELDS_2 = {"region", "root_cas", "server_addr", "tunnels", "update", "version"}
_TOP_FIELDS_3 = {"agent", "endpoints", "tunnels", "version"}
_AGENT_FIELDS_3 = {"connect_cas", "connect_url", "crl_url"}

# As a 3.0.4 answers, which says of each other one that it is "not found in type config.HTTPv2Tunnel".
_TUNNEL_FIELDS = _words(
    "addr basic_auth circuit_breaker compression host_header hostname inspect ip_restriction labels metadata "
    "mutual_tls_cas name oauth oidc proto proxy_proto request_header response_header schemes subdomain "
    "verify_webhook websocket_tcp_converter"
)
_LATER_TUNNEL_FIELDS = {
    (3, 1): {"domain", "user_agent_filter"},
    (3, 14): {"traffic_policy"},
    (3, 17): {"pooling_enabled", "url"},
}
_ENDPOINT_FIELDS = _words(
    "bindings description inspect metadata name pooling_enabled traffic_policy upstream url"
)


class Refused(Exception):
    """The agent ends with code 1 and these words."""


@dataclass
class Config:
    authtoken: str | None = None
    web_addr: str | None = None
    files: list[dict[str, Any]] = field(default_factory=list)


def version_of(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def default_path() -> Path:
    folder = os.environ.get("XDG_CONFIG_HOME") or Path(os.environ["HOME"]) / ".config"
    return Path(folder) / "ngrok" / "ngrok.yml"


def read_config(given: str, version: Version, into: Config) -> None:
    """Read one file, as far as it is JSON: there is no YAML in the standard library."""
    path = Path(given)
    try:
        text = path.read_text(encoding="utf-8")
        bits = stat.S_IMODE(path.stat().st_mode)
    except OSError as error:
        raise Refused(f"Error reading configuration file '{given}': {error}") from error
    into.files.append({"path": str(path), "text": text, "mode": f"{bits:04o}"})
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(
            f"Error reading configuration file '{given}': the stand-in reads JSON: {error}"
        ) from error
    agent = _agent_part(config, given, version)
    into.authtoken = agent.get("authtoken") or into.authtoken
    into.web_addr = agent.get("web_addr") or into.web_addr
    if into.web_addr is not None and not into.web_addr.rpartition(":")[2].isdecimal():
        raise Refused(
            f"Invalid configuration property value for 'web_addr', '{into.web_addr}': invalid address"
        )


def _agent_part(config: Any, given: str, version: Version) -> dict[str, Any]:
    error = f"Error reading configuration file '{given}': "
    if not isinstance(config, dict) or "version" not in config:
        raise Refused(f"{error}`version` property is required.")
    known = ["1", "2", "3"] if version >= CONFIG_3_SINCE else ["1", "2"]
    said = str(config["version"])
    if said not in known:
        raise Refused(f"{error}unknown version '{said}'. valid versions are: [{' '.join(known)}]")
    agent_fields = _AGENT_FIELDS | (_NEWER_AGENT_FIELDS if version >= (3, 1) else set())
    if said == "3":
        _only(config, _TOP_FIELDS_3, f"{error}YAML parsing error: ", "config.v3yamlConfig")
        agent: dict[str, Any] = config.get("agent") or {}
        _only(agent, agent_fields | _AGENT_FIELDS_3, f"{error}YAML parsing error: ", "config.v3yamlAgent")
        return agent
    _only(config, agent_fields | _TOP_FIELDS_2, f"{error}YAML parsing error: ", "config.v2yamlConfig")
    return config


def _only(values: dict[str, Any], known: set[str], error: str, kind: str) -> None:
    for name in values:
        if name not in known:
            raise Refused(f"{error}yaml: unmarshal errors:\n  line 1: field {name} not found in type {kind}")


def check_options(options: dict[str, Any], *, endpoint: bool, version: Version, policy: str) -> None:
    """Refuse options that the agent does not know for an endpoint (a tunnel before 3.30)."""
    if endpoint:
        known, kind = _ENDPOINT_FIELDS, "config.EndpointDefinition"
        needed = isinstance(options.get("upstream"), dict) and "url" in options["upstream"]
        missing = "Endpoint declaration must contain an 'upstream.url'"
    else:
        later = (names for since, names in _LATER_TUNNEL_FIELDS.items() if version >= since)
        known, kind = _TUNNEL_FIELDS.union(*later), "config.HTTPv2Tunnel"
        needed = options.get("proto") == "http"
        missing = f"Invalid protocol name '{options.get('proto', '')}'"
    if not needed:
        raise Refused(missing)
    if not options.get("name"):
        raise Refused("Tunnel declaration must contain a 'name'")
    if policy == "never":
        known = known - {"traffic_policy"}
    _only(options, known, "", kind)
    given = options.get("traffic_policy")
    if policy == "string" and isinstance(given, dict):
        raise Refused("yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into string")
    if policy == "dict" and isinstance(given, str):
        raise Refused(
            f"yaml: unmarshal errors:\n  line 1: cannot unmarshal !!str `{given[:7]}...` into policy.Policy"
        )


def read_flags(flags: list[str]) -> dict[str, list[str]]:
    """Read flags, as `--config F` or `--config=F`; each may stand more than once."""
    given: dict[str, list[str]] = {}
    rest = iter(flags)
    for flag in rest:
        name, equals, value = flag.partition("=")
        if name in {"--none", "--all"}:
            continue
        if name not in {"--authtoken", "--config", "--log", "--log-format", "--log-level", "--region"}:
            raise Refused(f"unknown flag: {name}")
        given.setdefault(name, []).append(value if equals else next(rest, ""))
    return given
