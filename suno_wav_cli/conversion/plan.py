"""What would be done with each song, what that costs, and whether it may be begun."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.api.pricing import WAV_PRICE, price_of, shown, wavs_for
from suno_wav_cli.conversion.balance import ask_credits
from suno_wav_cli.errors import NoCredits, NotAuthorized, SunoWavError
from suno_wav_cli.journal.entry import UNDECIDED
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from collections.abc import Sequence

    from suno_wav_cli.conversion.session import Session
    from suno_wav_cli.models import Order, Secret

_PATIENCE = 10.0
"""Seconds that a batch waits for the balance, which it can do without."""


class Step(StrEnum):
    """What becomes of a song. Only SUBMIT is paid for."""

    THERE = "there"
    CONTINUE = "continue"
    UNKNOWN = "unknown"
    """A paid request whose outcome nobody knows stands in its way."""
    SUBMIT = "submit"


@dataclass(frozen=True, kw_only=True)
class Planned:
    order: Order
    step: Step


@dataclass(frozen=True, kw_only=True)
class _Told:
    """The balance, or the reason why it is not known."""

    balance: Decimal | None = None
    reason: str | None = None


def step_of(order: Order, session: Session, *, resubmit: bool) -> Step:
    """Tell what is to be done with a song whose file is not there."""
    entry = None if resubmit else session.journal.current_entry(order.song.audio_id)
    if entry is None:
        return Step.SUBMIT
    return Step.UNKNOWN if entry.state in UNDECIDED else Step.CONTINUE


def submissions(plan: Sequence[Planned]) -> int:
    return sum(planned.step is Step.SUBMIT for planned in plan)


def check_budget(plan: Sequence[Planned], session: Session) -> Decimal | None:
    """Raise NoCredits where the plan costs more than `max_credits`, or a batch more than there is; the balance, if it was asked for.

    What another program does afterwards cannot exceed `max_credits` either: the Gate counts too. One song without
    `max_credits` is not held up by a question: the service refuses what cannot be paid. A batch whose balance cannot be
    had goes on, and says so. Raises NotAuthorized where the service refuses the key.
    """
    count, cap, balance = submissions(plan), session.settings.max_credits, None
    refusal = _refused(count, cap, None)
    if refusal is None and (count > 1 or (count and cap is not None)):
        told = _told(session)
        balance = told.balance
        refusal = _refused(count, cap, balance)
        session.report(_quoted(count, told))
    if refusal is not None:
        raise refusal
    return balance


def show_plan(plan: Sequence[Planned], session: Session) -> None:
    """Report the plan and its price, against the balance where it can be had."""
    for planned in plan:
        order = planned.order
        price = WAV_PRICE if planned.step is Step.SUBMIT else Decimal(0)
        session.report(
            events.Planned(audio_id=order.song.audio_id, path=order.target, action=planned.step, price=price)
        )
    count = submissions(plan)
    try:
        told = _told(session)
    except NotAuthorized as error:
        told = _Told(reason=error.message)
    session.report(_quoted(count, told, _refused(count, session.settings.max_credits, told.balance)))


def _quoted(count: int, told: _Told, refusal: NoCredits | None = None) -> events.Quoted:
    return events.Quoted(
        submissions=count,
        price=price_of(count),
        balance=told.balance,
        reason=told.reason,
        refusal=refusal.message if refusal is not None else None,
    )


def _refused(count: int, cap: Decimal | None, balance: Decimal | None) -> NoCredits | None:
    price = price_of(count)
    if cap is not None and price > cap:
        return NoCredits(
            f"this would cost {shown(price)} credits, and --max-credits allows {shown(cap)}",
            f"Nothing was submitted. {_fitting(cap)} Convert fewer, or raise --max-credits.",
        )
    if balance is not None and price > balance:
        return NoCredits(
            f"this would cost {shown(price)} credits, and the balance is {shown(balance)}",
            f"Nothing was submitted. {_fitting(balance)} Top up at your provider, or convert fewer.",
        )
    return None


def _fitting(amount: Decimal) -> str:
    count = wavs_for(amount)
    return f"At {shown(WAV_PRICE)} each, it is enough for {count} {'song' if count == 1 else 'songs'}."


def _told(session: Session) -> _Told:
    """Ask, within reason. Raises NotAuthorized where the service refuses the key."""
    if session.key is None:
        return _Told(reason="there is no API key")
    try:
        return _Told(balance=run_async(_asked(session, session.key)))
    except NotAuthorized:
        raise
    except SunoWavError as error:
        return _Told(reason=error.message)
    except TimeoutError:
        return _Told(reason="no answer in time")


async def _asked(session: Session, key: Secret) -> Decimal:
    settings = session.settings
    async with asyncio.timeout(_PATIENCE):
        return await ask_credits(settings, session.base_url, key, min(1, settings.questions))
