"""RIFF WAVE: structure, format, levels and tags of a file."""

from suno_wav_cli.wav.formats import read_format
from suno_wav_cli.wav.tag_chunks import check_tagging_possible
from suno_wav_cli.wav.tagging import write_tags

__all__ = ["check_tagging_possible", "read_format", "write_tags"]
