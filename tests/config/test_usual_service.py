"""The options of printed commands: with them, a command goes to the service that is meant, and nowhere else."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from suno_wav_cli.api.providers import PROVIDERS
from suno_wav_cli.config.file import ConfigFile
from suno_wav_cli.config.settings import choose, is_own_sandbox, make_settings, service_of
from suno_wav_cli.config.usual_service import UsualService, find_usual_service

ADDRESSES = (
    *("https://api.sunoapi.org", "https://api.kie.ai"),
    *("http://127.0.0.1:1", "http://127.0.0.1:1/kie"),
)
GIVEN = [
    {name: value for name, value in (("provider", provider), ("base_url", address)) if value is not None}
    for provider, address in product((None, *PROVIDERS), (None, *ADDRESSES))
]
"""What a command line, an environment or a file may say of the service."""


def variables(given: dict[str, str]) -> dict[str, str]:
    return {f"SUNO_WAV_{name.upper()}": value for name, value in given.items()}


def file_with(written: dict[str, str]) -> ConfigFile:
    text = "".join(f'{name} = "{value}"\n' for name, value in written.items())
    return ConfigFile(path=Path("config.toml"), written=written, text=text)


def flags_of(options: tuple[str, ...]) -> dict[str, str]:
    names = [option.removeprefix("--").replace("-", "_") for option in options[::2]]
    return dict(zip(names, options[1::2], strict=True))


@pytest.mark.parametrize("place", ["environment", "config.toml"])
def test_a_command_goes_to_the_service_of_the_run_that_has_printed_it(place: str) -> None:
    """Wherever it is pasted: in the same environment, or in one without a variable that is set."""
    for usual, typed in product(GIVEN, GIVEN):
        environ = variables(usual) if place == "environment" else {}
        config = file_with(usual if place == "config.toml" else {})
        settings = make_settings(choose(typed, environ, config))
        usual_service = find_usual_service(environ, config)
        options = usual_service.options_to(settings.provider, settings.base_url)
        # As the journal names it.
        assert usual_service.options_to(settings.provider, service_of(settings)) == options
        for without in ((), *((name,) for name in environ), tuple(environ)):
            left = {name: value for name, value in environ.items() if name not in without}
            pasted = make_settings(choose(flags_of(options), left, config))
            assert (pasted.provider, service_of(pasted)) == (settings.provider, service_of(settings)), (
                usual,
                typed,
                without,
            )


@pytest.mark.parametrize("usual", GIVEN)
def test_a_command_goes_to_any_service_that_the_journal_names(usual: dict[str, str]) -> None:
    environ, nothing = variables(usual), file_with({})
    for typed in GIVEN:
        meant = make_settings(choose(typed, {}, nothing))
        if is_own_sandbox(meant):
            # It has a journal of its own, and no address.
            continue
        options = find_usual_service(environ, nothing).options_to(meant.provider, service_of(meant))
        pasted = make_settings(choose(flags_of(options), environ, nothing))
        assert (pasted.provider, service_of(pasted)) == (meant.provider, service_of(meant)), (usual, typed)


def test_an_option_is_left_out_if_it_says_nothing_new() -> None:
    assert UsualService().options_to("sunoapi", None) == ()
    assert UsualService().options_to("sunoapi", "https://api.sunoapi.org") == ()
    assert UsualService().options_to("kie", "https://api.kie.ai") == ("--provider", "kie")
    assert UsualService().options_to("sandbox", "sandbox") == ("--provider", "sandbox")
    assert UsualService(base_url="https://api.kie.ai").options_to("kie", None) == ("--provider", "kie")


def test_what_cannot_be_used_is_replaced() -> None:
    """A typed option has hidden it so far, and without one there would be an error."""
    for environ, written in [
        ({"SUNO_WAV_PROVIDER": "napster", "SUNO_WAV_BASE_URL": "ftp://x"}, {}),
        ({}, {"provider": "napster", "base_url": "ftp://x"}),
    ]:
        usual = find_usual_service(environ, file_with(written))
        assert usual.options_to("sunoapi", None) == (
            *("--provider", "sunoapi"),
            *("--base-url", "https://api.sunoapi.org"),
        )
