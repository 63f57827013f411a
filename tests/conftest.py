"""A clean world for each test, and the sandbox as a real server."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support import warm
from tests.support.account import open_account
from tests.support.context import a_customer
from tests.support.ports import free_port
from tests.support.program import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.account import SandboxAccount
    from tests.support.context import Customer

# Else every run of the program compiles all of it anew, as no installed program does.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Where the tests are a shell's background job, Ctrl-C is ignored, and so it would be by every program that they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes is the machine's business.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

_OURS = (
    "SUNO_",
    "NGROK_",
    "FORCE_COLOR",
    "NO_COLOR",
    "TTY_",
    "GITHUB_ACTIONS",
    "PY_COLORS",
    "COLUMNS",
    "LINES",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("first") is None)


def pytest_unconfigure() -> None:
    warm.end()


@pytest.fixture(autouse=True)
def clean_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests, an empty home, and a folder of its own to work in."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SUNO_WAV_HOME", str(tmp_path / "home"))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    """Share a sandbox that runs 20 times as fast as the service; tests keep apart by their audio ids."""
    with bind_socket(0) as bound, run_sandbox(bound, speed=20.0, credits_left=10_000):
        yield Sandbox(base_url=address_of(bound))


@pytest.fixture(name="free_port")
def a_free_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def account() -> Iterator[SandboxAccount]:
    with open_account(credits_left=1_000_000) as opened:
        yield opened


@pytest.fixture
def customer(account: SandboxAccount) -> Iterator[Customer]:
    with a_customer(account) as made:
        yield made
