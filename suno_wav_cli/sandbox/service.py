"""The service's state and rules, without HTTP (api/README.md, sections 2 to 4)."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal
from math import inf, isfinite
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from suno_wav_cli.sandbox.answers.content import place_id, place_record, refusal_of, words_of
from suno_wav_cli.sandbox.answers.faults import GOOD_ANSWER, Group, Kind
from suno_wav_cli.sandbox.answers.record import change_record
from suno_wav_cli.sandbox.contracts import CONTRACTS
from suno_wav_cli.sandbox.demo_ids import choose_behaviour
from suno_wav_cli.sandbox.records import is_music_job, make_music_job_record, make_music_record
from suno_wav_cli.sandbox.refusals import Refusal
from suno_wav_cli.sandbox.task_file import KeptTask
from suno_wav_cli.sandbox.tasks import Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from suno_wav_cli.callbacks.sender import ServiceTiming
    from suno_wav_cli.models import Secret, SubmissionWindow
    from suno_wav_cli.sandbox.answers.faults import AnswerStep
    from suno_wav_cli.sandbox.behaviours import Behaviour
    from suno_wav_cli.sandbox.contracts import Contract, Submission
    from suno_wav_cli.sandbox.task_file import TaskFile

_CONTRACTS = MappingProxyType({contract.name: contract for contract in CONTRACTS})

_TOPPED_UP_AFTER = Decimal(80)
"""Credits that are spent in lasting practice before the account is full again."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """One answer. `refusal` is None if the request succeeded, a number if it is a code by itself.

    `message` replaces the contract's own words. `fields` stand beside `code` and `msg`. `step` is
    what is odd about the answer. `task` is set if a submission was accepted.
    """

    refusal: Refusal | int | None = None
    message: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    step: AnswerStep = GOOD_ANSWER
    task: Task | None = None

    def make_envelope(self, contract: Contract) -> dict[str, Any]:
        code, message = (200, "success") if self.refusal is None else contract.explain(self.refusal)
        return {"code": code, "msg": self.message or message, **self.fields}


@dataclass(kw_only=True)
class Counters:
    """What the sandbox has seen, by audio id."""

    submissions: Counter[str] = field(default_factory=Counter)
    accepted: Counter[str] = field(default_factory=Counter)
    lookups: Counter[str] = field(default_factory=Counter)
    callbacks: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)
    file_requests: Counter[str] = field(default_factory=Counter)
    file_bytes: Counter[str] = field(default_factory=Counter)


class Service:
    """One account, shared by all contracts.

    `speed` divides every waiting time, and that of the `window`. `seed` makes the ids repeatable.
    `hmac_key` signs callbacks, and `timing` is theirs, at that speed. `kept` has the tasks of earlier
    sandboxes, and gets those of this one.
    """

    def __init__(
        self,
        *,
        speed: float,
        seed: int | None,
        credits_left: Decimal,
        window: SubmissionWindow,
        hmac_key: Secret | None,
        kept: TaskFile | None,
        timing: ServiceTiming,
    ) -> None:
        self.speed = speed
        self.timing = timing
        self.hmac_key = hmac_key
        self.counters = Counters()
        self._random = random.Random(seed)
        self._credits = credits_left
        self._window = window
        self._accepted_at: deque[float] = deque()
        self.tasks: dict[str, Task] = {}
        self._submissions: dict[str, Iterator[AnswerStep]] = {}
        # The songs that belong together, by what they have in common; and the id of the first one's task.
        self._families: dict[str, dict[str, None]] = defaultdict(dict)
        self._shared_ids: dict[str, str] = {}
        # By which contract each task was submitted: no other one knows it.
        self._contracts: dict[str, Contract] = {}
        self._kept = kept

    def restore_tasks(self, base_url: str) -> None:
        """Take over the tasks of earlier sandboxes, which have gone on meanwhile, and what they cost."""
        spent = Decimal(0)
        for kept in () if self._kept is None else self._kept.read():
            behaviour = choose_behaviour(kept.audio_id)
            if behaviour.problem is not None or kept.contract not in _CONTRACTS:
                continue
            spent += behaviour.credits if kept.paid else 0
            ready_in = inf if kept.ready is None else kept.ready - time.time()
            self._remember(
                Task(
                    task_id=kept.task_id,
                    audio_id=kept.audio_id,
                    music_task_id=kept.music_task_id,
                    callback_url="",
                    callback_shape=_CONTRACTS[kept.contract].callback_shape,
                    base_url=base_url,
                    behaviour=behaviour,
                    ready_at=self.now() + ready_in * self.speed,
                    created=kept.created,
                    completed=kept.created if kept.ready is None else kept.ready,
                ),
                _CONTRACTS[kept.contract],
            )
        self._credits -= spent % _TOPPED_UP_AFTER

    def now(self) -> float:
        return time.monotonic() * self.speed

    def find_task(self, task_id: str) -> Task | None:
        return self.tasks.get(task_id)

    def show_credits(self) -> Reply:
        return Reply(fields={"data": float(self._credits)})

    def show_music_task(self, base_url: str, music_task_id: str) -> Reply:
        if not music_task_id:
            return Reply(refusal=Refusal.INVALID)
        if is_music_job(music_task_id):
            return Reply(refusal=Refusal.UNKNOWN_TASK)
        return Reply(fields={"data": make_music_record(base_url, music_task_id)})

    def show_record(self, contract: Contract, base_url: str, task_id: str) -> Reply:
        if contract.makes_music and is_music_job(task_id):
            return Reply(fields={"data": make_music_job_record(base_url, task_id)})
        task = self.tasks.get(task_id)
        if task is None or self._contracts[task_id] is not contract:
            return Reply(refusal=Refusal.UNKNOWN_TASK)
        self.counters.lookups[task.audio_id] += 1
        task.lookups += 1
        step = next(task.answers)
        if step.is_refusal:
            fields = {"data": place_record(step, {})} if step.of(Group.PLACE) else {}
            return Reply(refusal=refusal_of(step), message=words_of(step), fields=fields, step=step)
        flag, url = self._decide(task, step)
        record = contract.make_record(task, flag, url)
        change_record(record, step, audio_id=task.audio_id, other=self._other_song(task.audio_id), url=url)
        data = None if words_of(step) else place_record(step, record)
        return Reply(message=words_of(step), fields={"data": data}, step=step)

    def make_link(self, base_url: str, url: str) -> Reply:
        """Make a fresh link to a file of this service's own."""
        name = url.partition("?")[0].removeprefix(f"{base_url}files/")
        task = self.tasks.get(name.removesuffix(".wav"))
        if task is None:
            return Reply(refusal=Refusal.INVALID)
        self.counters.links[task.audio_id] += 1
        return Reply(fields={"data": task.fresh_url})

    def submit(self, contract: Contract, submission: Submission, base_url: str) -> Reply:
        audio_id = submission.audio_id
        self.counters.submissions[audio_id] += 1
        self._families[_family(audio_id)][audio_id] = None
        behaviour = choose_behaviour(audio_id)
        if behaviour.problem is not None:
            return Reply(refusal=400, message=behaviour.problem)
        step = next(self._submissions.setdefault(audio_id, behaviour.submissions.in_turn()))
        task = None
        if step.accepts:
            refusal = self._charge(behaviour.credits)
            if refusal is not None:
                return Reply(refusal=refusal)
            self.counters.accepted[audio_id] += 1
            task = self._add_task(contract, submission, base_url, behaviour, step, paid=True)
        named = task
        if task is None and step.names_task:
            # An earlier conversion, which is not paid for now.
            named = self._add_task(contract, submission, base_url, behaviour, step, paid=False)
        fields: Mapping[str, Any] = {}
        if named is not None and (step.names_task or not step.is_refusal):
            fields = place_id(step, self._choose_id(step, named))
        return Reply(refusal=refusal_of(step), message=words_of(step), fields=fields, step=step, task=task)

    def _decide(self, task: Task, step: AnswerStep) -> tuple[str, str | None]:
        """Return the flag and the file's address that this lookup is told."""
        verdicts = {
            Kind.PENDING: "PENDING",
            Kind.SAID: "PENDING",
            Kind.FAILED: "GENERATE_WAV_FAILED",
            Kind.EXCEPTION: "CALLBACK_EXCEPTION",
            Kind.ODD: "ARCHIVING",
            Kind.NO_URL: "SUCCESS",
        }
        verdict = step.of(Group.VERDICT)
        if verdict is not None:
            return verdicts[verdict.kind], None
        if self.now() < task.ready_at:
            return "PENDING", None
        flag = task.behaviour.flag
        url = task.file_url if flag == "SUCCESS" else None
        return ("CALLBACK_EXCEPTION" if task.behaviour.record == "callback-exception" else flag), url

    def _choose_id(self, step: AnswerStep, task: Task) -> str | int:
        """Return the id that a submission is told, which need not be its task's."""
        if step.has(Kind.FALSE):
            return self._make_id()
        if step.has(Kind.SAME):
            return self._shared_ids.setdefault(_family(task.audio_id), task.task_id)
        return int(task.task_id) if step.has(Kind.NUMBER) else task.task_id

    def _other_song(self, audio_id: str) -> str:
        """Return the last other song that belongs to this one, or an id that no song has."""
        others = [song for song in self._families[_family(audio_id)] if song != audio_id]
        return others[-1] if others else f"{audio_id}-other"

    def _make_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _charge(self, price: Decimal) -> Refusal | None:
        """Take the price of one conversion, unless the rate or the credits forbid it."""
        now = self.now()
        while self._accepted_at and now - self._accepted_at[0] >= self._window.seconds:
            self._accepted_at.popleft()
        if len(self._accepted_at) >= self._window.submissions:
            return Refusal.TOO_MANY
        if self._credits < price:
            return Refusal.NO_CREDITS
        self._accepted_at.append(now)
        self._credits -= price
        return None

    def _add_task(
        self,
        contract: Contract,
        submission: Submission,
        base_url: str,
        behaviour: Behaviour,
        step: AnswerStep,
        *,
        paid: bool,
    ) -> Task:
        """Begin a conversion. One that is not paid for now is an earlier one, and ready."""
        begun, seconds = time.time(), behaviour.seconds if paid else 0.0
        task = Task(
            task_id=str(self._random.getrandbits(48)) if step.has(Kind.NUMBER) else self._make_id(),
            audio_id=submission.audio_id,
            music_task_id=submission.music_task_id,
            callback_url=submission.callback_url,
            callback_shape=behaviour.callback or contract.callback_shape,
            base_url=base_url,
            behaviour=behaviour,
            ready_at=self.now() + seconds,
            created=begun,
            completed=begun + (seconds / self.speed if isfinite(seconds) else 0.0),
        )
        self._remember(task, contract)
        if self._kept is not None:
            self._kept.add(
                KeptTask(
                    task_id=task.task_id,
                    audio_id=task.audio_id,
                    music_task_id=task.music_task_id,
                    contract=contract.name,
                    created=task.created,
                    ready=task.completed if isfinite(task.ready_at) else None,
                    paid=paid,
                )
            )
        return task

    def _remember(self, task: Task, contract: Contract) -> None:
        self.tasks[task.task_id] = task
        self._contracts[task.task_id] = contract


def _family(audio_id: str) -> str:
    """Return what songs have in common that belong together: what is behind `+`, without its number."""
    return audio_id.partition("+")[2].rstrip("0123456789")
