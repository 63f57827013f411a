"""A keyring for tests: a backend as anybody may install one, that keeps its passwords in the file STAND_IN_KEYRING.

STAND_IN_KEYRING_MOOD makes it `locked`, as a keyring that nobody unlocks; `forgetful`; or `weak`, which hides nothing.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


def _mood() -> str:
    return os.environ.get("STAND_IN_KEYRING_MOOD", "")


class StandIn(KeyringBackend):
    priority = 0.5 if _mood() == "weak" else 9

    def get_password(self, service: str, username: str) -> str | None:
        return self._passwords().get(f"{service} {username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        passwords = self._passwords() | {f"{service} {username}": password}
        if _mood() != "forgetful":
            self._file.write_text(json.dumps(passwords))

    def delete_password(self, service: str, username: str) -> None:
        passwords = self._passwords()
        if passwords.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError("there is no such password")
        self._file.write_text(json.dumps(passwords))

    @property
    def _file(self) -> Path:
        return Path(os.environ["STAND_IN_KEYRING"])

    def _passwords(self) -> dict[str, str]:
        if _mood() == "locked":
            raise KeyringLocked("nobody has unlocked it")
        if not self._file.exists():
            return {}
        found: dict[str, str] = json.loads(self._file.read_text())
        return found
