"""The settings in force, the key, and the account."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

from suno_wav_cli import __version__
from suno_wav_cli.api.pricing import WAV_PRICE, count_wavs, format_credits
from suno_wav_cli.commands.doctor.findings import failed, passed, warned
from suno_wav_cli.config.api_key import find_api_key
from suno_wav_cli.config.credentials import how_to_close
from suno_wav_cli.config.settings import Source, base_url_of, is_own_sandbox
from suno_wav_cli.conversion.api_client import make_client
from suno_wav_cli.conversion.resume_hint import command_for
from suno_wav_cli.errors import BalanceUnknown, ExitCode, NotAuthorized, SunoWavError
from suno_wav_cli.system.shell_words import say_how
from suno_wav_cli.system.tls import make_tls_context

if TYPE_CHECKING:
    from suno_wav_cli.commands.doctor.findings import Finding
    from suno_wav_cli.config.run import Run
    from suno_wav_cli.config.settings import Choice
    from suno_wav_cli.models import Secret

_LIBRARIES = ("typer", "rich", "httpx", "pyngrok", "starlette", "uvicorn", "h11")


async def check_versions() -> Finding:
    libraries = ", ".join(f"{name} {_version_of(name)}" for name in _LIBRARIES)
    return passed(
        f"suno-wav {__version__}, Python {platform.python_version()} on {platform.system()} "
        f"{platform.release()} ({platform.machine()}); {libraries}"
    )


def _version_of(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return "missing"


async def check_settings(run: Run) -> Finding:
    """Name the settings that are not the default, and where each comes from."""
    config = run.paths.config_file
    if run.secrets.ignored and run.secrets.config_file is not None:
        names = " and ".join(run.secrets.ignored)
        return warned(
            f"others can read {config}, so {names} in it cannot be used",
            how_to_close(run.secrets.config_file),
        )
    written = [_describe_choice(choice) for choice in run.choices if choice.source is not Source.DEFAULT]
    fact = f"provider {run.settings.provider}"
    if not is_own_sandbox(run.settings):
        fact += f" at {base_url_of(run.settings)}"
    return passed(f"{fact}; {', '.join(written) if written else 'everything else as by default'}")


def _describe_choice(choice: Choice) -> str:
    # The flag or the variable names the setting itself.
    return f"{choice.name} ({choice.place})" if choice.source is Source.FILE else str(choice.place)


def find_key(run: Run) -> Secret | SunoWavError | None:
    """Return the key, None without one, or the error of one that cannot be used."""
    try:
        return find_api_key(run)
    except NotAuthorized as error:
        return error


async def check_key(run: Run, base_url: str, key: Secret | SunoWavError | None) -> Finding:
    """Say where the key is from. Raise NotAuthorized if it cannot be used."""
    if isinstance(key, SunoWavError):
        raise key
    if key is None:
        return _no_key(run, f"there is no API key for {base_url}", "Store one")
    return passed(key.origin or "the sandbox accepts any")


async def check_account(run: Run, base_url: str, key: Secret) -> Finding:
    """Look up the balance, which is free, and so try the key. Raise SunoWavError."""
    try:
        async with make_client(run, base_url, key, make_tls_context(base_url), retries=1) as client:
            balance = await client.fetch_credits()
    except NotAuthorized as error:
        origin = f" (it is from {key.origin})" if key.origin else ""
        return _no_key(run, error.message + origin, "Store one that your provider's account page shows")
    except BalanceUnknown as error:
        return warned(error.message, say_how("Try it again", *_command(run, "credits")))
    wavs = count_wavs(balance)
    fact = f"the key is accepted; {format_credits(balance)} credits, enough for {wavs} WAVs"
    if balance < WAV_PRICE:
        remedy = say_how("Top up at your provider's account page, then look again", *_command(run, "credits"))
        return failed(fact, remedy, ExitCode.NO_CREDITS)
    return passed(fact)


def _no_key(run: Run, fact: str, advice: str) -> Finding:
    return failed(fact, say_how(advice, *_command(run, "login")), ExitCode.NOT_AUTHORIZED)


def _command(run: Run, name: str) -> tuple[str, ...]:
    return command_for(run.service_options, name)
