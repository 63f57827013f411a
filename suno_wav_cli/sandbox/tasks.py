"""A conversion as the sandbox knows it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.payload_variants import Conversion
from suno_wav_cli.sandbox.cdn.stored import StoredFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.sandbox.answers.faults import AnswerStep
    from suno_wav_cli.sandbox.behaviours import Behaviour

_SUCCESS, _FAILED = 200, 501


@dataclass(kw_only=True)
class Task:
    """One accepted submission.

    `base_url` is the sandbox's own address. `ready_at` is in the sandbox's seconds, which `--speed`
    shortens. `created` and `completed` are what the record says, in seconds of the real clock.
    """

    task_id: str
    audio_id: str
    music_task_id: str
    callback_url: str
    callback_shape: str
    base_url: str
    behaviour: Behaviour
    ready_at: float
    created: float
    completed: float
    answers: Iterator[AnswerStep] = field(init=False)
    lookups: int = 0
    file: StoredFile = field(init=False)

    def __post_init__(self) -> None:
        self.answers = self.behaviour.lookups.in_turn()
        self.file = StoredFile(self.task_id, self.behaviour.layout, self.behaviour.plan)

    @property
    def file_url(self) -> str:
        """The file's address in records and callbacks. It changes when the address is refused."""
        return f"{self.base_url}files/{self.task_id}.wav{self.file.recorded_query}"

    @property
    def fresh_url(self) -> str:
        """The file's current address, whatever the record says."""
        return f"{self.base_url}files/{self.task_id}.wav{self.file.query}"

    def describe(self, flag: str, url: str | None) -> Conversion:
        """Return what a record or a callback says of this task."""
        code = self.behaviour.code
        if code == _SUCCESS and "FAIL" in flag:
            # An answer that was ordered so; the task succeeds in the end.
            code = _FAILED
        return Conversion(
            task_id=self.task_id,
            audio_id=self.audio_id,
            callback_url=self.callback_url,
            flag=flag,
            code=code,
            url=url,
            created=self.created,
            # An answer that was ordered so may be early.
            completed=min(self.completed, time.time()),
        )
