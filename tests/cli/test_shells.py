"""Completion scripts where shells load them from, and man pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_completion import executable, program, read_terminal, typing
from tests.support import man_pages
from tests.support.program import REPOSITORY, run_program

__all__ = ["program"]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("shell", "file", "startup"),
    [
        ("zsh", ".zfunc/_suno-wav", ".zshrc"),
        ("bash", ".bash_completions/suno-wav.sh", ".bashrc"),
        ("fish", ".config/fish/completions/suno-wav.fish", None),
    ],
)
def test_completion_is_installed_for_the_shell_that_is_named(
    shell: str, file: str, startup: str | None, tmp_path: Path
) -> None:
    home = {"HOME": str(tmp_path)}
    said = run_program("--install-completion", shell, env=home)
    path = tmp_path / file
    assert said.code == 0
    assert said.out.startswith(f"suno-wav: wrote the completion for {shell} to {path}\n")
    assert path.read_text().strip() == run_program("--show-completion", shell).out.strip()
    if startup is not None:
        assert f"{tmp_path / startup} now loads it." in said.out
        # Once is enough.
        again = run_program("--install-completion", shell, env=home)
        assert f"{tmp_path / startup} loads it already." in again.out


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_an_unknown_shell_is_refused(option: str) -> None:
    done = run_program(option, "csh")
    assert (done.code, done.out) == (2, "")
    assert "'csh' is not one of: bash, zsh, fish, powershell, pwsh" in done.err


@pytest.mark.long
@pytest.mark.usefixtures("program")
def test_zsh_completes_at_the_first_tab_from_its_functions(tmp_path: Path) -> None:
    """A package puts the file into a folder of $fpath, and nothing else."""
    setup = f"fpath=({REPOSITORY}/completions $fpath); autoload -Uz compinit; compinit -u -D"
    with typing("zsh", setup, tmp_path) as terminal:
        os.write(terminal, b"suno-wav conv\t")
        read_terminal(terminal, "suno-wav convert")


@pytest.mark.long
@pytest.mark.usefixtures("program")
def test_bash_loads_the_completion_that_was_installed(tmp_path: Path) -> None:
    bash = executable("bash")
    home = {"HOME": str(tmp_path)}
    assert run_program("--install-completion", "bash", env=home).code == 0
    script = (
        "source ~/.bashrc; COMP_LINE='suno-wav conv'; COMP_POINT=13; "
        '_suno_wav_completion suno-wav; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [bash, "--norc", "-c", script], env=os.environ | home, capture_output=True, text=True, check=True
    )
    assert done.stdout == "convert\n"


def test_the_man_pages_are_up_to_date() -> None:
    """If this fails, run: python -m tests.support.man_pages."""
    written = {path.name: path.read_text(encoding="utf-8") for path in man_pages.FOLDER.iterdir()}
    assert written == man_pages.make_pages()


@pytest.mark.long
def test_man_has_no_warnings_and_finds_each_name() -> None:
    man = executable("man")
    for page in man_pages.FOLDER.iterdir():
        shown = subprocess.run(
            [man, "--warnings", "-E", "UTF-8", "-l", page],
            env=os.environ | {"MANWIDTH": "80", "MANPAGER": "cat"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert shown.stderr == "", page
        assert page.stem in shown.stdout
        if shutil.which("lexgrog"):
            found = subprocess.run(["lexgrog", page], capture_output=True, text=True, check=True)
            assert f'"{page.stem} - ' in found.stdout
