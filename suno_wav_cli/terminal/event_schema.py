"""The events as JSON Schema, made from their classes."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import TYPE_CHECKING, Any, get_args

from suno_wav_cli import models
from suno_wav_cli.events import commands
from suno_wav_cli.events.union import Event
from suno_wav_cli.terminal.json_lines import event_name

if TYPE_CHECKING:
    from collections.abc import Iterator

_ITEMS: dict[type, type] = {commands.JobList: commands.Job, commands.TrackList: models.Track}
"""Lists, which are one JSON object per item."""

_OBJECTS = (models.WavRecord, models.WavFormat, models.AudioLevels, commands.WavContents, models.Tag)
_TYPES: dict[str, dict[str, Any]] = {
    "str": {"type": "string"},
    "Path": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "Decimal": {"type": "number"},
    "bool": {"type": "boolean"},
    "object": {},
    "Mapping[str, object]": {"type": "object"},
    "None": {"type": "null"},
    "WavState": {"enum": [*models.WavState]},
}


def make_schema() -> dict[str, Any]:
    """Return the schema of one line of `--json`, or of a log file, where each line has its time too."""
    kinds = {event_name(kind): kind for kind in _classes(Event)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in kinds],
        "$defs": {
            **{name: _describe(_ITEMS.get(kind, kind), name, about=kind) for name, kind in kinds.items()},
            **{kind.__name__: _describe(kind) for kind in _OBJECTS},
        },
    }


def _classes(union: Any) -> Iterator[type]:
    for member in get_args(union):
        yield from _classes(member) if get_args(member) else (member,)


def _describe(kind: type, name: str | None = None, *, about: type | None = None) -> dict[str, Any]:
    # What `repr` does not show is not in JSON either.
    fields = {field.name: _schema(str(field.type)) for field in dataclasses.fields(kind) if field.repr}
    head: dict[str, Any] = {} if name is None else {"event": {"const": name}}
    more: dict[str, Any] = {} if name is None else {"time": {"type": "number"}}
    text = (inspect.getdoc(about or kind) or "").split("\n\n")[0].replace("\n", " ")
    return {
        "description": text,
        "type": "object",
        "properties": {**head, **fields, **more},
        "required": [*head, *fields],
        "additionalProperties": False,
    }


def _schema(annotation: str) -> dict[str, Any]:
    if " | " in annotation:
        return {"anyOf": [_schema(one) for one in annotation.split(" | ")]}
    items = re.fullmatch(r"tuple\[(\w+), \.\.\.\]", annotation)
    if items:
        return {"type": "array", "items": _schema(items[1])}
    return _TYPES.get(annotation) or ({} if annotation == "object" else {"$ref": f"#/$defs/{annotation}"})
