"""The main job, as a person runs it: real processes against the sandbox on a real port."""

from __future__ import annotations

import json
import os
import sqlite3
import time
import wave
from array import array
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import State
from suno_wav_cli.models import Song
from tests.support.program import Sandbox, run_program
from tests.support.quick_limits import API_SPEED, WAIT_SPEED


def samples(path: Path) -> array[int]:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48000, 2, 2)
        return array("h", file.readframes(file.getnframes()))


@pytest.mark.long
def test_a_newcomer_gets_a_song_without_a_key_and_without_a_network() -> None:
    """`convert demo --provider sandbox` starts the service itself; standard output is the path and nothing else."""
    done = run_program("convert", "demo", "--provider", "sandbox", "--out", "song.wav")
    assert (done.code, done.out) == (0, "song.wav\n")
    heard = samples(Path("song.wav"))
    assert max(heard) > 8000, "silence"
    assert [path.name for path in Path().iterdir()] == ["song.wav"]


@pytest.mark.long
def test_by_callback_the_service_is_asked_once(sandbox: Sandbox) -> None:
    """The callback wakes the song, which asks once and is done."""
    done = sandbox.run("convert", "demo+callback", "--out", "song.wav", "--poll-interval", "20s")
    assert done.code == 0
    assert (sandbox.counted("submissions", "demo+callback"), sandbox.counted("lookups", "demo+callback")) == (
        1,
        1,
    )


@pytest.mark.long
def test_by_polling_the_service_is_asked_at_each_interval(sandbox: Sandbox) -> None:
    """A minute of work at twenty times the speed, looked up every 500 ms: at least twice, and not many times more."""
    done = sandbox.run(
        "convert", "demo-slow+polling", "-o", "song.wav", "--tunnel", "none", "--poll-interval", "500ms"
    )
    assert done.code == 0
    assert sandbox.counted("submissions", "demo-slow+polling") == 1
    assert 1 < sandbox.counted("lookups", "demo-slow+polling") < 10
    assert "polling every 0.5 s" in done.err


@pytest.mark.long
def test_a_poller_sends_the_placeholder_that_is_accepted(sandbox: Sandbox) -> None:
    """`callBackUrl` is required of everyone; the sandbox does not post to the reserved name."""
    assert sandbox.run("convert", "demo+placeholder", "--tunnel", "none").code == 0
    assert sandbox.counted("callbacks", "demo+placeholder") == 1


@pytest.mark.long
def test_without_a_token_auto_polls_and_says_so_in_one_line(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+auto", env={"SUNO_WAV_PROVIDER": "sunoapi", "SUNO_API_KEY": "key-1"})
    assert done.code == 0
    assert "no callbacks (there is no ngrok token): polling every 0.3 s\n" in done.err


@pytest.mark.long
def test_an_explicit_tunnel_that_cannot_be_opened_is_exit_11_before_anything_is_paid(
    sandbox: Sandbox,
) -> None:
    done = sandbox.run("convert", "demo+tunnel", "--tunnel", "ngrok")
    assert done.code == 11
    assert sandbox.counted("submissions", "demo+tunnel") == 0


@pytest.mark.long
def test_a_taken_port_falls_back_to_polling(sandbox: Sandbox) -> None:
    port = sandbox.base_url.rpartition(":")[2]
    done = sandbox.run("convert", "demo+port", "--port", port)
    assert done.code == 0
    assert f"no callbacks (port {port} cannot be opened: Address already in use)" in done.err


@pytest.mark.long
def test_the_users_own_public_address_leads_to_the_port(sandbox: Sandbox, free_port: int) -> None:
    """The address may have a path of its own, which a proxy in front may keep."""
    public = f"http://127.0.0.1:{free_port}/hooks"
    done = sandbox.run(
        "convert", "demo+public", "--public-url", public, "--port", str(free_port), "--poll-interval", "20s"
    )
    assert done.code == 0
    assert sandbox.counted("lookups", "demo+public") == 1


@pytest.mark.long
@pytest.mark.parametrize("answer", ["HTTP 404", "the connection was refused", "cannot be reached from here"])
def test_a_public_address_that_this_machine_cannot_reach_is_used_and_polled(
    sandbox: Sandbox, free_port: int, answer: str
) -> None:
    """Many routers do not lead a request from inside back in, or answer it themselves."""
    public = {
        "HTTP 404": sandbox.base_url,
        "the connection was refused": "http://127.0.0.1:9",
        "cannot be reached from here": "http://no-such-name.invalid",
    }[answer]
    song = f"demo+hairpin-{answer.split(maxsplit=1)[0]}"
    done = sandbox.run("convert", song, "--public-url", public, "--port", str(free_port), "--json")
    assert done.code == 0
    (unproven,) = [json.loads(line) for line in done.out.splitlines() if "tunnel_unproven" in line]
    assert (unproven["public_url"], answer in unproven["reason"]) == (public, True)
    assert "ngrok" not in done.out + done.err
    record = httpx.get(
        f"{sandbox.base_url}/api/v1/wav/record-info",
        params={
            "taskId": next(
                json.loads(line)["task_id"] for line in done.out.splitlines() if "submitted" in line
            )
        },
        headers={"Authorization": "Bearer any"},
        trust_env=False,
    ).json()
    assert record["data"]["callbackUrl"].startswith(f"{public}/suno-wav-callback/")


def test_a_public_address_without_a_port_is_wrong_usage(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+noport", "--public-url", "https://example.org/hook")
    assert (done.code, sandbox.counted("submissions", "demo+noport")) == (2, 0)


@pytest.mark.long
def test_a_callback_address_elsewhere_means_polling(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+elsewhere", "--callback-url", "https://example.com/mine")
    assert done.code == 0
    assert "polling every" in done.err


def test_an_existing_file_is_refused_before_anything_is_paid(sandbox: Sandbox) -> None:
    Path("song.wav").write_text("mine")
    done = sandbox.run("convert", "demo+exists", "--out", "song.wav")
    assert (done.code, done.out, Path("song.wav").read_text()) == (10, "", "mine")
    assert sandbox.counted("submissions", "demo+exists") == 0


@pytest.mark.long
def test_force_overwrites(sandbox: Sandbox) -> None:
    Path("song.wav").write_text("mine")
    assert sandbox.run("convert", "demo+force", "--out", "song.wav", "--force").code == 0
    assert len(samples(Path("song.wav"))) == 576000


def test_skip_existing_counts_the_file_as_done(sandbox: Sandbox) -> None:
    Path("song.wav").write_text("mine")
    done = sandbox.run("convert", "demo+skip", "--out", "song.wav", "--skip-existing")
    assert (done.code, done.out, Path("song.wav").read_text()) == (0, "song.wav\n", "mine")
    assert sandbox.counted("submissions", "demo+skip") == 0


@pytest.mark.long
def test_a_saved_song_is_not_paid_for_again(sandbox: Sandbox) -> None:
    """The same command again succeeds at once; another --out downloads again, free of charge."""
    first = sandbox.run("convert", "demo+again", "--out", "song.wav")
    second = sandbox.run("convert", "demo+again", "--out", "song.wav")
    third = sandbox.run("convert", "demo+again", "--out", "copy.wav")
    assert [first.code, second.code, third.code] == [0, 0, 0]
    assert second.out == "song.wav\n"
    assert Path("copy.wav").read_bytes() == Path("song.wav").read_bytes()
    assert sandbox.counted("accepted", "demo+again") == 1


@pytest.mark.long
def test_a_saved_song_is_paid_for_again_only_by_its_id_and_force(sandbox: Sandbox) -> None:
    song = "demo+resubmit"
    Path("list").write_text(song)
    assert sandbox.run("convert", song, "--out", "song.wav").code == 0
    for line in ([song], [song, "--resubmit"], ["--from-file", "list", "--resubmit", "--force"]):
        assert sandbox.run("convert", *line, "--out", "song.wav").code == 0
        assert sandbox.counted("accepted", song) == 1
    assert sandbox.run("convert", song, "--out", "new.wav", "--resubmit", "--force").code == 0
    assert sandbox.counted("accepted", song) == 2


@pytest.mark.long
def test_a_failed_song_is_paid_for_again_only_with_resubmit(sandbox: Sandbox) -> None:
    """A nightly list does not pay every night for what fails every night."""
    song = "demo-fails+nightly"
    assert sandbox.run("convert", song).code == 7
    lookups = sandbox.counted("lookups", song)
    again = sandbox.run("convert", song)
    assert (again.code, sandbox.counted("lookups", song)) == (7, lookups + 1)
    assert again.err.splitlines()[0].endswith(f" (on {time.strftime('%Y-%m-%d')})")
    assert f"To pay for another try: suno-wav resume {song} --resubmit" in again.err
    assert sandbox.run("resume", song).code == 7
    assert sandbox.counted("submissions", song) == 1
    assert sandbox.run("convert", song, "--resubmit").code == 7
    assert sandbox.run("resume", song, "--resubmit").code == 7
    assert sandbox.counted("submissions", song) == 3


@pytest.mark.long
def test_the_plan_shows_what_is_not_paid_for_again(sandbox: Sandbox) -> None:
    songs = {"failed": "demo+plan1", "unknown": "demo+plan2", "forgotten": "demo+plan3"}
    home = Path(os.environ["SUNO_WAV_HOME"])
    with open_journal(home / "journal.sqlite3", sandbox.service) as journal:
        for name, song in songs.items():
            entry = journal.claim(Song(audio_id=song), Path(f"{song}.wav")).entry
            if name != "unknown":
                entry = journal.accept(entry, f"task-{name}")
            journal.move(entry, State(name))
    plain = sandbox.run("convert", *songs.values(), "-n", "--json")
    assert [(job["action"], job["price"]) for job in plain.named("planned")] == [(name, 0) for name in songs]
    again = sandbox.run("convert", *songs.values(), "-n", "--json", "--resubmit")
    assert [job["action"] for job in again.named("planned")] == ["submit"] * 3
    assert again.named("quoted")[0]["submissions"] == 3


@pytest.mark.long
def test_many_songs_are_independent_of_each_other(sandbox: Sandbox) -> None:
    """One fails, two succeed: exit 5, two paths, and the count of what was asked for."""
    done = sandbox.run("convert", "demo+m1", "demo-fails+m2", "demo+m3")
    assert done.code == 5
    assert sorted(done.out.splitlines()) == ["demo+m1.wav", "demo+m3.wav"]
    assert "2 of 3 saved, 1 failed" in done.err


@pytest.mark.long
def test_songs_that_all_fail_alike_keep_their_code(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "demo-fails+a1", "demo-fails+a2").code == 7


@pytest.mark.long
def test_a_song_named_twice_is_one_song(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+double", "demo+double")
    assert (done.code, sandbox.counted("accepted", "demo+double")) == (0, 1)


def test_after_a_refused_account_nothing_more_is_sent(sandbox: Sandbox) -> None:
    """One song learns that the credits are used up; the others, which have to wait for it, do not ask."""
    ids = [f"demo-no-credits+{n}" for n in range(4)]
    done = sandbox.run("convert", *ids, "--window", "1/1s")
    assert done.code == 4
    assert [sandbox.counted("submissions", audio_id) for audio_id in ids] == [1, 0, 0, 0]


@pytest.mark.long
def test_more_songs_than_the_window_takes_are_all_converted(sandbox: Sandbox) -> None:
    """Twenty-two submissions keep to 20 in 10 s as the service counts: none is refused."""
    ids = [f"demo+w{n}" for n in range(22)]
    done = sandbox.run("convert", *ids, "--json")
    assert done.code == 0
    assert done.named("summary")[0]["saved"] == 22
    assert [sandbox.counted("submissions", audio_id) for audio_id in ids] == [1] * 22
    assert done.named("submission_delayed") == []


@pytest.mark.long
def test_all_tracks_of_a_music_task(sandbox: Sandbox) -> None:
    """`--task-id` alone; the titles become names."""
    done = sandbox.run("convert", "--task-id", "0123456789abcdef0123456789abcdef", "--out", "{title}.wav")
    assert done.code == 0
    assert sorted(done.out.splitlines()) == ["Sandbox song 1.wav", "Sandbox song 2.wav"]


def test_no_wait_prints_task_ids_and_leaves(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+leave", "--no-wait", "--out", "later.wav")
    assert done.code == 0
    (task_id,) = done.out.splitlines()
    assert len(task_id) == 32
    finished = sandbox.run("status", task_id, "--wait", "--download")
    assert (finished.code, finished.out) == (0, f"{Path.cwd() / 'later.wav'}\n")
    assert sandbox.counted("accepted", "demo+leave") == 1


@pytest.mark.long
def test_time_that_is_up_is_not_failure(sandbox: Sandbox) -> None:
    """Exit 8, and the line that continues is printed."""
    done = sandbox.run("convert", "demo-never+up", "--timeout", "500ms", "--json")
    assert done.code == 8
    task_id = done.named("submitted")[0]["task_id"]
    assert f"suno-wav resume {task_id} --provider sandbox --base-url {sandbox.base_url}" in done.err


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["convert"], 2, "no audio id was given", id="nothing to do"),
        pytest.param(
            ["convert", "0123456789abcdef0123456789abcdef"], 2, "looks like a task id", id="a task id"
        ),
        pytest.param(["convert", "../etc/passwd"], 2, "is not an audio id", id="a path"),
        pytest.param(
            ["convert", "a", "b", "--out", "x.wav"],
            2,
            "several songs cannot all become",
            id="one file for two",
        ),
        pytest.param(["convert", "a", "--out", "{name}.wav"], 2, "no field {name}", id="an unknown field"),
        pytest.param(
            ["convert", "a", "--out", "/proc/no/song.wav"], 2, "/proc cannot be written to", id="a folder"
        ),
        pytest.param(["convert", "a", "b", "-o", "-"], 2, "several songs", id="several to standard output"),
        pytest.param(["convert", "a", "--limit-rate", "fast"], 2, "a number of bytes", id="a speed"),
        pytest.param(["convert", "a", "--connections", "5"], 2, "from 1 to 4", id="connections"),
        pytest.param(["convert", "a", "--max-size", "0"], 2, "a number of bytes", id="a size"),
        pytest.param(["convert", "a", "--timeout", "soon"], 2, "'soon' is not a duration", id="a duration"),
        pytest.param(["convert", "a", "--port", "70000"], 2, "a number from 0 to 65535", id="a port"),
        pytest.param(["convert", "a", "--provider", "napster"], 2, "one of: sunoapi", id="a provider"),
        pytest.param(["convert", "a", "--base-url", "ftp://x"], 2, "is not an address", id="an address"),
        pytest.param(
            ["convert", "a", "--base-url", "http://api.example.net"], 2, "plain http", id="a key over http"
        ),
        pytest.param(["convert", "a", "--bse-url", "x"], 2, "--base-url", id="a typing error"),
        pytest.param(["konvert", "a"], 2, "convert", id="a mistyped command"),
    ],
)
def test_wrong_usage_is_explained_and_changes_nothing(arguments: list[str], code: int, said: str) -> None:
    done = run_program(*arguments, env={"SUNO_API_KEY": "key-1", "SUNO_WAV_RETRIES": "0"})
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert list(Path().iterdir()) == []


def test_without_a_key_the_remedy_is_said() -> None:
    done = run_program("convert", "a")
    assert (done.code, done.out) == (3, "")
    assert done.err == (
        "error: there is no API key for https://api.sunoapi.org\n"
        "  suno-wav login says where to find it, and keeps it (or set SUNO_API_KEY). "
        "To try without one: --provider sandbox\n"
    )


def test_a_folder_that_cannot_be_written_is_found_before_anything_is_paid(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+folder", "--out", "/proc/")
    assert (done.code, sandbox.counted("submissions", "demo+folder")) == (2, 0)


@pytest.mark.long
def test_no_wait_prints_the_task_of_a_song_that_is_saved_already(sandbox: Sandbox) -> None:
    """Standard output is task ids then, whatever became of the song."""
    assert sandbox.run("convert", "demo+known", "--out", "song.wav").code == 0
    done = sandbox.run("convert", "demo+known", "--out", "song.wav", "--no-wait")
    assert (done.code, len(done.out.strip())) == (0, 32)
    assert sandbox.counted("accepted", "demo+known") == 1


@pytest.mark.long
def test_the_empty_part_file_of_a_killed_program_goes_with_the_next_run(sandbox: Sandbox) -> None:
    """A second program for the song can be killed between opening it and seeing that the first has saved the song."""
    Path("folder").mkdir()
    assert sandbox.run("convert", "demo+left", "--out", "folder/song.wav").code == 0
    Path("folder", "song.wav.part").touch()
    assert sandbox.run("convert", "demo+left", "--out", "folder/song.wav").code == 0
    assert [path.name for path in Path("folder").iterdir()] == ["song.wav"]


def test_a_sandbox_id_is_not_paid_for_at_a_real_service() -> None:
    done = run_program("convert", "demo", env={"SUNO_API_KEY": "key-1"})
    assert (done.code, done.out) == (2, "")
    assert "Add --provider sandbox." in done.err


@pytest.mark.long
def test_a_task_that_the_service_has_forgotten_is_said_to_be(sandbox: Sandbox) -> None:
    """Paid for so long ago that its file is deleted: only a new conversion helps."""
    with open_journal(Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3", sandbox.service) as journal:
        journal.adopt("a" * 32, "demo+forgotten", Path("song.wav"))
    with closing(sqlite3.connect(Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3")) as raw, raw:
        raw.execute("UPDATE conversion SET created = 0, expires = 1")
    done = sandbox.run("convert", "demo+forgotten", "--out", "song.wav", env={WAIT_SPEED: "600"})
    assert done.code == 7
    assert "the service has forgotten the task" in done.err
    assert "--resubmit" in done.err
    assert sandbox.counted("submissions", "demo+forgotten") == 0


@pytest.mark.long
def test_a_slow_answer_to_the_payment_is_waited_for(sandbox: Sandbox) -> None:
    song = "demo-submit-slow20+awaited"
    done = sandbox.run("convert", song, "--out", "song.wav", "--tunnel", "none", env={API_SPEED: "100"})
    assert done.code == 0, done
    assert done.err.count("no answer to the paid request yet") == 1
    assert sandbox.counted("submissions", song) == 1


@pytest.mark.long
def test_an_answer_that_never_comes_is_not_waited_for_longer(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo-hang+awaited", "--tunnel", "none", env={API_SPEED: "200"})
    assert done.code == 6, done
    assert "it is not known whether the song was submitted and charged: no answer in time" in done.err


@pytest.mark.long
def test_a_part_that_nobody_here_began_is_not_touched(sandbox: Sandbox) -> None:
    """Not even where an earlier try for the same file was refused before anything was downloaded."""
    assert sandbox.run("convert", "demo-no-credits+part", "--out", "song.wav").code == 4
    Path("song.wav.part").write_text("mine")
    done = sandbox.run("convert", "demo+part", "--out", "song.wav")
    assert (done.code, Path("song.wav.part").read_text()) == (10, "mine")
    assert sandbox.counted("submissions", "demo+part") == 0


def test_names_that_some_systems_take_for_one_are_refused(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+Case", "demo+case")
    assert (done.code, sandbox.counted("submissions", "demo+case")) == (2, 0)
