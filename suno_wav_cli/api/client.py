"""The Suno API: requests out, envelopes in, and what their codes mean."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from suno_wav_cli import USER_AGENT
from suno_wav_cli.api.error_mapping import (
    is_refusal,
    no_envelope,
    refusal,
    refusal_by_status,
    submission_unknown,
    unreachable,
)
from suno_wav_cli.api.parsing import find_task_id, read_credits, read_envelope, read_music_task
from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.errors import ServiceUnavailable, TaskUnknown, UsageError
from suno_wav_cli.system.http_errors import decode_body, describe_error, read_body
from suno_wav_cli.system.loopback import is_loopback

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from decimal import Decimal
    from types import TracebackType
    from typing import Self

    from suno_wav_cli.api.parsing import Envelope
    from suno_wav_cli.api.providers import Provider
    from suno_wav_cli.models import MusicTask, Secret, Song, WavRecord
    from suno_wav_cli.system.pacing import Backoff

_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_TOTAL_SECONDS = 60.0
_LARGEST_ANSWER = 1 << 20


class Client:
    """One provider's API at one address. An async context manager; lookups are repeated by `backoff`.

    The key and the texts in `hidden` are cut out of what the service says.

    Raises UsageError where the key would travel unencrypted, or by a proxy that cannot be used.
    """

    def __init__(
        self,
        provider: Provider,
        base_url: str,
        key: Secret,
        tls: ssl.SSLContext,
        backoff: Backoff,
        *,
        hidden: Sequence[str] = (),
    ) -> None:
        if urlsplit(base_url).scheme != "https" and not is_loopback(base_url):
            raise UsageError(
                f"the API key is not sent to {base_url} over plain http",
                "Use an https:// address; http:// is accepted for this machine only.",
            )
        self.provider = provider
        self.base_url = base_url
        self._secrets = (key.value, *hidden)
        self._backoff = backoff
        try:
            self._http = httpx.AsyncClient(
                base_url=base_url,
                headers={
                    "Authorization": f"Bearer {key.value}",
                    "User-Agent": USER_AGENT,
                    "Accept-Encoding": "identity",
                },
                timeout=_TIMEOUT,
                verify=tls,
                follow_redirects=False,
                # A connection that the server closes just when a paid request leaves makes its outcome unknown.
                limits=httpx.Limits(keepalive_expiry=2.0),
                # A proxy that the environment names is not asked for this machine's own addresses.
                trust_env=not is_loopback(base_url),
            )
        except (ImportError, ValueError, httpx.InvalidURL) as error:
            raise UsageError(
                f"the proxy that the environment names cannot be used: {error}",
                "Correct http_proxy, https_proxy and all_proxy, or unset them.",
            ) from error

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, traceback)

    async def submit(self, song: Song, callback_url: str | None, sent: asyncio.Event) -> str:
        """Start one paid conversion, by exactly one request; the WAV task's id (sections 2 and 7).

        `callback_url` is None where nobody listens. `sent` is set when the request begins to leave. Raises SubmissionUnknown where it may have been accepted;
        ServiceUnavailable where it certainly was not and may be sent again; RecordExists (409); NotAuthorized,
        NoCredits, ConversionFailed where it was refused.
        """

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            # By its method, for a proxy is sent a CONNECT before.
            if event.endswith(".send_request_headers.started") and info["request"].method == b"POST":
                sent.set()

        try:
            answer = await self._exchange(
                "POST",
                self.provider.submit_path,
                json=self.provider.submission(song, callback_url),
                extensions={"trace": watch},
            )
        except _NotAnEnvelope as page:
            # A redirect is not followed, and so nobody has taken the request. What was not read may be an
            # envelope that accepts it, whatever the status.
            if page.read and (is_refusal(page.status) or httpx.codes.is_redirect(page.status)):
                raise refusal_by_status(page.status, self._http.base_url.host) from None
            raise submission_unknown(str(page)) from None
        except httpx.HTTPError as error:
            if not sent.is_set():
                raise unreachable(error) from error
            raise submission_unknown(describe_error(error)) from error
        if self.provider.codes.get(answer.code) is Meaning.SUCCESS:
            task_id = find_task_id(answer)
            if task_id is None:
                raise submission_unknown("the service accepted the request but named no task")
            return task_id
        raise refusal(answer, self.provider, paid=True)

    async def fetch_record(self, task_id: str) -> WavRecord:
        """Ask for the task's record (sections 4 and 7). Raises TaskUnknown, NotAuthorized, ServiceUnavailable, ConversionFailed."""
        answer = await self._lookup(self.provider.record_path, {"taskId": task_id})
        record = self.provider.read_record(task_id, answer.data)
        return replace(record, error_message=self._without_secrets(record.error_message) or None)

    async def fetch_music_task(self, music_task_id: str) -> MusicTask:
        """Ask for the tracks of a music task (section 6). Raises as `fetch_record`."""
        answer = await self._lookup(self.provider.music_path, {"taskId": music_task_id})
        return read_music_task(music_task_id, answer.data)

    async def fetch_credits(self) -> Decimal:
        """Ask for the account's balance (section 6), which is free.

        Raises ServiceUnavailable, also where the answer is no amount; NotAuthorized; ConversionFailed where the request
        is refused.
        """
        remedy = "Check --provider and --base-url, or look at your account's page."
        try:
            answer = await self._lookup(self.provider.credit_path, {})
        except TaskUnknown:
            raise ServiceUnavailable("the service does not tell the balance", remedy) from None
        balance = read_credits(answer.data)
        if balance is None:
            raise ServiceUnavailable("the service says something that is no balance", remedy)
        return balance

    async def _lookup(self, path: str, params: dict[str, str]) -> Envelope:
        delays = self._backoff.delays()
        while True:
            try:
                return await self._look_up_once(path, params)
            except ServiceUnavailable:
                delay = next(delays, None)
                if delay is None:
                    raise
                await asyncio.sleep(delay)

    async def _look_up_once(self, path: str, params: dict[str, str]) -> Envelope:
        try:
            answer = await self._exchange("GET", path, params=params)
        except _NotAnEnvelope as page:
            raise refusal_by_status(page.status, self._http.base_url.host) from None
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        if self.provider.codes.get(answer.code) is not Meaning.SUCCESS:
            raise refusal(answer, self.provider, paid=False)
        return answer

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        params: dict[str, str] | None = None,
        extensions: dict[str, Any] | None = None,
    ) -> Envelope:
        """One request, one answer. Raises httpx.HTTPError and _NotAnEnvelope."""
        try:
            async with (
                asyncio.timeout(_TOTAL_SECONDS),
                self._http.stream(method, path, json=json, params=params, extensions=extensions) as response,
            ):
                body = await read_body(response, _LARGEST_ANSWER)
        except TimeoutError:
            raise httpx.ReadTimeout(f"no whole answer within {_TOTAL_SECONDS:.0f} s") from None
        except ValueError as error:
            # httpx works a redirect's address out even where it is not to follow it.
            raise httpx.RemoteProtocolError(f"an answer that makes no sense: {error}") from error
        decoded = decode_body(body, response.headers.get("Content-Encoding", ""), _LARGEST_ANSWER)
        if decoded is None:
            raise _NotAnEnvelope(response.status_code, read=False)
        answer = read_envelope(decoded)
        if answer is None:
            raise _NotAnEnvelope(response.status_code)
        return replace(answer, message=self._without_secrets(answer.message))

    def _without_secrets(self, text: str | None) -> str:
        """Clean what the service says of the request that it answers, should it repeat it."""
        for secret in self._secrets:
            text = (text or "").replace(secret, "(hidden)")
        return text or ""


class _NotAnEnvelope(Exception):
    """`read` is False if the body is too long or cannot be decoded."""

    def __init__(self, status: int, *, read: bool = True) -> None:
        super().__init__(no_envelope(status))
        self.status = status
        self.read = read
