"""`login` and `logout`: store an API key, and remove it."""

from __future__ import annotations

import shlex
from contextlib import suppress
from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import SANDBOX, get_provider
from suno_wav_cli.config.api_key import how_to_log_in, open_key_store
from suno_wav_cli.config.credentials import API_KEY_VARIABLE, parse_key
from suno_wav_cli.config.settings import base_url_of
from suno_wav_cli.conversion.balance import fetch_balance
from suno_wav_cli.errors import ExitCode, NotAuthorized, ServiceUnavailable, SunoWavError, UsageError
from suno_wav_cli.events import account
from suno_wav_cli.system.event_loop import run_async
from suno_wav_cli.system.shell_words import adapt_example

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from suno_wav_cli.config.credentials import Secrets
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Settings
    from suno_wav_cli.models import Secret

_UNCHANGED = "Nothing was changed."


def login(
    run: Run,
    *,
    read_key: Callable[[str], str],
    typed: bool,
    unverified: bool,
) -> ExitCode:
    """Read a key with `read_key(prompt)`, check it with the API unless `unverified`, and store it.

    `typed` tells that a key stood on the command line. Raise NotAuthorized if the API refuses the
    key, ServiceUnavailable if it cannot be reached, and UsageError; nothing is changed then.
    """
    if typed:
        raise UsageError(
            "a key on the command line is visible to other users and stays in the shell's history",
            f"Run {how_to_log_in(run)} and enter the key, or send it in: {_line_from_file(run)}",
        )
    base_url = _require_account(run.settings)
    key = parse_key(read_key(_make_prompt(run, base_url)), "what was entered")
    if key is None:
        raise UsageError(
            "no key was entered", f"Enter it at the prompt, or send it in: {_line_from_file(run)}"
        )
    left = None if unverified else _verify(run, base_url, key)
    kept = open_key_store(run).keep(base_url, key)
    run.report(
        account.KeyStored(
            base_url=base_url,
            location=kept.place,
            reason=kept.reason,
            credits=left,
            variable=_overriding_variable(run.secrets),
        )
    )
    return ExitCode.OK


def logout(run: Run) -> ExitCode:
    """Remove the stored key. Raise UsageError if that fails."""
    base_url = _require_account(run.settings)
    place = open_key_store(run).forget(base_url)
    run.report(
        account.KeyRemoved(base_url=base_url, location=place, variable=_overriding_variable(run.secrets))
    )
    return ExitCode.OK


def _make_prompt(run: Run, base_url: str) -> str:
    """Ask for the key: say where it is to be found, and which one is used until then."""
    provider = get_provider(run.settings.provider)
    page = provider.key_page if base_url == provider.base_url else "the account page of your provider"
    used = run.secrets.api_key.origin if run.secrets.api_key is not None else _locate(run, base_url)
    lines = [f"The API key for {base_url} is on {page}"]
    lines += [f"In use now: the one from {used}"] if used else []
    return "\n".join([*lines, "API key (not shown): "])


def _locate(run: Run, base_url: str) -> str | None:
    """Say where the stored key is. A file that cannot be used is about to be replaced."""
    with suppress(NotAuthorized):
        return open_key_store(run).locate(base_url)
    return None


def _require_account(settings: Settings) -> str:
    """Return the base URL that the key is for. Raise UsageError for the sandbox, which has no keys."""
    if settings.provider == SANDBOX:
        raise UsageError("the sandbox needs no key", "Name the provider that the key is for: --provider NAME")
    return base_url_of(settings)


def _verify(run: Run, base_url: str, key: Secret) -> Decimal:
    """Return the credits of the account that the key opens."""
    try:
        return run_async(fetch_balance(run, base_url, key))
    except NotAuthorized as error:
        raise NotAuthorized(
            error.message,
            f"{_UNCHANGED} Copy the key again from your account page; --provider names whose it is.",
        ) from error
    except UsageError:
        raise
    except SunoWavError as error:
        raise ServiceUnavailable(
            f"the key could not be verified: {error.message}",
            f"{_UNCHANGED} Try again later, or store it unchecked: {how_to_log_in(run, '--unverified')}",
        ) from error


def _line_from_file(run: Run) -> str:
    line = shlex.join(("suno-wav", "login", *run.service_options))
    return adapt_example(f"{line} < FILE")


def _overriding_variable(secrets: Secrets) -> str | None:
    return API_KEY_VARIABLE if secrets.api_key is not None else None
