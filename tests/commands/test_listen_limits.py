"""The bounds of `listen`, made small."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.callbacks.payload import Callback
from suno_wav_cli.callbacks.recording import RecordedCallback
from suno_wav_cli.commands.listen.archive import DeliveryArchive
from suno_wav_cli.commands.listen.claims import REPEATED, rank_first_lookup
from suno_wav_cli.commands.listen.forwarded import headers_to_forward, leads_to_port
from suno_wav_cli.commands.listen.limits import ListenLimits
from suno_wav_cli.commands.listen.verifier import CallbackVerifier, Service
from suno_wav_cli.config.credentials import Secrets
from suno_wav_cli.config.run import Run
from suno_wav_cli.config.settings import Settings
from suno_wav_cli.conversion.context import open_context
from suno_wav_cli.events.deliveries import DeliveryChecked, DeliveryDropped
from suno_wav_cli.models import Secret
from suno_wav_cli.system.task_pool import TaskPool
from tests.support.account import open_account
from tests.support.event_log import EventLog

if TYPE_CHECKING:
    from tests.support.account import SandboxAccount

RECORDING = RecordedCallback(received=1735689600.0, headers=(), body=b"{}")


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(ListenLimits(files=2), id="files"),
        pytest.param(ListenLimits(file_bytes=150), id="bytes"),
    ],
)
def test_the_archive_keeps_the_newest_files(limits: ListenLimits) -> None:
    """Each file has 64 bytes. A file of an earlier run stays."""
    Path("earlier.json").touch()
    archive = DeliveryArchive(Path.cwd(), limits)
    paths = [archive.keep(number, RECORDING) for number in range(5)]
    assert {path.stat().st_size for path in paths[-2:]} == {len(paths[-1].read_bytes())}
    assert {*Path.cwd().iterdir()} == {*paths[-2:], Path.cwd() / "earlier.json"}


def new_run(account: SandboxAccount, reported: EventLog) -> Run:
    return Run(
        settings=Settings(provider="sandbox", base_url=str(account.http.base_url).rstrip("/")),
        choices=(),
        secrets=Secrets(api_key=Secret(value="any"), ngrok_token=None, hmac_key=None),
        environ={"SUNO_WAV_HOME": str(Path.cwd())},
        report=reported.append,
        interactive=False,
    )


def test_made_up_tasks_displace_no_decided_one() -> None:
    """Strangers may name any number of tasks. A repeat of a genuine claim still costs no lookup."""
    reported, confirmed = EventLog(), list[str]()
    with open_account() as account:
        task_id = account.task("demo")
        genuine = Callback(task_id=task_id, code=200, url=account.wait_for_url(task_id))
        run = new_run(account, reported)

        async def check() -> None:
            async with open_context(run) as context:
                pool = TaskPool()
                verifier = CallbackVerifier(
                    Service(context=context, downloads=False),
                    pool,
                    reported.append,
                    ListenLimits(unasked_tasks=2, tasks=3),
                    confirmed.append,
                )
                verifier.check(1, genuine)
                await pool.finish()
                for number in range(2, 12):
                    verifier.check(number, Callback(task_id=f"made-up-{number}", code=200))
                verifier.check(12, genuine)
                verifier.stop_asking(all_count=True)
                await pool.finish()

        asyncio.run(check())
    verdicts = {event.number: event.verdict for event in reported.of(DeliveryChecked)}
    assert verdicts[1] == "confirmed"
    assert confirmed == [task_id]
    assert 12 not in verdicts, reported


def test_made_up_tasks_displace_each_other_and_none_that_is_paid_for() -> None:
    """The newest takes the place of the oldest."""
    reported = EventLog()
    with open_account() as account:
        paid = account.task("demo-never")

        async def check() -> None:
            async with open_context(new_run(account, reported)) as context:
                context.journal.adopt(paid, "demo-never", None)
                pool = TaskPool()
                verifier = CallbackVerifier(
                    Service(context=context, downloads=False),
                    pool,
                    reported.append,
                    ListenLimits(unasked_tasks=3),
                    list[str]().append,
                )
                verifier.check(1, Callback(task_id=paid, code=200))
                for number in range(2, 12):
                    verifier.check(number, Callback(task_id=f"made-up-{number}", code=200))
                verifier.stop_asking(all_count=True)
                await pool.finish()

        asyncio.run(check())
    assert [event.number for event in reported.of(DeliveryDropped)] == list(range(2, 9))
    assert {event.number for event in reported.of(DeliveryChecked)} == {1, 9, 10, 11}


def test_trusted_tasks_are_looked_up_first_and_then_the_newest() -> None:
    """A trusted one shares no rate with strangers. What was looked up once comes after all first lookups."""
    assert rank_first_lookup(7, trusted=True) is None
    ranks = [rank_first_lookup(number, trusted=False) or 0 for number in (1, 2, 300)]
    assert sorted([*ranks, REPEATED]) == [-300, -2, -1, REPEATED]


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:3000/hook", True),
        ("http://127.0.0.1:3000", True),
        ("http://127.9.9.9:3000/hook", True),
        ("http://0.0.0.0:3000/", True),
        ("http://LOCALHOST:3000/x", True),
        ("http://localhost:3001/hook", False),
        ("http://192.0.2.1:3000/hook", False),
        ("https://localhost/hook", False),
    ],
)
def test_address_of_the_receiver_itself(url: str, own: bool) -> None:
    assert leads_to_port(url, 3000) is own


def test_headers_of_proxies_are_not_forwarded() -> None:
    """They name the public host, which a receiver on this machine may refuse."""
    own = (("User-Agent", "service/1"), ("X-Forward", "1"))
    added = (("X-Forwarded-For", "192.0.2.1"), ("x-forwarded-proto", "https"), ("Forwarded", "for=a"))
    via = ("Via", "1.1 us")
    assert headers_to_forward(own + added, via[1], keep_forwarded=False) == (*own, via)
    assert headers_to_forward(own + added, via[1], keep_forwarded=True) == (*own, *added, via)
