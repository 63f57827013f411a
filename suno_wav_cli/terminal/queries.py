"""Addresses without queries and passwords, in what is logged or shown.

Who has a signed address has the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from suno_wav_cli.models import WavRecord

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Record = TypeVar("_Record", bound="DataclassInstance")

_QUERY = re.compile(
    # Texts that are JSON in JSON escape slashes, and perhaps the question mark.
    r"""([a-z][a-z0-9+.-]{0,20}:(?:\\*/){2}[^\s"<>?#]*?)(?:[?#]|\\+u003f)[^\s"<>]*""",
    re.IGNORECASE,
)
_PARAMETER = re.compile(
    r"""(?:(?<=[^\s?])\?|(?<=[^\s?\\])\\++u003f)[\w.~%-]{1,100}=[^\s"<>]*""", re.IGNORECASE
)
"""What can only be a query, of an address that has no scheme or does not look like one."""
_USER_INFO = re.compile(r"""([a-z][a-z0-9+.-]{0,20}:(?:\\*/){2})[^\s"<>/?#\\]{1,2000}@""", re.IGNORECASE)
_ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]{0,20}:)?//[^?#]*", re.IGNORECASE)
_HIDDEN = "?(hidden)"
_HIDDEN_USER = r"\1(hidden)@"

_TYPED = frozenset({"remedy", "command", "resume_hint", "callback_url"})
"""Fields with a command line to paste, or with the address to give to the service."""


def hide_queries(text: str) -> str:
    """Return a text whose addresses have no queries, and no user names or passwords."""
    if "@" in text:
        text = _USER_INFO.sub(_HIDDEN_USER, text)
    if "?" not in text and "#" not in text and "003" not in text:
        return text
    return _PARAMETER.sub(_HIDDEN, _QUERY.sub(rf"\1{_HIDDEN}", text))


def hide_all(value: Any, name: str = "") -> Any:
    """Return a value of JSON without the queries of its addresses. `name` is the field that holds it."""
    if isinstance(value, str):
        found = _ADDRESS.match(value)
        # An address alone ends with its text, whatever characters its query has.
        if (found and found.end() < len(value)) or (name.lower().endswith("url") and "?" in value):
            return _USER_INFO.sub(_HIDDEN_USER, re.split(r"[?#]", value, maxsplit=1)[0]) + _HIDDEN
        return hide_queries(value)
    if isinstance(value, Mapping):
        return {key: hide_all(one, str(key)) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [hide_all(one, name) for one in value]
    return value


def for_people(event: _Record) -> _Record:
    """Return an event with no query in what it says. The commands to paste stay as they are."""
    changed: dict[str, Any] = {}
    for field in fields(event):
        value = getattr(event, field.name)
        if isinstance(value, WavRecord):
            changed[field.name] = for_people(value)
        elif isinstance(value, str) and field.name not in _TYPED:
            shown = hide_queries(value)
            if shown != value:
                changed[field.name] = shown
    return replace(event, **changed) if changed else event
