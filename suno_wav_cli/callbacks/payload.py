"""What a callback claims, in every shape of api/README.md, sections 5 and 7. It proves nothing."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from suno_wav_cli.api.records import find_result_url

_MAX_ID = 200
_MAX_URL = 2000
_MAX_CODE = 999_999


@dataclass(frozen=True, kw_only=True)
class Callback:
    task_id: str | None
    code: int | None
    url: str | None = None

    @property
    def digest(self) -> bytes:
        """A short key to remember the claim by, which may be long."""
        return sha256(repr(self).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, kw_only=True)
class ReceivedCallback:
    """A delivery: a callback as it arrived. The names of its headers are in lower case."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    callback: Callback


def read_callback(content: dict[str, Any]) -> Callback:
    """Find the task id, the code and the URL in any of the shapes."""
    data = content.get("data")
    places = [data, content] if isinstance(data, dict) else [content]
    responses = [response for place in places if isinstance(response := place.get("response"), dict)]
    results = [{"audio_wav_url": find_result_url(place.get("resultJson"))} for place in places]
    code = content.get("code")
    is_code = isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= _MAX_CODE
    return Callback(
        task_id=_find_text(places, ("task_id", "taskId"), _MAX_ID),
        code=code if is_code else None,
        url=_find_text([*places, *responses, *results], ("audio_wav_url", "audioWavUrl"), _MAX_URL),
    )


def _find_text(places: list[dict[str, Any]], names: tuple[str, ...], limit: int) -> str | None:
    values = [place.get(name) for place in places for name in names]
    return next(
        (
            value
            for value in values
            if isinstance(value, str) and 0 < len(value) <= limit and value.isprintable()
        ),
        None,
    )
