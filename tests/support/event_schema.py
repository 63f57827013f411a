"""Check each event that a test reads against the schema that the program gives to others."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from suno_wav_cli.terminal.event_schema import make_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = make_schema()


@cache
def _validator(name: str) -> Draft202012Validator:
    # The one of its own name, because `oneOf` would try all of them.
    assert name in SCHEMA["$defs"], f"there is no event {name} in the schema"
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})


def check_event(event: Mapping[str, Any]) -> None:
    error = next(_validator(event["event"]).iter_errors(event), None)
    assert error is None, f"{event['event']}: {error.message}" if error else ""
