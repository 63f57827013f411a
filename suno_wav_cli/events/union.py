"""All events. Importing this loads every module of them: at run time, only their schema does."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.account import AccountEvent
from suno_wav_cli.events.callbacks import CallbackEvent
from suno_wav_cli.events.checks import CheckEvent
from suno_wav_cli.events.commands import CommandEvent
from suno_wav_cli.events.deliveries import DeliveryEvent
from suno_wav_cli.events.ends import EndEvent
from suno_wav_cli.events.follow_up import FollowUpEvent
from suno_wav_cli.events.payments import PaymentEvent
from suno_wav_cli.events.songs import SongEvent
from suno_wav_cli.events.trigger import TriggerEvent

if TYPE_CHECKING:
    from collections.abc import Callable

Event: TypeAlias = (
    PaymentEvent
    | SongEvent
    | FollowUpEvent
    | CallbackEvent
    | DeliveryEvent
    | TriggerEvent
    | AccountEvent
    | CheckEvent
    | CommandEvent
    | EndEvent
)

Report: TypeAlias = "Callable[[Event], None]"
