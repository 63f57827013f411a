"""Fault plans in audio ids: parsed, written, and refused with a reason."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.conversion.ids import audio_id_of
from suno_wav_cli.sandbox.cdn.fault_syntax import FAULT_HELP, parse_plan
from suno_wav_cli.sandbox.cdn.faults import FAULTLESS, Fault, Kind, Plan, Step, Trait, always, once
from suno_wav_cli.sandbox.demo_ids import choose_behaviour
from tests.support.cdn import format_cdn_id, format_plan, plans, steps

CUT = Fault(Kind.CUT, 65536)


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        pytest.param("cut", once(Fault(Kind.CUT)), id="the middle"),
        pytest.param("cut0", once(Fault(Kind.CUT, 0)), id="no byte"),
        pytest.param("cut64k", once(CUT), id="kibibytes"),
        pytest.param("cut2m", once(Fault(Kind.CUT, 2 * 1024 * 1024)), id="mebibytes"),
        pytest.param("cut65537", once(Fault(Kind.CUT, 65537)), id="bytes"),
        pytest.param("403~always", always(Fault(Kind.STATUS, 403)), id="every time"),
        pytest.param(
            "cut64k~2-ok-503.after7",
            Plan(
                steps=(
                    Step(faults=(CUT,), times=2),
                    Step(),
                    Step(faults=(Fault(Kind.STATUS, 503), Fault(Kind.AFTER, 7))),
                )
            ),
            id="one after the other",
        ),
        pytest.param(
            "gzip.cut64k.then410",
            once(Fault(Kind.GZIP), CUT, Fault(Kind.THEN, 410)),
            id="together",
        ),
        pytest.param(
            "weak-rangeless-stall1",
            Plan(
                steps=(Step(faults=(Fault(Kind.STALL, 1),)),), traits=frozenset({Trait.WEAK, Trait.RANGELESS})
            ),
            id="traits",
        ),
        pytest.param("untagged", Plan(steps=(), traits=frozenset({Trait.UNTAGGED})), id="a trait alone"),
    ],
)
def test_a_plan_is_written_as_it_is_read(text: str, plan: Plan) -> None:
    assert parse_plan(text) == plan
    assert format_plan(plan) == text


@pytest.mark.long
@given(plans())
def test_every_plan_survives_being_an_audio_id(plan: Plan) -> None:
    assert choose_behaviour(format_cdn_id(plan)).plan == plan
    assert choose_behaviour(format_cdn_id(plan, 24) + "+again").plan == plan


@given(steps(st.just(None)))
def test_an_always_step_survives_too(last: Step) -> None:
    plan = Plan(steps=(Step(faults=(CUT,)), last))
    assert parse_plan(format_plan(plan)) == plan


@pytest.mark.long
@given(plans(most_steps=2, most_times=1))
def test_every_plan_is_a_valid_audio_id_for_convert(plan: Plan) -> None:
    audio_id = format_cdn_id(plan)
    assert audio_id_of(audio_id) == audio_id


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("", "'' is not a fault", id="nothing"),
        pytest.param("ct64k", "'ct64k' is not a fault", id="a typo"),
        pytest.param("Cut64k", "'Cut64k' is not a fault", id="a capital"),
        pytest.param("cut64g", "'cut64g' is not a fault", id="an unknown unit"),
        pytest.param("cut064", "'cut064' is not a fault", id="a zero in front"),
        pytest.param("cut٣", "'cut٣' is not a fault", id="other digits"),
        pytest.param("cut9999999999999", "'cut9999999999999' is not a fault", id="too many digits"),
        pytest.param("cut999999999999m", "'cut' takes bytes", id="too great a number"),
        pytest.param("64k", "'64' takes a status", id="a number alone"),
        pytest.param("200", "'200' takes a status", id="no failure"),
        pytest.param("304", "'304' takes a status", id="no redirect"),
        pytest.param("then503", "'then' takes a status with which", id="an address refused by a failure"),
        pytest.param("then", "'then' takes a status with which", id="an address refused by nothing"),
        pytest.param("trickle", "'trickle' takes bytes", id="no pace"),
        pytest.param("trickle0", "'trickle' takes bytes", id="no pace at all"),
        pytest.param("gzip1", "'gzip' takes nothing", id="a number too many"),
        pytest.param("503.after1k", "'after' takes seconds", id="kibiseconds"),
        pytest.param("after5", "'after' goes with a status", id="no status"),
        pytest.param("page.after5", "'after' goes with a status", id="not of a page"),
        pytest.param("cut1.reset2", "the end of the body can be wrong in one way only", id="two ends"),
        pytest.param("404.cut1", "a replacement for the file", id="a cut refusal"),
        pytest.param("cut1..gzip", "'' is not a fault", id="two dots"),
        pytest.param("cut1-", "'' is not a fault", id="nothing behind"),
        pytest.param("cut1-weak", "'weak' is not a fault", id="a trait behind a step"),
        pytest.param("weak-weak", "a trait is named once", id="a trait twice"),
        pytest.param("weak-untagged", "untagged and weak do not go together", id="against itself"),
        pytest.param("ok.cut1", "'ok' is not a fault", id="good and bad"),
        pytest.param("cut1~0", "'~0' is not a number of times", id="never"),
        pytest.param("cut1~", "'~' is not a number of times", id="no number"),
        pytest.param("cut1~99999", "'~99999' is not a number of times", id="too often"),
        pytest.param("cut1~always-ok", "nothing can follow a step that repeats always", id="after always"),
    ],
)
def test_an_invalid_plan_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}"):
        parse_plan(text)


@given(st.text(alphabet="abcdeghiklmnoprstuwyz0123456789.~-", max_size=30))
def test_parsing_and_formatting_round_trip(text: str) -> None:
    try:
        plan = parse_plan(text)
    except ValueError:
        return
    assert parse_plan(format_plan(plan)) == plan


@pytest.mark.parametrize(
    "audio_id",
    [
        pytest.param("demo-cdn", id="no steps"),
        pytest.param("demo-cdn-", id="empty steps"),
        pytest.param("demo-cdn-ct64k", id="a typo"),
        pytest.param("demo-CDN-cut64k", id="capitals"),
        pytest.param("demo-0mb-cdn-cut64k", id="no size"),
        pytest.param("demo-24bits-cdn-cut64k", id="another beginning"),
        pytest.param("demo-4295mb-cdn-cut64k", id="too large"),
        pytest.param("demo-4295mb", id="too large without a plan"),
    ],
)
def test_an_unreadable_id_is_refused(audio_id: str) -> None:
    """What behaves like demo would let a test pass that tests nothing."""
    assert choose_behaviour(audio_id).problem is not None


def test_every_kind_and_trait_is_explained() -> None:
    explained = set(re.findall(r"[a-z]+", " ".join(FAULT_HELP)))
    assert explained == {kind for kind in Kind if kind} | {*Trait} | {"ok"}


def test_an_id_without_a_plan_has_no_faults() -> None:
    assert format_cdn_id(FAULTLESS) == "demo"
    assert choose_behaviour("demo-24mb").plan == FAULTLESS
