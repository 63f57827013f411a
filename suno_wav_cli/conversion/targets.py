"""Which song becomes which file: decided and checked before anything is paid for."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from suno_wav_cli.conversion.names import (
    compared,
    default_name,
    ending_of,
    fill_template,
    plain_name,
    tell_apart,
)
from suno_wav_cli.conversion.stdout import STANDARD_OUTPUT
from suno_wav_cli.download.part_file import check_part, check_target, part_of
from suno_wav_cli.errors import OutputExists, UsageError
from suno_wav_cli.remote.address import path_of_out, shown
from suno_wav_cli.system.look import is_folder
from suno_wav_cli.system.shell_words import quote_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import date

    from suno_wav_cli.journal.queries import History
    from suno_wav_cli.models import Song


class NamesInUse:
    """The names that songs have from earlier runs and from this one. Read when first asked for.

    So a song keeps its name at every rerun, and no other gets it.
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._songs: dict[str, set[str]] | None = None
        self._paths: dict[str, set[Path]] = {}

    def has_name(self, audio_id: str, name: str) -> bool:
        """Tell whether a song has a name."""
        if audio_id not in self._paths:
            self._paths[audio_id] = self._history.paths_of(audio_id)
        paths = self._paths[audio_id]
        return bool(paths) and Path(name).absolute() in paths

    def is_taken(self, audio_id: str, name: str) -> bool:
        """Tell whether a name, or the plain one that it would have, is another song's."""
        if self._songs is None:
            self._songs = {}
            for other, path in self._history.paths():
                self._add(other, str(path))
        return not self._songs.get(compared(str(Path(name).absolute())), set()) <= {audio_id}

    def give(self, audio_id: str, name: str) -> None:
        """Record the name that a song has got in this run."""
        self._paths.setdefault(audio_id, set()).add(Path(name).absolute())
        if self._songs is not None:
            self._add(audio_id, str(Path(name).absolute()))

    def _add(self, audio_id: str, path: str) -> None:
        songs = self._songs if self._songs is not None else {}
        for name in {compared(path), compared(plain_name(path, audio_id))}:
            songs.setdefault(name, set()).add(audio_id)


def choose_targets(
    songs: Sequence[Song],
    out: str | None,
    today: date,
    *,
    alone: bool | None = None,
    spool: Path | None = None,
    in_use: NamesInUse | None = None,
) -> list[Path]:
    """Return the file of each song, by `--out`: a file, folder or template; None is the current folder.

    `alone` says whether `out` may name one file; by default, if there is one song. `spool` is the
    folder for a song on its way to standard output. Songs that would have one name get their ids
    into it, also where it is `in_use`. No path begins with `-`, which other programs take for an
    option. Raise UsageError if the template is wrong.
    """
    targets = _choose(songs, out, today, alone=alone, spool=spool, in_use=in_use)
    for target in targets:
        if target.name.startswith("-"):
            raise UsageError(
                f"--out: other programs take the name {target.name} for an option", "Choose another name."
            )
    return [target.absolute() if str(target).startswith("-") else target for target in targets]


def _choose(
    songs: Sequence[Song],
    out: str | None,
    today: date,
    *,
    alone: bool | None,
    spool: Path | None,
    in_use: NamesInUse | None,
) -> list[Path]:
    alone = len(songs) == 1 if alone is None else alone
    if out == "":
        raise UsageError("--out is empty", "Name a file or a folder; . is the current one.")
    out = out and path_of_out(out)
    if out == STANDARD_OUTPUT:
        if spool is None:
            raise UsageError("a song cannot go to standard output here", "Name a file: --out song.wav")
        if not alone:
            raise UsageError("several songs cannot all go to standard output", "Name a folder: --out folder/")
        out = f"{spool}{os.sep}"
    if out is not None and "{" in out:
        return _fill_names(songs, out, today, in_use)
    path = Path() if out is None else expand(out)
    if out is not None and not out.endswith(("/", os.sep)) and not is_folder(path):
        if not alone:
            raise UsageError(f"several songs cannot all become {out}", _name_folder("Name a folder", out))
        return [path] * len(songs)
    names = tell_apart(songs, [default_name(song) for song in songs], ".wav")
    return [path / name for name in names]


def _fill_names(songs: Sequence[Song], template: str, today: date, in_use: NamesInUse | None) -> list[Path]:
    # `~` is the person's home in the template, and only a character in a title.
    expanded = str(expand(template))
    names = [fill_template(expanded, song, today) for song in songs]
    ending = ending_of(expanded)
    if in_use is None or "{audio_id}" in template:
        return [Path(name) for name in tell_apart(songs, names, ending)]
    names = tell_apart(songs, names, ending, has_name=in_use.has_name, is_taken=in_use.is_taken)
    for song, name in zip(songs, names, strict=True):
        in_use.give(song.audio_id, name)
    return [Path(name) for name in names]


def names_title(out: str | None) -> bool:
    """Tell whether the names are to hold titles."""
    return out is not None and "{title}" in out


def names_other_format(out: str) -> bool:
    """Tell whether `--out` ends as the names of other sound files do."""
    endings = (".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3", ".mp4", ".ogg", ".opus", ".wma")
    return out.lower().endswith(endings) and not is_folder(Path(out).expanduser())


def check_targets(targets: Sequence[Path], *, ours: Callable[[Path], bool], force: bool) -> None:
    """Raise UsageError for a folder that cannot take the files, OutputExists for an existing file.

    Devices, FIFOs and sockets are never replaced, and a part file is a regular one (UsageError).

    A folder that is missing has to be one that can be made. An existing part file must be `ours`:
    left by a run for this very target.
    """
    for target in targets:
        try:
            _check_names(target, ours=ours, force=force)
        except (OSError, ValueError) as error:
            # Too long a name, a link to itself, a null character.
            said = getattr(error, "strerror", None) or error
            raise UsageError(f"{target} cannot be used: {said}", "Choose another --out.") from error
    for folder in {existing_folder(folder) for folder in {target.parent for target in targets}}:
        check_folder(folder)


def make_folders(targets: Iterable[Path]) -> None:
    """Make the folders that are missing. Raise UsageError."""
    for folder in dict.fromkeys(target.parent for target in targets):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or error
            raise UsageError(f"{folder} cannot be made: {said}", "Choose another --out.") from error


def existing_folder(folder: Path) -> Path:
    """Return the folder itself, or the first above it that is there."""
    return next((one for one in (folder, *folder.parents) if os.path.lexists(one)), Path())


def _try_names(path: Path) -> None:
    """Raise OSError if a file or folder that is missing has a name that is too long."""
    folder = existing_folder(path.parent)
    for name in path.relative_to(folder).parts:
        with suppress(FileNotFoundError, NotADirectoryError):
            (folder / name).lstat()


def _check_names(target: Path, *, ours: Callable[[Path], bool], force: bool) -> None:
    if target.is_dir():
        raise UsageError(f"{target} is a folder", _name_folder("To put the song into it", shown(target)))
    check_target(target)
    check_part(target)
    part = part_of(target)
    _try_names(part)
    for path in (target, part):
        # `exists` would take a name that is too long for an absent file.
        with suppress(FileNotFoundError, NotADirectoryError):
            path.lstat()
            if not force and not (path == part and ours(target)):
                raise OutputExists(
                    f"{path} exists", "It was not touched. Choose another --out, or add --force."
                )


def expand(path: str, option: str = "--out") -> Path:
    """Return a path without `~`. Raise UsageError."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{option}: '{path}': {error}", "Write the folder out.") from None


def _name_folder(advice: str, path: str) -> str:
    """Return the advice, and the option that names the folder if a shell passes it on as it is."""
    word = quote_word(f"{path}{os.sep}")
    # As one word it is not taken for another option.
    return f"{advice}: --out={word}" if word else f"{advice}: a name that ends in {os.sep} is a folder."


def check_file(path: Path, option: str) -> os.stat_result | None:
    """Raise UsageError unless a file can be made or replaced at a path. Return its status if it is there.

    Its folder may be missing, and is made with the file.
    """
    found = None
    try:
        # A link to a file stays a link.
        real = Path(os.path.realpath(path))
        _try_names(real)
        with suppress(FileNotFoundError, NotADirectoryError):
            found = path.stat()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise UsageError(f"{option}: {path} cannot be used: {said}", f"Choose another {option}.") from error
    folder = existing_folder(real.parent)
    try:
        check_folder(folder, option)
    except UsageError as error:
        raise UsageError(f"{option}: {path} cannot be made in {folder}", error.remedy) from None
    if found is not None and not stat.S_ISREG(found.st_mode):
        raise UsageError(f"{option}: {path} is not a file", "Name a file.")
    return found


def check_folder(folder: Path, option: str = "--out") -> None:
    """Raise UsageError unless files can be written to a folder."""
    if not is_folder(folder):
        raise UsageError(f"{folder} is not a folder", f"Choose another {option}.")
    try:
        # Only a try tells what permissions, read-only mounts and quotas allow.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written to: {error.strerror}", f"Choose another {option}."
        ) from error
