"""`config` shows settings and their origins, never secrets; errors in config.toml name the line."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.config.credentials import take_secrets
from suno_wav_cli.config.file import read_config_file
from suno_wav_cli.config.paths import find_paths
from suno_wav_cli.config.settings import Settings, Source, choose, read_config
from suno_wav_cli.errors import UsageError
from tests.support.program import Finished, run_program

SECRETS = {
    "SUNO_API_KEY": "sk-sesame-1",
    "NGROK_AUTHTOKEN": "ng-sesame-2",
    "SUNO_WAV_HMAC_KEY": "hm-sesame-3",
}


def config_file() -> Path:
    return Path(os.environ["SUNO_WAV_HOME"]) / "config.toml"


def written(text: str) -> Path:
    config_file().parent.mkdir(exist_ok=True)
    config_file().write_text(text, encoding="utf-8")
    config_file().chmod(0o600)
    return config_file()


def shown(done: Finished) -> dict[str, dict[str, Any]]:
    return {event["name"]: event for event in done.events if event["event"] != "path_shown"}


def test_every_setting_is_shown_with_its_source() -> None:
    file = written('# mine\njobs = 3\n\ntimeout = "1h"\nmax_credits = 1.20\nretries = 7\n')
    done = run_program("config", "--json", "--provider", "sandbox", env={"SUNO_WAV_RETRIES": "2"})
    assert done.code == 0, done.err
    found = shown(done)
    expected = {
        "provider": ("sandbox", "flag", "--provider"),
        "json": (True, "flag", "--json"),
        "retries": (2, "variable", "SUNO_WAV_RETRIES"),
        "jobs": (3, "file", f"{file}, line 2"),
        "timeout": (3600.0, "file", f"{file}, line 4"),
        "max_credits": (1.2, "file", f"{file}, line 5"),
        "force": (False, "default", None),
        "out": (None, "default", None),
    }
    assert {
        name: (found[name]["value"], found[name]["source"], found[name]["origin"]) for name in expected
    } == expected
    assert {field.name for field in fields(Settings)} <= set(found)


def test_a_setting_is_one_line() -> None:
    file = written("poll_interval = 10\n")
    done = run_program("config", env={"SUNO_WAV_JOBS": "5"})
    lines = done.out.splitlines()
    for line in (
        "provider               sunoapi  (default)",
        "base_url               https://api.sunoapi.org  (default)",
        f"poll_interval          10s  ({file}, line 1)",
        "timeout                30m  (default)",
        "max_size               4GiB  (default)",
        "min_speed              1k  (default)",
        "window                 20/10s  (default)",
        "force                  false  (default)",
        "jobs                   5  (SUNO_WAV_JOBS)",
        "out                    not set  (default)",
        "api_key                not set",
        "keep_forwarded_headers false  (default)",
        "allow_private_hosts    false  (default)",
        f"config.toml            {file}",
        f"journal                {file.parent / 'journal.sqlite3'}  (does not exist)",
    ):
        assert line in lines
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("as_json", [True, False])
def test_secrets_are_reported_as_set_but_not_shown(*, as_json: bool) -> None:
    done = run_program("config", *(["--json"] if as_json else []), env=SECRETS)
    assert done.code == 0
    for value in SECRETS.values():
        assert value[:4] not in done.out + done.err
    if as_json:
        found = shown(done)
        assert [found[name]["is_set"] for name in ("api_key", "ngrok_authtoken", "hmac_key")] == [True] * 3
    else:
        assert "ngrok_authtoken        set, from NGROK_AUTHTOKEN\n" in done.out
        assert "api_key                set, from SUNO_API_KEY\n" in done.out
        assert "hmac_key               set, from SUNO_WAV_HMAC_KEY\n" in done.out


def test_the_origin_of_a_secret_in_the_file_is_its_line() -> None:
    file = written('\n\nhmac_key = "hm-sesame-3"\n')
    done = run_program("config")
    assert f"hmac_key               set, from {file}, line 3: hmac_key\n" in done.out
    assert "sesame" not in done.out


def test_the_path_of_an_address_is_hidden() -> None:
    env = {
        "SUNO_WAV_CALLBACK_URL": "https://hooks.example/sesame?token=sesame",
        "SUNO_WAV_PUBLIC_URL": "https://mine.example",
    }
    done = run_program("config", env=env)
    assert "callback_url           https://hooks.example/(hidden)  (SUNO_WAV_CALLBACK_URL)\n" in done.out
    assert "public_url             https://mine.example  (SUNO_WAV_PUBLIC_URL)\n" in done.out
    assert "sesame" not in done.out


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("exists", [True, False])
def test_the_path_of_the_file_is_printed(*, exists: bool) -> None:
    if exists:
        written("")
    done = run_program("config", "--path")
    assert (done.code, done.out, done.err) == (0, f"{config_file()}\n", "")


# The lines


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(
    ("text", "said", "remedy"),
    [
        pytest.param("\njosb = 3\n", "line 2: there is no setting 'josb'", "Did you mean jobs?", id="a slip"),
        pytest.param(
            "a = 1\n",
            "line 1: there is no setting 'a'",
            "Settings: provider, base_url",
            id="nothing like it",
        ),
        pytest.param(
            "jobs = 3\npoll-interval = 3\n",
            "line 2: there is no setting 'poll-interval'",
            "Did you mean poll_interval?",
            id="as the flag is written",
        ),
        pytest.param(
            '# jbos = 1\nout = """\njbos = 2\n"""\n"jbos" = 3\n',
            "line 5: there is no setting 'jbos'",
            "Did you mean jobs?",
            id="the same in a comment and in a text",
        ),
        pytest.param(
            'api_key = "sesame"\n',
            "line 1: there is no setting 'api_key'",
            "Use `suno-wav login` or SUNO_API_KEY",
            id="a key",
        ),
        pytest.param(
            "jobs = 3\n\n[convert]\nretries = 1\n",
            "line 3: there is no setting 'convert'",
            "Settings: ",
            id="a section",
        ),
        pytest.param(
            "jobs = 3\r\njbos.x = 1\r\n", "line 2: there is no", "Did you mean jobs?", id="dots, Windows"
        ),
        pytest.param("jobs = 3\nretries = \n", "line 2, column 11", "Fix the file", id="no value"),
        pytest.param("jobs = 3\njobs = 4\n", "line 2, column 9", "Fix the file", id="twice"),
        pytest.param(
            "\n\nretries = 'many'\n",
            "line 3: retries: 'many' is not a number",
            "Correct it",
            id="a wrong value",
        ),
        pytest.param(
            "jobs = [\n 1,\n]\n",
            "line 1: jobs: ",
            "Correct it",
            id="a wrong kind of value",
        ),
        pytest.param(
            "force = 1.5\n", "line 1: force: '1.5' is not true or false", "Correct it", id="a fraction"
        ),
        pytest.param(
            '\nngrok_authtoken = ["sesame"]\n',
            "line 2: ngrok_authtoken is not text",
            "quotes",
            id="a wrong secret",
        ),
        pytest.param(
            '\nngrok_authtoken = "ses ame"\n',
            "line 2: ngrok_authtoken contains characters",
            "Copy it again",
            id="a secret that is none",
        ),
    ],
)
def test_an_error_in_the_file_names_its_line(text: str, said: str, remedy: str) -> None:
    file = written(text)
    done = run_program("config")
    assert (done.code in (2, 3), done.out) == (True, "")
    first, second = done.err.splitlines()
    assert first.startswith(f"error: {file}")
    assert (said in first, remedy in second) == (True, True), done.err
    assert "sesame" not in done.err


def test_invalid_utf8_is_reported_with_its_line() -> None:
    written("")
    config_file().write_bytes(b"jobs = 3\nout = '\xff'\n")
    assert "line 2 is not UTF-8 text" in run_program("config").err


def test_a_huge_file_is_not_read() -> None:
    Path("large.toml").write_bytes(b"#" * 2_000_000)
    with pytest.raises(UsageError, match="it is larger than"):
        read_config_file(Path("large.toml"), [])


_VALUES = st.sampled_from(
    ['"x"', "1", "1.5", "true", '"""\na = 1\n"""', "[\n1,\n# a = 2\n2]", "'''b = 1'''", "{x = 1}"]
)


@given(
    statements=st.lists(
        st.tuples(st.sampled_from("abcdef"), _VALUES, st.sampled_from(["", "\n", "# a = 3\n", "  "])),
        unique_by=lambda statement: statement[0],
    ),
    table=st.booleans(),
)
def test_each_name_is_found_on_its_line(statements: list[tuple[str, str, str]], *, table: bool) -> None:
    text, expected = "", {}
    for name, value, before in statements:
        text += before
        expected[name] = text.count("\n") + 1
        text += f"{name} = {value}\n"
    if table:
        # What stands in a section is not a setting.
        expected["section"] = text.count("\n") + 1
        text += "[section]\na = 1\nb = 2\n"
    path = Path("any.toml")
    path.write_text(text)
    config = read_config_file(path, [*"abcdef", "section"])
    assert {name: config.place(name) for name in config.written} == {
        name: f"{path}, line {line}" for name, line in expected.items()
    }


@given(content=st.one_of(st.binary(max_size=60), st.text("ab=\n\"'[]{}#.1 ", max_size=60).map(str.encode)))
def test_any_file_is_read_or_is_a_usage_error(content: bytes) -> None:
    path = Path("any.toml")
    path.write_bytes(content)
    try:
        config = read_config_file(path, ["a", "b"])
    except UsageError as error:
        message = error.message
    else:
        message = "".join(config.place(name) for name in config.written) or str(path)
    assert str(path) in message


def test_each_setting_has_one_choice() -> None:
    """In the order of the fields; a secret has its origin."""
    environ = {"SUNO_WAV_HOME": "nowhere", "SUNO_WAV_PORT": "1", **SECRETS}
    config = read_config(find_paths(environ).config_file)
    secrets = take_secrets(environ, config)
    choices = choose({"port": None, "jobs": "2"}, environ, config)
    assert [choice.name for choice in choices] == [field.name for field in fields(Settings)]
    decided = {choice.name: (choice.source, choice.place) for choice in choices if choice.place}
    assert decided == {"port": (Source.VARIABLE, "SUNO_WAV_PORT"), "jobs": (Source.FLAG, "--jobs")}
    assert secrets.ngrok_token is not None
    assert secrets.ngrok_token.origin == "NGROK_AUTHTOKEN"
