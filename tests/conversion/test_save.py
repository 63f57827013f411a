"""Songs saved from a CDN that misbehaves on order: the file is byte for byte the CDN's, or there is none."""

from __future__ import annotations

import gzip
import random
import socket
import struct
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import chain, count, repeat
from pathlib import Path
from threading import Event, Thread, Timer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from suno_wav_cli.download.fetch import RateLimit
from suno_wav_cli.errors import AddressRefused, DownloadFailed, NotAWholeWav, ServiceUnavailable
from suno_wav_cli.events.songs import ConnectionsReduced, DownloadRetried, DownloadStarted
from suno_wav_cli.sandbox.cdn.faults import Kind, Plan
from suno_wav_cli.system.pacing import Backoff
from tests.crash.relay import Relay, relaying
from tests.support.cdn import format_cdn_id, plans
from tests.support.context import PART, QUICK, TARGET, WISHES, Customer, file_of
from tests.support.program import Sandbox, named, read_until, started
from tests.support.quick import examples, shortlist
from tests.support.wild import a_wild_server, envelope
from tests.support.wire import read_head, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import Response

    from tests.support.context import Run
    from tests.support.wild import Seen

SIZE = 1_152_044
LARGE = 17
"""Megabytes of a file that is worth several connections."""

IMPATIENT = replace(WISHES, stall_timeout=0.3)
PIECE = 64 * 1024


def sent(customer: Customer, audio_id: str) -> int:
    return customer.account.counted("file_bytes", audio_id)


def requests(customer: Customer, audio_id: str) -> int:
    return customer.account.counted("file_requests", audio_id)


def assert_saved(run: Run, audio_id: str, version: int = 0) -> None:
    """Compare the file, and what was said of it, with the CDN's."""
    assert run.error is None, run.error
    assert TARGET.read_bytes() == file_of(audio_id, version)
    assert [path.name for path in Path().iterdir()] == [TARGET.name]


# One fault at a time

CONTINUED = (
    "cut",
    "cut1",
    "cut0",
    "cut44-reset1000-cut",
    "reset",
    "stall",
    "cut.then401",
    "cut.then403",
    "cut300k.then404",
    "reset300k.then410",
    "stall.then403",
    "cut-503-502-500-cut",
    "cut-429.after0",
    "cut-408",
    "cut-425",
    "cut-302",
    "cut-307-308",
    f"chunked.cut{SIZE}",
    "chunked.cut",
    "chunked.reset-cut100k",
    "trickle40k",
    "cut.then400",
    "cut300k.then202",
    "partial",
    "cut-partial",
    "aws",
    "utf.cut",
    "none.chunked",
    "longer5~always",
    "longer500k~always",
    f"untagged-chunked.cut{SIZE}~always",
    f"chunked.reset{SIZE}~always",
    "untagged-longer1~always",
)
"""After these nothing is asked for twice."""


@pytest.mark.first_cases(5)
@pytest.mark.parametrize("steps", CONTINUED)
def test_what_can_be_continued_is(customer: Customer, steps: str) -> None:
    audio_id = f"demo-cdn-{steps}"
    wishes = replace(IMPATIENT, min_speed=200_000) if "trickle" in steps else IMPATIENT
    assert_saved(customer.save(customer.order(audio_id), wishes), audio_id)
    assert SIZE <= sent(customer, audio_id) <= SIZE + PIECE


AFRESH = (
    ("ignore", 1),
    ("cut-ignore", 3),
    ("cut-shift1", 2),
    ("cut-shift100k", 2),
    ("cut-total1", 2),
    ("cut-bare", 2),
    ("cut-gzip", 2),
    ("gzip", 1),
    ("xgzip", 1),
    ("members", 1),
    ("members.chunked", 1),
    ("twice", 1),
    ("zlib", 1),
    ("twice.cut", 2),
    ("aws.bare", 1),
    ("cut.then416", 2),
    ("gzip.cut", 2),
    ("gzip.chunked", 1),
    ("chunked", 1),
    ("chunked~always", 1),
    ("longer5", 2),
    ("longer5.cut", 2),
    ("shorter1", 2),
    ("shorter100k", 2),
    ("cut-longer5", 2),
    ("cut-shorter5", 2),
    ("page", 2),
    ("mpeg", 2),
    ("empty", 2),
    ("untagged-cut-ok", 2),
    ("weak-cut-ok", 2),
    ("rangeless-cut-ok", 3),
    ("rangeless-untagged-reset", 3),
    ("chunked.cut-total5", 2),
)
"""With how often the file is sent at most, because what is there does not prove to be of use."""


@pytest.mark.first_cases(6)
@pytest.mark.parametrize(("steps", "times"), AFRESH)
def test_what_cannot_be_continued_is_begun_anew(customer: Customer, steps: str, times: int) -> None:
    audio_id = f"demo-cdn-{steps}"
    assert_saved(customer.save(customer.order(audio_id), IMPATIENT), audio_id)
    assert sent(customer, audio_id) <= times * SIZE + PIECE


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("steps", ["cut-changed", "cut500k-cut100k.changed", "reset-changed.chunked"])
def test_another_file_is_not_put_together_with_the_first(customer: Customer, steps: str) -> None:
    audio_id = f"demo-cdn-{steps}"
    assert_saved(customer.save(customer.order(audio_id), IMPATIENT), audio_id, version=1)


SEVERAL = (
    ("ok", False),
    ("cut", False),
    ("cut3m-cut1m-cut100-cut0", True),
    ("ok-reset1m", True),
    ("ok-ok-stall1m", True),
    ("ok-503-ok-429.after0", True),
    ("ok-ok-403", True),
    ("ok-ok-cut1m.then404", True),
    ("ok-302-307", False),
    ("ok-ok-ok-chunked", False),
)
"""With whether one of the first four answers fails, and only one connection goes on."""


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(("steps", "narrowed"), SEVERAL)
def test_four_connections_fetch_nothing_twice(customer: Customer, steps: str, narrowed: bool) -> None:
    """But for what is on its way to a connection that is given up: some megabytes in the system's buffers each."""
    audio_id = f"demo-{LARGE}mb-cdn-{steps}"
    run = customer.save(customer.order(audio_id), IMPATIENT, connections=4)
    assert_saved(run, audio_id)
    assert sent(customer, audio_id) < (2.5 if narrowed else 1.7) * len(file_of(audio_id))
    if narrowed:
        assert len(run.of(ConnectionsReduced)) == 1


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    "steps",
    [
        *("ok-shift1", "ok-total7", "ok-bare", "ok-ignore", "ok-gzip", "ok-longer9", "ok-shorter9"),
        *("ok-changed", "ok-ok-ok-changed.cut", "cut-403-changed", "ok-page", "ok-empty"),
        *("chunked", "gzip", "page", "weak", "untagged-cut1m", "rangeless", "shorter9", "longer9"),
    ],
)
def test_four_connections_put_nothing_together_that_does_not_belong(customer: Customer, steps: str) -> None:
    audio_id = f"demo-{LARGE}mb-cdn-{steps}"
    run = customer.save(customer.order(audio_id), IMPATIENT, connections=4)
    assert_saved(run, audio_id, version=int("changed" in steps))
    assert sent(customer, audio_id) < 4.5 * len(file_of(audio_id))


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("steps", ["weak", "untagged", "rangeless", "chunked"])
def test_without_what_proves_a_range_there_is_one_connection(customer: Customer, steps: str) -> None:
    audio_id = f"demo-{LARGE}mb-cdn-{steps}-ok+one"
    run = customer.save(customer.order(audio_id), connections=4)
    assert_saved(run, audio_id)
    assert (requests(customer, audio_id), run.of(ConnectionsReduced)) == (1, [])


# Cut everywhere


@pytest.mark.long
def test_cut_at_every_boundary_of_64_kib(customer: Customer) -> None:
    for end in range(0, 3_000_044 + PIECE, PIECE):
        audio_id = f"demo-3mb-cdn-cut{end}"
        assert_saved(customer.save(customer.order(audio_id)), audio_id)
        assert len(file_of(audio_id)) <= sent(customer, audio_id) <= len(file_of(audio_id)) + PIECE
        TARGET.unlink()


@pytest.mark.long
def test_a_segment_cut_at_boundaries_of_64_kib(customer: Customer) -> None:
    """One of four, while the others go on: at every fourth boundary, for the file is large."""
    for end in range(0, LARGE * 1_000_000 // 4, 4 * PIECE):
        audio_id = f"demo-{LARGE}mb-cdn-ok-cut{end}"
        run = customer.save(customer.order(audio_id), connections=4)
        assert_saved(run, audio_id)
        assert len(run.of(ConnectionsReduced)) == 1
        TARGET.unlink()


@pytest.mark.long
def test_cut_again_and_again_at_random_bytes(customer: Customer) -> None:
    rng = random.Random(5)
    for number in range(10):
        steps = "-".join(f"{rng.choice(['cut', 'reset'])}{rng.randrange(400_000)}" for _ in range(5))
        audio_id = f"demo-3mb-cdn-{steps}+{number}"
        assert_saved(customer.save(customer.order(audio_id)), audio_id)
        assert len(file_of(audio_id)) <= sent(customer, audio_id) <= len(file_of(audio_id)) + PIECE
        TARGET.unlink()


@pytest.mark.long
def test_segments_cut_at_random_bytes(customer: Customer) -> None:
    rng = random.Random(6)
    for number in range(5):
        steps = "-".join(f"cut{rng.randrange(4_000_000)}" for _ in range(4))
        audio_id = f"demo-{LARGE}mb-cdn-{steps}+{number}"
        assert_saved(customer.save(customer.order(audio_id), connections=4), audio_id)
        TARGET.unlink()


# A run that gives up, and the next one

ONCE = Backoff(retries=0)


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("connections", [1, 4])
@pytest.mark.parametrize("steps", ["cut9m", "reset9m", "stall9m", "cut9m-403-403", "cut9m-400-400"])
def test_the_next_run_continues(customer: Customer, steps: str, connections: int) -> None:
    audio_id = f"demo-{LARGE}mb-cdn-{steps}+{connections}"
    entry = customer.order(audio_id)
    download_backoff = ONCE if steps.count("-") == 0 else Backoff(retries=1, first=0.01)
    # Long enough that a busy machine is not taken for a server that stalls.
    wishes = replace(WISHES, stall_timeout=2.0) if "stall" in steps else WISHES
    first = customer.save(entry, wishes, download_backoff=download_backoff)
    assert isinstance(first.error, DownloadFailed)
    assert not TARGET.exists()
    second = customer.save(entry, connections=connections)
    assert_saved(second, audio_id)
    assert second.of(DownloadStarted)[0].received == 9 * 1024 * 1024
    assert sent(customer, audio_id) < 1.4 * len(file_of(audio_id))


@pytest.mark.long
def test_a_connection_that_is_fast_enough_fetches_the_whole_file_by_itself(customer: Customer) -> None:
    """In one answer, over what would have been the others' segments; a slow one gets others beside it."""
    audio_id = f"demo-{LARGE}mb-cdn-trickle50m~always"
    wishes = [replace(WISHES, fast_enough=least) for least in (1_000_000, 1_000_000_000)]
    requests = []
    for one in wishes:
        entry = customer.order(audio_id)
        assert_saved(customer.save(entry, connections=4, wishes=one), audio_id)
        requests.append(customer.account.counted("file_requests", audio_id))
        TARGET.unlink()
    assert requests[0] == 1
    assert requests[1] > 1 + 1


def test_segments_that_several_connections_left_are_continued_by_one(customer: Customer) -> None:
    audio_id = f"demo-{LARGE}mb-cdn-ok-cut3m-cut2m-cut1m-503~2"
    entry = customer.order(audio_id)
    first = customer.save(entry, download_backoff=ONCE, connections=4)
    assert (type(first.error), TARGET.exists()) == (DownloadFailed, False)
    before = sent(customer, audio_id)
    second = customer.save(entry)
    assert_saved(second, audio_id)
    left = len(file_of(audio_id)) - second.of(DownloadStarted)[0].received
    assert 0 < left == sent(customer, audio_id) - before


@pytest.mark.long
@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(plan=plans(frozenset(Kind) - {Kind.AFTER}), tries=st.integers(0, 3))
def test_whatever_the_cdn_does_the_file_is_one_that_it_had(
    customer: Customer, plan: Plan, tries: int
) -> None:
    assert_one_of_its_files(customer, format_cdn_id(plan), plan, tries, connections=1)


@pytest.mark.long
@settings(
    max_examples=examples(10),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(plan=plans(frozenset(Kind) - {Kind.AFTER, Kind.TRICKLE, Kind.STALL}), tries=st.integers(0, 3))
def test_whatever_it_does_to_four_connections_too(customer: Customer, plan: Plan, tries: int) -> None:
    assert_one_of_its_files(customer, format_cdn_id(plan, LARGE), plan, tries, connections=4)


def assert_one_of_its_files(
    customer: Customer, audio_id: str, plan: Plan, tries: int, connections: int
) -> None:
    """Run until there is a file; a run that fails says so and leaves none."""
    TARGET.unlink(missing_ok=True)
    wishes = replace(WISHES, stall_timeout=0.2, min_speed=1_500_000)
    entry = customer.order(audio_id)
    changes = sum(step.times or 0 for step in plan.steps if step.has(Kind.CHANGED))
    for run in range(20):
        download_backoff = Backoff(retries=tries, first=0.01) if run == 0 else QUICK
        done = customer.save(entry, wishes, download_backoff=download_backoff, connections=connections)
        if done.error is None:
            break
        assert (done.error.exit_code, TARGET.exists()) == (9, False)
    content = TARGET.read_bytes()
    assert any(content == file_of(audio_id, version) for version in reversed(range(changes + 1)))
    assert [path.name for path in Path().iterdir()] == [TARGET.name]


# How often, and for how long


def test_retries_bound_all_tries_however_far_each_comes(customer: Customer) -> None:
    run = customer.save(
        customer.order("demo-cdn-cut100k~always"), download_backoff=Backoff(retries=3, first=0.01)
    )
    assert isinstance(run.error, DownloadFailed)
    assert requests(customer, "demo-cdn-cut100k~always") == 4
    assert "the file ended early" in run.error.message or "broke off" in run.error.message
    assert run.error.continue_argv is not None
    assert run.error.continue_argv[:2] == ("suno-wav", "resume")


@pytest.mark.long
@pytest.mark.timing
def test_without_retries_a_download_goes_on_until_the_time_is_up(customer: Customer) -> None:
    audio_id = "demo-cdn-503~always"
    begun = time.monotonic()
    run = customer.save(customer.order(audio_id), seconds=1.5)
    assert time.monotonic() - begun < 15
    assert isinstance(run.error, DownloadFailed)
    assert requests(customer, audio_id) > 10
    assert len(run.of(DownloadRetried)) == requests(customer, audio_id) - 1


@pytest.mark.parametrize(
    "steps",
    shortlist(
        ["untagged-cut~always", "weak-reset~always", "rangeless-stall~always", "chunked.gzip.cut~always"]
    ),
)
def test_what_is_fetched_in_vain_is_bounded(customer: Customer, steps: str) -> None:
    audio_id = f"demo-cdn-{steps}"
    run = customer.save(customer.order(audio_id), replace(WISHES, stall_timeout=0.1))
    assert (type(run.error), TARGET.exists()) == (DownloadFailed, False)
    assert sent(customer, audio_id) < 8 * SIZE


@pytest.mark.parametrize("steps", ["page", "mpeg", "empty"])
def test_what_is_no_wav_is_asked_for_twice(customer: Customer, steps: str) -> None:
    audio_id = f"demo-cdn-{steps}~always"
    run = customer.save(customer.order(audio_id))
    assert (type(run.error), list(Path().iterdir())) == (NotAWholeWav, [])
    assert requests(customer, audio_id) == 2


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("status", [400, 401, 202, 403, 404, 410])
def test_an_address_is_asked_for_once_for_each_failure(customer: Customer, status: int) -> None:
    audio_id = f"demo-cdn-cut100k-{status}-{status}"
    entry = customer.order(audio_id)
    run = customer.save(entry)
    assert (type(run.error), requests(customer, audio_id)) == (AddressRefused, 3)
    assert PART.stat().st_size == 100 * 1024
    assert_saved(customer.save(entry), audio_id)
    assert sent(customer, audio_id) == SIZE


def test_an_address_is_asked_for_again_after_each_progress(customer: Customer) -> None:
    audio_id = "demo-cdn-cut100k.then401-cut100k.then403-cut100k.then404-cut100k.then410"
    assert_saved(customer.save(customer.order(audio_id)), audio_id)
    assert (sent(customer, audio_id), requests(customer, audio_id)) == (SIZE, 9)


def test_a_fresh_address_is_in_the_journal(customer: Customer) -> None:
    entry = customer.order("demo-cdn-403+fresh")
    assert_saved(customer.save(entry), "demo-cdn-403+fresh")
    kept = customer.journal.of_task(entry.wav_task_id or "")
    assert kept is not None
    assert kept.wav_url not in (None, entry.wav_url)


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_the_server_asks_for_is_kept(customer: Customer, status: int) -> None:
    audio_id = f"demo-cdn-{status}.after1"
    run = customer.save(customer.order(audio_id))
    assert_saved(run, audio_id)
    assert [event.seconds for event in run.of(DownloadRetried)] == [1.0]


def test_a_wait_that_ends_after_the_time_is_up_is_not_begun(customer: Customer) -> None:
    audio_id = "demo-cdn-503.after999999"
    run = customer.save(customer.order(audio_id))
    assert (type(run.error), run.of(DownloadRetried)) == (DownloadFailed, [])


# Told at once


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("lie~always", "compressed with gzip, but"),
        ("lost~always", "without saying where to"),
        ("astray~always", "to something that is not an address"),
        ("ftp~always", "to ftp:, which is not https"),
        ("deflate~always", "compressed with deflate, but"),
        ("deflate.chunked~always", "compressed with deflate, but"),
    ],
)
def test_what_no_other_attempt_mends_is_told_at_once(customer: Customer, steps: str, said: str) -> None:
    audio_id = f"demo-cdn-{steps}+at-once"
    run = customer.save(customer.order(audio_id))
    assert run.error is not None
    assert (type(run.error), requests(customer, audio_id)) == (DownloadFailed, 1)
    assert said in run.error.message
    assert list(Path().iterdir()) == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("steps", ["bomb20m~always", "bomb20m.chunked~always"])
def test_a_bomb_leaves_nothing_behind(customer: Customer, steps: str) -> None:
    audio_id = f"demo-cdn-{steps}+bomb"
    run = customer.save(customer.order(audio_id), replace(WISHES, max_size=10_000_000))
    assert (type(run.error), requests(customer, audio_id)) == (DownloadFailed, 1)
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("steps", shortlist(["untagged-cut~always", "weak-reset~always", "gzip.cut~always"]))
def test_a_part_that_no_run_can_continue_does_not_stay(customer: Customer, steps: str) -> None:
    run = customer.save(customer.order(f"demo-cdn-{steps}+useless"), download_backoff=ONCE)
    assert run.error is not None
    assert list(Path().iterdir()) == []


def test_a_body_that_is_shorter_than_its_header_says_is_not_the_file(customer: Customer) -> None:
    """A server that confirms the length of what it has cut short changes nothing: the WAV's header decides."""
    whole = file_of("demo")
    short = whole[:-1000]

    def told(connection: socket.socket) -> None:
        ranged = b"range:" in read_head(connection).lower()
        span = f"bytes {len(short) - 1}-{len(short) - 1}/{len(short)}"
        head = (
            f"206 Partial Content\r\nContent-Range: {span}\r\nContent-Length: 1"
            if ranged
            else (f"200 OK\r\nContent-Length: {len(whole)}")
        )
        connection.sendall(f"HTTP/1.1 {head}\r\n\r\n".encode() + (short[-1:] if ranged else short))

    with serve(told) as port:
        entry = replace(customer.order("demo+short"), wav_url=f"http://127.0.0.1:{port}/song.wav")
        run = customer.save(entry, download_backoff=ONCE)
    assert (type(run.error), list(Path().iterdir())) == (DownloadFailed, [])


def test_a_packed_body_whose_checksum_is_wrong_is_not_the_file(customer: Customer) -> None:
    """Its length is right and is confirmed. But the bytes are others than those that were packed."""
    content = file_of("demo")
    packed = gzip.compress(content[:-1] + bytes([content[-1] ^ 1]), 1)[:-8] + gzip.compress(content, 1)[-8:]

    def told(connection: socket.socket) -> None:
        if b"range:" in read_head(connection).lower():
            span = f"bytes {len(content) - 1}-{len(content) - 1}/{len(content)}"
            head = f"HTTP/1.1 206 Partial Content\r\nContent-Range: {span}\r\nContent-Length: 1\r\n\r\n"
            connection.sendall(head.encode() + content[-1:])
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (packed[:-8], packed[-8:]):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    with serve(told) as port:
        entry = replace(customer.order("demo+checksum"), wav_url=f"http://127.0.0.1:{port}/song.wav")
        run = customer.save(entry, download_backoff=ONCE)
    assert (type(run.error), list(Path().iterdir())) == (DownloadFailed, [])


@pytest.mark.parametrize("steps", ["rangeless-longer5~always", "ok"])
def test_a_body_that_broke_off_is_no_file_without_the_servers_word(customer: Customer, steps: str) -> None:
    """Its header says that all is there, and no ranged answer confirms it."""
    audio_id = (
        f"demo-cdn-{steps}+no-word" if steps != "ok" else "demo-cdn-untagged-longer5-503~always+no-word"
    )
    run = customer.save(customer.order(audio_id), download_backoff=ONCE)
    assert (type(run.error), TARGET.exists()) == (DownloadFailed, False)


def with_sizes(content: bytes, outer: int, size: int) -> bytes:
    """Give a plain WAV other sizes in its header: of the whole, and of its audio."""
    return content[:4] + struct.pack("<I", outer) + content[8:40] + struct.pack("<I", size) + content[44:]


@pytest.mark.parametrize(
    ("outer", "size", "announced", "chunked"),
    [
        pytest.param(0xFFFFFFFF, 0xFFFFFFFF, True, True, id="for a pipe"),
        pytest.param(0xFFFFFFFF, 0, True, True, id="a mixture"),
        pytest.param(2 * 10**9 + 36, 2 * 10**9, True, True, id="a round number"),
        pytest.param(15 * 10**8 + 36, 15 * 10**8, True, False, id="an absurd size"),
        pytest.param(10**8, 0, True, False, id="the size of the whole, alone"),
        pytest.param(10**8 + 36, 10**8, False, False, id="cut short where it was made"),
    ],
)
def test_a_length_that_was_announced_and_met_is_evidence(
    customer: Customer, outer: int, size: int, announced: bool, chunked: bool
) -> None:
    """`announced` and `chunked` tell whether the file is saved if it comes so.

    Against a size that may be true, a length of the server's is no evidence.
    """
    content = with_sizes(file_of("demo"), outer, size)
    for saved, head, body in (
        (announced, f"Content-Length: {len(content)}", content),
        (chunked, "Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content)),
    ):

        def told(connection: socket.socket, head: str = head, body: bytes = body) -> None:
            read_head(connection)
            connection.sendall(f"HTTP/1.1 200 OK\r\n{head}\r\n\r\n".encode() + body)

        with serve(told) as port:
            entry = replace(
                customer.order(f"demo+{size}-{saved}-{len(body)}"),
                wav_url=f"http://127.0.0.1:{port}/song.wav",
            )
            run = customer.save(entry, download_backoff=ONCE)
        assert (type(run.error), TARGET.exists()) == ((type(None), True) if saved else (NotAWholeWav, False))
        if saved:
            assert TARGET.read_bytes() == content
            TARGET.unlink()


# Pages for browsers


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("status", [403, 202, 401])
def test_a_page_does_not_end_in_a_deleted_file(customer: Customer, status: int) -> None:
    audio_id = f"demo-cdn-cut100k-challenge{status}~always"
    run = customer.save(customer.order(audio_id))
    assert isinstance(run.error, AddressRefused)
    assert requests(customer, audio_id) == 3
    assert f"HTTP {status} with a page for browsers" in run.error.message
    assert "deleted" not in run.error.remedy
    assert "--resubmit" not in run.error.remedy
    assert run.error.continue_argv is not None
    assert PART.stat().st_size == 100 * 1024


def test_a_page_and_a_lookup_that_fails_do_not_either(customer: Customer) -> None:
    entry = customer.order("demo-cdn-challenge403~always+unknown")
    with service_that_refuses(customer, "", [envelope(404, "no such task")] * 9) as service:
        run = customer.save(entry, service=service, download_backoff=Backoff(retries=2, first=0.01))
    assert isinstance(run.error, AddressRefused)
    assert "deleted" not in run.error.remedy


def test_a_page_that_goes_away_is_a_pause(customer: Customer) -> None:
    assert_saved(customer.save(customer.order("demo-cdn-cut-challenge403")), "demo-cdn-cut-challenge403")


@contextmanager
def service_that_drops(customer: Customer, lookups: int) -> Iterator[str]:
    """Stand between the program and the service, and leave so many of its questions without an answer."""
    asked = count()

    def dropped(point: str, _what: str) -> bool:
        return point.endswith(":arrived") and next(asked) < lookups

    with relaying(Relay(str(customer.account.http.base_url), 9, dropped)) as relay:
        yield relay.address


def test_a_service_that_is_away_is_asked_for_the_fresh_address_again(customer: Customer) -> None:
    audio_id = "demo-cdn-cut.then403+away"
    entry = customer.order(audio_id)
    with service_that_drops(customer, 2) as service:
        run = customer.save(entry, service=service)
    assert_saved(run, audio_id)
    assert sent(customer, audio_id) == SIZE
    # The cut, and each question that was not answered.
    assert len(run.of(DownloadRetried)) == 3


def test_a_service_that_stays_away_is_what_is_said(customer: Customer) -> None:
    entry = customer.order("demo-cdn-cut.then403+stays-away")
    with service_that_drops(customer, 1000) as service:
        run = customer.save(entry, service=service, download_backoff=Backoff(retries=2, first=0.01))
    assert isinstance(run.error, ServiceUnavailable)
    assert PART.stat().st_size == SIZE // 2
    assert_saved(customer.save(entry), "demo-cdn-cut.then403+stays-away")


@contextmanager
def service_that_refuses(customer: Customer, task_id: str, refusals: list[Response]) -> Iterator[str]:
    """Stand in for the service: answer lookups with the refusals, and then with the record."""

    def answer(_seen: Seen) -> Response:
        return refusals.pop(0) if refusals else JSONResponse(customer.account.record(task_id).json())

    with a_wild_server() as wild:
        wild.answer = answer
        yield wild.address


def test_a_service_that_answers_everything_with_maintenance_is_waited_for(customer: Customer) -> None:
    entry = customer.order("demo+maintenance")
    refusals = [envelope(455, "maintenance") for _ in range(6)]
    with service_that_refuses(customer, entry.wav_task_id or "", refusals) as service:
        run = customer.save(replace(entry, wav_url=f"{service}/song.wav"), service=service)
    assert_saved(run, "demo+maintenance")
    assert len(run.of(DownloadRetried)) == 6


@pytest.mark.parametrize(
    "code",
    shortlist(
        [
            pytest.param(404, id="not there"),
            pytest.param(501, id="failed"),
            pytest.param(401, id="the key"),
            pytest.param(505, id="switched off"),
        ]
    ),
)
def test_a_refused_lookup_does_not_end_a_download(customer: Customer, code: int) -> None:
    audio_id = f"demo-cdn-cut.then403+refused{code}"
    entry, refusals = customer.order(audio_id), [envelope(code, "refused") for _ in range(2)]
    with service_that_refuses(customer, entry.wav_task_id or "", refusals) as service:
        run = customer.save(entry, service=service)
    assert_saved(run, audio_id)
    assert len(run.of(DownloadRetried)) == 3


def test_a_lookup_that_stays_refused_leaves_the_refused_address(customer: Customer) -> None:
    """The file is paid for, so that the line that continues is said, and not that the id is wrong."""
    entry = customer.order("demo-cdn-cut.then403+stays-refused")
    backoff = Backoff(retries=2, first=0.01)
    with service_that_refuses(customer, "", [envelope(404, "no such task")] * 9) as service:
        run = customer.save(entry, service=service, download_backoff=backoff)
    assert isinstance(run.error, AddressRefused)
    assert "no such task" in run.error.message
    assert run.error.continue_argv is not None
    assert run.error.continue_argv[:3] == ("suno-wav", "resume", entry.wav_task_id)


@pytest.mark.long
@pytest.mark.timing
def test_a_server_that_wants_fewer_connections_and_a_wait_gets_both(customer: Customer) -> None:
    audio_id = f"demo-{LARGE}mb-cdn-ok-429.after1"
    run = customer.save(customer.order(audio_id), connections=4)
    assert_saved(run, audio_id)
    assert len(run.of(ConnectionsReduced)) == 1
    assert [event.seconds for event in run.of(DownloadRetried)] == [1.0]


def test_a_server_that_is_away_for_a_while(customer: Customer, free_port: int) -> None:
    """Nobody listens; and then somebody does."""
    entry = replace(customer.order("demo+no-server"), wav_url=f"http://127.0.0.1:{free_port}/song.wav")
    whole = file_of("demo")

    def told(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(whole)}\r\n\r\n".encode() + whole)

    with ExitStack() as stack:
        # Begun when the program has met nobody.
        beginning = Timer(0.3, lambda: stack.enter_context(serve(told, port=free_port)))
        beginning.start()
        run = customer.save(entry)
        beginning.join()
    assert_saved(run, "demo")
    assert len(run.of(DownloadRetried)) > 1


@pytest.mark.long
def test_a_limit_is_not_taken_for_a_slow_server(customer: Customer) -> None:
    """Four songs share it: what was asked to be slow cannot be too slow."""
    rate, ended = RateLimit(4 * SIZE), Event()

    def download() -> None:
        while not ended.wait(rate.delay(192 * 1024)):
            pass

    others = [Thread(target=download) for _ in range(3)]
    for other in others:
        other.start()
    try:
        run = customer.save(
            customer.order("demo-3mb+limit"),
            replace(WISHES, rate=rate, min_speed=4 * SIZE, stall_timeout=1.5),
        )
    finally:
        ended.set()
        for other in others:
            other.join()
    assert_saved(run, "demo-3mb")
    assert [retry.reason for retry in run.of(DownloadRetried)] == []


@pytest.mark.long
def test_a_name_that_does_not_resolve_is_tried_while_there_is_time(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_found(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    entry = replace(customer.order("demo+unresolved"), wav_url="https://nowhere.invalid/song.wav")
    monkeypatch.setattr(socket, "getaddrinfo", not_found)
    run = customer.save(entry, seconds=0.5)
    assert isinstance(run.error, DownloadFailed)
    assert len(run.of(DownloadRetried)) > 1


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(socket.EAI_NONAME, id="no such name"),
        pytest.param(socket.EAI_AGAIN, id="no name server"),
    ],
)
def test_a_name_that_resolves_again_finishes_the_same_file(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The name cannot be found at first, and again for a while when half of the file is there: all in one run."""
    audio_id = f"demo-cdn-cut+unfound{-number}"
    entry = customer.order(audio_id)
    entry = replace(entry, wav_url=(entry.wav_url or "").replace("127.0.0.1", "localhost"))
    away = 8
    found = chain(repeat(False, away), [True], repeat(False, away), repeat(True))
    look_up = socket.getaddrinfo

    def look_up_in_time(host: str, *details: Any, **more: Any) -> Any:
        if host == "localhost" and not next(found):
            raise socket.gaierror(number, "the words of the system")
        return look_up(host, *details, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_in_time)
    run = customer.save(entry)
    assert_saved(run, audio_id)
    retries = run.of(DownloadRetried)
    unfound = ["its name does not resolve" in event.reason for event in retries]
    assert unfound == [True] * away + [False] + [True] * away
    # Once half of the file has come, the trouble is a new one, and the waits are short again.
    for tries, event in zip([*range(away), *range(away + 1)], retries, strict=True):
        nominal = min(QUICK.cap, QUICK.first * 2**tries)
        assert nominal / 2 <= event.seconds <= nominal
    assert SIZE <= sent(customer, audio_id) <= SIZE + PIECE, "what was there was fetched again"
    assert customer.account.counted("accepted", audio_id) == 1


# A record that goes on to name a dead address


@pytest.mark.long
@pytest.mark.parametrize("provider", shortlist(["kie", "kie-jobs"]))
@pytest.mark.parametrize(
    "steps", shortlist(["403", "page", "cut100k.then410", "400", "cut.then403-cut.then404", "202", "mpeg"])
)
def test_kie_makes_a_fresh_link_for_an_address_that_is_dead(
    sandbox: Sandbox, provider: str, steps: str
) -> None:
    audio_id = f"demo-cdn-stale-{steps}+{provider}"
    many = {"SUNO_WAV_RETRIES": "20"}
    done = sandbox.as_kie(provider).run(
        "convert", audio_id, "--task-id", "music-1", "--out", "song.wav", env=many
    )
    assert (done.code, done.out) == (0, "song.wav\n")
    assert TARGET.read_bytes() == file_of(audio_id)
    links = sandbox.counted("links", audio_id)
    assert links == sum(
        "then" in step or step.isdigit() or step in ("page", "mpeg") for step in steps.split("-")
    )


@pytest.mark.long
def test_a_service_that_names_a_fresh_address_is_asked_for_no_link(sandbox: Sandbox) -> None:
    audio_id = "demo-cdn-403+no-link"
    done = sandbox.as_kie("kie").run("convert", audio_id, "--task-id", "music-1", "--out", "song.wav")
    assert (done.code, sandbox.counted("links", audio_id)) == (0, 0)


@pytest.mark.long
def test_a_link_that_is_good_for_minutes_is_not_kept(sandbox: Sandbox) -> None:
    """The next run asks for another one, from the address that the record names."""
    audio_id, kie = "demo-cdn-stale-403-cut100k.then403+kept", sandbox.as_kie("kie")
    first = kie.run(
        *("convert", audio_id, "--task-id", "music-1", "--out", "song.wav", "--retries", "0"),
    )
    assert first.code == 9
    done = kie.run("resume", "--retries", "0")
    assert (done.code, TARGET.read_bytes() == file_of(audio_id)) == (0, True)


def test_another_service_is_asked_for_no_link(customer: Customer) -> None:
    audio_id = "demo-cdn-stale-403+sunoapi"
    run = customer.save(customer.order(audio_id))
    assert (type(run.error), requests(customer, audio_id)) == (AddressRefused, 2)
    assert customer.account.counted("links", audio_id) == 0


# As a person meets it


@pytest.mark.long
@pytest.mark.parametrize("options", [[], ["--connections", "1"]], ids=["four connections", "one"])
def test_the_program_gets_the_file_through_all_of_it(sandbox: Sandbox, options: list[str]) -> None:
    audio_id = f"demo-{LARGE}mb-cdn-cut5m.then403-302-shift9+{len(options)}"
    done = sandbox.run(
        *("convert", audio_id, "--out", "song.wav", "--stall-timeout", "300ms", *options),
        env={"SUNO_WAV_RETRIES": "20"},
    )
    assert (done.code, done.out) == (0, "song.wav\n")
    assert TARGET.read_bytes() == file_of(audio_id)
    assert [path.name for path in Path().iterdir()] == [TARGET.name]


@pytest.mark.long
@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("cut~always", "broke off"),
        ("503~always", "answers HTTP 503"),
        ("400~always", "answers HTTP 400"),
        ("lost~always", "redirects without saying where to"),
        ("410~always", "answers HTTP 410"),
        ("stall~always", "is silent for 0.2 s"),
        ("trickle1000~always", "slower than 1,000,000 bytes a second for 0.2 s"),
        ("mpeg~always", "is not a whole WAV"),
        ("302~always", "redirects"),
    ],
)
def test_the_program_says_why_there_is_no_file_and_what_to_do(
    sandbox: Sandbox, steps: str, said: str
) -> None:
    audio_id = f"demo-cdn-{steps}+said"
    done = sandbox.run(
        "convert", audio_id, "--out", "song.wav", "--stall-timeout", "200ms", "--min-speed", "1M"
    )
    assert (done.code, done.out, TARGET.exists()) == (9, "", False)
    *_, what, remedy = done.err.splitlines()
    assert said in what
    assert remedy.startswith("  ")
    assert "http://" not in done.err.replace(sandbox.base_url, "")


@pytest.mark.long
@pytest.mark.timing
def test_the_program_keeps_to_a_limit(sandbox: Sandbox) -> None:
    with started(sandbox, "convert", "demo+slowly", "--out", "song.wav", "--limit-rate", "1M") as process:
        read_until(process, named("download_started"))
        begun = time.monotonic()
        read_until(process, named("saved"))
        # It does not wait after the last block, which is an eighth of a second.
        assert 0.85 < (time.monotonic() - begun) / (SIZE / 1_000_000) < 10


@pytest.mark.long
def test_songs_that_wait_for_their_server_hold_up_no_others(sandbox: Sandbox) -> None:
    away = [f"demo-cdn-503~always+away{number}" for number in range(8)]
    done = sandbox.run("convert", *away, "demo+behind", "--json")
    decided = [event["event"] for event in done.events if event["event"] in ("saved", "song_failed")]
    assert sorted(decided) == ["saved", *["song_failed"] * 8]
    names = [event["event"] for event in done.events]
    assert names[: names.index("song_failed")].count("download_started") == 9
