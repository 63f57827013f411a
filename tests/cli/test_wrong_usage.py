"""Every command with every kind of wrong command line: exit 2, a sentence, and nothing is changed."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from suno_wav_cli.config.settings import choose, read_config, to_write
from suno_wav_cli.errors import UsageError
from tests.cli.wrong_values import (
    PROGRAM,
    REFERENCE,
    TASK,
    WRONG,
    WRONG_ARGUMENTS,
    WrongLine,
    one_of_each_type,
    options_of,
    wrong_values,
    wrong_words,
)
from tests.support.program import run_program
from tests.support.quick import shortlist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from tests.support.program import Sandbox

SETTINGS = [
    (option["variable"].removeprefix("SUNO_WAV_").lower(), option)
    for option in {
        option["names"][0]: option for name in REFERENCE["commands"] for option in options_of(name)
    }.values()
    if option["variable"] and option["type"] in WRONG
]
"""The settings that are options, but for paths and switches."""


def run_here(*arguments: str) -> int:
    """Run the program in this process, which takes milliseconds, and return its exit code."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"{arguments} was accepted, and does not end")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    try:
        with pytest.raises(SystemExit) as exited:
            PROGRAM.main([*arguments], prog_name="suno-wav")
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return int(exited.value.code or 0)


@pytest.fixture
def world(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[[WrongLine], None]]:
    """Give the check of a wrong line, where there is a service, a task, and paths that cannot be used."""
    for name, value in sandbox.settings.items():
        monkeypatch.setenv(name, value)
    make_troubles()
    assert run_here("convert", "demo+wrong-task", "--no-wait") == 0
    task = capsys.readouterr().out.strip()
    home = Path(os.environ["SUNO_WAV_HOME"])

    def check(wrong: WrongLine) -> None:
        before, config = _listed(Path()), _listed(home)
        line = [word.replace(TASK, task) for word in wrong.line]
        code = run_here("--json", *line)
        _check_words(wrong, code, *capsys.readouterr())
        assert _listed(Path()) == before, wrong
        assert _listed(home) == config, wrong

    yield check
    assert sandbox.counted("submissions", "demo+wrong") == 0


def make_troubles() -> None:
    """Make what `PATHS` names."""
    Path("folder").mkdir()
    Path("file").write_text("text")
    Path("loop").symlink_to("loop")
    Path("dangling").symlink_to("nowhere/x")
    os.mkfifo("pipe")


def _listed(folder: Path) -> list[str]:
    """Return the files of a folder. Locks and the journal's own files come and go."""
    return sorted(str(path) for path in folder.rglob("*") if not path.name.startswith(("journal.", ".")))


def _check_words(wrong: WrongLine, code: int, out: str, err: str) -> None:
    assert (code, "Traceback" in err) == (wrong.code, False), (wrong, out, err)
    events = [json.loads(one) for one in out.splitlines()]
    if events[-1]["event"] == "check_summary":
        # To doctor, a wrong setting is what it looks for.
        found = next(event for event in events if event.get("verdict") == "failed")
        said, remedy = found["fact"], found["remedy"]
    elif events[0]["event"] == "inspected":
        said, remedy = events[0]["problem"], events[0]["remedy"]
    else:
        (failed,) = (event for event in events if event["event"] in ("failed", "song_failed"))
        assert failed["exit_code"] == wrong.code
        said, remedy = failed["message"], failed["remedy"]
        assert "error: " in err, wrong
    assert said, wrong
    assert remedy, wrong
    assert not said.startswith(("Invalid", "Missing", "No such", "Got", "[Errno")), (wrong, said)
    assert "Errno" not in said, (wrong, said)
    assert "secret@" not in out + err, wrong
    assert _is_named(wrong, f"{said} {remedy}"), (wrong, said)


def _is_named(wrong: WrongLine, said: str) -> bool:
    """Tell whether an error names the option, or what was typed after it, or how that begins."""
    option, _, value = wrong.line[-1].partition("=")
    values = {value or option, value.partition("/")[0], (value or option)[:200]} - {""}
    return wrong.named in said or any(one.strip() and one in said for one in values)


def test_a_wrong_value_of_each_type_is_exit_2_and_a_sentence(world: Callable[[WrongLine], None]) -> None:
    for wrong in one_of_each_type():
        world(wrong)


@pytest.mark.long
def test_every_wrong_value_of_every_option_is_exit_2_and_a_sentence(
    world: Callable[[WrongLine], None],
) -> None:
    for wrong in wrong_values():
        world(wrong)


def test_wrong_words_and_arguments_are_exit_2_and_a_sentence(world: Callable[[WrongLine], None]) -> None:
    for wrong in (*[*wrong_words()][::5], *WRONG_ARGUMENTS[::5]):
        world(wrong)


@pytest.mark.long
def test_all_wrong_words_and_arguments_are_exit_2_and_a_sentence(world: Callable[[WrongLine], None]) -> None:
    for wrong in (*wrong_words(), *WRONG_ARGUMENTS):
        world(wrong)


@pytest.mark.parametrize(("name", "option"), SETTINGS, ids=[name for name, _ in SETTINGS])
def test_a_wrong_value_is_an_error_of_the_variable_or_the_line_that_holds_it(
    name: str, option: dict[str, Any], tmp_path: Path
) -> None:
    file, variable = tmp_path / "config.toml", option["variable"]
    nothing = read_config(file)
    for value in WRONG[option["type"]]:
        if "\0" not in value:
            with pytest.raises(UsageError) as refused:
                choose({}, {variable: value}, nothing)
            assert refused.value.message.startswith(f"{variable}: '"), value
        if value.isascii():
            file.write_text(f"# mine\n{name} = {json.dumps(value)}\n")
            with pytest.raises(UsageError) as refused:
                choose({}, {}, read_config(file))
            assert refused.value.message.startswith(f"{file}, line 2: {name}: '"), value
        with pytest.raises(UsageError):
            to_write(name, value)


@pytest.mark.parametrize("name", ["out", "save", "checksums", "log_file", "exec", "tunnel_command"])
def test_a_null_character_in_the_file_is_an_error(name: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'{name} = "a\\u0000b"\n')
    with pytest.raises(UsageError, match="is not a text without null characters"):
        choose({}, {}, read_config(file))


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(["convert", "demo+wrong", "--log-file", "pipe"], id="a FIFO without a reader"),
        pytest.param(["convert", b"demo+\xff"], id="an id that is no UTF-8"),
        pytest.param(
            ["convert", "demo+wrong", b"--base-url=http://h/\xff"], id="an address that is no UTF-8"
        ),
        pytest.param(["status", "@last"], id="no task"),
        pytest.param(["help", "--provider", "kei"], id="help"),
        pytest.param(["--provider", "kei"], id="no command"),
        pytest.param(["convert", "demo+wrong", "--errors", "loop"], id="a loop of links"),
        pytest.param(["trigger", "http://127.0.0.1:9/", "--wav-url", "nowhere"], id="no address"),
    ],
)
def test_a_wrong_command_line_of_a_real_process(wrong: list[str | bytes], sandbox: Sandbox) -> None:
    make_troubles()
    line = [os.fsdecode(word) for word in wrong]
    plain, as_json = sandbox.run(*line), sandbox.run(*line, "--json")
    assert (plain.code, as_json.code, plain.out) == (2, 2, ""), (plain, as_json)
    assert re.fullmatch(r"error: .+\n  .+\n", plain.err), plain
    assert [event["event"] for event in as_json.events] == ["failed"]
    assert as_json.err == plain.err


@pytest.mark.parametrize(
    ("line", "said"),
    shortlist(
        [
            pytest.param(["convrt"], ("there is no command 'convrt'", "Did you mean convert?"), id="command"),
            pytest.param(
                ["jobs", "--unfinishd"],
                ("there is no option --unfinishd", "Did you mean --unfinished?"),
                id="option",
            ),
            pytest.param(
                ["jobs", "--tunnel", "none"],
                ("suno-wav jobs has no option --tunnel", "It is an option of convert, listen, doctor."),
                id="option of others",
            ),
            pytest.param(
                ["credits", "--provider", "kei"],
                (
                    "--provider: 'kei' is not one of: sunoapi, kie, kie-jobs, sandbox. Did you mean kie?",
                    "Correct it and run the command again.",
                ),
                id="provider",
            ),
            pytest.param(
                ["trigger", "http://127.0.0.1:9", "--event", "sucess"],
                (
                    "there is no event 'sucess'",
                    "Did you mean success? `suno-wav trigger --list` shows all of them.",
                ),
                id="event",
            ),
            pytest.param(
                ["--provider", "kie", "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"],
                (
                    "'8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c' is a song, not a command",
                    "To convert it: suno-wav convert 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c --provider kie",
                ),
                id="song of a provider",
            ),
            pytest.param(
                ["8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"],
                (
                    "'8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c' is a song, not a command",
                    "To convert it: suno-wav convert 8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c",
                ),
                id="song",
            ),
            pytest.param(
                ["convert", "demo", "--api-key=sk-1"],
                ("there is no option --api-key", "A key is never an option. `suno-wav login` keeps it."),
                id="key",
            ),
        ],
        3,
    ),
)
def test_what_was_meant_is_named(
    line: list[str], said: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*line) == 2
    assert capsys.readouterr().err == "error: {}\n  {}\n".format(*said)


@pytest.mark.parametrize(
    ("line", "note"),
    shortlist(
        [
            pytest.param(
                ["jobs", "--days", "2"], "--days has no effect here: it is for --expiring", id="days"
            ),
            pytest.param(
                ["sandbox", "--list", "--speed", "2"],
                "--speed has no effect here: --list starts no sandbox",
                id="list",
            ),
            pytest.param(
                ["trigger", "--list", "--sign"], "--sign has no effect here: --list posts nothing", id="sign"
            ),
        ],
        1,
    ),
)
def test_an_option_without_effect_is_noted(
    line: list[str], note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(*line) == 0
    assert f"suno-wav: {note}\n" in capsys.readouterr().err


@pytest.mark.long
def test_the_environment_contradicts_nothing(sandbox: Sandbox) -> None:
    """What is typed wins, and two variables are for two commands."""
    both = {"SUNO_WAV_FORCE": "1", "SUNO_WAV_SKIP_EXISTING": "1", "SUNO_WAV_QUIET": "1"}
    assert sandbox.run("jobs", "-v", env=both).code == 0
    Path("demo+typed.wav").write_text("mine")
    done = sandbox.run("convert", "demo+typed", "--skip-existing", env=both)
    assert (done.code, Path("demo+typed.wav").read_text()) == (0, "mine")


@pytest.mark.long
def test_an_unknown_variable_is_a_warning_with_the_nearest_name() -> None:
    done = run_program("jobs", env={"SUNO_WAV_PROVDER": "kie", "SUNO_WAV_HOME": "home"})
    assert done.code == 0
    assert done.err.startswith(
        "suno-wav: warning: SUNO_WAV_PROVDER is set, and there is no such setting; "
        "did you mean SUNO_WAV_PROVIDER?\n"
    )


@pytest.mark.parametrize(
    ("address", "used"),
    [
        pytest.param("https://api.example.invalid", 5.0, id="a service"),
        pytest.param("http://127.0.0.1:9", None, id="this machine"),
    ],
)
def test_a_service_is_not_polled_too_often(address: str, used: float | None) -> None:
    done = run_program(
        "convert", "a", "-n", "--json", "--poll-interval", "1s", env={"SUNO_WAV_BASE_URL": address}
    )
    raised = [event["poll_interval"] for event in done.named("poll_interval_raised")]
    assert raised == ([] if used is None else [used])


def test_a_file_with_the_name_of_an_mp3_gets_a_note(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo+mp3", "-n", "--out", "song.mp3")
    assert done.code == 0
    assert "suno-wav: song.mp3 will be a WAV file, whatever its name says\n" in done.err
