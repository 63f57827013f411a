"""`trigger --serve`: whether a receiver fetches the file, and whether it answers first."""

from __future__ import annotations

import json
import re
import socket
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from suno_wav_cli.commands.trigger.downloads import describe_fetch
from suno_wav_cli.commands.trigger.mistakes import find_mistakes
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.commands.trigger.verdict import AnswerVerdict
from suno_wav_cli.sandbox.offer import Fetch
from suno_wav_cli.wav.structure import read_structure
from tests.support.fetching import after_the_answer, download, fetching
from tests.support.program import run_program
from tests.support.target import KEY, receiving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SIZE = 1_152_044
SIGNED = {"SUNO_WAV_HMAC_KEY": KEY}


def fetch_of(**fields: object) -> Fetch:
    whole = {
        "size": 9,
        "bytes": 9,
        "requests": 1,
        "times": 1,
        "is_early": False,
        "seconds": 0.25,
        "waited": 15.2,
    }
    return Fetch(**{**whole, **fields})  # type: ignore[arg-type]


GOOD = AnswerVerdict(received=True, correctly_refused=False, text="")
REFUSED = AnswerVerdict(received=False, correctly_refused=True, text="")
WRONG = AnswerVerdict(received=False, correctly_refused=False, text="")
SILENT = AnswerVerdict(received=False, correctly_refused=False, text="", is_unanswered=True)
NOT_FETCHED = fetch_of(bytes=0, requests=0, times=0, seconds=None)


@pytest.mark.parametrize(
    ("fetch", "words"),
    [
        (fetch_of(), "fetched whole, 0.25 s after the answer"),
        (fetch_of(times=2), "fetched whole, 2 times, 0.25 s after the answer"),
        (fetch_of(seconds=-0.01), "fetched whole, 0.00 s after the answer"),
        (
            fetch_of(is_early=True),
            "fetched before the answer: the receiver has no answer until it has the file",
        ),
        (fetch_of(bytes=4, times=0, seconds=None), "not fetched whole: 4 of 9 bytes"),
        (
            fetch_of(bytes=0, times=0, is_early=True, seconds=None),
            "not fetched whole: 0 of 9 bytes, and before the answer",
        ),
        (NOT_FETCHED, "not fetched within 15 s"),
    ],
)
def test_what_is_said_of_a_file(fetch: Fetch, words: str) -> None:
    assert describe_fetch(fetch) == words


@pytest.mark.parametrize(
    ("verdicts", "fetched", "mistakes"),
    [
        pytest.param(dict.fromkeys(SAMPLES, GOOD), {}, ["no-sender-check"], id="takes everything"),
        pytest.param(
            dict.fromkeys(SAMPLES, GOOD),
            {"success": fetch_of(), "unsigned": NOT_FETCHED, "wrong-signature": NOT_FETCHED},
            [],
            id="answers 200 to strangers and passes over them",
        ),
        pytest.param(
            {"success": GOOD, "unsigned": REFUSED},
            {"success": fetch_of(), "unsigned": fetch_of()},
            ["no-sender-check"],
            id="refuses a stranger and works for it",
        ),
        pytest.param({"success": GOOD, "unsigned": REFUSED}, {}, [], id="refuses strangers"),
        pytest.param({"success": GOOD, "null": WRONG}, {}, ["fails-without-data"], id="null"),
        pytest.param({"success": GOOD, "no-id": WRONG}, {}, ["fails-without-data"], id="no id"),
        pytest.param({"success": GOOD, "null": SILENT}, {}, [], id="died"),
        pytest.param({"success": WRONG, "null": WRONG, "failure": WRONG}, {}, [], id="fails always"),
        pytest.param({"success": GOOD, "failure-451": WRONG}, {}, ["fails-on-failure"], id="failure"),
        pytest.param({"success": GOOD, "jobs": WRONG}, {}, ["one-spelling"], id="fails on a spelling"),
        pytest.param(
            {"success": GOOD, "camel": GOOD, "jobs": GOOD},
            {"success": fetch_of(), "camel": NOT_FETCHED, "jobs": fetch_of()},
            ["one-spelling"],
            id="passes over a spelling",
        ),
        pytest.param(
            {"success": GOOD, "camel": GOOD},
            {"success": NOT_FETCHED, "camel": NOT_FETCHED},
            [],
            id="downloads nothing",
        ),
        pytest.param({"success": GOOD, "jobs": SILENT}, {}, [], id="died at a spelling"),
        pytest.param({}, {"camel": fetch_of(is_early=True)}, ["downloads-first"], id="early"),
        pytest.param({}, {"twice": fetch_of(times=2)}, ["not-idempotent"], id="twice"),
        pytest.param({}, {"success": fetch_of(times=2)}, [], id="a download that was begun again"),
    ],
)
def test_which_mistakes_are_found(
    verdicts: dict[str, AnswerVerdict], fetched: dict[str, Fetch], mistakes: list[str]
) -> None:
    assert [mistake.name for mistake in find_mistakes(verdicts, fetched)] == mistakes


def test_a_receiver_that_answers_first_gets_a_real_wav(tmp_path: Path) -> None:
    saved = tmp_path / "song.wav"
    with fetching(after_the_answer(lambda url: saved.write_bytes(download(url)))) as url:
        done = run_program("trigger", url, "--serve")
    assert done.code == 0, done.err
    assert re.search(
        r"\A200 in .*: received\nfile: fetched whole, \d+\.\d\d s after the answer\n\Z", done.out
    )
    assert re.search(
        r"a WAV for each callback is at http://127\.0\.0\.1:\d+, for receivers on this machine", done.err
    )
    assert saved.stat().st_size == SIZE
    assert read_structure(saved).format.sample_rate == 48000


@pytest.mark.long
def test_a_download_that_begins_in_a_thread_before_the_answer_does_not_delay_it() -> None:
    """What matters is whether the answer waits for the file, not which of both is begun first."""

    def take(_: bytes, url: str | None, answer: Callable[[int], None]) -> None:
        assert url is not None
        work = Thread(target=download, args=(url,))
        work.start()
        answer(200)
        work.join()

    with fetching(take) as url:
        done = run_program("trigger", url, "--serve", "--json")
    (file,) = done.named("file_fetched")
    assert (file["whole"], file["before_answer"], file["bytes"], file["requests"]) == (True, False, SIZE, 1)
    assert done.named("mistake_found") == []


def test_a_download_before_the_answer_is_named() -> None:
    def take(_: bytes, url: str | None, answer: Callable[[int], None]) -> None:
        assert url is not None
        download(url)
        answer(200)

    with fetching(take) as url:
        done = run_program("trigger", url, "--serve", "--answer-timeout", "5s")
    assert done.code == 0, "it was received in time, here"
    assert "file: fetched before the answer: the receiver has no answer until it has the file\n" in done.out
    assert (
        "suno-wav: the receiver downloads before it answers: a file of 30 to 140 MB takes longer than it has\n"
        "  Let it answer first, and download afterwards"
    ) in done.err


@pytest.mark.long
def test_a_download_that_is_given_up_before_the_answer_is_named_too() -> None:
    """Its own timeout may be shorter than the time for which the file is held back."""

    def take(_: bytes, url: str | None, answer: Callable[[int], None]) -> None:
        parts = urlsplit(url or "")
        with socket.create_connection((str(parts.hostname), parts.port or 0)) as connection:
            connection.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            connection.settimeout(0.2)
            with suppress(TimeoutError):
                connection.recv(1)
        answer(500)

    with fetching(take) as url:
        done = run_program("trigger", url, "--serve", "--json")
    assert done.code == 11
    assert [found["mistake"] for found in done.named("mistake_found")] == ["downloads-first"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("work", "said"),
    [
        pytest.param(
            lambda _url: None, "file: not fetched within 3 s\n", id="the receiver does not download at all"
        ),
        pytest.param(
            lambda url: [
                download(url, span=f"{start}-{start + 299_999}") for start in range(0, SIZE, 300_000)
            ],
            "file: fetched whole, ",
            id="in pieces",
        ),
        pytest.param(
            lambda url: download(url, method="HEAD"), "file: not fetched within 3 s\n", id="only its head"
        ),
        pytest.param(
            lambda url: download(url, span="0-999"),
            f"file: not fetched whole: 1,000 of {SIZE:,} bytes\n",
            id="a piece",
        ),
        pytest.param(
            lambda url: [download(url, span="0-999") for _ in range(3)],
            f"file: not fetched whole: 1,000 of {SIZE:,} bytes\n",
            id="the same piece three times",
        ),
    ],
)
def test_what_is_fetched_is_said_and_is_no_failure_of_the_callback(
    work: Callable[[str], object], said: str
) -> None:
    with fetching(after_the_answer(work)) as url:
        done = run_program("trigger", url, "--serve", "--answer-timeout", "3s")
    assert done.code == 0, done.err
    assert said in done.out


@pytest.mark.long
def test_a_file_that_is_not_read_to_its_end_does_not_count_as_fetched() -> None:
    """What waits in the buffers of both systems has been taken, but nobody has read it."""
    with fetching(after_the_answer(lambda url: download(url, most=1000))) as url:
        done = run_program("trigger", url, "--serve", "--answer-timeout", "2s", "--json")
    (file,) = done.named("file_fetched")
    assert (file["whole"], file["requests"]) == (False, 1)


@pytest.mark.long
def test_the_same_callback_again_must_not_download_again() -> None:
    with fetching(after_the_answer(download)) as url:
        done = run_program("trigger", url, "--event", "twice", "--serve")
    assert done.code == 0
    assert "file: fetched whole, 2 times, " in done.out
    assert "the receiver downloads the same file again when its callback is repeated" in done.err


@pytest.mark.long
def test_all_samples_with_their_files() -> None:
    """A receiver that knows the documented spelling only."""

    def take(body: bytes, _: str | None, answer: Callable[[int], None]) -> None:
        try:
            url = json.loads(body)["data"]["audio_wav_url"]
        except (ValueError, KeyError):
            answer(200)
            return
        except TypeError:
            answer(500)
            return
        answer(200)
        if url is not None:
            download(url)

    with fetching(take) as url:
        done = run_program("trigger", url, "--event", "all", "--serve", "--answer-timeout", "3s")
    assert done.code == 11
    assert re.search(r"^success +200 .*received\nsuccess +file: fetched whole, ", done.out, re.MULTILINE)
    assert re.search(r"^failure +200 .*received\nfailure-400", done.out, re.MULTILINE), "it names no file"
    for name in ("camel", "jobs", "top-level"):
        assert re.search(rf"^{name} +file: not fetched within \d+ s$", done.out, re.MULTILINE)
    assert "the receiver fails if `data` is null (null, no-id), and gets the callback again" in done.err
    assert "does not check who sends" not in done.err, "there is no key to check with"


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("arguments", [["--sign"], []])
def test_with_a_key_strangers_are_tried_too(arguments: list[str]) -> None:
    with receiving() as target:
        done = target.run("--event", "all", *arguments, env=SIGNED)
        unsigned, wrong = target.arrived[-2:]
    assert done.code == 0
    assert "\nunsigned        200 " in done.out
    assert "received, though a careful receiver refuses it: it is signed with another key\n" in done.out
    assert (
        "the receiver does not check who sends: it takes callbacks of strangers (unsigned, wrong-signature)\n"
        in done.err
    )
    assert not [name for name, _ in unsigned.headers if name.lower().startswith("x-")]
    assert wrong.header("X-Webhook-Signature")


def test_a_key_that_the_receiver_repeats_is_hidden_in_the_callbacks_of_strangers_too() -> None:
    with receiving((403, 0), body=f"wrong, the key is {KEY}".encode()) as target:
        done = target.run("--event", "unsigned", env=SIGNED)
    assert done.code == 0
    assert "the answer says: wrong, the key is (hidden)" in done.err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--wav-url", "https://example.com/a.wav"), "--serve and --wav-url contradict each other"),
        (("--from", "x.json"), "Leave out --event, --task-id, --wav-url and --serve."),
        (("--list",), "--serve has no effect"),
    ],
)
def test_what_does_not_go_with_it(arguments: tuple[str, ...], words: str) -> None:
    done = run_program("trigger", "localhost:9/x", "--serve", *arguments)
    assert words in done.err, done.err
    assert "a WAV for each callback" not in done.err
