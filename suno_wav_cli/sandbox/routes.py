"""The routes of each contract (api/README.md, sections 2 to 7), the files', and one that tells what was counted."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from suno_wav_cli.events import RequestServed
from suno_wav_cli.sandbox.behaviours import Answer, Callbacks
from suno_wav_cli.sandbox.callbacks import send_callbacks
from suno_wav_cli.sandbox.cdn.cover import cover
from suno_wav_cli.sandbox.cdn.files import serve_file
from suno_wav_cli.sandbox.contracts import CONTRACTS, Refusal
from suno_wav_cli.sandbox.service import Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.requests import Request

    from suno_wav_cli.events import Report
    from suno_wav_cli.sandbox.contracts import Contract
    from suno_wav_cli.sandbox.service import Service

COUNTERS_PATH = "/sandbox/counters"


def sandbox_app(service: Service, report: Report) -> Starlette:
    files = _Files(service, report)
    routes = [
        Route("/files/{task_id}.wav", files.serve),
        Route("/covers/{audio_id}.png", files.cover),
        Route(COUNTERS_PATH, files.counters),
    ]
    for contract in CONTRACTS:
        api = _Api(contract, service, report)
        routes += [
            Route(contract.prefix + contract.submit_path, api.submit, methods=["POST"]),
            Route(contract.prefix + contract.record_path, api.record),
            Route(contract.prefix + contract.music_path, api.tracks),
            Route(contract.prefix + contract.credit_path, api.credit),
        ]
    return Starlette(routes=routes)


class _Api:
    """The routes of one contract."""

    def __init__(self, contract: Contract, service: Service, report: Report) -> None:
        self._contract = contract
        self._service = service
        self._report = report
        # asyncio holds a running task only weakly.
        self._sending: set[asyncio.Task[None]] = set()

    async def submit(self, request: Request) -> Response:
        body = await request.body()
        reply, about = Reply(refusal=Refusal.UNAUTHORIZED), ""
        if _authorized(request):
            reply, about = self._submitted(body, str(request.base_url))
        if reply.task is not None:
            sending = asyncio.create_task(send_callbacks(reply.task, self._service, self._report))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
            if reply.task.behaviour.callbacks is Callbacks.EARLY:
                await sending
        return self._answer(request, reply, about)

    async def record(self, request: Request) -> Response:
        return self._looked_up(request, partial(self._service.record, self._contract))

    async def tracks(self, request: Request) -> Response:
        return self._looked_up(request, partial(self._service.tracks, str(request.base_url)))

    async def credit(self, request: Request) -> Response:
        return self._looked_up(request, lambda _: self._service.credits())

    def _submitted(self, body: bytes, base_url: str) -> tuple[Reply, str]:
        """Give the reply, and the song that it is about."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return Reply(refusal=Refusal.NOT_JSON), ""
        asked = self._contract.asked(content)
        if asked is None:
            return Reply(refusal=Refusal.INVALID), ""
        return self._service.submit(self._contract, asked, base_url), asked.audio_id

    def _looked_up(self, request: Request, ask: Callable[[str], Reply]) -> Response:
        task_id = request.query_params.get("taskId", "")
        reply = ask(task_id) if _authorized(request) else Reply(refusal=Refusal.UNAUTHORIZED)
        return self._answer(request, reply, task_id)

    def _answer(self, request: Request, reply: Reply, about: str) -> Response:
        envelope = reply.envelope(self._contract)
        self._report(
            RequestServed(
                method=request.method,
                path=request.url.path,
                status=200,
                detail=f"code {envelope['code']} {about}",
            )
        )
        answer = reply.task.behaviour.answer if reply.task else Answer.ACCEPT
        if answer is Answer.HANG:
            return StreamingResponse(_never(), 200)
        if answer is Answer.LOSE:
            # Less than was promised: the server closes the connection.
            return StreamingResponse(
                iter(()), 200, {"Content-Length": "100", "Content-Type": "application/json"}
            )
        return JSONResponse(envelope)


class _Files:
    """The CDN, and what was counted."""

    def __init__(self, service: Service, report: Report) -> None:
        self._service = service
        self._report = report

    async def serve(self, request: Request) -> Response:
        task = self._service.task(request.path_params["task_id"])
        response, note = (
            (PlainTextResponse("not found\n", 404), "")
            if task is None
            else await serve_file(task, request, self._service)
        )
        self._report(
            RequestServed(
                method=request.method, path=request.url.path, status=response.status_code, detail=note
            )
        )
        return response

    async def cover(self, request: Request) -> Response:
        self._report(RequestServed(method=request.method, path=request.url.path, status=200, detail=""))
        return Response(cover(request.path_params["audio_id"]), media_type="image/png")

    async def counters(self, _request: Request) -> Response:
        return JSONResponse(vars(self._service.counters))


async def _never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


def _authorized(request: Request) -> bool:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return scheme == "Bearer" and bool(key.strip())
