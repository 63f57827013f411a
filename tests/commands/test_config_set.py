"""`config set`, `get` and `unset`: config.toml is edited, and what else is in it stays."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.config.edit import edit_text
from suno_wav_cli.config.file import ConfigFile
from suno_wav_cli.errors import UsageError
from tests.commands.test_config import config_file, written
from tests.support.program import Finished, run_program

TYPED = "sesame-open-1"
MINE = """\
# Mine, with care.
timeout = '1h'   # long songs

"poll_interval" = "10s"
# the end"""


def config(*arguments: str, entered: bytes = b"") -> Finished:
    return run_program("config", *arguments, entered=entered)


def test_a_setting_is_written_used_shown_and_removed() -> None:
    done = config("set", "timeout", "2h")
    assert (done.code, done.out) == (0, "")
    assert done.err == f"suno-wav: timeout is 2h in {config_file()}\n"
    assert stat.S_IMODE(config_file().stat().st_mode) == 0o600
    assert config("get", "timeout").out == "2h\n"
    done = config("unset", "timeout")
    assert (done.code, done.err) == (
        0,
        f"suno-wav: removed timeout from {config_file()}\n  It is 30m now (default).\n",
    )
    assert config("get", "timeout").out == "30m\n"
    assert config_file().read_text() == ""


def test_comments_order_and_spelling_stay() -> None:
    written(MINE)
    config_file().chmod(0o644)
    assert config("set", "--", "timeout", "90").code == 0
    assert config("set", "poll-interval", "5s").code == 0
    assert config("set", "force", "on").code == 0
    assert config_file().read_text() == (
        MINE.replace("'1h'", '"90"').replace("10s", "5s") + "\nforce = true\n"
    )
    assert stat.S_IMODE(config_file().stat().st_mode) == 0o600


@pytest.mark.first_cases(0)
@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ('timeout = "1h"', "timeout", "removed timeout from {file}\n  It is 20s now (SUNO_WAV_TIMEOUT).\n"),
        ('out = "wavs/"', "out", "removed out from {file}\n  It is not set anywhere now.\n"),
        ("", "out", "out is not set in {file}\n"),
        ('hmac_key = "k"', "hmac_key", "removed hmac_key from {file}\n"),
        # What else is wrong in the file is told by the next command.
        ('jobs = "many"\ntag = true', "tag", "removed tag from {file}\n"),
    ],
)
def test_what_counts_after_a_removal_is_said(content: str, name: str, said: str) -> None:
    written(content + "\n")
    done = run_program("config", "unset", name, env={"SUNO_WAV_TIMEOUT": "20s"})
    assert (done.code, done.err) == (0, f"suno-wav: {said.format(file=config_file())}")


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "timeout", "soon"), "timeout: 'soon' is not a duration"),
        (("set", "timeot", "1h"), "there is no setting 'timeot'\n  Did you mean timeout?"),
        (("set", "hmac_key", TYPED), "a secret on the command line is visible"),
        (("set", "api_key", TYPED), "suno-wav login"),
        (("set", "timeout"), "timeout needs a value"),
        (("set",), "config set needs the name of a setting"),
        (("unset", "nothing"), "there is no setting 'nothing'"),
        (("get", "nothing"), "there is no setting 'nothing'"),
        (("get", "jobs", "4"), "config get takes one name"),
        (("put", "jobs", "4"), "put"),
    ],
)
def test_what_is_wrong_changes_nothing(arguments: tuple[str, ...], said: str) -> None:
    before = written(MINE).read_bytes()
    done = config(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert TYPED not in done.err
    assert config_file().read_bytes() == before


def test_a_secret_is_read_from_a_pipe_and_never_shown() -> None:
    done = config("set", "hmac_key", entered=f"'{TYPED}'\n".encode())
    assert (done.code, TYPED in done.out + done.err) == (0, False)
    assert tomllib.loads(config_file().read_text()) == {"hmac_key": TYPED}
    shown = config("get", "hmac_key")
    assert shown.out == f"hmac_key               set, from {config_file()}, line 1: hmac_key\n"
    assert config("set", "hmac_key", entered=b"\n").code == 2
    assert config("get", "api_key").out == "api_key                not set\n"


def test_a_link_is_read_but_not_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "dotfiles.toml"
    elsewhere.write_text(MINE)
    elsewhere.chmod(0o600)
    config_file().parent.mkdir(exist_ok=True)
    config_file().symlink_to(elsewhere)
    assert config("get", "timeout").out == "1h\n"
    for arguments in (("set", "timeout", "2h"), ("unset", "timeout"), ("set", "hmac_key")):
        done = config(*arguments, entered=TYPED.encode())
        assert done.code == 2
        assert f"{config_file()} is a link to {elsewhere}, and is not written through it" in done.err
    assert (elsewhere.read_text(), config_file().is_symlink()) == (MINE, True)


@pytest.mark.long
def test_a_variable_that_takes_precedence_is_named() -> None:
    done = run_program("config", "set", "jobs", "2", env={"SUNO_WAV_JOBS": "8"})
    assert "SUNO_WAV_JOBS is set too, and takes precedence." in done.err
    assert (
        config("unset", "tag").err
        == f"suno-wav: tag is not set in {config_file()}\n  It is false (default).\n"
    )
    assert config("get", "out").out == ""


@pytest.mark.long
def test_a_setting_that_would_make_the_file_unreadable_is_refused() -> None:
    before = written("# " + "x" * 65_530).read_bytes()
    assert config("set", "jobs", "2").code == 2
    assert config_file().read_bytes() == before


def in_memory(text: str) -> ConfigFile:
    written = tomllib.loads(text.removeprefix("\ufeff"), parse_float=str)
    return ConfigFile(path=Path("config.toml"), written=written, text=text)


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_the_mark_of_windows_editors_stay(mark: str, end: str) -> None:
    edited = edit_text(in_memory(f"{mark}# mine{end}" if end else mark), "out", "a\nb")
    assert edited == (f'{mark}# mine{end}out = "a\\nb"{end}' if end else f'{mark}out = "a\\nb"\n')


@given(st.text(st.characters(exclude_categories=["Cs"])), st.booleans())
def test_any_text_can_be_a_value(value: str, windows: bool) -> None:
    text = MINE.replace("\n", "\r\n") if windows else MINE
    edited = edit_text(in_memory(text), "out", value)
    assert tomllib.loads(edited)["out"] == value
    assert edit_text(in_memory(edited), "out", None).rstrip() == text


@pytest.mark.parametrize("text", ["[timeout]\na = 1\n", "timeout.a = 1\n", "timeout = {a = 1}\n"])
def test_a_table_in_the_place_of_a_value_is_replaced_or_refused(text: str) -> None:
    try:
        edited = edit_text(in_memory(text), "timeout", "1h")
    except UsageError:
        return
    assert tomllib.loads(edited) == {"timeout": "1h"}


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_folder_that_cannot_be_written_is_an_error() -> None:
    written(MINE)
    config_file().parent.chmod(0o500)
    done = config("set", "timeout", "2h")
    config_file().parent.chmod(0o700)
    assert (done.code, config_file().read_text()) == (2, MINE)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("wrong", ['timeout = "soon"', "jobs = 0", 'poll_interval = ["1s"]'])
def test_a_wrong_value_in_the_file_is_mended_by_another(wrong: str) -> None:
    """Every other command still refuses it, and so does a wrong option."""
    name = wrong.partition(" ")[0]
    config_file().parent.mkdir(exist_ok=True)
    config_file().write_text(f"# mine\nretries = 3\n{wrong}\n")
    assert run_program("jobs").code == 2
    assert run_program("config", "set", name, "30m", "--provider", "nonsense").code == 2
    done = (
        run_program("config", "set", name, "3")
        if name == "jobs"
        else run_program("config", "set", name, "30m")
    )
    assert done.code == 0, done
    assert config_file().read_text().startswith("# mine\nretries = 3\n")
    assert run_program("jobs").code == 0


def test_a_wrong_value_in_the_file_is_removed() -> None:
    config_file().parent.mkdir(exist_ok=True)
    config_file().write_text("jobs = 0\n")
    assert (run_program("config", "unset", "jobs").code, config_file().read_text()) == (0, "")


@pytest.mark.parametrize(
    "words",
    [
        ("login", "sesame"),
        ("login", "sesame", "sesame2"),
        ("logout", "sesame"),
        ("config", "set", "api_key", "sesame"),
        ("config", "set", "api_key", "open", "sesame"),
        ("config", "set", "hmac_key", "sesame"),
        ("config", "set", "ngrok_authtoken", "open", "sesame"),
        ("config", "get", "api_key", "sesame"),
    ],
    ids=" ".join,
)
@pytest.mark.first_cases(3)
def test_a_secret_that_is_too_much_is_not_repeated(words: tuple[str, ...]) -> None:
    done = run_program(*words, "--json")
    assert done.code == 2
    assert "sesame" not in done.out + done.err
    assert [event["exit_code"] for event in done.named("failed")] == [2]
