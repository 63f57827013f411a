"""RIFF WAVE: structure, format, levels and tags of a file."""

from suno_wav_cli.wav.formats import read_format

__all__ = ["read_format"]
