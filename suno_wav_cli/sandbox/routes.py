"""The HTTP side: the API (api/README.md, sections 2 to 7), the CDN and the counters."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from suno_wav_cli.events.commands import RequestServed
from suno_wav_cli.sandbox.answers.content import encode_answer
from suno_wav_cli.sandbox.answers.response import AnswerResponse
from suno_wav_cli.sandbox.behaviours import Callbacks
from suno_wav_cli.sandbox.callbacks import send_callbacks
from suno_wav_cli.sandbox.cdn.cover import make_cover
from suno_wav_cli.sandbox.cdn.files import serve_file
from suno_wav_cli.sandbox.contracts import CONTRACTS
from suno_wav_cli.sandbox.refusals import Refusal
from suno_wav_cli.sandbox.service import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from suno_wav_cli.events import Report
    from suno_wav_cli.sandbox.contracts import Contract
    from suno_wav_cli.sandbox.service import Service

COUNTERS_PATH = "/sandbox/counters"


def make_app(service: Service, report: Report) -> Starlette:
    cdn = _CdnRoutes(service, report)
    routes = [
        Route("/files/{task_id}.wav", cdn.get_file),
        Route("/covers/{audio_id}.png", cdn.get_cover),
        Route(COUNTERS_PATH, cdn.get_counters),
    ]
    for contract in CONTRACTS:
        api = _ApiRoutes(contract, service, report)
        routes += [
            Route(contract.prefix + contract.submit_path, api.submit, methods=["POST"]),
            Route(contract.prefix + contract.record_path, api.get_record),
            Route(contract.prefix + contract.music_path, api.get_music_task),
            Route(contract.prefix + contract.credit_path, api.get_credits),
        ]
        if contract.link_path is not None:
            routes.append(Route(contract.prefix + contract.link_path, api.make_link, methods=["POST"]))
    return Starlette(routes=routes)


class _ApiRoutes:
    """The routes of one contract."""

    def __init__(self, contract: Contract, service: Service, report: Report) -> None:
        self._contract = contract
        self._service = service
        self._report = report
        # asyncio keeps only a weak reference to a running task.
        self._sending: set[asyncio.Task[None]] = set()

    async def submit(self, request: Request) -> Response:
        body = await request.body()
        reply, audio_id = Reply(refusal=Refusal.UNAUTHORIZED), ""
        if _has_key(request):
            reply, audio_id = self._submit(body, str(request.base_url))
        if reply.task is not None:
            sending = asyncio.create_task(send_callbacks(reply.task, self._service, self._report))
            self._sending.add(sending)
            sending.add_done_callback(self._sending.discard)
            if reply.task.behaviour.callbacks is Callbacks.EARLY:
                await sending
        return self._respond(request, reply, audio_id)

    async def get_record(self, request: Request) -> Response:
        return self._look_up(
            request, partial(self._service.show_record, self._contract, str(request.base_url))
        )

    async def get_music_task(self, request: Request) -> Response:
        return self._look_up(request, partial(self._service.show_music_task, str(request.base_url)))

    async def get_credits(self, request: Request) -> Response:
        return self._look_up(request, lambda _: self._service.show_credits())

    async def make_link(self, request: Request) -> Response:
        reply, url = Reply(refusal=Refusal.UNAUTHORIZED), _read_url(await request.body())
        if _has_key(request):
            reply = self._service.make_link(str(request.base_url), url)
        return self._respond(request, reply, url)

    def _submit(self, body: bytes, base_url: str) -> tuple[Reply, str]:
        """Return the reply and the audio id of the submission."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return Reply(refusal=Refusal.NOT_JSON), ""
        submission = self._contract.read_submission(content)
        if submission is None:
            return Reply(refusal=Refusal.INVALID), ""
        return self._service.submit(self._contract, submission, base_url), submission.audio_id

    def _look_up(self, request: Request, find: Callable[[str], Reply]) -> Response:
        task_id = request.query_params.get("taskId", "")
        reply = find(task_id) if _has_key(request) else Reply(refusal=Refusal.UNAUTHORIZED)
        return self._respond(request, reply, task_id)

    def _respond(self, request: Request, reply: Reply, subject: str) -> Response:
        """Report the request and answer it. `subject` is the id that the report names."""
        envelope = reply.make_envelope(self._contract)
        content, media_type = encode_answer(reply.step, envelope)
        response = AnswerResponse(reply.step, content, media_type, speed=self._service.speed)
        told = "a page" if reply.step.is_page else f"code {envelope['code']}"
        self._report(
            RequestServed(
                method=request.method,
                path=request.url.path,
                status=response.status_code,
                detail=f"{told} {subject}",
            )
        )
        return response


class _CdnRoutes:
    """Files, covers, and what was counted."""

    def __init__(self, service: Service, report: Report) -> None:
        self._service = service
        self._report = report

    async def get_file(self, request: Request) -> Response:
        task = self._service.find_task(request.path_params["task_id"])
        response: Response = PlainTextResponse("not found\n", 404)
        note = ""
        if task is not None:
            counters, audio_id = self._service.counters, task.audio_id

            def count_bytes(sent: int) -> None:
                counters.file_bytes[audio_id] += sent

            counters.file_requests[audio_id] += 1
            response, note = await serve_file(task.file, request, count_bytes)
        self._report_request(request, response.status_code, note)
        return response

    async def get_cover(self, request: Request) -> Response:
        self._report_request(request, 200)
        return Response(make_cover(request.path_params["audio_id"]), media_type="image/png")

    async def get_counters(self, _request: Request) -> Response:
        return JSONResponse(vars(self._service.counters))

    def _report_request(self, request: Request, status: int, detail: str = "") -> None:
        self._report(
            RequestServed(method=request.method, path=request.url.path, status=status, detail=detail)
        )


def _read_url(body: bytes) -> str:
    """Return what a request for a fresh link names, or an empty text."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    url = content.get("url") if isinstance(content, dict) else None
    return url if isinstance(url, str) else ""


def _has_key(request: Request) -> bool:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return scheme == "Bearer" and bool(key.strip())
