"""Whether the service takes submissions now: the state of gate_state.py, and what is reported of it."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.gate_state import (
    GateRules,
    GateState,
    Move,
    after_answer,
    after_lookup,
    after_refusal,
    after_trouble,
    decide,
)
from suno_wav_cli.errors import BalanceUnknown, DiskFull, ServiceUnavailable, SunoWavError
from suno_wav_cli.events.payments import SubmissionDelayed, SubmissionsPaused, SubmissionsResumed

if TYPE_CHECKING:
    from suno_wav_cli.conversion.context import ConversionContext


_ROOM_SECONDS = 0.5
"""Seconds between two looks whether a full disk has room again."""


class Availability:
    """What the answers of this run say about the service."""

    def __init__(self, context: ConversionContext) -> None:
        settings = context.settings
        self._context = context
        self._rules = GateRules(
            retries=settings.lookup_retries, timeout=settings.timeout, limits=context.run.wait_limits
        )
        self._state = GateState()
        self._changed = asyncio.Event()
        self._is_paused = False

    @property
    def epoch(self) -> int:
        return self._state.epoch

    @property
    def end(self) -> SunoWavError | None:
        """Why nothing more is submitted."""
        return self._state.trouble if self._state.is_final else None

    async def advance(self) -> Move | None:
        """Return SUBMIT or TRY if a song may be submitted. Else wait or ask, and return None.

        If nothing more is submitted, raise the reason.
        """
        move, seconds = decide(self._state, time.monotonic(), self._rules)
        match move:
            case Move.SUBMIT | Move.TRY:
                return move
            case Move.LOOK_UP:
                await self._look_up()
            case Move.WAIT:
                await self.wait(seconds)
            case Move.STOP:
                self._state = replace(self._state, is_final=True)
                if self.end is None:
                    raise AssertionError("submissions have stopped without a reason")
                raise self.end
        return None

    async def wait(self, seconds: float) -> None:
        """Wait until something has changed, at most so long."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def wait_for_room(self, seconds: float) -> None:
        """Wait a moment, because a disk is too full. After these `seconds`, nothing more is submitted."""
        if seconds <= 0:
            self.note_refusal(
                DiskFull(
                    "a disk stays full", "Make room, then run the same command again: nothing is paid twice."
                )
            )
            return
        if not self._is_paused:
            self._is_paused = True
            self._context.report(SubmissionsPaused(reason="a disk is full", seconds=seconds))
        await self.wait(min(seconds, _ROOM_SECONDS))

    def wake(self) -> None:
        """End the wait: something else has changed."""
        self._changed.set()

    def begin_trial(self) -> None:
        self._state = replace(self._state, on_trial=True)

    def end_trial(self, epoch: int) -> None:
        """Let another song try, if the trial of this epoch has had no outcome."""
        if epoch == self._state.epoch:
            self._state = replace(self._state, on_trial=False)

    def note_answer(self, epoch: int) -> None:
        """Note that the service has decided about a song."""
        self._change(after_answer(self._state, epoch))

    def note_refusal(self, error: SunoWavError) -> None:
        """Note that the account was refused: nothing more is submitted."""
        self._change(after_refusal(self._state, error))

    def note_trouble(
        self, error: ServiceUnavailable, epoch: int, audio_id: str, *, left: bool, waiting: bool
    ) -> None:
        """Note that a submission was not accepted, or that this is not known.

        `left` if the request has left, `waiting` if songs wait for the service.
        """
        answered = self._context.client.key_worked
        state = after_trouble(
            self._state,
            error,
            epoch,
            time.monotonic(),
            self._rules,
            answered=answered,
            left=left,
            jitter=_jitter(),
        )
        pause = self._change(state)
        if pause and not answered:
            self._context.report(SubmissionDelayed(audio_id=audio_id, reason=error.message, seconds=pause))
        elif pause and waiting:
            self._report_pause(pause)

    async def _look_up(self) -> None:
        """Make the free lookup of the balance. Whatever the service answers to it, it is there again."""
        client, away = self._context.client, None
        try:
            await client.fetch_credits(retries=0)
        except BalanceUnknown:
            pass
        except ServiceUnavailable as error:
            away = error
        except SunoWavError:
            pass
        pause = self._change(
            after_lookup(
                self._state,
                away,
                time.monotonic(),
                self._rules,
                answered=client.key_worked,
                jitter=_jitter(),
            )
        )
        if pause:
            self._report_pause(pause)

    def _change(self, state: GateState) -> float:
        """Take a new state. Return the seconds of a new pause."""
        before, self._state = self._state, state
        self._changed.set()
        if state.trouble is None and self._is_paused:
            self._is_paused = False
            self._context.report(SubmissionsResumed())
        is_pause = state.trouble is not None and not state.is_final and state.until != before.until
        return max(0.0, state.until - time.monotonic()) if is_pause else 0.0

    def _report_pause(self, seconds: float) -> None:
        reason = "" if self._state.trouble is None else self._state.trouble.message
        self._is_paused = True
        self._context.report(SubmissionsPaused(reason=reason, seconds=seconds))


def _jitter() -> float:
    return random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
