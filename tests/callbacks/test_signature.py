"""The signature of callbacks, held against a computation of its own."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.callbacks.signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    Signature,
    sign,
    signed_headers,
    verify,
)
from suno_wav_cli.models import Secret

KEY = Secret(value="whsec-sésame-öffne-dich")
TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"
NOW = 1_735_689_600
SIGNED = signed_headers(KEY, TASK, NOW)


def with_value(name: str, value: str) -> list[tuple[str, str]]:
    return [(header, value if header == name else old) for header, old in SIGNED]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_openssl_computes_the_same_signature() -> None:
    """base64(HMAC-SHA256(key, task_id + "." + timestamp)), as it is documented."""
    key = f"hexkey:{KEY.value.encode().hex()}"
    done = subprocess.run(
        ["sh", "-c", f"openssl dgst -sha256 -mac HMAC -macopt {key} -binary | openssl base64 -A"],
        input=f"{TASK}.{NOW}",
        capture_output=True,
        text=True,
        check=True,
    )
    assert sign(KEY, TASK, NOW) == done.stdout


def test_a_known_signature() -> None:
    """Computed elsewhere, so that it holds where openssl is not."""
    assert sign(Secret(value="key"), "task", 1) == "LMBUAk8u/mMFI/cDDmS3WVHWBYJCmzgpv7yI/ft6nzE="


def test_header_names_are_case_insensitive() -> None:
    for names in (str.lower, str.upper, str):
        assert verify(KEY, TASK, [(names(name), value) for name, value in SIGNED], NOW) is Signature.VALID


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        pytest.param(NOW + 300, Signature.VALID, id="five minutes old"),
        pytest.param(NOW - 300, Signature.VALID, id="five minutes ahead"),
        pytest.param(NOW + 300.1, Signature.OLD, id="older"),
        pytest.param(NOW - 300.1, Signature.FUTURE, id="from the future"),
    ],
)
def test_valid_signature_of_another_time_is_told_from_an_invalid_one(now: float, verdict: Signature) -> None:
    assert verify(KEY, TASK, SIGNED, now) is verdict


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([], id="neither"),
        pytest.param([SIGNED[0]], id="only the timestamp"),
        pytest.param([SIGNED[1]], id="only the signature"),
        pytest.param([("Content-Type", "application/json")], id="others"),
    ],
)
def test_incomplete_signature_is_missing(headers: list[tuple[str, str]]) -> None:
    assert verify(KEY, TASK, headers, NOW) is Signature.MISSING
    assert verify(KEY, None, headers, NOW) is Signature.MISSING


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([*SIGNED, SIGNED[0]], id="the timestamp twice"),
        pytest.param([*SIGNED, (SIGNATURE_HEADER.lower(), SIGNED[1][1])], id="the signature twice"),
        pytest.param(with_value(TIMESTAMP_HEADER, ""), id="empty timestamp"),
        pytest.param(with_value(TIMESTAMP_HEADER, "soon"), id="timestamp not a number"),
        pytest.param(with_value(TIMESTAMP_HEADER, f"0{NOW}"), id="timestamp in another spelling"),
        pytest.param(with_value(TIMESTAMP_HEADER, f"{NOW}.0"), id="timestamp with a fraction"),
        pytest.param(with_value(TIMESTAMP_HEADER, "-1"), id="negative timestamp"),
        pytest.param(with_value(TIMESTAMP_HEADER, "٣"), id="digits that are not ASCII"),
        pytest.param(with_value(TIMESTAMP_HEADER, "9" * 100_000), id="absurdly long timestamp"),
        pytest.param(with_value(TIMESTAMP_HEADER, str(NOW + 1)), id="another timestamp"),
        pytest.param(with_value(SIGNATURE_HEADER, ""), id="empty signature"),
        pytest.param(with_value(SIGNATURE_HEADER, "not base64!"), id="signature not base64"),
        pytest.param(with_value(SIGNATURE_HEADER, "é\udcff"), id="signature not ASCII"),
        pytest.param(with_value(SIGNATURE_HEADER, "A" * 1_000_000), id="absurdly long signature"),
        pytest.param(with_value(SIGNATURE_HEADER, sign(Secret(value="other"), TASK, NOW)), id="another key"),
        pytest.param(with_value(SIGNATURE_HEADER, sign(KEY, "other", NOW)), id="another task"),
    ],
)
def test_malformed_headers_are_invalid(headers: list[tuple[str, str]]) -> None:
    assert verify(KEY, TASK, headers, NOW) is Signature.INVALID


def test_signature_without_a_task_is_invalid() -> None:
    assert verify(KEY, None, SIGNED, NOW) is Signature.INVALID


@given(
    task_id=st.none() | st.text(),
    headers=st.lists(
        st.tuples(st.sampled_from([TIMESTAMP_HEADER, SIGNATURE_HEADER.lower(), "Date"]), st.text()),
        max_size=4,
    ),
)
def test_arbitrary_headers_never_raise_and_are_never_valid(
    task_id: str | None, headers: list[tuple[str, str]]
) -> None:
    assert verify(KEY, task_id, headers, NOW) in (Signature.INVALID, Signature.MISSING)


@given(task_id=st.text(), timestamp=st.integers(0, 999_999_999_999))
def test_signed_headers_verify(task_id: str, timestamp: int) -> None:
    assert verify(KEY, task_id, signed_headers(KEY, task_id, timestamp), timestamp) is Signature.VALID
