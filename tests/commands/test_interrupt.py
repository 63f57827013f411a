"""Ctrl-C, SIGTERM and SIGHUP: out at once, with the line that continues, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from suno_wav_cli.system.event_loop import CommandCancelled, run_async
from suno_wav_cli.system.signals import Stopped
from tests.support.program import (
    ENDS_WITHIN,
    Sandbox,
    command_line,
    named,
    read_until,
    run_program,
    start_program,
    started,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

pytestmark = pytest.mark.timing

SIGNALS = [
    pytest.param(signal.SIGINT, 130, id="Ctrl-C"),
    pytest.param(signal.SIGTERM, 143, id="SIGTERM"),
    pytest.param(signal.SIGHUP, 129, id="SIGHUP"),
]


def stop(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    """Send the signal; return the exit code and standard error once it has ended."""
    children = psutil.Process(process.pid).children(recursive=True)
    begun = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate(timeout=2 * ENDS_WITHIN)
    assert time.monotonic() - begun < ENDS_WITHIN
    assert children == []
    assert "Traceback" not in said
    assert "ignored" not in said
    return process.returncode, said


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_waiting(sandbox: Sandbox, number: signal.Signals, code: int) -> None:
    """The printed line, typed as it stands, finishes the song without paying again."""
    song = f"demo-slow+{number.name}"
    with started(sandbox, "convert", song, "--out", "song.wav") as process:
        read_until(process, named("submitted"))
        returned, said = stop(process, number)
    assert returned == code
    line = said.partition("To continue: ")[2].strip()
    program, *arguments = shlex.split(line)
    assert program == "suno-wav"
    done = sandbox.run(*arguments)
    assert (done.code, Path(done.out.strip()).name) == (0, "song.wav")
    assert sandbox.counted("submissions", song) == 1


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("number", "code"), SIGNALS)
def test_while_a_download_waits_for_a_byte(sandbox: Sandbox, number: signal.Signals, code: int) -> None:
    """The `.part` stays, and no file appears under the final name."""
    with started(sandbox, "convert", f"demo-stall+{number.name}", "--out", "song.wav") as process:
        read_until(process, lambda event: event["event"] == "download_progress" and event["received"] > 0)
        returned, said = stop(process, number)
    assert returned == code
    assert "To continue: suno-wav resume" in said
    assert [path.name for path in Path().iterdir()] == ["song.wav.part"]


@pytest.mark.long
def test_while_four_connections_wait_for_a_byte(sandbox: Sandbox) -> None:
    with started(sandbox, "convert", "demo-17mb-cdn-stall1m~4+stop", "--out", "song.wav") as process:
        wait_until(lambda: sandbox.counted("file_requests", "demo-17mb-cdn-stall1m~4+stop") == 4)
        returned, said = stop(process, signal.SIGINT)
    assert returned == 130
    done = sandbox.run(*shlex.split(said.partition("To continue: suno-wav ")[2]))
    assert (done.code, Path("song.wav").stat().st_size) == (0, 17_000_044)


@pytest.mark.long
def test_while_a_task_is_resumed(sandbox: Sandbox) -> None:
    task_id = sandbox.run("convert", "demo-never+resumed", "--no-wait").out.strip()
    with started(sandbox, "resume", task_id) as process:
        read_until(process, named("looked_up"))
        returned, said = stop(process, signal.SIGINT)
    assert returned == 130
    assert said.count(f"To continue: suno-wav resume {task_id}") == 1


@pytest.mark.long
def test_while_the_submission_has_no_answer(sandbox: Sandbox) -> None:
    """What nobody can know is said, and a second run says it again."""
    with started(sandbox, "convert", "demo-hang+stop", "--tunnel", "none") as process:
        wait_until(lambda: sandbox.counted("accepted", "demo-hang+stop") == 1)
        returned, said = stop(process, signal.SIGINT)
    assert returned == 130
    assert said.endswith(
        "suno-wav: 0 of 1 saved, 1 unknown (paid for or not)\n"
        "stopped by Ctrl-C\n"
        "  To continue: run the same command again\n"
    )
    again = sandbox.run("convert", "demo-hang+stop")
    assert again.code == 6
    assert "it is not known whether the song was submitted and charged: the program was stopped" in again.err
    assert sandbox.counted("submissions", "demo-hang+stop") == 1


def test_while_the_service_does_not_answer_a_lookup(sandbox: Sandbox) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as deaf:
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        with started(sandbox, "status", "0" * 32, "--base-url", address) as process:
            deaf.settimeout(10)
            with closing(deaf.accept()[0]):
                returned, _ = stop(process, signal.SIGTERM)
    assert returned == 143


@pytest.mark.long
def test_in_the_sandbox_that_a_command_started_itself() -> None:
    process = start_program(
        *("convert", "demo-slow", "--provider", "sandbox", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    read_until(process, named("submitted"))
    returned, said = stop(process, signal.SIGINT)
    assert returned == 130
    assert re.search(r"To continue: suno-wav resume [0-9a-f]{32} --provider sandbox\n", said)


@pytest.mark.long
def test_ignored_interrupts_stay_ignored_and_sigterm_works(sandbox: Sandbox) -> None:
    """A shell starts background jobs with SIGINT ignored; SIGTERM must end them all the same."""

    def ignore() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    process = start_with(sandbox, ignore)
    read_until(process, named("submitted"))
    process.send_signal(signal.SIGINT)
    returned, _ = stop(process, signal.SIGTERM)
    assert returned == 143


def start_with(sandbox: Sandbox, before: Callable[[], None]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command_line("convert", "demo-never+ignored", "--json"),
        env=os.environ | sandbox.settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=before,  # noqa: PLW1509 - the test has no other threads at work here
    )


@pytest.mark.long
def test_a_sandbox_of_ones_own_continues_a_part_file_in_a_later_run() -> None:
    process = start_program(
        *("convert", "demo-stall", "--provider", "sandbox", "--out", "song.wav", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    read_until(process, lambda event: event["event"] == "download_progress" and event["received"] > 0)
    returned, _ = stop(process, signal.SIGINT)
    assert (returned, [path.name for path in Path().iterdir()]) == (130, ["song.wav.part"])
    done = run_program("resume", "--provider", "sandbox", "--stall-timeout", "1s", "--json")
    assert (done.code, [path.name for path in Path().iterdir()]) == (0, ["song.wav"])


_WHILE_LOADING = """
import os, signal, sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "suno_wav_cli.commands.convert":
            os.kill(os.getpid(), signal.SIGTERM)

sys.meta_path.insert(0, Finder())
sys.argv = ["suno-wav", "convert", "demo"]
from suno_wav_cli.cli.main import main
main()
"""


@pytest.mark.long
def test_while_the_modules_of_a_command_are_loaded(sandbox: Sandbox) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WHILE_LOADING],
        env=os.environ | sandbox.settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (143, "", "stopped by SIGTERM\n")


def test_a_signal_that_comes_too_late_to_cancel_still_ends_the_program() -> None:
    async def last_moment() -> str:
        signal.raise_signal(signal.SIGTERM)
        return "done"

    with pytest.raises(Stopped) as stopped:
        run_async(last_moment())
    assert stopped.value.signal is signal.SIGTERM


def signal_soon(number: signal.Signals) -> None:
    """Send it when the loop is not in the middle of a coroutine."""
    asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number)


async def interrupted_again_and_again() -> None:
    """Take a moment to find the hint. Signals come all the time."""
    signal_soon(signal.SIGINT)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        signal_soon(signal.SIGTERM)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            os.kill(os.getpid(), signal.SIGINT)
            raise CommandCancelled(("suno-wav", "resume", "1")) from None


async def interrupted_while_it_cleans_up() -> None:
    signal_soon(signal.SIGINT)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        try:
            raise CommandCancelled(("suno-wav", "resume", "1")) from None
        finally:
            signal_soon(signal.SIGTERM)
            await asyncio.sleep(60)


class InterruptedAtItsEnd:
    """Python ignores and prints what is raised here, as in the callback of a weak reference."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


async def interrupted_while_python_frees_an_object() -> None:
    signal_soon(signal.SIGINT)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        try:
            raise CommandCancelled(("suno-wav", "resume", "1")) from None
        finally:
            InterruptedAtItsEnd()
            await asyncio.sleep(5)
            pytest.fail("the second signal is lost")


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends a process on Windows")
@pytest.mark.parametrize(
    "main",
    [
        interrupted_again_and_again,
        interrupted_while_it_cleans_up,
        interrupted_while_python_frees_an_object,
    ],
)
def test_further_signals_do_not_hide_how_to_continue(main: Callable[[], Coroutine[None, None, None]]) -> None:
    with pytest.raises(Stopped) as stopped:
        run_async(main())
    assert stopped.value.continue_argv == ("suno-wav", "resume", "1")
