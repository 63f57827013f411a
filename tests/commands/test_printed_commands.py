"""Command lines in what the program says, pasted into real shells: they do what they say, and no more."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.config.key_store import KeyStore
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.models import Secret, Song
from tests.support.program import ENDS_WITHIN, named, read_until, run_program, start_program
from tests.support.wild import envelope

if TYPE_CHECKING:
    from tests.support.program import Sandbox
    from tests.support.wild import Wild

HOSTILE = ["a'; touch PWN; echo '", "a\\' '; touch PWN; #'", "$(touch PWN)`touch PWN`", "=ls %self ~", "-rf"]
SHELLS = ["sh", "bash", "zsh", "fish"]

pytestmark = pytest.mark.first_cases(1)


def paste(line: str) -> None:
    """Run a line in each shell that is there."""
    for shell in filter(shutil.which, SHELLS):
        subprocess.run([shell, "-c", line], check=True, capture_output=True, timeout=60)
        assert not Path("PWN").exists(), (shell, line)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_remedy_for_a_missing_folder_makes_it(name: str) -> None:
    done = run_program("listen", "--tunnel", "none", f"--save={name}")
    assert done.code == 2
    paste(done.err.partition("Make it first: ")[2].strip())
    assert Path(name).is_dir()


@pytest.mark.parametrize("name", HOSTILE)
def test_the_remedy_for_an_open_key_file_closes_it(name: str) -> None:
    store = KeyStore(folder=Path(name).absolute() / "keys", login="suno-wav login")
    file = Path(store.keep("https://api.sunoapi.org", Secret(value="any")).place)
    file.chmod(0o644)
    done = run_program("credits", env={"SUNO_WAV_HOME": str(Path(name).absolute())})
    assert done.code == 3
    line = re.search(r"chmod 600 .*", done.err)
    assert line is not None, done
    paste(line[0])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", HOSTILE)
def test_the_remedy_for_a_damaged_journal_reads_that_journal(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(name).absolute()
    home.mkdir(mode=0o700)
    head = b"SQLite format 3\0".ljust(60, b"\xff") + (6).to_bytes(4, "big")
    (home / "journal.sqlite3").write_bytes(head.ljust(8192, b"\xff"))
    done = run_program("jobs", env={"SUNO_WAV_HOME": str(home)})
    assert done.code == 2
    tools = Path("tools").absolute()
    tools.mkdir()
    tool = tools / "sqlite3"
    tool.write_text('#!/bin/sh\nprintf "%s\\n" "$*" >> read\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    paste(done.err.partition("in its place: ")[2].strip())
    journal = home / "journal.sqlite3"
    assert set(Path("read").read_text().splitlines()) == {
        f"-readonly {journal} .dump",
        f"-cmd PRAGMA user_version = 6 {journal}.recovered",
    }


@pytest.mark.long
@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not installed")
def test_the_remedy_for_a_damaged_journal_saves_its_songs() -> None:
    """The new file may be put in its place: the program reads the songs that the damage has left."""
    home = Path("a home").absolute()
    home.mkdir(mode=0o700)
    path = home / "journal.sqlite3"
    account = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
    with open_journal(path, account) as journal:
        for number in range(100):
            journal.claim(Song(audio_id=f"song-{number}"), Path(f"{number}.wav"))
    content = bytearray(path.read_bytes())
    page = content.rindex(b"song-50") // 4096 * 4096
    content[page : page + 4096] = b"\xff" * 4096
    path.write_bytes(content)
    (line,) = (
        event
        for event in run_program("doctor", "--offline", "--json", env={"SUNO_WAV_HOME": str(home)}).named(
            "checked"
        )
        if event["check"] == "journal"
    )
    recovered = path.with_name("journal.sqlite3.recovered")
    for shell in filter(shutil.which, SHELLS):
        recovered.unlink(missing_ok=True)
        subprocess.run([shell, "-c", line["command"]], check=True, timeout=60)
    assert path.read_bytes() == content
    recovered.replace(path)
    done = run_program("jobs", "--unfinished", "--json", env={"SUNO_WAV_HOME": str(home)})
    assert done.code == 0, done
    assert len(done.named("job")) > 20, done


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_stays_a_word_of_the_option_that_names_its_folder(title: str) -> None:
    """A song's title is the service's, and comes into `--out` by the template."""
    Path("songs.ndjson").write_text(json.dumps({"audio_id": "demo+titled", "title": title}) + "\n")
    arguments = ("convert", "--provider", "sandbox", "--from-file", "songs.ndjson", "--out", "{title}")
    (planned,) = run_program(*arguments, "--dry-run", "--json").named("planned")
    Path(planned["path"]).mkdir()
    done = run_program(*arguments)
    assert done.code == 2
    paste(f"printf %s\\\\n {done.err.partition('put the song into it: ')[2].strip()} >> said")
    assert set(Path("said").read_text().splitlines()) == {f"--out={planned['path']}/"}


# The service: a command goes to that of the run which has printed it, whatever else is set.

SUNOAPI = "https://api.sunoapi.org"
NOBODY = "http://127.0.0.1:9"
TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"


def paste_as_typed(line: str, env: dict[str, str], entered: str = "") -> subprocess.CompletedProcess[str]:
    """Run a line in bash, in the environment of the run that has printed it."""
    tools = Path("tools").absolute()
    tools.mkdir(exist_ok=True)
    program = tools / "suno-wav"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m suno_wav_cli "$@"\n')
    program.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, **env, "PATH": path},
        input=entered,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def as_customer_of_kie(sandbox: Sandbox, place: str) -> dict[str, str]:
    """Return the environment of somebody whose usual service is kie, named there or in config.toml."""
    env = sandbox.as_kie("kie").settings
    if place == "environment":
        return env
    home = Path(os.environ["SUNO_WAV_HOME"])
    home.mkdir(mode=0o700)
    names = {name: env.pop(f"SUNO_WAV_{name.upper()}") for name in ("provider", "base_url")}
    (home / "config.toml").write_text("".join(f'{name} = "{value}"\n' for name, value in names.items()))
    return env


@pytest.mark.parametrize("place", ["environment", "config.toml"])
def test_what_is_left_is_finished_at_the_service_that_was_typed(sandbox: Sandbox, place: str) -> None:
    env, song = as_customer_of_kie(sandbox, place), f"demo+left-{place[:6]}"
    typed = ("--provider", "sunoapi", "--base-url", sandbox.base_url)
    (left,) = run_program("convert", song, "--no-wait", "--json", *typed, env=env).named("detached")
    assert left["continue_argv"][-4:] == [*typed]
    done = paste_as_typed(left["resume_hint"], env)
    assert (done.returncode, sandbox.counted("accepted", song)) == (0, 1), done
    assert Path(f"{song}.wav").exists()


@pytest.mark.parametrize("place", ["environment", "config.toml"])
def test_what_is_interrupted_is_continued_at_the_service_that_was_typed(sandbox: Sandbox, place: str) -> None:
    env, song = as_customer_of_kie(sandbox, place), f"demo-slow+stopped-{place[:6]}"
    typed = ("--provider", "sunoapi", "--base-url", sandbox.base_url)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with start_program("convert", song, "--json", *typed, env=env, **pipes) as process:
        read_until(process, named("submitted"))
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=ENDS_WITHIN)
    line = next(event for event in map(json.loads, out.splitlines()) if event["event"] == "interrupted")
    done = paste_as_typed(line["resume_hint"], env)
    assert (done.returncode, sandbox.counted("accepted", song)) == (0, 1), done
    assert Path(f"{song}.wav").exists()


@pytest.mark.parametrize(
    ("env", "typed", "options"),
    [
        pytest.param(
            {"provider": "kie", "base_url": NOBODY},
            f"--provider sunoapi --base-url {SUNOAPI}",
            f"--provider sunoapi --base-url {SUNOAPI}",
            id="back to both",
        ),
        pytest.param({}, "", "", id="nothing"),
        pytest.param({}, "--provider sunoapi", "", id="the default, typed"),
        pytest.param({}, f"--base-url {SUNOAPI}/", "", id="the default address, typed"),
        pytest.param({}, "--provider kie", "--provider kie", id="another provider, typed"),
        pytest.param({}, f"--base-url {NOBODY}", f"--base-url {NOBODY}", id="another address, typed"),
        # A variable may have been set for one command alone.
        pytest.param({"provider": "kie"}, "", "--provider kie", id="another provider, set"),
        pytest.param({"base_url": NOBODY}, "", f"--base-url {NOBODY}", id="another address, set"),
        pytest.param(
            {"provider": "kie"}, "--provider sunoapi", "--provider sunoapi", id="back to the default"
        ),
        pytest.param(
            {"base_url": NOBODY},
            f"--base-url {SUNOAPI}/",
            f"--base-url {SUNOAPI}",
            id="back to the default address",
        ),
        pytest.param(
            {"base_url": NOBODY}, f"--base-url {NOBODY}0", f"--base-url {NOBODY}0", id="to a third address"
        ),
        pytest.param(
            {"provider": "napster", "base_url": "ftp://x"},
            f"--provider sunoapi --base-url {SUNOAPI}",
            f"--provider sunoapi --base-url {SUNOAPI}",
            id="in place of what cannot be used",
        ),
    ],
)
def test_the_line_to_log_in_stores_the_key_for_the_service_of_the_run(
    env: dict[str, str], typed: str, options: str
) -> None:
    environ = {f"SUNO_WAV_{name.upper()}": value for name, value in env.items()}
    key = f"suno-wav login {options}".strip()
    examined = run_program("doctor", "--offline", "--json", *typed.split(), env=environ)
    (line,) = (event["command"] for event in examined.named("checked") if event["check"] == "key")
    assert line == key
    refused = run_program("credits", *typed.split(), env=environ)
    assert (refused.code, f"\n  {key} says where to find it" in refused.err) == (3, True), refused
    done = paste_as_typed(f"{line} --unverified", environ, entered="key-1\n")
    assert done.returncode == 0, done
    run_again = run_program("doctor", "--offline", "--json", *typed.split(), env=environ)
    (verdict,) = (event["verdict"] for event in run_again.named("checked") if event["check"] == "key")
    assert verdict == "ok"


def test_what_is_unfinished_elsewhere_is_finished_there(sandbox: Sandbox) -> None:
    """The environment names another address, which counts for every provider."""
    path = Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3"
    places = [("sunoapi", SUNOAPI), ("kie", "https://api.kie.ai"), ("sandbox", sandbox.base_url)]
    for number, (provider, address) in enumerate(places):
        with open_journal(path, Account(base_url=address, provider=provider, kept_days=15)) as journal:
            journal.adopt(str(number) * 32, None, Path(f"{number}.wav"))
    done = run_program("resume", "--json", env={**sandbox.settings, "SUNO_WAV_BASE_URL": NOBODY})
    assert [event["resume_hint"] for event in done.named("other_service_jobs")] == [
        f"suno-wav resume --provider {provider} --base-url {address}" for provider, address in places
    ]


def test_a_task_that_was_listened_for_is_looked_up_at_its_service(sandbox: Sandbox) -> None:
    env = sandbox.as_kie("kie").settings
    typed = ("--provider", "sunoapi", "--base-url", sandbox.base_url)
    task = run_program("convert", "demo+listened", "--no-wait", *typed, env=env).out
    options = ("--tunnel", "none", "--port", "0", "--timeout", "100ms")
    missed = run_program("listen", "--until", task.strip(), *options, *typed, env=env)
    line = missed.err.partition("See what the service says of it: ")[2].strip()
    done = paste_as_typed(line, env)
    assert (done.returncode, "demo+listened" in done.stdout) == (0, True), (line, done)


def test_the_remedies_of_errors_name_the_service_of_the_run(wild: Wild) -> None:
    wild.answer = lambda _: envelope(code=401, message="no")
    env = {"SUNO_WAV_PROVIDER": "kie", "SUNO_WAV_RETRIES": "0"}
    typed = ("--provider", "sunoapi", "--base-url", wild.address)
    options = " ".join(typed)
    refused = run_program("credits", *typed, env={**env, "SUNO_API_KEY": "key-1"})
    assert f"`suno-wav login {options}` keeps another one." in refused.err
    file = Path(
        KeyStore(folder=Path("home").absolute() / "keys", login="suno-wav login")
        .keep(wild.address, Secret(value="any"))
        .place
    )
    file.write_text("{")
    damaged = run_program("credits", *typed, env={**env, "SUNO_WAV_HOME": str(Path("home").absolute())})
    assert f"Log in again, with `suno-wav login {options}`." in damaged.err
    shown = run_program("config", *typed, env={**env, "SUNO_WAV_HOME": str(Path("home").absolute())})
    assert f"Log in again, with `suno-wav login {options}`." in shown.err
    away = ("--provider", "sunoapi", "--base-url", NOBODY)
    unreached = run_program("credits", *away, env={**env, "SUNO_API_KEY": "key-1"})
    assert f"`suno-wav doctor {' '.join(away)}` looks closer." in unreached.err
    mistaken = run_program("convert", TASK, *typed, env=env)
    assert f"see suno-wav status {TASK} {options}. To convert" in mistaken.err
    assert mistaken.err.endswith(f"suno-wav convert --task-id {TASK} {options}\n")
    key_typed = run_program("login", "key-1", *typed, env=env)
    assert f"Run suno-wav login {options} and enter the key" in key_typed.err
