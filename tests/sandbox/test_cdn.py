"""Real requests to the sandbox's CDN, without faults and with every fault."""

from __future__ import annotations

import gzip
import socket
import time
import wave
import zlib
from array import array
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from itertools import chain, pairwise, repeat
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings

from suno_wav_cli.events.commands import RequestServed
from suno_wav_cli.sandbox.cdn.faults import Kind, Plan, Step
from tests.support.account import SandboxAccount, open_account
from tests.support.cdn import End, exchange, format_cdn_id, plans, tune
from tests.support.quick import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = 1_152_044


@pytest.fixture(scope="module")
def account() -> Iterator[SandboxAccount]:
    with open_account(credits_left=10_000) as opened:
        yield opened


@pytest.fixture(scope="module")
def file_url(account: SandboxAccount) -> str:
    return account.file_url("demo")


# The good case


def test_the_file_comes_whole(account: SandboxAccount, file_url: str) -> None:
    response = account.http.get(file_url)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "audio/wav")
    assert (response.headers["Accept-Ranges"], response.headers["Content-Length"]) == (
        "bytes",
        str(SIZE),
    )
    assert response.content == tune("demo")


def test_the_file_needs_no_key(file_url: str) -> None:
    assert httpx.get(file_url, trust_env=False).content == tune("demo")


def test_head_says_what_get_would_send(account: SandboxAccount, file_url: str) -> None:
    head, get = account.http.head(file_url), account.http.get(file_url)
    names = ("Content-Length", "Content-Type", "Accept-Ranges", "ETag")
    assert head.content == b""
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]


def test_a_file_that_does_not_exist_is_404(account: SandboxAccount) -> None:
    assert account.http.get(f"/files/{'0' * 32}.wav").status_code == 404


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        pytest.param("bytes=0-0", 0, 1, id="the first byte"),
        pytest.param("bytes=0-99", 0, 100, id="the first hundred"),
        pytest.param("bytes=40-600000", 40, 600_001, id="the middle, across a tile's end"),
        pytest.param("bytes=700000-", 700_000, SIZE, id="an open end"),
        pytest.param("bytes=0-", 0, SIZE, id="all of it"),
        pytest.param(f"bytes={SIZE - 1}-", SIZE - 1, SIZE, id="the last byte"),
        pytest.param(f"bytes=1000000-{SIZE + 5}", 1_000_000, SIZE, id="an end beyond the end"),
        pytest.param(f"bytes=5-{'9' * 99}", 5, SIZE, id="an end beyond everything"),
        pytest.param("bytes=-1", SIZE - 1, SIZE, id="the last byte, counted from the end"),
        pytest.param("bytes=-70000", SIZE - 70_000, SIZE, id="a suffix"),
        pytest.param(f"bytes=-{SIZE + 1}", 0, SIZE, id="a suffix longer than the file"),
        pytest.param("BYTES= 0-9", 0, 10, id="as the syntax allows it"),
    ],
)
def test_a_range_is_those_bytes_and_no_others(
    account: SandboxAccount, file_url: str, asked: str, start: int, stop: int
) -> None:
    response = account.http.get(file_url, headers={"Range": asked})
    assert response.status_code == 206
    assert response.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert response.headers["Content-Length"] == str(stop - start)
    assert response.content == tune("demo")[start:stop]


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(f"bytes={SIZE}-", id="beyond the end"),
        pytest.param(f"bytes={SIZE}-{SIZE + 9}", id="wholly beyond the end"),
        pytest.param("bytes=-0", id="the last no bytes"),
    ],
)
def test_a_range_without_a_byte_in_the_file_is_416(
    account: SandboxAccount, file_url: str, asked: str
) -> None:
    response = account.http.get(file_url, headers={"Range": asked})
    assert (response.status_code, response.headers["Content-Range"]) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param("bytes=0-9,20-29", id="several ranges"),
        pytest.param("bytes=9-3", id="backwards"),
        pytest.param("bytes=-", id="no position"),
        pytest.param("bytes=a-b", id="no numbers"),
        pytest.param("bytes 0-9", id="no equals sign"),
        pytest.param("seconds=0-9", id="another unit"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_range_that_is_not_understood_is_ignored(
    account: SandboxAccount, file_url: str, asked: str
) -> None:
    response = account.http.get(file_url, headers={"Range": asked})
    assert (response.status_code, len(response.content)) == (200, SIZE)
    assert "Content-Range" not in response.headers


def test_two_range_fields_are_several_ranges(account: SandboxAccount, file_url: str) -> None:
    response = account.http.get(file_url, headers=[("Range", "bytes=0-9"), ("Range", "bytes=20-29")])
    assert response.status_code == 200


def test_head_ignores_ranges(account: SandboxAccount, file_url: str) -> None:
    response = account.http.head(file_url, headers={"Range": "bytes=0-9"})
    assert (response.status_code, response.headers["Content-Length"]) == (200, str(SIZE))


def test_pieces_joined_are_the_file(account: SandboxAccount, file_url: str) -> None:
    step = 250_007
    pieces = [
        account.http.get(file_url, headers={"Range": f"bytes={start}-{start + step - 1}"}).content
        for start in range(0, SIZE, step)
    ]
    assert b"".join(pieces) == tune("demo")


@pytest.mark.parametrize(
    ("tag", "status", "length"),
    [
        pytest.param(None, 206, 100, id="the right one"),
        pytest.param('"another"', 200, SIZE, id="a wrong one"),
        pytest.param("Wed, 01 Jan 2025 00:00:00 GMT", 200, SIZE, id="a date"),
    ],
)
def test_if_range_guards_against_another_file(
    account: SandboxAccount, file_url: str, tag: str | None, status: int, length: int
) -> None:
    etag = account.http.head(file_url).headers["ETag"]
    response = account.http.get(file_url, headers={"Range": "bytes=0-99", "If-Range": tag or etag})
    assert (response.status_code, len(response.content)) == (status, length)


def loudest(frames: bytes, width: int) -> float:
    """Tell the greatest sample, as a share of the greatest possible."""
    if width == 2:
        return max(array("h", frames)) / 2**15
    return (
        max(int.from_bytes(frames[at : at + 3], "little", signed=True) for at in range(0, 72_000, 3)) / 2**23
    )


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("audio_id", "layout", "size"),
    [
        pytest.param("demo", (48000, 2, 2), SIZE, id="demo"),
        pytest.param("demo-24bit", (48000, 3, 2), 44 + 6 * 48000 * 6, id="demo-24bit"),
        pytest.param("demo-44k", (44100, 2, 2), 44 + 6 * 44100 * 4, id="demo-44k"),
        pytest.param("demo-mono", (48000, 2, 1), 44 + 6 * 48000 * 2, id="demo-mono"),
        pytest.param("demo-2mb", (48000, 2, 2), 2_000_044, id="demo-2mb"),
    ],
)
def test_the_file_is_a_playable_wav(
    account: SandboxAccount, audio_id: str, layout: tuple[int, int, int], size: int
) -> None:
    """As the standard library reads it; and it is not silent."""
    content = account.http.get(account.file_url(audio_id)).content
    with wave.open(BytesIO(content)) as file:
        width = file.getsampwidth()
        assert (file.getframerate(), width, file.getnchannels()) == layout
        assert 44 + file.getnframes() * width * file.getnchannels() == len(content) == size
        assert loudest(file.readframes(file.getnframes()), width) > 0.3


# The faults


MIDDLE = {"Range": "bytes=100000-299999"}
"""Two hundred thousand bytes."""

WANTED = tune("demo")[100_000:300_000]


@pytest.mark.first_cases(5)
@pytest.mark.parametrize("count", [0, 1, 43, 65_535, 65_536, 65_537, 1_000_000, SIZE - 1])
@pytest.mark.parametrize(("kind", "end"), [("cut", End.CLOSED), ("reset", End.RESET), ("stall", End.SILENT)])
def test_a_body_ends_after_exactly_n_bytes(account: SandboxAccount, kind: str, end: End, count: int) -> None:
    """The other side has them all, even before a reset; and the counter says the same."""
    audio_id = f"demo-cdn-{kind}{count}+exact"
    answer = exchange(account.file_url(audio_id), silent_after=count if kind == "stall" else None)
    assert (answer.status, answer.headers["Content-Length"], answer.end) == (200, str(SIZE), end)
    assert answer.body == tune("demo")[:count]
    assert account.counted("file_bytes", audio_id) == count


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("kind", "end"), [("cut", End.CLOSED), ("reset", End.RESET), ("stall", End.SILENT)])
def test_without_a_number_a_body_ends_in_its_middle(account: SandboxAccount, kind: str, end: End) -> None:
    """Of a range that is the middle of the range."""
    answer = exchange(account.file_url(f"demo-cdn-{kind}"), MIDDLE, silent_after=100_000)
    assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes 100000-299999/{SIZE}")
    assert (answer.body, answer.end) == (WANTED[:100_000], end)


def test_a_cut_beyond_the_end_leaves_the_body_whole(account: SandboxAccount) -> None:
    answer = exchange(account.file_url("demo-cdn-cut20m"))
    assert (answer.body, answer.end) == (tune("demo"), End.CLOSED)


def test_steps_apply_in_order_and_then_requests_succeed(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-cut1000-ok-503-cut7~2")
    met = [exchange(url) for _ in range(7)]
    assert [(answer.status, len(answer.body)) for answer in met[:2]] == [(200, 1000), (200, SIZE)]
    assert met[2].status == 503
    assert [len(answer.body) for answer in met[3:]] == [7, 7, SIZE, SIZE]


def test_an_always_step_does_not_end(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-ok-cut9~always")
    assert [len(exchange(url).body) for _ in range(6)] == [SIZE, 9, 9, 9, 9, 9]


def test_head_previews_the_next_get_and_uses_no_step(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-503-403")
    heads = [account.http.head(url).status_code for _ in range(2)]
    assert [*heads, account.http.get(url).status_code] == [503, 503, 503]
    heads = [account.http.head(url).status_code for _ in range(2)]
    assert [*heads, account.http.get(url).status_code] == [403, 403, 403]


def test_exactly_n_parallel_requests_meet_a_fault(account: SandboxAccount) -> None:
    audio_id = "demo-cdn-cut1000~5"
    url = account.file_url(audio_id)
    with ThreadPoolExecutor(16) as pool:
        lengths = [len(answer.body) for answer in pool.map(lambda _: exchange(url, MIDDLE), range(40))]
    assert (lengths.count(1000), lengths.count(200_000)) == (5, 35)
    assert account.counted("file_requests", audio_id) == 40
    assert account.counted("file_bytes", audio_id) == sum(lengths)


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refused_address_stays_refused_and_record_info_returns_another(
    account: SandboxAccount, status: int
) -> None:
    """The refused requests use no step up: the third one meets the second step."""
    task_id = account.task(f"demo-cdn-{status}-cut5")
    first = account.wait_for_url(task_id)
    assert [exchange(first).status for _ in range(3)] == [status] * 3
    assert exchange(f"{first}?fresh=7").status == 404
    second = account.wait_for_url(task_id)
    assert second != first
    assert [len(exchange(second).body) for _ in range(2)] == [5, SIZE]
    assert exchange(first).status == status


@pytest.mark.first_cases(3)
@pytest.mark.parametrize("status", [401, 403, 404, 410])
@pytest.mark.parametrize(
    ("kind", "end"), [("cut70000", End.CLOSED), ("reset70000", End.RESET), ("stall70000", End.SILENT)]
)
def test_an_address_is_refused_in_the_middle_of_a_body(
    account: SandboxAccount, kind: str, end: End, status: int
) -> None:
    task_id = account.task(f"demo-cdn-{kind}.then{status}")
    first = account.wait_for_url(task_id)
    answer = exchange(first, silent_after=70_000 if end is End.SILENT else None)
    assert (answer.status, answer.body, answer.end) == (200, tune("demo")[:70_000], end)
    assert exchange(first, {"Range": "bytes=70000-"}).status == status
    rest = exchange(
        account.wait_for_url(task_id), {"Range": "bytes=70000-", "If-Range": answer.headers["ETag"]}
    )
    assert (rest.status, answer.body + rest.body) == (206, tune("demo"))


def test_an_address_that_is_refused_while_others_are_served_lets_them_end(account: SandboxAccount) -> None:
    """More than the buffers between the two hold is still to come, when the address is refused."""
    audio_id = "demo-30mb-cdn-then403-cut10.then410"
    task_id = account.task(audio_id)
    url = account.wait_for_url(task_id)
    with account.http.stream("GET", url) as first:
        assert len(exchange(url).body) == 10
        assert exchange(url).status == 410
        assert account.counted("file_bytes", audio_id) < 30_000_000
        assert first.read() == tune("demo-30mb")
    assert exchange(url).status == 410
    assert exchange(account.wait_for_url(task_id), MIDDLE).status == 206


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_a_failure_can_have_retry_after(account: SandboxAccount, status: int) -> None:
    url = account.file_url(f"demo-cdn-{status}.after7-{status}")
    met = [account.http.get(url) for _ in range(3)]
    assert [(answer.status_code, answer.headers.get("Retry-After")) for answer in met] == [
        (status, "7"),
        (status, None),
        (200, None),
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_to_the_file(account: SandboxAccount, status: int) -> None:
    url = account.file_url(f"demo-cdn-{status}~2")
    response = account.http.get(url, follow_redirects=True)
    assert [answer.status_code for answer in response.history] == [status] * 2
    assert response.url != url
    assert response.content == tune("demo")


def test_a_redirect_that_never_ends(account: SandboxAccount) -> None:
    with pytest.raises(httpx.TooManyRedirects):
        account.http.get(account.file_url("demo-cdn-302~always"), follow_redirects=True)


@pytest.mark.long
def test_a_changed_file_is_as_long_and_has_other_bytes_everywhere_and_another_etag(
    account: SandboxAccount,
) -> None:
    """It stays changed, until it changes again."""
    url = account.file_url("demo-cdn-ok-changed-ok-changed.cut")
    met = [exchange(url) for _ in range(5)]
    first, second, third = tune("demo"), tune("demo", 1), tune("demo", 2)
    bodies = [answer.body for answer in met]
    assert bodies == [first, second, second, third[: SIZE // 2], third]
    tags = [answer.headers["ETag"] for answer in met]
    assert [tags.index(tag) for tag in tags] == [0, 1, 1, 3, 3]
    assert len({len(first), len(second), len(third)}) == 1
    for one, other in pairwise((first, second, third)):
        assert all(one[at : at + 4096] != other[at : at + 4096] for at in range(44, SIZE, 4096))


def test_a_changed_file_invalidates_the_old_etag(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-cut100000-changed")
    first = exchange(url)
    rest = exchange(url, {"Range": "bytes=100000-", "If-Range": first.headers["ETag"]})
    assert (rest.status, rest.body) == (200, tune("demo", 1))


def test_a_changed_file_is_a_wav_too(account: SandboxAccount) -> None:
    with wave.open(BytesIO(account.http.get(account.file_url("demo-cdn-changed")).content)) as song:
        assert (song.getframerate(), song.getnframes()) == (48_000, 288_000)


def test_a_range_is_ignored(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-ignore")
    ignored, heard = exchange(url, MIDDLE), exchange(url, MIDDLE)
    assert (ignored.status, ignored.body, heard.status) == (200, tune("demo"), 206)
    assert "Content-Range" not in ignored.headers
    assert ignored.headers["Accept-Ranges"] == "bytes"


def test_a_range_begins_too_late_and_says_so(account: SandboxAccount) -> None:
    answer = exchange(account.file_url("demo-cdn-shift1000"), MIDDLE)
    assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes 101000-299999/{SIZE}")
    assert (answer.body, answer.headers["Content-Length"]) == (WANTED[1000:], "199000")


def test_a_shifted_range_keeps_at_least_its_last_byte(account: SandboxAccount) -> None:
    answer = exchange(account.file_url("demo-cdn-shift2m"), MIDDLE)
    assert (answer.headers["Content-Range"], answer.body) == (f"bytes 299999-299999/{SIZE}", WANTED[-1:])


def test_a_range_of_another_total(account: SandboxAccount) -> None:
    answer = exchange(account.file_url("demo-cdn-total10"), MIDDLE)
    assert (answer.status, answer.headers["Content-Range"]) == (206, f"bytes 100000-299999/{SIZE + 10}")
    assert answer.body == WANTED


def test_a_range_that_does_not_say_which(account: SandboxAccount) -> None:
    answer = exchange(account.file_url("demo-cdn-bare"), MIDDLE)
    assert (answer.status, answer.body) == (206, WANTED)
    assert "Content-Range" not in answer.headers


@pytest.mark.parametrize("kind", ["ignore", "shift5", "total5", "bare"])
def test_range_faults_need_a_range_request(account: SandboxAccount, kind: str) -> None:
    answer = exchange(account.file_url(f"demo-cdn-{kind}"))
    assert (answer.status, answer.body) == (200, tune("demo"))


def test_a_length_that_is_too_great(account: SandboxAccount) -> None:
    answer = exchange(account.file_url("demo-cdn-longer10"), MIDDLE)
    assert (answer.headers["Content-Length"], answer.body) == ("200010", WANTED)
    assert answer.headers["Content-Range"] == f"bytes 100000-299999/{SIZE}"


@pytest.mark.parametrize(("less", "promised"), [(10, "199990"), (150_000, "50000"), (999_999, "0")])
def test_a_length_that_is_too_small_and_more_on_the_wire(
    account: SandboxAccount, less: int, promised: str
) -> None:
    """All bytes come, and are counted, past what a client by the rules reads."""
    audio_id = f"demo-cdn-shorter{less}"
    url = account.file_url(audio_id)
    answer = exchange(url, MIDDLE)
    assert (answer.headers["Content-Length"], answer.body) == (promised, WANTED)
    assert account.counted("file_bytes", audio_id) == 200_000


def test_a_body_without_a_length_comes_in_chunks(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-chunked-chunked.cut1000")
    with account.http.stream("GET", url, headers=MIDDLE) as response:
        assert "Content-Length" not in response.headers
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert response.headers["Content-Range"] == f"bytes 100000-299999/{SIZE}"
        assert response.read() == WANTED
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        account.http.get(url)


def test_gzip_is_applied_even_if_not_accepted(account: SandboxAccount) -> None:
    """On top of what would be sent: of a range too, whose Content-Range is that of the file."""
    audio_id = "demo-cdn-gzip"
    answer = exchange(account.file_url(audio_id), MIDDLE | {"Accept-Encoding": "identity"})
    assert (answer.status, answer.headers["Content-Encoding"]) == (206, "gzip")
    assert answer.headers["Content-Range"] == f"bytes 100000-299999/{SIZE}"
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert gzip.decompress(answer.body) == WANTED
    assert account.counted("file_bytes", audio_id) == len(answer.body)


def test_faults_that_go_together(account: SandboxAccount) -> None:
    """A shifted range, packed, without a length, cut, and the address gone."""
    task_id = account.task("demo-cdn-shift1000.gzip.longer9.cut5000.then410")
    url = account.wait_for_url(task_id)
    answer = exchange(url, MIDDLE)
    assert answer.headers["Content-Range"] == f"bytes 101000-299999/{SIZE}"
    assert int(answer.headers["Content-Length"]) > 5009
    assert len(answer.body) == 5000
    unpacked = zlib.decompressobj(wbits=31).decompress(answer.body)
    assert unpacked == WANTED[1000 : 1000 + len(unpacked)]
    assert exchange(url).status == 410


@pytest.mark.long
@pytest.mark.timing
def test_a_body_trickles(account: SandboxAccount) -> None:
    """50,000 bytes at 100,000 a second take half a second of real time."""
    url = account.file_url("demo-cdn-trickle100000.cut50000")
    began = time.monotonic()
    assert len(exchange(url).body) == 50_000
    assert 0.4 < time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("kind", "media_type", "beginning"),
    [
        pytest.param("page", "text/html", b"<!DOCTYPE", id="page"),
        pytest.param("mpeg", "audio/mpeg", b"ID3", id="mpeg"),
        pytest.param("empty", "audio/wav", b"", id="empty"),
    ],
)
def test_replacements_for_the_file(
    account: SandboxAccount, kind: str, media_type: str, beginning: bytes
) -> None:
    url = account.file_url(f"demo-cdn-{kind}")
    answer = exchange(url, MIDDLE)
    assert (answer.status, answer.headers["Content-Type"].partition(";")[0]) == (200, media_type)
    assert answer.body.startswith(beginning)
    assert len(answer.body) < 5000
    assert exchange(url).body == tune("demo")


def test_a_weak_etag_makes_no_range_conditional(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-weak")
    first = exchange(url)
    tag = first.headers["ETag"]
    assert tag.startswith('W/"')
    assert [exchange(url, MIDDLE | {"If-Range": value}).status for value in (tag, tag[2:])] == [200, 200]
    assert exchange(url, MIDDLE).status == 206


def test_without_an_etag_no_range_is_conditional(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-untagged")
    assert "ETag" not in exchange(url).headers
    assert exchange(url, MIDDLE | {"If-Range": '"some"'}).status == 200
    assert exchange(url, MIDDLE).status == 206


def test_without_ranges_every_answer_is_the_whole_file(account: SandboxAccount) -> None:
    url = account.file_url("demo-cdn-rangeless-cut5")
    met = [exchange(url, MIDDLE) for _ in range(3)]
    assert [(answer.status, len(answer.body)) for answer in met] == [(200, 5), (200, SIZE), (200, SIZE)]
    assert not any("Accept-Ranges" in answer.headers for answer in met)


def test_a_size_and_a_plan_in_one_id(account: SandboxAccount) -> None:
    answer = exchange(account.file_url("demo-2mb-cdn-cut1500000"))
    assert (answer.headers["Content-Length"], len(answer.body)) == ("2000044", 1_500_000)


PIECE = 65_536


def in_the_system(connection: socket.socket) -> int:
    """Count the bytes that a client's system has not received, or the client not read."""
    client, server = connection.getsockname()[1], connection.getpeername()[1]
    waiting = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, here, there, _, queues, *_ = line.split()
        ports = [int(address.rpartition(":")[2], 16) for address in (here, there)]
        if ports == [client, server]:
            waiting += int(queues.rpartition(":")[2], 16)
        elif ports == [server, client]:
            waiting += int(queues.partition(":")[0], 16)
    return waiting


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells what is on the way")
def test_sent_bytes_are_counted_up_to_a_piece(account: SandboxAccount) -> None:
    """Of a client that stops reading; and nothing more of one that has left."""
    audio_id = "demo-100mb"
    address = urlsplit(account.file_url(audio_id))
    with socket.socket() as connection:
        connection.connect((address.hostname, address.port))
        connection.sendall(f"GET {address.path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += connection.recv(1)
        counts = [0]
        # Each answer is given by the thread that sends the file too.
        while counts[-1] == 0 or len(set(counts[-50:])) > 1:
            counts.append(account.counted("file_bytes", audio_id))
        held = in_the_system(connection)
        assert held - PIECE < counts[-1] <= held
    account.http.get(account.file_url("demo+afterwards"))
    assert account.counted("file_bytes", audio_id) == counts[-1]


def test_the_report_names_the_fault_of_a_request() -> None:
    with open_account() as mine:
        url = mine.file_url("demo-cdn-cut64k.gzip-403")
        for _ in range(3):
            exchange(url)
        said = [mine.events.get(timeout=5) for _ in range(mine.events.qsize())]
    served = [
        event for event in said if isinstance(event, RequestServed) and event.path.startswith("/files/")
    ]
    assert [(event.status, event.detail) for event in served] == [
        (200, "cut64k.gzip"),
        (403, "403"),
        (403, "address refused"),
    ]


def test_a_typo_is_refused_with_the_syntax(account: SandboxAccount) -> None:
    envelope = account.submit("demo-cdn-ct64k").json()
    assert (envelope["code"], "data" in envelope) == (400, False)
    assert envelope["msg"].startswith("'ct64k' is not a fault. ")
    assert "between them" in envelope["msg"]


QUICK = frozenset(Kind) - {Kind.STALL, Kind.TRICKLE}


def _ordered_status(step: Step) -> int:
    if any(step.has(kind) for kind in (Kind.LOST, Kind.ASTRAY, Kind.FTP)):
        return 302
    other = 206 if step.has(Kind.PARTIAL) else 200
    return step.number_of(Kind.STATUS) or step.number_of(Kind.CHALLENGE) or other


@pytest.mark.long
@settings(deadline=None, max_examples=examples(60))
@given(plan=plans(QUICK, most_steps=3, most_times=2))
def test_after_any_plan_the_file_comes_whole(account: SandboxAccount, plan: Plan) -> None:
    """Each step has its status. Then the file comes, changed as often as ordered."""
    task_id = account.task(format_cdn_id(plan))
    version = 0
    for step in chain.from_iterable(repeat(step, step.times or 0) for step in plan.steps):
        version += step.has(Kind.CHANGED)
        answer = exchange(account.wait_for_url(task_id))
        assert answer.status == _ordered_status(step)
        assert (answer.end is End.RESET) == step.has(Kind.RESET)
    last = exchange(account.wait_for_url(task_id))
    assert (last.status, last.body) == (200, tune("demo", version))
