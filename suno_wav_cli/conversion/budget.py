"""Whether a plan may be paid for: its price against `--max-credits` and the balance."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import WAV_PRICE, count_wavs, format_credits, price_of
from suno_wav_cli.conversion.plan import submissions
from suno_wav_cli.errors import NoCredits, NotAuthorized, SunoWavError
from suno_wav_cli.events.payments import Planned, Quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.conversion.plan import Job

_BALANCE_SECONDS = 10.0
"""How long a command waits for the balance, which it can do without."""


@dataclass(frozen=True, kw_only=True)
class _Balance:
    """The credits that are left, or the reason why that is not known."""

    amount: Decimal | None = None
    reason: str | None = None


class Allowance:
    """How many songs `--max-credits` still allows to pay for. None is without limit."""

    def __init__(self, max_credits: Decimal | None) -> None:
        self._left = None if max_credits is None else count_wavs(max_credits)

    def spend(self) -> None:
        """Count one more song that is paid for. Raise NoCredits if that would be too many."""
        if self._left is None:
            return
        if self._left == 0:
            raise NoCredits(
                "to pay for this song too would exceed --max-credits",
                "It became necessary only now, by what another program has done. Run the same command again.",
            )
        self._left -= 1

    def refund(self) -> None:
        """Take back what `spend` has counted: the request was certainly not accepted."""
        if self._left is not None:
            self._left += 1


async def check_budget(context: ConversionContext, plan: Sequence[Job]) -> Decimal | None:
    """Raise NoCredits if the plan exceeds `--max-credits`, or a batch the balance.

    Return the balance, if it was looked up. One song without `--max-credits` does not wait for
    that: the service refuses what cannot be paid. A batch whose balance is not known goes on, and
    says so. Raise NotAuthorized if the service refuses the key.
    """
    count, cap = submissions(plan), context.settings.max_credits
    balance = _Balance()
    refusal = refuse_price(price_of(count), cap, None)
    if refusal is None and (count > 1 or (count and cap is not None)):
        balance = await _look_up_balance(context)
        refusal = refuse_price(price_of(count), cap, balance.amount)
        _report_price(context, count, balance, None)
    if refusal is not None:
        raise refusal
    return balance.amount


async def show_plan(context: ConversionContext, plan: Sequence[Job]) -> None:
    """Report the plan and its price, and the balance if it can be had.

    Raise NoCredits if the plan would be refused.
    """
    for job in plan:
        context.report(
            Planned(audio_id=job.song.audio_id, path=job.target, action=job.action, price=job.price)
        )
    count = submissions(plan)
    try:
        balance = await _look_up_balance(context)
    except NotAuthorized as error:
        balance = _Balance(reason=error.message)
    refusal = refuse_price(price_of(count), context.settings.max_credits, balance.amount)
    _report_price(context, count, balance, refusal)
    if refusal is not None:
        raise refusal


def refuse_price(price: Decimal, cap: Decimal | None, balance: Decimal | None) -> NoCredits | None:
    """Return why a price cannot be paid. None stands for no limit, and for a balance not known."""
    if cap is not None and price > cap:
        return NoCredits(
            f"this would cost {format_credits(price)} credits, and --max-credits allows {format_credits(cap)}",
            f"Nothing was submitted. {_advise(cap, 'raise --max-credits')}",
        )
    if balance is not None and price > balance:
        return NoCredits(
            f"this would cost {format_credits(price)} credits, and the balance is {format_credits(balance)}",
            f"Nothing was submitted. {_advise(balance, 'top up at your provider')}",
        )
    return None


def _advise(amount: Decimal, more: str) -> str:
    """Say for how many songs the amount is enough, and what to do. `more` is how to get a greater one."""
    count = count_wavs(amount)
    if count == 0:
        return f"A song costs {format_credits(WAV_PRICE)}; {more}."
    songs = "song" if count == 1 else "songs"
    return f"At {format_credits(WAV_PRICE)} each, it is enough for {count} {songs}. Convert fewer, or {more}."


def _report_price(
    context: ConversionContext, count: int, balance: _Balance, refusal: NoCredits | None
) -> None:
    context.report(
        Quoted(
            submissions=count,
            price=price_of(count),
            balance=balance.amount,
            reason=balance.reason,
            refusal=None if refusal is None else refusal.message,
        )
    )


async def _look_up_balance(context: ConversionContext) -> _Balance:
    """Ask for the balance, within reason. Raise NotAuthorized if the service refuses the key."""
    if context.api is None:
        return _Balance(reason="there is no API key")
    try:
        async with asyncio.timeout(_BALANCE_SECONDS):
            return _Balance(
                amount=await context.api.fetch_credits(retries=min(1, context.settings.lookup_retries))
            )
    except NotAuthorized:
        raise
    except SunoWavError as error:
        return _Balance(reason=error.message)
    except TimeoutError:
        return _Balance(reason="no answer in time")
