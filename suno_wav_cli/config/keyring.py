"""The keyring of the operating system, where the extra `keyring` is installed and has one to work with.

Imported only where a key is kept there or shall be: the library takes up to 0.4 s to load.
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
"""What keyring itself recommends for use: below it are backends that fail, that forget, and that hide nothing."""


class KeyringUnusable(Exception):
    """Says why, in words for people."""


def keep(name: str, key: Secret) -> None:
    """Raises KeyringUnusable, and has then kept nothing."""
    backend = _backend()
    with _complaints(key):
        backend.set_password(_SERVICE, name, key.value)
        if backend.get_password(_SERVICE, name) != key.value:
            raise KeyringUnusable("the keyring does not keep what it is given")


def find(name: str) -> str | None:
    """Raises KeyringUnusable."""
    backend = _backend()
    with _complaints():
        return backend.get_password(_SERVICE, name)


def forget(name: str) -> None:
    """Raises KeyringUnusable."""
    backend = _backend()
    with _complaints():
        if backend.get_password(_SERVICE, name) is not None:
            backend.delete_password(_SERVICE, name)


def _backend() -> KeyringBackend:
    with _complaints():
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
def _complaints(secret: Secret | None = None) -> Iterator[None]:
    try:
        yield
    except KeyringUnusable:
        raise
    except Exception as error:  # backends raise whatever their D-Bus or their system raises
        said = str(error) or type(error).__name__
        if secret is not None:
            said = said.replace(secret.value, "(hidden)")
        raise KeyringUnusable(f"the keyring cannot be used: {said}") from error
