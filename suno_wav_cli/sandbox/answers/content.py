"""The body of an answer: where the id or the record stands, the envelope, and the encoding."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from suno_wav_cli.sandbox.answers.faults import Fault, Group, Kind
from suno_wav_cli.sandbox.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.sandbox.answers.faults import AnswerStep

_REASONS: Mapping[Kind, Refusal] = MappingProxyType(
    {
        Kind.UNAUTHORIZED: Refusal.UNAUTHORIZED,
        Kind.NO_CREDITS: Refusal.NO_CREDITS,
        Kind.BUSY: Refusal.BUSY,
        Kind.MAINTENANCE: Refusal.MAINTENANCE,
        Kind.EXISTS: Refusal.EXISTS,
        Kind.UNKNOWN: Refusal.UNKNOWN_TASK,
    }
)
_WORDS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.RECORD_NULL: "recordInfo is null",
        Kind.ABSENT: "the task does not exist",
        Kind.POOR: "Insufficient credits",
        Kind.HURRY: "Too many requests",
        Kind.REFUNDED: "Generation failed, credits refunded",
    }
)
_PAGE = b"<!DOCTYPE html><title>Just a moment...</title><h1>Checking your browser</h1>\n"
_JUNK = b"Notice: the cache was empty in line 7\n"


def refusal_of(step: AnswerStep) -> Refusal | int | None:
    """Return why a step refuses: a reason, or a code by itself. Return None for code 200 too."""
    match step.of(Group.CODE):
        case Fault(Kind.CODE, int(code)):
            return None if code == 200 else code
        case Fault(kind) if kind in _REASONS:
            return _REASONS[kind]
        case _:
            return None


def words_of(step: AnswerStep) -> str | None:
    """Return the message that replaces the contract's words."""
    words = step.of(Group.WORDS)
    return _WORDS[words.kind] if words else None


def place_id(step: AnswerStep, task_id: str | int) -> dict[str, Any]:
    """Return the fields beside `code` and `msg` that tell a task's id."""
    place = step.of(Group.PLACE)
    match place.kind if place else Kind.PLAIN:
        case Kind.TOP:
            return {"taskId": task_id}
        case Kind.BARE:
            return {"data": task_id}
        case Kind.SNAKE:
            return {"data": {"task_id": task_id}}
        case Kind.RECORD_ID:
            return {"data": {"recordId": task_id}}
        case Kind.ID:
            return {"data": {"id": task_id}}
        case _:
            return {"data": _place(step, {"taskId": task_id}, "task")}


def place_record(step: AnswerStep, record: Mapping[str, Any]) -> Any:
    """Return the `data` that holds a record."""
    return _place(step, record, "record")


def _place(step: AnswerStep, fields: Mapping[str, Any], name: str) -> Any:
    place = step.of(Group.PLACE)
    match place.kind if place else None:
        case Kind.NULL:
            return None
        case Kind.EMPTY:
            return {}
        case Kind.NESTED:
            return {name: fields}
        case Kind.LIST:
            return [fields]
        case Kind.TEXT:
            return json.dumps(fields)
        case _:
            return fields


def encode_answer(step: AnswerStep, envelope: dict[str, Any]) -> tuple[bytes, str]:
    """Return the bytes of an answer, and their media type."""
    if step.is_page:
        return _PAGE, "text/html; charset=utf-8"
    fields, good = dict(envelope), envelope["code"] == 200
    if step.has(Kind.NO_CODE):
        del fields["code"]
        fields["success"] = good
    elif step.has(Kind.WORD_CODE):
        fields["code"] = "SUCCESS" if good else "ERROR"
    if step.has(Kind.LATIN):
        fields["msg"] = f"déjà: {fields['msg']}"
        return json.dumps(fields, ensure_ascii=False).encode(
            "latin-1"
        ), "application/json; charset=iso-8859-1"
    if step.has(Kind.WIDE):
        return json.dumps(fields).encode("utf-16"), "application/json; charset=utf-16"
    junk = _JUNK if step.has(Kind.JUNK) else b""
    return junk + json.dumps(fields).encode(), "application/json"
