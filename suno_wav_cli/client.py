"""The Suno API: requests out, envelopes in, and what their codes mean."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

from suno_wav_cli import __version__, answers
from suno_wav_cli.errors import (
    ConversionFailed,
    NoCredits,
    NotAuthorized,
    RecordExists,
    ServiceUnavailable,
    SubmissionUnknown,
    SunoWavError,
    TaskUnknown,
    UsageError,
)
from suno_wav_cli.loopback import is_loopback
from suno_wav_cli.providers import Meaning

if TYPE_CHECKING:
    import ssl
    from types import TracebackType
    from typing import Self

    from suno_wav_cli.answers import Envelope
    from suno_wav_cli.models import Secret, Song, WavRecord
    from suno_wav_cli.pacing import Backoff
    from suno_wav_cli.providers import Provider

USER_AGENT = f"suno-wav/{__version__}"
"""Explicit, because the hosts refuse the default agents of some libraries (contract/wav-api.md, section 1)."""

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_TOTAL_SECONDS = 60.0
_LARGEST_ANSWER = 1 << 20
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_LATER = frozenset({Meaning.BUSY, Meaning.MAINTENANCE})


class Client:
    """One provider's API at one address. An async context manager; lookups are repeated by `backoff`.

    Raises UsageError where the key would travel unencrypted.
    """

    def __init__(self, provider: Provider, base_url: str, key: Secret, tls: ssl.SSLContext, backoff: Backoff) -> None:
        if urlsplit(base_url).scheme != "https" and not is_loopback(base_url):
            raise UsageError(
                f"the API key is not sent to {base_url} over plain http",
                "Use an https:// address; http:// is accepted for this machine only.",
            )
        self._provider = provider
        self._backoff = backoff
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key.value}", "User-Agent": USER_AGENT},
            timeout=_TIMEOUT,
            verify=tls,
            follow_redirects=False,
            # A proxy that the environment names is not asked for this machine's own addresses.
            trust_env=not is_loopback(base_url),
        )

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, traceback)

    async def submit(self, song: Song, callback_url: str) -> str:
        """Start one paid conversion, by exactly one request; the WAV task's id (section 2).

        Raises SubmissionUnknown where the request may have been accepted; ServiceUnavailable where it certainly was
        not and may be sent again; RecordExists (409); NotAuthorized, NoCredits, ConversionFailed where it was refused.
        """
        body = {"audioId": song.audio_id, "callBackUrl": callback_url}
        if song.music_task_id is not None:
            body["taskId"] = song.music_task_id
        try:
            answer = await self._exchange("POST", self._provider.submit_path, json=body)
        except _NotAnEnvelope as page:
            if page.status < httpx.codes.INTERNAL_SERVER_ERROR and page.status != httpx.codes.OK:
                raise self._refused_by_status(page) from None
            raise _submission_unknown(str(page)) from None
        except httpx.HTTPError as error:
            if isinstance(error, _NEVER_SENT):
                raise _unreachable(error) from error
            raise _submission_unknown(_described(error)) from error
        if self._provider.codes.get(answer.code) is Meaning.SUCCESS:
            task_id = answers.submitted_task_id(answer)
            if task_id is None:
                raise _submission_unknown("the service accepted the request but named no task")
            return task_id
        raise self._refusal(answer, paid=True)

    async def wav_record(self, task_id: str) -> WavRecord:
        """Ask `record-info` (section 4). Raises TaskUnknown, NotAuthorized, ServiceUnavailable, ConversionFailed."""
        answer = await self._lookup(self._provider.record_path, task_id)
        return answers.wav_record(task_id, answer.data)

    async def tracks(self, music_task_id: str) -> tuple[Song, ...]:
        """List the tracks of a music task (section 6). Raises as `wav_record`."""
        answer = await self._lookup(self._provider.music_path, music_task_id)
        return answers.tracks(music_task_id, answer.data)

    async def _lookup(self, path: str, task_id: str) -> Envelope:
        delays = self._backoff.delays()
        while True:
            try:
                return await self._look_up_once(path, task_id)
            except ServiceUnavailable:
                delay = next(delays, None)
                if delay is None:
                    raise
                await asyncio.sleep(delay)

    async def _look_up_once(self, path: str, task_id: str) -> Envelope:
        try:
            answer = await self._exchange("GET", path, params={"taskId": task_id})
        except _NotAnEnvelope as page:
            raise self._refused_by_status(page) from None
        except httpx.HTTPError as error:
            raise _unreachable(error) from error
        if self._provider.codes.get(answer.code) is not Meaning.SUCCESS:
            raise self._refusal(answer, paid=False)
        return answer

    async def _exchange(
        self, method: str, path: str, *, json: dict[str, str] | None = None, params: dict[str, str] | None = None
    ) -> Envelope:
        """One request, one answer. Raises httpx.HTTPError and _NotAnEnvelope."""
        body = bytearray()
        try:
            async with (
                asyncio.timeout(_TOTAL_SECONDS),
                self._http.stream(method, path, json=json, params=params) as response,
            ):
                async for piece in response.aiter_bytes():
                    body += piece
                    if len(body) > _LARGEST_ANSWER:
                        raise _NotAnEnvelope(response.status_code)
        except TimeoutError:
            raise httpx.ReadTimeout(f"no whole answer within {_TOTAL_SECONDS:.0f} s") from None
        answer = answers.envelope(bytes(body))
        if answer is None:
            raise _NotAnEnvelope(response.status_code)
        return answer

    def _refusal(self, answer: Envelope, *, paid: bool) -> SunoWavError:
        """What a `code` other than success means, for a request that was `paid` or for a free one (section 3)."""
        meaning = self._provider.codes.get(answer.code)
        said = f"{answer.message or 'no reason given'} (code {answer.code})"
        if meaning is Meaning.UNAUTHORIZED:
            return _not_authorized(said)
        if meaning is Meaning.NO_CREDITS:
            return NoCredits(f"not enough credits: {said}", "Top up at your provider, then run the same command again.")
        if meaning is Meaning.EXISTS:
            return RecordExists(
                f"the service already has a WAV of this song: {said}",
                "Its task id is not known here. If you have it: suno-wav status TASK_ID --download",
                answers.submitted_task_id(answer),
            )
        if meaning in _LATER:
            what = "too many requests" if meaning is Meaning.BUSY else "the service is in maintenance"
            return ServiceUnavailable(f"{what}: {said}", "Nothing was charged for this. Try again in a while.")
        if meaning is Meaning.UNKNOWN_TASK and not paid:
            return TaskUnknown(
                f"the service does not know this task: {said}",
                "Check the id: `status` wants the id of the WAV task, not that of the song or of the music task.",
            )
        if meaning is Meaning.SERVER_ERROR or (meaning is None and answer.code >= httpx.codes.INTERNAL_SERVER_ERROR):
            if paid:
                return _submission_unknown(f"the service answered with an error of its own: {said}")
            return ServiceUnavailable(f"the service has trouble: {said}", "Try again in a while.")
        if meaning is Meaning.SOURCE_LOST:
            return ConversionFailed(
                f"the service could not fetch the song's audio: {said}",
                "The song may be too old or deleted at the service; generate it again, or try later.",
            )
        if meaning is Meaning.FAILED:
            return ConversionFailed(f"the conversion failed: {said}", "Run the same command to try once more.")
        return ConversionFailed(
            f"the service refused the request: {said}",
            "Check the audio id; where the song's music task is known, give it too: --task-id ID",
        )

    def _refused_by_status(self, page: _NotAnEnvelope) -> SunoWavError:
        """Judge by the HTTP status, which counts only where the body is not an envelope (section 1)."""
        status = page.status
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return _not_authorized(str(page))
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return ServiceUnavailable(f"too many requests: {page}", "Try again in a while.")
        if httpx.codes.MULTIPLE_CHOICES <= status < httpx.codes.INTERNAL_SERVER_ERROR:
            return ConversionFailed(
                f"{page}, from {self._http.base_url.host}",
                "Is this the address of the API? Check --base-url. (Redirects are not followed: the key would go along.)",
            )
        return ServiceUnavailable(f"{page}, from {self._http.base_url.host}", "Try again in a while.")


class _NotAnEnvelope(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status} with something that is not an answer of the API")
        self.status = status


def _not_authorized(said: str) -> NotAuthorized:
    return NotAuthorized(
        f"the service refused the API key: {said}", "Check SUNO_API_KEY, and that it belongs to this provider."
    )


def _unreachable(error: httpx.HTTPError) -> ServiceUnavailable:
    return ServiceUnavailable(
        f"the service cannot be reached: {_described(error)}", "Check the network and --base-url, then try again."
    )


def _submission_unknown(what: str) -> SubmissionUnknown:
    return SubmissionUnknown(
        f"it is not known whether the conversion was accepted and charged: {what}",
        "It is not submitted again by itself. Look at your account's log; to pay for another try, add --resubmit.",
    )


def _described(error: httpx.HTTPError) -> str:
    return str(error) or type(error).__name__
