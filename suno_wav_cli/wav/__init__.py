"""RIFF WAVE: structure, format, levels and tags of a file."""
