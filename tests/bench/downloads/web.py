"""nginx with WAVs, over http and https, at full speed and with a limit for each connection."""

from __future__ import annotations

import grp
import os
import pwd
import random
import shutil
import struct
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.system.loopback import bind_socket
from tests.bench.downloads.costs import NotMeasured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

THROTTLE = "20m"
"""What a connection gets in a second, as nginx writes it: 20 MiB."""

_RATE, _FRAME = 48_000, 4
_PIECE = 1 << 20
_PATIENCE = 10.0
_LAST_MOMENT = 5.0


@dataclass(frozen=True)
class Web:
    """Where the files of its folder are, by their names behind a slash, and the certificate of the encrypted address."""

    http: str
    https: str
    throttled: str
    certificate: Path


def nginx() -> str | None:
    """Find the program. Debian installs it in a folder that only root has on PATH."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def make_wav(path: Path, size: int) -> None:
    """Write a WAV of `size` bytes or up to three less, of noise that is the same each time."""
    data = (size - 44) // _FRAME * _FRAME
    head = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF", 36 + data, b"WAVE", b"fmt ", 16, 1, 2, _RATE, _RATE * _FRAME, _FRAME, 16, b"data", data,
    )  # fmt: skip
    noise = random.Random(1)
    with path.open("wb") as file:
        file.write(head)
        for start in range(0, data, _PIECE):
            file.write(noise.randbytes(min(_PIECE, data - start)))


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve the files in `folder`, by one worker, as the current user. Raises NotMeasured."""
    plain, encrypted = _free_port(), _free_port()
    certificate = folder / "certificate.pem"
    _make_certificate(certificate, folder / "key.pem")
    config, log = folder / "nginx.conf", folder / "nginx.log"
    config.write_text(_config(folder, plain, encrypted), encoding="utf-8")
    command = [nginx() or "nginx", "-e", str(log), "-p", str(folder), "-c", str(config)]
    with log.open("ab") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            web = Web(
                http=f"http://127.0.0.1:{plain}",
                https=f"https://127.0.0.1:{encrypted}",
                throttled=f"https://127.0.0.1:{encrypted}/throttled",
                certificate=certificate,
            )
            _wait_for(f"{web.http}/{certificate.name}", process, log)
            yield web
        finally:
            process.terminate()
            try:
                process.wait(_LAST_MOMENT)
            except subprocess.TimeoutExpired:
                process.kill()


def _config(folder: Path, plain: int, encrypted: int) -> str:
    # Only root can choose whose rights the worker has, and must, to let it read the folder.
    user = (
        f"user {pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name};"
        if os.geteuid() == 0
        else ""
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f'  {kind}_temp_path "{folder}/{kind}";' for kind in kinds)
    return f"""{user}
daemon off;
worker_processes 1;
pid "{folder}/nginx.pid";
events {{ worker_connections 128; }}
http {{
{temporary}
  access_log off;
  sendfile on;
  types {{ audio/wav wav; }}
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{encrypted} ssl;
    ssl_certificate "{folder}/certificate.pem";
    ssl_certificate_key "{folder}/key.pem";
    root "{folder}";
    location /throttled/ {{
      alias "{folder}/";
      limit_rate {THROTTLE};
      # 32 KiB at a time, as usual, its timers of a millisecond slow down who has several connections.
      output_buffers 2 512k;
    }}
  }}
}}
"""


def _make_certificate(certificate: Path, key: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    done = subprocess.run(
        [*command, "-keyout", str(key), "-out", str(certificate)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise NotMeasured(f"openssl made no certificate: {done.stderr}")


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            httpx.head(url, trust_env=False).raise_for_status()
        except httpx.HTTPError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace")
                raise NotMeasured(f"nginx does not serve: {error}\n{said}") from error
        else:
            return


def _free_port() -> int:
    with bind_socket(0) as bound:
        port: int = bound.getsockname()[1]
        return port
