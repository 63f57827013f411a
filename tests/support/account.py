"""An account at a sandbox of its own, used over HTTP."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import Queue
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli.events.commands import RequestServed
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.sandbox.routes import COUNTERS_PATH
from suno_wav_cli.system.loopback import address_of, bind_socket

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.events import Event
    from suno_wav_cli.models import Secret

GENERATE = "/api/v1/wav/generate"
RECORD = "/api/v1/wav/record-info"
MUSIC = "/api/v1/generate/record-info"
CREDIT = "/api/v1/generate/credit"
PLACEHOLDER = "https://example.com/callback"
KEY = {"Authorization": "Bearer any"}
FAST = 1000.0


@dataclass(frozen=True, kw_only=True)
class SandboxAccount:
    """One account. `events` holds what the sandbox reported."""

    http: httpx.Client
    events: Queue[Event] = field(default_factory=Queue)

    def submit(self, audio_id: str, callback_url: str = PLACEHOLDER) -> httpx.Response:
        return self.http.post(GENERATE, json={"audioId": audio_id, "callBackUrl": callback_url})

    def task(self, audio_id: str, callback_url: str = PLACEHOLDER) -> str:
        return str(self.submit(audio_id, callback_url).json()["data"]["taskId"])

    def record(self, task_id: str) -> httpx.Response:
        return self.http.get(RECORD, params={"taskId": task_id})

    def wait_until_decided(self, task_id: str) -> httpx.Response:
        """Look up until the task is decided, for at most five seconds."""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            response = self.record(task_id)
            if response.json()["data"]["successFlag"] != "PENDING":
                return response
        raise AssertionError("still pending")

    def wait_for_url(self, task_id: str) -> str:
        """Wait for the task, and return its file's URL."""
        return str(self.wait_until_decided(task_id).json()["data"]["response"]["audioWavUrl"])

    def file_url(self, audio_id: str) -> str:
        return self.wait_for_url(self.task(audio_id))

    def credits(self) -> Any:
        return self.http.get(CREDIT).json()["data"]

    def callbacks(self, count: int) -> list[RequestServed]:
        """Wait for the sandbox's report of `count` callbacks."""
        found: list[RequestServed] = []
        while len(found) < count:
            event = self.events.get(timeout=5)
            if isinstance(event, RequestServed) and event.method == "CALLBACK":
                found.append(event)
        return found

    def counted(self, what: str, audio_id: str) -> int:
        return int(self.http.get(COUNTERS_PATH).json()[what].get(audio_id, 0))


@contextmanager
def open_account(
    *,
    speed: float = FAST,
    seed: int | None = None,
    hmac_key: Secret | None = None,
    credits_left: int = 100,
    answer_timeout: float = 15.0,
) -> Iterator[SandboxAccount]:
    events: Queue[Event] = Queue()
    with (
        bind_socket(0) as bound,
        run_sandbox(
            bound,
            speed=speed,
            seed=seed,
            hmac_key=hmac_key,
            credits_left=credits_left,
            answer_timeout=answer_timeout,
            report=events.put,
        ),
        httpx.Client(base_url=address_of(bound), headers=KEY, trust_env=False) as http,
    ):
        yield SandboxAccount(http=http, events=events)
