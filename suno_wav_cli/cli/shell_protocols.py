"""What bash, zsh and fish ask for, and how they are answered, where typer's own way falls short."""

import os

from typer._click.shell_completion import (
    CompletionItem,
    _resolve_context,
    _resolve_incomplete,
    split_arg_string,
)
from typer._completion_classes import BashComplete, FishComplete, ZshComplete

_ANY_FILE = "_files"
_KINDS = {
    "files": "_files -g '*.(wav|WAV)'",
    "from_file": "_files -g '*.(txt|csv|json|jsonl|ndjson)'",
    "out": "_files -/",
    "recording": "_files -g '*.json'",
    "save": "_files -/",
    "verify": "_files -g '*.json'",
}
"""By the name of the parameter. zsh offers all files where there is none of the kind."""


class Bash(BashComplete):
    """Reads the line up to the cursor, because bash splits its words at `@` and `=` too."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)[1:]
        if words and not line.endswith(" "):
            return words[:-1], words[-1]
        return words, ""


class Zsh(ZshComplete):
    """Offers files of the kind that a parameter takes, and none where it takes no file."""

    def format_completion(self, item: CompletionItem) -> str:
        if item.help:
            # typer drops the straight one.
            item.help = item.help.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}")
        return super().format_completion(item)

    def complete(self) -> str:
        args, incomplete = self.get_completion_args()
        answer = super().complete()
        if answer == _ANY_FILE:
            context = _resolve_context(self.cli, self.ctx_args, self.prog_name, args)
            parameter, _ = _resolve_incomplete(context, args, incomplete)
            takes_file = getattr(parameter, "metavar", None) == "FILE"
            answer = _KINDS.get(parameter.name or "", _ANY_FILE if takes_file else "")
        # zsh completes the whole word, unless it is told that the value is a part of its own.
        return f"compset -P '*='; {answer}" if answer and option_before(incomplete) else answer


class Fish(FishComplete):
    """Completes the value behind `--option=` too: fish wants the whole word, and not only the value."""

    def format_completion(self, item: CompletionItem) -> str:
        _, incomplete = self.get_completion_args()
        item.value = option_before(incomplete) + item.value
        return super().format_completion(item)


def option_before(word: str) -> str:
    """Return `--option=`, if the word begins so and goes on with its value."""
    return word[: word.index("=") + 1] if word.startswith("--") and "=" in word else ""
