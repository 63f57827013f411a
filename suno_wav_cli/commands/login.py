"""`login` and `logout` from their arguments to their exit codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from suno_wav_cli import events
from suno_wav_cli.api.providers import SANDBOX
from suno_wav_cli.config.credentials import API_KEY_VARIABLE, parse_key
from suno_wav_cli.config.key_store import KeyStore
from suno_wav_cli.config.settings import base_url_of
from suno_wav_cli.conversion.balance import fetch_balance
from suno_wav_cli.errors import ExitCode, NotAuthorized, ServiceUnavailable, SunoWavError, UsageError
from suno_wav_cli.system.event_loop import run_async

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from suno_wav_cli.config.credentials import Secrets
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.models import Secret

_KEPT_AS_IT_WAS = "Nothing was changed."


def login(
    run: Run,
    *,
    read_key: Callable[[str], str],
    unverified: bool,
) -> ExitCode:
    """Read a key with `read_key(prompt)`, have the service confirm it unless `unverified`, and keep it.

    Raises NotAuthorized where the service refuses it, ServiceUnavailable where it cannot be asked, and UsageError; in each
    case nothing is changed.
    """
    base_url = _account_at(run.settings)
    key = parse_key(read_key(f"API key for {base_url} (not shown): "), "what was entered")
    if key is None:
        raise UsageError("no key was entered", "Enter it at the prompt, or send it in: suno-wav login < FILE")
    left = None if unverified else _verified(run.settings, base_url, key)
    kept = KeyStore(folder=run.paths.keys).keep(base_url, key)
    run.report(
        events.KeyKept(
            base_url=base_url,
            place=kept.place,
            reason=kept.reason,
            credits=left,
            overridden=_variable(run.secrets),
        )
    )
    return ExitCode.OK


def logout(run: Run) -> ExitCode:
    """Remove what `login` has kept. Raises UsageError where it cannot be removed."""
    base_url = _account_at(run.settings)
    place = KeyStore(folder=run.paths.keys).forget(base_url)
    run.report(events.KeyForgotten(base_url=base_url, place=place, still=_variable(run.secrets)))
    return ExitCode.OK


def _account_at(settings: Settings) -> str:
    if settings.provider == SANDBOX:
        raise UsageError("the sandbox needs no key", "Name the provider that the key is for: --provider NAME")
    return base_url_of(settings)


def _verified(settings: Settings, base_url: str, key: Secret) -> Decimal:
    try:
        return run_async(fetch_balance(settings, base_url, key))
    except NotAuthorized as error:
        raise NotAuthorized(
            error.message,
            f"{_KEPT_AS_IT_WAS} Copy the key again from your account page; --provider names whose it is.",
        ) from error
    except UsageError:
        raise
    except SunoWavError as error:
        raise ServiceUnavailable(
            f"the key could not be verified: {error.message}",
            f"{_KEPT_AS_IT_WAS} Try again later, or keep it as it is: suno-wav login --unverified",
        ) from error


def _variable(secrets: Secrets) -> str | None:
    return API_KEY_VARIABLE if secrets.api_key is not None else None
