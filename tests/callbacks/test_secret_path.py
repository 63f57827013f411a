"""The secret path of an address that lasts: the callbacks of an earlier run still arrive."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import httpx
import pytest

from suno_wav_cli.callbacks.secret_path import choose_path
from suno_wav_cli.config.settings import Settings
from tests.support.program import Sandbox, named, read_until, started

LASTING = Settings(domain="a.ngrok.app")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "home" / "callback-path"


@pytest.mark.parametrize(
    ("settings", "same"),
    [
        pytest.param(LASTING, True, id="a domain"),
        pytest.param(Settings(public_url="https://a.example", port=3000), True, id="an own address"),
        pytest.param(Settings(), False, id="an address of this run only"),
    ],
)
def test_path_is_the_same_in_the_next_run_if_the_address_is(
    kept: Path, settings: Settings, same: bool
) -> None:
    first, second = choose_path(settings, kept), choose_path(settings, kept)
    assert (first == second, len(first), kept.exists()) == (same, len("/suno-wav-callback/") + 43, same)
    assert choose_path(Settings(no_secret=True, domain="a.ngrok.app"), kept) == "/suno-wav-callback"


def test_kept_path_is_for_its_owner_only(kept: Path) -> None:
    choose_path(LASTING, kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.chmod(0o644)
    choose_path(LASTING, kept)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"/" * 43, b"\xff" * 43, b"a" * 44])
def test_file_that_holds_no_token_is_written_anew(kept: Path, content: bytes) -> None:
    kept.parent.mkdir()
    kept.write_bytes(content)
    first = choose_path(LASTING, kept)
    assert kept.read_text() == f"{first.rpartition('/')[2]}\n"
    assert choose_path(LASTING, kept) == first


@pytest.mark.parametrize("planted", ["a folder", "a link"])
def test_file_that_cannot_be_used_keeps_nothing(kept: Path, tmp_path: Path, planted: str) -> None:
    kept.parent.mkdir()
    if planted == "a folder":
        kept.mkdir()
    else:
        kept.symlink_to(tmp_path / "elsewhere")
    assert choose_path(LASTING, kept) != choose_path(LASTING, kept)
    assert not (tmp_path / "elsewhere").exists()


def test_callback_of_a_killed_run_arrives_in_the_next_one(sandbox: Sandbox, free_port: int) -> None:
    """The next one submits nothing."""
    address = ("--public-url", f"http://127.0.0.1:{free_port}", "--port", str(free_port))
    arguments = ("convert", "demo-never+survives", "--poll-interval", "20s", *address)
    with started(sandbox, *arguments) as process:
        task_id = read_until(process, named("submitted"))["task_id"]
        process.kill()
        process.wait()
    record = httpx.get(
        f"{sandbox.base_url}/api/v1/wav/record-info",
        params={"taskId": task_id},
        headers={"Authorization": "Bearer any"},
        trust_env=False,
    ).json()
    with started(sandbox, *arguments) as process:
        read_until(process, named("ready"))
        url = record["data"]["callbackUrl"]
        callback = {"code": 200, "data": {"task_id": task_id}}
        assert httpx.post(url, json=callback, trust_env=False).status_code == 200
        assert read_until(process, named("callback_received"))["task_id"] == task_id
        process.terminate()
        out, err = process.communicate()
    assert url.rpartition("/")[2] not in out + err
    assert sandbox.counted("submissions", "demo-never+survives") == 1
    assert Path(os.environ["SUNO_WAV_HOME"], "callback-path").exists()


@pytest.mark.long
def test_busy_port_does_not_keep_a_paid_song_from_its_file(sandbox: Sandbox, free_port: int) -> None:
    address = ("--public-url", f"http://127.0.0.1:{free_port}", "--port", str(free_port))
    assert sandbox.run("convert", "demo+busy-port", "--no-wait").code == 0
    arguments = ("convert", "demo-never+has-the-port", *address)
    with started(sandbox, *arguments) as process:
        read_until(process, named("submitted"))
        assert sandbox.run("convert", "demo+busy-port-2", *address).code == 11
        done = sandbox.run("convert", "demo+busy-port", "--out", "song.wav", *address)
    assert (done.code, done.out) == (0, "song.wav\n")
    assert "no callbacks (" in done.err
