"""Why a request got no answer: told apart by what the person can do about it."""

from __future__ import annotations

import socket
import ssl
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Problem(StrEnum):
    """Why there is no HTTP status."""

    NO_NAME = "its name does not resolve"
    REFUSED = "connection refused"
    UNREACHABLE = "could not connect"
    TLS = "the TLS handshake failed"
    SILENT = "no answer in time"
    BROKEN = "the connection broke"


def explain(error: Exception, *, sent: bool) -> tuple[Problem, str]:
    """Return the problem, and the system's own word on it. `sent` says whether the request had left."""
    causes = list(find_causes(error))
    for cause in causes:
        match cause:
            case socket.gaierror():
                return Problem.NO_NAME, cause.strerror or ""
            case ssl.SSLCertVerificationError():
                return Problem.TLS, cause.verify_message
            case ssl.SSLError() if not sent:
                return Problem.TLS, (cause.reason or "").replace("_", " ").lower()
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return Problem.REFUSED, ""
    system = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return Problem.BROKEN if sent else Problem.UNREACHABLE, system[-1] if system else str(error)


def find_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it: a name with several addresses has an error for each."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for member in error.exceptions:
                yield from find_causes(member)
        error = error.__cause__ or error.__context__
