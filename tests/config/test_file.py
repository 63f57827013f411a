"""A config.toml that somebody else wrote must not cost more than it is worth, and lines are found in any."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from suno_wav_cli.config.file import read_config_file
from suno_wav_cli.errors import UsageError

KNOWN = ("jobs", "exec", "out")
PATH = Path("config.toml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(".".join("a" * 30_000) + " = 1", "line 1 has a key of more than 100 parts", id="bare"),
        pytest.param("\n[" + " . ".join(["'a'"] * 9_000) + "]", "line 2 has a key of more", id="a table's"),
        pytest.param("\n\n" + ".".join(['"\\""'] * 9_000), "line 3 has a key of more", id="escaped"),
        pytest.param("jobs = {" + ".".join("a" * 30_000) + " = 1}", "line 1 has a key of more", id="inline"),
        pytest.param("#" * 65_537, "it is larger than 65,536 bytes", id="the file"),
        pytest.param('"' + "\\" * 65_000, "cannot be read", id="a text without end"),
        pytest.param("jobs = " + "[" * 65_000, "nested too deeply", id="lists"),
        pytest.param("jobs = " + "{a=" * 20_000, "nested too deeply", id="tables"),
        pytest.param("jobs = " + "9" * 65_000, "too many digits", id="digits"),
        pytest.param("jobs = 0x" + "f" * 65_000, "too many digits", id="hexadecimal digits"),
        pytest.param(
            "jobs = [{a = 0b" + "1" * 65_000 + "}]", "too many digits", id="binary digits in a list"
        ),
    ],
)
@pytest.mark.timing
def test_what_would_take_long_is_refused(text: str, expected: str) -> None:
    PATH.write_text(text)
    began = time.thread_time()
    with pytest.raises(UsageError, match=expected):
        read_config_file(PATH, KNOWN)
    assert time.thread_time() - began < 5


@pytest.mark.first_cases(1)
@pytest.mark.timing
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("jobs = [\n" + "1,\n" * 20_000 + "]\n", id="a list of many lines"),
        pytest.param('jobs = """\n' + "a\n" * 30_000 + '"""\n', id="a text of many lines"),
        pytest.param("jobs = 1\n" + "#\n" * 30_000, id="comments"),
    ],
)
def test_the_lines_of_a_large_file_are_found_soon(text: str) -> None:
    """By reading the beginning of a value again and again, 32 KB took 12 s."""
    PATH.write_text(text + "out = 1")
    began = time.thread_time()
    config = read_config_file(PATH, KNOWN)
    assert config.place("jobs") == "config.toml, line 1"
    assert config.place("out") == f"config.toml, line {text.count(chr(10)) + 1}"
    assert time.thread_time() - began < 5


def test_lines_are_found_after_every_kind_of_value() -> None:
    """Brackets, quotes and number signs in texts and comments end nothing."""
    PATH.write_text(
        '# [ { """ \'\n'
        "jobs.a = [1, # ]\n 2]\n"
        'exec.b = """x\n\\""" ] """""\n'
        "exec.c = '''\n} ' '''\n"
        'exec.d = { a = \'#\', b = "\\"]" }\r\n'
        "\n"
        "'out' = 3 # it's\n"
    )
    config = read_config_file(PATH, KNOWN)
    assert {name: config.place(name) for name in KNOWN} == {
        "jobs": "config.toml, line 2",
        "exec": "config.toml, line 4",
        "out": "config.toml, line 10",
    }
