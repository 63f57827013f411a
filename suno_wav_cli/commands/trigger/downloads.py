"""`trigger --serve`: what the receiver makes of the files that its callbacks name."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from suno_wav_cli.events import trigger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from suno_wav_cli.callbacks.sender import ServiceTiming
    from suno_wav_cli.commands.trigger.request import PlannedCallback
    from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
    from suno_wav_cli.events import Report
    from suno_wav_cli.sandbox.offer import Fetch, FileOffer, OfferedFile

HOLD_SHARE = 5
"""A file is held back for this part of the time that the receiver has to answer."""

_LEAST_PATIENCE = 1.0
_PATIENCE_FACTOR = 10
"""How long to wait for a file, as a multiple of what the first one took."""


class Downloads:
    """The files of one run. `timing.answer` is also how long a file is waited for, at the most."""

    def __init__(self, offer: FileOffer, timing: ServiceTiming, report: Report) -> None:
        self._offer = offer
        self._seconds = self._patience = timing.answer
        self._fetches = False
        self._hold = timing.answer / HOLD_SHARE
        self._report = report
        self._files: dict[str, OfferedFile] = {}
        self._open: dict[str, tuple[AnswerVerdict, int]] = {}

    @property
    def fetched(self) -> Mapping[str, Fetch]:
        """What was fetched of each file until now, by the name of its callback."""
        return {name: file.fetch for name, file in self._files.items()}

    def add(self) -> OfferedFile:
        """Offer a file for the next callback."""
        return self._offer.add(self._hold)

    async def see(self, planned: PlannedCallback, verdict: AnswerVerdict, of: int) -> None:
        """Wait for the file of a callback that was answered. One that takes too long is left for `finish`."""
        file = planned.file
        if file is None or file.url.encode() not in planned.callback.body:
            return
        self._files[planned.name] = file
        fetch = await file.wait(self._patience if verdict.received else 0.0)
        if fetch.is_early:
            # It is proven once, and costs its time for each file.
            self._hold = 0.0
        if verdict.received:
            self._adapt(fetch)
        if not (verdict.received and fetch.is_whole):
            self._open[planned.name] = verdict, of
            return
        if planned.times > 1:
            fetch = await file.wait(self._patience, planned.times)
        self._tell(planned.name, fetch, of)

    def _adapt(self, fetch: Fetch) -> None:
        """Wait for the next file by what this one took, or not at all: all others are waited for together."""
        took = max(0.0, fetch.seconds or 0.0)
        enough = min(self._seconds, max(_LEAST_PATIENCE, _PATIENCE_FACTOR * took))
        self._patience = min(self._patience, enough) if fetch.is_whole else 0.0
        self._fetches = self._fetches or fetch.is_whole

    async def finish(self) -> None:
        """Report the files that were not fetched whole, after another wait if others were."""
        if self._fetches:
            awaited = [self._files[name] for name, (verdict, _) in self._open.items() if verdict.received]
            await asyncio.gather(*(file.wait(self._seconds) for file in awaited))
        for name, (verdict, of) in self._open.items():
            fetch = self._files[name].fetch
            if verdict.received or fetch.requests:
                self._tell(name, fetch, of)

    def _tell(self, name: str, fetch: Fetch, of: int) -> None:
        self._report(
            trigger.FileFetched(
                name=name,
                of=of,
                whole=fetch.is_whole,
                before_answer=fetch.is_early,
                bytes=fetch.bytes,
                size=fetch.size,
                requests=fetch.requests,
                seconds=None if fetch.seconds is None else round(fetch.seconds, 3),
                verdict=describe_fetch(fetch),
            )
        )


@asynccontextmanager
async def open_downloads(timing: ServiceTiming, report: Report) -> AsyncIterator[Downloads]:
    """Offer files on this machine until the block is left."""
    from suno_wav_cli.sandbox.offer import offer_files

    async with offer_files() as offer:
        report(trigger.FilesOffered(base_url=offer.base_url))
        yield Downloads(offer, timing, report)


def describe_fetch(fetch: Fetch) -> str:
    """Say what was fetched of a file until now."""
    if not fetch.requests:
        return f"not fetched within {fetch.waited:.{0 if fetch.waited >= 1 else 2}f} s"
    if not fetch.is_whole:
        early = ", and before the answer" if fetch.is_early else ""
        return f"not fetched whole: {fetch.bytes:,} of {fetch.size:,} bytes{early}"
    times = "" if fetch.times == 1 else f"{fetch.times} times, "
    if fetch.is_early:
        return f"fetched {times}before the answer: the receiver has no answer until it has the file"
    return f"fetched whole, {times}{max(0.0, fetch.seconds or 0.0):.2f} s after the answer"
