"""Audio ids that choose what the sandbox does with a song, as the number of a Stripe test card does.

An id is `demo`, a behaviour's name, or a pattern, and behind it plans: `demo-fails-submit-503`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.payload_variants import CALLBACK_SHAPES
from suno_wav_cli.sandbox.answers.fault_syntax import ANSWER_HELP, ANSWER_SYNTAX, parse_answers
from suno_wav_cli.sandbox.answers.faults import Fault, Kind, Route, repeat
from suno_wav_cli.sandbox.behaviours import BEHAVIOURS, RECORD_SHAPES, Behaviour
from suno_wav_cli.sandbox.cdn.fault_syntax import FAULT_HELP, SYNTAX, parse_plan
from suno_wav_cli.sandbox.cdn.melody import PLAIN, Layout

if TYPE_CHECKING:
    from collections.abc import Mapping

MEGABYTE = 1_000_000


def _list_word(word: str, about: str) -> tuple[str, str]:
    """Return the row of a word: its id and what it does, with the other route that takes it."""
    kind = Kind(re.sub("[^a-z]", "", word.rpartition(".")[2]))
    both = len(kind.routes) > 1
    return f"demo-{kind.routes[0]}-{word}", f"{about} (`demo-lookup-{word}` too)" if both else about


PATTERNS: Mapping[str, str] = MappingProxyType(
    {
        "demo-code-NNN": "every submission is answered with code NNN",
        "demo-lookup-NNN": "every lookup is answered with code NNN",
        "demo-record-SHAPE": f"the record has another shape: {', '.join(RECORD_SHAPES)}",
        "demo-callback-SHAPE": f"the callback has another shape: {', '.join(CALLBACK_SHAPES)}",
        "demo-Nmb": "a file of about N megabytes",
        "demo-submit-STEPS": f"the answers to submissions are odd; NAME-submit-STEPS too: {ANSWER_SYNTAX}",
        "demo-lookup-STEPS": "the answers to lookups are odd; NAME-lookup-STEPS too, also behind `submit-STEPS`",
    }
    | dict(_list_word(word, about) for word, about in ANSWER_HELP.items())
    | {"demo-cdn-STEPS": f"the CDN misbehaves; NAME-cdn-STEPS too, also behind the others: {SYNTAX}"}
    | {f"demo-cdn-{word}": about for word, about in FAULT_HELP.items()}
)

_DEFAULT = Behaviour(about="any id that does not begin with demo behaves like demo")
_CDN = "cdn"
_SECTIONS = (Route.SUBMIT.value, Route.LOOKUP.value, _CDN)
_NUMBERED = re.compile(r"demo-(code|lookup)-([1-9]\d\d)")
_SIZED = re.compile(r"demo-([1-9][0-9]*)mb")
_FIRST_LOOKUP = MappingProxyType(
    {"no-url-first": Kind.NO_URL, "null-first": Kind.NULL, "unknown-first": Kind.UNKNOWN}
)
_MOST_MEGABYTES = 4294
"""The sizes in a RIFF header have 32 bits."""


def choose_behaviour(audio_id: str) -> Behaviour:
    """Choose by the id up to a `+`: `demo-fails+1` and `demo-fails+2` are two songs that fail.

    An id that begins with `demo` and is not understood is refused. Treated like `demo`, it would
    seem to work.
    """
    name = audio_id.partition("+")[0]
    if not name.lower().startswith("demo"):
        return _DEFAULT
    try:
        return _parse_id(name)
    except ValueError as error:
        return replace(_DEFAULT, problem=f"{error}; `suno-wav sandbox --list` names all ids")


def _parse_id(name: str) -> Behaviour:
    """Read a name and the plans behind it. Raise ValueError that says what is wrong."""
    if match := _NUMBERED.fullmatch(name):
        plan = repeat(Fault(Kind.CODE, int(match[2])))
        is_lookup = match[1] == Route.LOOKUP
        return replace(_DEFAULT, lookups=plan) if is_lookup else replace(_DEFAULT, submissions=plan)
    base, sections = _split(name)
    behaviour = _find(base)
    for section, text in sections:
        behaviour = _add_plan(behaviour, section, text)
    return behaviour


def _split(name: str) -> tuple[str, list[tuple[str, str]]]:
    """Split an id into its name and its sections, each with its steps."""
    words = name.split("-")
    begins = [at for at, word in enumerate(words) if word in _SECTIONS]
    sections = [words[at] for at in begins]
    if sections != [section for section in _SECTIONS if section in sections]:
        raise ValueError("'submit', 'lookup' and 'cdn' stand in this order, each once")
    texts = ["-".join(words[at + 1 : end]) for at, end in pairwise([*begins, len(words)])]
    return "-".join(words[: begins[0]] if begins else words), list(zip(sections, texts, strict=True))


def _find(name: str) -> Behaviour:
    """Return the behaviour of a name without plans. Raise ValueError with the nearest name."""
    if name in BEHAVIOURS:
        return BEHAVIOURS[name]
    if match := _SIZED.fullmatch(name):
        return replace(_DEFAULT, layout=_make_layout(int(match[1])))
    shape = name.removeprefix("demo-record-")
    if shape != name and shape in _FIRST_LOOKUP:
        return replace(_DEFAULT, lookups=repeat(Fault(_FIRST_LOOKUP[shape]), times=1))
    if shape != name and shape in RECORD_SHAPES:
        return replace(_DEFAULT, record=shape)
    shape = name.removeprefix("demo-callback-")
    if shape != name and shape in CALLBACK_SHAPES:
        return replace(_DEFAULT, callback=shape)
    known = [
        *BEHAVIOURS,
        *(f"demo-record-{shape}" for shape in RECORD_SHAPES),
        *(f"demo-callback-{shape}" for shape in CALLBACK_SHAPES),
        *(f"demo-{section}-STEPS" for section in _SECTIONS),
    ]
    nearest = get_close_matches(name.lower(), known, 1, cutoff=0.0)[0]
    raise ValueError(f"there is no demo id '{name}'; did you mean {nearest}?")


def _add_plan(behaviour: Behaviour, section: str, text: str) -> Behaviour:
    try:
        if section == _CDN:
            return replace(behaviour, plan=parse_plan(text))
        if section == Route.SUBMIT:
            return replace(behaviour, submissions=parse_answers(text, Route.SUBMIT))
        return replace(behaviour, lookups=parse_answers(text, Route.LOOKUP))
    except ValueError as error:
        raise ValueError(f"{error}. It takes {SYNTAX if section == _CDN else ANSWER_SYNTAX}") from None


def _make_layout(megabytes: int) -> Layout:
    if megabytes > _MOST_MEGABYTES:
        raise ValueError(f"a WAV has at most {_MOST_MEGABYTES}mb")
    return replace(PLAIN, seconds=megabytes * MEGABYTE / (PLAIN.rate * PLAIN.frame_bytes))
