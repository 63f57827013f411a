"""Install a wheel as users do, each time in a fresh home, and see what works and what the shells find.

`python -m tests.packaging.try_wheel WHEEL TOOLS`, where TOOLS is a folder with pipx, uv and uvx.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

MAIN_PATH = [
    "suno-wav convert demo --provider sandbox --out song.wav",
    "suno-wav inspect song.wav",
    "suno-wav jobs --provider sandbox",
    "suno-wav-cli status @last --provider sandbox",
]
BASH_COMPLETION = Path("/usr/share/bash-completion/bash_completion")
LOOKS = {
    "man": "man -w suno-wav",
    "fish": "fish --command 'complete --do-complete \"suno-wav conv\"' | grep -q convert",
    "bash": f"bash --norc -c 'shopt -s extglob progcomp; . {BASH_COMPLETION}; "
    "_comp_load suno-wav || _completion_loader suno-wav; complete -p suno-wav' 2>/dev/null | "
    "grep -q _suno_wav_completion",
    "zsh": "zsh -f -c 'fpath=(~/.local/share/zsh/site-functions $fpath); autoload -Uz compinit; compinit -u -D; "
    "[[ -n $_comps[suno-wav] ]]'",
}
"""Succeed if the man page, or the completion of a shell, is found. zsh is told where to look."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A way to install into a home, and who finds man page and completion then, as the page of commands says."""

    name: str
    install: str
    programs: str
    finds: set[str]


KINDS = [
    Kind(name="pipx", install="{tools}/pipx install {wheel}", programs=".local/bin", finds=set(LOOKS)),
    Kind(name="uv tool", install="{tools}/uv tool install {wheel}", programs=".local/bin", finds=set()),
    Kind(
        name="pip, in a virtual environment",
        install="{tools}/python -m venv own && own/bin/pip install --quiet {wheel}",
        programs="own/bin",
        finds={"man"},
    ),
]


def run(command: str, home: Path, path: str) -> subprocess.CompletedProcess[str]:
    """Run a command line in a fresh home: nothing of this environment but how packages are found."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
    env = {**kept, "HOME": str(home), "PATH": f"{path}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        ["sh", "-c", command], cwd=home, env=env, capture_output=True, text=True, check=False, timeout=600
    )


def must(command: str, home: Path, path: str) -> str:
    done = run(command, home, path)
    if done.returncode != 0:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def try_kind(kind: Kind, wheel: Path, tools: Path, home: Path) -> None:
    must(kind.install.format(wheel=wheel, tools=tools), home, str(tools))
    programs = str(home / kind.programs)
    for command in MAIN_PATH:
        must(command, home, programs)
    for what, look in LOOKS.items():
        if shutil.which(what) is None or (what == "bash" and not BASH_COMPLETION.exists()):
            print(f"  {what}: not here")
            continue
        found = run(look, home, programs).returncode == 0
        # From 2.12 on, bash-completion looks beside the program too.
        if found != (what in kind.finds) and not (what == "bash" and found):
            sys.exit(f"{kind.name}: {what} {'finds' if found else 'does not find'} it")
        print(f"  {what}: {'found' if found else 'not found'}")


def main() -> None:
    wheel, tools = (Path(argument).absolute() for argument in sys.argv[1:])
    for kind in KINDS:
        print(kind.name, flush=True)
        with tempfile.TemporaryDirectory() as home:
            try_kind(kind, wheel, tools, Path(home))
    print("uvx, without installing it")
    with tempfile.TemporaryDirectory() as home:
        must(f"uvx --from {wheel} {MAIN_PATH[-1].split()[0]} --version", Path(home), str(tools))


if __name__ == "__main__":
    main()
