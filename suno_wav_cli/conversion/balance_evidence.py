"""What the balance shows of a paid request whose answer was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import WAV_PRICE, format_credits
from suno_wav_cli.errors import SunoWavError

if TYPE_CHECKING:
    from decimal import Decimal

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import JournalEntry


async def explain_balance(context: ConversionContext, entry: JournalEntry, before: Decimal) -> str:
    """Return what the present balance tells of a request without an answer, or nothing."""
    try:
        now = await context.client.fetch_credits()
    except SunoWavError:
        return ""
    paid, undecided = context.journal.history.paid_since_balance(entry)
    return f"; {compare_balances(before, now, WAV_PRICE, paid=paid, undecided=undecided)}"


def compare_balances(before: Decimal, now: Decimal, price: Decimal, *, paid: int, undecided: int) -> str:
    """Say whether what was spent shows that requests without an answer were charged.

    `paid` conversions are certain, `undecided` may be paid for. Others who use the account, and
    top-ups, can change the balance too: if the sum fits neither case, it does not tell.
    """
    said = f"the balance was {format_credits(before)} credits before and is {format_credits(now)} now"
    unexplained = before - now - price * paid
    if unexplained == 0:
        return f"{said}: unless credits were added meanwhile, it was not charged"
    if unexplained == price * undecided:
        return f"{said}: it seems to have been charged"
    return f"{said}, which does not tell whether it was charged"
