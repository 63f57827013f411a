"""What goes to which stream: on a real terminal, in a pipe, in a log file, to closed streams."""

from __future__ import annotations

import fcntl
import inspect
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from typer.testing import CliRunner

from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.cli.app import app
from suno_wav_cli.events.deliveries import Listening
from suno_wav_cli.events.union import Event
from suno_wav_cli.terminal.json_lines import event_name
from tests.support.cdn import tune
from tests.support.program import Finished, Sandbox, command_line, run_program, start_program
from tests.support.wild import a_wild_server, envelope, settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

    from tests.support.wild import Seen

ESCAPE = "\x1b"
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
ANY_STYLE = re.compile(r"\x1b\[[\d;]*m")
ANY_MOVE = re.compile(r"[\r\n]|\x1b\[[\d;?]*[A-Za-z]")
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r\nfake: saved"
"""Clears the screen, sets the title, beeps, colours, reverses the text, and forges a line."""


def on_a_terminal(
    settings: Mapping[str, str],
    *arguments: str,
    columns: int = 80,
    term: str = "xterm-256color",
    output_too: bool = False,
) -> Finished:
    """Run the program with standard error on a terminal, and standard output in a pipe or there too."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = start_program(
        *arguments,
        env={"TERM": term, **settings},
        stdin=subprocess.DEVNULL,
        stdout=slave if output_too else subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    seen = b""
    deadline = time.monotonic() + 30
    try:
        while select.select([master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            seen += os.read(master, 65536)
    except OSError:
        pass  # how Linux says that the last writer has gone
    finally:
        os.close(master)
    out, _ = process.communicate(timeout=60)
    shown = (out or b"").decode(errors="replace")
    return Finished(code=process.returncode, out=shown, err=seen.decode(errors="replace"))


def in_bytes(settings: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        command_line(*arguments),
        env={**os.environ, **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def hostile(seen: Seen) -> Response:
    """Refuse submissions with a message that would control a terminal; give tracks such titles."""
    if seen.path == SUNOAPI.music_paths[0]:
        tracks = [{"id": "song", "title": HOSTILE}]
        return envelope(data={"response": {"sunoData": tracks}})
    return envelope(400, f"no: {HOSTILE}")


# A terminal


@pytest.mark.long
@pytest.mark.parametrize("columns", [60, 120])
def test_on_a_terminal_a_bar_moves_and_the_path_goes_to_the_pipe(sandbox: Sandbox, columns: int) -> None:
    """The bar is redrawn, is as wide as the terminal, and is erased in the end."""
    audio_id = f"demo-no-callback+{'x' * 80}{columns}"
    done = on_a_terminal(
        sandbox.settings, "convert", audio_id, "-o", "song.wav", "--poll-interval", "500ms", columns=columns
    )
    assert (done.code, done.out) == (0, "song.wav\n")
    drawn = [line for line in ANY_MOVE.split(ANY_STYLE.sub("", done.err)) if "━" in line]
    assert len(drawn) > 2
    assert {len(line) for line in drawn} == {columns - 3}
    assert "submitting 0:00" in drawn[0]
    assert any("converting 0:00" in line for line in drawn)
    assert done.err.rpartition("━")[2].count(f"{ESCAPE}[2K") >= 1, "the last bar was not erased"
    assert COLOUR.search(done.err), "no colours"


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "settings"),
    [
        pytest.param([], {"NO_COLOR": "1"}, id="NO_COLOR"),
        pytest.param(["--no-color"], {}, id="--no-color"),
    ],
)
def test_the_bar_moves_without_colours(
    sandbox: Sandbox, options: list[str], settings: dict[str, str]
) -> None:
    audio_id = f"demo+plain{len(options)}"
    done = on_a_terminal(sandbox.settings | settings, "convert", audio_id, *options)
    assert (done.code, done.out) == (0, f"{audio_id}.wav\n")
    assert COLOUR.findall(done.err) == []
    assert "━" in done.err


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "term"),
    [
        pytest.param([], "dumb", id="TERM=dumb"),
        pytest.param(["--json"], "xterm-256color", id="--json"),
    ],
)
def test_no_bar_on_a_dumb_terminal_or_with_json(sandbox: Sandbox, options: list[str], term: str) -> None:
    audio_id = f"demo-fails+{term}"
    done = on_a_terminal(sandbox.settings, "convert", audio_id, *options, term=term)
    assert done.code == 7
    assert ESCAPE not in done.err
    assert f"{audio_id}: error: the service could not convert the song" in done.err


# A pipe


@pytest.mark.long
def test_a_pipe_gets_no_escape_sequences(sandbox: Sandbox) -> None:
    """Not even if the environment asks for colours, as CI services do."""
    settings = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "GITHUB_ACTIONS": "true", "CLICOLOR_FORCE": "1"}
    done = sandbox.run("convert", "demo+piped", "demo-fails+piped", "-v", env=settings)
    assert (done.code, done.out) == (5, "demo+piped.wav\n")
    assert ESCAPE not in done.out + done.err
    assert "\r" not in done.out + done.err


@pytest.mark.long
def test_a_song_of_many_has_one_line_in_a_pipe(sandbox: Sandbox) -> None:
    """What is said of it before is for -v and the log."""
    ids = ["demo+piped-1", "demo-fails+piped-2", "demo+piped-3"]
    done = sandbox.run("convert", *ids)
    assert done.code == 5
    lines = done.err.splitlines()
    assert [sum(line.startswith(f"{audio_id}: ") for line in lines) for audio_id in ids] == [1, 1, 1]
    assert "To pay for another try: suno-wav resume demo-fails+piped-2 --resubmit" in done.err
    assert lines[-1] == "suno-wav: 2 of 3 saved, 1 failed"


@pytest.mark.first_cases(0)
@pytest.mark.parametrize(
    ("songs", "summary"),
    [(["demo", "demo"], []), (["demo", "demo-fails"], ["suno-wav: 1 of 2 saved, 1 failed"])],
)
def test_quiet_prints_the_summary_if_a_song_failed(
    sandbox: Sandbox, songs: list[str], summary: list[str]
) -> None:
    ids = [f"{song}+quiet-{len(summary)}{number}" for number, song in enumerate(songs)]
    done = sandbox.run("convert", *ids, "--quiet")
    assert [line for line in done.err.splitlines() if line.startswith("suno-wav: ")] == summary


@pytest.mark.long
def test_quiet_prints_nothing_on_success(sandbox: Sandbox) -> None:
    done = on_a_terminal(sandbox.settings, "convert", "demo+quiet", "--quiet")
    assert (done.code, done.out, done.err) == (0, "demo+quiet.wav\n", "")


def test_quiet_prints_errors_and_remedies(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo-maintenance+quiet", "--quiet", "--retries", "0")
    assert (done.code, done.out) == (6, "")
    assert done.err == (
        "demo-maintenance+quiet: error: the service is in maintenance: System maintenance in progress (code 455)\n"
        "  Nothing was charged for this. Try again in a while.\n"
    )


@pytest.mark.long
def test_verbose_prints_more(sandbox: Sandbox) -> None:
    more = [
        "suno-wav: callbacks arrive at http",
        ": submitting\n",
        "suno-wav: callback for task ",
        ": the service says SUCCESS\n",
    ]
    usual = sandbox.run("convert", "demo+usual").err
    verbose = sandbox.run("convert", "demo+verbose", "-v").err
    assert [text for text in more if text in usual] == []
    assert [text for text in more if text in verbose] == more
    assert len(verbose.splitlines()) == len(usual.splitlines()) + len(more)


# JSON and the log file

EVENT_NAMES = {event_name(kind) for kind in get_args(Event)}


@pytest.mark.parametrize("group", sorted({kind.__module__.rpartition(".")[2] for kind in get_args(Event)}))
def test_the_words_of_an_event_are_in_the_module_that_is_named_as_its_own(group: str) -> None:
    """Nothing but the name leads there. That no event lacks its words is checked by mypy."""
    words = import_module(f"suno_wav_cli.terminal.messages_{group}").render
    annotation = inspect.get_annotations(words)["event"]
    assert annotation.startswith(f"{group}.")


def test_no_event_is_made_without_a_value_that_logs_hide() -> None:
    """That mypy sees it, too, is why it finds something to ignore."""
    with pytest.raises(TypeError, match="callback_url"):
        Listening(local_url="", public_url=None, reason=None, unverified=True)  # type: ignore[call-arg]


@pytest.mark.long
def test_json_prints_one_object_per_event(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+story", "demo-fails+story", "--json", "-o", "{audio_id}.wav")
    names = [event["event"] for event in done.events]
    assert (done.code, set(names) <= EVENT_NAMES) == (5, True)
    assert (*names[:3], names[-1]) == ("quoted", "run_begun", "ready", "summary")
    story = [event["event"] for event in done.events if event.get("audio_id") == "demo+story"]
    assert list(dict.fromkeys(story)) == [
        "submitting",
        "submitted",
        "looked_up",
        "download_started",
        "download_progress",
        "saved",
    ]
    assert [event["path"] for event in done.named("saved")] == ["demo+story.wav"]
    assert [event["exit_code"] for event in done.named("song_failed")] == [7]
    assert done.named("summary") == [
        {
            "event": "summary",
            "requested": 2,
            "saved": 1,
            "skipped": 0,
            "failed": 1,
            "unknown": 0,
            "unfinished": 0,
            "not_begun": 0,
            "ended_early": False,
            "credits": None,
            "price": 0,
        }
    ]
    assert len(done.err.splitlines()) == 2, "standard error has the error and nothing else"


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(["convert"], 2, id="nothing to do"),
        pytest.param(["convert", "a", "--timeout", "soon"], 2, id="a setting that is wrong"),
        pytest.param(["convert", "a"], 3, id="no key"),
    ],
)
def test_json_reports_a_command_that_could_not_start(arguments: list[str], code: int) -> None:
    done = run_program(*arguments, "--json")
    (failed,) = done.events
    assert (done.code, failed["event"], failed["exit_code"]) == (code, "failed", code)
    assert done.err == f"error: {failed['message']}\n  {failed['remedy']}\n"


@pytest.mark.long
def test_the_log_file_has_every_event_with_its_time(sandbox: Sandbox) -> None:
    """The lines of `--json`, each with its time, after those of an earlier run."""
    Path("log").write_text('{"event": "earlier"}\n')
    began = time.time()
    done = sandbox.run("convert", "demo+logged", "demo-fails+logged", "--json", "--log-file", "log")
    ended = time.time()
    earlier, *logged = [json.loads(line) for line in Path("log").read_text().splitlines()]
    times = [event.pop("time") for event in logged]
    assert earlier == {"event": "earlier"}
    assert logged == done.events
    assert times == sorted(times)
    assert began - 0.001 <= times[0] <= times[-1] <= ended + 0.001


@pytest.mark.long
def test_the_log_file_is_written_with_quiet(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+log", "--quiet", "--log-file", "log")
    assert (done.code, done.err) == (0, "")
    names = [json.loads(line)["event"] for line in Path("log").read_text().splitlines()]
    assert (*names[:2], names[-1]) == ("run_begun", "ready", "summary")


def test_an_unwritable_log_file_is_an_error_before_anything_is_paid(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+unlogged", "--log-file", "no/log")
    assert (done.code, sandbox.counted("submissions", "demo+unlogged")) == (2, 0)
    assert done.err == (
        "error: the log file no/log cannot be written: No such file or directory\n  Name another one.\n"
    )


# Closed streams


@pytest.mark.long
def test_a_reader_that_has_gone_does_not_stop_the_batch(sandbox: Sandbox) -> None:
    """As with `| head -1`: the songs are paid for, and are saved."""
    ids = ["demo+gone1", "demo+gone2"]
    with start_program(
        *("convert", *ids),
        env=sandbox.settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()
    assert process.returncode == 0
    assert "suno-wav: 2 of 2 saved\n" in err
    assert [Path(f"{audio_id}.wav").read_bytes() == tune("demo") for audio_id in ids] == [True, True]
    assert "Broken pipe" not in err
    assert "Exception" not in err


@pytest.mark.long
@pytest.mark.parametrize(
    "redirection",
    [
        pytest.param(">&-", id="no standard output"),
        pytest.param("2>&-", id="no standard error"),
        pytest.param(">/dev/full", id="a standard output that is full"),
        pytest.param("2>/dev/full", id="a standard error that is full"),
    ],
)
def test_a_closed_or_full_stream_does_not_stop_the_batch(sandbox: Sandbox, redirection: str) -> None:
    """A service manager may start a program with closed streams."""
    ids = [f"demo+{redirection.encode().hex()}{number}" for number in range(2)]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {redirection}', "sh", *command_line("convert", *ids)],
        env=os.environ | sandbox.settings,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    assert [Path(f"{audio_id}.wav").exists() for audio_id in ids] == [True, True]
    assert done.returncode == (2 if redirection == ">/dev/full" else 0)
    assert "Exception" not in done.stderr


# Unexpected text


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["convert", "song"], id="a message"),
        pytest.param(["convert", "song", "-v"], id="a message, in more words"),
        pytest.param(["convert", "song", "--json"], id="a message, in JSON too"),
    ],
)
def test_a_message_of_the_service_cannot_control_the_terminal(arguments: list[str]) -> None:
    with a_wild_server() as wild:
        wild.answer = hostile
        done = on_a_terminal(settings_for(wild.address), *arguments)
    assert done.code == 7
    for text in (done.err, done.out):
        assert [
            control for control in ("\x1b[2J", "\x1b]", "\x07", "\x9b", "\u202e") if control in text
        ] == []
    assert "no: \N{REPLACEMENT CHARACTER}[2J" in done.err
    assert [line for line in done.err.splitlines() if line.startswith("fake")] == []


@pytest.mark.long
def test_a_title_cannot_control_the_terminal() -> None:
    """It becomes a file's name, and the name goes to standard output."""
    with a_wild_server() as wild:
        wild.serves()
        good = wild.answer
        wild.answer = lambda seen: (hostile if seen.path == SUNOAPI.music_paths[0] else good)(seen)
        done = on_a_terminal(settings_for(wild.address), "convert", "--task-id", "m" * 32)
    (name,) = [path.name for path in Path().iterdir()]
    assert (done.code, done.out) == (0, f"{name}\n")
    assert [character for character in name if not character.isprintable() and character != "\u202e"] == []
    assert ANY_STYLE.sub("", done.err).count("\x1b]") == 0


@pytest.mark.parametrize("arguments", [["config"], ["convert", "song", "--out", "\x1b]0;x\x07.wav"]])
def test_a_path_cannot_control_the_terminal(arguments: list[str]) -> None:
    """A folder may be named by whoever packed it. In a pipe, a path keeps its very bytes."""
    home = Path("\x1b[2J\u202e").absolute()
    with a_wild_server() as wild:
        wild.serves()
        settings = settings_for(wild.address) | {"SUNO_WAV_HOME": str(home)}
        shown = on_a_terminal(settings, *arguments, output_too=True)
        piped = run_program(*arguments, "--force", env=settings) if arguments[0] == "convert" else None
    assert shown.code == 0
    assert [control for control in ("\x1b[2J", "\x1b]", "\x07", "\u202e") if control in shown.err] == []
    if piped is not None:
        assert "\N{REPLACEMENT CHARACTER}]0;x\N{REPLACEMENT CHARACTER}.wav" in shown.err
        assert piped.out == "\x1b]0;x\x07.wav\n"


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["cp1252", "gbk", "ascii"])
def test_text_outside_the_encoding_does_not_end_the_program(encoding: str) -> None:
    settings = {"PYTHONIOENCODING": encoding}
    with a_wild_server() as wild:
        wild.answer = lambda _: envelope(400, "曲がありません \N{SNOWMAN}")
        piped = in_bytes(settings_for(wild.address) | settings, "convert", "song", "--quiet")
        shown = on_a_terminal(settings_for(wild.address) | settings, "convert", "song")
    assert (piped.returncode, piped.stdout, shown.code) == (7, b"", 7)
    assert b"\\u2603" in piped.stderr
    assert "\\u2603" in shown.err


@pytest.mark.long
@pytest.mark.parametrize(
    "line",
    [
        ("convert", "demo+gbk", "--out", "\N{SNOWMAN}/{audio_id}.wav"),
        ("jobs",),
        ("status", "@last"),
        ("inspect", "\N{SNOWMAN}.wav"),
        ("help",),
        ("help", "agents"),
        ("config",),
        ("doctor", "--offline"),
        ("sandbox", "--list"),
        ("trigger", "--list"),
        ("convert", "\N{SNOWMAN}"),
        ("tracks", "demo-song"),
        ("credits",),
        ("no-such-\N{SNOWMAN}",),
    ],
    ids=" ".join,
)
def test_every_command_can_be_shown_in_a_chinese_console(sandbox: Sandbox, line: tuple[str, ...]) -> None:
    """GBK has Chinese letters and most of the lines of bars, and not the marks of a screen."""
    settings = sandbox.settings | {"PYTHONIOENCODING": "gbk"}
    piped, shown = in_bytes(settings, *line), on_a_terminal(settings, *line)
    assert b"Traceback" not in piped.stderr + piped.stdout
    assert "Traceback" not in shown.err
    assert 1 not in (piped.returncode, shown.code)


NOT_UTF8 = os.fsdecode(b"caf\xe9")


@pytest.mark.long
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "gbk", "ascii"])
def test_the_path_on_standard_output_has_the_bytes_of_the_name(sandbox: Sandbox, encoding: str) -> None:
    """Whatever the encoding, so that `open "$(suno-wav convert ID)"` works."""
    settings = {"PYTHONIOENCODING": encoding}
    done = in_bytes(sandbox.settings | settings, "convert", f"demo+{encoding}", "--out", "曲.wav", "--quiet")
    assert (done.returncode, done.stdout) == (0, "曲.wav\n".encode())
    assert Path("曲.wav").read_bytes() == tune("demo")


@pytest.mark.long
def test_a_file_can_have_a_name_that_is_not_utf8(sandbox: Sandbox) -> None:
    done = in_bytes(sandbox.settings, "convert", "demo+latin", "--out", f"{NOT_UTF8}.wav", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"caf\xe9.wav\n", b"")
    assert Path(f"{NOT_UTF8}.wav").read_bytes() == tune("demo")


@pytest.mark.long
def test_the_journal_remembers_a_folder_that_is_not_utf8(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command again finds the song saved."""
    Path(NOT_UTF8).mkdir()
    monkeypatch.chdir(NOT_UTF8)
    for _ in range(2):
        assert sandbox.run("convert", "demo+folder-bytes", "--out", "song.wav").code == 0
    assert sandbox.counted("submissions", "demo+folder-bytes") == 1
    assert Path("song.wav").read_bytes() == tune("demo")


# Help


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    "command", [pytest.param([], id="the program")] + [[command.name] for command in app.registered_commands]
)
def test_every_command_has_both_help_options(command: list[str]) -> None:
    """In the process of the test, because help does not depend on the terminal."""
    short, long = (CliRunner().invoke(app, [*command, option]) for option in ("-h", "--help"))
    assert (short.exit_code, long.exit_code) == (0, 0)
    assert short.output == long.output
    assert [line for line in long.output.splitlines() if "--help" in line and "-h" in line] != []
