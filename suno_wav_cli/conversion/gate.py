"""The gate that all submissions of a run pass: in order, as the account's window allows.

gate_state.py decides whether the service takes submissions, journal/slots.py when there is a slot.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.api.pricing import price_of
from suno_wav_cli.conversion.availability import Availability
from suno_wav_cli.conversion.budget import Allowance
from suno_wav_cli.conversion.gate_pass import Pass
from suno_wav_cli.conversion.gate_state import Move
from suno_wav_cli.errors import (
    JournalLocked,
    NoCredits,
    NotAuthorized,
    NotBegun,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    TooManyRequests,
)
from suno_wav_cli.events.payments import SubmissionScheduled, SubmissionsStopped
from suno_wav_cli.journal.slots import WindowFull
from suno_wav_cli.system.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from suno_wav_cli.conversion.context import ConversionContext
    from suno_wav_cli.journal.entry import Claim

_NEAR = 1.0
"""Seconds before its turn at which a submission's connection is opened."""
_FRESH = 3.0
"""Seconds after which an open connection that was not used is closed: the server may be closing it."""
_MOST_CONNECTIONS = 32
_BEFORE_PAYING = 5.0
"""Seconds that a payment waits for another program to let the journal go."""


class TurnMissed(Exception):
    """The gate was closed, or the turn took long, after the connection was opened."""


class SubmissionGate:
    """What every submission of a run passes, in the order in which the songs came.

    `planned` songs are to be paid for. `--max-credits` is kept here, too.
    """

    def __init__(self, context: ConversionContext, *, planned: int) -> None:
        self._context = context
        self._service = Availability(context)
        self._window = context.settings.window
        self._spacing = self._window.seconds / self._window.submissions
        self._allowance = Allowance(context.settings.max_credits)
        self._room = Turns(min(_MOST_CONNECTIONS, 1 + math.ceil(_NEAR / self._spacing)))
        self._approach, self._turn = Turns(1), Turns(1)
        self._not_begun = planned
        self._count = self._admitted = self._near = self._in_flight = 0
        self._is_explained = self._is_announced = False

    @contextmanager
    def admit(self, audio_id: str, *, planned: bool) -> Iterator[Pass]:
        """Let a song wait for its turn, inside the block. `planned` if the plan pays for it."""
        self._count += 1
        self._admitted += 1
        one = Pass(audio_id=audio_id, number=self._count, is_planned=planned)
        try:
            yield one
        except NotBegun:
            self._begin(one, begun=False)
            raise
        except BaseException:
            self._begin(one)
            raise
        else:
            self._begin(one)
        finally:
            self._settle(one)
            self._admitted -= 1
            self._announce_end()

    async def approach(self, one: Pass) -> None:
        """Wait until a connection is worth opening. Raise why nothing more is submitted, or NotBegun."""
        if not one.has_room:
            await self._room.enter(one.number)
            one.has_room = True
        move: Move | None = None
        while move is None:
            await self._approach.enter(one.number)
            try:
                # A song that has missed its turn passes those behind it.
                while move is None and self._approach.is_first(one.number):
                    move = await self._advance(one)
            finally:
                self._approach.leave()
        one.epoch, one.is_trial, one.is_near = self._service.epoch, move is Move.TRY, True
        self._near += 1
        if one.is_trial:
            self._service.begin_trial()

    async def _advance(self, one: Pass) -> Move | None:
        """Return how the song may be submitted, if its turn is near. Else wait, and return None."""
        if (left := self._context.room.seconds_left) is not None and self._service.end is None:
            # What is paid for now could not be saved.
            await self._service.wait_for_room(left)
            return None
        try:
            move = await self._service.advance()
        except SunoWavError as end:
            if self._is_explained:
                raise NotBegun(end) from None
            self._is_explained = True
            self._begin(one)
            raise
        if move is None:
            return None
        # Those before it take a slot each.
        delay = self._context.journal.slots.delay(self._window) + self._near * self._spacing
        if delay <= _NEAR:
            return move
        if not self._near:
            self._context.report(SubmissionScheduled(seconds=delay))
        await self._service.wait(delay - _NEAR)
        return None

    async def claim(
        self,
        one: Pass,
        claim: Callable[[Callable[[int], None]], Claim],
        *,
        is_closed: Callable[[], bool],
    ) -> Claim:
        """Claim the song as soon as its slot is free, with an open connection.

        After that nothing is waited for: a claim means that the request leaves. `is_closed` tells
        whether the connection was closed meanwhile. Raise TurnMissed, and what `claim` raises.
        """
        deadline = time.monotonic() + _FRESH
        try:
            try:
                async with asyncio.timeout(_FRESH):
                    await self._turn.enter(one.number)
            except TimeoutError:
                raise TurnMissed from None
            try:
                claimed = await self._claim_in_time(one, claim, is_closed, deadline)
            finally:
                self._turn.leave()
        except TurnMissed:
            # It keeps its room: the songs behind it must not pass it.
            self._leave_queue(one)
            raise
        one.was_closed = False
        self._settle(one, in_flight=claimed.new)
        self._begin(one)
        return claimed

    async def _claim_in_time(
        self,
        one: Pass,
        claim: Callable[[Callable[[int], None]], Claim],
        is_closed: Callable[[], bool],
        deadline: float,
    ) -> Claim:
        journal = self._context.journal

        def authorize(row: int) -> None:
            # Another program may have had the journal for a while.
            self._check_connection(one, is_closed, time.monotonic(), deadline)
            self._authorize(one, row)

        while True:
            self._check(one)
            delay = journal.slots.delay(self._window)
            self._check_connection(one, is_closed, time.monotonic() + delay, deadline)
            if delay > 0:
                await self._service.wait(delay)
                continue
            try:
                return await journal.when_unlocked(lambda: claim(authorize), seconds=_BEFORE_PAYING)
            except WindowFull:
                continue
            except JournalLocked:
                # Nothing was sent. The connection is not kept open for another program.
                if one.locked_until is None:
                    one.locked_until = time.monotonic() + self._context.settings.timeout
                if time.monotonic() >= one.locked_until:
                    raise
                raise TurnMissed from None

    def record(self, one: Pass, error: SunoWavError | None) -> None:
        """Note the outcome of a submission. Raise NotBegun if the account was refused before."""
        left, ended_before = one.is_in_flight, self._service.end is not None
        if isinstance(error, ServiceUnavailable):
            if left and not isinstance(error, SubmissionUnknown):
                # Certainly not paid for.
                self._allowance.refund()
                self._begin(one, begun=False)
            if left and not isinstance(error, SubmissionUnknown | TooManyRequests):
                # It steps back, so that the others are not held up.
                self._count += 1
                one.refuse(self._count, time.monotonic(), self._context.settings.timeout)
            if one.is_given_up:
                self._begin(one)
                self._service.note_answer(one.epoch)
            else:
                self._note_trouble(one, error, left=left)
        elif left and isinstance(error, NotAuthorized | NoCredits):
            self._service.note_refusal(error)
            if ended_before:
                self._settle(one)
                raise NotBegun(error) from error
        elif left:
            self._service.note_answer(one.epoch)
        self._settle(one)
        if left and self._service.end is error is not None:
            # The song itself fails with the reason.
            self._is_explained = isinstance(error, NotAuthorized | NoCredits | SubmissionUnknown)

    def note_slow(self, one: Pass) -> None:
        """Close the gate because a paid request has had no answer for long."""
        slow = ServiceUnavailable("a paid request has had no answer for long", "It is waited for.")
        self._note_trouble(one, slow, left=False)

    def _note_trouble(self, one: Pass, error: ServiceUnavailable, *, left: bool) -> None:
        waiting = self._admitted > self._in_flight
        self._service.note_trouble(error, one.epoch, one.audio_id, left=left, waiting=waiting)

    def _check(self, one: Pass) -> None:
        if one.epoch != self._service.epoch or self._service.end is not None:
            raise TurnMissed

    def _check_connection(self, one: Pass, is_closed: Callable[[], bool], at: float, deadline: float) -> None:
        """Raise TurnMissed or ServiceUnavailable if the connection is of no use at that time."""
        if is_closed():
            one.note_closed(self._context.run.service_options)
            raise TurnMissed
        if at > deadline:
            raise TurnMissed

    def _authorize(self, one: Pass, row: int) -> None:
        """Take a slot and count the payment, inside the transaction that records it."""
        self._check(one)
        timing = self._context.run.api_timing
        self._context.journal.slots.take(row, self._window, answer_within=timing.payment)
        self._allowance.spend()

    def _begin(self, one: Pass, *, begun: bool = True) -> None:
        """Count a song as begun, or as not begun after all."""
        if one.is_planned:
            self._not_begun += one.is_begun - begun
            one.is_begun = begun

    def _leave_queue(self, one: Pass) -> None:
        """Note that a song is not near its turn any more, nor on trial."""
        self._near -= one.is_near
        one.is_near = False
        if one.is_trial:
            one.is_trial = False
            self._service.end_trial(one.epoch)
        self._service.wake()

    def _settle(self, one: Pass, *, in_flight: bool = False) -> None:
        """Give back what a song has of the gate, except that its request is in flight."""
        if one.has_room:
            self._room.leave()
        one.has_room = False
        self._in_flight += in_flight - one.is_in_flight
        one.is_in_flight = in_flight
        if in_flight:
            self._near -= one.is_near
            one.is_near = False
            self._service.wake()
        else:
            self._leave_queue(one)

    def _announce_end(self) -> None:
        """Say once how many songs were not begun. What is in flight has to end first."""
        reason = self._service.end
        if reason is None or self._is_announced or self._in_flight or self._not_begun <= 0:
            return
        self._is_announced = True
        self._context.report(
            SubmissionsStopped(
                reason=reason.message, not_begun=self._not_begun, price=price_of(self._not_begun)
            )
        )
