"""The service's state and rules, without HTTP (api/README.md)."""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from suno_wav_cli.sandbox.behaviours import Answer, Behaviour, choose_behaviour
from suno_wav_cli.sandbox.contracts import Refusal
from suno_wav_cli.sandbox.tasks import Task

if TYPE_CHECKING:
    from suno_wav_cli.models import Secret
    from suno_wav_cli.sandbox.contracts import Asked, Contract

PRICE = Decimal("0.4")
_WINDOW_TASKS, _WINDOW_SECONDS = 20, 10.0


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered: a refusal, or None for success. `task` is set where a conversion was accepted.

    `message` stands in place of the contract's own words for the refusal.
    """

    refusal: Refusal | int | None = None
    data: Any = None
    task: Task | None = None
    message: str | None = None

    def envelope(self, contract: Contract) -> dict[str, Any]:
        code, message = (200, "success") if self.refusal is None else contract.said(self.refusal)
        message = self.message or message
        if code != 200 and self.data is None:
            return {"code": code, "msg": message}
        return {"code": code, "msg": message, "data": self.data}


@dataclass(kw_only=True)
class Counters:
    """What the sandbox saw, for tests and the curious."""

    submissions: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    lookups: Counter[str] = field(default_factory=Counter)
    callbacks: Counter[str] = field(default_factory=Counter)
    file_requests: Counter[str] = field(default_factory=Counter)
    file_bytes: Counter[str] = field(default_factory=Counter)


class Service:
    """One account. `speed` divides every waiting time; `seed` makes the ids repeatable; `hmac_key` signs callbacks."""

    def __init__(self, *, speed: float, seed: int | None, credits_left: int, hmac_key: Secret | None) -> None:
        self.speed = speed
        self.hmac_key = hmac_key
        self.counters = Counters()
        self._random = random.Random(seed)
        self._credits = Decimal(credits_left)
        self._accepted_at: deque[float] = deque()
        self._tasks: dict[str, Task] = {}

    def now(self) -> float:
        return time.monotonic() * self.speed

    def credits(self) -> Reply:
        return Reply(data=float(self._credits))

    def submit(self, contract: Contract, asked: Asked, base_url: str) -> Reply:
        audio_id = asked.audio_id
        self.counters.submissions[audio_id] += 1
        behaviour = choose_behaviour(audio_id)
        if behaviour.answer is Answer.REFUSE or (
            behaviour.answer is Answer.REFUSE_TWICE and self.counters.submissions[audio_id] <= 2
        ):
            return Reply(refusal=behaviour.refusal, message=behaviour.message)
        if behaviour.answer is Answer.EXISTS_WITHOUT_ID:
            return Reply(refusal=Refusal.EXISTS)
        if behaviour.answer is Answer.EXISTS:
            task = self._new_task(contract, asked, base_url, behaviour)
            task.ready_at = self.now()
            return Reply(refusal=Refusal.EXISTS, data={"taskId": task.task_id})
        refused = self._refused_by_account()
        if refused is not None:
            return Reply(refusal=refused)
        self._credits -= PRICE
        self.counters.accepted[audio_id] += 1
        task = self._new_task(contract, asked, base_url, behaviour)
        return Reply(data=None if behaviour.answer is Answer.NO_ID else {"taskId": task.task_id}, task=task)

    def record(self, contract: Contract, task_id: str) -> Reply:
        task = self._tasks.get(task_id)
        if task is None or task.contract is not contract:
            return Reply(refusal=Refusal.UNKNOWN_TASK)
        self.counters.lookups[task.audio_id] += 1
        task.lookups += 1
        if task.behaviour.lookup_code != 200:
            return Reply(refusal=task.behaviour.lookup_code)
        if task.lookups == 1 and task.behaviour.record == "unknown-first":
            return Reply(refusal=Refusal.UNKNOWN_TASK)
        if task.lookups == 1 and task.behaviour.record == "null-first":
            return Reply()
        return Reply(data=contract.record(task, self.now() >= task.ready_at))

    def tracks(self, base_url: str, music_task_id: str) -> Reply:
        if not music_task_id:
            return Reply(refusal=Refusal.INVALID)
        tracks = [_track(base_url, music_task_id, index) for index in range(2)]
        response = {"taskId": music_task_id, "sunoData": tracks}
        return Reply(
            data={
                "taskId": music_task_id,
                "status": "SUCCESS",
                "type": "GENERATE",
                "response": response,
                "errorCode": None,
            },
        )

    def task(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def _refused_by_account(self) -> Refusal | None:
        now = self.now()
        while self._accepted_at and now - self._accepted_at[0] >= _WINDOW_SECONDS:
            self._accepted_at.popleft()
        if len(self._accepted_at) >= _WINDOW_TASKS:
            return Refusal.TOO_MANY
        if self._credits < PRICE:
            return Refusal.NO_CREDITS
        self._accepted_at.append(now)
        return None

    def _new_task(self, contract: Contract, asked: Asked, base_url: str, behaviour: Behaviour) -> Task:
        now = self.now()
        task = Task(
            contract=contract,
            task_id=f"{self._random.getrandbits(128):032x}",
            audio_id=asked.audio_id,
            music_task_id=asked.music_task_id,
            callback_url=asked.callback_url,
            base_url=base_url,
            behaviour=behaviour,
            created=now,
            ready_at=now + behaviour.seconds,
        )
        self._tasks[task.task_id] = task
        return task


def _track(base_url: str, music_task_id: str, index: int) -> dict[str, Any]:
    # The same task has the same tracks whenever it is asked for, in every sandbox.
    audio_id = str(UUID(int=random.Random(f"{music_task_id}/{index}").getrandbits(128), version=4))
    return {
        "id": audio_id,
        "audioUrl": f"https://example.com/{audio_id}.mp3",
        "streamAudioUrl": f"https://example.com/{audio_id}",
        "imageUrl": f"{base_url}covers/{audio_id}.png",
        "prompt": "[Verse]\nLa la la, là-haut\n\n[Chorus]\nらららら ♪",
        "modelName": "chirp-v4",
        "title": f"Sandbox song {index + 1}",
        "tags": "sine, practice",
        "createTime": "2025-01-01 00:00:00",
        "duration": 6.0,
    }
