"""The variables that programs of others get."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_MAY_HOLD_SECRETS = re.compile(r"(NGROK|SUNO)_.*|.*_(TOKEN|KEY|SECRET)", re.IGNORECASE | re.DOTALL)

_PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY")


def find_secret_variables(names: Iterable[str]) -> list[str]:
    """Return those that may hold a secret, by their names. The agent's token is in its configuration."""
    return [name for name in names if _MAY_HOLD_SECRETS.fullmatch(name)]


def find_proxy_variable(environ: Mapping[str, str]) -> str | None:
    """Return the variable by which the agent uses a proxy."""
    return next((name for name in _PROXY_VARIABLES if environ.get(name)), None)
