"""`login` and `logout`: the key is verified, stored privately, and never shown."""

from __future__ import annotations

import json
import os
import pty
import select
import stat
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from starlette.responses import Response

from suno_wav_cli.config.key_store import KeyStore
from suno_wav_cli.errors import NotAuthorized
from suno_wav_cli.models import Secret
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from suno_wav_cli.system.shell_words import quote_word
from tests.support.program import REPOSITORY, Finished, command_line, run_program, start_program, wait_until
from tests.support.wild import PAGE, Seen, a_wild_server, envelope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.wild import Wild

KEY = "sk-5f2e9c81d0b7never-shown"
OTHER = "sk-another-0a1b2c3d-never-shown"
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def service(wild_server: Wild) -> Wild:
    """Answer the credits call for KEY and OTHER only; `seen` has the keys that were sent."""

    def answer(seen: Seen) -> Response:
        known = seen.headers["authorization"] in (f"Bearer {KEY}", f"Bearer {OTHER}")
        return envelope(data=12.4) if known else envelope(401, "You do not have access permissions")

    wild_server.seen.clear()
    wild_server.answer = answer
    return wild_server


def entered(
    key: str | bytes, *arguments: str, env: dict[str, str] | None = None, seconds: float = 30
) -> Finished:
    """Run the program with `key` on standard input; its output never contains a key."""
    content = key.encode() if isinstance(key, str) else key
    finished = run_program(*arguments, env=env, seconds=seconds, entered=content)
    for secret in (KEY, OTHER, KEY[:8], OTHER[:8]):
        assert secret not in finished.out + finished.err
    return finished


def login(
    service: Wild, key: str | bytes = KEY + "\n", *more: str, env: dict[str, str] | None = None
) -> Finished:
    return entered(key, "login", "--base-url", service.address, *more, env=env)


def logout(service: Wild, env: dict[str, str] | None = None) -> Finished:
    return run_program("logout", "--base-url", service.address, env=env)


def used(service: Wild, env: dict[str, str] | None = None) -> str:
    """Return the key that the next command sends, or "" if there is none."""
    service.seen.clear()
    run_program("credits", "--base-url", service.address, env=env)
    return service.seen[0].headers["authorization"].removeprefix("Bearer ") if service.seen else ""


def key_files() -> list[Path]:
    return sorted(path for path in Path(os.environ["SUNO_WAV_HOME"]).rglob("*") if path.is_file())


def keyring(**more: str) -> dict[str, str]:
    """Return the environment in which the real keyring library finds the stand-in."""
    return {
        "PYTHONPATH": str(REPOSITORY),
        "PYTHON_KEYRING_BACKEND": "tests.support.stand_in_keyring.StandIn",
        "STAND_IN_KEYRING": str(Path("keyring.json").absolute()),
        **more,
    }


def in_keyring() -> list[str]:
    path = Path("keyring.json")
    return list(json.loads(path.read_text()).values()) if path.exists() else []


@pytest.mark.long
def test_a_key_from_standard_input_is_verified_stored_and_used(service: Wild) -> None:
    done = login(service)
    assert (done.code, done.out) == (0, "")
    assert f"suno-wav: stored the key for {service.address} in " in done.err
    assert "the service accepts it; 12.4 credits left" in done.err
    assert used(service) == KEY


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "line",
    [
        pytest.param(KEY, id="without a line's end"),
        pytest.param(f"  {KEY} \r\n", id="with blanks, from Windows"),
        pytest.param(f"{KEY}\nsomething else\n", id="with more lines"),
        pytest.param(f'"{KEY}"\r\n', id="in quotes"),
        pytest.param(f" ' {KEY} ' ", id="in single quotes, with blanks"),
        pytest.param(f"“{KEY}”", id="in typographic quotes"),
        pytest.param(b"\xef\xbb\xbf" + KEY.encode(), id="with a mark of the encoding"),
    ],
)
def test_a_line_is_read_as_people_send_it(service: Wild, line: str | bytes) -> None:
    assert (login(service, line).code, used(service)) == (0, KEY)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        pytest.param("", 2, "no key was entered", id="nothing"),
        pytest.param("\n" + KEY, 2, "no key was entered", id="an empty line"),
        pytest.param(
            "two words", 3, "what was entered contains characters that a key cannot have", id="a blank inside"
        ),
        pytest.param(b"\xff\xfek\x00", 2, "is not UTF-8 text", id="another encoding"),
        pytest.param("x" * 5000, 2, "does not begin with a key", id="a long line"),
    ],
)
def test_input_that_is_not_a_key_is_an_error(service: Wild, line: str | bytes, code: int, said: str) -> None:
    done = login(service, line)
    assert (done.code, said in done.err, service.seen, key_files()) == (code, True, [], [])


@pytest.mark.long
def test_a_refused_key_changes_nothing(service: Wild) -> None:
    assert login(service).code == 0
    done = login(service, "sk-wrong-key")
    assert (done.code, "sk-wrong" in done.err) == (3, False)
    assert "the service refused the API key" in done.err
    assert "The key is the one from" not in done.err, "it was just entered"
    assert "Nothing was changed." in done.err
    assert used(service) == KEY


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(envelope(455, "maintenance"), id="maintenance"),
        pytest.param(envelope(404, "no such path"), id="no such path"),
        pytest.param(envelope(data="plenty"), id="no number"),
        pytest.param(Response(PAGE, 502), id="a proxy's page"),
    ],
)
def test_a_key_that_cannot_be_verified_changes_nothing(service: Wild, answer: Response) -> None:
    service.answer = lambda _: answer
    done = login(service, KEY, "--retries", "0")
    assert (done.code, key_files()) == (6, [])
    assert "the key could not be verified" in done.err
    assert "suno-wav login --unverified" in done.err


@pytest.mark.long
def test_offline_a_key_is_stored_only_with_unverified() -> None:
    offline = ("login", "--base-url", NOBODY, "--retries", "0")
    done = entered(KEY, *offline)
    assert (done.code, key_files()) == (6, [])
    done = entered(KEY, *offline, "--unverified")
    assert (done.code, len(key_files())) == (0, 1)
    assert "NOT VERIFIED: it was not checked with the service" in done.err


@pytest.mark.long
def test_json_and_log_do_not_contain_the_key(service: Wild) -> None:
    done = login(service, KEY, "--json", "--log-file", "all.log")
    (event,) = done.events
    assert (event["event"], event["credits"], event["variable"]) == ("key_stored", 12.4, None)
    assert KEY not in Path("all.log").read_text()


@pytest.mark.long
def test_each_base_url_has_its_own_key(service: Wild) -> None:
    """A key is never sent to another host, nor to another reseller's path."""
    with a_wild_server() as reseller:
        reseller.answer = service.answer
        login(service)
        assert used(reseller) == ""
        login(reseller, OTHER)
        assert (used(service), used(reseller)) == (KEY, OTHER)
        assert logout(service).code == 0
        assert (used(service), used(reseller)) == ("", OTHER)


@pytest.mark.long
def test_the_environment_takes_precedence_and_both_commands_say_so(service: Wild) -> None:
    env = {"SUNO_API_KEY": OTHER}
    done = login(service, env=env)
    assert "SUNO_API_KEY is set too, and takes precedence." in done.err
    assert used(service, env) == OTHER
    done = logout(service, env)
    assert (done.code, key_files()) == (0, [])
    assert "SUNO_API_KEY still holds a key, which is used." in done.err


def test_logout_without_a_key_says_so(service: Wild) -> None:
    done = logout(service)
    assert (done.code, f"no key stored for {service.address}" in done.err) == (0, True)


@pytest.mark.parametrize("command", ["login", "logout"])
def test_the_sandbox_has_no_key(command: str) -> None:
    done = entered(KEY, command, "--provider", "sandbox")
    assert (done.code, "the sandbox needs no key" in done.err) == (2, True)


def test_a_key_on_the_command_line_is_refused_and_not_repeated() -> None:
    done = entered("", "login", KEY)
    assert (done.code, "in the shell's history" in done.err, key_files()) == (2, True, [])


def test_the_remedy_for_a_missing_key_is_login(service: Wild) -> None:
    done = run_program("convert", "a", "--base-url", service.address)
    login = f"suno-wav login --base-url {service.address}"
    assert (done.code, f"{login} says where to find it" in done.err) == (3, True)


@pytest.mark.long
def test_convert_uses_the_stored_key() -> None:
    with bind_socket(0) as bound, run_sandbox(bound, speed=20):
        address = address_of(bound)
        assert entered(KEY, "login", "--base-url", address).code == 0
        done = run_program("convert", "demo", "--base-url", address, "--poll-interval", "100ms")
        assert (done.code, done.out) == (0, "demo.wav\n")


# The file


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_the_file_is_created_private(service: Wild) -> None:
    """An audit hook sees it created with mode 0600 and renamed, with a umask of 0."""
    watcher = (
        "import os, sys\n"
        "os.umask(0)\n"
        "opened = os.open\n"
        "def watch(event, arguments):\n"
        "    if event == 'os.chmod' or (event == 'open' and '/keys/' in str(arguments[0]) and arguments[2] & os.O_WRONLY):\n"
        "        flags = arguments[2] if event == 'open' else 0\n"
        "        print(event, bool(flags & os.O_EXCL and flags & os.O_CREAT))\n"
        "    if event == 'os.rename' and '/keys/' in str(arguments[0]):\n"
        "        print(event, oct(os.stat(arguments[0]).st_mode & 0o777))\n"
        "sys.addaudithook(watch)\n"
        "from suno_wav_cli.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", watcher, "login", "--base-url", service.address],
        input=KEY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["open True", "os.rename 0o600"]
    (file,) = key_files()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="Windows has no such bits")
def test_a_file_that_others_can_read_is_an_error(service: Wild) -> None:
    login(service)
    (file,) = key_files()
    file.chmod(0o640)
    done = run_program("credits", "--base-url", service.address)
    assert (done.code, done.out) == (3, "")
    assert f"{file} holds an API key, and others can read it (mode 0640)" in done.err
    assert f": chmod 600 {quote_word(str(file))}\n" in done.err
    # What the environment holds does not need the file; a new login replaces it.
    assert used(service, {"SUNO_API_KEY": OTHER}) == OTHER
    assert login(service).code == 0
    assert used(service) == KEY


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\xff", b'{"kept_in": "file"}', b'{"key": 7}', b"[" * 9999]
)
def test_a_damaged_file_is_an_error_and_can_be_removed_or_replaced(content: bytes) -> None:
    store = KeyStore(folder=Path("keys"), login="suno-wav login")
    store.keep(NOBODY, Secret(value=KEY))
    (file,) = store.folder.iterdir()
    file.write_bytes(content)
    with pytest.raises(NotAuthorized, match="is damaged") as caught:
        store.find(NOBODY)
    assert "suno-wav login" in caught.value.remedy
    store.forget(NOBODY)
    assert store.find(NOBODY) is None
    file.write_bytes(content)
    store.keep(NOBODY, Secret(value=KEY))
    assert store.find(NOBODY) == Secret(value=KEY)
    assert [*store.folder.iterdir()] == [file]


def test_an_unusable_folder_is_an_error(service: Wild) -> None:
    Path("file").write_text("")
    done = login(service, env={"SUNO_WAV_HOME": str(Path("file").absolute())})
    assert (done.code, "error: " in done.err) == (2, True)


# The keyring


@pytest.mark.long
def test_with_a_keyring_the_key_is_stored_there_only(service: Wild) -> None:
    done = login(service, env=keyring())
    assert (done.code, " in the keyring\n" in done.err) == (0, True)
    assert in_keyring() == [KEY]
    assert [KEY in file.read_text() for file in key_files()] == [False]
    assert used(service, keyring()) == KEY
    done = logout(service, keyring())
    assert (done.code, in_keyring(), key_files()) == (0, [], [])
    assert " from the keyring" in done.err


@pytest.mark.long
def test_a_key_that_moves_to_the_keyring_is_removed_from_the_file(service: Wild) -> None:
    login(service)
    login(service, OTHER, env=keyring())
    assert [KEY in file.read_text() for file in key_files()] == [False]
    assert used(service, keyring()) == OTHER


@pytest.mark.long
@pytest.mark.parametrize(
    ("env", "reason"),
    [
        pytest.param(
            {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"},
            "this machine has no keyring",
            id="none",
        ),
        pytest.param(
            {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"},
            "this machine has no keyring",
            id="off",
        ),
        pytest.param(
            {"PYTHON_KEYRING_BACKEND": "no.such.Backend"},
            "the keyring cannot be used: No module named",
            id="not there",
        ),
        pytest.param({"STAND_IN_KEYRING_MOOD": "locked"}, "nobody has unlocked it", id="locked"),
        pytest.param({"STAND_IN_KEYRING_MOOD": "weak"}, "this machine has no keyring", id="hides nothing"),
        pytest.param({"STAND_IN_KEYRING_MOOD": "forgetful"}, "does not store keys", id="forgetful"),
    ],
)
def test_without_a_working_keyring_the_key_goes_to_the_file(
    service: Wild, env: dict[str, str], reason: str
) -> None:
    done = login(service, env=keyring(**env))
    assert (done.code, reason in done.err) == (0, True), done.err
    assert (in_keyring(), len(key_files())) == ([], 1)
    assert used(service, keyring(**env)) == KEY


@pytest.mark.long
def test_without_the_extra_the_key_goes_to_the_file(service: Wild) -> None:
    """A folder before the installed library on the path, whose `keyring` cannot be imported."""
    Path("keyring").mkdir()
    Path("keyring/__init__.py").write_text("raise ModuleNotFoundError('no keyring', name='keyring')\n")
    done = login(service, env={"PYTHONPATH": str(Path().absolute())})
    assert (done.code, "(the extra 'keyring' is not installed)" in done.err, used(service)) == (0, True, KEY)


@pytest.mark.long
def test_a_keyring_that_is_locked_later_is_an_error(service: Wild) -> None:
    login(service, env=keyring())
    locked = keyring(STAND_IN_KEYRING_MOOD="locked")
    done = run_program("credits", "--base-url", service.address, env=locked)
    assert (done.code, "nobody has unlocked it" in done.err, "SUNO_API_KEY" in done.err) == (3, True, True)
    done = logout(service, locked)
    assert (done.code, "is still in the keyring" in done.err, in_keyring()) == (2, True, [KEY])
    assert (logout(service, keyring()).code, in_keyring()) == (0, [])


@pytest.mark.long
def test_a_key_deleted_from_the_keyring_is_an_error(service: Wild) -> None:
    login(service, env=keyring())
    Path("keyring.json").write_text("{}")
    done = run_program("credits", "--base-url", service.address, env=keyring())
    assert (done.code, "has no API key for" in done.err) == (3, True)
    assert logout(service, keyring()).code == 0


@pytest.mark.long
@pytest.mark.parametrize("from_file", [True, False])
def test_the_keyring_is_not_loaded_for_a_key_from_elsewhere(service: Wild, *, from_file: bool) -> None:
    """Loading it takes longer than the rest of a short command."""
    env = keyring()
    if from_file:
        login(service)
    else:
        login(service, env=env)
        env["SUNO_API_KEY"] = OTHER
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "suno_wav_cli", "credits", "--base-url", service.address],
        env=os.environ | env,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "httpx" in imported
    assert {name for name in imported if name.partition(".")[0] == "keyring"} == set()


# What others can see of it


@pytest.mark.long
def test_the_key_is_in_no_command_line_and_no_environment() -> None:
    with bind_socket(0) as silent:
        process = subprocess.Popen(
            command_line("login", "--base-url", address_of(silent)),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdin is not None
        try:
            process.stdin.write(KEY.encode() + b"\n")
            process.stdin.close()
            connection, _ = silent.accept()
            with connection:
                assert KEY.encode() in connection.recv(65536)
                for seen in psutil.process_iter():
                    with suppress(psutil.Error):
                        assert KEY not in " ".join(seen.cmdline())
                assert KEY not in str(psutil.Process(process.pid).environ())
        finally:
            process.stdin.close()
            process.kill()
            process.wait()
    assert key_files() == []


class Terminal:
    """The program on a terminal of its own."""

    def __init__(self, *arguments: str, env: dict[str, str] | None = None) -> None:
        self._master, slave = pty.openpty()
        self.process = start_program(
            *arguments,
            env={"TERM": "xterm-256color", **(env or {})},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            terminal=True,
        )
        os.close(slave)
        self.shown = ""

    def read_until(self, text: str | None) -> None:
        """Read until `text` is there, or to the end."""
        deadline = time.monotonic() + 20
        with suppress(OSError):  # how Linux says that the last writer has gone
            while text is None or text not in self.shown:
                assert select.select([self._master], [], [], deadline - time.monotonic())[0], self.shown
                self.shown += os.read(self._master, 65536).decode()

    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(service: Wild) -> Iterator[Terminal]:
    terminal = Terminal("login", "--base-url", service.address)
    yield terminal
    terminal.close()


def test_the_key_is_prompted_for_and_not_echoed(service: Wild, terminal: Terminal) -> None:
    terminal.read_until("(not shown): ")
    wait_until(lambda: not terminal.echoes())
    terminal.type(KEY + "\n")
    terminal.read_until(None)
    assert terminal.process.wait(timeout=10) == 0
    assert terminal.shown.startswith(
        f"The API key for {service.address} is on the account page of your provider\r\nAPI key (not shown): "
    )
    assert "stored the key for" in terminal.shown
    assert KEY[:8] not in terminal.shown
    assert used(service) == KEY


def test_ctrl_c_at_the_prompt_leaves_the_terminal_as_it_was(terminal: Terminal) -> None:
    terminal.read_until("(not shown): ")
    wait_until(lambda: not terminal.echoes())
    terminal.type("half a k\x03")
    terminal.read_until("stopped by Ctrl-C")
    assert terminal.process.wait(timeout=10) == 130
    assert terminal.echoes()
    assert "(not shown): \r\n" in terminal.shown
    assert key_files() == []


def test_end_of_input_at_the_prompt_is_an_error(terminal: Terminal) -> None:
    terminal.read_until("(not shown): ")
    wait_until(lambda: not terminal.echoes())
    terminal.type("\x04")
    terminal.read_until("no key was entered")
    assert terminal.process.wait(timeout=10) == 2


@pytest.mark.parametrize("variable", [True, False])
def test_a_refused_key_is_named_by_where_it_came_from(service: Wild, *, variable: bool) -> None:
    if variable:
        env, place = {"SUNO_API_KEY": '"sk-wrong-key"'}, "SUNO_API_KEY"
    else:
        assert login(service, "sk-wrong-key", "--unverified").code == 0
        env, place = {}, str(key_files()[-1])
    done = run_program("credits", "--base-url", service.address, env=env)
    assert (done.code, "sk-wrong" in done.err) == (3, False)
    assert f"The key is the one from {place}. " in done.err


@pytest.mark.long
def test_the_prompt_names_the_page_of_the_provider_and_the_key_in_use() -> None:
    before = {"SUNO_API_KEY": OTHER}
    terminal = Terminal("login", "--provider", "kie", "--unverified", env=before)
    try:
        terminal.read_until("(not shown): ")
        wait_until(lambda: not terminal.echoes())
        terminal.type(KEY + "\n")
        terminal.read_until(None)
    finally:
        terminal.close()
    assert "The API key for https://api.kie.ai is on https://kie.ai/api-key\r\n" in terminal.shown
    assert "In use now: the one from SUNO_API_KEY\r\n" in terminal.shown
