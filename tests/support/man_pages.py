"""Write the man pages from the commands: python -m tests.support.man_pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import typer.main

from suno_wav_cli import __version__
from suno_wav_cli.cli.app import app
from suno_wav_cli.cli.layout import EXAMPLES, START_EXAMPLES, group
from suno_wav_cli.cli.options import GLOBAL
from suno_wav_cli.cli.reference import EXIT_CODES, VARIABLES, describe_command
from tests.support.program import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

FOLDER = REPOSITORY / "completions" / "man1"
_PROGRAM = typer.main.get_group(app)
_SUMMARY = "get WAV files of Suno songs, and never pay twice"


def make_pages() -> dict[str, str]:
    """Return each page by the name of its file."""
    pages = {"suno-wav.1": "\n".join(_main_page()) + "\n"}
    for name in _PROGRAM.commands:
        pages[f"suno-wav-{name}.1"] = "\n".join(_command_page(name)) + "\n"
    return pages


def _main_page() -> Iterator[str]:
    yield from _head("suno-wav", _SUMMARY)
    yield from (".SH SYNOPSIS", r"\fBsuno\-wav\fR [\fIGLOBAL OPTIONS\fR] \fICOMMAND\fR [\fIARGUMENTS\fR]")
    yield ".SH COMMANDS"
    for name, command in _PROGRAM.commands.items():
        yield from (".TP", rf"\fBsuno\-wav\-{name}\fR(1)", _text(describe_command(name, command)["summary"]))
    yield ".SH GLOBAL OPTIONS"
    yield "Every command takes them, before its name or after it."
    some = next(iter(_PROGRAM.commands.values()))
    yield from _describe(parameter for parameter in some.params if parameter.name in GLOBAL)
    yield from (".TP", r"\fB\-V\fR, \fB\-\-version\fR", "Show the version and exit.")
    yield ".SH EXIT STATUS"
    for code, meaning in EXIT_CODES.items():
        yield from (".TP", rf"\fB{int(code)}\fR", _text(meaning[:1].upper() + meaning[1:] + "."))
    yield ".SH ENVIRONMENT"
    for variable, meaning in VARIABLES.items():
        yield from (".TP", rf"\fB{_text(variable)}\fR", _text(meaning[:1].upper() + meaning[1:] + "."))
    yield from (".TP", r"\fBSUNO_WAV_\fINAME\fR", r"The option \fB\-\-\fIname\fR, if it is a setting.")
    yield from _examples(START_EXAMPLES)


def _command_page(name: str) -> Iterator[str]:
    command = _PROGRAM.commands[name]
    described = describe_command(name, command)
    yield from _head(f"suno-wav-{name}", described["summary"].rstrip("."))
    arguments = " ".join(map(_synopsis, described["arguments"]))
    yield from (".SH SYNOPSIS", rf"\fBsuno\-wav {_text(name)}\fR [\fIOPTIONS\fR] {arguments}".rstrip())
    if described["description"]:
        yield ".SH DESCRIPTION"
        yield from (_text(line) if line else ".PP" for line in described["description"].split("\n"))
    own = [parameter for parameter in command.params if parameter.name not in GLOBAL]
    for title, members in group(own).items():
        yield f".SH {title.upper()}"
        yield from _describe(members)
    yield from _examples(EXAMPLES.get(name, ()))
    yield from (".SH SEE ALSO", r"\fBsuno\-wav\fR(1), for the global options and the exit status")


def _synopsis(argument: Mapping[str, Any]) -> str:
    name = rf"\fI{_text(argument['name'])}\fR" + ("..." if argument["many"] else "")
    return name if argument["required"] else f"[{name}]"


def _head(name: str, summary: str) -> Iterator[str]:
    yield r".\" Generated from the commands: python -m tests.support.man_pages"
    yield f'.TH {name.upper()} 1 "" "suno-wav {__version__}" "suno-wav"'
    yield from (".SH NAME", rf"{_text(name)} \- {_text(summary[:1].lower() + summary[1:])}")
    # Hyphenated or justified, options would be cut and lines stretched.
    yield from (".nh", ".ad l")


def _describe(parameters: Iterable[Any]) -> Iterator[str]:
    for parameter in parameters:
        if parameter.param_type_name == "argument":
            names = rf"\fI{_text(str(parameter.metavar or parameter.name))}\fR"
        else:
            names = ", ".join(rf"\fB{_text(name)}\fR" for name in sorted(parameter.opts, key=len))
            if not parameter.is_flag:
                names += rf" \fI{_text(str(parameter.metavar))}\fR"
        yield from (".TP", names, _text(str(parameter.help or "")))


def _examples(lines: Iterable[str]) -> Iterator[str]:
    yield from (".SH EXAMPLES", ".nf", *map(_text, lines), ".fi")


def _text(text: str) -> str:
    """Return a text as roff takes it: no character begins a request, a minus stays a minus."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("`", r"\(ga").replace("~", r"\(ti")
    return re.sub(r"^([.'])", r"\\&\1", escaped.replace("^", r"\(ha"))


def write_pages() -> None:
    FOLDER.mkdir(exist_ok=True)
    pages = make_pages()
    for old in FOLDER.iterdir():
        if old.name not in pages:
            old.unlink()
    for name, page in pages.items():
        (FOLDER / name).write_text(page, encoding="utf-8")


if __name__ == "__main__":
    write_pages()
