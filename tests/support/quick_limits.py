"""The times of waiting, made short."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from suno_wav_cli.api.timing import ApiTiming
from suno_wav_cli.config.wait_limits import Repetition, WaitLimits

WAIT_SPEED = "TEST_WAIT_SPEED"
"""The environment variable by which all times of `WaitLimits` are divided, for `tests.support.quick_program`."""

API_SPEED = "TEST_API_SPEED"
"""The same for the times of `ApiTiming`."""


def quick_limits(speed: float) -> WaitLimits:
    """Return the usual limits with all times divided by `speed`."""
    usual = WaitLimits()
    quick: dict[str, Any] = {
        field.name: _divide(getattr(usual, field.name), speed) for field in fields(usual)
    }
    return replace(usual, **quick)


def quick_timing(speed: float) -> ApiTiming:
    """Return the usual times with all of them divided by `speed`."""
    usual = ApiTiming()
    return replace(usual, **{field.name: getattr(usual, field.name) / speed for field in fields(usual)})


def _divide(value: float | Repetition, speed: float) -> float | Repetition:
    if isinstance(value, Repetition):
        return replace(value, seconds=value.seconds / speed)
    return value / speed
