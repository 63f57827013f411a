"""What the sandbox does with a song.

The audio id chooses it, as the number of a Stripe test card does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.payload_variants import CALLBACK_SHAPES
from suno_wav_cli.sandbox.cdn.fault_syntax import FAULT_HELP, SYNTAX, parse_plan
from suno_wav_cli.sandbox.cdn.faults import FAULTLESS, Fault, Kind, Plan, always, once
from suno_wav_cli.sandbox.cdn.melody import PLAIN, Layout
from suno_wav_cli.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

MEGABYTE = 1_000_000


class Answer(StrEnum):
    """How a submission is answered."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    REFUSE_TWICE = "refuse twice"
    LOSE = "lose"
    HANG = "hang"
    NO_ID = "no id"
    EXISTS = "exists"
    EXISTS_WITHOUT_ID = "exists without id"


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

    `refusal` is the reason or the code if the submission is refused; `message` replaces the
    contract's words then. The conversion takes `seconds` and ends with `flag`, a failure also with
    `code`. `record` is one of RECORD_SHAPES. `callback` is one of CALLBACK_SHAPES, None for the
    contract's own. `layout` is the file's format, and `plan` the faults of the requests for it.
    """

    about: str
    answer: Answer = Answer.ACCEPT
    refusal: Refusal | int = Refusal.INVALID
    message: str | None = None
    code: int = 200
    seconds: float = 2.0
    flag: str = "SUCCESS"
    record: str = "current"
    lookup_code: int = 200
    callbacks: Callbacks = Callbacks.ONCE
    callback: str | None = None
    layout: Layout = PLAIN
    plan: Plan = FAULTLESS


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
        "demo-exists": Behaviour(about="409 with the task id of an earlier conversion", answer=Answer.EXISTS),
        "demo-exists-null": Behaviour(about="409 without a task id", answer=Answer.EXISTS_WITHOUT_ID),
        "demo-unauthorized": Behaviour(
            about="refused: the API key", answer=Answer.REFUSE, refusal=Refusal.UNAUTHORIZED
        ),
        "demo-no-credits": Behaviour(
            about="refused: not enough credits", answer=Answer.REFUSE, refusal=Refusal.NO_CREDITS
        ),
        "demo-busy": Behaviour(
            about="refused twice (too many requests), then accepted",
            answer=Answer.REFUSE_TWICE,
            refusal=Refusal.BUSY,
        ),
        "demo-maintenance": Behaviour(
            about="refused: maintenance", answer=Answer.REFUSE, refusal=Refusal.MAINTENANCE
        ),
        "demo-lost": Behaviour(
            about="accepted, and the connection dies before the answer", answer=Answer.LOSE
        ),
        "demo-hang": Behaviour(about="accepted, and the answer never comes", answer=Answer.HANG),
        "demo-no-id": Behaviour(about="accepted, and the answer names no task", answer=Answer.NO_ID),
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

PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "demo-code-NNN": "the submission is answered with code NNN",
        "demo-lookup-NNN": "every lookup is answered with code NNN",
        "demo-record-SHAPE": f"the record has another shape: {', '.join(RECORD_SHAPES)}",
        "demo-callback-SHAPE": f"the callback has another shape: {', '.join(CALLBACK_SHAPES)}",
        "demo-Nmb": "a file of about N megabytes",
        "demo-cdn-STEPS": f"the CDN misbehaves; `demo-Nmb-cdn-STEPS` too: {SYNTAX}",
    }
    | {f"demo-cdn-{word}": about for word, about in FAULT_HELP.items()}
)

_DEFAULT = Behaviour(about="any other id behaves like demo")
_NUMBERED = re.compile(r"demo-(code|lookup)-([1-9]\d\d)")
_SHAPED = re.compile(r"demo-(record|callback)-([a-z-]+)")
_CDN_ID = re.compile(r"demo(?:-([1-9][0-9]*)mb)?(?:-cdn-(.*))?")
_MOST_MEGABYTES = 4294
"""The sizes in a RIFF header have 32 bits."""


def choose_behaviour(audio_id: str) -> Behaviour:
    """Choose by the id up to a `+`: `demo-fails+1` and `demo-fails+2` are two songs that fail."""
    name = audio_id.partition("+")[0]
    if name in BEHAVIOURS:
        return BEHAVIOURS[name]
    if match := _NUMBERED.fullmatch(name):
        code = int(match[2])
        return (
            replace(_DEFAULT, answer=Answer.REFUSE, refusal=code)
            if match[1] == "code"
            else replace(_DEFAULT, lookup_code=code)
        )
    if match := _SHAPED.fullmatch(name):
        if match[1] == "record" and match[2] in RECORD_SHAPES:
            return replace(_DEFAULT, record=match[2])
        if match[1] == "callback" and match[2] in CALLBACK_SHAPES:
            return replace(_DEFAULT, callback=match[2])
    if _CDN_ID.fullmatch(name) or (name.startswith("demo-") and "cdn" in name.lower().split("-")):
        return _cdn_behaviour(name)
    return _DEFAULT


def _cdn_behaviour(name: str) -> Behaviour:
    """Read the size and the plan in an id.

    An id that is not understood is refused. Treated like `demo`, it would seem to work.
    """
    try:
        return _parse_cdn_id(name)
    except ValueError as error:
        message = f"{error}. It takes {SYNTAX}; `suno-wav sandbox --list` names the faults"
        return replace(_DEFAULT, answer=Answer.REFUSE, refusal=400, message=message)


def _parse_cdn_id(name: str) -> Behaviour:
    match = _CDN_ID.fullmatch(name)
    if match is None:
        raise ValueError("it is neither demo-cdn-STEPS nor demo-Nmb-cdn-STEPS")
    layout = PLAIN if match[1] is None else _make_layout(int(match[1]))
    return replace(_DEFAULT, layout=layout, plan=FAULTLESS if match[2] is None else parse_plan(match[2]))


def _make_layout(megabytes: int) -> Layout:
    if megabytes > _MOST_MEGABYTES:
        raise ValueError(f"a WAV has at most {_MOST_MEGABYTES}mb")
    return replace(PLAIN, seconds=megabytes * MEGABYTE / (PLAIN.rate * PLAIN.frame_bytes))
