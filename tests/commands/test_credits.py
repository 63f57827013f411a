"""What is left, what a plan costs, and that nothing is begun that costs too much: in exact decimals."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import Response

from suno_wav_cli.api.envelope import read_envelope
from suno_wav_cli.api.pricing import count_wavs, format_credits, price_of
from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.api.values import read_amount
from suno_wav_cli.errors import ServiceUnavailable
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.api.test_client import ask
from tests.support.program import Sandbox, run_program
from tests.support.wild import PAGE
from tests.support.wild import envelope as answered

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterator

    from suno_wav_cli.api.client import Client
    from tests.support.wild import Seen, Wild


@contextmanager
def account(credits_left: int) -> Iterator[Sandbox]:
    with bind_socket(0) as bound, run_sandbox(bound, speed=20, credits_left=credits_left):
        yield Sandbox(base_url=address_of(bound))


@pytest.fixture(scope="module")
def poor() -> Iterator[Sandbox]:
    """An account with one credit, which two songs and a half can be paid with."""
    with account(1) as sandbox:
        yield sandbox


def credit_lookups(wild: Wild) -> int:
    return sum(seen.path == SUNOAPI.credit_path for seen in wild.seen)


def read(data: str) -> Decimal | None:
    found = read_envelope(f'{{"code": 200, "data": {data}}}'.encode())
    assert found is not None
    return read_amount(found.data)


# The balance


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param("12.4", "12.4", id="a number"),
        pytest.param("12", "12", id="an integer"),
        pytest.param("0", "0", id="nothing left"),
        pytest.param("-0.4", "-0.4", id="less than nothing"),
        pytest.param('"12.4"', "12.4", id="text"),
        pytest.param('" 12 "', "12", id="text with blanks"),
        pytest.param("1.24e1", "12.4", id="an exponent"),
        pytest.param("0.1", "0.1", id="a tenth, which binary has not"),
        pytest.param("0.30000000000000004", "0.3", id="computed in binary"),
        pytest.param("99.60000000000001", "99.6", id="computed in binary, two digits"),
        pytest.param("0.39999999999999997", "0.4", id="a little less than the price"),
        pytest.param("1E-200", "0", id="next to nothing"),
        pytest.param("1E-400", None, id="less than a float holds"),
        pytest.param("999999999999999", "999999999999999", id="the most"),
        pytest.param("null", None, id="null"),
        pytest.param("true", None, id="a truth value"),
        pytest.param("[12.4]", None, id="a list"),
        pytest.param('{"credits": 12.4}', None, id="an object"),
        pytest.param('"plenty"', None, id="a word"),
        pytest.param('"1e3"', None, id="an exponent in text"),
        pytest.param('""', None, id="empty text"),
        pytest.param("NaN", None, id="not a number"),
        pytest.param("Infinity", None, id="no end"),
        pytest.param("1e400", None, id="more than a float holds"),
        pytest.param("1e" + "9" * 30, None, id="more than a decimal holds"),
        pytest.param("1000000000000000", None, id="more than there is"),
    ],
)
def test_a_balance_is_read_exactly_or_not_at_all(data: str, expected: str | None) -> None:
    assert read(data) == (None if expected is None else Decimal(expected))


@given(st.decimals(min_value=-(10**8), max_value=10**8, places=4))
def test_an_amount_is_the_same_in_the_answer_on_the_screen_and_in_json(amount: Decimal) -> None:
    found = read(f"{amount:f}")
    assert found == amount
    assert Decimal(format_credits(found)) == amount
    assert "e" not in format_credits(found).lower()
    as_json = int(found) if found == int(found) else float(found)
    assert Decimal(json.dumps(as_json)) == amount


@pytest.mark.long
@given(st.integers(min_value=0, max_value=10**6))
def test_a_price_pays_for_exactly_that_many(count: int) -> None:
    assert count_wavs(price_of(count)) == count
    assert count_wavs(price_of(count) + Decimal("0.3999")) == count
    assert count_wavs(-price_of(count)) == 0


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.long
@given(data=_ANYTHING)
def test_any_answer_is_an_amount_or_one_of_our_errors(wild_server: Wild, data: object) -> None:
    wild_server.answer = lambda _: answered(data=data)

    def balance(client: Client) -> Awaitable[object]:
        return client.fetch_credits()

    found = ask(wild_server.address, balance)
    assert isinstance(found, Decimal | ServiceUnavailable)


def test_credits_prints_the_number_and_nothing_else(poor: Sandbox) -> None:
    done = poor.run("credits")
    assert (done.code, done.out) == (0, "1\n")
    assert done.err == "suno-wav: enough for 2 WAVs, at 0.4 credits each\n"


def test_credits_as_json(poor: Sandbox) -> None:
    done = poor.run("credits", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.out == '{"event": "balance", "credits": 1, "wavs": 2, "price_each": 0.4}\n'


def test_what_was_computed_in_binary_is_shown_as_it_was_meant(wild_server: Wild) -> None:
    wild_server.answer = lambda _: Response('{"code": 200, "data": 0.30000000000000004}')
    env = {"SUNO_API_KEY": "key-1", "SUNO_WAV_BASE_URL": wild_server.address}
    assert run_program("credits", env=env).out == "0.3\n"
    assert run_program("credits", "--json", env=env).events[0]["credits"] == 0.3


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        pytest.param(answered(401, "no"), 3, "the service refused the API key", id="a wrong key"),
        pytest.param(answered(404, "no"), 6, "the service does not tell the balance", id="no such path"),
        pytest.param(answered(data="plenty"), 6, "is not a balance", id="not a number"),
        pytest.param(answered(455, "soon"), 6, "in maintenance", id="maintenance"),
        pytest.param(Response(PAGE, 404), 7, "is not the API", id="a page"),
    ],
)
def test_why_there_is_no_balance_is_said(wild_server: Wild, answer: Response, code: int, said: str) -> None:
    wild_server.answer = lambda _: answer
    env = {"SUNO_API_KEY": "key-1", "SUNO_WAV_BASE_URL": wild_server.address, "SUNO_WAV_RETRIES": "0"}
    done = run_program("credits", env=env)
    assert (done.code, done.out, said in done.err) == (code, "", True), done.err


# The plan


def journal_states(folder: str = "") -> list[tuple[str, str]]:
    path = Path(folder or os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"
    with closing(sqlite3.connect(path)) as journal:
        return sorted(journal.execute("SELECT audio_id, state FROM conversion"))


@pytest.mark.long
def test_a_dry_run_shows_the_plan_and_its_price_and_does_nothing(sandbox: Sandbox) -> None:
    """One song is there, one was paid for and is continued, one has an unknown outcome, and two would be paid for."""
    there, continued, unknown = "demo+plan1", "demo+plan2", "demo-lost+plan3"
    sandbox.run("convert", there)
    sandbox.run("convert", continued, "--no-wait")
    sandbox.run("convert", unknown)
    before = journal_states()
    done = sandbox.run(
        "convert", there, continued, unknown, "demo+plan4", "demo+plan5", "--dry-run", "--tunnel", "ngrok"
    )
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "there    demo+plan1 -> demo+plan1.wav",
        "continue demo+plan2 -> demo+plan2.wav",
        "unknown  demo-lost+plan3 -> demo-lost+plan3.wav",
        "submit   demo+plan4 -> demo+plan4.wav (0.4 credits)",
        "submit   demo+plan5 -> demo+plan5.wav (0.4 credits)",
    ]
    assert done.err.startswith("suno-wav: 2 songs to be paid for, 0.8 credits; the balance is ")
    assert journal_states() == before
    assert [sandbox.counted("submissions", f"demo+plan{number}") for number in (4, 5)] == [0, 0]


@pytest.mark.long
def test_the_plan_of_a_resubmission_has_its_price(sandbox: Sandbox) -> None:
    sandbox.run("convert", "demo+planned-again")
    done = sandbox.run("convert", "demo+planned-again", "--resubmit", "-n", "--force", "--json")
    (planned,), (quoted,) = done.named("planned"), done.named("quoted")
    assert (planned["action"], planned["price"]) == ("submit", 0.4)
    assert (quoted["submissions"], quoted["price"], quoted["refusal"]) == (1, 0.4, None)


@pytest.mark.long
def test_a_dry_run_works_offline_and_without_a_key_and_leaves_nothing() -> None:
    done = run_program("convert", "a", "b", "c", "--dry-run")
    assert (done.code, len(done.out.splitlines())) == (0, 3)
    assert done.err == (
        "suno-wav: a, b, c are not UUIDs, as the ids of songs are\n"
        "suno-wav: 3 songs to be paid for, 1.2 credits; the balance is unknown (there is no API key)\n"
    )
    offline = {"SUNO_API_KEY": "key-1", "SUNO_WAV_BASE_URL": "http://127.0.0.1:9"}
    done = run_program("convert", "a", "--dry-run", env=offline)
    assert (done.code, "the balance is unknown (the service cannot be reached" in done.err) == (0, True)
    assert [*Path().iterdir()] == []
    assert not Path(os.environ["SUNO_WAV_HOME"]).exists()


def test_a_dry_run_with_a_wrong_key_says_so_and_shows_the_price(wild_server: Wild) -> None:
    wild_server.answer = lambda _: answered(401, "no")
    done = run_program(
        "convert", "a", "-n", env={"SUNO_API_KEY": "key-1", "SUNO_WAV_BASE_URL": wild_server.address}
    )
    assert (done.code, "0.4 credits; the balance is unknown (the service refused" in done.err) == (0, True)


def test_a_dry_run_finds_what_would_stop_the_run(sandbox: Sandbox) -> None:
    Path("demo+stop.wav").write_text("mine")
    assert sandbox.run("convert", "demo+stop", "--dry-run").code == 10


def test_a_dry_run_tells_that_it_would_cost_too_much(poor: Sandbox) -> None:
    done = poor.run("convert", "demo+a", "demo+b", "demo+c", "--dry-run")
    assert (done.code, len(done.out.splitlines())) == (4, 3)
    assert "3 songs to be paid for, 1.2 credits; the balance is 1\n" in done.err
    assert "error: this would cost 1.2 credits, and the balance is 1\n" in done.err


def test_a_dry_run_tells_that_it_would_exceed_what_is_allowed() -> None:
    done = run_program("convert", "a", "b", "-n", "--max-credits", "0.4")
    assert (done.code, "error: this would cost 0.8 credits, and --max-credits allows 0.4\n" in done.err) == (
        4,
        True,
    )


# The limits


def test_a_batch_that_the_balance_does_not_cover_is_not_begun(poor: Sandbox) -> None:
    songs = ["demo+batch1", "demo+batch2", "demo+batch3"]
    done = poor.run("convert", *songs)
    assert (done.code, done.out) == (4, "")
    assert done.err.endswith(
        "error: this would cost 1.2 credits, and the balance is 1\n"
        "  Nothing was submitted. At 0.4 each, it is enough for 2 songs. Convert fewer, or top up at your provider.\n"
    )
    assert [poor.counted("submissions", song) for song in songs] == [0, 0, 0]
    assert journal_states() == []


@pytest.mark.long
def test_the_last_credits_can_be_spent_to_the_last_tenth() -> None:
    """Five songs cost exactly two credits; with floats they would cost a little more or less."""
    with account(2) as exact:
        done = exact.run("convert", *(f"demo+{number}" for number in range(5)))
        assert (done.code, exact.run("credits").out) == (0, "0\n")


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("cap", ["0", "0.7", "0.799999"])
def test_max_credits_refuses_before_anything_is_submitted(sandbox: Sandbox, cap: str) -> None:
    songs = [f"demo+cap1-{cap}", f"demo+cap2-{cap}"]
    done = sandbox.run("convert", *songs, "--max-credits", cap)
    assert (done.code, done.out) == (4, "")
    assert f"this would cost 0.8 credits, and --max-credits allows {cap}\n" in done.err
    assert ("A song costs 0.4; raise" if cap == "0" else "enough for 1 song. Convert fewer") in done.err
    assert [sandbox.counted("submissions", song) for song in songs] == [0, 0]


@pytest.mark.long
def test_max_credits_lets_pass_what_costs_exactly_that(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "demo+fit1", "demo+fit2", "--max-credits", "0.8").code == 0
    assert sandbox.run("convert", "demo+fit3", env={"SUNO_WAV_MAX_CREDITS": "0.3"}).code == 4


@pytest.mark.long
def test_what_is_not_paid_for_counts_for_nothing(sandbox: Sandbox) -> None:
    """A song that is there and one that is continued pass a limit of nothing; the same, submitted again, do not."""
    sandbox.run("convert", "demo+free1")
    sandbox.run("convert", "demo+free2", "--no-wait")
    free = ("convert", "demo+free1", "demo+free2", "--max-credits", "0")
    assert sandbox.run(*free, "--resubmit", "--force").code == 4
    assert sandbox.run(*free).code == 0
    assert [sandbox.counted("submissions", f"demo+free{number}") for number in (1, 2)] == [1, 1]


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("text", ["-1", "1e3", "a", "0.1234567", "nan", "1,5", "10000000000"])
def test_what_is_no_amount_is_wrong_usage(text: str) -> None:
    done = run_program("convert", "a", f"--max-credits={text}")
    assert (done.code, f"--max-credits: '{text}' is not an amount of credits" in done.err) == (2, True)


def good_but_for_credits(wild: Wild, answer: Response) -> dict[str, str]:
    wild.seen.clear()
    wild.serves()
    good = wild.answer
    # Every song has a task of its own.
    tasks = (hashlib.md5(str(number).encode()).hexdigest() for number in range(99))  # noqa: S324 - an id, no secret

    def answers(seen: Seen) -> Response:
        if seen.path == SUNOAPI.credit_path:
            return answer
        return answered(data={"taskId": next(tasks)}) if seen.path == SUNOAPI.submit_path else good(seen)

    wild.answer = answers
    return {"SUNO_API_KEY": "key-1"}


@pytest.mark.long
@pytest.mark.parametrize("more", [(), ("--max-credits", "0.8")])
def test_a_batch_whose_balance_cannot_be_had_goes_on_and_says_so(
    wild_server: Wild, more: tuple[str, ...]
) -> None:
    env = good_but_for_credits(wild_server, answered(404, "no"))
    done = wild_server.run("convert", "one", "two", *more, env=env)
    assert (done.code, sorted(done.out.split())) == (0, ["one.wav", "two.wav"])
    assert "0.8 credits; the balance is unknown (the service does not tell the balance)\n" in done.err
    assert credit_lookups(wild_server) == 1


def test_a_batch_with_a_wrong_key_is_not_begun(wild_server: Wild) -> None:
    env = good_but_for_credits(wild_server, answered(401, "no"))
    done = wild_server.run("convert", "one", "two", env=env)
    assert (done.code, wild_server.methods) == (3, ["GET"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "lookups"),
    [
        pytest.param(["one"], 0, id="one song is not held up"),
        pytest.param(["one", "--max-credits", "1"], 1, id="unless there is a limit"),
        pytest.param(["one", "two", "three"], 1, id="a batch asks once"),
    ],
)
def test_how_often_the_balance_is_asked_for(wild_server: Wild, arguments: list[str], lookups: int) -> None:
    env = good_but_for_credits(wild_server, answered(data=100))
    assert wild_server.run("convert", *arguments, env=env).code == 0
    assert credit_lookups(wild_server) == lookups


@pytest.mark.long
def test_max_credits_holds_against_what_another_program_does_meanwhile(wild_server: Wild) -> None:
    """A song that was to be continued is refused, in another program's hands, after the plan was made: it would now cost too."""
    env = good_but_for_credits(wild_server, answered(data=100))
    good = wild_server.answer
    assert wild_server.run("convert", "two", "--no-wait", env=env).code == 0

    def answer_late(seen: Seen) -> Response:
        if seen.path == SUNOAPI.credit_path:
            path = Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"
            with closing(sqlite3.connect(path)) as journal, journal:
                journal.execute("UPDATE conversion SET state = 'refused', wav_task_id = NULL")
        return good(seen)

    wild_server.answer, before = answer_late, wild_server.methods.count("POST")
    done = wild_server.run("convert", "one", "two", "--max-credits", "0.4", env=env)
    assert (done.code, len(done.out.splitlines()), wild_server.methods.count("POST") - before) == (5, 1, 1)
    assert "to pay for this song too would exceed --max-credits" in done.err
