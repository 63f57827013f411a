"""What a callback claims, in every variant of api/README.md, sections 5 and 7. None of it is to be believed."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from suno_wav_cli.api.parsing import find_result_url

_LONGEST_ID = 200
_LONGEST_URL = 2000
_LARGEST_CODE = 999_999


@dataclass(frozen=True, kw_only=True)
class Callback:
    task_id: str | None
    code: int | None
    url: str | None = None

    @property
    def digest(self) -> bytes:
        """What it is remembered by: a stranger's may be long."""
        return sha256(repr(self).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, kw_only=True)
class ReceivedCallback:
    """A callback as it arrived. The headers' names are in lower case."""

    headers: tuple[tuple[str, str], ...]
    body: bytes
    callback: Callback


def read_callback(content: dict[str, Any]) -> Callback:
    """Find the task id, the code and the URL, wherever they stand."""
    data = content.get("data")
    places = [data, content] if isinstance(data, dict) else [content]
    responses = [response for place in places if isinstance(response := place.get("response"), dict)]
    results = [{"audio_wav_url": find_result_url(place.get("resultJson"))} for place in places]
    code = content.get("code")
    is_code = isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= _LARGEST_CODE
    return Callback(
        task_id=_first(places, ("task_id", "taskId"), _LONGEST_ID),
        code=code if is_code else None,
        url=_first([*places, *responses, *results], ("audio_wav_url", "audioWavUrl"), _LONGEST_URL),
    )


def _first(places: list[dict[str, Any]], names: tuple[str, ...], longest: int) -> str | None:
    values = [place.get(name) for place in places for name in names]
    return next(
        (
            value
            for value in values
            if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()
        ),
        None,
    )
