"""The envelope that every answer comes in (api/README.md, sections 1 and 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from suno_wav_cli.api.values import find_id, parse_json, read_integer, read_text, unpack
from suno_wav_cli.models import is_id

_SUCCESS = 200
_SUCCESS_WORDS = frozenset({"success", "succeeded", "successful", "ok"})
_CONTENT = ("data", "taskId", "task_id")


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """`{"code": int, "msg": string, "data": …}`.

    `message` is for people, and `words` for deciding what it means: a secret that is cut out of the
    one may be part of an ordinary word. `top` is the whole object, for ids outside `data`.
    """

    code: int
    message: str
    words: str
    data: Any
    top: dict[str, Any]


def read_envelope(body: bytes) -> Envelope | None:
    """Read an answer. Return None if it is not an envelope but, say, a proxy's page."""
    top = parse_json(body)
    if not isinstance(top, dict):
        return None
    code = read_integer(top.get("code"))
    if code is None and _says_success(top):
        code = _SUCCESS
    if code is None:
        return None
    message = read_text(top.get("msg")) or read_text(top.get("message")) or ""
    return Envelope(
        code=code,
        message=message,
        words=message.lower(),
        data=top.get("data"),
        top=top,
    )


def find_task_id(answer: Envelope) -> str | None:
    """Return the id of the new WAV task, wherever the answer has it (api/README.md, section 2)."""
    data = unpack(answer.data)
    if isinstance(data, str) and not _is_bare_id(data.strip()):
        data = None
    return find_id(data) or find_named_task(answer)


def find_named_task(answer: Envelope) -> str | None:
    """Return the id that the answer calls a task's."""
    data = unpack(answer.data)
    places = [data, answer.top] if isinstance(data, dict) else [answer.top]
    return find_id(*(place.get(key) for place in places for key in ("taskId", "task_id")))


def _is_bare_id(text: str) -> bool:
    """Tell whether a text without a name beside it is an id, and not a word such as `success`."""
    return is_id(text) and any(char.isdecimal() for char in text)


def _says_success(top: dict[str, Any]) -> bool:
    """Tell whether a word says success, in an answer with content but without a number as its code."""
    if not any(top.get(key) for key in _CONTENT):
        return False
    words = (read_text(top.get(key)) for key in ("code", "msg", "message", "status"))
    return top.get("success") is True or any(word and word.lower() in _SUCCESS_WORDS for word in words)
