"""The keyring of the operating system. Needs the extra `keyring`, and a keyring that it supports.

The library takes up to 0.4 s to load, so it is loaded only if a key is stored there or is going to
be.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keyring.backend import KeyringBackend

    from suno_wav_cli.models import Secret

_SERVICE = "suno-wav"

_LEAST_PRIORITY = 1
"""What keyring recommends. Lower ones fail, forget, or store in plain text."""


class KeyringUnusable(Exception):
    """Its message says why."""


def keep(name: str, key: Secret) -> None:
    """Store a key. Raise KeyringUnusable, with nothing stored."""
    backend = _load_backend()
    with _convert_errors(key):
        backend.set_password(_SERVICE, name, key.value)
        if backend.get_password(_SERVICE, name) != key.value:
            raise KeyringUnusable("the keyring does not store keys")


def find(name: str) -> str | None:
    """Return a key. Raise KeyringUnusable."""
    backend = _load_backend()
    with _convert_errors():
        return backend.get_password(_SERVICE, name)


def forget(name: str) -> None:
    """Remove a key. Raise KeyringUnusable."""
    backend = _load_backend()
    with _convert_errors():
        if backend.get_password(_SERVICE, name) is not None:
            backend.delete_password(_SERVICE, name)


def _load_backend() -> KeyringBackend:
    with _convert_errors():
        try:
            import keyring
        except ModuleNotFoundError as error:
            if error.name != "keyring":
                raise
            raise KeyringUnusable("the extra 'keyring' is not installed") from None
        backend = keyring.get_keyring()
        if backend.priority < _LEAST_PRIORITY:
            raise KeyringUnusable("this machine has no keyring")
        return backend


@contextmanager
def _convert_errors(secret: Secret | None = None) -> Iterator[None]:
    try:
        yield
    except KeyringUnusable:
        raise
    except Exception as error:  # backends raise whatever their D-Bus or their system raises
        said = str(error) or type(error).__name__
        if secret is not None:
            said = said.replace(secret.value, "(hidden)")
        raise KeyringUnusable(f"the keyring cannot be used: {said}") from error
