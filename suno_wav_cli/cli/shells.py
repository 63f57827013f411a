"""Completion scripts: what each shell reads, and where it is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typer

from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.completion_files import STARTUP_FILES

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")

_NAME, _VARIABLE = "suno-wav", "_SUNO_WAV_COMPLETE"
_BASH = """\
_suno_wav_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=( "$line" )
    done < <( env COMP_LINE="${COMP_LINE:0:COMP_POINT}" _SUNO_WAV_COMPLETE=complete_bash "$1" )
    if [[ ${COMPREPLY[0]} == files: ]]; then
        COMPREPLY=( "${COMPREPLY[@]:1}" )
        # The bash of macOS has none, and offers all files then.
        compopt -o filenames 2> /dev/null || COMPREPLY=()
    fi
    return 0
}

complete -o default -F _suno_wav_completion suno-wav"""
_FIRST_CALL = """
# Loaded from $fpath, this file is the function itself, and is called for the first completion.
if [[ ${funcstack[1]} == _suno-wav ]]; then
  _suno_wav_completion "$@"
else
  compdef _suno_wav_completion suno-wav
fi"""


def name_shell(args: list[str]) -> list[str]:
    """Return the command line with the name of the user's shell, if `--install-completion` lacks one."""
    for option in ("--install-completion", "--show-completion"):
        if option in args:
            place = args.index(option) + 1
            if place == len(args) or args[place].startswith("-"):
                return [*args[:place], _detect_shell(), *args[place:]]
    return args


def show(context: typer.Context, value: str | None) -> None:
    """Print the script for a shell, and exit."""
    if value is not None and not context.resilient_parsing:
        typer.echo(make_script(_check(value, "--show-completion")))
        raise typer.Exit


def install(context: typer.Context, value: str | None) -> None:
    """Install the script for a shell, say what was done, and exit."""
    if value is None or context.resilient_parsing:
        return
    from typer import _completion_shared as scripts

    from suno_wav_cli.terminal.fold import fold
    from suno_wav_cli.terminal.tables import get_width

    shell = _check(value, "--install-completion")
    name, line = STARTUP_FILES.get(shell, ("", b""))
    startup = Path.home() / name
    loads = startup.is_file() and line in startup.read_bytes()
    try:
        _, path = scripts.install(shell=shell, prog_name=_NAME, complete_var=_VARIABLE)
        if shell in ("bash", "zsh"):
            path.write_text(make_script(shell) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"completion for {shell} cannot be installed: {error.strerror or error}",
            "Print the script with --show-completion, and put it where your shell reads it.",
        ) from error
    lines = [f"suno-wav: wrote the completion for {shell} to {path}"]
    if shell in STARTUP_FILES:
        lines.append(f"  {startup} {'loads it already' if loads else 'now loads it'}.")
    lines.append("  Open a new terminal to use it.")
    typer.echo(fold("\n".join(lines), get_width(sys.stdout)))
    raise typer.Exit


def make_script(shell: str) -> str:
    if shell == "bash":
        return _BASH
    from typer._completion_shared import get_completion_script

    script = get_completion_script(prog_name=_NAME, complete_var=_VARIABLE, shell=shell)
    if shell != "zsh":
        return script
    return script.rpartition("\ncompdef")[0] + _FIRST_CALL


def _check(shell: str, option: str) -> str:
    if shell not in SHELLS:
        raise UsageError(f"{option}: '{shell}' is not one of: {', '.join(SHELLS)}", "Name one of them.")
    return shell


def _detect_shell() -> str:
    from typer._completion_shared import _get_shell_name

    return _get_shell_name() or Path(os.environ.get("SHELL", "")).name or "an unknown shell"
