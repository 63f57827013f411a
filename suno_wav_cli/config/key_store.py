"""The API keys that `login` stored. Each belongs to one address, and goes to no other host.

Each key has a small file in the state folder, because people publish their configuration folder.
The file holds the key, or says that the system's keyring does. Without a key, the keyring is not
even loaded.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from suno_wav_cli.config import keyring as system_keyring
from suno_wav_cli.config.keyring import KeyringUnusable
from suno_wav_cli.errors import NotAuthorized, UsageError
from suno_wav_cli.models import Secret
from suno_wav_cli.system.atomic_file import write_atomically
from suno_wav_cli.system.private_files import find_stranger, is_open_to_others, make_folder, refuse_link
from suno_wav_cli.system.shell_words import as_operand, say_how

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 1 << 16
KEYRING = "the keyring"


@dataclass(frozen=True, kw_only=True)
class KeyLocation:
    """Where a key is stored: in KEYRING or a file. `reason` says why not in the keyring."""

    place: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class KeyStore:
    """`login` is the command that stores another key for the same service."""

    folder: Path
    login: str

    def keep(self, base_url: str, key: Secret) -> KeyLocation:
        """Store a key in the keyring, else in the file.

        Raise UsageError, and keep the earlier key then.
        """
        path = self._path(base_url)
        try:
            make_folder(self.folder)
            try:
                system_keyring.keep(base_url, key)
            except KeyringUnusable as error:
                _write(path, {"kept_in": "file", "key": key.value})
                return KeyLocation(place=str(path), reason=str(error))
            _write(path, {"kept_in": "keyring"})
        except OSError as error:
            raise UsageError(
                f"{path} cannot be written: {error.strerror or error}",
                "Fix the folder, or name another one: SUNO_WAV_HOME=FOLDER",
            ) from error
        return KeyLocation(place=KEYRING)

    def find(self, base_url: str) -> Secret | None:
        """Return the key. Raise NotAuthorized if it cannot be read, or others could read it."""
        path = self._path(base_url)
        entry = _read(path, self.login)
        if entry is None:
            return None
        if entry.get("kept_in") == "keyring":
            return _find_in_keyring(base_url, self.login)
        key = entry.get("key")
        if not isinstance(key, str) or not key:
            raise _make_damage_error(path, self.login)
        return Secret(value=key, origin=str(path))

    def locate(self, base_url: str) -> str | None:
        """Say where the key is, without loading the keyring. Raise as `find`."""
        path = self._path(base_url)
        entry = _read(path, self.login)
        if entry is None:
            return None
        return KEYRING if entry.get("kept_in") == "keyring" else str(path)

    def forget(self, base_url: str) -> str | None:
        """Remove the key, and say from where. Raise UsageError if it is still there."""
        path = self._path(base_url)
        try:
            place = self.locate(base_url)
        except NotAuthorized:
            # A damaged file can still be removed.
            place = str(path)
        try:
            refuse_link(self.folder)
            if place == KEYRING:
                system_keyring.forget(base_url)
            path.unlink(missing_ok=True)
        except KeyringUnusable as error:
            raise UsageError(
                f"the key for {base_url} is still in the keyring: {error}",
                "Remove 'suno-wav' with your system's own program for passwords, or try again when the keyring can be used.",
            ) from error
        except OSError as error:
            raise UsageError(f"{path} cannot be removed: {error.strerror}", "Remove it yourself.") from error
        return place

    def _path(self, base_url: str) -> Path:
        return self.folder / f"{quote(base_url, safe='')}.json"


def _write(path: Path, entry: dict[str, str]) -> None:
    write_atomically(path, json.dumps(entry).encode(), 0o600)


def _read(path: Path, login: str) -> dict[str, object] | None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            entry = json.loads(file.read(_LARGEST))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotAuthorized(
            f"{path}, which holds the API key, cannot be read: {error.strerror}",
            "Fix the file, or log in again.",
        ) from error
    except (ValueError, RecursionError):
        raise _make_damage_error(path, login) from None
    if not isinstance(entry, dict):
        raise _make_damage_error(path, login)
    if "key" in entry and is_open_to_others(status):
        raise NotAuthorized(
            f"{path} holds an API key, and others can read it (mode {status.st_mode & 0o777:04o})",
            say_how(
                "Take a new key if others have used this machine, and close the file to them",
                "chmod",
                "600",
                as_operand(path),
            ),
        )
    if stranger := find_stranger(status):
        raise NotAuthorized(f"{path}, which holds the API key, is not used: {stranger}", "Log in again.")
    return entry


def _make_damage_error(path: Path, login: str) -> NotAuthorized:
    return NotAuthorized(f"{path}, which held the API key, is damaged", f"Log in again, with `{login}`.")


def _find_in_keyring(base_url: str, login: str) -> Secret:
    remedy = f"Set SUNO_API_KEY, or log in again, with `{login}`."
    try:
        key = system_keyring.find(base_url)
    except KeyringUnusable as error:
        raise NotAuthorized(f"the API key is in the keyring, and {error}", remedy) from error
    if not key:
        raise NotAuthorized(f"the keyring has no API key for {base_url} any more", remedy)
    return Secret(value=key, origin=KEYRING)
