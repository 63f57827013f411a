"""What comes with the program for the shell: completion, and the man page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.commands.doctor.findings import passed, skipped
from suno_wav_cli.system.completion_files import find_completion, find_man_page
from suno_wav_cli.system.shell_words import say_how
from suno_wav_cli.system.threads import start_in_thread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.commands.doctor.findings import Finding

_SHELLS = ("bash", "zsh", "fish")


async def check_completion(environ: Mapping[str, str]) -> Finding:
    """Look for the completion of the user's shell. Its absence is no fault."""
    shell = Path(environ.get("SHELL", "")).name
    if shell not in _SHELLS:
        fact = f"{shell or 'SHELL names no shell'}: what it loads cannot be seen here"
        return skipped(fact, say_how("For PowerShell", "suno-wav", "--install-completion", "pwsh"))
    found = await start_in_thread(lambda: find_completion(shell, Path.home(), environ), "shell")
    if found is None:
        advice = "To complete commands, options and task ids with the Tab key"
        command = ("suno-wav", "--install-completion", shell)
        return skipped(f"{shell} has none of suno-wav", say_how(advice, *command))
    return passed(f"{shell} has {found}")


async def check_man_page(environ: Mapping[str, str], prefix: Path | None = None) -> Finding:
    """Look where `man` does. `prefix` is where the program was installed."""
    if os.name == "nt":
        return skipped("there is no man on Windows", say_how("The same is in", "suno-wav", "help"))
    found = await start_in_thread(lambda: find_man_page(Path.home(), environ), "man")
    if found is not None:
        return passed(str(found))
    page = (prefix or Path(sys.prefix)) / "share" / "man" / "man1" / "suno-wav.1"
    if page.is_file():
        fact = f"{page} is not where man looks, which is beside the folders of PATH"
        return skipped(fact, say_how("Read it by its path", "man", str(page)))
    return skipped("not installed", say_how("The same is in", "suno-wav", "help"))
