"""A command that does nothing but wait for an answer says so, and then goes on."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.program import ENDS_WITHIN, named, read_until, start_program
from tests.support.quick_limits import API_SPEED
from tests.support.wild import TASK, envelope, settings_for

if TYPE_CHECKING:
    from starlette.responses import Response

    from tests.support.wild import Seen, Wild

_PIPES: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
_ENV = {"SUNO_WAV_RETRIES": "0", API_SPEED: "4"}


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("arguments", "asked_for"),
    [
        (["credits"], "the balance"),
        (["status", TASK], f"the state of {TASK}"),
        (["status", TASK, "--download"], f"the state of {TASK}"),
        (["tracks", TASK], "the tracks"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_waited_for_is_said(wild: Wild, arguments: list[str], asked_for: str) -> None:
    may_answer, usual = threading.Event(), wild.answer

    def answer(seen: Seen) -> Response:
        may_answer.wait(ENDS_WITHIN)
        return usual(seen) if arguments[0] == "status" else envelope(data=7)

    wild.answer = answer
    env = settings_for(wild.address) | _ENV
    with start_program(*arguments, "--json", env=env, **_PIPES) as process:
        said = read_until(process, named("lookup_awaited"))
        may_answer.set()
        out, _ = process.communicate(timeout=ENDS_WITHIN)
    assert said == {"event": "lookup_awaited", "service": wild.address, "asked_for": asked_for}
    rest = [json.loads(line)["event"] for line in out.splitlines()]
    assert "lookup_awaited" not in rest, "it is said once"
    assert rest != []


@pytest.mark.long
def test_it_is_a_line_on_standard_error_and_nothing_where_the_answer_comes(wild: Wild) -> None:
    may_answer = threading.Event()

    def answer(_: Seen) -> Response:
        may_answer.wait(ENDS_WITHIN)
        return envelope(data=7)

    wild.answer = answer
    env = settings_for(wild.address) | _ENV
    with start_program("credits", env=env, **_PIPES) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        may_answer.set()
        out, _ = process.communicate(timeout=ENDS_WITHIN)
    assert (first, out) == (f"suno-wav: waiting for {wild.address} to tell the balance\n", "7\n")
    assert "waiting" not in wild.run("credits").err
