"""One provider's API: a submission is sent once, lookups are retried."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import httpx

from suno_wav_cli.api.addresses import find_address
from suno_wav_cli.api.error_messages import lead_to_service, submission_unknown, unreachable
from suno_wav_cli.api.lookup import read_answer, read_record_answer
from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.api.submission import read_submission
from suno_wav_cli.api.timing import ApiTiming
from suno_wav_cli.api.tracks import choose_answer, read_music_task
from suno_wav_cli.api.transport import exchange, open_http
from suno_wav_cli.api.values import read_amount
from suno_wav_cli.errors import (
    BalanceUnknown,
    NotAuthorized,
    ServiceUnavailable,
    SunoWavError,
    TaskUnknown,
)
from suno_wav_cli.system.http_errors import describe_error
from suno_wav_cli.system.pacing import Backoff

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from decimal import Decimal
    from types import TracebackType
    from typing import Self

    from suno_wav_cli.api.providers import Provider
    from suno_wav_cli.api.transport import Answer
    from suno_wav_cli.models import MusicTask, Secret, Song, WavRecord

T = TypeVar("T")


class Client:
    """An async context manager. `backoff` says how often and when a lookup is retried.

    The key, and what `hide` is given, is cut out of the service's messages. `key_worked` says
    whether the service has accepted the key. `address_from` is the option, the variable or the line
    that names the address, if it is not the usual one; `service` are the options that lead a command
    to the service, for the remedies. Raise UsageError as `open_http`.
    """

    def __init__(
        self,
        provider: Provider,
        base_url: str,
        key: Secret,
        tls: ssl.SSLContext,
        backoff: Backoff,
        *,
        timing: ApiTiming = ApiTiming(),
        address_from: str | None = None,
        service: Sequence[str] = (),
    ) -> None:
        self.provider = provider
        self.key_worked = False
        self._base_url = base_url
        self._address_from = address_from
        self._service = service
        self._secrets = [key.value]
        self._key_origin = key.origin
        self._backoff = backoff
        self._timing = timing
        self._lookups = open_http(base_url, key, tls, keep_alive=True)
        # On a connection that the server was just closing, a payment would have an unknown outcome.
        self._payments = open_http(base_url, key, tls, keep_alive=False)
        self._read = partial(read_answer, provider=provider, host=self._lookups.base_url.host)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._lookups)
        await self._open.enter_async_context(self._payments)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.__aexit__(kind, error, traceback)

    def hide(self, text: str) -> None:
        """Cut this text, too, out of what the service says."""
        self._secrets.append(text)

    async def submit(
        self,
        song: Song,
        callback_url: str | None,
        turn: Callable[[Callable[[], bool]], Awaitable[None]],
        *,
        on_slow: Callable[[], None] | None = None,
    ) -> str:
        """Start one paid conversion by exactly one request (api/README.md, sections 2 and 7).

        Return the WAV task's id. `callback_url` is None if no callback is wanted. `turn` is awaited
        when the connection is open, with a function that tells whether the service has closed it. The
        request leaves as soon as it returns; what it raises is raised here, and nothing leaves.
        `on_slow` is called once if the answer takes long.

        Raise SubmissionUnknown if the request may have been accepted, ServiceUnavailable if it
        certainly was not and can be sent again, RecordExists for a 409, and NotAuthorized,
        NoCredits or ConversionFailed if it was refused.
        """
        loop, slow = asyncio.get_running_loop(), None

        async def leave(is_closed: Callable[[], bool]) -> None:
            nonlocal slow
            await turn(is_closed)
            slow = loop.call_later(self._timing.slow, on_slow or (lambda: None))

        try:
            answer = await exchange(
                self._payments,
                "POST",
                self.provider.submit_path,
                seconds=self._timing.payment,
                json=self.provider.make_submission(song, callback_url),
                before_sending=leave,
            )
        except httpx.HTTPError as error:
            if slow is None or isinstance(error, httpx.ConnectError):
                raise self._unreachable(error) from error
            raise submission_unknown(describe_error(error)) from error
        finally:
            if slow is not None:
                slow.cancel()
        with self._with_remedy():
            return read_submission(
                self._learn(answer),
                provider=self.provider,
                host=self._lookups.base_url.host,
                song=song,
                secrets=self._secrets,
            )

    async def fetch_record(self, task_id: str, *, retries: int | None = None) -> WavRecord:
        """Look up a WAV task (api/README.md, sections 4 and 7).

        `retries` replaces the client's own. Raise TaskUnknown if the service does not have it,
        NotAuthorized if the key was refused, GenerationFailed if a code says that the conversion
        failed, and ServiceUnavailable for any other answer, which says nothing of the task.
        """
        read = partial(
            read_record_answer,
            provider=self.provider,
            host=self._lookups.base_url.host,
            base_url=self._base_url,
            task_id=task_id,
        )
        record = await self._look_up(self.provider.record_path, {"taskId": task_id}, read, retries)
        return replace(record, error_message=self._hide_secrets(record.error_message or "") or None)

    async def fetch_music_task(self, music_task_id: str) -> MusicTask:
        """Look up the tracks of a music task, by each route that may know it (api/README.md, section 6).

        Raise NotAuthorized, TaskUnknown, ServiceUnavailable or ConversionFailed.
        """
        answers: list[MusicTask | SunoWavError] = []
        for path in self.provider.music_paths:
            try:
                envelope = await self._look_up(path, {"taskId": music_task_id}, self._read)
            except NotAuthorized:
                raise
            except SunoWavError as error:
                answers.append(error)
            else:
                answers.append(read_music_task(music_task_id, envelope.data))
        best = choose_answer(answers)
        if isinstance(best, SunoWavError):
            raise best
        return best

    async def fetch_credits(self, *, retries: int | None = None) -> Decimal:
        """Look up the account's balance, which is free (api/README.md, section 6).

        `retries` replaces the client's own. Raise BalanceUnknown if the answer is not an amount;
        ServiceUnavailable; NotAuthorized; ConversionFailed.
        """
        remedy = "Check --provider and --base-url, or look at your account's page."
        try:
            answer = await self._look_up(self.provider.credit_path, {}, self._read, retries)
        except TaskUnknown:
            raise BalanceUnknown("the service does not tell the balance", remedy) from None
        balance = read_amount(answer.data)
        if balance is None:
            raise BalanceUnknown("the service's answer is not a balance", remedy)
        return balance

    async def fetch_fresh_link(self, url: str) -> str | None:
        """Return another link to the service's own file at `url`, good for minutes (api/README.md, section 6).

        None if this provider makes none, or this one cannot be made now.
        """
        if self.provider.link_path is None:
            return None
        try:
            answer = await exchange(
                self._lookups,
                "POST",
                self.provider.link_path,
                seconds=self._timing.lookup,
                json={"url": url},
            )
            envelope = self._read(self._learn(answer))
        except (httpx.HTTPError, SunoWavError):
            return None
        link, _ = find_address([envelope.data], self._base_url)
        return link

    async def _look_up(
        self, path: str, params: dict[str, str], read: Callable[[Answer], T], retries: int | None = None
    ) -> T:
        """Ask until `read` understands the answer, or the retries are used up."""
        delays = (self._backoff if retries is None else Backoff(retries=retries)).delays()
        while True:
            try:
                answer = await exchange(
                    self._lookups, "GET", path, seconds=self._timing.lookup, params=params
                )
                with self._with_remedy():
                    return read(self._learn(answer))
            except httpx.HTTPError as error:
                problem = self._unreachable(error)
                problem.__cause__ = error
            except ServiceUnavailable as error:
                problem = error
            pause, delay = problem.retry_after or 0.0, next(delays, None)
            # The wait loop obeys a longer pause: it has more time than a single lookup.
            if delay is None or pause > self._backoff.cap:
                raise problem
            await asyncio.sleep(max(delay, pause))

    def _unreachable(self, error: httpx.HTTPError) -> ServiceUnavailable:
        problem = unreachable(error, self._base_url, self._address_from)
        problem.remedy = lead_to_service(problem.remedy, self._service)
        return problem

    @contextmanager
    def _with_remedy(self) -> Iterator[None]:
        """Complete the remedy of an error: of a key that is refused, say where it came from."""
        try:
            yield
        except SunoWavError as error:
            error.remedy = lead_to_service(error.remedy, self._service)
            if isinstance(error, NotAuthorized) and self._key_origin is not None:
                error.remedy = f"The key is the one from {self._key_origin}. {error.remedy}"
            raise

    def _learn(self, answer: Answer) -> Answer:
        """Notice a key that works, and hide secrets in what is said, in case it quotes the request."""
        envelope = answer.envelope
        if envelope is None:
            return answer
        if self.provider.codes.get(envelope.code) is Meaning.SUCCESS:
            self.key_worked = True
        return replace(answer, envelope=replace(envelope, message=self._hide_secrets(envelope.message)))

    def _hide_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "(hidden)")
        return text
