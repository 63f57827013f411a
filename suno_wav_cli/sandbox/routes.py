"""The service's routes (contract/wav-api.md, sections 2 to 6), and one that tells what was counted."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from suno_wav_cli.events import RequestServed
from suno_wav_cli.sandbox.behaviours import Answer, Callbacks
from suno_wav_cli.sandbox.callbacks import send_callbacks
from suno_wav_cli.sandbox.files import serve_file
from suno_wav_cli.sandbox.service import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from suno_wav_cli.events import Report
    from suno_wav_cli.sandbox.service import Service

COUNTERS_PATH = "/sandbox/counters"


def sandbox_app(service: Service, report: Report) -> Starlette:
    api = _Api(service, report)
    return Starlette(
        routes=[
            Route("/api/v1/wav/generate", api.submit, methods=["POST"]),
            Route("/api/v1/wav/record-info", api.record),
            Route("/api/v1/generate/record-info", api.tracks),
            Route("/api/v1/generate/credit", api.credit),
            Route("/files/{task_id}.wav", api.file),
            Route(COUNTERS_PATH, api.counters),
        ]
    )


class _Api:
    def __init__(self, service: Service, report: Report) -> None:
        self._service = service
        self._report = report
        # asyncio holds a running task only weakly.
        self._sending: set[asyncio.Task[None]] = set()

    async def submit(self, request: Request) -> Response:
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError):
            body = None
        reply = self._service.submit(body, str(request.base_url)) if _authorized(request) else Reply(401)
        if reply.task is not None:
            sending = asyncio.create_task(send_callbacks(reply.task, self._service, self._report))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
            if reply.task.behaviour.callbacks is Callbacks.EARLY:
                await sending
        return self._answer(request, reply, str(body.get("audioId", "")) if isinstance(body, dict) else "")

    async def record(self, request: Request) -> Response:
        return self._asked(request, self._service.record)

    async def tracks(self, request: Request) -> Response:
        return self._asked(request, self._service.tracks)

    async def credit(self, request: Request) -> Response:
        return self._answer(request, self._service.credits() if _authorized(request) else Reply(401), "")

    async def file(self, request: Request) -> Response:
        task = self._service.task(request.path_params["task_id"])
        response = (
            PlainTextResponse("not found\n", 404)
            if task is None
            else serve_file(task, request, self._service)
        )
        self._report(RequestServed(request.method, request.url.path, response.status_code, ""))
        return response

    async def counters(self, _request: Request) -> Response:
        return JSONResponse(vars(self._service.counters))

    def _asked(self, request: Request, ask: Callable[[str], Reply]) -> Response:
        task_id = request.query_params.get("taskId", "")
        return self._answer(request, ask(task_id) if _authorized(request) else Reply(401), task_id)

    def _answer(self, request: Request, reply: Reply, about: str) -> Response:
        self._report(RequestServed(request.method, request.url.path, 200, f"code {reply.code} {about}"))
        answer = reply.task.behaviour.answer if reply.task else Answer.ACCEPT
        if answer is Answer.HANG:
            return StreamingResponse(_never(), 200)
        if answer is Answer.LOSE:
            # Less than was promised: the server closes the connection.
            return StreamingResponse(
                iter(()), 200, {"Content-Length": "100", "Content-Type": "application/json"}
            )
        return JSONResponse(reply.envelope())


async def _never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


def _authorized(request: Request) -> bool:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return scheme == "Bearer" and bool(key.strip())
