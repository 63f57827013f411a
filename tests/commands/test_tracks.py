"""`tracks`: the songs of a music task, shown and remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.events.commands import TrackList
from suno_wav_cli.models import Track
from suno_wav_cli.terminal.track_table import format_tracks
from tests.support.program import run_program
from tests.support.wild import envelope

if TYPE_CHECKING:
    from tests.support.program import Finished, Sandbox
    from tests.support.wild import Wild

MUSIC = "0123456789abcdef0123456789abcdef"


def tracks_of(wild: Wild, data: dict[str, Any] | None, *arguments: str) -> Finished:
    """Ask for a music task of which the service says this."""
    wild.answer = lambda _: envelope(data=data)
    return wild.run("tracks", MUSIC, *arguments)


def test_each_track_is_a_line(sandbox: Sandbox) -> None:
    done = sandbox.run("tracks", MUSIC)
    head, first, second = done.out.splitlines()
    assert (done.code, done.err) == (0, f"suno-wav: music task {MUSIC}: SUCCESS\n")
    assert head.split() == ["AUDIO", "ID", "TITLE", "LENGTH", "STATE", "TAGS"]
    assert first.split()[1:] == ["Sandbox", "song", "1", "0:06", "complete", "sine,", "practice"]
    assert second.index("Sandbox song 2") == first.index("Sandbox song 1") == head.index("TITLE")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_two_titles_look_alike(width: int) -> None:
    """On a narrow terminal, rather the tags and the length are left out."""
    tracks = [
        Track(
            audio_id=f"8551ab12-34cd-4e5f-8a9b-0c1d2e3f662{number}",
            music_task_id=MUSIC,
            title=f"A Summer Night by the Sea {number}",
            tags="sine, practice",
            duration=6.0,
            complete=True,
        )
        for number in (1, 2)
    ]
    head, *rows = format_tracks(TrackList(items=tuple(tracks), music_task_id=MUSIC, flag=None), width)
    assert max(map(len, (head, *rows))) <= width
    assert len({row[38:].replace("complete", "") for row in rows}) == 2
    assert ["complete" in row for row in rows] == [True, True]


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
    for arguments in [(), ("--provider", "kie")]:
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


def test_a_track_that_is_not_there_yet_is_shown_as_it_is(wild: Wild) -> None:
    """Before SUCCESS, a track's audio and length may be missing."""
    half = {"id": "audio-2", "title": None, "audioUrl": "", "duration": None}
    done = tracks_of(wild, {"status": "FIRST_SUCCESS", "response": {"sunoData": [half]}})
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
def test_no_tracks_are_said_to_be_none(wild: Wild, data: dict[str, Any] | None, code: int, said: str) -> None:
    done = tracks_of(wild, data)
    assert (done.code, done.out) == (code, "")
    assert said in done.err


@pytest.mark.long
def test_all_tracks_are_not_converted_while_one_may_be_missing(wild: Wild) -> None:
    track = {"id": "audio-1", "title": "Song", "audioUrl": "https://x.example/a.mp3", "duration": 3}
    wild.answer = lambda _: envelope(data={"status": "FIRST_SUCCESS", "response": {"sunoData": [track]}})
    done = wild.run("convert", "--task-id", MUSIC)
    assert done.code == 8
    assert "a track may be missing" in done.err


def test_a_hostile_title_cannot_steer_the_terminal(wild: Wild) -> None:
    track = {"id": "audio-1", "title": "a\x1b[2Jb\nc", "tags": "\x07", "audioUrl": None}
    done = tracks_of(wild, {"status": "SUCCESS", "response": {"sunoData": [track]}})
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


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("audio_id", ["song.mp3", "#abc", "ID"])
def test_a_track_that_could_not_be_named_later_is_not_paid_for(wild: Wild, audio_id: str) -> None:
    """A list of failures would hold a line that `--from-file` refuses."""
    tracks = [{"id": name, "audioUrl": "https://x.example/a.mp3"} for name in ("good", audio_id)]
    wild.answer = lambda _: envelope(data={"status": "SUCCESS", "response": {"sunoData": tracks}})
    done = wild.run("convert", "--task-id", "0" * 32)
    assert (done.code, wild.methods) == (2, ["GET"])
    assert f"names a song '{audio_id}', which is not an id" in done.err
    assert "Convert its other songs by their ids: good" in done.err
