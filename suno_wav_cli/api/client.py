"""One provider's API: a submission is sent once, lookups are retried."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from suno_wav_cli.api.error_mapping import (
    is_refusal,
    make_lookup_error,
    make_status_error,
    make_submission_error,
)
from suno_wav_cli.api.error_messages import submission_unknown, unreachable
from suno_wav_cli.api.parsing import find_task_id, read_credits, read_music_task
from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.api.transport import NotAnEnvelope, exchange, open_http
from suno_wav_cli.errors import ServiceUnavailable, TaskUnknown
from suno_wav_cli.system.http_errors import describe_error
from suno_wav_cli.system.pacing import Backoff

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from decimal import Decimal
    from types import TracebackType
    from typing import Self

    from suno_wav_cli.api.parsing import Envelope
    from suno_wav_cli.api.providers import Provider
    from suno_wav_cli.models import MusicTask, Secret, Song, WavRecord


class Client:
    """An async context manager. `backoff` says how often and when a lookup is retried.

    The key, and what `hide` is given, is cut out of the service's messages. Raise UsageError as
    `open_http`.
    """

    def __init__(
        self,
        provider: Provider,
        base_url: str,
        key: Secret,
        tls: ssl.SSLContext,
        backoff: Backoff,
    ) -> None:
        self.provider = provider
        self._secrets = [key.value]
        self._backoff = backoff
        self._http = open_http(base_url, key, tls)

    async def __aenter__(self) -> Self:
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._http.__aexit__(kind, error, traceback)

    def hide(self, text: str) -> None:
        """Cut this text, too, out of what the service says."""
        self._secrets.append(text)

    async def submit(
        self,
        song: Song,
        callback_url: str | None,
        sent: asyncio.Event,
        *,
        on_slow: Callable[[], None] | None = None,
    ) -> str:
        """Start one paid conversion by exactly one request (api/README.md, sections 2 and 7).

        Return the WAV task's id. `callback_url` is None if no callback is wanted. `sent` is set
        when the request begins to leave, and `on_slow` called once if the answer takes long.

        Raise SubmissionUnknown if the request may have been accepted, ServiceUnavailable if it
        certainly was not and can be sent again, RecordExists for a 409, and NotAuthorized,
        NoCredits or ConversionFailed if it was refused.
        """

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            # Only the POST counts: a proxy gets a CONNECT first.
            if event.endswith(".send_request_headers.started") and info["request"].method == b"POST":
                sent.set()

        slow = asyncio.get_running_loop().call_later(30.0, on_slow) if on_slow else None
        try:
            answer = await exchange(
                self._http,
                "POST",
                self.provider.submit_path,
                json=self.provider.make_submission(song, callback_url),
                extensions={"trace": watch},
            )
        except NotAnEnvelope as page:
            # A redirect that is not followed accepts nothing. A body that could not be read may accept
            # the request, whatever the status.
            if page.read and (is_refusal(page.status) or httpx.codes.is_redirect(page.status)):
                raise make_status_error(page.status, self._http.base_url.host) from None
            raise submission_unknown(str(page)) from None
        except httpx.HTTPError as error:
            if not sent.is_set():
                raise unreachable(error) from error
            raise submission_unknown(describe_error(error)) from error
        finally:
            if slow is not None:
                slow.cancel()
        if self.provider.codes.get(answer.code) is Meaning.SUCCESS:
            task_id = find_task_id(answer)
            if task_id is None:
                raise submission_unknown("the service accepted the request but named no task")
            return task_id
        raise make_submission_error(self._clean(answer), self.provider)

    async def fetch_record(self, task_id: str, *, retries: int | None = None) -> WavRecord:
        """Look up a WAV task (api/README.md, sections 4 and 7).

        `retries` replaces the client's own. Raise TaskUnknown if the service does not have it,
        NotAuthorized if the key was refused, GenerationFailed if a code says that the conversion
        failed, and ServiceUnavailable for any other answer, which says nothing of the task.
        """
        backoff = None if retries is None else Backoff(retries=retries)
        answer = await self._look_up(self.provider.record_path, {"taskId": task_id}, backoff)
        record = self.provider.read_record(task_id, answer.data)
        return replace(record, error_message=self._hide_secrets(record.error_message) or None)

    async def fetch_music_task(self, music_task_id: str) -> MusicTask:
        """Look up the tracks of a music task (api/README.md, section 6).

        Raise as `fetch_record`.
        """
        answer = await self._look_up(self.provider.music_path, {"taskId": music_task_id})
        return read_music_task(music_task_id, answer.data)

    async def fetch_credits(self, *, retries: int | None = None) -> Decimal:
        """Look up the account's balance, which is free (api/README.md, section 6).

        `retries` replaces the client's own. Raise ServiceUnavailable, also if the answer is not an amount; NotAuthorized;
        ConversionFailed.
        """
        remedy = "Check --provider and --base-url, or look at your account's page."
        try:
            backoff = self._backoff if retries is None else Backoff(retries=retries)
            answer = await self._look_up(self.provider.credit_path, {}, backoff)
        except TaskUnknown:
            raise ServiceUnavailable("the service does not tell the balance", remedy) from None
        balance = read_credits(answer.data)
        if balance is None:
            raise ServiceUnavailable("the service's answer is not a balance", remedy)
        return balance

    async def _look_up(self, path: str, params: dict[str, str], backoff: Backoff | None = None) -> Envelope:
        delays = (backoff or self._backoff).delays()
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
            answer = await exchange(self._http, "GET", path, params=params)
        except NotAnEnvelope as page:
            raise make_status_error(page.status, self._http.base_url.host) from None
        except httpx.HTTPError as error:
            raise unreachable(error) from error
        if self.provider.codes.get(answer.code) is not Meaning.SUCCESS:
            raise make_lookup_error(self._clean(answer), self.provider)
        return answer

    def _clean(self, answer: Envelope) -> Envelope:
        return replace(answer, message=self._hide_secrets(answer.message))

    def _hide_secrets(self, text: str | None) -> str:
        """Remove secrets from a message, in case the service quotes the request."""
        for secret in self._secrets:
            text = (text or "").replace(secret, "(hidden)")
        return text or ""
