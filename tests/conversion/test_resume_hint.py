"""The command that continues: as a list, and as a line that shells read as that very list."""

from __future__ import annotations

import pytest

from suno_wav_cli.config.usual_service import UsualService
from suno_wav_cli.conversion.resume_hint import (
    SAME_COMMAND,
    advise,
    command_for,
    describe_command,
)
from suno_wav_cli.errors import UsageError

TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"
LINE = ("suno-wav", "resume", TASK)


@pytest.mark.parametrize(
    ("provider", "base_url", "options"),
    [
        pytest.param("sunoapi", "https://api.sunoapi.org", (), id="the default"),
        pytest.param("sunoapi", None, (), id="the provider's own address"),
        pytest.param("kie", "https://api.kie.ai", ("--provider", "kie"), id="another provider"),
        pytest.param(
            "sunoapi", "http://127.0.0.1:1", ("--base-url", "http://127.0.0.1:1"), id="another address"
        ),
        pytest.param(
            "gone",
            "https://x.example",
            ("--provider", "gone", "--base-url", "https://x.example"),
            id="a provider that is not known any more",
        ),
    ],
)
def test_a_command_chooses_the_service(provider: str, base_url: str | None, options: tuple[str, ...]) -> None:
    service = UsualService().options_to(provider, base_url)
    assert command_for(service, "resume", [TASK]) == (*LINE, *options)


def test_many_tasks_are_all_that_is_unfinished() -> None:
    """A line for thousands of songs stays short."""
    assert command_for((), "resume", [TASK] * 6, "--tag") == ("suno-wav", "resume", "--tag")


def test_the_command_that_was_typed_is_named_in_words() -> None:
    assert describe_command(LINE, typed=LINE) == SAME_COMMAND
    assert describe_command(LINE, typed=("suno-wav", "convert")) == f"suno-wav resume {TASK}"


@pytest.mark.parametrize(
    ("remedy", "advice"),
    [
        ("Try again.", f"Try again. To continue: suno-wav resume {TASK}"),
        ("", f"To continue: suno-wav resume {TASK}"),
        ("To ask there:", f"To ask there: suno-wav resume {TASK}"),
    ],
)
def test_a_remedy_ends_with_the_command(remedy: str, advice: str) -> None:
    assert advise(UsageError("why", remedy, continue_argv=LINE)) == advice
    assert advise(UsageError("why", remedy)) == remedy
