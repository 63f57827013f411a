"""Which usual mistake explains a signature that differs from the expected one.

A sender (or the author of another receiver's check) has signed something, and the digest tells what.
Only one deviation in what was signed is looked for, beside any in how the digest is written: a
delivery of a stranger costs some twenty short digests and no more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_SIGNATURE = 300
_MAX_OTHER_IDS = 8
_MAX_ID = 200

_PREFIX = re.compile(r"(?:hmac-?)?(?:sha-?(?:1|256|512)|v1|base64|hex)[=:]\s*", re.IGNORECASE)
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})+")
_LENGTHS = frozenset(hashlib.new(name).digest_size for name in ("sha1", "sha256", "sha512"))

_MILLISECONDS = re.compile(r"[1-9][0-9]{12}")
_FRACTION = re.compile(r"([1-9][0-9]{0,11})[.,][0-9]+")


def find_mistakes(key: bytes, task_id: str, timestamp: str, received: str, body: bytes) -> tuple[str, ...]:
    """Return what was done otherwise than the service does it, if that explains the signature.

    `timestamp` and `received` are the two headers' values.
    """
    unit = _explain_timestamp(timestamp)
    for digest, writing in _read_digests(received):
        for expected, signing in _expected_digests(key, task_id, timestamp, body):
            if hmac.compare_digest(digest, expected):
                return tuple(text for text in (writing, signing, unit) if text is not None)
    return () if unit is None else (unit,)


def _explain_timestamp(timestamp: str) -> str | None:
    if _MILLISECONDS.fullmatch(timestamp):
        return "the timestamp is in milliseconds, not in seconds"
    if _FRACTION.fullmatch(timestamp):
        return "the timestamp has a fraction, and should be whole seconds"
    if not timestamp.isascii() or not timestamp.isdigit():
        return "the timestamp is not a number of seconds"
    if timestamp.startswith("0") and timestamp != "0":
        return "the timestamp begins with a zero"
    return None


def _read_digests(received: str) -> Iterator[tuple[bytes, str | None]]:
    """Yield what a signature may be, and how its writing differs from base64."""
    if len(received) > _MAX_SIGNATURE or not received.isascii():
        return
    text = received.strip().strip("\"'")
    quoted = "it is in quotes" if text != received.strip() else None
    prefix = _PREFIX.match(text)
    begins = f"it begins with `{prefix[0].strip()}`" if prefix else None
    text = text[prefix.end() :] if prefix else text

    def note(*words: str | None) -> str | None:
        return " and ".join(word for word in (quoted, begins, *words) if word) or None

    if _HEX.fullmatch(text) and len(text) // 2 in _LENGTHS:
        yield bytes.fromhex(text), note("it is written in hex, not in base64")
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    alphabet = "it is in base64 for addresses (- and _)" if re.search(r"[-_]", text) else None
    padding = "it lacks the = at its end" if padded != text else None
    with suppress(binascii.Error):
        digest = base64.b64decode(padded.translate(str.maketrans("-_", "+/")), validate=True)
        inner = digest.decode("latin-1")
        if _HEX.fullmatch(inner) and len(inner) // 2 in _LENGTHS:
            yield bytes.fromhex(inner), note("the digest was written in hex before base64")
        yield digest, note(alphabet, padding)


def _expected_digests(
    key: bytes, task_id: str, timestamp: str, body: bytes
) -> Iterator[tuple[bytes, str | None]]:
    """Yield digests, and what is otherwise in what was signed. The first one is the service's own."""
    signed = _encode(f"{task_id}.{timestamp}")
    yield hmac.digest(key, signed, "sha256"), None
    for words, text in _other_texts(task_id, timestamp, body):
        yield hmac.digest(key, text, "sha256"), words
    for words, other in _other_keys(key):
        yield hmac.digest(other, signed, "sha256"), words
    for name, words in (("sha1", "SHA-1"), ("sha512", "SHA-512")):
        yield hmac.digest(key, signed, name), f"it was made with {words}, not with SHA-256"
    yield hmac.digest(signed, key, "sha256"), "key and text were swapped"
    for plain in (key + signed, signed + key, key + b"." + signed, signed):
        yield hashlib.sha256(plain).digest(), "it is a plain SHA-256, not an HMAC"


def _other_texts(task_id: str, timestamp: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    yield "the body was signed, not the task id and the timestamp", body
    for parts in ((timestamp, body), (task_id, timestamp, body)):
        text = b".".join(_encode(part) if isinstance(part, str) else part for part in parts)
        yield "the body was signed too", text
    yield "the timestamp was signed before the task id", _encode(f"{timestamp}.{task_id}")
    yield "the timestamp was not signed", _encode(task_id)
    yield "the task id was not signed", _encode(timestamp)
    for separator in ("", ":", "|", "\n", ","):
        yield "the dot between task id and timestamp is missing", _encode(f"{task_id}{separator}{timestamp}")
    for end in ("\n", "\r\n", "."):
        yield "the signed text has something behind it", _encode(f"{task_id}.{timestamp}{end}")
    for other in _other_timestamps(timestamp):
        yield "another unit of the timestamp was signed than was sent", _encode(f"{task_id}.{other}")
    for other in _other_ids(task_id, body):
        yield f"another id was signed: {other}", _encode(f"{other}.{timestamp}")


def _other_timestamps(timestamp: str) -> Iterator[str]:
    if _MILLISECONDS.fullmatch(timestamp):
        yield timestamp[:-3]
    fraction = _FRACTION.fullmatch(timestamp)
    if fraction:
        yield fraction[1]
    if timestamp.isascii() and timestamp.isdigit():
        yield f"{timestamp}000"
        yield f"{timestamp}.0"


def _other_ids(task_id: str, body: bytes) -> list[str]:
    """Return the body's other texts that may be ids, and the same id in other capitals."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    places = [content, *content.values()] if isinstance(content, dict) else []
    values: list[Any] = [value for place in places if isinstance(place, dict) for value in place.values()]
    texts = [value for value in values if isinstance(value, str) and 0 < len(value) <= _MAX_ID]
    ids = [text for text in texts if text.isprintable() and " " not in text]
    others = [*ids[:_MAX_OTHER_IDS], task_id.lower(), task_id.upper(), f" {task_id}", f"{task_id} "]
    return [text for text in others if text != task_id]


def _other_keys(key: bytes) -> Iterator[tuple[str, bytes]]:
    yield "the sender's key ends in a newline", key + b"\n"
    yield "the sender's key ends in a newline", key + b"\r\n"
    if key != key.strip():
        yield "the key in your settings has a space or newline around it", key.strip()
    for quote in (b'"', b"'"):
        yield "the sender's key has quotes around it", quote + key + quote
    with suppress(binascii.Error):
        yield "the sender has decoded the key from base64", base64.b64decode(key, validate=True)
    with suppress(ValueError):
        yield "the sender has decoded the key from hex", bytes.fromhex(key.decode("ascii", "replace"))
    yield "the sender has written the key in base64 first", base64.b64encode(key)
    yield "the sender has hashed the key first", hashlib.sha256(key).digest()


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
