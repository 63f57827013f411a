"""The variables that programs of others get."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAY_HOLD_SECRETS = re.compile(r"(NGROK|SUNO)_.*|.*_(TOKEN|KEY|SECRET)", re.IGNORECASE | re.DOTALL)


def find_secret_variables(names: Iterable[str]) -> list[str]:
    """Return those that may hold a secret, by their names. The agent's token is in its configuration."""
    return [name for name in names if _MAY_HOLD_SECRETS.fullmatch(name)]
