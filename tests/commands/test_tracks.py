"""`tracks`: the songs of a music task, shown and remembered."""

from __future__ import annotations

import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.program import Finished, Sandbox, run_program

if TYPE_CHECKING:
    from collections.abc import Iterator

MUSIC = "0123456789abcdef0123456789abcdef"


@contextmanager
def saying(data: dict[str, Any] | None) -> Iterator[dict[str, str]]:
    """Be a service that says this of every music task; the settings that lead there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps({"code": 200, "msg": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield {
                "SUNO_WAV_PROVIDER": "sandbox",
                "SUNO_WAV_BASE_URL": f"http://127.0.0.1:{server.server_port}",
                "SUNO_WAV_RETRIES": "0",
            }
        finally:
            server.shutdown()
            thread.join()


def tracks_of(data: dict[str, Any] | None, *arguments: str) -> Finished:
    with saying(data) as env:
        return run_program("tracks", MUSIC, *arguments, env=env)


def test_each_track_is_a_line(sandbox: Sandbox) -> None:
    done = sandbox.run("tracks", MUSIC)
    head, first, second = done.out.splitlines()
    assert (done.code, done.err) == (0, f"suno-wav: music task {MUSIC}: SUCCESS\n")
    assert head.split() == ["AUDIO", "ID", "TITLE", "LENGTH", "STATE", "TAGS"]
    assert first.split()[1:] == ["Sandbox", "song", "1", "0:06", "complete", "sine,", "practice"]
    assert second.index("Sandbox song 2") == first.index("Sandbox song 1") == head.index("TITLE")


@pytest.mark.long
def test_what_was_seen_is_remembered(sandbox: Sandbox) -> None:
    """The song's music task, which no later command needs to be told, and its title, for names and for `jobs`."""
    first = sandbox.run("tracks", MUSIC, "--json").named("track")[0]
    done = sandbox.run("convert", first["audio_id"], "--out", "{title} of {task_id}.wav")
    assert (done.code, done.out) == (0, f"Sandbox song 1 of {MUSIC}.wav\n")
    (job,) = run_program("jobs", "--json").events
    assert (job["title"], job["music_task_id"]) == ("Sandbox song 1", MUSIC)


@pytest.mark.long
def test_a_wav_task_is_no_music_task(sandbox: Sandbox) -> None:
    """Known without a key, and whatever the provider."""
    task_id = sandbox.run("convert", "demo+tracks-of-it", "--no-wait").out.strip()
    for arguments in [(), ("--provider", "sandbox")]:
        done = run_program("tracks", task_id, *arguments)
        assert (done.code, done.out) == (2, "")
        assert f"{task_id} is a WAV task, of the song demo+tracks-of-it" in done.err


@pytest.mark.long
def test_a_default_name_is_the_same_before_and_after(sandbox: Sandbox) -> None:
    audio_id = sandbox.run("tracks", MUSIC[::-1], "--json").named("track")[0]["audio_id"]
    assert sandbox.run("convert", audio_id).out == f"{audio_id}.wav\n"


@pytest.mark.long
def test_all_tracks_that_are_converted_are_remembered(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "--task-id", "f" * 32, "--no-wait").code == 0
    titles = [job["title"] for job in run_program("jobs", "--json").events]
    assert sorted(titles) == ["Sandbox song 1", "Sandbox song 2"]


def test_a_track_that_is_not_there_yet_is_shown_as_it_is() -> None:
    """Before SUCCESS, a track's audio and length may be missing."""
    half = {"id": "audio-2", "title": None, "audioUrl": "", "duration": None}
    done = tracks_of({"status": "FIRST_SUCCESS", "response": {"sunoData": [half]}})
    assert (done.code, done.err) == (0, f"suno-wav: music task {MUSIC}: FIRST_SUCCESS\n")
    assert done.out.splitlines()[1].split() == ["audio-2", "-", "-", "running"]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        pytest.param({"status": "PENDING", "response": None}, 8, "has no tracks yet (PENDING)", id="pending"),
        pytest.param({"status": "SENSITIVE_WORD_ERROR"}, 7, "no tracks (SENSITIVE_WORD_ERROR)", id="refused"),
        pytest.param(None, 7, "has no tracks (no state given)", id="null"),
    ],
)
def test_no_tracks_are_said_to_be_none(data: dict[str, Any] | None, code: int, said: str) -> None:
    done = tracks_of(data)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


@pytest.mark.long
def test_all_tracks_are_not_converted_while_one_may_be_missing() -> None:
    track = {"id": "audio-1", "title": "Song", "audioUrl": "https://x.example/a.mp3", "duration": 3}
    with saying({"status": "FIRST_SUCCESS", "response": {"sunoData": [track]}}) as env:
        done = run_program("convert", "--task-id", MUSIC, env=env)
    assert done.code == 8
    assert "a track may be missing" in done.err


def test_a_hostile_title_cannot_steer_the_terminal() -> None:
    track = {"id": "audio-1", "title": "a\x1b[2Jb\nc", "tags": "\x07", "audioUrl": None}
    done = tracks_of({"status": "SUCCESS", "response": {"sunoData": [track]}})
    assert len(done.out.splitlines()) == 2
    assert "\x1b" not in done.out
    assert "\x07" not in done.out


@pytest.mark.long
@pytest.mark.parametrize("provider", ["kie", "kie-jobs"])
@pytest.mark.parametrize("music_task", ["demo-song", "demo-song-camel", "demo-song+2"])
def test_songs_of_the_current_route_of_kie_are_found(
    sandbox: Sandbox, provider: str, music_task: str
) -> None:
    """In both spellings, and by whichever of its routes the WAVs are made."""
    kie = sandbox.as_kie(provider)
    tracks = kie.run("tracks", music_task, "--json").named("track")
    assert [(track["title"], track["complete"]) for track in tracks] == [
        ("Sandbox song 1", True),
        ("Sandbox song 2", True),
    ]
    assert all(track["lyrics"].startswith("[Verse]") and track["image_url"] for track in tracks)
    done = kie.run("convert", "--task-id", music_task, "--out", ".", "--json")
    assert {event["audio_id"] for event in done.named("saved")} == {track["audio_id"] for track in tracks}


@pytest.mark.long
def test_songs_of_the_current_route_are_unknown_to_the_others(sandbox: Sandbox) -> None:
    assert sandbox.run("tracks", "demo-song").code == 7
