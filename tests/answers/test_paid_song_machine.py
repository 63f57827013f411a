"""Any sequence of answers, callbacks, crashes and two programs at once leaves paid songs safe."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.sandbox.answers.faults import Kind
from suno_wav_cli.sandbox.demo_ids import choose_behaviour
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.cdn import tune
from tests.support.ports import free_port
from tests.support.program import Sandbox, start_program
from tests.support.quick import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suno_wav_cli.sandbox.service import Service

_MUSIC = "0123456789abcdef0123456789abcdef"
_PATIENCE = 60.0
_BUG = 1
_numbers = count(1)

LAYOUTS = ("demo", "demo-mono")
"""The files of the two songs differ."""

SUBMISSIONS = (
    "ok",
    "busy",
    "402",
    "500.paid",
    "nested",
    "number",
    "null",
    "lose",
    "lose.unpaid",
    "same~always",
    "cut86",
)
LOOKUPS = (
    *("ok", "null", "404", "402", "451", "401", "page.http403", "http302", "429.after0", "cut", "othertask"),
    *(
        "pending",
        "exception",
        "odd",
        "nourl",
        "numeric",
        "urlobject",
        "masked",
        "othersong",
        "failed",
        "unusable",
    ),
)
MOMENTS = ("submitting", "submitted", "looked_up", "state_changed", "download_progress", "saved")
"""Events at which a program is killed, if it comes so far."""

_steps = st.lists(st.sampled_from(LOOKUPS), max_size=4)
_songs = st.integers(0, len(LAYOUTS) - 1)
_moments = st.none() | st.sampled_from(MOMENTS)


class PaidSongs(RuleBasedStateMachine):
    """One journal and two songs, which any command may meet, killed or not."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.folder = Path(self.stack.enter_context(TemporaryDirectory()))
        self.resubmitted = [0, 0]
        self.songs: list[str] = []

    @initialize(
        provider=st.sampled_from(["sandbox", "kie", "kie-jobs"]),
        submissions=st.lists(st.sampled_from(SUBMISSIONS), min_size=1, max_size=3),
        lookups=_steps,
    )
    def begin(self, provider: str, submissions: list[str], lookups: list[str]) -> None:
        bound = self.stack.enter_context(bind_socket(0))
        self.service: Service = self.stack.enter_context(run_sandbox(bound, speed=200.0, credits_left=1_000))
        sandbox = Sandbox(base_url=address_of(bound))
        self.sandbox = sandbox if provider == "sandbox" else sandbox.as_kie(provider)
        # Nothing can follow a step that repeats always.
        submissions = [step for step in submissions if "~" not in step] + [
            step for step in submissions[-1:] if "~" in step
        ]
        orders = f"submit-{'-'.join(submissions)}-lookup-{'-'.join(lookups or ['ok'])}"
        number = next(_numbers)
        self.songs = [f"{layout}-{orders}+m{number}-{at}" for at, layout in enumerate(LAYOUTS)]

    def teardown(self) -> None:
        self.stack.close()

    @rule(song=_songs, called_back=st.booleans(), moment=_moments)
    def convert(self, song: int, called_back: bool, moment: str | None) -> None:
        self.run([self.convert_line(song, called_back=called_back)], moment)

    @rule(song=_songs)
    def convert_with_two_programs(self, song: int) -> None:
        self.run([self.convert_line(song, called_back=False)] * 2, None)

    @rule(moment=_moments)
    def convert_both_songs(self, moment: str | None) -> None:
        out = str(self.folder / "{id}.wav")
        self.run([["convert", *self.songs, "--task-id", _MUSIC, "--out", out, "--tunnel", "none"]], moment)

    @rule(song=_songs)
    def submit_again_on_demand(self, song: int) -> None:
        self.resubmitted[song] += 1
        self.run([[*self.convert_line(song, called_back=False), "--resubmit"]], None)

    @rule(moment=_moments)
    def resume(self, moment: str | None) -> None:
        self.run([["resume"]], moment)

    @rule(song=_songs)
    def ask_for_its_status(self, song: int) -> None:
        self.run([["status", self.songs[song], "--wait"]], None)

    @invariant()
    def nothing_is_paid_for_twice_unless_told_so(self) -> None:
        for song, resubmitted in zip(self.songs, self.resubmitted, strict=False):
            accepted = self.service.counters.accepted[song]
            assert accepted <= 1 + resubmitted, f"{song} is paid for {accepted} times"

    @invariant()
    def every_file_holds_its_own_song(self) -> None:
        for song, layout in zip(self.songs, LAYOUTS, strict=False):
            for file in self.folder.glob(f"*{song}.wav"):
                assert file.read_bytes() == tune(layout), f"{file.name} holds another song"

    def failures_are_the_records(self) -> None:
        """No paid song is failed unless the last record of its task said so."""
        for task_id in self.failed_tasks():
            task = self.service.find_task(task_id)
            assert task is not None, f"{task_id} is of no song"
            steps = choose_behaviour(task.audio_id).lookups.in_turn()
            last = [next(steps) for _ in range(task.lookups)][-1:]
            assert [step.has(Kind.FAILED) for step in last] == [True], f"{task.audio_id} is given up"

    def convert_line(self, song: int, *, called_back: bool) -> list[str]:
        port = str(free_port())
        way = (
            ["--port", port, "--public-url", f"http://127.0.0.1:{port}"]
            if called_back
            else ["--tunnel", "none"]
        )
        out = str(self.folder / f"{self.songs[song]}.wav")
        return ["convert", self.songs[song], "--task-id", _MUSIC, "--out", out, *way]

    def run(self, lines: list[list[str]], moment: str | None) -> None:
        """Run programs at the same time. Kill the first one at the moment, if it is reached."""
        processes = [
            start_program(
                *line,
                "--json",
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for line in lines
        ]
        killed = moment is not None and _reaches(processes[0], moment)
        if killed:
            processes[0].kill()
        for line, process in zip(lines, processes, strict=True):
            _, err = process.communicate(timeout=_PATIENCE)
            assert "Traceback" not in err, err
            assert process.returncode != _BUG, f"{line}: {err}"
        if not killed:
            self.failures_are_the_records()

    def failed_tasks(self) -> list[str]:
        journal = self.folder / "home" / "journal.sqlite3"
        if not journal.exists():
            return []
        with closing(sqlite3.connect(journal)) as connection:
            rows = connection.execute(
                "SELECT wav_task_id FROM conversion WHERE state = 'failed' AND wav_task_id IS NOT NULL"
            )
            return [task_id for (task_id,) in rows]

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            **self.sandbox.settings,
            "SUNO_WAV_HOME": str(self.folder / "home"),
            "SUNO_WAV_POLL_INTERVAL": "30ms",
            "SUNO_WAV_TIMEOUT": "1500ms",
        }


def _reaches(process: subprocess.Popen[str], moment: str) -> bool:
    assert process.stdout is not None
    return any(json.loads(line)["event"] == moment for line in process.stdout)


PaidSongs.TestCase.settings = settings(
    max_examples=examples(8),
    stateful_step_count=5,
    deadline=None,
    # A failure has five steps at the most. To make it smaller would take minutes.
    phases=[Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
TestPaidSongs = pytest.mark.long(PaidSongs.TestCase)
