"""What follows an answer to a lookup. A task that is paid for is never given up because of one."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.config.wait_limits import WaitLimits
from suno_wav_cli.conversion.lookup_retry import (
    Answer,
    Answers,
    AskAgain,
    Step,
    WaitTerms,
    next_step,
    time_is_up,
)
from suno_wav_cli.errors import (
    DownloadFailed,
    ExitCode,
    GenerationFailed,
    NotAuthorized,
    ServiceUnavailable,
    StillRunning,
    SunoWavError,
    TaskUnknown,
)
from suno_wav_cli.models import WavRecord, WavState

TERMS = WaitTerms(limits=WaitLimits(), poll_interval=30.0, paid=True, deleted_at=math.inf, began=0.0)
STRANGER = replace(TERMS, paid=False)
DELETED = replace(TERMS, deleted_at=0.0)

PENDING = WavRecord(task_id="t", state=WavState.PENDING, flag="PENDING")
READY = WavRecord(task_id="t", state=WavState.READY, flag="SUCCESS", url="https://a.example/a.wav")
FAILED = WavRecord(task_id="t", state=WavState.FAILED, flag="GENERATE_WAV_FAILED", error_code="501")
UNUSABLE = replace(PENDING, flag="SUCCESS", unusable_url="ftp://a.example/a.wav")
SAYING = replace(PENDING, flag="CALLBACK_EXCEPTION", error_message="no callback")
NOT_THERE = TaskUnknown("not there", "check the id")
KEY = NotAuthorized("the key was refused", "check the key")
CODE_451 = GenerationFailed("source lost", "", code=451)
CODE_501 = GenerationFailed("failed", "", code=501)
PAGE = ServiceUnavailable("a page", "")

ANSWERS: tuple[Answer, ...] = (
    PENDING,
    READY,
    FAILED,
    UNUSABLE,
    SAYING,
    NOT_THERE,
    KEY,
    CODE_451,
    CODE_501,
    PAGE,
)
Timed = list[tuple[Answer, float]]


def told(*timed: tuple[Answer, float]) -> Answers:
    answers = Answers()
    for answer, at in timed:
        answers = answers.after(answer, at)
    return answers


def decide(*timed: tuple[Answer, float], terms: WaitTerms = TERMS, key_worked: bool = True) -> Step:
    return next_step(told(*timed), terms, key_worked=key_worked)


def pauses(answer: Answer, count: int, terms: WaitTerms = TERMS) -> list[float]:
    """Return the pauses after each of so many equal answers, none of which ends the wait."""
    answers, found = Answers(), list[float]()
    for _ in range(count):
        answers = answers.after(answer, 0.0)
        step = next_step(answers, terms, key_worked=True)
        assert isinstance(step, AskAgain)
        found.append(step.seconds)
    return found


@pytest.mark.parametrize("answer", [PENDING, UNUSABLE, SAYING, NOT_THERE, KEY, CODE_501, PAGE])
def test_one_odd_answer_ends_nothing(answer: Answer) -> None:
    assert isinstance(decide((answer, 0.0)), AskAgain)


@pytest.mark.parametrize("terms", [TERMS, STRANGER, DELETED])
def test_a_record_decides_at_once(terms: WaitTerms) -> None:
    assert decide((PAGE, 0.0), (READY, 1.0), terms=terms) is READY
    failed = decide((READY, 0.0), (FAILED, 1.0), terms=terms)
    assert isinstance(failed, GenerationFailed)
    assert "GENERATE_WAV_FAILED (501)" in failed.message
    assert failed.remedy == "Nothing is paid twice by itself."


@pytest.mark.parametrize(
    ("answer", "terms", "times", "seconds", "code"),
    [
        pytest.param(KEY, TERMS, 3, 60, ExitCode.NOT_AUTHORIZED, id="a key that has worked"),
        pytest.param(CODE_501, TERMS, 3, 60, ExitCode.CONVERSION_FAILED, id="a code of the conversion"),
        pytest.param(UNUSABLE, TERMS, 5, 120, ExitCode.DOWNLOAD_FAILED, id="an address that cannot be used"),
        pytest.param(NOT_THERE, STRANGER, 3, 120, ExitCode.CONVERSION_FAILED, id="a stranger's task"),
        pytest.param(NOT_THERE, DELETED, 3, 120, ExitCode.CONVERSION_FAILED, id="a deleted task"),
    ],
)
def test_what_counts_when_it_is_repeated(
    answer: Answer, terms: WaitTerms, times: int, seconds: float, code: ExitCode
) -> None:
    """Often enough, and long enough, and nothing else in between."""
    evenly = [(answer, seconds * number / (times - 1)) for number in range(times)]
    ended = decide(*evenly, terms=terms)
    assert isinstance(ended, SunoWavError)
    assert ended.exit_code == code
    assert isinstance(decide(*evenly[:-1], terms=terms), AskAgain)
    assert isinstance(decide(*evenly[:-1], (answer, seconds - 0.1), terms=terms), AskAgain)
    assert isinstance(decide((answer, 0.0), *[(answer, 0.0)] * 99, terms=terms), AskAgain)
    for between in (PAGE, PENDING):
        told_between = [*evenly[:1], (between, 0.1), *evenly[1:]]
        assert isinstance(decide(*told_between, terms=terms), AskAgain)


def test_another_code_is_not_a_repetition() -> None:
    assert isinstance(decide((CODE_501, 0.0), (CODE_451, 40.0), (CODE_501, 90.0)), AskAgain)


def test_a_key_that_has_not_worked_ends_the_wait_at_its_first_refusal() -> None:
    assert decide((KEY, 0.0), key_worked=False) is KEY


def test_an_address_that_cannot_be_used_is_named() -> None:
    ended = decide(*[(UNUSABLE, 30.0 * number) for number in range(5)])
    assert isinstance(ended, DownloadFailed)
    assert "ftp://a.example/a.wav" in ended.message


def test_a_task_is_not_forgotten_before_its_file_is_deleted() -> None:
    """However often the service says so; and then the last answer must have come after that."""
    soon = replace(TERMS, deleted_at=1000.0)
    often = [(NOT_THERE, float(second)) for second in range(0, 999, 9)]
    assert isinstance(decide(*often, terms=soon), AskAgain)
    forgotten = decide(*often, (NOT_THERE, 1001.0), terms=soon)
    assert isinstance(forgotten, TaskUnknown)
    assert "only a new conversion" in forgotten.remedy.casefold()


def test_refused_lookups_become_slower_and_slower() -> None:
    assert pauses(PAGE, 9) == [2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert pauses(PAGE, 5000)[-1] == 300
    assert pauses(PAGE, 3, replace(TERMS, poll_interval=0.5)) == [0.5, 1, 2]
    assert pauses(PAGE, 20, replace(TERMS, poll_interval=900.0))[-1] == 900


def test_pending_records_are_asked_for_at_the_poll_interval() -> None:
    assert pauses(PENDING, 5) == [30.0] * 5


def test_after_a_record_refusals_begin_anew() -> None:
    answers = told(*[(PAGE, 0.0)] * 5, (PENDING, 0.0), (PAGE, 0.0))
    step = next_step(answers, TERMS, key_worked=True)
    assert isinstance(step, AskAgain)
    assert step.seconds == 2


@pytest.mark.parametrize(("asked_for", "kept"), [(120.0, 120.0), (1e9, 900.0), (0.5, 2.0), (None, 2.0)])
def test_the_pause_that_the_service_asks_for_is_kept(asked_for: float | None, kept: float) -> None:
    """Also when a callback comes, and up to a bound."""
    step = decide((ServiceUnavailable("busy", "", retry_after=asked_for), 0.0))
    assert isinstance(step, AskAgain)
    assert step.seconds == kept
    assert step.at_least == max(1.0, kept if asked_for and asked_for > 2 else 0)


@pytest.mark.parametrize(
    ("timed", "kind"),
    [
        pytest.param([], StillRunning, id="no answer"),
        pytest.param([PAGE, PENDING], StillRunning, id="at work"),
        pytest.param([NOT_THERE, NOT_THERE], TaskUnknown, id="never there"),
        pytest.param([PENDING, NOT_THERE], ServiceUnavailable, id="not there any more"),
        pytest.param([PAGE, NOT_THERE], ServiceUnavailable, id="a page, and not there"),
        pytest.param([PENDING, PAGE], ServiceUnavailable, id="a page"),
        pytest.param([KEY], ServiceUnavailable, id="a key that has worked"),
        pytest.param([CODE_501], ServiceUnavailable, id="a code"),
    ],
)
def test_how_a_wait_ends_when_the_time_is_up(timed: list[Answer], kind: type[SunoWavError]) -> None:
    ended = time_is_up(told(*[(answer, 0.0) for answer in timed]), TERMS, 60.0)
    assert type(ended) is kind
    if timed and isinstance(timed[-1], SunoWavError):
        assert timed[-1].message in ended.message
    assert "--resubmit" not in ended.remedy
    assert "check the id" not in ended.remedy


def test_what_the_service_said_of_its_work_is_said_again_when_the_time_is_up() -> None:
    ended = time_is_up(told((SAYING, 0.0)), TERMS, 60.0)
    assert "no callback" in ended.message
    assert "ftp://a.example" in time_is_up(told((UNUSABLE, 0.0)), TERMS, 60.0).message


TIMED = st.lists(st.tuples(st.sampled_from(ANSWERS), st.floats(0.0, 100.0)), min_size=1, max_size=40).map(
    lambda gaps: [(answer, sum(gap for _, gap in gaps[: n + 1])) for n, (answer, _) in enumerate(gaps)]
)


@given(timed=TIMED, deleted_at=st.floats(0.0, 3000.0), paid=st.booleans(), key_worked=st.booleans())
def test_whatever_is_answered_only_what_was_repeated_ends_a_wait(
    timed: Timed, deleted_at: float, paid: bool, key_worked: bool
) -> None:
    """The rules, told a second time: as runs of equal answers at the end of what was said."""
    terms = replace(TERMS, deleted_at=deleted_at, paid=paid)
    step = decide(*timed, terms=terms, key_worked=key_worked)
    last, at = timed[-1]
    _, group = next(groupby(reversed(timed), key=lambda item: item[0]))
    run = list(group)
    times, seconds = len(run), at - run[-1][1]
    match step:
        case WavRecord():
            assert step is last is READY
        case DownloadFailed():
            assert (last, times >= 5, seconds >= 120 - 1e-6) == (UNUSABLE, True, True)
        case NotAuthorized():
            assert last is KEY
            assert not key_worked or (times >= 3 and seconds >= 60 - 1e-6)
        case GenerationFailed():
            assert last is FAILED or (last in (CODE_451, CODE_501) and times >= 3 and seconds >= 60 - 1e-6)
        case TaskUnknown():
            assert (last, times >= 3, seconds >= 120 - 1e-6) == (NOT_THERE, True, True)
            assert not paid or at >= deleted_at
        case AskAgain():
            assert last not in (READY, FAILED)
            assert 0 < step.at_least <= step.seconds <= 900
        case _:
            raise AssertionError(step)
