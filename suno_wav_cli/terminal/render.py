"""The words for every event."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from suno_wav_cli.events import (
    AccountEvent,
    CallbackEvent,
    CheckEvent,
    CommandEvent,
    DeliveryEvent,
    FollowUpEvent,
    PaymentEvent,
    SongEvent,
    TriggerEvent,
)
from suno_wav_cli.terminal.messages_account import render_account
from suno_wav_cli.terminal.messages_callbacks import render_callback
from suno_wav_cli.terminal.messages_checks import render_check
from suno_wav_cli.terminal.messages_commands import render_command
from suno_wav_cli.terminal.messages_deliveries import render_delivery
from suno_wav_cli.terminal.messages_follow_up import render_follow_up
from suno_wav_cli.terminal.messages_payments import render_payment
from suno_wav_cli.terminal.messages_songs import render_song
from suno_wav_cli.terminal.messages_trigger import render_trigger
from suno_wav_cli.terminal.queries import for_people

if TYPE_CHECKING:
    from suno_wav_cli.events import Event
    from suno_wav_cli.terminal.message import Message


def render(event: Event) -> Message:  # noqa: PLR0911 - one for each group of events
    """Put an event into words. Text of others loses what could control a terminal, addresses their queries."""
    event = for_people(event)
    if isinstance(event, PaymentEvent):
        return render_payment(event)
    if isinstance(event, SongEvent):
        return render_song(event)
    if isinstance(event, FollowUpEvent):
        return render_follow_up(event)
    if isinstance(event, CallbackEvent):
        return render_callback(event)
    if isinstance(event, DeliveryEvent):
        return render_delivery(event)
    if isinstance(event, TriggerEvent):
        return render_trigger(event)
    if isinstance(event, AccountEvent):
        return render_account(event)
    if isinstance(event, CheckEvent):
        return render_check(event)
    if isinstance(event, CommandEvent):
        return render_command(event)
    assert_never(event)
