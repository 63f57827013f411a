"""A clean environment for each test, and the sandbox as a real server."""

from __future__ import annotations

import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

import hypothesis
import pytest

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support import warm
from tests.support.account import open_account
from tests.support.context import a_customer
from tests.support.ports import free_port
from tests.support.program import Sandbox, describe_runs, forget_runs
from tests.support.wild import a_wild_server

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from tests.support.account import SandboxAccount
    from tests.support.context import Customer
    from tests.support.wild import Wild

# Otherwise every run of the program compiles all of it again, unlike an installed program.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A background shell ignores SIGINT and nohup ignores SIGHUP. The programs started here would too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

# `long` is chosen by `--hypothesis-profile`. No example has a deadline: the machine may be busy.
hypothesis.settings.register_profile("quick", deadline=None, max_examples=25)
hypothesis.settings.register_profile("long", deadline=None, max_examples=100)
hypothesis.settings.load_profile("quick")

_SETTINGS = (
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases after the first of a test as long, before pytest selects by markers."""
    seen: Counter[str] = Counter()
    for item in items:
        marker = item.get_closest_marker("first_cases")
        if marker is None:
            continue
        test = item.nodeid.partition("[")[0]
        seen[test] += 1
        if seen[test] > marker.args[0]:
            item.add_marker(pytest.mark.long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show at the end of a failure what the program wrote in its latest runs."""
    report = yield
    if report.failed and (runs := describe_runs()):
        report.sections.append(("runs of the program", runs))
    return report


def pytest_unconfigure() -> None:
    warm.end()


@pytest.fixture(autouse=True)
def clean_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the developer's settings. Give the test an empty home and a folder to work in."""
    forget_runs()
    for name in list(os.environ):
        if name.startswith(_SETTINGS) or name.lower().endswith("_proxy"):
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


@pytest.fixture(scope="module")
def wild_server() -> Iterator[Wild]:
    with a_wild_server() as served:
        yield served


@pytest.fixture
def wild(wild_server: Wild) -> Wild:
    """Give a service that behaves well until a test says otherwise."""
    wild_server.seen.clear()
    wild_server.serves()
    return wild_server
