"""suno-wav: real WAV files from the Suno API."""

__version__ = "0.1.0"

USER_AGENT = f"suno-wav/{__version__}"
"""Explicit, because the hosts refuse the default agents of some libraries (api/README.md, section 1)."""
