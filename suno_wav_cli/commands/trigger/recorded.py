"""Callbacks from files: recordings as `listen` writes them, plain JSON bodies, and folders of both."""

from __future__ import annotations

import codecs
import json
from typing import TYPE_CHECKING

from suno_wav_cli.callbacks import recording as recordings
from suno_wav_cli.callbacks.payload import read_callback
from suno_wav_cli.callbacks.recording import RecordedCallback
from suno_wav_cli.callbacks.refusal import content_type_of
from suno_wav_cli.callbacks.sender import JSON_HEADERS
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 64 * 1024
"""Bodies that a receiver should take."""


def load_callback(path: Path) -> RecordedCallback:
    """Read a recording, or the JSON object that is to be the body. Raise UsageError."""
    content = recordings.read(path)
    if recordings.is_plain_object(content):
        body = content.removeprefix(codecs.BOM_UTF8)
        return RecordedCallback(received=0.0, headers=JSON_HEADERS, body=body)
    return recordings.parse(content, str(path))


def find_files(folder: Path) -> list[Path]:
    """Return the JSON files of a folder, the oldest first as `listen` names them. Raise UsageError."""
    try:
        files = sorted(path for path in folder.iterdir() if path.suffix == ".json" and path.is_file())
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror}", "Name another folder.") from error
    if not files:
        raise UsageError(
            f"there is no recorded callback in {folder}",
            "Name a folder that `suno-wav listen --save` has written to.",
        )
    return files


def find_task_id(body: bytes) -> str | None:
    """Return the task that a body names, if it is a callback."""
    content = _read_object(body)
    return None if content is None else read_callback(content).task_id


def find_fault(recording: RecordedCallback) -> str | None:
    """Return why a careful receiver refuses it: then that is not the receiver's fault."""
    headers = [(name.lower(), value) for name, value in recording.headers]
    if len(recording.body) > _LARGEST:
        return "no callback is that large"
    if _read_object(recording.body) is None:
        return "the body is not a JSON object"
    if "json" not in content_type_of(headers):
        return "its Content-Type is not application/json"
    return None


def _read_object(body: bytes) -> dict[str, object] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None
