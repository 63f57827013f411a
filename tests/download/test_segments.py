"""What an answer says, and who fetches which bytes: arithmetic, with anything that may come."""

from __future__ import annotations

import hashlib
import sys
import threading
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from suno_wav_cli.download.digest import Digest
from suno_wav_cli.download.response import Content, check_response
from suno_wav_cli.download.segments import SMALLEST, Segment, Segments
from suno_wav_cli.errors import AddressRefused, BrokenOff, DownloadFailed, StartOver
from suno_wav_cli.journal.parts import ByteRange, PartialFile, count_received, format_ranges, parse_ranges
from tests.support.quick import examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NUMBERS = st.one_of(st.integers(0, 30), st.integers(0, 10**20)).map(str)
TAGS = st.sampled_from(['"a"', '"b"', 'W/"a"', "a", "", '""', '"a", "b"'])
HEADERS: st.SearchStrategy[Mapping[str, str]] = st.fixed_dictionaries(
    {},
    optional={
        "Content-Length": NUMBERS | st.text(max_size=5),
        "Content-Range": st.one_of(
            st.builds("bytes {}-{}/{}".format, NUMBERS, NUMBERS, NUMBERS | st.just("*")),
            st.builds("bytes */{}".format, NUMBERS),
            st.text(max_size=20),
        ),
        "Content-Encoding": st.sampled_from(["gzip", "identity", "br", "", "GZIP", "deflate", "gzip, gzip"]),
        "Transfer-Encoding": st.just("chunked"),
        "ETag": TAGS,
        "Accept-Ranges": st.sampled_from(["bytes", "none", "Bytes", ""]),
        "Retry-After": NUMBERS
        | st.text(max_size=20)
        | st.sampled_from(
            [
                "Wed, 21 Oct 2015 07:28:00 GMT",
                "Wed, 21 Oct 9999 07:28:00 -0000",
                "Fri, 31 Dec 9999 23:59:59 -2359",
            ]
        ),
    },
)
SPANS = st.builds(
    lambda start, length: ByteRange(start=start, stop=None if length is None else start + length),
    st.integers(0, 30),
    st.none() | st.integers(1, 30),
)


@pytest.mark.long
@settings(max_examples=examples(400), deadline=None)
@given(
    status=st.sampled_from([200, 206, 416]) | st.integers(100, 599),
    headers=HEADERS,
    asked=st.none() | SPANS,
    validator=st.sampled_from(['"a"', '"b"']),
)
def test_an_answer_is_content_that_was_asked_for_or_one_of_our_errors(
    status: int, headers: Mapping[str, str], asked: ByteRange | None, validator: str
) -> None:
    try:
        content = check_response(status, headers, asked, validator if asked else None)
    except BrokenOff as later:
        assert 0 <= (later.retry_after or 0) <= 120  # noqa: PT017 - an answer need not be an error
        return
    except DownloadFailed:
        return
    length = content.length
    if asked is None:
        assert (status in (200, 206), content.span) == (True, ByteRange(start=0, stop=length))
        assert not (content.codings and (length is not None or content.validator is not None))
        return
    assert status in (206, 416)
    assert headers.get("ETag", validator) == validator == content.validator
    assert content.span.stop is not None
    assert length is not None
    assert content.span.start == asked.start
    assert content.span.start <= content.span.stop <= length
    assert asked.stop is None or content.span.stop <= asked.stop or status == 416
    assert (content.span.length == 0) == (status == 416)


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (200, {"ETag": '"a"'}, StartOver),
        (200, {"ETag": '"b"'}, StartOver),
        (206, {"Content-Range": "bytes 5-8/20"}, None),
        (206, {"Content-Range": "bytes 5-9/20", "Content-Length": "5"}, None),
        (206, {"Content-Range": "bytes 5-9/20", "Content-Length": "6"}, StartOver),
        (206, {"Content-Range": "bytes 4-9/20"}, StartOver),
        (206, {"Content-Range": "bytes 5-10/20"}, StartOver),
        (206, {"Content-Range": "bytes 5-9/8"}, StartOver),
        (206, {"Content-Range": "bytes 5-4/20"}, StartOver),
        (206, {"Content-Range": "bytes 5-9/*"}, StartOver),
        (206, {"Content-Range": "bytes 5-9/20", "ETag": 'W/"a"'}, StartOver),
        (206, {"Content-Range": "bytes 5-9/20", "Content-Encoding": "gzip"}, StartOver),
        (206, {"Content-Range": "bytes 5-9/20", "Content-Encoding": "identity"}, None),
        (206, {"Content-Type": "multipart/byteranges"}, StartOver),
        (206, {}, StartOver),
        (416, {"Content-Range": "bytes */5"}, None),
        (416, {"Content-Range": "bytes */4"}, StartOver),
        (416, {}, StartOver),
        (403, {}, AddressRefused),
        (503, {}, BrokenOff),
        (301, {}, AddressRefused),
        (202, {}, AddressRefused),
        (400, {}, AddressRefused),
    ],
)
def test_answers_to_a_question_for_bytes_5_to_9(
    status: int, headers: Mapping[str, str], error: type[DownloadFailed] | None
) -> None:
    if error is None:
        assert check_response(status, headers, ByteRange(start=5, stop=10), '"a"').validator == '"a"'
        return
    with pytest.raises(error) as caught:
        check_response(status, headers, ByteRange(start=5, stop=10), '"a"')
    assert type(caught.value) is error


@pytest.mark.parametrize("length", [10, None])
def test_a_length_is_announced_or_is_just_where_the_answer_ended(length: int | None) -> None:
    segments = Segments(None, 1)
    segment = segments.take()
    assert segment is not None
    segments.begin(segment, Content(span=ByteRange(start=0, stop=length), length=length, validator=None))
    segments.claim(segment, 10)
    segments.advance(segment, 10, length)
    assert segments.end(segment)
    assert (segments.length, segments.is_length_announced) == (10, length is not None)


@pytest.mark.parametrize("etag", ['W/"a"', "a", "", '"a', '"a\nb"', f'"{"a" * 1001}"'])
def test_only_a_strong_tag_proves_anything(etag: str) -> None:
    content = check_response(200, {"ETag": etag, "Content-Length": "5", "Accept-Ranges": "bytes"}, None, None)
    assert content == Content(span=ByteRange(start=0, stop=5), length=5, validator=None)


def test_a_wait_of_more_than_two_minutes_is_not_granted() -> None:
    with pytest.raises(BrokenOff) as caught:
        check_response(503, {"Retry-After": "86400"}, None, None)
    assert caught.value.retry_after == 120


@st.composite
def missing_spans(draw: st.DrawFn) -> tuple[ByteRange, ...]:
    """Draw spans as a Holding has them: in order, without overlaps, the last one perhaps without an end."""
    edges = sorted(draw(st.sets(st.integers(0, 10**12), max_size=10)))
    spans = [ByteRange(start=start, stop=stop) for start, stop in zip(edges[::2], edges[1::2], strict=False)]
    return (*spans, ByteRange(start=edges[-1], stop=None)) if len(edges) % 2 else tuple(spans)


@settings(deadline=None)
@given(missing=missing_spans())
def test_spans_are_read_as_they_were_written(missing: tuple[ByteRange, ...]) -> None:
    assert parse_ranges(format_ranges(missing)) == missing


@settings(deadline=None)
@given(missing=missing_spans(), more=st.none() | st.integers(0, 100))
def test_what_is_there_and_where_it_ends(missing: tuple[ByteRange, ...], more: int | None) -> None:
    is_open = bool(missing) and missing[-1].stop is None
    end = max([span.stop or span.start for span in missing], default=0)
    length = None if more is None else end + more
    if length is None and not is_open:
        # Only of a file without a known end nobody knows the length.
        length = end
    holding = PartialFile(validator='"a"', length=length, missing=missing)
    assert 0 <= holding.received <= holding.end <= (end if length is None else length)
    if not is_open:
        assert holding.received == (length or 0) - sum(span.length or 0 for span in missing)
        if missing and missing[-1].stop != length:
            assert holding.end == length


class FetchingMachine(RuleBasedStateMachine):
    """Connections take segments and fetch them in any order: every byte that was missing comes exactly once.

    A connection is at a block while others take segments.
    """

    WHOLE = 12 * SMALLEST

    def __init__(self) -> None:
        super().__init__()
        self.missing = (
            ByteRange(start=3, stop=7 * SMALLEST),
            ByteRange(start=7 * SMALLEST + 5, stop=self.WHOLE),
        )
        self.segments = Segments(
            PartialFile(validator='"a"', length=self.WHOLE, missing=self.missing), connections=4
        )
        self.working: list[Segment] = []
        self.writing: dict[Segment, int] = {}
        self.came: list[ByteRange] = []

    @rule()
    def take(self) -> None:
        segment = self.segments.take()
        if segment is not None:
            assert segment.unclaimed
            self.working.append(segment)

    @precondition(lambda self: len(self.working) > len(self.writing))
    @rule(data=st.data(), share=st.floats(0, 2))
    def claim(self, data: st.DataObject, share: float) -> None:
        segment = data.draw(
            st.sampled_from([working for working in self.working if working not in self.writing])
        )
        room = segment.rest.length
        assert room
        wanted = max(1, int(share * room))
        self.writing[segment] = self.segments.claim(segment, wanted)
        assert self.writing[segment] == min(wanted, room)

    @precondition(lambda self: self.writing)
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        segment = data.draw(st.sampled_from(list(self.writing)))
        count = self.writing.pop(segment)
        self.came.append(ByteRange(start=segment.position, stop=segment.position + count))
        before, reach = segment.stop, data.draw(st.none() | st.integers(0, self.WHOLE))
        if self.segments.advance(segment, count, reach):
            self.working.remove(segment)
        else:
            assert segment.rest.length
            assert segment.stop == before or (
                reach is not None and segment.stop is not None and segment.stop <= reach
            )

    @invariant()
    def what_is_missing_is_what_has_not_come(self) -> None:
        came = sorted(self.came, key=lambda span: span.start)
        missing = self.missing_now()
        assert list(missing) == sorted(missing, key=lambda span: span.start)
        everything = sorted([*came, *missing], key=lambda span: span.start)
        for one, other in pairwise(everything):
            assert one.stop is not None
            assert one.stop <= other.start
        assert sum(span.length or 0 for span in everything) == sum(span.length or 0 for span in self.missing)
        assert (
            count_received(missing, self.WHOLE)
            == self.segments.received
            == 8 + sum(span.length or 0 for span in came)
        )

    def missing_now(self) -> tuple[ByteRange, ...]:
        partial = self.segments.partial_file()
        assert partial is not None
        return partial.missing

    def teardown(self) -> None:
        while (segment := self.segments.take()) is not None or self.working:
            if segment is not None:
                self.working.append(segment)
            for working in self.working:
                assert working.stop is not None
                self.came.append(working.rest)
                assert self.segments.advance(working, working.stop - working.position, None)
            self.working.clear()
        assert self.missing_now() == ()
        self.what_is_missing_is_what_has_not_come()


FetchingMachine.TestCase.settings = settings(max_examples=examples(40), stateful_step_count=30, deadline=None)
TestFetching = FetchingMachine.TestCase


def undivided(length: int) -> Segments:
    """Return a file of which nothing has arrived, in one piece."""
    whole = ByteRange(start=0, stop=length)
    return Segments(PartialFile(validator='"a"', length=length, missing=(whole,)), connections=1)


@given(st.integers(1, 20 * SMALLEST))
def test_what_a_connection_is_writing_is_given_to_no_other(count: int) -> None:
    segments = undivided(20 * SMALLEST)
    mine = segments.take()
    assert mine is not None
    count = segments.claim(mine, count)
    given = []
    while (other := segments.take()) is not None:
        given.append(other.position)
        segments.advance(other, (other.stop or 0) - other.position, None)
    assert mine.stop == min(given, default=20 * SMALLEST)
    assert mine.stop >= count


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Let threads take turns a thousand times as often as they do by themselves."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1000)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless_threads")
def test_threads_that_steal_from_each_other_fetch_every_byte_once() -> None:
    """Real threads, with blocks as large as they may be, that never look at anything but their own segment."""
    whole, block = 40 * SMALLEST, 64 * 1024
    segments = undivided(whole)
    fetched: list[ByteRange] = []

    def work() -> None:
        while (segment := segments.take()) is not None:
            is_complete = False
            while not is_complete:
                count = segments.claim(segment, block)
                fetched.append(ByteRange(start=segment.position, stop=segment.position + count))
                is_complete = segments.advance(segment, count, None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    at = 0
    for span in sorted(fetched, key=lambda span: span.start):
        assert (span.start, span.stop is not None) == (at, True)
        at = span.stop or 0
    assert at == whole


@pytest.mark.parametrize("size", [0, 1, 3_000_001])
def test_the_digest_of_a_growing_file_is_hashlibs(size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    path, there = Path("growing"), 0
    path.write_bytes(b"")
    digest = Digest(path, lambda: there)
    results: list[str] = []
    thread = threading.Thread(target=lambda: results.append(digest.run()))
    thread.start()
    with path.open("wb", buffering=0) as file:
        for start in range(0, size, 400_000):
            file.write(content[start : start + 400_000])
            there = min(start + 400_000, size)
    digest.complete()
    thread.join(20)
    assert results == [hashlib.sha256(content).hexdigest()]


def test_a_file_that_became_shorter_does_not_keep_the_digest_waiting() -> None:
    """What was promised is not there, and never will be."""
    path = Path("shortened")
    path.write_bytes(b"abc")
    digest = Digest(path, lambda: 10)
    digest.complete()
    with pytest.raises(OSError, match="shorter"):
        digest.run()


def test_an_abandoned_digest_ends() -> None:
    path = Path("abandoned")
    path.write_bytes(b"abc")
    digest = Digest(path, lambda: 0)
    digest.abandon()
    with suppress(OSError):
        digest.run()
