"""The servers of the receiver and the sandbox: they end when they are told to, whenever that is."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from suno_wav_cli.callbacks.server import serve_here, serve_in_thread
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.program import wait_until

if TYPE_CHECKING:
    from starlette.requests import Request


async def answer(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("here")


APP = Starlette(routes=[Route("/", answer)])


def servers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "server"}


@pytest.mark.parametrize("asked", [False, True], ids=["at once", "after a request"])
def test_a_server_in_a_thread_is_gone_after_its_block(asked: bool) -> None:
    """However early it is told to leave: its loop may not run yet."""
    before = servers()
    for _ in range(20):
        with bind_socket(0) as bound, serve_in_thread(APP, bound):
            address = address_of(bound)
            if asked:
                assert httpx.get(address, trust_env=False).text == "here"
        assert servers() == before
        with pytest.raises(httpx.ConnectError):
            httpx.get(address, trust_env=False)


@pytest.mark.parametrize("asked", [False, True], ids=["at once", "after a request"])
def test_a_server_in_the_same_loop_is_gone_after_its_block(asked: bool) -> None:
    async def serve() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(20):
                with bind_socket(0) as bound:
                    async with serve_here(APP, bound):
                        if asked:
                            assert (await client.get(address_of(bound))).text == "here"
                    assert len(asyncio.all_tasks()) == 1

    asyncio.run(serve())


def test_the_date_of_answers_goes_on() -> None:
    with bind_socket(0) as bound, serve_in_thread(APP, bound), httpx.Client(trust_env=False) as client:
        first = client.get(address_of(bound)).headers["Date"]
        wait_until(lambda: client.get(address_of(bound)).headers["Date"] != first)
