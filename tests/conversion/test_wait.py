"""Waiting for a task that is paid for: whatever a lookup is answered, the song is not given up."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from tests.support.quick_limits import WAIT_SPEED
from tests.support.wild import PAGE, TASK, TUNE_BYTES, envelope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.program import Finished
    from tests.support.wild import Seen, Wild

QUICK = {WAIT_SPEED: "600"}
"""A minute takes a tenth of a second."""

PENDING = {"successFlag": "PENDING"}
NOT_THERE = partial(envelope, 404, "no such task")
CODE_501 = partial(envelope, 501, "conversion failed")
KEY_REFUSED = partial(envelope, 401, "no access")

ODD: dict[str, Callable[[], Response]] = {
    "a challenge page": lambda: HTMLResponse(PAGE, 403),
    "a proxy's 404": lambda: HTMLResponse(PAGE, 404),
    "a redirect": lambda: RedirectResponse("https://example.com/login"),
    "an empty body": lambda: Response(b""),
    "no credits": partial(envelope, 402, "top up"),
    "busy": lambda: JSONResponse({"code": 429, "msg": "busy"}, 429, {"Retry-After": "1"}),
    "not there": NOT_THERE,
    "null": partial(envelope, 200, "success", None),
    "record is null": partial(envelope, 422, "recordInfo is null"),
    "a code of the conversion": CODE_501,
    "switched off": partial(envelope, 505, "disabled"),
    "an unlisted code": partial(envelope, 777, "what"),
}


def answer_lookups(wild: Wild, *script: Callable[[], Response], good: bool = True) -> None:
    """Answer lookups as the script says, and then with the file, or with the last one for ever."""
    wild.serves()
    rest, usual = list(script), wild.answer

    def answer(seen: Seen) -> Response:
        if seen.path != SUNOAPI.record_path or not rest:
            return usual(seen)
        return rest.pop(0)() if good or len(rest) > 1 else rest[0]()

    wild.answer = answer


def record(**fields: Any) -> Callable[[], Response]:
    return partial(envelope, data={"taskId": TASK} | fields)


def lookups(wild: Wild) -> int:
    return sum(seen.path == SUNOAPI.record_path for seen in wild.seen)


@contextmanager
def opened_journal() -> Iterator[Any]:
    with open_journal(journal_path(), Account(base_url="", provider="sunoapi", kept_days=15)) as journal:
        yield journal


def journal_path() -> Path:
    return Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"


def change_journal(statement: str, *values: object) -> None:
    with closing(sqlite3.connect(journal_path())) as raw, raw:
        raw.execute(statement, values)


def convert(wild: Wild, *arguments: str) -> Finished:
    return wild.run("convert", "song", "--out", "song.wav", *arguments, env=QUICK)


def resume(wild: Wild, *arguments: str) -> Finished:
    """Resume the song, which was submitted a moment ago."""
    wild.run("convert", "song", "--out", "song.wav", "--no-wait")
    return wild.run("resume", *arguments, env=QUICK)


def status(wild: Wild, *arguments: str) -> Finished:
    wild.run("convert", "song", "--out", "song.wav", "--no-wait")
    return wild.run("status", TASK, "--wait", "--download", *arguments, env=QUICK)


COMMANDS = [pytest.param(run, id=run.__name__) for run in (convert, resume, status)]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("run", COMMANDS)
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_an_odd_answer_means_to_ask_again(
    wild: Wild, odd: Callable[[], Response], run: Callable[..., Finished]
) -> None:
    """Twice, a pending record, twice again, and then the file."""
    answer_lookups(wild, odd, odd, record(**PENDING), odd, odd)
    done = run(wild)
    assert done.code == 0, done
    assert Path("song.wav").read_bytes() == TUNE_BYTES
    assert wild.methods.count("POST") == 1


@pytest.mark.long
@pytest.mark.parametrize("run", COMMANDS)
@pytest.mark.parametrize(
    ("answer", "code", "reason"),
    [
        pytest.param(record(**PENDING), 8, "not finished within 2 s", id="pending"),
        pytest.param(lambda: HTMLResponse(PAGE, 502), 6, "HTTP 502", id="a page"),
        pytest.param(NOT_THERE, 7, "no such task", id="not there"),
        pytest.param(partial(envelope, 455, "repair"), 6, "repair", id="maintenance"),
    ],
)
def test_when_the_time_is_up_the_last_line_continues(
    wild: Wild, answer: Callable[[], Response], code: int, reason: str, run: Callable[..., Finished]
) -> None:
    """The reason is shown when it comes, and again at the end."""
    answer_lookups(wild, answer, good=False)
    done = run(wild, "--timeout", "2s")
    assert done.code == code, done
    assert done.err.splitlines()[-1].endswith(
        f"To continue: suno-wav resume {TASK} --base-url {wild.address}"
    )
    assert done.err.count(reason) == (1 if code == 8 else 2), done
    assert "--resubmit" not in done.err
    assert lookups(wild) > 1


@pytest.mark.long
def test_a_code_that_speaks_of_the_conversion_counts_when_it_is_repeated(wild: Wild) -> None:
    answer_lookups(wild, CODE_501, good=False)
    done = convert(wild)
    assert done.code == 7
    assert "conversion failed" in done.err
    assert lookups(wild) >= 3


@pytest.mark.long
def test_a_key_that_has_worked_is_refused_three_times(wild: Wild) -> None:
    answer_lookups(wild, KEY_REFUSED, good=False)
    done = convert(wild)
    assert done.code == 3
    assert f"To continue: suno-wav resume {TASK}" in done.err
    assert lookups(wild) >= 3


@pytest.mark.long
def test_a_key_that_has_not_worked_is_refused_once(wild: Wild) -> None:
    answer_lookups(wild, KEY_REFUSED, good=False)
    done = resume(wild)
    assert done.code == 3
    assert f"To continue: suno-wav resume {TASK}" in done.err
    assert lookups(wild) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("days", "code", "said"), [(-1, 7, "has forgotten the task"), (1, 7, "may be there later")]
)
def test_only_a_task_whose_file_is_deleted_is_forgotten(wild: Wild, days: int, code: int, said: str) -> None:
    """Until then it is asked for as long as the time allows."""
    wild.run("convert", "song", "--out", "song.wav", "--no-wait")
    change_journal("UPDATE conversion SET expires = strftime('%s', 'now') + ?", days * 86400)
    answer_lookups(wild, NOT_THERE, good=False)
    done = wild.run("resume", "--timeout", "2s", env=QUICK)
    assert (done.code, said in done.err) == (code, True), done
    assert ("--resubmit" in done.err) == (days < 0)
    with closing(sqlite3.connect(journal_path())) as raw:
        ((state,),) = raw.execute("SELECT state FROM conversion").fetchall()
    assert state == ("forgotten" if days < 0 else "submitted")


@pytest.mark.long
def test_the_pause_that_the_service_asks_for_is_kept(wild: Wild) -> None:
    """It is bounded: 900 s are 1.5 s here, and without the header it would be 3 ms."""
    slow = partial(JSONResponse, {"code": 455, "msg": "busy"}, 503, {"Retry-After": "3600"})
    answer_lookups(wild, slow, good=False)
    convert(wild, "--timeout", "1s")
    assert lookups(wild) == 1


@pytest.mark.long
def test_what_the_service_says_of_its_work_is_said_once(wild: Wild) -> None:
    at_work = record(successFlag="CALLBACK_EXCEPTION", errorMessage="cannot deliver")
    answer_lookups(wild, at_work, good=False)
    done = convert(wild, "--timeout", "1s")
    assert done.code == 8
    assert done.err.count("cannot deliver; still waiting") == 1
    assert done.err.count("cannot deliver") == 2


# Tasks that this machine does not know


@pytest.mark.long
@pytest.mark.parametrize("download", [[], ["--download"]])
def test_an_unknown_task_is_asked_for_three_times_over_two_minutes(wild: Wild, download: list[str]) -> None:
    answer_lookups(wild, NOT_THERE, good=False)
    done = wild.run("status", TASK, "--wait", *download, env=QUICK)
    assert done.code == 7
    assert "no such task" in done.err
    assert lookups(wild) >= 3


@pytest.mark.long
def test_an_unknown_task_that_is_there_later_is_fetched(wild: Wild) -> None:
    answer_lookups(wild, NOT_THERE, NOT_THERE, record(**PENDING))
    done = wild.run("status", TASK, "--wait", "--download", env=QUICK)
    assert (done.code, done.out) == (0, f"{TASK}.wav\n")


# One look


@pytest.mark.long
@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_one_look_at_a_task_that_is_paid_for_does_not_blame_its_id(
    wild: Wild, odd: Callable[[], Response]
) -> None:
    wild.run("convert", "song", "--no-wait")
    answer_lookups(wild, odd, good=False)
    done = wild.run("status", TASK, "--retries", "0")
    if done.code:
        assert done.err.splitlines()[-1].endswith(f"resume {TASK} --base-url {wild.address}")
    for misleading in ("Check the id", "--resubmit", "Top up", "new conversion"):
        assert misleading not in done.err
    assert lookups(wild) == 1


@pytest.mark.long
def test_one_look_at_a_task_that_is_not_known_says_that_the_id_may_be_wrong(wild: Wild) -> None:
    answer_lookups(wild, NOT_THERE, good=False)
    done = wild.run("status", TASK)
    assert done.code == 7
    assert "of another --provider" in done.err


@pytest.mark.long
def test_the_raw_record_is_printed_without_the_path_of_the_callback(wild: Wild) -> None:
    """The address of the WAV is whole. A request that the record quotes has the same path."""
    callback = "https://me.example/suno-wav-callback/secret?x=1"
    address = "https://cdn.example/a.wav?signature=1\u20ac"
    quoted = json.dumps({"callBackUrl": callback, "input": {}})
    answer_lookups(
        wild,
        record(
            successFlag="SUCCESS",
            response={"audioWavUrl": address, "more": [1, None]},
            callbackUrl=callback,
            param=quoted,
        ),
        good=False,
    )
    done = wild.run("status", TASK, "--raw")
    assert done.code == 0
    shown = json.loads(done.out)
    assert shown["response"] == {"audioWavUrl": address, "more": [1, None]}
    assert shown["callbackUrl"] == "https://me.example/(hidden)"
    assert json.loads(shown["param"]) == {"callBackUrl": "https://me.example/(hidden)", "input": {}}
    assert "secret" not in done.out
    (event,) = wild.run("status", TASK, "--raw", "--json").named("raw_record")
    assert event["record"] == shown
    assert "secret" not in wild.run("status", TASK, "--json").out
