"""Which files are sent to a store in one piece."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class UploadLimits:
    """Sizes in bytes: a larger file than `whole` is sent in parts of `part`."""

    whole: int = 256_000_000
    part: int = 16_000_000
