"""A receiver of the person's own, at `--forward-to`: judged as `trigger` judges."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.commands.doctor.findings import failed, passed, warned
from suno_wav_cli.commands.doctor.scrub import origin_of
from suno_wav_cli.commands.trigger.downloads import HOLD_SHARE, describe_fetch
from suno_wav_cli.commands.trigger.mistakes import find_mistakes
from suno_wav_cli.commands.trigger.posting import post_planned
from suno_wav_cli.commands.trigger.request import Request, plan_callback
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.system.shell_words import say_how

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.sender import Answer, ServiceTiming
    from suno_wav_cli.commands.doctor.findings import Finding
    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.models import Secret
    from suno_wav_cli.sandbox.offer import OfferedFile

_SUCCESS = "success"
_METHODS = "get"
_MOST_UNANSWERED = 2
"""After so many in a row, all others would take as long."""


async def check_receiver(
    url: str, key: Secret | None, timing: ServiceTiming, *, file_seconds: float = 5.0
) -> Finding:
    """Post the usual callback, with a file to download, which is waited for that long."""
    from suno_wav_cli.sandbox.offer import offer_files

    async with offer_files() as offer:
        file = offer.add(timing.answer / HOLD_SHARE)
        answer, verdict = await _post(_SUCCESS, url, key, timing, file)
        fetch = await file.wait(file_seconds if verdict.received else 0.0)
    mistakes = find_mistakes({_SUCCESS: verdict}, {_SUCCESS: fetch})
    if not verdict.is_good:
        remedy = mistakes[0].remedy if mistakes else verdict.remedy
        answered = "" if answer.status is None else f" answers HTTP {answer.status}"
        return _failed(f"{origin_of(url)}{answered}: {verdict.text}", remedy, url, _SUCCESS)
    fact = (
        f"{origin_of(url)} answers HTTP {answer.status} in {answer.seconds:.2f} s; "
        f"the service waits {timing.answer:g} s; a WAV on this machine: {describe_fetch(fetch)}"
    )
    return warned(fact, mistakes[0].remedy) if mistakes else passed(fact)


async def check_path(url: str, key: Secret | None, timing: ServiceTiming) -> Finding:
    """Compare the path with its neighbour of one slash more or less, and POST with GET."""
    other = _with_other_slash(url)
    posted, _ = await _post(_SUCCESS, url, key, timing)
    at_other, _ = await _post(_SUCCESS, other, key, timing)
    got, _ = await _post(_METHODS, url, key, timing)
    slash = "with" if urlsplit(other).path.endswith("/") else "without"
    return passed(
        f"POST: {_describe(posted)}; {slash} a slash at the end: {_describe(at_other)}; GET: {_describe(got)}"
    )


async def check_samples(url: str, key: Secret | None, timing: ServiceTiming) -> Finding:
    """Post each callback that the service may send, and those of strangers."""
    wrong: dict[str, AnswerVerdict] = {}
    unanswered, others = 0, {name: one for name, one in SAMPLES.items() if name not in (_SUCCESS, _METHODS)}
    names = [name for name, sample in others.items() if not sample.needs_key]
    for name in names:
        _, verdict = await _post(name, url, key, timing)
        # What only strangers send may be answered in any way.
        if not verdict.is_good and SAMPLES[name].fault is None:
            wrong[name] = verdict
        unanswered = unanswered + 1 if verdict.is_unanswered else 0
        if unanswered == _MOST_UNANSWERED:
            break
    if not wrong:
        return passed(
            f"all {len(names)} other callbacks of `suno-wav trigger --list` are answered as they must"
        )
    first = next(iter(wrong))
    return _failed(f"{', '.join(wrong)}: {wrong[first].text}", wrong[first].remedy, url, first)


async def _post(
    name: str, url: str, key: Secret | None, timing: ServiceTiming, file: OfferedFile | None = None
) -> tuple[Answer, AnswerVerdict]:
    """Post one of the samples, signed if there is a key."""
    request = Request(
        url=url,
        event=name,
        task_id=None,
        wav_url=None,
        recording=None,
        sign=key is not None,
        retries=False,
        speed=1.0,
        answer_timeout=timing.answer,
    )
    return await post_planned(plan_callback(request, key, file), timing, timing.answer)


def _describe(answer: Answer) -> str:
    return str(answer.problem) if answer.status is None else f"HTTP {answer.status}"


def _with_other_slash(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path[:-1] if parts.path.endswith("/") else f"{parts.path}/"
    return parts._replace(path=path).geturl()


def _failed(fact: str, remedy: str, url: str, event: str) -> Finding:
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query:
        # The path may be secret, and what is printed here may be published.
        remedy = f"{remedy} To see it, give its address to `suno-wav trigger`."
    else:
        remedy = say_how(f"{remedy} To see it", "suno-wav", "trigger", url, "--event", event)
    return failed(fact, remedy, ExitCode.TUNNEL_FAILED)
