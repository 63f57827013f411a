"""kie's fresh links: asked for at the API alone, and used only if they are addresses."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING

import pytest
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import get_provider
from suno_wav_cli.models import Secret
from suno_wav_cli.system.pacing import Backoff
from tests.support.wild import KEY, PAGE, TASK, TUNE_BYTES, a_wild_server, envelope, settings_for

if TYPE_CHECKING:
    from tests.support.wild import Seen, Wild

OLD = "https://cdn.example.com/song.wav?signed=secret"
FRESH = "https://cdn.example.com/song.wav?signed=again"


def fetch_link(wild: Wild, provider: str = "kie") -> str | None:
    async def fetch() -> str | None:
        tls = ssl.create_default_context()
        async with Client(
            get_provider(provider), wild.address, Secret(value=KEY), tls, Backoff(retries=0)
        ) as client:
            return await client.fetch_fresh_link(OLD)

    return asyncio.run(fetch())


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("answer", "link"),
    [
        pytest.param(envelope(data=FRESH), FRESH, id="documented"),
        pytest.param(envelope(data={"downloadUrl": FRESH}), FRESH, id="in an object"),
        pytest.param(envelope(data=None), None, id="nothing"),
        pytest.param(envelope(data="soon"), None, id="no address"),
        pytest.param(envelope(data="javascript:alert(1)"), None, id="no address of a file"),
        pytest.param(envelope(422, "not our file"), None, id="another host's file"),
        pytest.param(envelope(401, "no"), None, id="the key is refused"),
        pytest.param(envelope(500, "no"), None, id="trouble"),
        pytest.param(PlainTextResponse(PAGE, 403), None, id="a page"),
        pytest.param(RedirectResponse("/elsewhere", 307), None, id="a redirect"),
    ],
)
def test_a_fresh_link_is_an_address_or_none(answer: Response, link: str | None) -> None:
    with a_wild_server() as wild:
        wild.answer = lambda _: answer
        assert fetch_link(wild) == link
        (seen,) = wild.seen
    assert (seen.method, seen.path) == ("POST", "/api/v1/common/download-url")
    assert json.loads(seen.body) == {"url": OLD}
    assert seen.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("provider", ["sunoapi", "sandbox"])
def test_a_service_without_such_links_is_not_asked(provider: str) -> None:
    with a_wild_server() as wild:
        assert fetch_link(wild, provider) is None
        assert wild.seen == []


def test_the_key_goes_to_the_api_and_not_to_where_the_file_is() -> None:
    with a_wild_server() as api, a_wild_server() as cdn:

        def answer(seen: Seen) -> Response:
            if seen.path.endswith("/download-url"):
                return envelope(data=f"{cdn.address}/fresh.wav")
            if seen.method == "POST":
                return envelope(data={"taskId": TASK})
            return envelope(
                data={
                    "taskId": TASK,
                    "successFlag": "SUCCESS",
                    "response": {"audioWavUrl": f"{cdn.address}/old.wav"},
                }
            )

        api.answer = answer
        cdn.answer = lambda seen: Response(TUNE_BYTES) if seen.path == "/fresh.wav" else Response(b"no", 403)
        done = api.run(
            *("convert", "song-1", "--provider", "kie", "--task-id", "music-1", "--out", "song.wav"),
            env=settings_for(api.address),
        )
        assert (done.code, done.out) == (0, "song.wav\n")
        assert [seen.path for seen in cdn.seen] == ["/old.wav", "/fresh.wav"]
        assert all("authorization" not in seen.headers and KEY.encode() not in seen.body for seen in cdn.seen)
        assert all(seen.headers["authorization"] == f"Bearer {KEY}" for seen in api.seen)
