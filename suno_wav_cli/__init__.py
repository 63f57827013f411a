"""suno-wav: real WAV files from the Suno API."""

__version__ = "0.1.0"
