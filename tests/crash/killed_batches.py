"""End batches with SIGINT, SIGTERM and SIGKILL at random moments, and run the same command until it is done.

    python -m tests.crash.killed_batches [--runs N] [--songs N] [--seed S]

In every third run two programs with the same list share a journal, and each is ended at a moment of
its own. Unknown outcomes are settled as a person would: a task in the account's log is resumed, and
what is not there is paid for again. In the end every file must be whole, every song paid for once,
and nothing else be left beside the files. Exit code: 0, or 1 where anything was not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from suno_wav_cli.models import SubmissionWindow
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.cdn import tune
from tests.support.program import Sandbox, command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from suno_wav_cli.sandbox.service import Service

_RUNS, _SONGS = 60, 200
_AT_ONCE = 4
_SPEED = 20.0
_WINDOW = SubmissionWindow(submissions=200, seconds=2.0)
"""Of both sides. A batch is paid for within seconds."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_SONG = "demo-mono"
_LATE = f"{_SONG}-submit-late6"
"""Accepted, and answered 0.3 s later: every fourth song, so that outcomes are unknown after a kill."""
_PATIENCE = 300.0
_RERUNS = 5
_UNKNOWN = 6
_MOST_UNKNOWN = 40
"""In the air when a program is killed. Far more would mean that answers are not written down."""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A program gets `signal` when the batch has come so `far`, and `seconds` have passed.

    `far` is a share of all submissions and downloads. The program gets the signal `again` after so
    many seconds: an impatient person presses Ctrl-C twice.
    """

    signal: signal.Signals
    far: float
    seconds: float
    again: float | None

    def __str__(self) -> str:
        twice = "" if self.again is None else f", again after {self.again:.2f} s"
        return f"{self.signal.name} at {self.far:.0%} and {self.seconds:.2f} s{twice}"


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The `number`th one of a seed, whose programs are ended so."""

    number: int
    songs: Sequence[str]
    endings: Sequence[Ending]

    def __str__(self) -> str:
        return f"batch {self.number} ({', '.join(map(str, self.endings))})"


@dataclass(kw_only=True)
class Seen:
    """What became of a batch: exit codes of the ended programs and of the reruns, and what was unknown."""

    ended: list[int] = field(default_factory=list)
    reruns: list[int] = field(default_factory=list)
    unknown: int = 0
    refused: int = 0
    saved_before: int = 0


def batches(runs: int, songs: int, seed: int) -> list[Batch]:
    chance = random.Random(seed)

    def ending(number: int) -> Ending:
        # The first tenth is the start of the program and its plan.
        far = max(0.0, chance.uniform(-0.1, 1.0))
        return Ending(
            signal=_SIGNALS[number % 3],
            far=far,
            seconds=chance.uniform(0, 0.4 if far else 1.5),
            again=chance.uniform(0, 0.6) if chance.random() < 1 / 3 else None,
        )

    return [
        Batch(
            number=number,
            songs=[f"{_SONG if song % 4 else _LATE}+batch{seed}-{number}-{song}" for song in range(songs)],
            endings=[ending(number // 3 + other + number) for other in range(2 if number % 3 == 2 else 1)],
        )
        for number in range(runs)
    ]


@contextmanager
def serving() -> Iterator[tuple[Sandbox, Service]]:
    """Serve a sandbox that takes as many submissions as the programs assume."""
    window = SubmissionWindow(submissions=_WINDOW.submissions, seconds=_WINDOW.seconds * _SPEED)
    with (
        bind_socket(0) as bound,
        run_sandbox(bound, speed=_SPEED, credits_left=1_000_000, window=window) as service,
    ):
        yield Sandbox(base_url=address_of(bound)), service


def check(batch: Batch, sandbox: Sandbox, service: Service, folder: Path) -> Seen:
    """End the batch's programs, then finish it. Raise AssertionError where anything is not as it must be."""
    out, seen = folder / "songs", Seen()
    folder.mkdir(parents=True)
    listed = folder / "list.txt"
    listed.write_text("".join(f"{song}\n" for song in batch.songs), encoding="utf-8")
    environ = {
        **os.environ,
        **sandbox.settings,
        "SUNO_WAV_HOME": str(folder / "home"),
        "SUNO_WAV_WINDOW": str(_WINDOW),
        "SUNO_WAV_TIMEOUT": "4m",
    }
    command = command_line(
        *("convert", "--from-file", str(listed), "--out", f"{out}/", "--tunnel", "none", "--json"),
        *("--checksums", str(folder / "sums")),
    )
    seen.ended = _end(batch, service, command, environ)
    whole = tune(_SONG)
    for file in out.glob("*.wav"):
        assert file.read_bytes() == whole, f"{file.name} has its name, and is not whole"
        seen.saved_before += 1
    while True:
        code, events = _run(command, environ)
        seen.reruns.append(code)
        if code == 0:
            break
        assert len(seen.reruns) < _RERUNS, f"it does not end: exit codes {seen.reruns}, {_failures(events)}"
        failed = [event for event in events if event["event"] == "song_failed"]
        other = [event for event in failed if event["exit_code"] != _UNKNOWN]
        assert failed, f"the rerun ends with {code}, and no song has failed"
        assert not other, f"the rerun ends with {code}: {_failures(events)}"
        unknown = {event["audio_id"] for event in failed}
        assert not seen.unknown, "unknown once more, after it was settled"
        seen.unknown = len(unknown)
        assert seen.unknown <= _MOST_UNKNOWN * len(batch.endings), f"{seen.unknown} outcomes are unknown"
        _settle(unknown, service, environ, out)
    _check_end(batch, service, out, folder)
    seen.refused = sum(service.counters.submissions[song] for song in batch.songs) - len(batch.songs)
    return seen


def _end(batch: Batch, service: Service, command: Sequence[str], environ: Mapping[str, str]) -> list[int]:
    """Start a program for each ending, and end it. Return the exit codes."""

    def end(ending: Ending) -> int:
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                deadline = time.monotonic() + _PATIENCE
                while _progress(batch, service) < ending.far and process.poll() is None:
                    assert time.monotonic() < deadline, "it has come to a stand"
                    _wait(process, 0.02)
                _wait(process, ending.seconds)
                process.send_signal(ending.signal)
                if ending.again is not None:
                    _wait(process, ending.again)
                    process.send_signal(ending.signal)
                _, said = process.communicate(timeout=_PATIENCE)
            finally:
                process.kill()
        # Python shows one for Ctrl-C while it starts. Then none of the program's files is in it.
        assert "Traceback" not in said or "suno_wav_cli" not in said, said
        stopped = (-signal.SIGKILL,) if ending.signal is signal.SIGKILL else (128 + ending.signal,)
        # A signal that comes before the program has begun, or after it has ended, is the system's or Python's.
        known = process.returncode in (*stopped, -ending.signal, 0) or "KeyboardInterrupt" in said
        assert known or len(batch.endings) > 1, f"{ending} ends with {process.returncode}: {said}"
        return process.returncode

    with ThreadPoolExecutor(len(batch.endings)) as pool:
        return list(pool.map(end, batch.endings))


def _wait(process: subprocess.Popen[str], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _progress(batch: Batch, service: Service) -> float:
    counted = (service.counters.accepted, service.counters.file_requests)
    done = sum(bool(counter[song]) for counter in counted for song in batch.songs)
    return done / (len(counted) * len(batch.songs))


def _run(command: Sequence[str], environ: Mapping[str, str]) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def _failures(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [event for event in events if event["event"] in ("song_failed", "failed")][:3]


def _settle(unknown: set[str], service: Service, environ: Mapping[str, str], out: Path) -> None:
    """Look into the account's log. Resume the tasks that are there, and pay again for the other songs."""
    tasks = {task.audio_id: task.task_id for task in list(service.tasks.values()) if task.audio_id in unknown}
    if tasks:
        code, events = _run(command_line("resume", *tasks.values(), "--out", f"{out}/", "--json"), environ)
        assert code == 0, f"resuming the tasks in the log ends with {code}: {_failures(events)}"
    if others := unknown - tasks.keys():
        code, events = _run(command_line("resume", "--resubmit", *others, "--json"), environ)
        assert code == 0, f"paying again ends with {code}: {_failures(events)}"


def _check_end(batch: Batch, service: Service, out: Path, folder: Path) -> None:
    whole = tune(_SONG)
    paid = {song: service.counters.accepted[song] for song in batch.songs}
    assert set(paid.values()) == {1}, f"not paid for once: {[song for song in paid if paid[song] != 1][:3]}"
    wanted = sorted(f"{song}.wav" for song in batch.songs)
    assert sorted(path.name for path in out.iterdir()) == wanted, "the folder does not hold the files alone"
    broken = [name for name in wanted if (out / name).read_bytes() != whole]
    assert not broken, f"not whole: {broken[:3]}"
    sums = (folder / "sums").read_text(encoding="utf-8").splitlines()
    assert sorted(sums) == sorted(f"{sha256(whole).hexdigest()}  songs/{name}" for name in wanted), (
        "--checksums does not list each song once"
    )
    left = {path.name for path in folder.iterdir()} - {"home", "list.txt", "songs", "sums"}
    assert not left, f"{left} is left"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=_RUNS)
    parser.add_argument("--songs", type=int, default=_SONGS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in list(os.environ):
        if name.startswith(("SUNO_", "NGROK_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    # A background shell ignores SIGINT. The programs started here would too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    began = time.monotonic()
    with (
        TemporaryDirectory() as folder,
        serving() as (sandbox, service),
        ThreadPoolExecutor(_AT_ONCE) as pool,
    ):

        def violation(batch: Batch) -> str | Seen:
            path = Path(folder) / str(batch.number)
            try:
                seen = check(batch, sandbox, service, path)
            except AssertionError as error:
                return f"{batch}: {error}"
            print(f"{batch}: {seen}", flush=True)
            return seen

        found = list(pool.map(violation, batches(options.runs, options.songs, options.seed)))
    wrong = [line for line in found if isinstance(line, str)]
    right = [seen for seen in found if isinstance(seen, Seen)]
    for line in wrong:
        print(line)
    codes = Counter(code for seen in right for code in seen.ended)
    print(f"exit codes of what was ended: {dict(codes)}")
    print(
        f"{sum(seen.unknown for seen in right)} outcomes were unknown, at most "
        f"{max((seen.unknown for seen in right), default=0)} in a batch; "
        f"{sum(seen.refused for seen in right)} refused"
    )
    print(f"{len(found)} batches ended in {time.monotonic() - began:.0f} s, {len(wrong)} violations")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
