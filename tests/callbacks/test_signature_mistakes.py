"""Each usual mistake in a signature is named, and a stranger's is not explained."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.callbacks.signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Signature,
    check_signature,
    sign,
)
from suno_wav_cli.models import Secret

KEY = Secret(value="whsec-sésame-öffne-dich")
RAW = KEY.value.encode()
TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"
OTHER = "e231eaf4-1b5c-4f6a-a6a5-0c0a3c1f4b11"
NOW = 1_735_689_600
BODY = json.dumps({"code": 200, "data": {"task_id": TASK, "audio_id": OTHER}}).encode()
TEXT = f"{TASK}.{NOW}".encode()


def digest(text: bytes = TEXT, key: bytes = RAW, name: str = "sha256") -> bytes:
    return hmac.digest(key, text, name)


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def explain(signature: str, timestamp: str = str(NOW), key: Secret = KEY) -> tuple[str, ...]:
    headers = ((TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature))
    check = check_signature(key, TASK, headers, BODY, NOW)
    assert check.signature is Signature.INVALID
    return check.mistakes


PLAIN = "it is a plain SHA-256, not an HMAC"
HEX = "it is written in hex, not in base64"

MISTAKES = {
    "the body": (b64(digest(BODY)), "the body was signed, not the task id and the timestamp"),
    "hex": (digest().hex(), HEX),
    "a prefix": (f"sha256={b64(digest())}", "it begins with `sha256=`"),
    "another id": (b64(digest(f"{OTHER}.{NOW}".encode())), f"another id was signed: {OTHER}"),
    "a newline behind the key": (b64(digest(key=RAW + b"\n")), "the sender's key ends in a newline"),
    "swapped": (b64(digest(f"{NOW}.{TASK}".encode())), "the timestamp was signed before the task id"),
    "no timestamp": (b64(digest(TASK.encode())), "the timestamp was not signed"),
    "no dot": (
        b64(digest(f"{TASK}{NOW}".encode())),
        "the dot between task id and timestamp is missing",
    ),
    "SHA-1": (b64(digest(name="sha1")), "it was made with SHA-1, not with SHA-256"),
    "no HMAC": (b64(hashlib.sha256(RAW + TEXT).digest()), PLAIN),
    "hex in base64": (b64(digest().hex().encode()), "the digest was written in hex before base64"),
    "milliseconds": (
        b64(digest(f"{TASK}.{NOW}000".encode())),
        "another unit of the timestamp was signed than was sent",
    ),
}
"""The twelve that are met most."""

NEIGHBOURS = {
    "hex in capitals": (digest().hex().upper(), HEX),
    "a prefix and hex": (f"sha256={digest().hex()}", f"it begins with `sha256=` and {HEX}"),
    "in quotes": (f'"{b64(digest())}"', "it is in quotes"),
    "a key in quotes": (b64(digest(key=b'"%b"' % RAW)), "the sender's key has quotes around it"),
    "the body and the time": (b64(digest(f"{NOW}.".encode() + BODY)), "the body was signed too"),
    "a newline behind the text": (b64(digest(TEXT + b"\n")), "the signed text has something behind it"),
    "key and text": (b64(digest(RAW, TEXT)), "key and text were swapped"),
    "no padding": (b64(digest()).rstrip("="), "it lacks the = at its end"),
    "SHA-512 in hex": (digest(name="sha512").hex(), HEX, "it was made with SHA-512, not with SHA-256"),
    "the body in hex": (digest(BODY).hex(), HEX, "the body was signed, not the task id and the timestamp"),
    "another capital": (
        b64(digest(f"{TASK.upper()}.{NOW}".encode())),
        f"another id was signed: {TASK.upper()}",
    ),
}


@pytest.mark.parametrize(
    ("signature", "words"),
    [pytest.param(case[0], case[1:], id=name) for name, case in (MISTAKES | NEIGHBOURS).items()],
)
def test_usual_mistakes_are_named(signature: str, words: tuple[str, ...]) -> None:
    assert explain(signature) == words


@pytest.mark.parametrize(
    ("timestamp", "signed", "words"),
    [
        (f"{NOW}123", f"{NOW}123", ("the timestamp is in milliseconds, not in seconds",)),
        (
            f"{NOW}123",
            str(NOW),
            (
                "another unit of the timestamp was signed than was sent",
                "the timestamp is in milliseconds, not in seconds",
            ),
        ),
        (f"{NOW}.5", f"{NOW}.5", ("the timestamp has a fraction, and should be whole seconds",)),
        ("soon", "soon", ("the timestamp is not a number of seconds",)),
        (f"0{NOW}", f"0{NOW}", ("the timestamp begins with a zero",)),
    ],
)
def test_timestamps_are_explained(timestamp: str, signed: str, words: tuple[str, ...]) -> None:
    assert explain(b64(digest(f"{TASK}.{signed}".encode())), timestamp) == words


@pytest.mark.parametrize(
    ("own", "used", "words"),
    [
        ("secret\n", b"secret", "the key in your settings has a space or newline around it"),
        (b64(b"12345678"), b"12345678", "the sender has decoded the key from base64"),
        ("00ff10", b"\x00\xff\x10", "the sender has decoded the key from hex"),
    ],
)
def test_differences_between_keys_are_named(own: str, used: bytes, words: str) -> None:
    assert explain(b64(digest(key=used)), key=Secret(value=own)) == (words,)


def test_signature_in_base64_for_addresses() -> None:
    stamp = next(stamp for stamp in range(NOW, NOW + 99) if "+" in b64(digest(f"{TASK}.{stamp}".encode())))
    written = base64.urlsafe_b64encode(digest(f"{TASK}.{stamp}".encode())).decode()
    assert explain(written, str(stamp)) == ("it is in base64 for addresses (- and _)",)


@pytest.mark.parametrize(
    ("headers", "task_id", "words"),
    [
        ([], TASK, "X-Webhook-Timestamp is missing"),
        ([(TIMESTAMP_HEADER, "1")], TASK, "X-Webhook-Signature is missing"),
        ([(TIMESTAMP_HEADER, "1")] * 2, TASK, "X-Webhook-Timestamp is there 2 times"),
        ([(TIMESTAMP_HEADER, "1"), (SIGNATURE_HEADER, "x")], None, "the body names no task"),
    ],
)
def test_what_is_missing_is_named(headers: list[tuple[str, str]], task_id: str | None, words: str) -> None:
    assert words in "; ".join(check_signature(KEY, task_id, headers, BODY, NOW).mistakes)


def test_age_is_named() -> None:
    headers = ((TIMESTAMP_HEADER, str(NOW)), (SIGNATURE_HEADER, sign(KEY, TASK, NOW)))
    assert check_signature(KEY, TASK, headers, BODY, NOW + 700).mistakes == ("signed 700 s before it came",)
    assert check_signature(KEY, TASK, headers, BODY, NOW - 700).mistakes == ("signed 700 s after it came",)
    assert check_signature(KEY, TASK, headers, BODY, NOW).mistakes == ()


@given(signature=st.text(), timestamp=st.text(), body=st.binary(), task_id=st.text())
def test_arbitrary_values_are_explained_without_an_error(
    signature: str, timestamp: str, body: bytes, task_id: str
) -> None:
    headers = ((TIMESTAMP_HEADER, timestamp), (SIGNATURE_HEADER, signature))
    check = check_signature(KEY, task_id, headers, body, NOW)
    assert check.signature is Signature.INVALID
    assert KEY.value not in repr(check)


def test_explaining_a_strangers_signature_is_cheap() -> None:
    """They may send many, with the largest body."""
    body = json.dumps({"data": {f"id-{number}": f"value-{number}" for number in range(2500)}}).encode()
    headers = ((TIMESTAMP_HEADER, str(NOW)), (SIGNATURE_HEADER, b64(digest(key=b"other"))))
    began = time.process_time()
    for _ in range(20):
        assert check_signature(KEY, TASK, headers, body, NOW).mistakes == ()
    assert (time.process_time() - began) / 20 < 0.05
