"""The answer on the wire: late, broken off, or none at all."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from time import time
from typing import TYPE_CHECKING

from starlette.responses import Response

from suno_wav_cli.sandbox.answers.faults import Fault, Group, Kind
from suno_wav_cli.sandbox.cdn.connection import Connection

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from suno_wav_cli.sandbox.answers.faults import AnswerStep

_REDIRECTS = (301, 302, 303, 307, 308)
_LEADS_TO = "/moved"
"""Nothing is served there."""


class AnswerResponse(Response):
    """`speed` divides the seconds of `slow` and `late`. Needs CdnProtocol."""

    def __init__(self, step: AnswerStep, content: bytes, media_type: str, *, speed: float) -> None:
        super().__init__(content, step.number_of(Kind.HTTP) or 200, _headers(step), media_type)
        self._step = step
        self._speed = speed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep((self._step.number_of(Kind.SLOW) or 0) / self._speed)
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # An empty piece, so that the head leaves now.
        await send({"type": "http.response.body", "body": b"", "more_body": True})
        connection = Connection(scope, receive, send)
        await asyncio.sleep((self._step.number_of(Kind.LATE) or 0) / self._speed)
        content, half = bytes(self.body), len(self.body) // 2
        match self._step.of(Group.END):
            case None:
                await send({"type": "http.response.body", "body": content})
            case Fault(Kind.HANG):
                await connection.be_silent()
            case Fault(Kind.RESET):
                await send({"type": "http.response.body", "body": content[:half], "more_body": True})
                await connection.reset()
            case Fault(Kind.CUT, number):
                # Not completed, as the next: the server closes the connection.
                sent = content[: half if number is None else number]
                await send({"type": "http.response.body", "body": sent, "more_body": True})
            case _:
                pass


def _headers(step: AnswerStep) -> dict[str, str]:
    headers = {"Location": _LEADS_TO} if step.number_of(Kind.HTTP) in _REDIRECTS else {}
    match step.of(Group.RETRY_AFTER):
        case Fault(Kind.AFTER, int(seconds)):
            return headers | {"Retry-After": str(seconds)}
        case Fault(Kind.DATE, int(seconds)):
            return headers | {"Retry-After": formatdate(time() + seconds, usegmt=True)}
        case _:
            return headers
