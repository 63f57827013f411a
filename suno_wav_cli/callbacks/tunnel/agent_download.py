"""The download of the ngrok agent: fetched, verified, unpacked and tried before it gets its name."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

from suno_wav_cli.callbacks.tunnel import agent_fetch
from suno_wav_cli.callbacks.tunnel.agent_binary import Agent, downloaded_agent_path, try_agent
from suno_wav_cli.callbacks.tunnel.error_codes import INSTALL_AGENT
from suno_wav_cli.errors import TunnelFailed
from suno_wav_cli.events.callbacks import AgentDownloaded, AgentDownloading

if TYPE_CHECKING:
    from suno_wav_cli.callbacks.tunnel.agent_release import AgentRelease
    from suno_wav_cli.callbacks.tunnel.subprocesses import SubprocessGroup
    from suno_wav_cli.callbacks.tunnel.tunnel import TunnelTimeouts
    from suno_wav_cli.events import Report

_PREFIX = ".suno-wav-download-"
_MAX_BYTES = 200_000_000
"""Of the download, and of the agent in it. An agent has about 30 MB."""

# RuntimeError: zipfile's, for an archive that is encrypted or packed in an unknown way.
_BROKEN = (OSError, EOFError, KeyError, RuntimeError, tarfile.TarError, zipfile.BadZipFile, zlib.error)

_CANNOT = "the ngrok agent cannot be downloaded"


def download_agent(
    release: AgentRelease,
    programs: SubprocessGroup,
    report: Report,
    timeouts: TunnelTimeouts,
    *,
    unfit: str | None = None,
) -> Agent:
    """Download the agent to where pyngrok keeps it, over a broken one. Raise TunnelFailed.

    `unfit` says why one that is there cannot be used. A file with another digest than the release's is neither unpacked nor run.
    """
    target = downloaded_agent_path()
    report(AgentDownloading(source=release.url, path=target, unfit=unfit))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(target.parent, older_than=2 * timeouts.agent_download)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=_PREFIX) as folder:
            fetched, fresh = Path(folder).absolute() / "download", Path(folder).absolute() / target.name
            _fetch(release.url, fetched, programs, timeouts)
            digest = _verify(fetched, release)
            _unpack(release.url, fetched, fresh)
            fresh.chmod(0o700)
            agent = try_agent(fresh, programs, timeouts.agent_version)
            if agent is None:
                raise TunnelFailed("what was downloaded is not a working ngrok agent", INSTALL_AGENT)
            fresh.replace(target)
    except _BROKEN as error:
        raise TunnelFailed(f"{_CANNOT}: {error}", INSTALL_AGENT) from error
    report(AgentDownloaded(path=target, sha256=digest, expected=release.sha256 is not None))
    return Agent(path=target, version=agent.version)


def _remove_abandoned(parent: Path, older_than: float) -> None:
    """Remove what killed programs have left of their downloads."""
    for folder in parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > older_than:
                shutil.rmtree(folder, ignore_errors=True)


def _fetch(url: str, target: Path, programs: SubprocessGroup, timeouts: TunnelTimeouts) -> None:
    fetcher = programs.start(
        # -P keeps the current folder, which may hold foreign files, off the import path.
        [sys.executable, "-P", str(Path(agent_fetch.__file__).absolute()), url, str(target)],
        folder=target.parent,
    )
    begun = moved = time.monotonic()
    size = 0
    while not fetcher.wait(seconds=0.1):
        now = time.monotonic()
        if size != (size := _size_of(target)):
            moved = now
        problem = None
        if size > _MAX_BYTES:
            problem = f"it has more than {_MAX_BYTES:,} bytes"
        elif now - moved > timeouts.agent_stall or now - begun > timeouts.agent_download:
            problem = f"it takes more than {now - begun:.0f} s"
        if problem is not None:
            fetcher.kill()
            raise TunnelFailed(f"{_CANNOT}: {problem}", INSTALL_AGENT)
    if fetcher.code != 0:
        reason = fetcher.stderr.strip().rpartition("\n")[2] or "no reason given"
        raise TunnelFailed(f"{_CANNOT}: {reason}", INSTALL_AGENT)


def _size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _verify(fetched: Path, release: AgentRelease) -> str:
    """Return the file's SHA-256. Raise TunnelFailed if another one is expected."""
    with fetched.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if release.sha256 not in {None, digest}:
        raise TunnelFailed(
            f"the downloaded ngrok agent is not the expected one: SHA-256 {digest}, not {release.sha256}",
            f"It was deleted, and not run. {INSTALL_AGENT}",
        )
    return digest


def _unpack(url: str, fetched: Path, target: Path) -> None:
    """Write the agent in the file `fetched` to `target`, and nothing else of an archive."""
    if url.endswith(".zip"):
        name = "ngrok.exe" if "-windows-" in url else "ngrok"
        with zipfile.ZipFile(fetched) as archive, archive.open(name) as member:
            _copy(member, target)
    elif url.endswith(".tgz"):
        with tarfile.open(fetched, "r:gz") as packed:
            content = packed.extractfile("ngrok")
            if content is None:
                raise tarfile.TarError("the archive has no agent")
            _copy(content, target)
    else:
        fetched.replace(target)


def _copy(member: IO[bytes], target: Path) -> None:
    with target.open("xb") as file:
        while block := member.read(1 << 20):
            file.write(block)
            if file.tell() > _MAX_BYTES:
                raise OSError(f"it unpacks to more than {_MAX_BYTES:,} bytes")
