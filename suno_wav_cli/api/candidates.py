"""What is kept of an answer to a paid request that is not understood.

Pure functions of the bytes that arrived: ids that may name the task, and an excerpt to keep.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from suno_wav_cli.api.addresses import escape
from suno_wav_cli.models import is_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MOST_CANDIDATES = 8
LONGEST_EXCERPT = 1024
"""Bytes."""

_ESCAPED = re.compile(r"\\{1,8}u([0-9a-fA-F]{4})")
_NAMED = re.compile(
    # A quote may be escaped several times, as in JSON that is a text in JSON. No part of the pattern
    # gives back what it took, so that a hostile answer costs no more than its length.
    r"""(?<![A-Za-z0-9_])(?P<key>task[_-]?ids?|record[_-]?ids?|id|data)(?P<quoted>\\*+["'])?+"""
    r"""\s*+[:=>]\s*+\[?+\s*+(?P<open>\\*+["'])?+\s*+"""
    r"""(?P<id>[A-Za-z0-9][A-Za-z0-9._+~-]*+)(?=\s*+(?:\\*+["']|[,}\]<&;\s]))""",
    re.IGNORECASE,
)
_RANKS = {"task": 0, "reco": 1, "id": 2, "data": 2}
_NO_IDS = frozenset({"null", "none", "true", "false", "undefined", "nan"})
_SHORTEST_BARE = 8
_CHARSETS = re.compile(
    r"(utf|iso|windows|cp|latin|us-ascii|koi8|gb|big5|shift|euc|mac)[a-z0-9_-]*", re.IGNORECASE
)
_QUERY = re.compile(r"""\?(?:[^\s"'<>\\]|\\(?!["']))+""")
_USER = re.compile(r"""(?<=/)[^\s"'<>/?#@]{1,1000}@""")
_SHORTEST_SECRET_END = 4


def find_candidates(body: bytes, charset: str | None = None) -> tuple[str, ...]:
    """Return the ids that may name the new task, at most eight, the most plausible first.

    An id follows `taskId`, `task_id`, `recordId` or `id`, at any depth, or is the whole of `data` or
    of the answer. One at the end of an answer that broke off is left out: it may be cut short.
    """
    # Without its zero bytes, UTF-16 or UTF-32 reads like ASCII, even if a byte is missing in front.
    texts = [body.replace(b"\0", b"").decode("utf-8", "replace"), _decode(body, charset)]
    found: list[tuple[int, str]] = []
    for text in texts:
        found = found or [
            (_RANKS[match["key"][:4].lower()], match["id"])
            for match in _NAMED.finditer(_unescape(text))
            if _is_plausible(match)
        ]
    if not found and _is_bare_id(bare := texts[1].strip().strip('"')):
        return (bare,)
    ranked = [named for _, named in sorted(found, key=lambda pair: pair[0])]
    return tuple(dict.fromkeys(ranked))[:MOST_CANDIDATES]


def make_excerpt(body: bytes, secrets: Iterable[str], charset: str | None = None) -> str | None:
    """Return the beginning of an answer, to be kept and shown. None if it is empty.

    Secrets, users and queries of URLs are removed, and control characters escaped.
    """
    # More than is kept, because what is removed may be long.
    text = _unescape(_decode(body[: 64 * LONGEST_EXCERPT], charset)).replace("\0", "")
    text = _cut_secrets(text, [secret for secret in secrets if secret])
    text = escape(_USER.sub("", _QUERY.sub("?(hidden)", text)).strip())
    return text.encode()[:LONGEST_EXCERPT].decode("utf-8", "ignore") or None


def choose_new(candidates: Collection[str], known: Collection[str | None]) -> tuple[str, ...]:
    """Leave out the ids of the request itself, unless the answer has no others."""
    new = tuple(named for named in candidates if named not in known)
    return new or tuple(candidates)


def _is_plausible(match: re.Match[str]) -> bool:
    key, named = match["key"].lower(), match["id"]
    if not is_id(named) or named.lower() in _NO_IDS:
        return False
    if match["open"] is None and match["quoted"] is not None and not named.isdecimal():
        # In JSON, only a number needs no quotes.
        return False
    if key in ("id", "data") and match["quoted"] is None:
        # HTML is full of id="…".
        return False
    return key != "data" or _is_bare_id(named)


def _is_bare_id(text: str) -> bool:
    return is_id(text) and len(text) >= _SHORTEST_BARE and any(char.isdecimal() for char in text)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def _decode(body: bytes, charset: str | None) -> str:
    """Decode by what the bytes show, else by the character set that the answer names."""
    shown = json.detect_encoding(body)
    if shown == "utf-8" and charset is not None and _CHARSETS.fullmatch(charset):
        try:
            return body.decode(charset, "replace")
        except (LookupError, ValueError):
            pass
    return body.decode(shown, "replace")


def _cut_secrets(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        for form in (secret, quote(secret), quote(secret, safe=""), secret.replace("/", r"\/")):
            text = text.replace(form, "(hidden)")
            # An answer may have broken off within a secret.
            for length in range(len(form) - 1, _SHORTEST_SECRET_END - 1, -1):
                if text.endswith(form[:length]):
                    text = text[:-length]
                    break
    return text
