"""What can be odd in a task's record: the flag, the address, the song, the task, the times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from suno_wav_cli.sandbox.answers.faults import Group, Kind

if TYPE_CHECKING:
    from suno_wav_cli.sandbox.answers.faults import AnswerStep

_LONG_AGO_MS = 1_735_603_200_000


def change_record(
    record: dict[str, Any], step: AnswerStep, *, audio_id: str, other: str, url: str | None
) -> None:
    """Change a record in each way that the step names.

    `url` is the file's address in it, and `other` another song's id.
    """
    is_job = "state" in record
    if flag := step.of(Group.FLAG):
        name = next(name for name in ("state", "status", "successFlag") if name in record)
        number = _number_of(str(record[name]))
        record[name] = number if flag.kind is Kind.NUMERIC else str(number)
    if step.has(Kind.SAID):
        record["failMsg" if is_job else "errorMessage"] = "still waiting for a free worker"
    if url is not None:
        _change_address(record, step, url, is_job=is_job)
    _change_song(record, step, audio_id, other, is_job=is_job)
    if step.has(Kind.OTHER_TASK):
        record["taskId"] = "0123456789abcdef" * 2
    if step.has(Kind.STALE):
        record["createTime"] = _LONG_AGO_MS


def _number_of(flag: str) -> int:
    """Return the number for a flag, as another endpoint has them (api/README.md, section 4)."""
    if flag.upper() == "SUCCESS":
        return 1
    if "FAIL" in flag.upper():
        return 2 if "CREATE" in flag else 3
    return 0


def _change_address(record: dict[str, Any], step: AnswerStep, url: str, *, is_job: bool) -> None:
    address = step.of(Group.ADDRESS)
    if address is None:
        return
    changed: Any = {
        Kind.URL_LIST: [url],
        Kind.URL_OBJECT: {"url": url},
        Kind.URL_TEXT: json.dumps({"audioWavUrl": url}),
        Kind.RELATIVE: urlsplit(url)._replace(scheme="", netloc="").geturl(),
        Kind.UNUSABLE: urlsplit(url)._replace(scheme="ftp").geturl(),
    }[address.kind]
    if is_job:
        urls = {Kind.URL_LIST: [[url]], Kind.URL_TEXT: json.dumps([url])}.get(address.kind, [changed])
        record["resultJson"] = json.dumps({"resultUrls": urls})
        return
    for name in ("audioWavUrl", "audio_wav_url"):
        record.pop(name, None)
    record["response"] = changed if address.kind is Kind.URL_TEXT else {"audioWavUrl": changed}


def _change_song(
    record: dict[str, Any], step: AnswerStep, audio_id: str, other: str, *, is_job: bool
) -> None:
    song = step.of(Group.SONG)
    if song is None:
        return
    told: str | None = None
    if song.kind is Kind.OTHER_SONG:
        told = other
    elif song.kind is Kind.MASKED:
        told = f"{audio_id[:4]}****{audio_id[-4:]}"
    if is_job:
        record["param"] = json.dumps({"input": {"audio_id": told} if told else {}})
    else:
        record["musicId"] = told
