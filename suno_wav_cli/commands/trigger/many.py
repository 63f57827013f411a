"""Many callbacks to one receiver: every sample, or the files of a folder."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from suno_wav_cli.commands.trigger.downloads import open_downloads
from suno_wav_cli.commands.trigger.mistakes import find_mistakes, report_mistakes
from suno_wav_cli.commands.trigger.posting import note_address, post_all
from suno_wav_cli.commands.trigger.recorded import find_files
from suno_wav_cli.commands.trigger.request import plan_callback
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.errors import ExitCode, NotDelivered, UsageError
from suno_wav_cli.events import trigger
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from suno_wav_cli.callbacks.sender import ServiceTiming
    from suno_wav_cli.commands.trigger.downloads import Downloads
    from suno_wav_cli.commands.trigger.mistakes import Mistake
    from suno_wav_cli.commands.trigger.request import Request
    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.config.run import Run

ALL = "all"
"""The event that stands for every sample."""

_MOST_UNANSWERED = 2
"""After so many in a row, the receiver is not there: all others would take as long."""


@dataclass(kw_only=True)
class _Tally:
    good: int = 0
    failed: int = 0
    skipped: int = 0
    unanswered: int = 0
    remedy: str = ""
    verdicts: dict[str, AnswerVerdict] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()

    @property
    def posted(self) -> int:
        return self.good + self.failed


def post_samples(request: Request, timing: ServiceTiming, run: Run) -> ExitCode:
    """Post every sample. Raise NotDelivered if one fails that the service really sends.

    What is wrong only beside signed callbacks is left out if there is no key.
    """
    has_key = run.secrets.hmac_key is not None
    names = [name for name, sample in SAMPLES.items() if has_key or not sample.needs_key]
    requests = [replace(request, event=name) for name in names]
    if request.task_id is not None:
        requests = [replace(one, task_id=f"{one.task_id}-{one.event}") for one in requests]
    plan_callback(requests[0], run.secrets.hmac_key)
    return _post(requests, timing, run)


def post_folder(request: Request, folder: Path, timing: ServiceTiming, run: Run) -> ExitCode:
    """Post each file of a folder. Raise NotDelivered if one fails, or UsageError if one cannot be read."""
    return _post([replace(request, recording=path) for path in find_files(folder)], timing, run)


def _post(requests: Sequence[Request], timing: ServiceTiming, run: Run) -> ExitCode:
    tally = run_async(_post_each(requests, timing, run))
    count = tally.posted + tally.skipped
    run.report(
        trigger.CallbacksPosted(
            good=tally.good, failed=tally.failed, skipped=tally.skipped, left=len(requests) - count
        )
    )
    report_mistakes(tally.mistakes, run.report)
    if tally.failed:
        raise NotDelivered(f"the service would count {tally.failed} of these as failed", tally.remedy)
    if tally.skipped:
        raise UsageError(f"{tally.skipped} of these files cannot be read", "Delete or replace them.")
    return ExitCode.OK


async def _post_each(requests: Sequence[Request], timing: ServiceTiming, run: Run) -> _Tally:
    tally, is_serving = _Tally(), any(request.serve for request in requests)
    async with open_downloads(timing, run.report) if is_serving else nullcontext() as downloads:
        await _post_in_turn(requests, timing, run, tally, downloads)
        if downloads is not None:
            await downloads.finish()
        fetched = {} if downloads is None else downloads.fetched
        if all(request.recording is None for request in requests):
            tally.mistakes = find_mistakes(tally.verdicts, fetched)
    return tally


async def _post_in_turn(
    requests: Sequence[Request],
    timing: ServiceTiming,
    run: Run,
    tally: _Tally,
    downloads: Downloads | None,
) -> None:
    """Post one after another, until the receiver turns out not to be there."""
    for request in requests:
        file = None if downloads is None else downloads.add()
        try:
            planned = plan_callback(request, run.secrets.hmac_key, file)
        except UsageError as error:
            if request.recording is None or request.url is None:
                raise
            run.report(trigger.RecordingSkipped(path=request.recording, reason=error.message))
            tally.skipped += 1
            continue
        if tally.posted == 0:
            note_address(planned.url, run.report)
        verdict = await post_all(planned, request, timing, run.report, of=len(requests))
        tally.verdicts[planned.name] = verdict
        if downloads is not None:
            await downloads.see(planned, verdict, of=len(requests))
        if verdict.is_good or planned.fault is not None:
            tally.good += 1
        else:
            tally.failed += 1
            tally.remedy = tally.remedy or verdict.remedy
        tally.unanswered = tally.unanswered + 1 if verdict.is_unanswered else 0
        if tally.unanswered == _MOST_UNANSWERED:
            break
