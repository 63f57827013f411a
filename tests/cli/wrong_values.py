"""Wrong command lines, made from the program's own description of its commands and options.

A new option gets the wrong values of its type. A new type needs a row in WRONG, a new option for a path
one in USES.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import typer.main

from suno_wav_cli.cli.app import app
from suno_wav_cli.cli.reference import make_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PROGRAM = typer.main.get_group(app)
REFERENCE = make_reference(PROGRAM.commands)

TASK = "{task}"
"""Stands for a task that is at the service."""

ARGUMENTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "convert": ["demo+wrong"],
        "status": [TASK],
        "tracks": ["0" * 32],
        "inspect": ["song.wav"],
        "trigger": ["http://127.0.0.1:9/"],
        "resume": [TASK],
    }
)
"""What each command needs besides its options."""

BESIDES: Mapping[str, Sequence[str]] = MappingProxyType({"status": ["--wait", "--download"]})
"""What a command needs to use all of its options."""

_LONG = "x" * 300
_BYTES, _NULL = "\udcff", "a\0b"
"""What a byte on a command line becomes that is no UTF-8, and what only a file can hold."""

_SIZES = ("nan", "0", "-1k", "9" * 23, "1e3", "k", "big", " ", "٣", _BYTES)
WRONG: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "address": (
            *(" ", "ftp://host/x", "http://", "http://:80", "http://host:99999", "http://host:0"),
            *("http://[::1", "http://a..b/", "http://host/\n", "http://host/ x", f"http://{_LONG}"),
            *("http://me:secret@host/", "https://", "//host", "file:///etc/passwd", "javascript:x"),
            *("http://ü.example/", "http://host:1:2", f"http://host/{_BYTES}", _NULL),
        ),
        "id": (" ", "a b", "../x", "a/b", "-", _LONG, "ü", "a\nb", _BYTES, _NULL),
        "text": (" ", "a b", "../x", "-", _LONG, "ü", "host", "host:80", "https://host/x", _BYTES, _NULL),
        "choice": ("x", "AUTO", "Success", _LONG, _BYTES, _NULL),
        "command": ("'", "a 'b", 'a "b', " ", _NULL),
        "path of an address": (
            " ",
            "x",
            "/a b",
            "/..",
            "/a?b",
            "/a//b",
            f"/{_LONG}",
            "/ü",
            f"/{_BYTES}",
            _NULL,
        ),
        "integer": ("nan", "-1", "1e3", "9" * 23, "x", "1.5", "+1", "0x10", "1_0", "٣", " ", _BYTES, _NULL),
        "number": ("nan", "inf", "-1", "1e400", "9" * 23, "x", "1,5", ".5", "1_0", "٣", " ", _BYTES, _NULL),
        "duration": (
            *("nan", "inf", "0", "-1s", "9" * 23, "1e3", "soon", "1.s", "1h 2m", "31d", "٣s"),
            *(" ", _BYTES, _NULL),
        ),
        "integer/duration": (
            *("nan", "0/10s", "20/0s", "9" * 23, "20/9999d", "/", "20/", "/10s", "1/2/3", "1.5/10s"),
            *(" ", _BYTES, _NULL),
        ),
        "bytes": _SIZES,
        "bytes per second": _SIZES,
    }
)
"""Wrong values of each type of `help --json`, but for paths."""

_NO_FILE = ("folder", "file/x", "loop", _LONG, "absent/" + _LONG, "~no-such-user/x", _NULL)
PATHS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "read": ("absent", "absent/x", "dangling", *_NO_FILE),
        "replace": ("pipe", "/dev/null", "/proc/x", *_NO_FILE),
        "append": ("pipe", "absent/x", "dangling", *_NO_FILE),
        "folder": ("file", "pipe", "absent", "dangling", "-", *_NO_FILE[1:]),
        "probe": ("/proc/x", "file/x", "~no-such-user/x", _NULL),
        "nothing": (_NULL,),
        "song": ("pipe", "/dev/null", "/proc/x", "{nothing}", "-x.wav", *_NO_FILE[1:]),
    }
)
"""Paths that cannot be used, by what they are used for. `make_troubles` makes what is there of them."""

USES: Mapping[str, str] = MappingProxyType(
    {
        "--from-file": "read",
        "--from": "read",
        "--verify": "read",
        "--errors": "replace",
        "--checksums": "replace",
        "--log-file": "append",
        "--save": "folder",
        "--out": "song",
        "listen --out": "folder",
        "doctor --out": "probe",
        "help --log-file": "nothing",
    }
)

EXISTING = {("song", "loop"): 10}
"""Where another exit code than 2 is right: something has this name, and was not touched."""


@dataclass(frozen=True, kw_only=True)
class WrongLine:
    """A command line, and what its error has to name: an option or a value."""

    line: tuple[str, ...]
    named: str
    code: int = 2


def wrong_values() -> Iterator[WrongLine]:
    """Yield each option with each wrong value of its type."""
    for name in PROGRAM.commands:
        for option in options_of(name):
            yield from wrong_values_of(name, option)


def one_of_each_type() -> Iterator[WrongLine]:
    """Yield the wrong values of the first option of each type and use."""
    seen = set()
    for name in PROGRAM.commands:
        # It runs all its checks each time.
        for option in options_of(name) if name != "doctor" else ():
            kind = (option["type"], option["type"] == "path" and use_of(name, option))
            if kind not in seen:
                seen.add(kind)
                yield from wrong_values_of(name, option)


def options_of(name: str) -> list[dict[str, Any]]:
    return [*REFERENCE["commands"][name]["options"], *REFERENCE["global_options"]]


def use_of(name: str, option: Mapping[str, Any]) -> str:
    typed = max(option["names"], key=len)
    return USES.get(f"{name} {typed}") or USES[typed]


def wrong_values_of(name: str, option: Mapping[str, Any]) -> Iterator[WrongLine]:
    typed = max(option["names"], key=len)
    line = (name, *ARGUMENTS.get(name, ()), *BESIDES.get(name, ()))
    if option["type"] == "boolean":
        yield WrongLine(line=(*line, f"{typed}=1"), named=typed)
        return
    yield WrongLine(line=(*line, typed), named=typed)
    yield WrongLine(line=(*line, typed, ""), named=typed)
    yield WrongLine(line=(*line, f"{typed}="), named=typed)
    if option["type"] != "path":
        for value in WRONG[option["type"]]:
            yield WrongLine(line=(*line, f"{typed}={value}"), named=typed)
        return
    use = use_of(name, option)
    for value in PATHS[use]:
        yield WrongLine(line=(*line, f"{typed}={value}"), named=typed, code=EXISTING.get((use, value), 2))


CONTRADICTIONS = (
    ("--force", "--skip-existing"),
    ("--quiet", "--verbose"),
    ("--serve", "--wav-url=https://a.example/"),
    ("--public-url=https://a.example", "--callback-url=https://b.example"),
    ("--public-url=https://a.example", "--tunnel=ngrok"),
    ("--callback-url=https://a.example", "--tunnel=ngrok"),
    ("--tunnel-command=x", "--tunnel=ngrok"),
    ("--tunnel-command=x", "--public-url=https://a.example"),
    ("--tunnel-command=x", "--callback-url=https://a.example"),
)


def wrong_words() -> Iterator[WrongLine]:
    """Yield unknown commands and options, missing and surplus arguments, and contradictions."""
    for word in (
        "no-such-command",
        "convrt",
        "",
        " ",
        "CONVERT",
        "\udcff",
        "--no-such-option",
        "-Z",
        "--provider",
    ):
        yield WrongLine(line=(word,), named=word)
    yield WrongLine(line=("--json=1",), named="--json")
    for name, described in REFERENCE["commands"].items():
        line = (name, *ARGUMENTS.get(name, ()))
        yield WrongLine(line=(*line, "--no-such-option"), named="--no-such-option")
        yield WrongLine(line=(*line, "-Z"), named="-Z")
        for argument in described["arguments"]:
            before = described["arguments"].index(argument) * ["get"]
            yield WrongLine(line=(name, *before, ""), named=argument["name"])
            yield WrongLine(line=(name, *before, "a\0b"), named=argument["name"])
            if argument["required"]:
                yield WrongLine(line=(name,), named=argument["name"])
        if not any(argument["many"] for argument in described["arguments"]):
            surplus = ["surplus"] * (1 + len(described["arguments"]))
            yield WrongLine(line=(name, *surplus), named="")
        known = {typed for option in options_of(name) for typed in option["names"]}
        for one, other in CONTRADICTIONS:
            if {one.partition("=")[0], other.partition("=")[0]} <= known:
                yield WrongLine(line=(*line, one, other), named=one.partition("=")[0])
        for option in REFERENCE["global_options"]:
            # Before the command it is judged as well, and the last of two counts.
            if option["type"] in ("choice", "address"):
                typed = option["names"][0]
                yield WrongLine(line=(f"{typed}=x y", *line), named=typed)
                yield WrongLine(line=(*line, f"{typed}=sandbox", f"{typed}=x y"), named=typed)


WRONG_ARGUMENTS: tuple[WrongLine, ...] = (
    *(
        WrongLine(line=("convert", word), named=word.strip() or "AUDIO_ID")
        for word in (
            "a b",
            "song.wav",
            "-",
            "../x",
            _LONG,
            "ü",
            "AUDIO_ID",
            "convert",
            "http://host/x",
            _BYTES,
        )
    ),
    *(WrongLine(line=("convert", word), named="") for word in ("0" * 32, "@last")),
    *(
        WrongLine(line=(command, word), named=word.strip())
        for command in ("status", "resume", "tracks")
        for word in ("a b", "../x", _LONG, "ü", _BYTES)
    ),
    *(
        WrongLine(line=("inspect", path), named=path)
        for path in PATHS["read"]
        if "\0" not in path and not path.startswith("~")
    ),
    *(
        WrongLine(line=("trigger", value), named="")
        for value in WRONG["address"]
        if not value.startswith("//")
    ),
    *(WrongLine(line=("help", word), named=word.strip()) for word in ("x", " ", "convrt", _BYTES)),
    *(WrongLine(line=("config", word), named="") for word in ("x", "GET", " ", _BYTES)),
    *(WrongLine(line=("config", action), named="config " + action) for action in ("get", "set", "unset")),
    *(
        WrongLine(line=("config", action, name, *value), named=name.strip())
        for action, value in (("get", []), ("set", ["1"]), ("unset", []))
        for name in ("x", "time out", "Timeout", _LONG, _BYTES)
    ),
    WrongLine(line=("config", "get", "timeout", "1h"), named="config get"),
    WrongLine(line=("config", "unset", "timeout", "1h"), named="config unset"),
    WrongLine(line=("config", "set", "timeout", "1h", "2h"), named="config"),
    WrongLine(line=("config", "set", "hmac_key", "x"), named="on the command line"),
    *(
        WrongLine(line=(f"--{which}-completion", shell), named=f"--{which}-completion")
        for which in ("install", "show")
        for shell in ("tcsh", " ", "BASH", _BYTES)
    ),
    *(WrongLine(line=("login", *words), named="on the command line") for words in (["key"], ["a", "b"])),
)
"""Arguments that are wrong for reasons of their own."""
