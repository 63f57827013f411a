"""`doctor` as a program: its lines, its exit code, and what it must not say or touch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.errors import ExitCode
from tests.support.program import run_program
from tests.support.wild import KEY, envelope, settings_for

if TYPE_CHECKING:
    from tests.support.program import Finished, Sandbox
    from tests.support.wild import Wild

TOKEN = "2token_never_shown_0123456789abcdef"  # noqa: S105 - no one's


def line_of(done: Finished, name: str) -> dict[str, object]:
    (event,) = [event for event in done.named("checked") if event["check"] == name]
    return event


def test_all_is_well(sandbox: Sandbox) -> None:
    done = run_program("doctor", "--json", env=sandbox.settings)
    assert done.code == 0, done
    # Whether the shell completes says nothing of convert.
    needed = [event for event in done.named("checked") if event["check"] not in ("completion", "man page")]
    assert {event["verdict"] for event in needed} == {"ok"}
    assert done.events[-1]["event"] == "check_summary"
    assert (done.events[-1]["failed"], done.events[-1]["exit_code"]) == (0, 0)


def test_without_a_key_the_rest_is_still_checked(wild: Wild) -> None:
    done = run_program("doctor", "--json", "--base-url", wild.address)
    assert done.code == ExitCode.NOT_AUTHORIZED
    assert line_of(done, "key")["remedy"] == f"Store one: suno-wav login --base-url {wild.address}"
    assert line_of(done, "folder")["verdict"] == "ok"


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        pytest.param(
            401, ExitCode.NOT_AUTHORIZED, "Store one that your provider's account page shows", id="refused"
        ),
        pytest.param(200, ExitCode.NO_CREDITS, "Top up at your provider's account page", id="no credits"),
        pytest.param(455, ExitCode.UNAVAILABLE, "", id="maintenance"),
    ],
)
def test_the_account(wild: Wild, code: int, exit_code: ExitCode, said: str) -> None:
    wild.answer = lambda _: envelope(code=code, message=f"\x1b[2Jno: {KEY}", data=0.3)
    done = wild.run("doctor")
    assert done.code == exit_code, done
    assert said in done.out
    assert "\x1b" not in done.out
    assert KEY not in done.out + done.err
    assert {seen.method for seen in wild.seen} == {"GET"}, "nothing is submitted"


def test_a_balance_that_is_no_number(wild: Wild) -> None:
    wild.answer = lambda _: envelope(data="a lot")
    done = wild.run("doctor", "--json")
    assert done.code == 0, "convert goes on without it"
    line = line_of(done, "account")
    assert (line["verdict"], line["fact"]) == ("warning", "the service's answer is not a balance")
    assert line["remedy"] == f"Try it again: suno-wav credits --base-url {wild.address}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("retries = [", "cannot be read", id="bad TOML"),
        pytest.param("retrise = 3", "there is no setting 'retrise'", id="unknown name"),
        pytest.param("timeout = 'soon'", "'soon' is not a duration", id="bad value"),
    ],
)
def test_a_malformed_configuration_is_a_finding(text: str, said: str) -> None:
    home = Path(os.environ["SUNO_WAV_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(text)
    done = run_program("doctor", "--json")
    assert done.code == ExitCode.USAGE
    assert said in str(line_of(done, "settings")["fact"])
    assert line_of(done, "versions")["verdict"] == "ok"


def test_secrets_that_others_can_read() -> None:
    home = Path(os.environ["SUNO_WAV_HOME"])
    home.mkdir()
    (home / "config.toml").write_text(f"ngrok_authtoken = '{TOKEN}'")
    (home / "config.toml").chmod(0o644)
    done = run_program("doctor", "--offline", "--json", env={"SUNO_API_KEY": KEY})
    assert line_of(done, "settings")["verdict"] == "warning"
    assert str(line_of(done, "settings")["remedy"]).endswith(f": chmod 600 {home}/config.toml")
    assert TOKEN not in done.out + done.err


def test_what_it_says_can_be_published(wild: Wild, tmp_path: Path) -> None:
    """No key, token or password, and no name of the user's home."""
    home = tmp_path / "home of alice"
    env = settings_for(wild.address) | {
        "HOME": str(home),
        "SUNO_WAV_HOME": str(home / "state"),
        "NGROK_AUTHTOKEN": TOKEN,
        "SUNO_WAV_HMAC_KEY": "webhook-key-never-shown",
        "HTTPS_PROXY": "http://alice:proxy-password@127.0.0.1:9",
    }
    done = run_program("doctor", "--json", env=env)
    said = done.out + done.err
    for secret in (KEY, TOKEN, "webhook-key-never-shown", "proxy-password", "alice"):
        assert secret not in said, secret
    assert "HTTPS_PROXY=http://(hidden)@127.0.0.1:9" in said
    assert "~/state/journal.sqlite3 does not exist yet" in said


def test_nothing_is_made_and_offline_asks_no_one(wild: Wild) -> None:
    done = wild.run("doctor", "--offline", "--json")
    assert done.code == 0
    assert wild.seen == []
    assert line_of(done, "service") == {
        "event": "checked",
        "check": "service",
        "verdict": "skipped",
        "fact": "--offline",
        "remedy": None,
        "command": None,
        "exit_code": 0,
    }
    assert not Path(os.environ["SUNO_WAV_HOME"]).exists()
    assert list(Path().iterdir()) == []


_WATCHED = """
import sys

def note(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"):
        print(event, *arguments[1:], file=sys.stderr)
    elif event == "subprocess.Popen" and arguments[1][1:] != ["--version"]:
        print(event, arguments[1], file=sys.stderr)

sys.addaudithook(note)
from suno_wav_cli.cli.main import main
sys.exit(main())
"""
"""The program, which tells of each connection, name and program before Python makes, looks up or starts it.

An agent may be asked for its version: for that it needs no network.
"""


@pytest.mark.long
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["--forward-to", "http://127.0.0.1:9/hook"], id="receiver"),
        pytest.param(
            ["--public-url", "https://example.com", "--port", "0", "--domain", "a.ngrok.app"], id="own"
        ),
        pytest.param(["--tunnel", "ngrok"], id="ngrok"),
        pytest.param(["--callback-url", "https://example.com/hook", "--out", "s3://bucket/"], id="elsewhere"),
    ],
)
def test_offline_no_connection_is_opened_and_no_name_is_looked_up(
    wild: Wild, sandbox: Sandbox, arguments: list[str]
) -> None:
    """Not even to this machine, and with a file in the journal whose host would be asked."""
    env = settings_for(wild.address) | {"NGROK_AUTHTOKEN": TOKEN}
    assert sandbox.run("convert", "demo+offline", "--out", "song.wav").code == 0
    command = [sys.executable, "-c", _WATCHED, "doctor", "--json", "--offline", *arguments]
    done = subprocess.run(command, env=os.environ | env, capture_output=True, text=True, check=False)
    skipped = [line for line in map(json.loads, done.stdout.splitlines()) if line.get("fact") == "--offline"]
    assert {"service", "file's host", "last file", "public address"} <= {line["check"] for line in skipped}
    assert [line for line in done.stderr.splitlines() if line.startswith(("socket.", "subprocess."))] == []


@pytest.mark.long
def test_the_watch_over_connections_sees_them(wild: Wild) -> None:
    """It is what the test above relies on."""
    command = [sys.executable, "-c", _WATCHED, "doctor", "--tunnel", "none"]
    env = os.environ | settings_for(wild.address)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert "socket.connect ('127.0.0.1', " in done.stderr
    assert "socket.getaddrinfo" in done.stderr


def test_the_last_file_is_looked_at(sandbox: Sandbox) -> None:
    """One byte of it, from the host that sent it."""
    assert sandbox.run("convert", "demo+looked-at", "--out", "song.wav").code == 0
    line = line_of(sandbox.run("doctor", "--json"), "last file")
    assert line["verdict"] == "ok"
    assert str(line["fact"]).startswith("its host answers HTTP 206 in ")
    assert "audio/" in str(line["fact"])


def test_the_lines_are_json(wild: Wild) -> None:
    done = wild.run("doctor", "--json")
    assert all(json.loads(line)["event"] in ("checked", "check_summary") for line in done.out.splitlines())
