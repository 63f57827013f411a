"""What another user has planted where the program keeps its files, and what others can read there."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.program import run_program

if TYPE_CHECKING:
    from tests.support.program import Finished, Sandbox
    from tests.support.wild import Wild

STRANGER = 65534
KEY = "key-of-the-user"

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no owners and modes like these")
by_root = pytest.mark.skipif(
    os.name == "nt" or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="only root can be another user",
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give a home of this user, below a folder that everybody may write to, as /tmp is."""
    for folder in (tmp_path, *tmp_path.parents):
        # pytest closes its folders to others, and the stranger has to get there.
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    tmp_path.chmod(0o1777)
    made = tmp_path / "home"
    made.mkdir(mode=0o700)
    return made


def as_stranger(script: str) -> None:
    """Run a shell script as another user."""
    subprocess.run(
        ["setpriv", f"--reuid={STRANGER}", "--clear-groups", "sh", "-ec", script], check=True, timeout=60
    )


def ask_for_credits() -> Finished:
    """Run a command that sends the key to wherever it is told to."""
    return run_program("credits", env={"SUNO_API_KEY": KEY, "SUNO_WAV_RETRIES": "0"})


@by_root
def test_a_planted_home_is_not_used(home: Path, wild: Wild) -> None:
    """Its `config.toml` would send the key to its own service, and `login` would store the key in it."""
    home.rmdir()
    as_stranger(f"mkdir -m 777 {home}; echo 'base_url = \"{wild.address}\"' > {home}/config.toml")
    done = ask_for_credits()
    assert (done.code, wild.seen) == (2, [])
    assert f"{home} is not used: it belongs to another user" in done.err
    assert run_program("login", "--unverified", entered=KEY.encode()).code == 2
    assert [path.name for path in home.iterdir()] == ["config.toml"]


@by_root
@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    "name",
    [
        "config.toml",
        "journal.sqlite3",
        "journal.sqlite3-wal",
        "journal.sqlite3-journal",
        "keys/",
        "agents/",
        "runs/",
        "piped/",
        "lists/",
        "sandbox/",
    ],
)
def test_what_is_planted_in_a_home_that_all_may_write_to_is_not_used(
    home: Path, wild: Wild, name: str
) -> None:
    home.chmod(0o1777)
    path = home / name
    if name == "config.toml":
        as_stranger(f"echo 'base_url = \"{wild.address}\"' > {path}")
    else:
        as_stranger(f"mkdir {path}" if name.endswith("/") else f"touch {path}")
    done = ask_for_credits()
    assert (done.code, wild.seen) == (2, [])
    assert f"{path} is not used: it belongs to another user" in done.err


@by_root
@pytest.mark.long
def test_a_link_that_leads_to_what_others_own_is_not_followed(home: Path, tmp_path: Path, wild: Wild) -> None:
    home.rmdir()
    as_stranger(
        f"mkdir {tmp_path}/theirs; echo 'base_url = \"{wild.address}\"' > {tmp_path}/theirs/config.toml"
    )
    home.symlink_to(tmp_path / "theirs")
    assert (ask_for_credits().code, wild.seen) == (2, [])
    home.unlink()
    home.mkdir()
    (home / "config.toml").symlink_to(tmp_path / "theirs" / "config.toml")
    assert (ask_for_credits().code, wild.seen) == (2, [])


@pytest.mark.parametrize("name", ["", pytest.param("config.toml", marks=pytest.mark.long)])
def test_what_others_can_write_to_is_not_used(home: Path, wild: Wild, name: str) -> None:
    (home / "config.toml").write_text(f'base_url = "{wild.address}"\n')
    path = home / name
    path.chmod(path.stat().st_mode | 0o002)
    done = ask_for_credits()
    assert (done.code, wild.seen) == (2, [])
    assert done.err.endswith(f": chmod o-w {path}\n")
    subprocess.run(["sh", "-c", done.err.rpartition(": ")[2]], check=True)
    ask_for_credits()
    assert wild.seen != []


def test_linked_homes_and_settings_work(home: Path, tmp_path: Path, wild: Wild) -> None:
    """As stow and NixOS link them."""
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    (dotfiles / "settings").write_text(f'base_url = "{wild.address}"\n')
    home.rmdir()
    home.symlink_to(dotfiles)
    (home / "config.toml").symlink_to("settings")
    ask_for_credits()
    assert {seen.headers["authorization"] for seen in wild.seen} == {f"Bearer {KEY}"}
    assert run_program("login", "--unverified", entered=KEY.encode()).code == 0
    assert (dotfiles / "keys").is_dir()


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("name", "command", "code"),
    [
        pytest.param("keys", ["login", "--unverified"], 2, id="login stores no key"),
        pytest.param("keys", ["logout"], 2, id="logout removes no key"),
        pytest.param("piped", ["convert", "demo+linked", "--out", "-"], 2, id="no song is piped"),
        pytest.param("journal.sqlite3", ["convert", "demo+linked"], 2, id="the journal"),
        pytest.param("journal.sqlite3", ["jobs"], 2, id="the journal is not even read"),
        pytest.param("runs", ["convert", "demo+linked-runs"], 0, id="a run is not noted"),
    ],
)
def test_nothing_is_written_or_deleted_through_a_link(
    home: Path, sandbox: Sandbox, name: str, command: list[str], code: int
) -> None:
    elsewhere = home.with_name("elsewhere")
    elsewhere.mkdir()
    old = elsewhere / "https%3A%2F%2Fapi.sunoapi.org.json"
    for file in (old, elsewhere / "old.wav.part"):
        file.write_text('{"key": "theirs"}')
        file.chmod(0o600)
        os.utime(file, (0, 0))
    before = {path.name: (path.read_text(), path.stat().st_mtime) for path in elsewhere.iterdir()}
    (home / name).symlink_to(old if "." in name else elsewhere)
    env = sandbox.settings if command[0] in ("convert", "jobs") else {}
    done = run_program(*command, env=env, entered=KEY.encode())
    assert done.code == code
    assert {path.name: (path.read_text(), path.stat().st_mtime) for path in elsewhere.iterdir()} == before
    if code == 2:
        assert "it is a link" in done.err
        assert sandbox.counted("accepted", "demo+linked") == 0


def test_journal_and_log_are_closed_to_others(home: Path, sandbox: Sandbox) -> None:
    """Also those that earlier versions have left open, and wherever the log lies."""
    before = os.umask(0)
    try:
        sandbox.run("convert", "demo+closed", "--log-file", "log")
    finally:
        os.umask(before)
    journal = home / "journal.sqlite3"
    for file in (journal, Path("log")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
        file.chmod(0o644)
    sandbox.run("convert", "demo+closed-again", "--log-file", "log")
    for file in (*home.glob("journal*"), Path("log")):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


@by_root
@pytest.mark.parametrize("mode", [pytest.param(0o600, marks=pytest.mark.long), 0o666])
def test_a_log_that_another_user_has_made_is_not_written(home: Path, sandbox: Sandbox, mode: int) -> None:
    """Its owner would read it, wherever it lies."""
    log = home.with_name("log")
    as_stranger(f"touch {log}; chmod {mode:o} {log}")
    done = sandbox.run("convert", "demo+log-of-another", "--log-file", str(log))
    assert (done.code, log.read_text()) == (2, "")
    assert f"the log file {log} cannot be written: it belongs to another user" in done.err
    assert sandbox.counted("accepted", "demo+log-of-another") == 0


SECRETS = 'ngrok_authtoken = "token-1"\nhmac_key = "hmac-1"\n'


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
@pytest.mark.parametrize("tunnel", ["auto", "none"])
def test_secrets_that_others_can_read_are_not_used(home: Path, wild: Wild, mode: int, tunnel: str) -> None:
    config = home / "config.toml"
    config.write_text(SECRETS)
    config.chmod(mode)
    done = wild.run("convert", "a", "--tunnel", tunnel)
    assert done.code == 0
    assert f"chmod 600 {config}\n" in done.err
    assert ("there is no ngrok token" in done.err) == (tunnel == "auto")
    config.chmod(0o600)
    assert "chmod" not in wild.run("convert", "b").err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("command", "secret"),
    [
        pytest.param(["convert", "a", "--tunnel", "ngrok"], "ngrok_authtoken", id="a tunnel"),
        pytest.param(["trigger", "http://127.0.0.1:9/x", "--sign"], "hmac_key", id="a signature"),
        pytest.param(["trigger", "--verify", "delivery.json"], "hmac_key", id="a signature to verify"),
        pytest.param(["listen", "--tunnel", "none", "--port", "0"], "hmac_key", id="checked signatures"),
    ],
)
def test_a_secret_that_is_required_must_not_be_readable(
    home: Path, wild: Wild, command: list[str], secret: str
) -> None:
    config = home / "config.toml"
    config.write_text(SECRETS)
    config.chmod(0o644)
    done = wild.run(*command)
    assert (done.code, wild.seen) == (2, [])
    assert f"{secret}, which is not used, because others can read it" in done.err
    assert done.err.endswith(f": chmod 600 {config}\n")


SIGNED = "https://cdn.invalid/song.wav?Expires=1&Signature=s3cr3t'with \"all"


def test_signed_addresses_are_in_no_log(wild: Wild) -> None:
    wild.serves(
        errorMessage=f"cannot fetch {SIGNED}",
        status="x",
        response={"audioWavUrl": f"{wild.address}/song.wav?Signature=s3cr3t"},
    )
    saved = wild.run("convert", "a", "-v", "--log-file", "log")
    assert saved.code == 0
    asked = wild.run("status", "988e0123456789abcdef0123456789ab", "--json", "--log-file", "log")
    raw = wild.run("status", "988e0123456789abcdef0123456789ab", "--raw", "-v", "--log-file", "log")
    assert "s3cr3t" in asked.out
    assert "s3cr3t" in raw.out
    wild.serves(response={"audioWavUrl": "/song.wav?Signature=s3cr3t"}, errorMessage=f"gone: {SIGNED}")
    failed = wild.run("convert", "b", "-v", "--timeout", "1s", "--log-file", "log")
    assert failed.code != 0
    assert "s3cr3t" not in saved.err + asked.err + raw.err + failed.err
    log = Path("log").read_text()
    assert "?(hidden)" in log
    assert "s3cr3t" not in log
