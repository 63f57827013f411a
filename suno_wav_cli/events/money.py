"""Keys, credits and prices. Amounts are in credits, and exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path


@event
class Balance:
    """What is left, and for how many WAVs that is."""

    credits: Decimal
    wavs: int
    price_each: Decimal


@event
class Planned:
    """What `--dry-run` would do with a song: `step` is there, continue, unknown, or submit, which alone costs `price`."""

    audio_id: str
    path: Path
    step: str
    price: Decimal


@event
class Quoted:
    """The price of `submissions` against the `balance`, which is None where it is not known, with the `reason`.

    `refusal` says, for `--dry-run`, why the batch would not be begun.
    """

    submissions: int
    price: Decimal
    balance: Decimal | None
    reason: str | None
    refusal: str | None


@event
class KeyKept:
    """`place` is the keyring, or the file and the `reason` for it. `credits` is None where the key was not verified.

    `overridden` names the variable whose key is used in its place.
    """

    base_url: str
    place: str
    reason: str | None
    credits: Decimal | None
    overridden: str | None


@event
class KeyForgotten:
    """`place` is None where no key was kept; `still` names the variable that holds one."""

    base_url: str
    place: str | None
    still: str | None
