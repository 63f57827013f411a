"""Try answers of the service, each met by each command at each provider.

    python -m tests.answers.all [--sample N] [--seed N] [--only TEXT] [--at-once N]

Without options it tries the whole table of table.py, and compares with rules.py. `--sample` tries so
many cells, chosen by `--seed`; `--only` those whose name contains the text. Exit code: 0, or 1 if
any cell differs.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.answers.table import all_cells
from tests.answers.trial import SPEED, check
from tests.support import warm
from tests.support.program import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.answers.table import Cell


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.answers.all")
    parser.add_argument("--sample", type=int, help="how many cells to try")
    parser.add_argument(
        "--seed", type=int, default=None, help="which ones; printed, so that they can be again"
    )
    parser.add_argument("--only", default="", help="part of the names of the cells to try")
    parser.add_argument("--at-once", type=int, default=6, help="the trials wait more than they compute")
    chosen = parser.parse_args(arguments)
    seed = random.randrange(1_000_000) if chosen.seed is None else chosen.seed
    cells = [cell for cell in all_cells() if chosen.only in str(cell)]
    if chosen.sample is not None and chosen.sample < len(cells):
        print(f"seed {seed}")
        cells = sample(cells, chosen.sample, seed)
    for name in list(os.environ):
        if name.startswith(("SUNO_", "NGROK_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    return _try_all(cells, chosen.at_once)


def sample(cells: Sequence[Cell], size: int, seed: int) -> list[Cell]:
    return random.Random(seed).sample(list(cells), size)


def _try_all(cells: Sequence[Cell], at_once: int) -> int:
    began, wrong = time.monotonic(), 0
    with (
        TemporaryDirectory() as folder,
        bind_socket(0) as bound,
        run_sandbox(bound, speed=SPEED, credits_left=1_000_000),
        ThreadPoolExecutor(at_once) as pool,
    ):
        sandbox = Sandbox(base_url=address_of(bound))
        results = pool.map(lambda cell: check(cell, sandbox, Path(folder)), cells)
        for cell, found in zip(cells, results, strict=True):
            wrong += bool(found)
            for what in found:
                print(f"{cell}: {what}", flush=True)
    warm.end()
    print(f"{len(cells)} cells in {time.monotonic() - began:.0f} s, {wrong} not as they must be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
