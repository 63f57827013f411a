"""What a delivery claims: when it is looked up, and what an answer means for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.confirmation import Judgement, Verdict, compare_with_record
from suno_wav_cli.conversion.lookup_retry import AskAgain
from suno_wav_cli.errors import TaskUnknown
from suno_wav_cli.events.deliveries import DeliveryChecked
from suno_wav_cli.models import WavRecord, WavState

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.payload import Callback
    from suno_wav_cli.conversion.lookup_retry import Answer, Step

REPEATED = 0
"""Rank of lookups that are repeated: after all first ones, in the order in which they wait."""


def rank_first_lookup(number: int, *, trusted: bool) -> int | None:
    """Return the rank of a delivery's first lookup: the newest has the lowest. None shares no rate."""
    return None if trusted else -number


def judge_claim(callback: Callback, answer: Answer, step: Step) -> Judgement:
    """Judge a claim by an answer, and by what was decided to follow it."""
    if isinstance(answer, WavRecord):
        return compare_with_record(callback, answer)
    final = not isinstance(step, AskAgain)
    verdict = Verdict.UNCONFIRMED
    if isinstance(answer, TaskUnknown):
        # The service may not know a task yet (api/README.md, section 4).
        verdict = Verdict.CONTRADICTED if final else Verdict.PENDING
    return Judgement(verdict=verdict, reason=answer.message, final=final)


def checked(
    number: int, callback: Callback, judgement: Judgement, record: WavRecord | None
) -> DeliveryChecked:
    return DeliveryChecked(
        number=number,
        task_id=callback.task_id,
        verdict=judgement.verdict,
        flag=record.flag if record else None,
        url=record.url if record else None,
        claimed_url=None,
        reason=judgement.reason,
    )


def is_failed(answer: Answer) -> bool:
    return isinstance(answer, WavRecord) and answer.state is WavState.FAILED
