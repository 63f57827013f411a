"""Kill a conversion with SIGKILL at every journal write and every request, and go on with each.

    python -m tests.crash.every_kill_point [PROVIDER...]

For each provider, by polling and by callback, and with each story of trial.py: a conversion that is not killed counts the
points, and then one conversion for each of them is killed there. What must be true afterwards is in walk.py. Exit code: 0, or 1 where anything was not.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.crash.trial import Story, Way
from tests.crash.walk import check, explored
from tests.support.program import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.crash.walk import Route

PROVIDERS = ("sunoapi", "kie", "kie-jobs")

_AT_ONCE = 4
"""The trials wait more than they compute."""


def main(providers: Sequence[str]) -> int:
    for name in list(os.environ):
        if name.startswith(("SUNO_", "NGROK_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    began = time.monotonic()
    ways = [
        Way(provider=provider, called_back=called_back)
        for provider in providers
        for called_back in (False, True)
    ] + [
        Way(provider=provider, called_back=False, story=story)
        for provider in providers
        for story in Story
        if story is not Story.PLAIN
    ]
    count = wrong = 0
    for way in ways:
        # A sandbox of its own: what one way has done there must not show in another.
        with (
            TemporaryDirectory() as folder,
            bind_socket(0) as bound,
            run_sandbox(bound, speed=20.0, credits_left=10_000),
        ):
            sandbox = Sandbox(base_url=address_of(bound))
            route = explored(way, sandbox, Path(folder) / str(way))
            violations = _walked(route, sandbox, Path(folder) / str(way))
        print(f"{way}: {len(route.points)} kill points, {len(violations)} violations", flush=True)
        for violation in violations:
            print(f"  {violation}")
        count += len(route.points)
        wrong += len(violations)
    print(f"{count} kill points in {time.monotonic() - began:.0f} s, {wrong} violations")
    return 1 if wrong else 0


def _walked(route: Route, sandbox: Sandbox, folder: Path) -> list[str]:
    def violation(number: int) -> str | None:
        try:
            check(route, number, sandbox, folder / f"point{number}")
        except AssertionError as error:
            return f"killed at {route.points[number]}: {error}"
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [found for found in pool.map(violation, range(len(route.points))) if found]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or PROVIDERS))
