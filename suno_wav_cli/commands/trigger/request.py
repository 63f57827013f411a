"""The request of `trigger`, and the callback that it means: a sample or a recording."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks.sender import CallbackRequest, end_to_end
from suno_wav_cli.callbacks.signature import is_signature_header
from suno_wav_cli.commands.trigger.recorded import find_fault, find_task_id, load_callback
from suno_wav_cli.commands.trigger.samples import SAMPLES, make_callback
from suno_wav_cli.config.parsers import find_nearest, receiver_url
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.models import Secret
    from suno_wav_cli.sandbox.offer import OfferedFile


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the person asked for. None stands for an argument that was not given.

    `speed` divides the pauses between attempts. `answer_timeout` is in seconds.
    """

    url: str | None
    event: str | None
    task_id: str | None
    wav_url: str | None
    recording: Path | None
    sign: bool
    retries: bool
    speed: float
    answer_timeout: float
    serve: bool = False


@dataclass(frozen=True, kw_only=True)
class PlannedCallback:
    """A callback to post `times` times, signed afresh with `key` each time.

    `fault` says why a careful receiver refuses it, if it should. `hidden` is shown nowhere.
    """

    name: str
    url: str
    callback: CallbackRequest
    task_id: str | None
    key: Secret | None
    times: int = 1
    fault: str | None = None
    hidden: Secret | None = None
    file: OfferedFile | None = None


def plan_callback(
    request: Request, hmac_key: Secret | None, file: OfferedFile | None = None
) -> PlannedCallback:
    """Check the request, and make the callback to post, which names `file` if there is one.

    Raise UsageError.
    """
    if request.url is None:
        raise UsageError("there is no address to post to", "Write suno-wav trigger https://host/path")
    try:
        url = receiver_url(request.url)
    except ValueError as error:
        # The address is not repeated, because its path may be secret.
        raise UsageError(f"URL is not {error}", "Correct it and try again.") from None
    if request.sign and hmac_key is None:
        raise UsageError(
            "there is no key to sign with",
            "Set SUNO_WAV_HMAC_KEY, or hmac_key in config.toml, to the webhook key of your account.",
        )
    key = hmac_key if request.sign else None
    if request.recording is not None:
        return _make_recorded(request, request.recording, url, key)
    return replace(_make_sample(request, url, key, file), hidden=hmac_key)


def _make_sample(request: Request, url: str, key: Secret | None, file: OfferedFile | None) -> PlannedCallback:
    name = request.event or "success"
    if name not in SAMPLES:
        near = find_nearest(name, SAMPLES)
        meant = f"Did you mean {near}? " if near else ""
        raise UsageError(
            f"there is no event '{name}'", f"{meant}`suno-wav trigger --list` shows all of them."
        )
    sample = SAMPLES[name]
    task_id = request.task_id if request.task_id is not None else secrets.token_hex(16)
    nowhere = f"https://example.com/{secrets.token_hex(16)}.wav"
    callback = make_callback(
        sample,
        task_id=task_id,
        audio_id=str(uuid.uuid4()),
        wav_url=request.wav_url or (nowhere if file is None else file.url),
        url=url,
    )
    return PlannedCallback(
        name=name,
        url=url,
        callback=callback,
        task_id=task_id,
        key=sample.choose_key(key),
        times=sample.times,
        fault=sample.fault,
        file=file,
    )


def _make_recorded(request: Request, path: Path, url: str, key: Secret | None) -> PlannedCallback:
    if (request.event, request.task_id, request.wav_url) != (None, None, None) or request.serve:
        raise UsageError(
            "--from sends a recorded callback as it is",
            "Leave out --event, --task-id, --wav-url and --serve.",
        )
    recording = load_callback(path)
    task_id = find_task_id(recording.body)
    headers = end_to_end(recording.headers)
    if key is not None:
        if task_id is None:
            raise UsageError(f"{path} names no task, and the signature is of its id", "Leave out --sign.")
        headers = tuple(header for header in headers if not is_signature_header(header[0]))
    return PlannedCallback(
        name=path.name,
        url=url,
        callback=CallbackRequest(body=recording.body, headers=headers),
        task_id=task_id,
        key=key,
        fault=find_fault(recording),
        hidden=key,
    )
