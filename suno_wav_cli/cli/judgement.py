"""Judge what was typed in one command: what contradicts itself, and what has no effect.

The environment and config.toml never count: they are for every command, and what is typed wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from suno_wav_cli.config.settings import Settings

TYPED = "suno_wav_cli.typed"
"""Under this name, the `meta` of typer's context holds what was typed."""

Typed = frozenset[str]
"""The options of a command line, and those that are followed by a word also with it: `--tunnel ngrok`."""

_CONTRADICTIONS = (
    ("--force", "--skip-existing"),
    ("--serve", "--wav-url"),
    ("--quiet", "--verbose"),
    ("--public-url", "--callback-url"),
    ("--public-url", "--tunnel ngrok"),
    ("--callback-url", "--tunnel ngrok"),
    ("--tunnel-command", "--tunnel ngrok"),
    ("--tunnel-command", "--public-url"),
    ("--tunnel-command", "--callback-url"),
)
_SAVING = (
    *("--tag", "--exec", "--info-json", "--checksums", "--connections", "--limit-rate"),
    *("--min-speed", "--stall-timeout", "--max-size", "--allow-private-hosts"),
)
_RECEIVING = ("--tunnel", "--tunnel-command", "--domain", "--public-url", "--port")


@dataclass(frozen=True, kw_only=True)
class _Rule:
    """The `options` of a command have no effect beside one of `beside`, or without one of `needs`."""

    command: str
    options: tuple[str, ...]
    reason: str
    beside: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


_RULES = (
    _Rule(
        command="convert",
        options=(*_SAVING, "--jobs", "--poll-interval"),
        beside=("--no-wait",),
        reason="--no-wait saves no file",
    ),
    _Rule(
        command="convert",
        options=_RECEIVING,
        beside=("--no-wait",),
        reason="--no-wait receives no callbacks",
    ),
    _Rule(
        command="convert",
        options=("--domain", "--port"),
        beside=("--callback-url",),
        reason="--callback-url has callbacks sent elsewhere",
    ),
    _Rule(
        command="status",
        options=(*_SAVING, "--out", "--force"),
        needs=("--download",),
        reason="only --download saves files",
    ),
    _Rule(
        command="status",
        options=("--poll-interval",),
        needs=("--wait", "--watch"),
        reason="without --wait or --watch, each task is looked up once",
    ),
    _Rule(
        command="jobs",
        options=("--days",),
        needs=("--expiring",),
        reason="it is for --expiring",
    ),
    _Rule(
        command="sandbox",
        options=("--port", "--speed", "--answer-timeout", "--seed", "--credits", "--window"),
        beside=("--list",),
        reason="--list starts no sandbox",
    ),
    _Rule(
        command="trigger",
        options=("--speed",),
        needs=("--retries", "--list"),
        reason="without --retries, there are no pauses to divide",
    ),
    _Rule(
        command="trigger",
        options=(
            "--event",
            "--task-id",
            "--wav-url",
            "--serve",
            "--from",
            "--sign",
            "--retries",
            "--speed",
            "--answer-timeout",
        ),
        beside=("--list",),
        reason="--list posts nothing",
    ),
    _Rule(
        command="trigger",
        options=(
            "--event",
            "--task-id",
            "--wav-url",
            "--serve",
            "--from",
            "--sign",
            "--retries",
            "--answer-timeout",
        ),
        beside=("--verify",),
        reason="--verify posts nothing",
    ),
)


def refuse_contradictions(typed: Typed) -> None:
    """Raise UsageError if two options of the command line exclude each other."""
    for one, other in _CONTRADICTIONS:
        if {one, other} <= typed:
            raise UsageError(f"{one} and {other} contradict each other", "Leave one of them out.")


def without_effect(command: str, typed: Typed, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield each option that was typed in vain, and why."""
    for rule in _RULES:
        if rule.command != command or typed.isdisjoint(rule.options):
            continue
        if (rule.beside and typed.isdisjoint(rule.beside)) or not typed.isdisjoint(rule.needs):
            continue
        yield from ((option, rule.reason) for option in rule.options if option in typed)
    yield from ((option, why) for option, why in _settled(command, settings) if option in typed)


def _settled(command: str, settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield the options that the settings in force leave without effect."""
    if settings.public_url is not None:
        yield "--domain", "--public-url is used in place of ngrok"
    elif settings.tunnel == "none":
        yield "--domain", "--tunnel none opens no tunnel"
        if command == "convert":
            yield "--port", "--tunnel none polls, and receives no callbacks"
    if command == "listen" and settings.out is None:
        yield "--force", "only --out saves files"
