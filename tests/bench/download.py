"""One file from nginx, by the whole program and by curl, wget, aria2c and httpx.

    python -m tests.bench.download [--part https|http|throttled|memory ...] [--runs N] [--size MB] [--folder DIR] [--markdown]
                                  [--beside CHECKOUT]

Ours is `suno-wav status TASK_ID --download --out FILE` in a fresh home, with its bar on a pseudo-terminal: start-up, one
question to an API that answers at once, the download, the flush to the disk, the check and the rename. What the start-up
and the question cost is measured beside it, as `status TASK_ID` without a download. The others have a terminal too, and
are told to say nothing; they neither flush nor check.

All take turns in one run, forwards and then backwards, a file each time, which in the first turn is compared with what
was sent. Before each, as much is written and thrown away: the first after a pause finds the machine's memory cold.
Wall and CPU are medians of the turns, CPU being user and system of a process and its children; the peak of resident
memory is the greatest of all turns. `beyond start-up` is the difference between the two medians of ours. nginx has one
worker on the same machine, with whose cores it shares the work; in the throttled part it gives each connection 20 MiB a
second. The memory part is for a larger file, and shows the peak only.

`--beside` lets the program of another checkout, with its own `.venv`, take turns too.

The files lie in the system's folder for temporary files, or in `--folder`: /dev/shm keeps the disk out of it.

Needs nginx, openssl, curl, wget and aria2c (Debian: `apt install nginx-light openssl curl wget aria2`; nginx need not be
started as a service), and says what is not there.

Exit code: 0 whatever the figures are, 1 if something failed, 2 if a tool is missing.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.bench.downloads.api import answering
from tests.bench.downloads.contenders import (
    ARIA2C,
    ARIA2C_FOUR,
    ARIA2C_ONE,
    CURL,
    HTTPX,
    WGET,
    Contender,
    Job,
    beside,
    beyond_start_up,
    ours,
    peers,
    start_up,
)
from tests.bench.downloads.costs import Cost, NotMeasured, cost_of, typical
from tests.bench.downloads.tables import MEMORY, SPEED, THROTTLED, Column, as_markdown, as_text, rows_of
from tests.bench.downloads.web import make_wav, nginx, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.bench.downloads.api import Api
    from tests.bench.downloads.web import Web

_MEGABYTE = 1_000_000
_SPACE = 2.1
"""Times the size: the file that is sent, the one that arrives, and a little more."""


@dataclass(frozen=True)
class Part:
    """A table of its own. `megabytes` is the default size of the file."""

    title: str
    megabytes: int
    address: Callable[[Web], str]
    columns: Sequence[Column]
    peers: tuple[str, ...] = (CURL, WGET, ARIA2C_ONE, ARIA2C_FOUR, HTTPX)


PARTS = {
    "https": Part(title="https, at full speed", megabytes=1000, address=lambda web: web.https, columns=SPEED),
    "http": Part(title="http, at full speed", megabytes=1000, address=lambda web: web.http, columns=SPEED),
    "throttled": Part(
        title="https, 20 MiB/s a connection",
        megabytes=1000,
        address=lambda web: web.throttled,
        columns=THROTTLED,
        peers=(CURL, ARIA2C_ONE, ARIA2C_FOUR),
    ),
    "memory": Part(
        title="https, peak of memory",
        megabytes=2000,
        address=lambda web: web.https,
        columns=MEMORY,
        peers=(CURL,),
    ),
}


@dataclass(frozen=True)
class Bench:
    """What every turn uses. `connections` are the numbers with which ours is measured, None for its own choice."""

    folder: Path
    web: Web
    api: Api
    connections: Sequence[int | None]
    others: Sequence[Contender]

    def measure(self, part: Part, megabytes: int, turns: int) -> dict[Contender, Cost]:
        source = self.folder / f"{megabytes}mb.wav"
        make_wav(source, megabytes * _MEGABYTE)
        programs = [ours(number) for number in self.connections]
        contenders = [
            *(peer for peer in peers() if peer.name in part.peers),
            start_up(),
            *programs,
            *self.others,
        ]
        costs: dict[Contender, list[Cost]] = {contender: [] for contender in contenders}
        for turn in range(turns):
            for contender in contenders[:: -1 if turn % 2 else 1]:
                print(f"{part.title}: turn {turn + 1} of {turns}, {contender.name}", file=sys.stderr)
                url = f"{part.address(self.web)}/{source.name}"
                costs[contender].append(self._cost(contender, url, source, compare=turn == 0))
        source.unlink()
        results = {contender: typical(met) for contender, met in costs.items()}
        if part.columns is MEMORY:
            return results
        started = results[start_up()]
        return results | {beyond_start_up(program): results[program].beyond(started) for program in programs}

    def _cost(self, contender: Contender, url: str, source: Path, *, compare: bool) -> Cost:
        copy = self.folder / "thrown-away"
        shutil.copyfile(source, copy)
        copy.unlink()
        with TemporaryDirectory(dir=self.folder) as name:
            target = Path(name) / "song.wav"
            task_id = self.api.task_of(url)
            job = Job(
                url=url,
                target=target,
                certificate=self.web.certificate,
                home=Path(name) / "home",
                api=self.api.url,
                task_id=task_id,
            )
            cost = cost_of(contender.command(job), contender.environ(job))
            if contender.fetches and (
                target.stat().st_size != source.stat().st_size
                or (compare and not filecmp.cmp(source, target, shallow=False))
            ):
                raise NotMeasured(f"what {contender.name} fetched is not what was sent")
            return cost


def connections_to_measure() -> Sequence[int | None]:
    """Return one and four if the program has `--connections`, else its own choice."""
    with TemporaryDirectory() as home:
        job = Job(url="", target=Path(), certificate=Path(), home=Path(home), api="", task_id="")
        done = subprocess.run(
            [sys.executable, "-m", "suno_wav_cli", "config", "--json"],
            env={**start_up().environ(job), "SSL_CERT_FILE": ""},
            capture_output=True,
            check=True,
        )
    settings = {json.loads(line).get("name") for line in done.stdout.splitlines()}
    if "connections" in settings:
        return (1, 4)
    print("This program knows no --connections: it is measured as it is.", file=sys.stderr)
    return (None,)


def main() -> int:
    given = _arguments()
    missing = [tool for tool in ("openssl", CURL, WGET, ARIA2C) if shutil.which(tool) is None]
    missing += ["nginx"] if nginx() is None else []
    if missing:
        print(f"Not installed, and needed to measure: {', '.join(missing)}.", file=sys.stderr)
        return 2
    parts = [PARTS[name] for name in dict.fromkeys(given.part or ("https", "http", "throttled"))]
    show = as_markdown if given.markdown else as_text
    try:
        with TemporaryDirectory(prefix="suno-wav-bench-", dir=given.folder) as name:
            folder = Path(name)
            with serving(folder) as web, answering() as api:
                bench = Bench(
                    folder=folder,
                    web=web,
                    api=api,
                    connections=connections_to_measure(),
                    others=[beside(checkout) for checkout in given.beside or ()],
                )
                for part in parts:
                    megabytes = given.size or part.megabytes
                    _check_space(folder, megabytes)
                    costs = bench.measure(part, megabytes, given.runs)
                    print(
                        f"{part.title}, {megabytes:,} MB\n\n{show(rows_of(part.columns, costs))}\n",
                        flush=True,
                    )
    except (NotMeasured, OSError, subprocess.CalledProcessError) as error:
        print(f"Not measured: {error}", file=sys.stderr)
        return 1
    return 0


def _check_space(folder: Path, megabytes: int) -> None:
    if shutil.disk_usage(folder).free < megabytes * _MEGABYTE * _SPACE:
        raise NotMeasured(
            f"{folder} has no room for twice {megabytes:,} MB; choose another --folder or --size"
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="One file by the whole program, beside its peers.")
    parser.add_argument(
        "--part",
        choices=PARTS,
        action="append",
        help="what to measure, may be given several times; default: https, http and throttled",
    )
    parser.add_argument("--runs", metavar="N", type=_number_to(100), default=4, help="turns; default: 4")
    sizes = ", ".join(f"{part.megabytes} for {name}" for name, part in PARTS.items())
    parser.add_argument("--size", metavar="MB", type=_number_to(4294), help=f"of the file; default: {sizes}")
    parser.add_argument("--folder", help="for the files; default: the system's for temporary files")
    parser.add_argument(
        "--beside", metavar="CHECKOUT", type=Path, action="append", help="may be given several times"
    )
    parser.add_argument("--markdown", action="store_true", help="print tables for tests/README.md")
    return parser.parse_args()


def _number_to(most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isdecimal() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to {most}")
        return int(text)

    return read


if __name__ == "__main__":
    sys.exit(main())
