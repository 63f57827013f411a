"""What a callback claims, in every shape of api/README.md, sections 5 and 7. It proves nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from suno_wav_cli.api.records import find_result_url
from suno_wav_cli.callbacks.refusal import content_type_of

if TYPE_CHECKING:
    from pathlib import Path

_MAX_ID = 200
_MAX_URL = 2000
_MAX_CODE = 999_999
_MAX_MESSAGE = 200
_SUCCESS = 200


@dataclass(frozen=True, kw_only=True)
class Callback:
    """What is claimed. `message` only explains a failure, so the claim leaves it out."""

    task_id: str | None
    code: int | None
    url: str | None = None
    message: str | None = field(default=None, compare=False, repr=False)

    @property
    def digest(self) -> bytes:
        """A short key to remember the claim by, which may be long."""
        return sha256(repr(self).encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True, kw_only=True)
class ReceivedCallback:
    """A delivery: a callback as it arrived. The names of its headers are in lower case.

    `kept` is the file that holds it until it is forwarded.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    callback: Callback
    kept: Path | None = None

    @property
    def content_type(self) -> str | None:
        """The media type, if it is not that of a callback. It is empty if there is none."""
        kind = content_type_of(self.headers)
        return None if kind == "application/json" or kind.endswith("+json") else kind


def read_callback(content: dict[str, Any]) -> Callback:
    """Find the task id, the code and the URL in any of the shapes."""
    data = content.get("data")
    places = [data, content] if isinstance(data, dict) else [content]
    responses = [response for place in places if isinstance(response := place.get("response"), dict)]
    results = [{"audio_wav_url": find_result_url(place.get("resultJson"))} for place in places]
    code = content.get("code")
    is_code = isinstance(code, int) and not isinstance(code, bool) and 0 <= code <= _MAX_CODE
    url = _find_text([*places, *responses, *results], ("audio_wav_url", "audioWavUrl"), _MAX_URL)
    failed = code != _SUCCESS and url is None
    return Callback(
        task_id=_find_text(places, ("task_id", "taskId"), _MAX_ID),
        code=code if is_code else None,
        url=url,
        message=_find_message([*reversed(places)]) if failed else None,
    )


def _find_message(places: list[dict[str, Any]]) -> str | None:
    """Return why a conversion failed, on one line and not too long."""
    texts = [place.get(name) for name in ("msg", "message", "errorMessage", "failMsg") for place in places]
    text = next((" ".join(text.split()) for text in texts if isinstance(text, str) and text.strip()), None)
    return text if text is None or len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}…"


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
