"""How fast callbacks are acknowledged while four downloads run, beside Flask and Express.

    python -m tests.bench.acknowledgements [--runs N]

All receivers do the same job: POST only, to a secret path that is compared in constant time, at most 64 KiB, a JSON
object. They wake the waiting task and answer 200. That is asked of each before it is measured. Ours is the one
of `convert`, with four of its own downloads in the same process. The peers have no downloads, so four curl run beside
them and fetch the same file from the same server; and ours is measured beside curl too, which tells what one process
for both costs. The downloads take turns: none, 25 MB/s each, and as fast as they go.

Everything is a real process on this machine and shares its cores, the load generator and the server of files too. wrk
posts as fast as it is answered, so the p99 is that of a receiver at its limit. Flask and Express are installed into a
temporary folder; one that cannot be installed is left out. Flask's development server closes every connection; the
others keep theirs.

Exit code: 0 whatever the numbers are, 1 if something failed, 2 if wrk or curl is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx

from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.bench.receivers import candidates
from tests.bench.receivers.candidates import CALLBACK, HERE, TASK_ID, NotMeasured

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.bench.receivers.candidates import Receiver

_DOWNLOADS = 4
_CONNECTIONS = (1, 8)
_SECONDS, _WARM_UP_SECONDS = 3, 1
_LAST_MOMENT = 5.0
_OURS = ("SUNO_", "NGROK_")


@dataclass(frozen=True)
class Pressure:
    """How fast the downloads go: the query for the file server, or None without downloads."""

    name: str
    query: str | None


_PRESSURES = (
    Pressure(name="none", query=None),
    Pressure(name="25 MB/s each", query="?pace=25&"),
    Pressure(name="at full speed", query="?"),
)


@dataclass(frozen=True)
class Load:
    """What wrk saw, and the megabytes that were downloaded in a second meanwhile."""

    answers: float
    p99: float
    megabytes: float


@dataclass(frozen=True)
class Case:
    receiver: Receiver
    pressure: Pressure

    def makes_sense(self) -> bool:
        """Without downloads, ours beside curl would be ours again."""
        return self.pressure.query is not None or self.receiver.name != "ours beside curl"


class Bench:
    """What every case uses."""

    def __init__(self, folder: Path, environ: Mapping[str, str], files: str, http: httpx.Client) -> None:
        self._folder = folder
        self._log = folder / "log"
        self._environ = environ
        self._files = files
        self._http = http

    def loads(self, case: Case) -> list[Load]:
        """Start the receiver and its downloads, and load it over each number of connections."""
        url, path = _free_url(), f"/callback/{secrets.token_urlsafe(24)}"
        command = [*case.receiver.command, url.rpartition(":")[2], path, TASK_ID]
        asked = case.pressure.query
        source = None if asked is None else f"{self._files}/song.wav{asked}"
        targets = [str(self._folder / f"{number}.wav") for number in range(_DOWNLOADS)]
        if source is not None and case.receiver.downloads_itself:
            command += [source, *targets]
        with ExitStack() as running:
            environ = {**self._environ, **case.receiver.environ}
            started = [running.enter_context(_started(command, environ, self._log))]
            candidates.check_job(self._http, url, path)
            if source is not None and not case.receiver.downloads_itself:
                for target in targets:
                    # The numbers in brackets make curl fetch the file again and again.
                    curl = ["curl", "-sS", "--fail", "--fail-early", "-o", target, f"{source}[1-1000000]"]
                    started.append(running.enter_context(_started(curl, self._environ, self._log)))
            self._load(url + path, max(_CONNECTIONS), _WARM_UP_SECONDS)
            loads = [self._load(url + path, connections, _SECONDS) for connections in _CONNECTIONS]
            for process in started:
                if (code := process.poll()) is not None:
                    raise NotMeasured(f"{process.args!r} ended with {code}\n{self._last_words()}")
            self._log.unlink()
        if any((load.megabytes > 0) != (source is not None) for load in loads):
            raise NotMeasured("the downloads were not as they were to be")
        return loads

    def _load(self, url: str, connections: int, seconds: int) -> Load:
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"]
        sent, start = self._sent(), time.monotonic()
        done = subprocess.run(
            [*command, "-s", str(HERE / "post.lua"), url],
            env={**self._environ, "BODY": CALLBACK},
            capture_output=True,
            text=True,
            check=False,
        )
        megabytes = (self._sent() - sent) / 1e6 / (time.monotonic() - start)
        if done.returncode != 0:
            raise NotMeasured(f"wrk ended with {done.returncode}: {done.stderr.strip()}")
        sums = json.loads(done.stdout.splitlines()[-1])
        if sums["failed"] or not sums["answers"]:
            said = f"{done.stdout}{self._last_words()}"
            raise NotMeasured(f"{sums['failed']} failed, {sums['answers']} were answered\n{said}")
        return Load(
            answers=sums["answers"] / sums["microseconds"] * 1e6, p99=sums["p99"] / 1e3, megabytes=megabytes
        )

    def _sent(self) -> int:
        return int(self._http.get(f"{self._files}/sent").text)

    def _last_words(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-2000:]


def measured(turns: int) -> dict[Case, list[list[Load]]]:
    """For each case the loads of each turn."""
    with TemporaryDirectory(prefix="suno-wav-bench-") as name:
        folder = Path(name)
        receivers = [
            *candidates.ours(),
            *candidates.flask(folder / "flask"),
            *candidates.express(folder / "express"),
        ]
        cases = [
            Case(receiver=receiver, pressure=pressure) for pressure in _PRESSURES for receiver in receivers
        ]
        results: dict[Case, list[list[Load]]] = {case: [] for case in cases if case.makes_sense()}
        environ, files = _clean_environment(), _free_url()
        command = [sys.executable, str(HERE / "file_server.py"), files.rpartition(":")[2], name]
        with _started(command, environ, folder / "files.log"), httpx.Client(trust_env=False) as http:
            candidates.wait_for(http, f"{files}/sent")
            bench = Bench(folder, environ, files, http)
            for turn in range(turns):
                print(f"turn {turn + 1} of {turns}", file=sys.stderr)
                # There and back, so that no receiver always comes first.
                for case in list(results)[:: -1 if turn % 2 else 1]:
                    try:
                        results[case].append(bench.loads(case))
                    except NotMeasured as error:
                        about = f"{case.receiver.name}, downloads {case.pressure.name}"
                        raise NotMeasured(f"{about}: {error}") from error
        return results


@contextmanager
def _started(command: list[str], environ: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start a process; it has ended when the block is left."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_LAST_MOMENT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _clean_environment() -> dict[str, str]:
    """No proxy and no setting of the person who measures."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_OURS) and not name.lower().endswith("_proxy")
    }


def _free_url() -> str:
    with bind_socket(0) as bound:
        return address_of(bound)


def _print_table(results: Mapping[Case, list[list[Load]]]) -> None:
    print(f"{'receiver':<16} {'downloads':<13} {'MB/s':>5} {'connections':>11}", end="")
    print(f"  {'acks/s':>6} {'to ours':>7}  {'p99 ms':>6} {'to ours':>7}")
    ours: dict[tuple[Pressure, int], Load] = {}
    for case, turns in results.items():
        for number, connections in enumerate(_CONNECTIONS):
            loads = [turn[number] for turn in turns]
            load = Load(
                answers=median(load.answers for load in loads),
                p99=median(load.p99 for load in loads),
                megabytes=median(load.megabytes for load in loads),
            )
            # Ours is the first.
            peer = ours.setdefault((case.pressure, connections), load)
            print(f"{case.receiver.name:<16} {case.pressure.name:<13} {load.megabytes:5.0f}", end="")
            print(f" {connections:>11}  {load.answers:6.0f} {load.answers / peer.answers:7.2f}", end="")
            print(f"  {load.p99:6.1f} {load.p99 / peer.p99:7.2f}")


def _number_of_runs(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to 100")
    return int(text)


def main() -> int:
    parser = argparse.ArgumentParser(description="Acknowledgements while downloads run, beside peers.")
    parser.add_argument("--runs", metavar="N", type=_number_of_runs, default=3, help="turns; default: 3")
    arguments = parser.parse_args()
    missing = [tool for tool in ("wrk", "curl") if shutil.which(tool) is None]
    if missing:
        print(f"Not installed, and needed to measure: {', '.join(missing)}.", file=sys.stderr)
        return 2
    try:
        results = measured(arguments.runs)
    except (NotMeasured, OSError, httpx.HTTPError) as error:
        print(f"Not measured: {error}", file=sys.stderr)
        return 1
    _print_table(results)
    print("\nMedians. `to ours`: more acks/s than ours above 1, and a shorter p99 below 1.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
