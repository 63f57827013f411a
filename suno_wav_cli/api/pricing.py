"""What a conversion costs. Amounts are exact decimals, never floats."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

WAV_PRICE = Decimal("0.4")
"""Credits (api/README.md, section 2)."""


def price_of(wavs: int) -> Decimal:
    return WAV_PRICE * wavs


def count_wavs(amount: Decimal) -> int:
    """Return how many WAVs an amount pays for."""
    return max(0, int((amount / WAV_PRICE).to_integral_value(ROUND_FLOOR)))


def format_credits(amount: Decimal) -> str:
    """Write an amount without an exponent and without trailing zeros."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
