"""`--exec`: a command for each saved song."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.conversion.exec_command import check_command, fill_place
from suno_wav_cli.errors import UsageError
from suno_wav_cli.system.shell_words import split_command
from tests.support.program import ENDS_WITHIN, named, read_until, started, wait_until

if TYPE_CHECKING:
    from tests.support.program import Sandbox


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("flac {}", ("flac", "{}")),
        ("cp '{}' /a\\ b/ # c", ("cp", "{}", "/a b/", "#", "c")),
        ("a \"b 'c'\" 'd \"e\"' ''", ("a", "b 'c'", 'd "e"', "")),
        ("a | b > c; d $E `f` *", ("a", "|", "b", ">", "c;", "d", "$E", "`f`", "*")),
    ],
)
def test_a_command_is_split_as_a_shell_splits_it(command: str, words: tuple[str, ...]) -> None:
    assert split_command(command, windows=False) == words == tuple(shlex.split(command))


def test_on_windows_a_backslash_is_part_of_a_path() -> None:
    command = r'"C:\Program Files\flac.exe" -o D:\it' + "'s {}"
    assert split_command(command, windows=True) == (r"C:\Program Files\flac.exe", "-o", r"D:\it's", "{}")


@pytest.mark.parametrize(
    ("words", "filled"),
    [
        (["flac"], ["flac", "/a b"]),
        (["cp", "{}", "{}.bak"], ["cp", "/a b", "/a b.bak"]),
        (["x", "--in={}", "-"], ["x", "--in=/a b", "-"]),
    ],
)
def test_the_path_goes_where_the_braces_are_or_to_the_end(words: list[str], filled: list[str]) -> None:
    assert fill_place(words, "/a b") == filled


@pytest.mark.parametrize("command", ["{}", "no-such-program-7", "./absent {}"])
def test_what_cannot_be_started_is_refused(command: str) -> None:
    with pytest.raises(UsageError, match="--exec"):
        check_command(command)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("command", "said"), [("'open", "is not a command"), ("''", "is not a command"), ("", "--exec is empty")]
)
def test_what_is_no_command_is_refused_before_anything_is_paid_for(
    sandbox: Sandbox, command: str, said: str
) -> None:
    done = sandbox.run("convert", "demo+no-command", f"--exec={command}")
    assert (done.code, sandbox.counted("submissions", "demo+no-command")) == (2, 0)
    assert said in done.err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("option", ["--exec=true", "--info-json", "--checksums=SUMS"])
def test_a_song_in_a_pipe_has_no_file_for_it(sandbox: Sandbox, option: str) -> None:
    done = sandbox.run("convert", "demo+piped-exec", "--out", "-", option)
    assert (done.code, sandbox.counted("submissions", "demo+piped-exec")) == (2, 0)
    assert "needs a file" in done.err


def test_it_runs_for_each_song_without_our_secrets(sandbox: Sandbox) -> None:
    """Its output is in standard error, so that standard output holds paths and nothing else."""
    script = "import os, sys, json; print(json.dumps([sys.argv[1:], sorted(os.environ), sys.stdin.read()]))"
    ours = {"SUNO_API_KEY": "k-1", "NGROK_AUTHTOKEN": "t-2", "SUNO_WAV_HMAC_KEY": "h-3", "AWS_REGION": "here"}
    done = sandbox.run(
        *("convert", "demo+run-1", "demo+run-2", "--exec", shlex.join([sys.executable, "-c", script])),
        env={**ours, "suno_wav_other": "lower"},
    )
    assert (done.code, sorted(done.out.splitlines())) == (0, ["demo+run-1.wav", "demo+run-2.wav"])
    said = [json.loads(line) for line in done.err.splitlines() if line.startswith("[")]
    assert sorted(arguments for arguments, *_ in said) == [
        [str(Path("demo+run-1.wav").absolute())],
        [str(Path("demo+run-2.wav").absolute())],
    ]
    for _, names, entered in said:
        assert [name for name in names if "SUNO" in name.upper() or "NGROK" in name] == []
        assert "AWS_REGION" in names
        assert entered == ""


def test_no_shell_reads_a_name_or_the_command(sandbox: Sandbox) -> None:
    name = "a; touch owned $(touch owned) `touch owned`.wav"
    done = sandbox.run("convert", "demo+no-shell", "--out", name, "--exec", "echo $HOME {} > out")
    assert done.code == 0
    assert f"$HOME {Path(name).absolute()} > out" in done.err.splitlines()
    assert not Path("owned").exists()
    assert not Path("out").exists()


@pytest.mark.long
def test_no_line_is_lost_when_it_prints_much(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+prints-much", "--exec", "sh -c 'seq 20000; printf end'", "--quiet")
    assert (done.code, done.err.splitlines()) == (0, [*map(str, range(1, 20001)), "end"])


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "code", "reason"),
    [
        ("sh -c 'exit 7'", 7, "exit code 7"),
        ("sh -c 'kill -KILL $$'", None, "ended by SIGKILL"),
        ("./not-a-program", None, "./not-a-program: Exec format error"),
    ],
)
def test_a_failure_is_reported_and_undoes_nothing(
    sandbox: Sandbox, command: str, code: int | None, reason: str
) -> None:
    Path("not-a-program").write_bytes(b"\x7fELF")
    Path("not-a-program").chmod(0o755)
    song = f"demo+exec-{reason[:4].strip()}{code}".replace("/", "")
    done = sandbox.run("convert", song, "--json", "--exec", command)
    assert done.code == 5
    (failed,) = done.named("command_failed")
    assert (failed["audio_id"], failed["code"], failed["reason"]) == (song, code, reason)
    assert [event["saved"] for event in done.named("summary")] == [1]
    assert f"{song}: error: the command of --exec failed: {reason}" in done.err
    # Saved is saved: the same command has nothing to do, and says so.
    again = sandbox.run("convert", song, "--exec", command)
    assert (again.code, again.out) == (0, f"{song}.wav\n")


@pytest.mark.long
def test_it_ends_after_the_timeout_with_all_that_it_has_started(sandbox: Sandbox) -> None:
    done = sandbox.run(
        *("convert", "demo+exec-slow", "--json", "--timeout", "3s"),
        *("--exec", "sh -c 'sleep 600 & echo $! > pids; echo $$ >> pids; wait'"),
    )
    assert done.code == 5
    (failed,) = done.named("command_failed")
    assert failed["reason"] == "it was ended after 3 s (--timeout)"
    wait_until(lambda: not any(map(is_running, Path("pids").read_text().split())))


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_it_too(sandbox: Sandbox, number: signal.Signals) -> None:
    command = "sh -c 'trap \"\" TERM INT; echo $$ > pid; sleep 600'"
    with started(sandbox, "convert", f"demo+exec-{number.name}", "--exec", command) as process:
        read_until(process, named("saved"))
        wait_until(lambda: Path("pid").exists() and Path("pid").read_text().endswith("\n"))
        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=ENDS_WITHIN)
        assert (process.returncode, time.monotonic() - began < ENDS_WITHIN) == (128 + number, True)
    # The song is saved, and nothing is left to continue.
    assert '"saved": 1' in next(line for line in out.splitlines() if '"summary"' in line)
    assert "resume" not in err
    wait_until(lambda: not is_running(Path("pid").read_text().strip()))


@pytest.mark.long
def test_commands_are_bounded_in_number(sandbox: Sandbox) -> None:
    script = (
        "import os, time; from pathlib import Path; mine = Path(f'running-{os.getpid()}'); mine.touch(); "
        "time.sleep(0.3); print('seen', len(list(Path('.').glob('running-*')))); mine.unlink()"
    )
    songs = [f"demo+bounded-{index}" for index in range(6)]
    done = sandbox.run("convert", *songs, "--jobs", "2", "--exec", shlex.join([sys.executable, "-c", script]))
    seen = [int(line.split()[1]) for line in done.err.splitlines() if line.startswith("seen")]
    assert (done.code, len(seen), max(seen)) == (0, 6, 2)


@pytest.mark.long
def test_the_line_that_continues_runs_the_command_too(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+later", "--no-wait", "--exec", "echo done {}", "--json")
    (detached,) = done.named("detached")
    argv = detached["continue_argv"]
    assert argv[argv.index("--exec") + 1] == "echo done {}"
    resumed = sandbox.run(*argv[1:])
    assert f"done {Path('demo+later.wav').absolute()}" in resumed.err.splitlines()


def test_a_log_does_not_hold_the_command(sandbox: Sandbox) -> None:
    """It may carry a token, such as one in a header for curl."""
    sandbox.run("convert", "demo+logged", "--no-wait", "--exec", "echo token-5c1f", "--log-file", "log")
    assert "detached" in Path("log").read_text()
    assert "token-5c1f" not in Path("log").read_text()


def is_running(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    # An orphan that no process has waited for yet.
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
