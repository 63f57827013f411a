"""The service's state and rules, without HTTP (contract/wav-api.md)."""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from suno_wav_cli.sandbox.behaviours import Answer, Behaviour, behaviour_of
from suno_wav_cli.sandbox.records import shaped_record
from suno_wav_cli.sandbox.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.models import Secret

PRICE = Decimal("0.4")
_WINDOW_TASKS, _WINDOW_SECONDS = 20, 10.0
_FIELDS = frozenset({"taskId", "audioId", "callBackUrl"})

_MESSAGES: Mapping[int, str] = {
    400: "Invalid parameters",
    401: "You do not have access permissions",
    404: "task not found",
    405: "Rate limit exceeded",
    409: "WAV record already exists",
    413: "Parameter too long",
    429: "Insufficient credits",
    430: "Call frequency too high, please try again later",
    451: "Failed to download the source audio",
    455: "System maintenance in progress",
    500: "Server error",
    501: "Audio generation failed",
}


@dataclass(frozen=True)
class Reply:
    """An envelope. `task` is set where a conversion was accepted."""

    code: int
    data: Any = None
    task: Task | None = None

    def envelope(self) -> dict[str, Any]:
        message = "success" if self.code == 200 else _MESSAGES.get(self.code, f"code {self.code}")
        if self.code != 200 and self.data is None:
            return {"code": self.code, "msg": message}
        return {"code": self.code, "msg": message, "data": self.data}


@dataclass
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
        return Reply(200, float(self._credits))

    def submit(self, body: object, base_url: str) -> Reply:
        if (
            not isinstance(body, dict)
            or not set(body) <= _FIELDS
            or not all(isinstance(v, str) for v in body.values())
        ):
            return Reply(400)
        audio_id, callback_url = body.get("audioId", ""), body.get("callBackUrl", "")
        if not audio_id or not callback_url.startswith(("http://", "https://")):
            return Reply(400)
        self.counters.submissions[audio_id] += 1
        behaviour = behaviour_of(audio_id)
        if behaviour.answer is Answer.REFUSE or (
            behaviour.answer is Answer.REFUSE_TWICE and self.counters.submissions[audio_id] <= 2
        ):
            return Reply(behaviour.code)
        if behaviour.answer in (Answer.EXISTS, Answer.EXISTS_WITHOUT_ID):
            return self._existing(body, base_url, behaviour)
        refused = self._refused_by_account()
        if refused is not None:
            return refused
        self._credits -= PRICE
        self.counters.accepted[audio_id] += 1
        task = self._new_task(body, base_url, behaviour)
        data = None if behaviour.answer is Answer.NO_ID else {"taskId": task.task_id}
        return Reply(200, data, task)

    def record(self, task_id: str) -> Reply:
        task = self._tasks.get(task_id)
        if task is None:
            return Reply(404)
        self.counters.lookups[task.audio_id] += 1
        task.lookups += 1
        if task.behaviour.lookup_code != 200:
            return Reply(task.behaviour.lookup_code)
        code, data = shaped_record(task, decided=self.now() >= task.ready_at)
        return Reply(code, data)

    def tracks(self, music_task_id: str) -> Reply:
        if not music_task_id:
            return Reply(400)
        tracks = [_track(music_task_id, index) for index in range(2)]
        response = {"taskId": music_task_id, "sunoData": tracks}
        return Reply(
            200,
            {
                "taskId": music_task_id,
                "status": "SUCCESS",
                "type": "GENERATE",
                "response": response,
                "errorCode": None,
            },
        )

    def task(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def _refused_by_account(self) -> Reply | None:
        now = self.now()
        while self._accepted_at and now - self._accepted_at[0] >= _WINDOW_SECONDS:
            self._accepted_at.popleft()
        if len(self._accepted_at) >= _WINDOW_TASKS:
            return Reply(405)
        if self._credits < PRICE:
            return Reply(429)
        self._accepted_at.append(now)
        return None

    def _existing(self, body: dict[str, str], base_url: str, behaviour: Behaviour) -> Reply:
        if behaviour.answer is Answer.EXISTS_WITHOUT_ID:
            return Reply(409)
        task = self._new_task(body, base_url, behaviour)
        task.ready_at = self.now()
        return Reply(409, {"taskId": task.task_id})

    def _new_task(self, body: dict[str, str], base_url: str, behaviour: Behaviour) -> Task:
        now = self.now()
        task = Task(
            task_id=f"{self._random.getrandbits(128):032x}",
            audio_id=body["audioId"],
            music_task_id=body.get("taskId", ""),
            callback_url=body["callBackUrl"],
            base_url=base_url,
            behaviour=behaviour,
            created=now,
            ready_at=now + behaviour.seconds,
        )
        self._tasks[task.task_id] = task
        return task


def _track(music_task_id: str, index: int) -> dict[str, Any]:
    # The same task has the same tracks whenever it is asked for, in every sandbox.
    audio_id = str(UUID(int=random.Random(f"{music_task_id}/{index}").getrandbits(128), version=4))
    return {
        "id": audio_id,
        "audioUrl": f"https://example.com/{audio_id}.mp3",
        "streamAudioUrl": f"https://example.com/{audio_id}",
        "imageUrl": f"https://example.com/{audio_id}.jpeg",
        "prompt": "la la la",
        "modelName": "chirp-v4",
        "title": f"Sandbox song {index + 1}",
        "tags": "sine, practice",
        "createTime": "2025-01-01 00:00:00",
        "duration": 6.0,
    }
