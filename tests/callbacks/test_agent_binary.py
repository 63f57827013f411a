"""The download of the ngrok agent by the real pyngrok, from a local server behind a proxy."""

from __future__ import annotations

import io
import os
import socket
import ssl
import subprocess
import sys
import tarfile
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.callbacks.tunnel import TunnelTimeouts
from suno_wav_cli.callbacks.tunnel.agent_binary import download_agent
from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
from suno_wav_cli.errors import TunnelFailed
from tests.support.ngrok_world import NgrokWorld, ngrok_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.program import Finished, Sandbox

HOST = "bin.ngrok.com"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate for ngrok's server, with its key."""
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-days",
                "2",
                "-subj",
                f"/CN={HOST}",
            ),
            *("-addext", f"subjectAltName=DNS:{HOST}", "-keyout", "key.pem", "-out", "certificate.pem"),
        ],
        cwd=file.parent,
        capture_output=True,
        check=True,
    )
    file.write_bytes((file.parent / "key.pem").read_bytes() + (file.parent / "certificate.pem").read_bytes())
    return file


def archive(program: bytes) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("ngrok")
        member.size, member.mode = len(program), 0o755
        tar.addfile(member, io.BytesIO(program))
    return packed.getvalue()


@contextmanager
def downloads(certificate: Path, content: bytes, sent: int | None = None) -> Iterator[dict[str, str]]:
    """Serve `content`, or only its first `sent` bytes. Yield the variables that lead there."""
    closing = Event()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError), context.wrap_socket(self.connection, server_side=True) as inner:
                inner.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
                inner.sendall(head.encode() + content[:sent])
                if sent is not None:
                    closing.wait(30)
            self.close_connection = True

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield {
                "https_proxy": f"http://127.0.0.1:{server.server_port}",
                "SSL_CERT_FILE": str(certificate.parent / "certificate.pem"),
            }
        finally:
            closing.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NgrokWorld]:
    """A world without an agent on PATH. The stand-in is there to be downloaded."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    with ngrok_world(tmp_path / "ngrok") as world:
        yield world
        assert world.left == []


def agent_path() -> Path:
    return Path(os.environ["XDG_CONFIG_HOME"]) / "ngrok" / "ngrok"


def convert(sandbox: Sandbox, world: NgrokWorld, song: str, env: dict[str, str]) -> Finished:
    return sandbox.run("convert", song, "--poll-interval", "1s", env={**settings(world), **env})


def settings(world: NgrokWorld) -> dict[str, str]:
    return {
        **world.env(),
        "PATH": os.environ["PATH"],
        "SUNO_WAV_PROVIDER": "sunoapi",
        "SUNO_API_KEY": "key-1",
        "NGROK_AUTHTOKEN": "token-1",
    }


@pytest.mark.long
@pytest.mark.parametrize(
    "before", [None, b"\x7fELF, the first half"], ids=["nothing there", "half of one there"]
)
def test_a_missing_or_broken_agent_is_downloaded(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, before: bytes | None
) -> None:
    """The source is named on standard error. Standard output has the path only."""
    if before is not None:
        agent_path().parent.mkdir(parents=True)
        agent_path().write_bytes(before)
    song = f"demo+download-{before is None}"
    with downloads(certificate, archive(world.executable.read_bytes())) as env:
        done = convert(sandbox, world, song, env)
    assert (done.code, done.out) == (0, f"{song}.wav\n")
    first = done.err.splitlines()[0]
    assert first.startswith(f"suno-wav: ngrok agent not found; downloading it from https://{HOST}/")
    assert first.endswith(f" to {agent_path()}")
    assert "no callbacks" not in done.err
    assert agent_path().stat().st_mode & 0o777 == 0o700
    assert [*agent_path().parent.iterdir()] == [agent_path()]
    # The next run finds it.
    assert "downloading it" not in convert(sandbox, world, f"{song}-again", {}).err


PLANTED = ["pyngrok", "yaml", "urllib", "tarfile", "zipfile", "ssl", "sitecustomize", "usercustomize"]


def test_modules_in_the_current_folder_are_not_run_and_those_on_pythonpath_are(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, tmp_path: Path
) -> None:
    for name in PLANTED:
        Path(f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(
        f"import sys; open({str(tmp_path / 'own' / 'started')!r}, 'a').write(f'{{sys.orig_argv}}\\n')\n"
    )
    with downloads(certificate, archive(world.executable.read_bytes())) as env:
        done = subprocess.run(
            # As the installed program starts: the current folder is not on its own import path.
            [sys.executable, "-P", "-m", "suno_wav_cli", "convert", "demo+planted", "--poll-interval", "1s"],
            env={**os.environ, **sandbox.settings, **settings(world), **env, "PYTHONPATH": str(own)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (done.returncode, "downloading it" in done.stderr) == (0, True), done.stderr
    assert not (tmp_path / "ran").exists()
    assert agent_path().exists()
    ours, installer = (own / "started").read_text().splitlines()
    assert "suno_wav_cli" in ours
    assert "install_ngrok" in installer


@pytest.mark.long
def test_the_agents_place_may_be_given_from_the_current_folder(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path
) -> None:
    with downloads(certificate, archive(world.executable.read_bytes())) as env:
        done = convert(sandbox, world, "demo+relative", {**env, "PYNGROK_NGROK_PATH": "agents/ngrok"})
    assert (done.code, "no callbacks" in done.err) == (0, False), done.err
    assert [*Path("agents").iterdir()] == [Path("agents/ngrok")]


@pytest.mark.long
@pytest.mark.parametrize(
    ("served", "reason"),
    [
        pytest.param(b"", "the ngrok agent cannot be downloaded: ", id="nothing"),
        pytest.param(archive(bytes(100_000))[:100], "the ngrok agent cannot be downloaded: ", id="cut"),
        pytest.param(
            archive(b"not a program"), "what was downloaded is not a working ngrok agent", id="rubbish"
        ),
    ],
)
def test_a_broken_download_leaves_nothing_and_costs_no_song(
    sandbox: Sandbox, world: NgrokWorld, certificate: Path, served: bytes, reason: str
) -> None:
    song = f"demo+broken-{len(served)}"
    with downloads(certificate, served) as env:
        done = convert(sandbox, world, song, env)
    assert (done.code, done.out) == (0, f"{song}.wav\n")
    assert f"no callbacks ({reason}" in done.err
    assert [*agent_path().parent.iterdir()] == []


@pytest.mark.long
def test_a_download_that_stalls_is_given_up(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "agents" / "ngrok"
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(target))
    with downloads(certificate, archive(os.urandom(500_000)), sent=250_000) as env:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(TunnelFailed, match="the ngrok agent cannot be downloaded: it takes more than"):
            download_agent(SubprocessGroup(), lambda _event: None, TunnelTimeouts(agent_stall=0.5))
    assert [*target.parent.iterdir()] == []


@pytest.mark.long
def test_modules_in_the_current_folder_are_not_run(
    world: NgrokWorld, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even with an empty entry in PYTHONPATH, which names the current folder."""
    target = tmp_path / "agents" / "ngrok"
    monkeypatch.setenv("PYNGROK_NGROK_PATH", str(target))
    monkeypatch.setenv("PYTHONPATH", os.pathsep)
    for name, value in world.env().items():
        monkeypatch.setenv(name, value)
    for name in ("pyngrok", "yaml", "tarfile", "zipfile", "ssl", "sitecustomize", "usercustomize"):
        Path(f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\n")
    with downloads(certificate, archive(world.executable.read_bytes())) as env:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        agent = download_agent(SubprocessGroup(), lambda _event: None, TunnelTimeouts(agent_version=30.0))
    assert agent.path == target
    assert not (tmp_path / "ran").exists()


@pytest.mark.long
def test_without_a_network_the_download_is_given_up_at_once(sandbox: Sandbox, world: NgrokWorld) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = convert(sandbox, world, "demo+offline", {"https_proxy": f"http://127.0.0.1:{port}"})
    assert done.code == 0
    assert "no callbacks (the ngrok agent cannot be downloaded: Connection refused): polling" in done.err
