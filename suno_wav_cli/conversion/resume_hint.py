"""The command line that goes on with what was begun."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import PROVIDERS, SUNOAPI

if TYPE_CHECKING:
    from collections.abc import Sequence


def command_for(provider: str, base_url: str, command: str, ids: Sequence[str], *options: str) -> str:
    """Return the line that runs `command` for ids of a service, with the options that choose it."""
    words = ["suno-wav", command, *ids, *options]
    if provider != SUNOAPI.name:
        words += ["--provider", provider]
    known = PROVIDERS.get(provider)
    if known is None or known.base_url != base_url:
        words += ["--base-url", base_url]
    return shlex.join(words)
