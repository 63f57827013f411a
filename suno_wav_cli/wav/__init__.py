"""RIFF WAVE: structure, format, levels and tags of a file."""

from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.levels import measure_levels
from suno_wav_cli.wav.read_tags import read_tags
from suno_wav_cli.wav.samples import is_silent
from suno_wav_cli.wav.structure import Structure, read_format, read_structure
from suno_wav_cli.wav.write_tags import check_tagging_possible, write_tags

__all__ = [
    "NotAWav",
    "Structure",
    "check_tagging_possible",
    "is_silent",
    "measure_levels",
    "read_format",
    "read_structure",
    "read_tags",
    "write_tags",
]
