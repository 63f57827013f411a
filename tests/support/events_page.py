"""Write suno_wav_cli/events/README.md from the docstrings of the events.

python -m tests.support.events_page
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from suno_wav_cli import events, models
from suno_wav_cli.events import (
    account,
    callbacks,
    checks,
    commands,
    deliveries,
    ends,
    follow_up,
    payments,
    songs,
)
from suno_wav_cli.events import trigger as triggered
from suno_wav_cli.terminal.json_lines import event_name

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(events.__file__).with_name("README.md")

_GROUPS = (
    (payments, payments.PaymentEvent),
    (songs, songs.SongEvent),
    (follow_up, follow_up.FollowUpEvent),
    (callbacks, callbacks.CallbackEvent),
    (deliveries, deliveries.DeliveryEvent),
    (triggered, triggered.TriggerEvent),
    (account, account.AccountEvent),
    (checks, checks.CheckEvent),
    (commands, commands.CommandEvent),
    (ends, ends.EndEvent),
)
_OBJECTS = (models.WavRecord, models.WavFormat, models.AudioLevels, commands.WavContents, models.Tag)
_ITEMS: dict[type, type] = {commands.JobList: commands.Job, commands.TrackList: models.Track}
"""Lists, which are one JSON object per item."""
_TYPES = {
    "str": "string",
    "Path": "string",
    "int": "integer",
    "float": "number",
    "Decimal": "number",
    "bool": "boolean",
    "object": "any value",
    "Mapping[str, object]": "object",
    "None": "null",
    "WavState": "`pending`, `ready` or `failed`",
}
_INTRODUCTION = """\
# JSON events

<!-- Generated from the docstrings: python -m tests.support.events_page -->

With `--json`, every line on standard output is an object `{"event": NAME, ...}` with the fields below.
`--log-file FILE` appends the same objects to a file, each with the `time` at which it was written. Only you can read
that file, and addresses in it end before their query (`?(hidden)`), as they do in what `-v` shows.

Standard output has the addresses whole, because scripts need them: who has a signed address of a song can download it.

Times are in seconds since 1970 (UTC), durations in seconds, sizes in bytes, prices in credits. A field
that may be null is always there. Fields whose meaning is the same everywhere:
"""


def make_page() -> str:
    _, common = _split(inspect.getdoc(events) or "")
    lines = [_INTRODUCTION, *(f"- `{name}`: {meaning}" for name, meaning in common.items())]
    lines += ["", "These fields may hold signed URLs, which give access to a file to anybody who has them:"]
    lines += ["", *(f"- {place}" for place in _signed_urls()), ""]
    for module, union in _GROUPS:
        title, _, rest = (inspect.getdoc(module) or "").partition(": ")
        lines += [f"## {title.rstrip('.')}", ""]
        lines += [rest[:1].upper() + rest[1:], ""] if rest else []
        for kind in get_args(union):
            lines += [f"### `{event_name(kind)}`", "", *_describe(kind), ""]
    lines += ["## Objects", "", "Values of fields of the events above.", ""]
    for kind in _OBJECTS:
        lines += [f"### {kind.__name__}", "", *_describe(kind), ""]
    return "\n".join(lines).rstrip() + "\n"


def _describe(kind: type) -> list[str]:
    """Return the text of a docstring, and a line for each field that the JSON object has.

    What `repr` does not show is not in it either.
    """
    text, meanings = _split(inspect.getdoc(kind) or "")
    item = _ITEMS.get(kind)
    if item is not None:
        more, meanings = _split(inspect.getdoc(item) or "")
        text = f"{text}\n\n{more}"
    fields = [
        f"- `{field.name}` ({_type(str(field.type))})"
        + (f": {meanings[field.name]}" if field.name in meanings else "")
        for field in dataclasses.fields(item or kind)
        if field.repr
    ]
    return [text, *([""] if fields else []), *fields]


def _split(docstring: str) -> tuple[str, dict[str, str]]:
    """Split a docstring into its text and the meanings of fields, `name: meaning` each."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    meanings: dict[str, str] = {}
    if re.match(r"[a-z_0-9]+: ", paragraphs[-1]):
        for line in re.sub(r"\n +", " ", paragraphs.pop()).split("\n"):
            name, _, meaning = line.partition(": ")
            meanings[name] = meaning
    return "\n\n".join(paragraphs), meanings


def _type(annotation: str) -> str:
    if " | " in annotation:
        return " or ".join(map(_type, annotation.split(" | ")))
    items = re.fullmatch(r"tuple\[(\w+), \.\.\.\]", annotation)
    if items:
        return f"array of {_type(items[1])}" + ("s" if items[1] in _TYPES else "")
    return _TYPES.get(annotation) or f"[{annotation}](#{annotation.lower()})"


def _signed_urls() -> Iterator[str]:
    """Name every field whose meaning mentions a signed URL."""
    for _, union in _GROUPS:
        for kind in get_args(union):
            for name, meaning in _split(kind.__doc__ or "")[1].items():
                if "signed URL" in meaning:
                    inner = re.search(r"`(\w+\.\w+)` may be a signed URL", meaning)
                    yield f"`{inner[1] if inner else name}` of `{event_name(kind)}`"


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")
