"""What an API may send that no program must use: numbers of a million digits, cookies, passwords in addresses."""

from __future__ import annotations

import json
import time
from decimal import Decimal

import pytest
from starlette.responses import Response

from suno_wav_cli.api.addresses import find_url
from suno_wav_cli.api.records import read_record
from suno_wav_cli.api.values import (
    find_id,
    parse_json,
    read_amount,
    read_epoch,
    read_seconds,
    read_text,
    read_time,
)
from tests.support.wild import TASK, Wild, envelope

NUMBERS = [
    "1e1000000",
    "-1e1000000",
    "1e-1000000",
    "1e999999999999999999999",
    "1.5e999999",
    "1e302",
    "0e1000000",
    "0." + "1" * 100_000,
    "1" * 4000,
    "1" * 100_000,
    "-" + "9" * 5000,
    "NaN",
    "Infinity",
]
shown = [number if len(number) < 30 else f"{number[:9]}… ({len(number)})" for number in NUMBERS]


@pytest.mark.parametrize("number", NUMBERS, ids=shown)
def test_a_number_without_measure_is_none(number: str) -> None:
    began = time.thread_time()
    value = parse_json(f'{{"a": {number}}}')["a"]
    assert read_amount(value) is None
    assert [read_seconds(value), read_epoch(value), read_time(value), find_id(value)] == [None] * 4
    assert len(read_text(value) or "") <= 500
    assert time.thread_time() - began < 1


@pytest.mark.parametrize("number", NUMBERS, ids=shown)
def test_a_record_with_such_numbers_is_read_and_printed(number: str) -> None:
    names = ("creditsConsumed", "createTime", "completeTime", "musicId", "errorCode", "successFlag", "other")
    data = parse_json("{" + ", ".join(f'"{name}": {number}' for name in names) + "}")
    record = read_record(TASK, data)
    assert (record.credits, record.completed, record.audio_id) == (None, None, None)
    assert json.loads(json.dumps(record.raw, allow_nan=False)) == record.raw


@pytest.mark.parametrize("text", ["0.4", "12.40", "1e3", "1E-9", "999999999999999"])
def test_amounts_that_services_mean_are_kept(text: str) -> None:
    assert read_amount(parse_json(text)) == Decimal(text)


def test_a_balance_without_measure_is_told(wild: Wild) -> None:
    content = '{"code": 200, "msg": "success", "data": 1e1000000}'
    wild.answer = lambda _: Response(content, media_type="application/json")
    done = wild.run("credits")
    assert (done.code, done.err.splitlines()[0]) == (6, "error: the service's answer is not a balance")


@pytest.mark.long
def test_a_code_without_measure_is_no_envelope(wild: Wild) -> None:
    wild.answer = lambda _: Response('{"code": 1e1000000, "msg": "success"}', media_type="application/json")
    assert wild.run("credits").code == 6


@pytest.mark.long
def test_cookies_do_not_pile_up(wild: Wild) -> None:
    """Each answer could add to what every later request sends."""
    good = wild.answer

    def answer(seen: object) -> Response:
        response = good(seen) if len(wild.seen) > 3 else envelope(data=None)  # type: ignore[arg-type]
        response.set_cookie(f"cookie{len(wild.seen)}", "a" * 3000)
        return response

    wild.answer = answer
    assert wild.run("status", TASK, "--wait").code == 0
    assert len(wild.seen) > 3
    assert [seen.headers.get("cookie") for seen in wild.seen] == [None] * len(wild.seen)


@pytest.mark.parametrize("user", ["me", "me:sesame", "", ":sesame", "me%40a:b"])
def test_a_files_address_with_a_user_or_a_password_is_not_used(user: str) -> None:
    url = f"https://{user}@cdn.example/song.wav"
    record = read_record(TASK, {"response": {"audioWavUrl": url}})
    assert (record.url, record.unusable_url) == (None, "https://(hidden)@cdn.example/song.wav")
    assert find_url(url, "https://cdn.example/@a:b@c.wav") == "https://cdn.example/@a:b@c.wav"
