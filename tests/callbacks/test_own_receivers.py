"""The receivers that the page of callbacks shows, as programs, beside some with the classic mistakes."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from suno_wav_cli.models import Secret
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.wav.structure import read_structure
from tests.support.program import REPOSITORY, run_program, wait_until
from tests.support.target import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.program import Finished

pytestmark = pytest.mark.long

PAGE = (REPOSITORY / "suno_wav_cli" / "callbacks" / "README.md").read_text(encoding="utf-8")
OWN = PAGE.partition("\n## A receiver of your own\n")[2]
MISTAKEN = Path(__file__).parent / "receivers"
LANGUAGES = {"js": "js", "py": "python", "php": "php"}
PATH = "/suno/kq3V9xT7Yw2LrB8nZc5Hd1Ju"
WITH_FILE = ("success", "twice", "camel", "camel-id", "response", "top-level", "jobs")
SIGNED = {"SUNO_WAV_HMAC_KEY": KEY}
SECONDS = 60.0


def write_from_page(kind: str, folder: Path) -> Path:
    (code,) = re.findall(rf"^```{LANGUAGES[kind]}\n(.*?)^```$", OWN, re.MULTILINE | re.DOTALL)
    program = folder / f"receiver.{kind}"
    program.write_text(code, encoding="utf-8")
    return program


@cache
def express_folder() -> str:
    """Return where node finds Express, after installing it if need be. Skip the test without it."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("there is no node, or no npm")
    known = os.environ.get("NODE_PATH", "")
    asked = ["node", "-e", "require('express')"]
    if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
        return known
    # One for each worker of pytest: two installations into one folder would disturb each other.
    folder = REPOSITORY / "build" / f"express-{os.environ.get('PYTEST_XDIST_WORKER', 'gw0')}"
    if (folder / "node_modules" / "express").exists():
        return str(folder / "node_modules")
    done = subprocess.run(
        ["npm", "install", "--prefix", str(folder), "--silent", "--no-audit", "--no-fund", "express"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip(f"Express cannot be installed: {done.stderr[-200:]}")
    return str(folder / "node_modules")


def commands_for(program: Path, port: int) -> list[list[str]]:
    """Return how to start a receiver, or skip the test where its language is missing."""
    match program.suffix:
        case ".js":
            return [["node", str(program)]]
        case ".py":
            if find_spec("flask") is None:
                pytest.skip("Flask is not installed: pip install -e '.[test-receivers]'")
            return [[sys.executable, str(program)]]
        case _:
            if shutil.which("php") is None:
                pytest.skip("there is no php")
            server = ["php", "-S", f"127.0.0.1:{port}", str(program)]
            return [server, ["php", str(program)]] if program.name == "receiver.php" else [server]


@contextmanager
def running(program: Path, port: int) -> Iterator[Path]:
    """Start a receiver, and end it at the end of the block. Yield the folder for its files."""
    folder = Path.cwd() / "wavs"
    folder.mkdir(exist_ok=True)
    env = {
        **os.environ,
        "PORT": str(port),
        "CALLBACK_PATH": PATH,
        "WEBHOOK_KEY": KEY,
        "WAV_FOLDER": str(folder),
        "WAV_FROM": "http://127.0.0.1:",
    }
    if program.suffix == ".js":
        env["NODE_PATH"] = express_folder()
    with ExitStack() as stack:
        log = stack.enter_context((Path.cwd() / "receiver.log").open("wb"))
        for command in commands_for(program, port):
            process = stack.enter_context(
                subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
            )
            stack.callback(process.kill)
        wait_until(lambda: is_open(port), SECONDS)
        yield folder


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def try_all(port: int, *arguments: str, signed: bool = True) -> Finished:
    address = f"http://127.0.0.1:{port}{PATH}"
    sign = ("--sign",) if signed else ()
    env = SIGNED if signed else {}
    return run_program(
        "trigger", "--event", "all", "--serve", *sign, *arguments, "--json", address, env=env, seconds=300
    )


def mistakes_in(done: Finished) -> list[str]:
    return [found["mistake"] for found in done.named("mistake_found")]


def saved_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", LANGUAGES)
def test_the_receiver_on_the_page_saves_whole_files_and_makes_no_mistake(
    kind: str, tmp_path: Path, free_port: int
) -> None:
    with running(write_from_page(kind, tmp_path), free_port) as folder:
        done = try_all(free_port, "--task-id", "t")
        wait_until(lambda: len(saved_in(folder)) == len(list(folder.glob("*.wav"))), SECONDS)
    assert done.code == 0, done
    assert mistakes_in(done) == []
    refused = {one["name"] for one in done.named("callback_sent") if one["correctly_refused"]}
    assert refused == {"not-json", "huge", "wrong-type", "get", "unsigned", "wrong-signature"}
    files = {one["name"]: one for one in done.named("file_fetched")}
    assert [name for name, one in files.items() if one["whole"] and not one["before_answer"]] == [*WITH_FILE]
    assert saved_in(folder) == sorted(f"t-{name}.wav" for name in WITH_FILE)
    for path in folder.iterdir():
        assert path.stat().st_size == files["success"]["size"]
        read_structure(path)


@pytest.mark.parametrize("kind", LANGUAGES)
def test_the_receiver_on_the_page_takes_what_the_sandbox_sends(
    kind: str, tmp_path: Path, free_port: int
) -> None:
    """Forged, doubled, failed, cut short, no WAV: only what is whole and signed gets its name."""
    songs = ("demo", "demo-twice", "demo-forged", "demo-fails", "demo-cut", "demo-not-wav")
    program = write_from_page(kind, tmp_path)
    with (
        bind_socket(0) as bound,
        run_sandbox(bound, speed=100.0, hmac_key=Secret(value=KEY)) as service,
        httpx.Client(base_url=address_of(bound), headers={"Authorization": "Bearer any"}) as http,
    ):
        Path("wavs").mkdir()
        Path("wavs/left.job").write_text(f"{address_of(bound)}/files/none.wav")
        with running(program, free_port) as folder:
            tasks = {}
            for song in songs:
                wanted = {
                    "taskId": "m",
                    "audioId": song,
                    "callBackUrl": f"http://127.0.0.1:{free_port}{PATH}",
                }
                answer = http.post("/api/v1/wav/generate", json=wanted).json()
                tasks[song] = answer["data"]["taskId"]
            expected = sorted(
                [f"{tasks[song]}.wav" for song in ("demo", "demo-twice", "demo-forged")]
                + [f"{tasks[song]}.failed" for song in ("demo-cut", "demo-not-wav")]
                + ["left.failed"]
            )
            wait_until(
                lambda: saved_in(folder) == expected and service.counters.callbacks["demo-twice"] == 2,
                SECONDS,
            )
            assert service.counters.callbacks["demo-fails"] == 1, "it was answered 200"
        assert service.counters.file_requests["demo-twice"] == 1
        assert saved_in(folder) == expected
    for path in folder.glob("*.wav"):
        read_structure(path)


@pytest.mark.parametrize(
    ("name", "signed", "mistakes", "code"),
    [
        ("downloads_first.js", True, ["downloads-first", "one-spelling", "not-idempotent"], 0),
        ("fails_without_data.py", False, ["fails-without-data", "one-spelling"], 11),
        ("no_sender_check.js", True, ["one-spelling", "not-idempotent", "no-sender-check"], 0),
        ("downloads_first.php", False, ["downloads-first", "one-spelling", "not-idempotent"], 0),
    ],
)
def test_a_receiver_with_a_classic_mistake_is_named_for_it(
    name: str, signed: bool, mistakes: list[str], code: int, free_port: int
) -> None:
    with running(MISTAKEN / name, free_port):
        done = try_all(free_port, signed=signed)
    assert (mistakes_in(done), done.code) == (mistakes, code), done
