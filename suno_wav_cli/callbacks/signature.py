"""The signature of `kie`'s callbacks (api/README.md, section 5). It does not cover the body."""

from __future__ import annotations

import base64
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.signature_mistakes import find_mistakes

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


@dataclass(frozen=True, kw_only=True)
class SignatureCheck:
    """A signature, and what is wrong with it, as far as that can be told.

    `signed_text` and `expected` are what the service would have signed, and its signature.
    """

    signature: Signature
    mistakes: tuple[str, ...] = ()
    signed_text: str | None = None
    expected: str | None = None
    received: str | None = None


def sign(key: Secret, task_id: str, timestamp: int | str) -> str:
    """Sign a task id. `timestamp` is in Unix seconds."""
    # JSON texts may hold any bytes.
    text = f"{task_id}.{timestamp}".encode("utf-8", "surrogatepass")
    return base64.b64encode(hmac.digest(_key_bytes(key), text, "sha256")).decode("ascii")


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


def check_signature(
    key: Secret, task_id: str | None, headers: Sequence[tuple[str, str]], body: bytes, now: float
) -> SignatureCheck:
    """Verify a delivery as `verify` does, and say what is wrong with its signature."""
    signature = verify(key, task_id, headers, now)
    timestamps, signatures = _values(headers, TIMESTAMP_HEADER), _values(headers, SIGNATURE_HEADER)
    names = (TIMESTAMP_HEADER, timestamps), (SIGNATURE_HEADER, signatures)
    mistakes = tuple(f"{name} is missing" for name, values in names if not values)
    mistakes += tuple(f"{name} is there {len(values)} times" for name, values in names if len(values) > 1)
    if mistakes or task_id is None:
        nameless = () if task_id is not None else ("the body names no task, and its id is what is signed",)
        return SignatureCheck(signature=signature, mistakes=mistakes + nameless)
    (timestamp,), (received,) = timestamps, signatures
    match signature:
        case Signature.INVALID:
            mistakes = find_mistakes(_key_bytes(key), task_id, timestamp, received, body)
        case Signature.OLD:
            mistakes = (f"signed {now - int(timestamp):,.0f} s before it came",)
        case Signature.FUTURE:
            mistakes = (f"signed {int(timestamp) - now:,.0f} s after it came",)
        case _:
            pass
    return SignatureCheck(
        signature=signature,
        mistakes=mistakes,
        signed_text=f"{task_id}.{timestamp}",
        expected=sign(key, task_id, timestamp),
        received=received,
    )


def _key_bytes(key: Secret) -> bytes:
    # The environment may hold any bytes.
    return key.value.encode("utf-8", "surrogateescape")


def _values(headers: Sequence[tuple[str, str]], wanted: str) -> list[str]:
    return [value for name, value in headers if name.lower() == wanted.lower()]
