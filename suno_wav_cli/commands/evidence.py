"""What the account's balance tells of paid requests whose answers were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import format_credits

if TYPE_CHECKING:
    from decimal import Decimal


def balance_tells(before: Decimal, now: Decimal, price: Decimal, *, paid: int, undecided: int) -> str:
    """Compare what was spent since with what this machine knows of.

    `paid` conversions are certain, `undecided` may be paid for. Others who use the account, and top-ups, can make the
    balance mean anything: where the sum fits neither, it does not tell.
    """
    said = f"the balance was {format_credits(before)} credits before and is {format_credits(now)} now"
    unexplained = before - now - price * paid
    if unexplained == 0:
        return f"{said}: unless credits were added meanwhile, it was not charged"
    if unexplained == price * undecided:
        return f"{said}: it seems to have been charged"
    return f"{said}, which does not tell whether it was charged"
