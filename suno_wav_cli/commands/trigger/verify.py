"""`trigger --verify`: the signature of a kept delivery, held against the webhook key, offline."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks import recording as recordings
from suno_wav_cli.callbacks.recording import MAX_FILE_BYTES
from suno_wav_cli.callbacks.signature import Signature, check_signature
from suno_wav_cli.commands.trigger.recorded import find_task_id
from suno_wav_cli.config.credentials import refuse_ignored
from suno_wav_cli.errors import ExitCode, NotDelivered, UsageError
from suno_wav_cli.events import trigger

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.config.run import Run

STANDARD_INPUT = "-"


def verify_delivery(path: Path, run: Run) -> ExitCode:
    """Report what the service would have signed. Raise NotDelivered if the signature is another one."""
    refuse_ignored(run.secrets, "hmac_key")
    if str(path) == STANDARD_INPUT:
        content = b"" if sys.stdin is None else sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
        name = "standard input"
    else:
        content, name = recordings.read(path), str(path)
    delivery = recordings.parse(content, name)
    key = run.secrets.hmac_key
    if key is None:
        raise UsageError(
            "there is no key to verify with",
            "Set SUNO_WAV_HMAC_KEY, or hmac_key in config.toml, to the webhook key of your account.",
        )
    task_id = find_task_id(delivery.body)
    check = check_signature(key, task_id, delivery.headers, delivery.body, delivery.received)
    run.report(
        trigger.SignatureVerified(
            name=name,
            task_id=task_id,
            signature=check.signature,
            signed_text=check.signed_text,
            expected=check.expected,
            received=check.received,
            mistakes=check.mistakes,
        )
    )
    if check.signature is Signature.VALID:
        return ExitCode.OK
    if check.signature is Signature.INVALID and not check.mistakes:
        remedy = "No usual mistake explains it. Compare the key with the webhook key of your account."
    else:
        remedy = "Sign base64(HMAC-SHA256(key, task id + '.' + seconds since 1970))."
    raise NotDelivered(f"the signature is {check.signature}", remedy)
