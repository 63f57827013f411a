"""The times of waiting, made short."""

from __future__ import annotations

import os
from dataclasses import fields, replace
from typing import Any

from suno_wav_cli.api.timing import ApiTiming
from suno_wav_cli.config.wait_limits import Repetition, WaitLimits
from suno_wav_cli.remote.limits import UploadLimits

WAIT_SPEED = "TEST_WAIT_SPEED"
"""The environment variable by which all times of `WaitLimits` are divided, for `tests.support.quick_program`."""

API_SPEED = "TEST_API_SPEED"
"""The same for the times of `ApiTiming`."""


UPLOAD_WHOLE = "TEST_UPLOAD_WHOLE"
"""The most bytes that are uploaded in one piece."""


def quick_limits(speed: float) -> WaitLimits:
    """Return the usual limits with all times divided by `speed`."""
    usual = WaitLimits()
    quick: dict[str, Any] = {
        field.name: _divide(getattr(usual, field.name), speed) for field in fields(usual)
    }
    return replace(usual, **quick)


def upload_limits() -> UploadLimits:
    """Return the usual limits, or smaller ones: S3 takes no parts under 5 MiB but the last."""
    whole = os.environ.get(UPLOAD_WHOLE)
    return UploadLimits() if whole is None else UploadLimits(whole=int(whole), part=5 * 1024 * 1024)


def quick_timing(speed: float) -> ApiTiming:
    """Return the usual times with all of them divided by `speed`."""
    usual = ApiTiming()
    return replace(usual, **{field.name: getattr(usual, field.name) / speed for field in fields(usual)})


def _divide(value: float | Repetition, speed: float) -> float | Repetition:
    if isinstance(value, Repetition):
        return replace(value, seconds=value.seconds / speed)
    return value / speed
