"""The signature of `kie`'s callbacks (api/README.md, section 5). It does not cover the body."""

from __future__ import annotations

import base64
import hmac
import re
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.models import Secret

TIMESTAMP_HEADER = "X-Webhook-Timestamp"
SIGNATURE_HEADER = "X-Webhook-Signature"

TOLERANCE_SECONDS = 300.0
"""Signed webhooks commonly allow five minutes either way. The documentation names no tolerance."""

# As `sign` writes it: another spelling of the same number has another signature.
_TIMESTAMP = re.compile(r"0|[1-9][0-9]{0,11}")


class Signature(StrEnum):
    VALID = "valid"
    OLD = "old"
    """Signed with the key a while ago: a replay, or a wrong clock."""
    FUTURE = "future"
    """Signed with the key for a time to come: a wrong clock."""
    INVALID = "invalid"
    MISSING = "missing"


def sign(key: Secret, task_id: str, timestamp: int) -> str:
    """Sign a task id. `timestamp` is in Unix seconds."""
    # The environment and JSON texts may hold any bytes.
    text = f"{task_id}.{timestamp}".encode("utf-8", "surrogatepass")
    digest = hmac.digest(key.value.encode("utf-8", "surrogateescape"), text, "sha256")
    return base64.b64encode(digest).decode("ascii")


def signed_headers(key: Secret, task_id: str, timestamp: int) -> tuple[tuple[str, str], ...]:
    return (TIMESTAMP_HEADER, str(timestamp)), (SIGNATURE_HEADER, sign(key, task_id, timestamp))


def is_signature_header(name: str) -> bool:
    return name.lower() in (TIMESTAMP_HEADER.lower(), SIGNATURE_HEADER.lower())


def verify(key: Secret, task_id: str | None, headers: Sequence[tuple[str, str]], now: float) -> Signature:
    """Verify a delivery's headers. `task_id` is what it claims, `now` is in Unix seconds."""
    timestamps, signatures = _values(headers, TIMESTAMP_HEADER), _values(headers, SIGNATURE_HEADER)
    if len(timestamps) > 1 or len(signatures) > 1:
        return Signature.INVALID
    if not timestamps or not signatures:
        return Signature.MISSING
    if task_id is None or not _TIMESTAMP.fullmatch(timestamps[0]):
        return Signature.INVALID
    timestamp = int(timestamps[0])
    expected = sign(key, task_id, timestamp).encode()
    if not hmac.compare_digest(expected, signatures[0].encode("utf-8", "surrogatepass")):
        return Signature.INVALID
    if timestamp - now > TOLERANCE_SECONDS:
        return Signature.FUTURE
    return Signature.OLD if now - timestamp > TOLERANCE_SECONDS else Signature.VALID


def _values(headers: Sequence[tuple[str, str]], wanted: str) -> list[str]:
    return [value for name, value in headers if name.lower() == wanted.lower()]
