"""`trigger` from its request to its exit code: post callbacks as the service would."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.sender import ServiceTiming
from suno_wav_cli.commands.trigger.downloads import open_downloads
from suno_wav_cli.commands.trigger.many import ALL, post_folder, post_samples
from suno_wav_cli.commands.trigger.mistakes import find_mistakes, report_mistakes
from suno_wav_cli.commands.trigger.posting import note_address, post_all
from suno_wav_cli.commands.trigger.request import plan_callback
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.config.credentials import refuse_ignored
from suno_wav_cli.errors import ExitCode, NotDelivered
from suno_wav_cli.events.trigger import CallbackSample
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.look import is_folder

if TYPE_CHECKING:
    from suno_wav_cli.commands.trigger.request import PlannedCallback, Request
    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.config.run import Run


def list_events(run: Run) -> ExitCode:
    for name, sample in SAMPLES.items():
        run.report(CallbackSample(name=name, description=sample.about))
    return ExitCode.OK


def trigger(request: Request, run: Run) -> ExitCode:
    """Post what was asked for. Raise UsageError, or NotDelivered if an answer is wrong."""
    if request.sign:
        refuse_ignored(run.secrets, "hmac_key")
    timing = replace(ServiceTiming(), answer=request.answer_timeout).at_speed(request.speed)
    if request.recording is not None and is_folder(request.recording):
        return post_folder(request, request.recording, timing, run)
    if request.event == ALL and request.recording is None:
        return post_samples(request, timing, run)
    planned = plan_callback(request, run.secrets.hmac_key)
    note_address(planned.url, run.report)
    verdict = run_async(_post_one(planned, request, timing, run))
    if not verdict.is_good:
        raise NotDelivered("the service would count this callback as failed", verdict.remedy)
    return ExitCode.OK


async def _post_one(
    planned: PlannedCallback, request: Request, timing: ServiceTiming, run: Run
) -> AnswerVerdict:
    """Post the callback, and with --serve wait for its file."""
    if not request.serve:
        return await post_all(planned, request, timing, run.report)
    async with open_downloads(timing, run.report) as downloads:
        planned = plan_callback(request, run.secrets.hmac_key, downloads.add())
        verdict = await post_all(planned, request, timing, run.report)
        await downloads.see(planned, verdict, of=1)
        await downloads.finish()
        report_mistakes(find_mistakes({planned.name: verdict}, downloads.fetched), run.report)
    return verdict
