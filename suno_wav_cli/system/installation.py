"""How this program was installed, told from its paths, and the command that adds a package in the same way."""

from __future__ import annotations

import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

_PROJECT = "suno-wav-cli"
_EXTRAS = {"keyring": "keyring", "tags": "mutagen", "remote": "obstore"}
"""The package of each extra, if the program's own description cannot be read."""


def how_to_install_extra(extra: str, prefix: Path = Path(sys.prefix)) -> tuple[str, ...]:
    """Return the command that installs what an extra needs."""
    if _is_pipx(prefix) or _is_uv_tool(prefix):
        return how_to_install(_requirement_of(extra), prefix)
    return how_to_install(f"{_PROJECT}[{extra}]", prefix)


def how_to_install(requirement: str, prefix: Path = Path(sys.prefix)) -> tuple[str, ...]:
    """Return the command that installs a package where this program finds it."""
    if _is_pipx(prefix):
        return ("pipx", "inject", prefix.name, requirement)
    if _is_uv_tool(prefix):
        return ("uv", "tool", "install", *_uv_requirements(prefix), "--with", requirement)
    python = _python()
    if find_spec("pip") is None:
        # An environment that uv has made.
        return ("uv", "pip", "install", "--python", python, requirement)
    return (python, "-m", "pip", "install", requirement)


def _is_pipx(prefix: Path) -> bool:
    return (prefix / "pipx_metadata.json").is_file()


def _is_uv_tool(prefix: Path) -> bool:
    return (prefix / "uv-receipt.toml").is_file()


def _python() -> str:
    return sys.executable or "python3"


def _requirement_of(extra: str) -> str:
    """Return an extra's package with its bounds, such as `mutagen>=1.47`."""
    # Only an error needs this, and it takes 4 ms to load.
    from importlib.metadata import PackageNotFoundError, requires

    package = _EXTRAS[extra]
    try:
        listed = requires(_PROJECT) or []
    except PackageNotFoundError:
        return package
    found = (
        line.partition(";")[0].strip() for line in listed if f"extra == '{extra}'" in line.replace('"', "'")
    )
    return next((line for line in found if line.startswith(package)), package)


def _uv_requirements(prefix: Path) -> list[str]:
    """Return what `uv tool install` was given, as its receipt has it: it forgets what is not named again."""
    try:
        listed = tomllib.loads((prefix / "uv-receipt.toml").read_text(encoding="utf-8"))["tool"][
            "requirements"
        ]
        words = [_uv_requirement(one) for one in listed]
    except (OSError, ValueError, KeyError, TypeError):
        return [_PROJECT]
    return [word for index, name in enumerate(words) for word in (("--with", name) if index else (name,))]


def _uv_requirement(one: dict[str, object]) -> str:
    extras = one.get("extras")
    name = (
        f"{one['name']}[{','.join(map(str, extras))}]"
        if isinstance(extras, list) and extras
        else f"{one['name']}"
    )
    place = one.get("directory") or one.get("path") or one.get("editable")
    if place is not None:
        return f"{name} @ {Path(str(place)).as_uri()}"
    if one.get("git") is not None:
        return f"{name} @ git+{one['git']}"
    return f"{name} @ {one['url']}" if one.get("url") is not None else f"{name}{one.get('specifier') or ''}"
