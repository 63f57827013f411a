"""What codes mean: by the provider's own table, its siblings', and the words beside them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.api.envelope import Envelope
from suno_wav_cli.api.meaning import read_lookup_meaning, read_meaning, read_payment_meaning
from suno_wav_cli.api.providers import KIE, KIE_JOBS, SUNOAPI, Meaning, Provider

REFUNDED = "Generation failed, credits refunded"


def answer(code: int, message: str = "") -> Envelope:
    return Envelope(code=code, message=message, words=message.lower(), data=None, top={})


@pytest.mark.parametrize(
    ("code", "sunoapi", "kie"),
    [
        pytest.param(402, Meaning.NO_CREDITS, Meaning.NO_CREDITS, id="402"),
        pytest.param(403, Meaning.UNAUTHORIZED, Meaning.UNAUTHORIZED, id="403"),
        pytest.param(405, Meaning.BUSY, Meaning.BUSY, id="405"),
        pytest.param(413, Meaning.INVALID, Meaning.INVALID, id="413"),
        pytest.param(422, Meaning.UNKNOWN_TASK, Meaning.UNKNOWN_TASK, id="422"),
        pytest.param(429, Meaning.NO_CREDITS, Meaning.BUSY, id="429, which each has in its own table"),
        pytest.param(430, Meaning.BUSY, Meaning.BUSY, id="430"),
        pytest.param(433, Meaning.KEY_CAP, Meaning.KEY_CAP, id="433"),
        pytest.param(505, Meaning.DISABLED, Meaning.DISABLED, id="505"),
        pytest.param(531, Meaning.FAILED, Meaning.FAILED, id="531"),
        pytest.param(418, Meaning.INVALID, Meaning.INVALID, id="418, which no table has"),
        pytest.param(599, Meaning.SERVER_ERROR, Meaning.SERVER_ERROR, id="599, which no table has"),
    ],
)
def test_what_one_table_lacks_its_siblings_know(code: int, sunoapi: Meaning, kie: Meaning) -> None:
    assert [read_meaning(answer(code), provider) for provider in (SUNOAPI, KIE, KIE_JOBS)] == [
        sunoapi,
        kie,
        kie,
    ]


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        pytest.param(460, "Insufficient credits", Meaning.NO_CREDITS, id="no credits"),
        pytest.param(460, "Your balance is insufficient", Meaning.NO_CREDITS, id="no balance"),
        pytest.param(460, "Too Many Requests", Meaning.BUSY, id="busy"),
        pytest.param(460, "Rate limit exceeded", Meaning.BUSY, id="a rate"),
        pytest.param(460, "System under maintenance", Meaning.MAINTENANCE, id="maintenance"),
        pytest.param(460, REFUNDED, Meaning.FAILED, id="refunded"),
        pytest.param(400, "Insufficient credits", Meaning.INVALID, id="a code in the table"),
        pytest.param(200, "Insufficient credits", Meaning.SUCCESS, id="success"),
    ],
)
def test_words_decide_about_a_code_that_no_table_has(code: int, message: str, expected: Meaning) -> None:
    assert read_meaning(answer(code, message), SUNOAPI) is expected


@pytest.mark.parametrize("provider", [SUNOAPI, KIE, KIE_JOBS], ids=lambda provider: provider.name)
@pytest.mark.parametrize(
    ("code", "message", "not_there"),
    [
        pytest.param(404, "", True, id="404"),
        pytest.param(422, "", True, id="422"),
        pytest.param(500, "recordInfo is null", True, id="500 in words"),
        pytest.param(400, "The task does not exist", True, id="400 in words"),
        pytest.param(0, "record is null", True, id="0 in words"),
        pytest.param(401, "This user does not exist", False, id="401"),
        pytest.param(455, "It does not exist", False, id="maintenance"),
        pytest.param(501, "The audio does not exist", False, id="a failure"),
        pytest.param(500, "Server error", False, id="other words"),
    ],
)
def test_a_lookup_may_say_in_words_that_nothing_is_there(
    provider: Provider, code: int, message: str, not_there: bool
) -> None:
    meaning = read_lookup_meaning(answer(code, message), provider)
    assert (meaning is Meaning.UNKNOWN_TASK) is not_there


@given(
    code=st.one_of(st.integers(500, 999), st.sampled_from([0, -1, 201, 302, 408, 499])),
    message=st.sampled_from(
        ["Too many requests", "maintenance", "Insufficient credits", REFUNDED, "not found", ""]
    ),
    provider=st.sampled_from([SUNOAPI, KIE, KIE_JOBS]),
)
def test_words_never_make_an_unknown_payment_known(code: int, message: str, provider: Provider) -> None:
    expected = provider.codes.get(code, Meaning.SERVER_ERROR)
    assert read_payment_meaning(answer(code, message), provider) is expected


@given(message=st.text(), provider=st.sampled_from([SUNOAPI, KIE, KIE_JOBS]))
def test_no_words_outweigh_success(message: str, provider: Provider) -> None:
    assert read_payment_meaning(answer(200, message), provider) is Meaning.SUCCESS
