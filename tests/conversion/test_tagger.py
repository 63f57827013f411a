"""Where tags come from: the service, the journal, and a cover from wherever the service says it is."""

from __future__ import annotations

import asyncio
import gzip
import io
import ssl
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from suno_wav_cli.api.client import Client
from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.callbacks.server import serve_in_thread
from suno_wav_cli.conversion.tagger import Tagger
from suno_wav_cli.conversion.track_lookup import TrackLookup
from suno_wav_cli.download.cover import fetch_cover
from suno_wav_cli.download.http import may_fetch
from suno_wav_cli.errors import DownloadFailed
from suno_wav_cli.events.commands import RequestServed
from suno_wav_cli.events.songs import TagsMissing
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.models import Cover, Secret, Song, SongTags, Track
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.sandbox.cdn.cover import make_cover
from suno_wav_cli.sandbox.cdn.melody import Layout, make_melody
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.system.pacing import Backoff
from suno_wav_cli.terminal.render import render
from tests.support.context import WISHES
from tests.support.event_log import EventLog
from tests.wav.test_write_tags import read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from starlette.requests import Request

    from suno_wav_cli.events import Event

KEY = "key-5f2e9c81d0"
MUSIC = "0123456789abcdef0123456789abcdef"
JPEG = b"\xff\xd8\xff\xe0 near enough"
PNG = make_cover("any")
LYRICS = "[Verse]\nLa la la, là-haut\n\n[Chorus]\nらららら ♪"
TUNE = make_melody(Layout(seconds=0.1))
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize(
    ("url", "local", "expected"),
    [
        ("https://cdn.example.com/a", False, True),
        ("HTTPS://cdn.example.com/a", False, True),
        ("https://127.0.0.1/a", False, True),
        ("http://127.0.0.1:8000/a", True, True),
        ("http://localhost/a", True, True),
        ("http://[::1]/a", True, True),
        ("http://127.0.0.1:8000/a", False, False),
        ("http://cdn.example.com/a", True, False),
        ("http://127.0.0.1.example.com/a", True, False),
        ("http://127.0.0.1@example.com/a", True, False),
        ("ftp://127.0.0.1/a", True, False),
        ("file:///etc/passwd", True, False),
        ("//127.0.0.1/a", True, False),
        ("https://[", True, False),
        ("", True, False),
    ],
)
def test_where_bytes_may_come_from(url: str, *, local: bool, expected: bool) -> None:
    assert may_fetch(url, local=local) is expected


# Covers


@dataclass
class Pictures:
    """A server of covers, which misbehaves by its path."""

    address: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def application(self) -> Starlette:
        async def answer(request: Request) -> Response:
            path = request.url.path
            self.seen.append((path, dict(request.headers)))
            return ANSWERS[path.split("/")[1]](request)

        return Starlette(routes=[Route("/{path:path}", answer)])


async def without_end(beginning: bytes = b"", *, every: float = 0.0) -> AsyncIterator[bytes]:
    yield beginning
    while every:
        await asyncio.sleep(every)
        yield b"\0"
    await asyncio.Event().wait()


async def large(pieces: int) -> AsyncIterator[bytes]:
    yield JPEG
    for _ in range(pieces):
        yield bytes(1_000_000)


def again(request: Request) -> Response:
    left = int(request.url.path.split("/")[2])
    return RedirectResponse(f"/again/{left - 1}" if left else "/jpeg", 302)


def with_cookie(_: Request) -> Response:
    response = RedirectResponse("/jpeg", 302)
    response.set_cookie("session", "1")
    return response


ANSWERS: dict[str, Callable[[Request], Response]] = {
    "jpeg": lambda _: Response(JPEG, media_type="image/jpeg"),
    "png": lambda _: Response(PNG, media_type="text/plain"),
    "largest": lambda _: StreamingResponse(large(4)),
    "too-large": lambda _: StreamingResponse(large(5)),
    "page": lambda _: Response("<html>", media_type="image/jpeg"),
    "webp": lambda _: Response(b"RIFF\x04\0\0\0WEBP", media_type="image/webp"),
    "empty": lambda _: Response(b"", media_type="image/png"),
    "packed": lambda _: Response(gzip.compress(PNG), headers={"Content-Encoding": "gzip"}),
    "cut": lambda _: StreamingResponse(iter([JPEG]), headers={"Content-Length": "5000"}),
    "gone": lambda _: Response(JPEG, 404),
    "partial": lambda _: Response(JPEG, 206),
    "stall": lambda _: StreamingResponse(without_end(JPEG)),
    "trickle": lambda _: StreamingResponse(without_end(JPEG, every=0.02)),
    "again": again,
    "cookie": with_cookie,
    "nowhere": lambda _: RedirectResponse("http://example.com/cover.jpeg", 302),
    "broken": lambda _: Response(status_code=302, headers={"Location": "http://[nowhere/"}),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Pictures]:
    served = Pictures()
    with bind_socket(0) as bound, serve_in_thread(served.application, bound):
        served.address = address_of(bound)
        yield served


@pytest.fixture
def pictures(server: Pictures) -> Pictures:
    server.seen.clear()
    return server


def fetched(url: str, *, local: bool = True, seconds: float = 5.0) -> Cover:
    return asyncio.run(
        fetch_cover(url, replace(WISHES, tls=NO_TLS, local=local, private_hosts=True), seconds=seconds)
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/jpeg", Cover(content=JPEG, media_type="image/jpeg"), id="a JPEG"),
        pytest.param(
            "/png", Cover(content=PNG, media_type="image/png"), id="a PNG that is called something else"
        ),
        pytest.param("/again/2", Cover(content=JPEG, media_type="image/jpeg"), id="three redirects"),
        pytest.param(
            "/largest", Cover(content=JPEG + bytes(4_000_000), media_type="image/jpeg"), id="a large one"
        ),
    ],
)
def test_a_cover_is_fetched(pictures: Pictures, path: str, expected: Cover) -> None:
    assert fetched(pictures.address + path) == expected


@pytest.mark.parametrize(
    ("path", "why"),
    [
        pytest.param("/page", "neither a JPEG nor a PNG", id="a page"),
        pytest.param("/webp", "neither a JPEG nor a PNG", id="another picture"),
        pytest.param("/empty", "neither a JPEG nor a PNG", id="nothing"),
        pytest.param("/packed", "neither a JPEG nor a PNG", id="packed against our wish"),
        pytest.param("/too-large", "larger than 5 MB", id="too large, and of no length"),
        pytest.param("/gone", "HTTP 404", id="404"),
        pytest.param("/partial", "HTTP 206", id="a part of it"),
        pytest.param("/cut", "downloaded: ", id="an early end"),
        pytest.param("/again/3", "redirects", id="too many redirects"),
        pytest.param("/nowhere", "at example.com is not https", id="a redirect to http elsewhere"),
        pytest.param("/broken", "downloaded: ", id="a redirect to no address"),
    ],
)
def test_what_is_no_cover_is_said(pictures: Pictures, path: str, why: str) -> None:
    with pytest.raises(DownloadFailed, match=why) as failed:
        fetched(pictures.address + path)
    assert failed.value.message.startswith("the cover cannot be downloaded: ")


@pytest.mark.parametrize("path", ["/stall", "/trickle"])
def test_a_cover_that_takes_long_is_done_without(pictures: Pictures, path: str) -> None:
    with pytest.raises(DownloadFailed, match=r"not arrive within 0\.2 s"):
        fetched(pictures.address + path, seconds=0.2)


def test_only_what_a_picture_needs_is_sent(pictures: Pictures) -> None:
    fetched(pictures.address + "/cookie")
    assert [path for path, _ in pictures.seen] == ["/cookie", "/jpeg"]
    assert {name for _, headers in pictures.seen for name in headers} == {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
    }


def test_a_service_elsewhere_does_not_send_the_program_to_this_machine(pictures: Pictures) -> None:
    with pytest.raises(DownloadFailed, match="not https"):
        fetched(pictures.address + "/jpeg", local=False)
    assert pictures.seen == []


@pytest.mark.parametrize("url", ["", "https://", "https://[", "https://x:99999/", "https://x:y/", "/a.png"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(DownloadFailed):
        fetched(url)


# Tags


@dataclass
class Run:
    """A tagger at work, and what was reported."""

    tagger: Tagger
    reported: list[Event]

    @property
    def reasons(self) -> list[tuple[str, str]]:
        return [(event.audio_id, event.reason) for event in self.reported if isinstance(event, TagsMissing)]


def during(address: str, story: Callable[[Run], Awaitable[Any]], *known: Track) -> tuple[Any, Run]:
    """Run a story with a tagger whose journal has seen these tracks; its result, and the run."""

    async def told() -> tuple[Any, Run]:
        with open_journal(None, Account(base_url=address, provider="sandbox", kept_days=15)) as journal:
            journal.history.remember(known)
            async with Client(SUNOAPI, address, Secret(value=KEY), NO_TLS, Backoff(retries=0)) as client:
                reported = EventLog()
                tagger = Tagger(
                    TrackLookup(client, journal.history),
                    journal.history,
                    WISHES,
                    reported.append,
                )
                run = Run(tagger=tagger, reported=reported)
                return await story(run), run

    return asyncio.run(told())


def tags_of(*songs: Song) -> Callable[[Run], Awaitable[list[SongTags]]]:
    async def story(run: Run) -> list[SongTags]:
        return await asyncio.gather(*(run.tagger.tags_of(song) for song in songs))

    return story


@dataclass
class Practice:
    address: str
    served: list[Event]

    def requests(self, path: str) -> int:
        return sum(isinstance(event, RequestServed) and path in event.path for event in self.served)

    @property
    def songs(self) -> list[Song]:
        """The songs of a music task, as the program orders them."""

        async def asked() -> list[Song]:
            async with Client(SUNOAPI, self.address, Secret(value=KEY), NO_TLS, Backoff(retries=0)) as client:
                tracks = (await client.fetch_music_task(MUSIC)).tracks
                return [Song(audio_id=track.audio_id, music_task_id=MUSIC) for track in tracks]

        return asyncio.run(asked())


@pytest.fixture
def practice() -> Iterator[Practice]:
    served = EventLog()
    with bind_socket(0) as bound, run_sandbox(bound, report=served.append):
        yield Practice(address=address_of(bound), served=served)


def test_a_songs_tags_are_what_the_service_says(practice: Practice) -> None:
    songs = practice.songs
    found, run = during(practice.address, tags_of(*songs))
    assert found == [
        SongTags(
            title=f"Sandbox song {n}",
            style="sine, practice",
            lyrics=LYRICS,
            cover=Cover(content=make_cover(song.audio_id), media_type="image/png"),
        )
        for n, song in enumerate(songs, 1)
    ]
    assert run.reasons == []


def test_a_music_task_is_asked_for_once_a_run(practice: Practice) -> None:
    songs = practice.songs
    before = practice.requests("generate/record-info")
    during(practice.address, tags_of(*songs, *songs))
    assert practice.requests("generate/record-info") == before + 1


def test_a_file_gets_its_songs_tags(practice: Practice) -> None:
    song = practice.songs[1]
    file = io.BytesIO(TUNE.read(0, 44) + TUNE.read(44, TUNE.length))
    _, run = during(practice.address, lambda run: run.tagger.tag(file, song))
    found = read(file.getvalue())
    assert found.info == {"INAM": "Sandbox song 2", "IGNR": "sine, practice", "ICMT": LYRICS}
    assert found.id3["APIC:"].data == make_cover(song.audio_id)
    assert run.reasons == []


def test_a_file_that_takes_no_tags_is_said_to_be_none(practice: Practice) -> None:
    song = practice.songs[0]
    file = io.BytesIO(b"no WAV")
    _, run = during(practice.address, lambda run: run.tagger.tag(file, song))
    assert file.getvalue() == b"no WAV"
    assert run.reasons == [(song.audio_id, "the file takes no tags: it is not a WAV")]


def remembered(audio_id: str, music_task_id: str = MUSIC) -> Track:
    return Track(
        audio_id=audio_id,
        music_task_id=music_task_id,
        title="A title",
        tags="a style",
        duration=None,
        complete=True,
    )


def test_the_journal_tells_the_music_task_that_nobody_named(practice: Practice) -> None:
    song = practice.songs[0]
    found, run = during(practice.address, tags_of(Song(audio_id=song.audio_id)), remembered(song.audio_id))
    assert [tags.title for tags in found] == ["Sandbox song 1"]
    assert run.reasons == []


def test_without_a_music_task_the_title_is_what_is_known(practice: Practice) -> None:
    found, run = during(
        practice.address, tags_of(Song(audio_id="song-1"), Song(audio_id="song-2", title="Named"))
    )
    assert found == [SongTags(), SongTags(title="Named")]
    reason = "its music task is not known; --task-id names it"
    assert run.reasons == [("song-1", reason), ("song-2", reason)]


def test_a_music_task_that_does_not_name_the_song_leaves_it_to_the_journal(practice: Practice) -> None:
    found, run = during(practice.address, tags_of(Song(audio_id="song-1")), remembered("song-1"))
    assert found == [SongTags(title="A title", style="a style")]
    assert run.reasons == [("song-1", f"the music task {MUSIC} does not name it")]


def test_a_service_that_is_away_leaves_it_to_the_journal(free_port: int) -> None:
    songs = Song(audio_id="song-1"), Song(audio_id="song-2", music_task_id=MUSIC)
    found, run = during(f"http://127.0.0.1:{free_port}", tags_of(*songs), remembered("song-1"))
    assert found == [SongTags(title="A title", style="a style"), SongTags()]
    assert [audio_id for audio_id, _ in run.reasons] == ["song-1", "song-2"]
    assert {reason.partition(": ")[0] for _, reason in run.reasons} == {
        f"the music task {MUSIC} cannot be looked up"
    }
    assert KEY not in str(run.reported)


@contextmanager
def saying(**track: object) -> Iterator[str]:
    """Be a service that says this of the one song it knows."""

    async def answer(_: Request) -> Response:
        data = {"status": "SUCCESS", "response": {"sunoData": [{"id": "song-1", "title": "Song"} | track]}}
        return JSONResponse({"code": 200, "msg": "success", "data": data})

    with bind_socket(0) as bound, serve_in_thread(Starlette(routes=[Route("/{p:path}", answer)]), bound):
        yield address_of(bound)


def test_a_cover_that_cannot_be_had_is_said_and_the_rest_is_there(pictures: Pictures) -> None:
    with saying(imageUrl=pictures.address + "/gone", prompt="la") as address:
        found, run = during(address, tags_of(Song(audio_id="song-1", music_task_id=MUSIC)))
    assert found == [SongTags(title="Song", style=None, lyrics="la")]
    assert run.reasons == [("song-1", "the cover cannot be downloaded: its server answers HTTP 404")]


def test_a_song_without_a_cover_lacks_nothing() -> None:
    with saying(imageUrl="", prompt=None) as address:
        found, run = during(address, tags_of(Song(audio_id="song-1", music_task_id=MUSIC)))
    assert found == [SongTags(title="Song")]
    assert run.reasons == []


def test_a_song_that_is_given_up_leaves_the_answer_to_the_others(practice: Practice) -> None:
    one, other = practice.songs

    async def story(run: Run) -> SongTags:
        given_up = asyncio.create_task(run.tagger.tags_of(one))
        waiting = asyncio.create_task(run.tagger.tags_of(other))
        await asyncio.sleep(0)
        given_up.cancel()
        return await waiting

    found, run = during(practice.address, story)
    assert (found.title, run.reasons) == ("Sandbox song 2", [])


def test_what_is_missing_is_said_to_people() -> None:
    assert render(TagsMissing(audio_id="song-1", reason="no\x1b[2J")).text == (
        "song-1: tags are missing: no\N{REPLACEMENT CHARACTER}[2J"
    )
