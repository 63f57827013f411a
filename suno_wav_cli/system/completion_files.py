"""Where shells and `man` find what is installed for them."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STARTUP_FILES: Mapping[str, tuple[str, bytes]] = MappingProxyType(
    {"bash": (".bashrc", b"suno-wav.sh"), "zsh": (".zshrc", b".zfunc")}
)
"""The file that loads what `--install-completion` has written, and what its line contains."""

_WRITTEN: Mapping[str, str] = MappingProxyType(
    {
        "bash": ".bash_completions/suno-wav.sh",
        "zsh": ".zfunc/_suno-wav",
        "fish": ".config/fish/completions/suno-wav.fish",
    }
)
_PACKAGED: Mapping[str, str] = MappingProxyType(
    {
        "bash": "bash-completion/completions/suno-wav",
        "zsh": "zsh/site-functions/_suno-wav",
        "fish": "fish/vendor_completions.d/suno-wav.fish",
    }
)
"""Below a `share` folder."""

_USUAL_SHARES = ("/usr/local/share", "/usr/share")


def find_completion(shell: str, home: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the file from which a shell completes: bash, zsh or fish."""
    written = home / _WRITTEN[shell]
    name, line = STARTUP_FILES.get(shell, ("", b""))
    if _exists(written) and (not name or line in _read(home / name)):
        return written
    shares = [environ.get("XDG_DATA_HOME") or home / ".local/share"]
    shares += filter(None, environ.get("XDG_DATA_DIRS", "").split(":"))
    packaged = (Path(share) / _PACKAGED[shell] for share in (*shares, *_USUAL_SHARES))
    return next(filter(_exists, packaged), None)


def find_man_page(home: Path, environ: Mapping[str, str]) -> Path | None:
    """Return the page that `man suno-wav` shows: man looks beside each folder of PATH."""
    pages = (folder / "man1" / "suno-wav.1" for folder in _man_folders(home, environ))
    return next(filter(_exists, pages), None)


def _man_folders(home: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    yield from (Path(folder) for folder in environ.get("MANPATH", "").split(":") if folder)
    for folder in filter(None, environ.get("PATH", "").split(":")):
        yield Path(folder).parent / "share" / "man"
        yield Path(folder).parent / "man"
    yield home / ".local" / "share" / "man"
    yield from (Path(share) / "man" for share in _USUAL_SHARES)


def _exists(file: Path) -> bool:
    try:
        return file.is_file()
    except OSError:
        return False


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""
