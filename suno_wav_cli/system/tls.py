"""The certificates, loaded once a run and only if needed: that takes longer than a request."""

from __future__ import annotations

import os
import ssl
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.proxies import CERTIFICATE_VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable


class _LazyContext(ssl.SSLContext):
    """A context that loads the certificates when the first connection needs them."""

    @cached_property
    def loaded(self) -> ssl.SSLContext:
        """The context that httpx makes. Raise UsageError."""
        try:
            return httpx.create_ssl_context()
        except OSError as error:
            raise _not_loaded(error) from error

    def set_alpn_protocols(self, alpn_protocols: Iterable[str]) -> None:
        self.loaded.set_alpn_protocols(alpn_protocols)

    def wrap_bio(self, *arguments: Any, **named: Any) -> ssl.SSLObject:
        return self.loaded.wrap_bio(*arguments, **named)

    def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
        return self.loaded.wrap_socket(*arguments, **named)


def _not_loaded(error: OSError) -> UsageError:
    name = next((name for name in CERTIFICATE_VARIABLES if os.environ.get(name)), None)
    if name is None:
        return UsageError(
            "the certificates cannot be loaded: those that came with the program are damaged",
            "Install it again, or name a file of certificates: SSL_CERT_FILE=FILE",
        )
    # What OpenSSL says of a file without a certificate means nothing to a person.
    said = "" if isinstance(error, ssl.SSLError) else error.strerror or ""
    reason = said[:1].lower() + said[1:] or "there is no certificate in it"
    return UsageError(
        f"the certificates cannot be loaded: {name} is {os.environ[name]}: {reason}",
        f"Correct {name}, or unset it.",
    )


def make_tls_context(*urls: str | None) -> ssl.SSLContext:
    """Make the context of a run.

    Raise UsageError if `urls` need certificates that cannot be loaded.
    """
    context = _LazyContext(ssl.PROTOCOL_TLS_CLIENT)
    if any(url is not None and url.lower().startswith("https:") for url in urls):
        context.loaded  # noqa: B018 - fails now, before anything has started
    return context
