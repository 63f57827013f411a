"""Each check of `doctor`, made to fail for real: the fact, the remedy, the exit code."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing, contextmanager
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.commands.doctor.command import choose_exit_code, prepare_remedy, run_checks
from suno_wav_cli.commands.doctor.disk import check_folder, find_folder
from suno_wav_cli.commands.doctor.findings import Check, Finding, Verdict, failed, passed, warned
from suno_wav_cli.commands.doctor.last_file import check_file, judge_look
from suno_wav_cli.commands.doctor.network import check_clock, check_environment, check_name, check_service
from suno_wav_cli.commands.doctor.records import check_expiring, check_journal, check_undecided, read_journal
from suno_wav_cli.commands.doctor.scrub import make_scrubber
from suno_wav_cli.commands.doctor.shell import check_completion, check_man_page
from suno_wav_cli.config.credentials import Secrets
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.download.look import AddressLook
from suno_wav_cli.errors import DownloadFailed, ExitCode, JournalUnusable, UsageError
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.journal.health import Health
from suno_wav_cli.models import Song
from suno_wav_cli.system.shell_words import Remedy, say_how, say_how_by_pipe
from tests.support.program import REPOSITORY, run_program
from tests.support.wire import new_certificate, read_head, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from suno_wav_cli.journal.entry import JournalEntry

SERVICE = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
RUN = Run(
    settings=Settings(),
    choices=(),
    secrets=Secrets(api_key=None, ngrok_token=None, hmac_key=None),
    environ={},
    report=lambda _: None,
    interactive=False,
)
NOWHERE = "https://api.invalid"
"""A name that is nobody's (RFC 2606)."""


def found(check: Coroutine[Any, Any, Finding]) -> tuple[str, ExitCode, str, str]:
    """Return verdict, exit code, fact and remedy, whose command a shell must be able to read."""
    finding = asyncio.run(check)
    if isinstance(finding.remedy, Remedy):
        command = finding.remedy.partition(f"{finding.remedy.advice}: ")[2]
        assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0, command
    return finding.verdict, finding.exit_code, finding.fact, finding.remedy or ""


def answer(connection: socket.socket, date: str = "") -> None:
    read_head(connection)
    connection.sendall(f"HTTP/1.1 404 Not Found\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n".encode())


# The network.


def test_a_name_that_is_nobodys() -> None:
    verdict, code, fact, remedy = found(check_name(NOWHERE, {}, ExitCode.UNAVAILABLE))
    assert (verdict, code) == ("failed", ExitCode.UNAVAILABLE)
    assert fact.startswith("api.invalid does not resolve: ")
    assert remedy == "Ask a name server: nslookup api.invalid"


def test_a_name_that_only_the_proxy_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    verdict, _, fact, _ = found(check_name(NOWHERE, os.environ, ExitCode.UNAVAILABLE))
    assert verdict == "ok"
    assert fact.endswith("; https_proxy has the proxy do it")


def test_a_closed_port_is_refused(free_port: int) -> None:
    url = f"http://127.0.0.1:{free_port}"
    verdict, code, fact, remedy = found(check_service(url, {}))
    assert (verdict, code) == ("failed", ExitCode.UNAVAILABLE)
    assert fact == f"{url}: connection refused: a firewall turns it away, or nothing listens there"
    assert remedy == f"See it without suno-wav: curl --verbose --max-time 20 {url}"


def test_a_dead_proxy_is_named(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port}")
    verdict, code, fact, remedy = found(check_service(NOWHERE, os.environ))
    assert (verdict, code) == ("failed", ExitCode.UNAVAILABLE)
    assert fact.startswith(
        f"{NOWHERE} by the proxy http://127.0.0.1:{free_port} (HTTPS_PROXY): connection ref"
    )
    assert remedy == "Start the proxy, or do without it: env -u HTTPS_PROXY suno-wav doctor"


def line_with_hosts(text: str, check: str) -> dict[str, Any]:
    """Run `doctor` where names are only those of `text`. Return the line of a check.

    It has a network and an /etc/hosts of its own, so nothing else on this machine changes.
    """
    Path("hosts").write_text(text, encoding="utf-8")
    Path("resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", encoding="utf-8")
    prepare = (
        "mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf && ip link set lo up"
    )
    inside = ["unshare", "--mount", "--net", "sh", "-c"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*inside, prepare], capture_output=True, check=False).returncode
    ):
        pytest.skip("names cannot be changed here")
    program = f"{prepare} && exec {sys.executable} -m suno_wav_cli doctor --json"
    done = subprocess.run([*inside, program], capture_output=True, text=True, check=False)
    (line,) = [line for line in map(json.loads, done.stdout.splitlines()) if line.get("check") == check]
    return dict(line)


@pytest.mark.long
@pytest.mark.parametrize(
    ("text", "check", "said"),
    [
        pytest.param("", "localhost", "the name localhost does not resolve: ", id="no localhost"),
        pytest.param(
            "::1 localhost\n",
            "localhost",
            "localhost is no IPv4 address and ::1; the receiver listens on 127.0.0.1",
            id="localhost of IPv6 alone",
        ),
        pytest.param(
            "127.0.0.1 localhost\n10.1.2.3 api.sunoapi.org\n",
            "service's name",
            "api.sunoapi.org is 10.1.2.3 and no IPv6 address: of a private network, so a name server",
            id="the service in a private network",
        ),
    ],
)
def test_names_that_lead_elsewhere(text: str, check: str, said: str) -> None:
    line = line_with_hosts(text, check)
    assert line["verdict"] == "warning"
    assert line["fact"].startswith(said), line


@pytest.mark.long
@pytest.mark.parametrize(
    ("accepts", "said"),
    [
        (True, "connected, and no answer in 10 s"),
        (False, "no answer from its address in 10 s: a firewall may swallow it"),
    ],
    ids=["silent", "swallowed"],
)
def test_a_silent_service_is_told_from_a_closed_one(accepts: bool, said: str) -> None:
    """A full queue of connections is as silent as a firewall."""
    with socket.create_server(("127.0.0.1", 0), backlog=8 if accepts else 0) as server, ExitStack() as others:
        port = server.getsockname()[1]
        for _ in range(0 if accepts else 4):
            waiting = others.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        verdict, code, fact, remedy = found(check_service(f"http://127.0.0.1:{port}", {}))
    assert (verdict, code) == ("failed", ExitCode.UNAVAILABLE)
    assert fact == f"http://127.0.0.1:{port}: {said}"
    assert remedy.startswith("See it without suno-wav: curl ")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")
def test_certificates_that_are_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One signed by itself, and one that is trusted, but for another name."""
    certificate = new_certificate(tmp_path)
    with serve(answer, certificate.server()) as port:
        signed_by_itself = found(check_service(f"https://127.0.0.1:{port}", {}))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
        trusted = found(check_service(f"https://127.0.0.1:{port}", {}))
        of_another_name = found(check_service(f"https://localhost:{port}", {}))
    assert signed_by_itself[:2] == of_another_name[:2] == ("failed", ExitCode.UNAVAILABLE)
    assert signed_by_itself[2].endswith("the TLS handshake failed (self-signed certificate)")
    assert trusted[0] == "ok"
    assert "Hostname mismatch, certificate is not valid for 'localhost'" in of_another_name[2]
    assert of_another_name[3].startswith("If a proxy or a virus scanner reads along, set SSL_CERT_FILE")
    assert of_another_name[3].endswith(
        f"To see whose it is: curl --verbose --max-time 20 https://localhost:{port}"
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        pytest.param("SSL_CERT_FILE", "/missing.pem", "the certificates cannot be loaded", id="certificates"),
        pytest.param("HTTPS_PROXY", "gopher://proxy", "the proxy that the environment names", id="proxy"),
    ],
)
def test_variables_that_cannot_be_used(
    variable: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UsageError, match=said):
        asyncio.run(check_environment(NOWHERE, os.environ))


@pytest.mark.parametrize(
    ("seconds", "verdict", "said"),
    [
        pytest.param(600, "warning", "10 min behind the service's", id="behind"),
        pytest.param(-7200, "warning", "2 h ahead of the service's", id="ahead"),
        pytest.param(20, "ok", "within ", id="right"),
    ],
)
def test_the_clock_is_held_against_the_services(seconds: int, verdict: str, said: str) -> None:
    with serve(partial(answer, date=formatdate(time.time() + seconds, usegmt=True))) as port:
        finding = found(check_clock(f"http://127.0.0.1:{port}"))
    assert (finding[0], finding[1]) == (verdict, ExitCode.OK)
    assert said in finding[2]


@pytest.mark.parametrize("date", ["", "\x1b[2Jyesterday", "Thu, 99 Jan 99999 00:00:00 GMT"])
def test_a_service_that_tells_no_time(date: str) -> None:
    with serve(partial(answer, date=date)) as port:
        assert found(check_clock(f"http://127.0.0.1:{port}"))[0] == "skipped"


# The folder.


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[None]:
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_good_folder_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "song.wav").write_bytes(b"RIFF")
    verdict, _, fact, _ = found(check_folder(f"{tmp_path}/"))
    assert verdict == "ok", fact
    assert "write, flush and rename work" in fact
    assert fact.endswith("case-sensitive")
    assert {path.name for path in tmp_path.iterdir()} == {"song.wav", "work"}


def test_a_read_only_folder(tmp_path: Path) -> None:
    folder = tmp_path / "it's here"
    with mounted(folder, "ro,size=100m"):
        verdict, code, fact, remedy = found(check_folder(f"{folder}/"))
    assert (verdict, code) == ("failed", ExitCode.USAGE)
    assert fact == f"{folder} cannot be used: Read-only file system"
    quoted = f"'{tmp_path}/it'\"'\"'s here'"
    assert remedy.startswith("Choose another --out, or look at its permissions: ls -ld ")
    assert (
        subprocess.run(["sh", "-c", f"test {quoted} = {remedy.split('-ld ')[1]}"], check=False).returncode
        == 0
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o500)
    assert found(check_folder(f"{folder}/"))[:3] == (
        "failed",
        ExitCode.USAGE,
        f"{folder} cannot be used: Permission denied",
    )


@pytest.mark.long
def test_a_slow_disk() -> None:
    program = str(REPOSITORY / "tests" / "support" / "slow_disk.py")
    command = [sys.executable, program, "3", "doctor", "--offline", "--json"]
    env = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    (line,) = [line for line in map(json.loads, done.stdout.splitlines()) if line.get("check") == "folder"]
    assert line["verdict"] == "warning"
    assert line["fact"].endswith("; case-sensitive: that is slow")
    assert line["remedy"] == f"See what is busy: df -h {Path.cwd()}"


def test_a_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "full"
    with mounted(folder, "size=60m"):
        with (folder / "filler").open("wb") as filler:
            os.posix_fallocate(filler.fileno(), 0, 40_000_000)
        verdict, code, fact, remedy = found(check_folder(f"{folder}/{{title}}.wav"))
        left = [path.name for path in folder.iterdir()]
    assert (verdict, code, left) == ("failed", ExitCode.USAGE, ["filler"])
    assert "MB free; a song may need 50 MB" in fact
    assert remedy == f"Make room, or choose another --out. What there is: df -h {folder}"


@pytest.mark.parametrize(
    ("out", "folder"),
    [
        (None, "."),
        ("song.wav", "."),
        ("songs/", "songs"),
        ("there", "there"),
        ("a/{title}/b.wav", "a"),
        ("a/song {id8}.wav", "a"),
        ("a/song.wav", "a"),
    ],
)
def test_the_folder_of_out(out: str | None, folder: str) -> None:
    Path("there").mkdir()
    assert find_folder(out) == Path(folder).absolute()


@pytest.mark.parametrize("out", ["-", "s3://bucket/{title}.wav"])
def test_no_folder_is_tried_where_none_is_used(out: str) -> None:
    assert found(check_folder(out))[0] == "skipped"


# The journal.


def examine(path: Path) -> tuple[str, str]:
    """Return the verdict and the fact of the check of a journal, whose folder must stay as it is."""
    before = sorted((file.name, file.stat().st_mode) for file in path.parent.iterdir())
    health = asyncio.run(read_journal(path))
    assert sorted((file.name, file.stat().st_mode) for file in path.parent.iterdir()) == before
    verdict, _, fact, _ = found(check_journal(health, path))
    return verdict, fact


def test_a_journal_that_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with open_journal(path, SERVICE) as journal:
        journal.claim(Song(audio_id="song"), Path("song.wav"))
    assert examine(path) == ("ok", f"{path} is whole; 1 conversion")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "it is empty", id="empty"),
        pytest.param(b"no database at all" * 100, "file is not a database", id="something else"),
    ],
)
def test_a_damaged_journal(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(content)
    with pytest.raises(JournalUnusable, match=said) as raised:
        examine(path)
    assert raised.value.exit_code == ExitCode.USAGE
    assert raised.value.remedy.endswith(" Put an earlier copy in its place.")


def test_a_journal_with_a_broken_page(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with open_journal(path, SERVICE) as journal:
        journal.claim(Song(audio_id="song"), Path("song.wav"))
    content = bytearray(path.read_bytes())
    content[2 * 4096 : 3 * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(JournalUnusable):
        examine(path)


def test_a_journal_of_a_newer_program(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA user_version = 999")
    with pytest.raises(UsageError, match="newer suno-wav"):
        examine(path)


def test_unknown_outcomes_and_what_is_deleted_soon(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    account = Account(base_url="https://api.kie.ai", provider="kie", kept_days=1)
    with open_journal(path, account) as journal:
        journal.claim(Song(audio_id="lost"), Path("lost.wav"))
        journal.accept(journal.claim(Song(audio_id="ready"), Path("ready.wav")).entry, "task")
    health = asyncio.run(read_journal(path))
    verdict, code, fact, remedy = found(check_undecided(RUN, health))
    assert (verdict, code) == ("warning", ExitCode.OK)
    assert fact == "1 song with an unknown outcome: paid for or not (lost)"
    assert remedy == "Look them up again, which is free: suno-wav resume --provider kie"
    verdict, code, fact, remedy = found(check_expiring(RUN, health))
    assert (verdict, code) == ("warning", ExitCode.OK)
    assert fact == "1 song not saved yet, which the service deletes within 24 h (ready)"
    assert remedy == "Save what is still there: suno-wav resume --provider kie"


def test_a_song_that_is_being_sent_is_not_unknown(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    with open_journal(path, SERVICE) as journal:
        journal.claim(Song(audio_id="song"), Path("song.wav"))
        health = asyncio.run(read_journal(path))
    assert isinstance(health, Health)
    assert health.undecided == ()


# The last file.


@pytest.mark.parametrize(
    ("status", "length", "expires_in", "verdict", "said"),
    [
        pytest.param(206, 30_000_000, 86400 * 5, "ok", "audio/wav, 30.0 MB; deleted in 5 days", id="there"),
        pytest.param(
            200, None, 86400 * 5, "ok", "no ranges, so a download has one connection", id="no ranges"
        ),
        pytest.param(
            403, None, 86400 * 5, "warning", "HTTP 403, and the song is not saved yet", id="refused"
        ),
        pytest.param(404, None, -60, "ok", "has expired by now", id="expired"),
    ],
)
def test_what_the_host_of_the_last_file_answers(
    tmp_path: Path, *, status: int, length: int | None, expires_in: float, verdict: str, said: str
) -> None:
    with open_journal(tmp_path / "journal.sqlite3", SERVICE) as journal:
        entry = journal.accept(journal.claim(Song(audio_id="song"), Path("song.wav")).entry, "task")
    now = (entry.expires or 0.0) - expires_in
    look = AddressLook(status=status, content_type="audio/wav", length=length, seconds=0.1)
    finding = judge_look(RUN, look, entry, now)
    assert (finding.verdict, finding.exit_code) == (verdict, ExitCode.OK)
    assert said in finding.fact
    assert finding.remedy in (None, "Get a fresh address: suno-wav resume")


def file_server(head: str) -> Callable[[socket.socket], None]:
    def respond(connection: socket.socket) -> None:
        assert b"\r\nrange: bytes=0-0\r\n" in read_head(connection).lower()
        connection.sendall(f"HTTP/1.1 {head}\r\nContent-Length: 1\r\n\r\nR".encode())

    return respond


@pytest.mark.parametrize(
    ("head", "verdict", "said"),
    [
        pytest.param(
            "206 Partial Content\r\nContent-Type: audio/wav\r\nContent-Range: bytes 0-0/5000000",
            "ok",
            ": audio/wav, 5.0 MB; deleted in 15 days",
            id="there",
        ),
        pytest.param("200 OK", "ok", ": no type; deleted in 15 days; no ranges", id="no ranges"),
        pytest.param(
            "206 Partial Content\r\nContent-Range: bytes 0-0/*", "ok", ": no type; deleted in", id="no length"
        ),
        pytest.param("403 Forbidden", "warning", "HTTP 403, and the song is not saved yet", id="refused"),
    ],
)
def test_one_byte_of_the_last_file_is_asked_for(tmp_path: Path, head: str, verdict: str, said: str) -> None:
    with serve(file_server(head)) as port:
        finding = found(check_file(RUN, accepted(tmp_path), f"http://127.0.0.1:{port}/a.wav"))
    assert finding[:2] == (verdict, ExitCode.OK)
    assert said in finding[2]


def test_a_file_s_host_that_refuses(tmp_path: Path, free_port: int) -> None:
    with pytest.raises(DownloadFailed):
        asyncio.run(check_file(RUN, accepted(tmp_path), f"http://127.0.0.1:{free_port}/a.wav"))


def accepted(folder: Path) -> JournalEntry:
    """Return the entry of a song at a service on this machine, whose files may come from here."""
    account = Account(base_url="http://127.0.0.1:9", provider="sandbox", kept_days=15)
    with open_journal(folder / "journal.sqlite3", account) as journal:
        return journal.accept(journal.claim(Song(audio_id="song"), Path("song.wav")).entry, "task")


# What comes with the program.


@pytest.mark.parametrize(
    ("shell", "files", "verdict"),
    [
        ("/bin/bash", {}, "skipped"),
        ("/bin/bash", {".bash_completions/suno-wav.sh": "", ".bashrc": "source suno-wav.sh"}, "ok"),
        # Written, and loaded no more.
        ("/bin/bash", {".bash_completions/suno-wav.sh": "", ".bashrc": ""}, "skipped"),
        ("/bin/bash", {".local/share/bash-completion/completions/suno-wav": ""}, "ok"),
        ("zsh", {".zfunc/_suno-wav": "", ".zshrc": "fpath+=~/.zfunc"}, "ok"),
        ("zsh", {".bash_completions/suno-wav.sh": "", ".bashrc": "source suno-wav.sh"}, "skipped"),
        ("fish", {".config/fish/completions/suno-wav.fish": ""}, "ok"),
        ("tcsh", {}, "skipped"),
        ("", {}, "skipped"),
    ],
)
def test_the_completion_of_the_shell_in_use(
    shell: str, files: dict[str, str], verdict: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    finding = found(check_completion({"SHELL": shell}))
    assert finding[:2] == (verdict, ExitCode.OK), finding
    if verdict == "skipped":
        assert ": suno-wav --install-completion " in finding[3]


def test_completion_is_seen_where_the_program_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for shell in ("bash", "zsh", "fish"):
        environ = {"SHELL": f"/usr/bin/{shell}"}
        verdict, _, _, remedy = found(check_completion(environ))
        assert verdict == "skipped"
        done = run_program(*shlex.split(remedy.rpartition(": ")[2])[1:], env={"HOME": str(tmp_path)})
        assert done.code == 0
        assert found(check_completion(environ))[0] == "ok"


def test_the_man_page_is_looked_for_where_man_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    page = tmp_path / "it's" / "share" / "man" / "man1" / "suno-wav.1"
    look = partial(check_man_page, prefix=tmp_path / "it's")
    assert found(look({"PATH": "/bin"}))[2:] == ("not installed", "The same is in: suno-wav help")
    page.parent.mkdir(parents=True)
    page.write_text("")
    verdict, _, fact, remedy = found(look({"PATH": "/bin"}))
    assert (verdict, fact) == (
        "skipped",
        f"{page} is not where man looks, which is beside the folders of PATH",
    )
    assert shlex.split(remedy.rpartition(": ")[2]) == ["man", str(page)]
    assert found(look({"PATH": f"/bin:{page.parents[3]}/bin"}))[::2] == ("ok", str(page))
    assert found(look({"PATH": "/bin", "MANPATH": str(page.parents[1])}))[0] == "ok"


# How they are run.


def run_all(*checks: Check, offline: bool = False) -> tuple[ExitCode, list[dict[str, object]]]:
    events: list[Any] = []
    code = asyncio.run(run_checks(checks, events.append, make_scrubber([], ""), offline=offline))
    return code, [vars(event) for event in events]


async def hang() -> Finding:
    await asyncio.Event().wait()
    raise AssertionError


async def crash() -> Finding:
    raise ZeroDivisionError("division by zero")


async def succeed() -> Finding:
    return passed("fine")


def test_a_check_that_hangs_or_crashes_stops_no_other() -> None:
    code, reported = run_all(
        Check(name="slow", run=hang, seconds=0.01),
        Check(name="bug", run=crash),
        Check(name="after both", run=succeed),
        Check(name="dependent", run=succeed, needs=("slow",)),
    )
    assert [(one["verdict"], one["fact"]) for one in reported[:4]] == [
        ("failed", "no result in 0.01 s"),
        ("failed", "a bug in suno-wav: ZeroDivisionError: division by zero"),
        ("ok", "fine"),
        ("skipped", "needs 'slow'"),
    ]
    assert code == ExitCode.BUG
    assert reported[4] == {"ok": 1, "warnings": 0, "failed": 2, "skipped": 1, "exit_code": ExitCode.BUG}


def test_offline_runs_nothing_that_is_online() -> None:
    code, reported = run_all(
        Check(name="far", run=crash, online=True), Check(name="near", run=succeed), offline=True
    )
    assert [one["verdict"] for one in reported[:2]] == ["skipped", "ok"]
    assert code == ExitCode.OK


def test_the_exit_code_is_that_of_the_fault_which_convert_meets_first() -> None:
    faults = [
        failed("", "", code)
        for code in (ExitCode.TUNNEL_FAILED, ExitCode.NO_CREDITS, ExitCode.NOT_AUTHORIZED)
    ]
    assert choose_exit_code(faults) == ExitCode.NOT_AUTHORIZED
    assert choose_exit_code([passed(""), warned("", "")]) == ExitCode.OK


def test_every_exit_code_of_a_check_has_its_place() -> None:
    for code in {*ExitCode} - {
        ExitCode.SOME_FAILED,
        ExitCode.CONVERSION_FAILED,
        ExitCode.STILL_RUNNING,
        ExitCode.OUTPUT_EXISTS,
    }:
        assert choose_exit_code([Finding(verdict=Verdict.FAILED, fact="", exit_code=code)]) == code


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("the key sk-12345 is refused", "the key (hidden) is refused"),
        ("http://me:pa/ss@proxy:3128/x", "http://(hidden)@proxy:3128/x"),
        ("me:pass@proxy:3128", "(hidden)@proxy:3128"),
        ("HTTPS_PROXY=http://me:pass@proxy", "HTTPS_PROXY=http://(hidden)@proxy"),
        ("https://cdn/a.wav?sig=1#x and https://b/#y", "https://cdn/a.wav?(hidden) and https://b/?(hidden)"),
        ("/home/me/x.toml, line 3", "~/x.toml, line 3"),
        ("'/home/me/my files/x' is open", "'~/my files/x' is open"),
        ("/home/me, /home/meg, /srv/home/me", "~, /home/meg, /srv/home/me"),
    ],
)
def test_what_may_be_published(text: str, scrubbed: str) -> None:
    assert make_scrubber(["sk-12345", ""], "/home/me").scrub(text) == scrubbed


def no_program(_name: str) -> None:
    """Find no program."""


@pytest.mark.parametrize(
    ("remedy", "words", "command"),
    [
        (None, None, None),
        ("Name another one: SUNO_WAV_HOME=FOLDER", "Name another one: SUNO_WAV_HOME=FOLDER", None),
        (say_how("Look", "ls", "/home/me/a b"), "Look: ls ~/'a b'", "ls ~/'a b'"),
        (say_how("Ask sk-12345", "ls"), "Ask (hidden): ls", "ls"),
        # What had to be hidden leads a command elsewhere.
        (say_how("See it", "ls", "https://api.example/?sig=1"), "See it.", None),
        (say_how("See it", "ls", "http://me:pass@host/"), "See it.", None),
        (say_how("See it", "ls", "sk-12345"), "See it.", None),
        (say_how("It says (hidden)", "ls", "(hidden)"), "It says (hidden): ls '(hidden)'", "ls '(hidden)'"),
        # Words around it make it text.
        (f"{say_how('Look', 'ls')} or not", "Look: ls or not", None),
    ],
)
def test_only_a_whole_command_is_one_to_paste(
    remedy: str | None, words: str | None, command: str | None
) -> None:
    assert prepare_remedy(remedy, make_scrubber(["sk-12345"], "/home/me"), str) == (words, command)


@pytest.mark.parametrize(
    ("remedy", "words"),
    [
        (say_how("Ask", "nslookup", "a.invalid"), "Ask. Install nslookup for that."),
        (
            say_how("Set it", "sudo", "timedatectl"),
            "Set it. Install sudo and timedatectl for that.",
        ),
        (
            say_how_by_pipe("Save it", ("ls",), ("suno-wav",)),
            "Save it. Install ls for that.",
        ),
        (say_how("Log in", "suno-wav", "login"), "Log in: suno-wav login"),
    ],
)
def test_a_program_that_is_not_here_is_no_command_to_paste(remedy: str, words: str) -> None:
    """But this very program is, wherever it was started from."""
    assert prepare_remedy(remedy, make_scrubber([], ""), no_program)[0] == words


def test_the_tilde_leads_a_shell_to_the_same_file(tmp_path: Path) -> None:
    home = tmp_path / "o'brien"
    file = home / "my files" / "it's"
    remedy = say_how_by_pipe("See", ("printf", "%s,", str(home), str(file), f"{home}2"), ("cat",))
    _, line = prepare_remedy(remedy, make_scrubber([], str(home)), str)
    assert line is not None
    assert line.startswith("printf '%s,' ~ ~/")
    done = subprocess.run(["sh", "-c", line], env={"HOME": str(home)}, capture_output=True, check=True)
    assert done.stdout.decode() == f"{home},{file},{home}2,"
