"""What the sandbox does with a song, by name (demo_ids.py chooses it)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox.answers.faults import GOOD_ANSWERS, AnswerPlan, repeat
from suno_wav_cli.sandbox.answers.faults import Fault as Answer
from suno_wav_cli.sandbox.answers.faults import Kind as Said
from suno_wav_cli.sandbox.cdn.faults import FAULTLESS, Fault, Kind, Plan, always, once
from suno_wav_cli.sandbox.cdn.melody import PLAIN, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping


class Callbacks(StrEnum):
    """When callbacks are sent, and how many."""

    ONCE = "once"
    NEVER = "never"
    TWICE = "twice"
    LATE = "late"
    EARLY = "early"
    FORGED = "forged"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What happens to a song, from its submission to its file.

    `problem` says why its id cannot be read; the submission is refused then. `submissions` and
    `lookups` are what is odd about the answers to them. The conversion takes `seconds` and ends
    with `flag`, a failure also with `code`. `record` is one of RECORD_SHAPES. `callback` is one of
    CALLBACK_SHAPES, None for the contract's own. `layout` is the file's format, and `plan` the
    faults of the requests for it. `credits` is what it costs.
    """

    about: str
    problem: str | None = None
    submissions: AnswerPlan = GOOD_ANSWERS
    lookups: AnswerPlan = GOOD_ANSWERS
    code: int = 200
    seconds: float = 2.0
    flag: str = "SUCCESS"
    record: str = "current"
    callbacks: Callbacks = Callbacks.ONCE
    callback: str | None = None
    layout: Layout = PLAIN
    plan: Plan = FAULTLESS
    credits: Decimal = Decimal("0.4")


def _answered(*kinds: Said, times: int | None = None) -> AnswerPlan:
    return repeat(*map(Answer, kinds), times=times)


RECORD_SHAPES: Mapping[str, str] = MappingProxyType(
    {
        "current": "as documented today",
        "first-edition": "`status` and `response.audio_wav_url`",
        "flat": "`audioWavUrl` directly in `data`",
        "flat-snake": "`audio_wav_url` directly in `data`",
        "epoch": "times as epoch milliseconds, `musicIndex` as text",
        "bare": "without times and `musicIndex`",
        "no-url-first": "`SUCCESS`, and at the first lookup no URL yet",
        "null-first": "`data` null at the first lookup",
        "unknown-first": "unknown at the first lookup",
    }
)

BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "demo": Behaviour(about="converted in 2 s, one callback"),
        "demo-slow": Behaviour(about="takes a minute", seconds=60),
        "demo-fails": Behaviour(
            about="GENERATE_WAV_FAILED, callback code 501", flag="GENERATE_WAV_FAILED", code=501
        ),
        "demo-fails-create": Behaviour(
            about="CREATE_TASK_FAILED, callback code 400", flag="CREATE_TASK_FAILED", code=400
        ),
        "demo-fails-audio": Behaviour(
            about="GENERATE_AUDIO_FAILED, callback code 451", flag="GENERATE_AUDIO_FAILED", code=451
        ),
        "demo-fails-callback": Behaviour(
            about="CALLBACK_EXCEPTION and no file", flag="CALLBACK_EXCEPTION", code=500
        ),
        "demo-callback-exception": Behaviour(
            about="CALLBACK_EXCEPTION, and the file is there", record="callback-exception"
        ),
        "demo-dear": Behaviour(
            about="costs 0.8 credits, as a record of kie-jobs says", credits=Decimal("0.8")
        ),
        "demo-never": Behaviour(about="stays PENDING for ever", seconds=float("inf")),
        "demo-no-callback": Behaviour(about="converted, and no callback comes", callbacks=Callbacks.NEVER),
        "demo-twice": Behaviour(about="the callback comes twice", callbacks=Callbacks.TWICE),
        "demo-late": Behaviour(about="the callback comes a minute after the file", callbacks=Callbacks.LATE),
        "demo-early": Behaviour(
            about="the callback comes before the submission is answered", callbacks=Callbacks.EARLY, seconds=0
        ),
        "demo-forged": Behaviour(
            about="forged callbacks first: another task, another URL, a failure", callbacks=Callbacks.FORGED
        ),
        "demo-malformed": Behaviour(about="the callback is not JSON", callback="not-json"),
        "demo-huge": Behaviour(about="the callback has a megabyte", callback="huge"),
        "demo-exists": Behaviour(
            about="409 with the task id of an earlier conversion",
            submissions=_answered(Said.EXISTS, Said.PLAIN),
        ),
        "demo-exists-null": Behaviour(about="409 without a task id", submissions=_answered(Said.EXISTS)),
        "demo-unauthorized": Behaviour(
            about="refused: the API key", submissions=_answered(Said.UNAUTHORIZED)
        ),
        "demo-no-credits": Behaviour(
            about="refused: not enough credits", submissions=_answered(Said.NO_CREDITS)
        ),
        "demo-busy": Behaviour(
            about="refused twice (too many requests), then accepted",
            submissions=_answered(Said.BUSY, times=2),
        ),
        "demo-maintenance": Behaviour(about="refused: maintenance", submissions=_answered(Said.MAINTENANCE)),
        "demo-lost": Behaviour(
            about="accepted, and the connection dies before the answer", submissions=_answered(Said.LOSE)
        ),
        "demo-hang": Behaviour(
            about="accepted, and the answer never comes", submissions=_answered(Said.HANG)
        ),
        "demo-no-id": Behaviour(
            about="accepted, and the answer names no task", submissions=_answered(Said.NULL)
        ),
        "demo-cut": Behaviour(about="the body ends early once", plan=once(Fault(Kind.CUT))),
        "demo-cut-always": Behaviour(about="the body ends early every time", plan=always(Fault(Kind.CUT))),
        "demo-expired": Behaviour(
            about="the first URL answers 403, the next one works", plan=once(Fault(Kind.STATUS, 403))
        ),
        "demo-gone": Behaviour(about="every URL answers 403", plan=always(Fault(Kind.STATUS, 403))),
        "demo-no-length": Behaviour(
            about="the file comes without a Content-Length", plan=always(Fault(Kind.CHUNKED))
        ),
        "demo-redirect": Behaviour(
            about="the file's address redirects once", plan=once(Fault(Kind.STATUS, 302))
        ),
        "demo-stall": Behaviour(about="half of the file, then silence, once", plan=once(Fault(Kind.STALL))),
        "demo-not-wav": Behaviour(about="an HTML page in place of the file", plan=always(Fault(Kind.PAGE))),
        "demo-mp3": Behaviour(about="an MP3 in place of the file", plan=always(Fault(Kind.MPEG))),
        "demo-truncated": Behaviour(
            about="a WAV that is shorter than its header says", layout=Layout(ends_early=True)
        ),
        "demo-empty": Behaviour(about="no bytes at all", plan=always(Fault(Kind.EMPTY))),
        "demo-24bit": Behaviour(about="48 kHz, 24 bit", layout=Layout(bits=24)),
        "demo-44k": Behaviour(about="44.1 kHz, 16 bit", layout=Layout(rate=44100)),
        "demo-mono": Behaviour(about="one channel", layout=Layout(channels=1)),
    }
)
