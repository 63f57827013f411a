"""A receiver of the person's own, at `--forward-to`: judged as `trigger` judges."""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from suno_wav_cli.callbacks.sender import ServiceTiming, post_callback
from suno_wav_cli.callbacks.signature import signed_headers
from suno_wav_cli.commands.doctor.findings import failed, passed
from suno_wav_cli.commands.doctor.scrub import origin_of
from suno_wav_cli.commands.trigger.samples import SAMPLES, make_callback
from suno_wav_cli.commands.trigger.verdict import judge_answer
from suno_wav_cli.errors import ExitCode
from suno_wav_cli.system.shell_words import quote_command

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.sender import Answer
    from suno_wav_cli.commands.doctor.findings import Finding
    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.models import Secret

_SUCCESS = "success"
_METHODS = "get"
_MOST_UNANSWERED = 2
"""After so many in a row, all others would take as long."""


async def check_receiver(url: str, key: Secret | None, timing: ServiceTiming) -> Finding:
    """Post the usual callback."""
    answer, verdict = await _post(_SUCCESS, url, key, timing)
    if not verdict.is_good:
        return _failed(f"{origin_of(url)}: {verdict.text}", verdict.remedy, url, _SUCCESS)
    return passed(
        f"{origin_of(url)} answers HTTP {answer.status} in {answer.seconds:.2f} s; "
        f"the service waits {timing.answer:g} s"
    )


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
    unanswered, names = 0, [name for name in SAMPLES if name not in (_SUCCESS, _METHODS)]
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
    name: str, url: str, key: Secret | None, timing: ServiceTiming
) -> tuple[Answer, AnswerVerdict]:
    """Post one of the samples, signed if there is a key."""
    sample, task_id = SAMPLES[name], secrets.token_hex(16)
    wav_url = f"https://example.com/{secrets.token_hex(16)}.wav"
    callback = make_callback(sample, task_id=task_id, audio_id=str(uuid.uuid4()), wav_url=wav_url, url=url)
    if key is not None:
        signed = signed_headers(key, task_id, int(time.time()))
        callback = replace(callback, headers=callback.headers + signed)
    answer = await post_callback(callback, url, timing.answer)
    return answer, judge_answer(answer, sample.fault, timing)


def _describe(answer: Answer) -> str:
    return str(answer.problem) if answer.status is None else f"HTTP {answer.status}"


def _with_other_slash(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path[:-1] if parts.path.endswith("/") else f"{parts.path}/"
    return parts._replace(path=path).geturl()


def _failed(fact: str, remedy: str, url: str, event: str) -> Finding:
    # The path may be secret, and what is printed here may be published.
    parts = urlsplit(url)
    shown = f"{origin_of(url)}/PATH" if parts.path.strip("/") or parts.query else url
    line = quote_command(("suno-wav", "trigger", shown, "--event", event))
    return failed(fact, f"{remedy} To see it: {line}" if line else remedy, ExitCode.TUNNEL_FAILED)
