"""Ends: how a command ends, and what it leaves to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.event import event

if TYPE_CHECKING:
    from decimal import Decimal
    from pathlib import Path


@event
class FailuresListed:
    """`--errors`: the songs that failed were written to a file, in the format of `--from-file`.

    After a run that ended early, it holds every song that is not saved. Without `--errors`, such a
    run, and one whose songs the service did not all take, keeps the rest of a list from standard
    input so.

    songs: their number; with 0, the file is empty.
    ended_early: whether it also holds songs that have not failed.
    """

    path: Path
    songs: int
    ended_early: bool


@event
class Summary:
    """The command has worked through all songs, or has ended early.

    requested: number of songs; the others add up to it, without `unknown`.
    unknown: songs among `failed` of which it is not known whether they were accepted and charged.
    unfinished: songs that the service has accepted and that are not saved.
    not_begun: songs that a run which ended early has not submitted.
    ended_early: whether a signal or an error ended the run.
    credits: what the saved songs have really cost, as far as the service tells; null if it does not.
    price: what was quoted for these songs, in credits.
    """

    requested: int
    saved: int
    skipped: int
    failed: int
    unknown: int
    unfinished: int
    not_begun: int
    ended_early: bool
    credits: Decimal | None
    price: Decimal


@event
class SongsLeft:
    """Songs are left that were not submitted, because the service takes none now or a disk is full.

    songs: number of songs that failed or were not begun.
    resume_hint: the command line that goes on with them, or a sentence as in `detached`.
    """

    songs: int
    resume_hint: str
    continue_argv: tuple[str, ...]


@event
class Interrupted:
    """The command was stopped by a signal.

    resume_hint: the command line that finishes what was begun, or a sentence as in `detached`; null if
        there is nothing to finish.
    """

    signal: str
    resume_hint: str | None
    continue_argv: tuple[str, ...] | None


@event
class Failed:
    """The command as a whole failed."""

    exit_code: int
    message: str
    remedy: str
    continue_argv: tuple[str, ...] | None


EndEvent: TypeAlias = FailuresListed | Summary | SongsLeft | Interrupted | Failed
