"""RIFF WAVE: structure, format, levels and tags of a file."""

from suno_wav_cli.wav.fmt_chunk import NotAWav
from suno_wav_cli.wav.formats import read_format
from suno_wav_cli.wav.levels import portray
from suno_wav_cli.wav.read_tags import read_tags
from suno_wav_cli.wav.silence import is_silent
from suno_wav_cli.wav.structure import Structure, read_structure
from suno_wav_cli.wav.tag_chunks import check_tagging_possible
from suno_wav_cli.wav.write_tags import write_tags

__all__ = [
    "NotAWav",
    "Structure",
    "check_tagging_possible",
    "is_silent",
    "portray",
    "read_format",
    "read_structure",
    "read_tags",
    "write_tags",
]
