"""The lookups of a run: one poller gives all waiting tasks their turns.

However many songs wait, the service gets a few lookups a second. When it is whose turn is decided
in poll_schedule.py. Only a lookup on its way has a coroutine: a task that waits is a record.
"""

from __future__ import annotations

import asyncio
import math
import time
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.callback_evidence import CallbackEvidence
from suno_wav_cli.conversion.poll_schedule import Pace, PolledTask, Schedule
from suno_wav_cli.errors import SunoWavError
from suno_wav_cli.events.callbacks import CallbacksMissing, LookupsDelayed
from suno_wav_cli.models import WavRecord, WavState
from suno_wav_cli.system.bounded_dict import BoundedDict

if TYPE_CHECKING:
    from suno_wav_cli.api.client import Client
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.config.wait_limits import WaitLimits
    from suno_wav_cli.conversion.lookup_retry import Answer, AskAgain
    from suno_wav_cli.conversion.poll_schedule import Waiter
    from suno_wav_cli.events import Report

_AT_ONCE = 32
"""Lookups that are on their way. A service that does not answer must not use up the connections."""

_MOST_EARLY = 256
"""Callbacks that are remembered for tasks without a song: they may come before the submission's answer."""


class Poller:
    """Each song that waits has a `PolledTask` here, from `follow` to `forget`."""

    def __init__(self, settings: Settings, limits: WaitLimits, report: Report) -> None:
        window = settings.window
        # Twice as many lookups as submissions: what goes in has to come out.
        gap = min(limits.lookup_gap, window.seconds / window.submissions / 2)
        self._schedule = Schedule(longest=limits.longest_pause, pace=Pace(gap=gap))
        self._evidence = CallbackEvidence(grace=limits.callback_grace)
        self._poll_interval = settings.poll_interval
        self._report = report
        # One for the callbacks of all who wait, which would copy one each.
        self.callback_context = copy_context()
        self._followed = set[PolledTask]()
        self._by_id: dict[str, PolledTask] = {}
        self._early: BoundedDict[str, bool] = BoundedDict(_MOST_EARLY)
        self._open_url: str | None = None
        self._running = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next_end = math.inf
        self._is_delay_said = False

    def follow(self, task_id: str, waiter: Waiter, *, callback_url: str | None) -> PolledTask:
        """Begin to wait for a task. `callback_url` is what this run has just submitted it with.

        Each turn runs the waiter's `look_up`, in which `ask` asks the service.
        """
        now, is_called = time.monotonic(), self._early.pop(task_id) is not None
        task = PolledTask(
            task_id=task_id,
            callback_url=callback_url,
            waiter=waiter,
            began=now,
            since=now,
            called=is_called,
        )
        self._followed.add(task)
        self._by_id[task_id] = task
        return task

    def forget(self, task: PolledTask) -> None:
        """Wait no longer. A lookup on its way is cancelled."""
        self._followed.discard(task)
        if self._by_id.get(task.task_id) is task:
            del self._by_id[task.task_id]
        self._schedule.remove(task)
        if task.lookup is not None:
            task.lookup.cancel()

    def schedule(self, task: PolledTask, step: AskAgain) -> None:
        """Give the task a turn by the clock, or when its callback comes."""
        self._schedule.add(task, step)
        self._advance()

    def limit(self, task: PolledTask, ends_at: float) -> None:
        """Let the task's waiter give it up at this time, unless it waits no longer then."""
        task.ends_at = ends_at
        if ends_at < self._next_end:
            self._next_end = ends_at
            self._advance()

    async def ask(self, client: Client, task: PolledTask) -> Answer:
        """Look up a task that has its turn. An error is an answer too."""
        was_called, task.called = task.called, False
        answer = await fetch_answer(client, task.task_id)
        task.since = time.monotonic()
        is_expected = task.callback_url is not None and task.callback_url == self._open_url
        if is_expected and isinstance(answer, WavRecord) and answer.state is not WavState.PENDING:
            self._evidence.decided(
                task.task_id, submitted=task.began, called=was_called or task.called, now=task.since
            )
            self._schedule.set_pauses(self._evidence.factor, self._open_url)
        return answer

    def expect_callbacks(self, callback_url: str | None) -> None:
        """Expect callbacks at this address alone from now on, or none at all."""
        if callback_url != self._open_url:
            now, self._open_url = time.monotonic(), callback_url
            self._evidence.set_reachable(None if callback_url is None else now)
            self._schedule.set_pauses(self._evidence.factor, callback_url)
            self._schedule.hurry(now)
            self._advance()

    def wake(self, task_id: str) -> None:
        """Look a task up soon, which a callback has named."""
        self._evidence.came(task_id)
        task = self._by_id.get(task_id)
        if task is None:
            self._early[task_id] = True
        else:
            self._schedule.call(task)
            self._advance()

    def _begin_lookup(self, task: PolledTask) -> None:
        self._running += 1
        task.lookup = asyncio.create_task(task.waiter.look_up())
        task.lookup.add_done_callback(partial(self._end_lookup, task))

    def _end_lookup(self, task: PolledTask, lookup: asyncio.Task[None]) -> None:
        self._running -= 1
        if task.lookup is lookup:
            task.lookup = None
        self._advance()

    def _advance(self) -> None:
        """Give turns to the tasks that are to be looked up now, and set the timer for what comes next."""
        now = time.monotonic()
        if self._next_end <= now:
            self._give_up_late(now)
        if self._evidence.expire(now):
            self._report(CallbacksMissing(poll_interval=self._poll_interval))
        self._schedule.set_pauses(self._evidence.factor, self._open_url)
        while self._running < _AT_ONCE and (task := self._schedule.next_task(now)) is not None:
            self._say_delay(task, now)
            self._begin_lookup(task)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # With all lookups on their way, the end of one advances the others.
        turn = self._schedule.next_time() if self._running < _AT_ONCE else None
        at = self._next_end if turn is None else min(turn, self._evidence.next_expiry, self._next_end)
        if at < math.inf:
            self._timer = asyncio.get_running_loop().call_at(at, self._advance)

    def _give_up_late(self, now: float) -> None:
        """End the waits whose time is up. All are looked at, which is seldom: their ends come one by one."""
        late = [task for task in self._followed if task.ends_at <= now]
        for task in sorted(late, key=lambda task: task.ends_at):
            self.forget(task)
            task.waiter.give_up()
        self._next_end = min((task.ends_at for task in self._followed), default=math.inf)

    def _say_delay(self, task: PolledTask, now: float) -> None:
        """Report once that tasks are looked up less often than `--poll-interval` says."""
        is_late = task.seconds > 0 and now - task.due > self._poll_interval
        if is_late and not task.called and not self._is_delay_said:
            self._is_delay_said = True
            waiting = len(self._schedule) + self._running + 1
            self._report(
                LookupsDelayed(tasks=waiting, poll_interval=self._poll_interval, seconds=now - task.since)
            )


async def fetch_answer(client: Client, task_id: str) -> Answer:
    """Look a task up once. An error is an answer too."""
    try:
        # As it came, a record has a kilobyte or more, and thousands may be kept.
        return replace(await client.fetch_record(task_id, retries=0), raw={})
    except SunoWavError as error:
        return error
