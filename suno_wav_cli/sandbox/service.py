"""The service's state and rules, without HTTP (api/README.md, sections 2 to 4)."""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from suno_wav_cli.sandbox.behaviours import Answer, Behaviour, choose_behaviour
from suno_wav_cli.sandbox.records import make_music_record
from suno_wav_cli.sandbox.refusals import Refusal
from suno_wav_cli.sandbox.tasks import Task

if TYPE_CHECKING:
    from suno_wav_cli.models import Secret
    from suno_wav_cli.sandbox.contracts import Contract, Submission

PRICE = Decimal("0.4")
_WINDOW_TASKS, _WINDOW_SECONDS = 20, 10.0


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer. `refusal` is None if the request succeeded, a number if it is a code by itself.

    `message` replaces the contract's own words. `task` is set if a submission was accepted.
    """

    refusal: Refusal | int | None = None
    data: Any = None
    task: Task | None = None
    message: str | None = None

    def make_envelope(self, contract: Contract) -> dict[str, Any]:
        code, message = (200, "success") if self.refusal is None else contract.explain(self.refusal)
        envelope = {"code": code, "msg": self.message or message}
        return envelope if code != 200 and self.data is None else envelope | {"data": self.data}


@dataclass(kw_only=True)
class Counters:
    """What the sandbox has seen, by audio id."""

    submissions: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    lookups: Counter[str] = field(default_factory=Counter)
    callbacks: Counter[str] = field(default_factory=Counter)
    file_requests: Counter[str] = field(default_factory=Counter)
    file_bytes: Counter[str] = field(default_factory=Counter)


class Service:
    """One account, shared by all contracts.

    `speed` divides every waiting time. `seed` makes the ids repeatable. `hmac_key` signs callbacks.
    """

    def __init__(self, *, speed: float, seed: int | None, credits_left: int, hmac_key: Secret | None) -> None:
        self.speed = speed
        self.hmac_key = hmac_key
        self.counters = Counters()
        self._random = random.Random(seed)
        self._credits = Decimal(credits_left)
        self._accepted_at: deque[float] = deque()
        self._tasks: dict[str, Task] = {}
        # By which contract each task was submitted: no other one knows it.
        self._contracts: dict[str, Contract] = {}

    def now(self) -> float:
        return time.monotonic() * self.speed

    def find_task(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def show_credits(self) -> Reply:
        return Reply(data=float(self._credits))

    def show_music_task(self, base_url: str, music_task_id: str) -> Reply:
        if not music_task_id:
            return Reply(refusal=Refusal.INVALID)
        return Reply(data=make_music_record(base_url, music_task_id))

    def show_record(self, contract: Contract, task_id: str) -> Reply:
        task = self._tasks.get(task_id)
        if task is None or self._contracts[task_id] is not contract:
            return Reply(refusal=Refusal.UNKNOWN_TASK)
        self.counters.lookups[task.audio_id] += 1
        task.lookups += 1
        if task.behaviour.lookup_code != 200:
            return Reply(refusal=task.behaviour.lookup_code)
        if task.lookups == 1 and task.behaviour.record == "unknown-first":
            return Reply(refusal=Refusal.UNKNOWN_TASK)
        if task.lookups == 1 and task.behaviour.record == "null-first":
            return Reply()
        return Reply(data=contract.make_record(task, self.now() >= task.ready_at))

    def submit(self, contract: Contract, submission: Submission, base_url: str) -> Reply:
        audio_id = submission.audio_id
        self.counters.submissions[audio_id] += 1
        behaviour = choose_behaviour(audio_id)
        if behaviour.answer is Answer.REFUSE or (
            behaviour.answer is Answer.REFUSE_TWICE and self.counters.submissions[audio_id] <= 2
        ):
            return Reply(refusal=behaviour.refusal, message=behaviour.message)
        if behaviour.answer is Answer.EXISTS_WITHOUT_ID:
            return Reply(refusal=Refusal.EXISTS)
        if behaviour.answer is Answer.EXISTS:
            task = self._add_task(contract, submission, base_url, behaviour)
            task.ready_at = self.now()
            return Reply(refusal=Refusal.EXISTS, data={"taskId": task.task_id})
        refusal = self._charge()
        if refusal is not None:
            return Reply(refusal=refusal)
        self.counters.accepted[audio_id] += 1
        task = self._add_task(contract, submission, base_url, behaviour)
        return Reply(data=None if behaviour.answer is Answer.NO_ID else {"taskId": task.task_id}, task=task)

    def _charge(self) -> Refusal | None:
        """Take the price of one conversion, unless the rate or the credits forbid it."""
        now = self.now()
        while self._accepted_at and now - self._accepted_at[0] >= _WINDOW_SECONDS:
            self._accepted_at.popleft()
        if len(self._accepted_at) >= _WINDOW_TASKS:
            return Refusal.TOO_MANY
        if self._credits < PRICE:
            return Refusal.NO_CREDITS
        self._accepted_at.append(now)
        self._credits -= PRICE
        return None

    def _add_task(
        self, contract: Contract, submission: Submission, base_url: str, behaviour: Behaviour
    ) -> Task:
        task = Task(
            task_id=f"{self._random.getrandbits(128):032x}",
            audio_id=submission.audio_id,
            music_task_id=submission.music_task_id,
            callback_url=submission.callback_url,
            callback_shape=behaviour.callback or contract.callback_shape,
            base_url=base_url,
            behaviour=behaviour,
            ready_at=self.now() + behaviour.seconds,
        )
        self._tasks[task.task_id] = task
        self._contracts[task.task_id] = contract
        return task
