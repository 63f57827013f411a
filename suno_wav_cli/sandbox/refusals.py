"""Why the sandbox refuses a request. Each contract has a code of its own for each reason."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    NOT_JSON = "not JSON"
    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    NO_CREDITS = "no credits"
    TOO_MANY = "too many in the window"
    BUSY = "busy"
    EXISTS = "exists"
    MAINTENANCE = "maintenance"
    UNKNOWN_TASK = "unknown task"
