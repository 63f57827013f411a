"""`--out s3://...`: real processes, and moto's S3 server on a real port."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.object_store import BUCKET, SECRET, ObjectStore, Relay, serve_objects, serve_old_store
from tests.support.program import ENDS_WITHIN, Finished, Sandbox, named, read_until, started
from tests.support.quick_limits import UPLOAD_WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_PARTS = {UPLOAD_WHOLE: "1000000"}
"""A song of 12 MB goes in three parts."""


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    pytest.importorskip("moto", reason="needs the extra test-s3")
    with serve_objects() as served:
        yield served


def convert(sandbox: Sandbox, store: ObjectStore, *arguments: str, **more: str) -> Finished:
    return sandbox.run("convert", *arguments, "--json", env=store.settings | more)


def spool() -> list[str]:
    home = Path(os.environ["SUNO_WAV_HOME"])
    return sorted(path.name for path in home.rglob("*.part"))


def test_songs_go_to_the_store_whole_and_nothing_stays_here(sandbox: Sandbox, store: ObjectStore) -> None:
    songs = ("demo+s3-1", "demo+s3-2")
    done = convert(sandbox, store, *songs, "--out", f"s3://{BUCKET}/new/{{audio_id}}.wav")
    assert done.code == 0, done
    for song in songs:
        (saved,) = [event for event in done.named("saved") if event["audio_id"] == song]
        content, attributes = store.get(f"new/{song}.wav")
        assert saved["path"] == f"s3://{BUCKET}/new/{song}.wav"
        assert (len(content), hashlib.sha256(content).hexdigest()) == (saved["bytes"], saved["sha256"])
        assert attributes == {"Content-Type": "audio/wav", "sha256": saved["sha256"]}
    assert spool() == []
    assert [path for path in Path().rglob("*") if path.suffix == ".wav"] == []


@pytest.mark.long
def test_a_rerun_skips_what_is_there(sandbox: Sandbox, store: ObjectStore) -> None:
    out = ("--out", f"s3://{BUCKET}/again/")
    assert convert(sandbox, store, "demo+again-stored", *out).code == 0
    done = convert(sandbox, store, "demo+again-stored", *out)
    assert (done.code, len(done.named("skipped")), len(done.named("upload_started"))) == (0, 1, 0)
    assert done.named("skipped")[0]["path"] == f"s3://{BUCKET}/again/demo+again-stored.wav"
    assert sandbox.counted("submissions", "demo+again-stored") == 1


def test_a_dry_run_changes_nothing(sandbox: Sandbox, store: ObjectStore) -> None:
    home = Path(os.environ["SUNO_WAV_HOME"])
    before = sorted(home.rglob("*"))
    done = convert(sandbox, store, "demo+s3-dry", "--out", f"s3://{BUCKET}/dry/", "--dry-run")
    assert (done.code, sorted(home.rglob("*")), list(Path().iterdir())) == (0, before, [])


@pytest.mark.long
def test_what_follows_a_song_is_made_up_for_what_is_at_the_store(
    sandbox: Sandbox, store: ObjectStore
) -> None:
    """An earlier run has sent the songs, without a JSON file and a checksum."""
    songs = ("demo+late-info1", "demo+late-info2")
    out = (*songs, "--out", f"s3://{BUCKET}/late/")
    assert convert(sandbox, store, *out).code == 0
    done = convert(sandbox, store, *out, "--info-json", "--checksums", "SUMS")
    assert (done.code, len(done.named("skipped"))) == (0, 2), done
    for song in songs:
        digest = hashlib.sha256(store.get(f"late/{song}.wav")[0]).hexdigest()
        assert f"{digest}  late/{song}.wav\n" in Path("SUMS").read_text()
        info = json.loads(store.get(f"late/{song}.json")[0])
        assert (info["audio_id"], info["sha256"], info["file"]) == (song, digest, f"{song}.wav")
    again = convert(sandbox, store, *out, "--info-json", "--checksums", "SUMS")
    assert (again.code, len(Path("SUMS").read_text().splitlines())) == (0, 2)


@pytest.mark.long
def test_the_url_is_what_standard_output_gets(sandbox: Sandbox, store: ObjectStore) -> None:
    done = sandbox.run("convert", "demo+out-s3", "--out", f"s3://{BUCKET}/out/", env=store.settings)
    assert done.out == f"s3://{BUCKET}/out/demo+out-s3.wav\n"
    assert SECRET not in done.err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("parts", [{}, IN_PARTS], ids=["whole", "in parts"])
def test_another_object_is_never_replaced_without_force(
    sandbox: Sandbox, store: ObjectStore, parts: dict[str, str]
) -> None:
    song = f"demo+taken-{len(parts)}"
    store.put(f"taken/{song}.wav", b"mine")
    out = ("--out", f"s3://{BUCKET}/taken/")
    refused = convert(sandbox, store, song, *out, **parts)
    assert (refused.code, sandbox.counted("submissions", song)) == (10, 0)
    assert store.get(f"taken/{song}.wav")[0] == b"mine"
    skipped = convert(sandbox, store, song, *out, "--skip-existing", **parts)
    assert (skipped.code, sandbox.counted("submissions", song)) == (0, 0)
    forced = convert(sandbox, store, song, *out, "--force", **parts)
    assert forced.code == 0
    assert store.get(f"taken/{song}.wav")[0].startswith(b"RIFF")


@pytest.mark.long
@pytest.mark.parametrize("parts", [{}, IN_PARTS], ids=["whole", "in parts"])
def test_an_object_that_comes_later_is_not_replaced_either(
    sandbox: Sandbox, store: ObjectStore, parts: dict[str, str]
) -> None:
    """In one piece the store itself refuses; in parts it is looked at just before."""
    song = f"demo+later-{len(parts)}"
    out = ("--out", f"s3://{BUCKET}/later/")
    assert convert(sandbox, store, song, *out, "--no-wait").code == 0
    store.put(f"later/{song}.wav", b"mine")
    done = sandbox.run("resume", song, "--json", env=store.settings | parts)
    assert done.code == 10, done
    assert store.get(f"later/{song}.wav")[0] == b"mine"


@pytest.mark.long
def test_resume_knows_where_a_song_was_to_go(sandbox: Sandbox, store: ObjectStore) -> None:
    out = ("--out", f"s3://{BUCKET}/known/{{audio_id}}.wav")
    assert convert(sandbox, store, "demo+known-s3", *out, "--no-wait").code == 0
    assert sandbox.run("resume", env=store.settings).out == f"s3://{BUCKET}/known/demo+known-s3.wav\n"


@pytest.mark.long
def test_a_large_file_goes_in_parts(sandbox: Sandbox, store: ObjectStore) -> None:
    done = convert(sandbox, store, "demo-12mb+parts", "--out", f"s3://{BUCKET}/parts/", **IN_PARTS)
    assert done.code == 0, done
    assert [event["in_parts"] for event in done.named("upload_started")] == [True]
    content, attributes = store.get("parts/demo-12mb+parts.wav")
    assert hashlib.sha256(content).hexdigest() == done.named("saved")[0]["sha256"] == attributes["sha256"]


@pytest.mark.long
@pytest.mark.parametrize("parts", [{}, IN_PARTS], ids=["whole", "in parts"])
def test_an_upload_that_is_killed_is_done_by_the_next_run(
    sandbox: Sandbox, store: ObjectStore, parts: dict[str, str]
) -> None:
    """It is paid for and downloaded once. Parts that may be left at the store are said, once."""
    song = f"demo-12mb+killed-{len(parts)}"
    out = ("--out", f"s3://{BUCKET}/killed/")
    relay = Relay(int(store.url.rpartition(":")[2]), hold_after=7_000_000)
    slow = store.settings | {"AWS_ENDPOINT_URL": relay.url} | parts
    with started(sandbox, "convert", song, *out, env=slow) as process:
        read_until(process, named("upload_started"))
        assert relay.is_held.wait(30)
        process.send_signal(signal.SIGKILL)
        process.wait(ENDS_WITHIN)
    relay.close()
    assert f"killed/{song}.wav" not in store.keys()  # noqa: SIM118 - not a dictionary
    assert spool() == [f"{song}.wav.part"]
    received = sandbox.counted("file_bytes", song)
    done = convert(sandbox, store, song, *out, **parts)
    assert done.code == 0, done
    content, _ = store.get(f"killed/{song}.wav")
    assert hashlib.sha256(content).hexdigest() == done.named("saved")[0]["sha256"]
    assert sandbox.counted("submissions", song) == 1
    assert sandbox.counted("file_bytes", song) == received
    assert spool() == []
    told = [event["urls"] for event in done.named("uploads_left_open")]
    assert told == ([[f"s3://{BUCKET}/killed/{song}.wav"]] if parts else [])
    assert convert(sandbox, store, song, *out, **parts).named("uploads_left_open") == []


@pytest.mark.long
def test_an_interruption_ends_an_upload(sandbox: Sandbox, store: ObjectStore) -> None:
    relay = Relay(int(store.url.rpartition(":")[2]), hold_after=3_000_000)
    slow = store.settings | {"AWS_ENDPOINT_URL": relay.url}
    with started(sandbox, "convert", "demo-12mb+ctrl-c", "--out", f"s3://{BUCKET}/c/", env=slow) as process:
        read_until(process, named("upload_started"))
        assert relay.is_held.wait(30)
        process.send_signal(signal.SIGINT)
        assert process.wait(ENDS_WITHIN) == 130
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()
    relay.close()
    assert sandbox.run("resume", env=store.settings).code == 0
    assert store.get("c/demo-12mb+ctrl-c.wav")[0].startswith(b"RIFF")


@pytest.mark.long
def test_an_answer_that_was_lost_is_no_other_object(sandbox: Sandbox, store: ObjectStore) -> None:
    """The store has the object, and the journal does not know it: the same file counts as uploaded."""
    out = ("--out", f"s3://{BUCKET}/lost/")
    assert convert(sandbox, store, "demo+lost-s3", *out).code == 0
    home, other = Path(os.environ["SUNO_WAV_HOME"]), {"SUNO_WAV_HOME": "other"}
    shutil.copytree(home, "other")
    import sqlite3

    with sqlite3.connect(next(Path("other").rglob("*.sqlite3"))) as journal:
        journal.execute("UPDATE upload SET state = 'whole'")
        journal.execute("UPDATE conversion SET state = 'ready'")
    journal.close()
    done = convert(sandbox, store, "demo+lost-s3", *out, **other)
    assert (done.code, len(done.named("saved"))) == (0, 1), done


@pytest.mark.long
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "error sending request"),
        ({"AWS_ALLOW_HTTP": ""}, "without encryption"),
    ],
)
def test_a_store_that_cannot_be_used_ends_the_run_before_anything_is_paid_for(
    sandbox: Sandbox, store: ObjectStore, change: dict[str, str], said: str
) -> None:
    done = convert(sandbox, store, "demo+unusable", "--out", f"s3://{BUCKET}/a/", **change)
    assert (done.code, sandbox.counted("submissions", "demo+unusable")) == (2, 0), done
    assert said in done.err
    assert SECRET not in done.err + done.out


def test_a_missing_bucket_ends_the_run_before_anything_is_paid_for(
    sandbox: Sandbox, store: ObjectStore
) -> None:
    done = convert(sandbox, store, "demo+no-bucket", "--out", "s3://no-such-bucket/a/")
    assert (done.code, sandbox.counted("submissions", "demo+no-bucket")) == (2, 0), done
    assert "there is no such bucket" in done.err


@pytest.mark.long
def test_the_end_of_a_run_stops_no_thread_of_obstore(
    sandbox: Sandbox, store: ObjectStore, tmp_path: Path
) -> None:
    """Python's own end would stop them where they wait for it, which is an abort (exit -6) in one run of ten."""
    ended = tmp_path / "ended"
    hook = f"import atexit, pathlib\natexit.register(pathlib.Path({str(ended)!r}).touch)\n"
    (tmp_path / "sitecustomize.py").write_text(hook)
    env = {"PYTHONPATH": str(tmp_path)}
    done = convert(sandbox, store, "demo+crash", "--out", "s3://no-such-bucket/a/", **env)
    assert (done.code, [event["exit_code"] for event in done.named("failed")], ended.exists()) == (
        2,
        [2],
        False,
    )
    assert sandbox.run("jobs", env=env).code == 0
    assert ended.exists()


@pytest.mark.long
def test_what_follows_a_song_names_its_object(sandbox: Sandbox, store: ObjectStore) -> None:
    command = f"{sys.executable} -c 'import sys; print(sys.argv[1:])'"
    done = convert(
        *(sandbox, store, "demo+follows", "--out", f"s3://{BUCKET}/follows/"),
        *("--exec", command, "--info-json", "--checksums", "SUMS"),
    )
    assert done.code == 0, done
    assert f"['s3://{BUCKET}/follows/demo+follows.wav']" in done.err
    content, attributes = store.get("follows/demo+follows.json")
    assert json.loads(content)["audio_id"] == "demo+follows"
    assert attributes["Content-Type"] == "application/json"
    for key in ("follows/demo+follows.wav",):
        Path(key).parent.mkdir()
        Path(key).write_bytes(store.get(key)[0])
    assert subprocess.run(["sha256sum", "-c", "SUMS"], check=False, capture_output=True).returncode == 0
    store.put("follows/demo+foreign-info.json", b"{}")
    foreign = convert(sandbox, store, "demo+foreign-info", "--out", f"s3://{BUCKET}/follows/", "--info-json")
    assert (foreign.code, len(foreign.named("info_not_written"))) == (5, 1)
    assert store.get("follows/demo+foreign-info.json")[0] == b"{}"


@pytest.mark.long
def test_a_store_that_cannot_refuse_is_said_and_looked_at(sandbox: Sandbox) -> None:
    """Once for a bucket, however many songs go there."""
    songs = ("demo+old-1", "demo+old-2")
    with serve_old_store() as (store, objects):
        done = convert(sandbox, store, *songs, "--jobs", "1", "--out", f"s3://{BUCKET}/old/")
        assert (done.code, len(done.named("saved"))) == (0, 2), done
        assert [event["bucket"] for event in done.named("store_unconditional")] == [BUCKET]
        objects[f"/{BUCKET}/old/demo+old-3.wav"] = b"mine"
        refused = convert(sandbox, store, "demo+old-3", "--out", f"s3://{BUCKET}/old/")
        assert (refused.code, objects[f"/{BUCKET}/old/demo+old-3.wav"]) == (10, b"mine")
