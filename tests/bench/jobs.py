"""Time `jobs` and the completion of task ids over a long journal, beside the program's start-up.

    python -m tests.bench.jobs [--rows N] [--runs N]

Builds a journal of 100,000 conversions with the program's own schema, one in fifty of them
unfinished, and times whole processes in turns. `suno-wav jobs` without a journal is the start-up.
`jobs`, its lists, and the completion of a task id in `status` and `resume` come on top. Prints the
median of each in seconds, what is beyond start-up, and the ratio.

Exit code: 0 whatever the times are, 1 if something failed.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account

if TYPE_CHECKING:
    from collections.abc import Mapping

GOALS = {"jobs": 0.3, "completion": 0.2}
"""Seconds beyond start-up."""

_DAY = 86400.0
_START_UP = "start-up"


def build(path: Path, rows: int) -> str:
    """Write the journal. Return the id of one task."""
    chance = random.Random(1)
    now = time.time()
    service = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
    with open_journal(path, service):
        pass
    ids = [f"{chance.getrandbits(128):032x}" for _ in range(rows)]
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.executemany(
            "INSERT INTO conversion (service, provider, audio_id, wav_task_id, state, target, bytes, created, updated, expires) "
            "VALUES (?, 'sunoapi', ?, ?, ?, ?, 30000000, ?, ?, ?)",
            (
                (
                    service.base_url,
                    f"song-{number}",
                    task_id,
                    "ready" if number % 50 == 0 else "failed" if number % 50 == 1 else "saved",
                    f"/songs/{number}.wav".encode(),
                    now - number,
                    now - number,
                    now - number + 15 * _DAY,
                )
                for number, task_id in enumerate(ids)
            ),
        )
        raw.execute(
            "INSERT INTO place (conversion, path) SELECT id, target FROM conversion WHERE state = 'saved'"
        )
    return ids[0]


def seconds(arguments: list[str], env: Mapping[str, str]) -> float:
    """Run the program to its end. Raise CalledProcessError if it fails."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "suno_wav_cli", *arguments],
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def tab(command: str, beginning: str) -> dict[str, str]:
    """Return the environment in which bash asks for completions."""
    return {
        "_SUNO_WAV_COMPLETE": "complete_bash",
        "COMP_LINE": f"suno-wav {command} {beginning}",
    }


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rows", type=int, default=100_000)
    options.add_argument("--runs", type=int, default=7)
    given = options.parse_args()
    with TemporaryDirectory() as home:
        task_id = build(Path(home) / "journal.sqlite3", given.rows)
        here = {"SUNO_WAV_HOME": home}
        programs: dict[str, tuple[list[str], dict[str, str]]] = {
            _START_UP: (["jobs"], {"SUNO_WAV_HOME": f"{home}/nothing"}),
            "jobs": (["jobs"], here),
            "jobs --json": (["jobs", "--json"], here),
            "jobs --failed": (["jobs", "--failed"], here),
            "jobs --unfinished": (["jobs", "--unfinished"], here),
            "jobs --expiring --days 20": (["jobs", "--expiring", "--days", "20"], here),
            "completion, status, nothing typed": ([], here | tab("status", "")),
            "completion, status": ([], here | tab("status", task_id[:6])),
            "completion, resume, nothing typed": ([], here | tab("resume", "")),
        }
        taken: dict[str, list[float]] = {name: [] for name in programs}
        try:
            for _ in range(given.runs):
                for name, (arguments, env) in programs.items():
                    taken[name].append(seconds(arguments, env))
        except subprocess.CalledProcessError as error:
            print(error)
            return 1
    start_up = median(taken[_START_UP])
    print(f"{given.rows} rows, median of {given.runs} runs, in seconds")
    print(f"{'':36}{'all':>8}{'beyond':>8}{'goal':>8}{'ratio':>8}")
    for name, times in taken.items():
        goal = "" if name == _START_UP else f"{GOALS[name.partition(' ')[0].rstrip(',')]:.1f}"
        print(
            f"{name:36}{median(times):8.3f}{median(times) - start_up:8.3f}{goal:>8}{median(times) / start_up:8.2f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
