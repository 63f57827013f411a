"""Whether a file is a whole WAV, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli.errors import NotAWholeWav
from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.structure import read_structure

if TYPE_CHECKING:
    from pathlib import Path

    from suno_wav_cli.models import WavFormat


def read_format(path: Path) -> WavFormat:
    """Read what a download says of itself, from its headers only.

    Raises NotAWholeWav where it is something else, or ends early.
    """
    try:
        structure = read_structure(path)
    except NotAWav as error:
        raise _not_whole(error.reason) from error
    if structure.flaw is not None:
        raise _not_whole(structure.flaw)
    return structure.format


def _not_whole(why: str) -> NotAWholeWav:
    return NotAWholeWav(
        f"what was downloaded is not a whole WAV: {why}",
        "Run the same command again; if it stays so, ask your provider.",
    )
