"""What a receiver says in its answer: the words of a page or of JSON, and not all the rest of it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_CODE = re.compile(r"<pre[^>]*>(.*?)</pre>", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"<(script|style)\b.*?(</\1>|\Z)|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_PAGE = re.compile(r"\s*<(!doctype|html|head|body|title|pre|h1)\b", re.IGNORECASE)

_NAMES = ("message", "error", "detail", "msg", "title", "description", "reason")


def find_words(text: str) -> str:
    """Return a page's title and `<pre>`, the message of a JSON object, or the text itself, on one line."""
    if _PAGE.match(text):
        return _of_page(text)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return _on_one_line(text)
    return _on_one_line(_of_json(content) or text)


def _of_page(text: str) -> str:
    visible = _HIDDEN.sub(" ", text)
    parts = [_text_of(found[1]) for pattern in (_TITLE, _CODE) if (found := pattern.search(visible))]
    return ": ".join(dict.fromkeys(part for part in parts if part)) or _text_of(visible)


def _of_json(content: Any) -> str | None:
    """Return the first message in an object, or in an object in it."""
    if not isinstance(content, dict):
        return None
    for name in _NAMES:
        value = content.get(name)
        if isinstance(value, str) and value.strip():
            return value
        if isinstance(value, dict) and (inner := _of_json(value)):
            return inner
    return None


def _text_of(markup: str) -> str:
    return _on_one_line(html.unescape(_TAG.sub(" ", markup)))


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
