"""How the program treats every answer and every misbehaviour of the service."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from suno_wav_cli.callbacks.payload_variants import CALLBACK_SHAPES
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import State
from suno_wav_cli.sandbox.behaviours import RECORD_SHAPES
from tests.support.account import GENERATE, KEY, PLACEHOLDER
from tests.support.cdn import tune
from tests.support.quick_limits import WAIT_SPEED

if TYPE_CHECKING:
    from tests.support.program import Finished, Sandbox

PAY_AGAIN = (
    "To pay for another try: suno-wav resume {song} --resubmit --provider sandbox --base-url {base_url}"
)
IT_IS_NOT_KNOWN = "it is not known whether the song was submitted and charged: "
LOOK_AT_LOG = "Nothing is paid twice by itself. Look at your account's log. " + PAY_AGAIN
CHECK_KEY = (
    "Check that it is whole, and that it belongs to this provider. "
    "`suno-wav login --provider sandbox --base-url {base_url}` keeps another one."
)
NOT_KNOWN_HERE = (
    "Its task id is not known here; your account's log may name it: "
    "suno-wav status TASK_ID --wait --download --provider sandbox --base-url {base_url}"
)
CHECK_ID = "Check the id. For a submission, give the song's music task too, if you know it: --task-id ID"
TOP_UP = "Top up at your provider, then run the same command again."
LATER = "Nothing was charged for this. Try again in a while."
TOO_OLD = "The song may be too old, or deleted at the service: generate it again, or try later."
RESUBMIT = "Nothing is paid twice by itself. " + PAY_AGAIN
SUBMITTED_ANEW = "Nothing was charged for this. The same command submits the song again."


ASKING = ("--tunnel", "none", "--poll-interval", "100ms", "--quiet")
"""By polling, which is quickest if the callback is not the subject."""

QUICK_WAITS = {WAIT_SPEED: "600"}


def said(sandbox: Sandbox, audio_id: str, message: str, remedy: str) -> str:
    advice = remedy.format(song=audio_id, base_url=sandbox.base_url)
    return f"{audio_id}: error: {message}\n  {advice}\n"


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def to_continue(sandbox: Sandbox, done: Finished) -> str:
    """Make the remedy that continues the task, whose id is known from the remedy itself."""
    task_id = done.err.partition("suno-wav resume ")[2].partition(" ")[0]
    assert len(task_id) == 32
    return f"suno-wav resume {task_id} --provider sandbox --base-url {sandbox.base_url}"


# Codes


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    ("code", "exit_code", "posts", "message", "remedy"),
    [
        pytest.param(
            400, 7, 1, "the service refused the request: Invalid parameters (code 400)", CHECK_ID, id="400"
        ),
        pytest.param(
            401,
            3,
            1,
            "the service refused the API key: You do not have access permissions (code 401)",
            CHECK_KEY,
            id="401",
        ),
        pytest.param(402, 4, 1, "not enough credits: code 402 (code 402)", TOP_UP, id="402, as kie has it"),
        pytest.param(
            404, 7, 1, "the service refused the request: task not found (code 404)", CHECK_ID, id="404"
        ),
        pytest.param(405, 6, 2, "too many requests: Rate limit exceeded (code 405)", LATER, id="405"),
        pytest.param(
            409,
            7,
            1,
            "the service already has a WAV of this song: WAV record already exists (code 409)",
            NOT_KNOWN_HERE,
            id="409",
        ),
        pytest.param(
            413, 7, 1, "the service refused the request: Parameter too long (code 413)", CHECK_ID, id="413"
        ),
        pytest.param(
            418, 7, 1, "the service refused the request: code 418 (code 418)", CHECK_ID, id="418, unlisted"
        ),
        pytest.param(429, 4, 1, "not enough credits: Insufficient credits (code 429)", TOP_UP, id="429"),
        pytest.param(
            430,
            6,
            2,
            "too many requests: Call frequency too high, please try again later (code 430)",
            LATER,
            id="430",
        ),
        pytest.param(
            451,
            7,
            1,
            "the service could not fetch the song's audio: Failed to download the source audio (code 451)",
            TOO_OLD,
            id="451",
        ),
        pytest.param(
            455,
            6,
            2,
            "the service is in maintenance: System maintenance in progress (code 455)",
            LATER,
            id="455",
        ),
        pytest.param(
            500,
            6,
            1,
            IT_IS_NOT_KNOWN + "the service answered Server error (code 500)",
            LOOK_AT_LOG,
            id="500",
        ),
        pytest.param(
            501, 7, 1, "the conversion failed: Audio generation failed (code 501)", SUBMITTED_ANEW, id="501"
        ),
        pytest.param(
            599,
            6,
            1,
            IT_IS_NOT_KNOWN + "the service answered code 599 (code 599)",
            LOOK_AT_LOG,
            id="599, unlisted",
        ),
    ],
)
def test_a_submission_answered_with_a_code(  # noqa: PLR0917 - a table has columns
    sandbox: Sandbox, code: int, exit_code: int, posts: int, message: str, remedy: str
) -> None:
    """A submission that was certainly not accepted is sent again; one that may have been is not."""
    audio_id = f"demo-code-{code}"
    done = sandbox.run("convert", audio_id, *ASKING)
    assert (done.code, done.out, done.err) == (exit_code, "", said(sandbox, audio_id, message, remedy))
    assert sandbox.counted("submissions", audio_id) == posts
    assert files() == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        *((code, 6) for code in (400, 402, 405, 409, 413, 418, 429, 430, 455, 500, 505, 599)),
        (404, 7),
        (422, 7),
    ],
)
def test_a_refused_lookup_is_repeated_until_the_time_is_up(
    sandbox: Sandbox, code: int, exit_code: int
) -> None:
    """The song is paid for: the line that continues is printed, and no advice that concerns a new request."""
    audio_id = f"demo-lookup-{code}"
    done = sandbox.run("convert", audio_id, *ASKING, "--timeout", "1s", env=QUICK_WAITS)
    what_happened, what_to_do = done.err.splitlines()
    assert (done.code, done.out) == (exit_code, "")
    assert f"(code {code})" in what_happened
    assert what_to_do.endswith(f"To continue: {to_continue(sandbox, done)}")
    for misleading in ("Check the id", "Top up", "--resubmit", "submits it anew"):
        assert misleading not in done.err
    assert sandbox.counted("submissions", audio_id) == 1
    assert sandbox.counted("lookups", audio_id) > 1
    assert files() == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("code", "message"),
    [
        pytest.param(501, "the conversion failed: Audio generation failed (code 501)", id="501"),
        pytest.param(
            451,
            "the service could not fetch the song's audio: Failed to download the source audio (code 451)",
            id="451",
        ),
        pytest.param(531, "the conversion failed: Generation failed, credits refunded (code 531)", id="531"),
    ],
)
def test_a_code_that_speaks_of_the_conversion_ends_the_song_when_it_is_repeated(
    sandbox: Sandbox, code: int, message: str
) -> None:
    audio_id = f"demo-lookup-{code}"
    done = sandbox.run("convert", audio_id, *ASKING, env=QUICK_WAITS)
    assert (done.code, done.out, done.err) == (7, "", said(sandbox, audio_id, message, RESUBMIT))
    assert sandbox.counted("submissions", audio_id) == 1
    assert sandbox.counted("lookups", audio_id) >= 3
    assert files() == []


@pytest.mark.long
def test_a_key_that_is_refused_at_the_lookup_leaves_the_line_that_continues(sandbox: Sandbox) -> None:
    """The song is paid for; with the right key it can be had."""
    done = sandbox.run("convert", "demo-lookup-401", *ASKING, env=QUICK_WAITS)
    message = "the service refused the API key: You do not have access permissions (code 401)"
    remedy = f"{CHECK_KEY} To continue: {to_continue(sandbox, done)}"
    assert (done.code, done.out, done.err) == (3, "", said(sandbox, "demo-lookup-401", message, remedy))
    assert sandbox.counted("submissions", "demo-lookup-401") == 1


def test_a_lookup_answered_with_200_is_not_a_refusal(sandbox: Sandbox) -> None:
    assert sandbox.run("convert", "demo-lookup-200", *ASKING, "--out", "song.wav").code == 0
    assert Path("song.wav").read_bytes() == tune("demo")


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("retries", "exit_code", "posts"),
    [
        pytest.param("0", 6, 1, id="no retry"),
        pytest.param("1", 6, 2, id="one too few"),
        pytest.param("2", 0, 3, id="enough"),
    ],
)
def test_a_busy_service_gets_as_many_requests_as_retries_allows(
    sandbox: Sandbox, retries: str, exit_code: int, posts: int
) -> None:
    """`demo-busy` refuses twice and then accepts."""
    audio_id = f"demo-busy+{retries}"
    done = sandbox.run("convert", audio_id, "--retries", retries)
    assert (done.code, sandbox.counted("submissions", audio_id)) == (exit_code, posts)
    assert files() == ([f"{audio_id}.wav"] if exit_code == 0 else [])
    assert done.err.count("submitting again in") == posts - 1


# What is there in the end


@pytest.mark.long
@pytest.mark.parametrize(
    "names",
    [
        pytest.param([f"demo-record-{shape}" for shape in RECORD_SHAPES], id="every shape of the record"),
        pytest.param(
            [f"demo-callback-{shape}" for shape in CALLBACK_SHAPES], id="every shape of the callback"
        ),
        pytest.param(
            [
                "demo-twice",
                "demo-late",
                "demo-early",
                "demo-forged",
                "demo-malformed",
                "demo-huge",
                "demo-no-callback",
                "demo-callback-exception",
            ],
            id="every behaviour of the callback",
        ),
        pytest.param(
            ["demo-cut", "demo-expired", "demo-no-length", "demo-redirect", "demo-exists"],
            id="every misbehaviour of the file that can be helped",
        ),
        pytest.param(["demo-24bit", "demo-44k", "demo-mono", "demo-2mb"], id="every format"),
    ],
)
def test_the_right_file_is_saved_byte_for_byte(sandbox: Sandbox, names: list[str]) -> None:
    """All in one run, so that a callback for the wrong song would be noticed."""
    ids = [f"{name}+right" for name in names]
    done = sandbox.run("convert", *ids)
    assert (done.code, sorted(done.out.splitlines())) == (0, sorted(f"{audio_id}.wav" for audio_id in ids))
    right = {audio_id: Path(f"{audio_id}.wav").read_bytes() == tune(audio_id) for audio_id in ids}
    assert right == dict.fromkeys(ids, True)
    assert [sandbox.counted("submissions", audio_id) for audio_id in ids] == [1] * len(ids)
    assert files() == sorted(f"{audio_id}.wav" for audio_id in ids)


@pytest.mark.long
def test_a_callback_of_any_shape_that_names_the_task_wakes_its_song(sandbox: Sandbox) -> None:
    """With a minute between two questions, one question each is enough."""
    shapes = [shape for shape in CALLBACK_SHAPES if shape not in ("no-id", "not-json", "huge")]
    ids = [f"demo-callback-{shape}+wakes" for shape in shapes]
    done = sandbox.run("convert", *ids, "--poll-interval", "1m")
    assert done.code == 0
    assert [sandbox.counted("lookups", audio_id) for audio_id in ids] == [1] * len(ids)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("name", "flag", "reason"),
    [
        pytest.param("demo-fails", "GENERATE_WAV_FAILED", "501", id="demo-fails"),
        pytest.param("demo-fails-create", "CREATE_TASK_FAILED", "400", id="demo-fails-create"),
        pytest.param("demo-fails-audio", "GENERATE_AUDIO_FAILED", "451", id="demo-fails-audio"),
    ],
)
def test_a_failed_conversion_shows_the_services_words(
    sandbox: Sandbox, name: str, flag: str, reason: str
) -> None:
    audio_id = f"{name}+flag"
    done = sandbox.run("convert", audio_id, *ASKING)
    message = f"the service could not convert the song: {flag} ({reason} WAV format conversion failed)"
    assert (done.code, done.out, done.err) == (7, "", said(sandbox, audio_id, message, RESUBMIT))
    assert sandbox.counted("submissions", audio_id) == 1
    assert sandbox.counted("file_requests", audio_id) == 0
    assert files() == []


@pytest.mark.long
def test_a_callback_that_could_not_be_delivered_is_not_a_failure(sandbox: Sandbox) -> None:
    """The file may still come, so that it is waited for."""
    audio_id = "demo-fails-callback+flag"
    done = sandbox.run("convert", audio_id, *ASKING, "--timeout", "1s")
    assert done.code == 8
    assert "not finished within 1 s: the service says 500 WAV format conversion failed" in done.err
    assert done.err.endswith(f"To continue: {to_continue(sandbox, done)}\n")


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("name", "message", "requests"),
    [
        pytest.param("demo-not-wav", "it is a web page, not a WAV", 2, id="demo-not-wav"),
        pytest.param("demo-mp3", "it is an MP3, not a WAV", 2, id="demo-mp3"),
        pytest.param(
            "demo-truncated",
            "it ends early: 575,978 of 1,152,000 bytes of audio are there",
            2,
            id="demo-truncated",
        ),
        pytest.param("demo-empty", "it is empty, not a WAV", 2, id="demo-empty"),
        pytest.param("demo-gone", "the file's address answers HTTP 403", 2, id="demo-gone"),
    ],
)
def test_an_incomplete_wav_never_gets_the_final_name(
    sandbox: Sandbox, name: str, message: str, requests: int
) -> None:
    audio_id = f"{name}+bad"
    done = sandbox.run("convert", audio_id, *ASKING, "--out", "song.wav")
    what_happened, what_to_do = done.err.splitlines()
    assert (done.code, done.out) == (9, "")
    assert what_happened.startswith(f"{audio_id}: error: ")
    assert what_happened.endswith(message)
    assert what_to_do.startswith("  ")
    assert (sandbox.counted("submissions", audio_id), sandbox.counted("file_requests", audio_id)) == (
        1,
        requests,
    )
    assert not Path("song.wav").exists()


@pytest.mark.long
def test_a_body_that_always_ends_early_leaves_no_final_file_and_the_line_that_continues(
    sandbox: Sandbox,
) -> None:
    audio_id = "demo-cut-always+bad"
    done = sandbox.run("convert", audio_id, *ASKING, "--out", "song.wav")
    what_happened, what_to_do = done.err.splitlines()
    assert (done.code, done.out) == (9, "")
    assert what_happened.startswith(f"{audio_id}: error: the download broke off: ")
    assert what_to_do.endswith(f"To continue: {to_continue(sandbox, done)}")
    assert sandbox.counted("file_requests", audio_id) == 2
    assert not Path("song.wav").exists()


@pytest.mark.long
def test_a_failed_download_is_retried_free_of_charge(sandbox: Sandbox) -> None:
    for _ in range(2):
        assert sandbox.run("convert", "demo-mp3+again", *ASKING, "--out", "song.wav").code == 9
    assert (
        sandbox.counted("submissions", "demo-mp3+again"),
        sandbox.counted("file_requests", "demo-mp3+again"),
    ) == (1, 4)


# What was made before, and what nobody knows


@pytest.mark.long
def test_an_existing_record_is_adopted_from_the_answer(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo-exists+adopted", "--json", "--out", "song.wav")
    assert done.code == 0
    (adopted,) = done.named("resumed")
    assert adopted["reason"] == "the service had it already"
    assert done.named("submitted") == []
    assert done.named("saved")[0]["task_id"] == adopted["task_id"]
    assert sandbox.counted("accepted", "demo-exists+adopted") == 0


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([State.READY, State.SAVED], id="saved, and asked for anew"),
        pytest.param([State.READY], id="at the service, and asked for anew"),
    ],
)
def test_an_existing_record_is_adopted_from_the_journal_if_the_answer_lacks_its_id(
    sandbox: Sandbox, tmp_path: Path, steps: list[State]
) -> None:
    """The journal remembers a task of the song that the service made long ago."""
    audio_id = f"demo-exists-null+{steps[-1]}"
    body = {"audioId": "demo+long-ago", "callBackUrl": PLACEHOLDER}
    answer = httpx.post(sandbox.base_url + GENERATE, json=body, headers=KEY, trust_env=False)
    task_id = answer.json()["data"]["taskId"]
    with open_journal(tmp_path / "home" / "journal.sqlite3", sandbox.service) as journal:
        entry = journal.adopt(task_id, audio_id, tmp_path / "gone.wav")
        for state in steps:
            entry = journal.move(entry, state)
    done = sandbox.run("convert", audio_id, "--resubmit", "--force", "--json", "--out", "song.wav")
    assert done.code == 0
    assert [adopted["task_id"] for adopted in done.named("resumed")] == [task_id]
    assert Path("song.wav").read_bytes() == tune("demo")
    assert sandbox.counted("submissions", audio_id) == 1


def test_an_existing_record_without_a_known_id_is_a_clear_failure(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo-exists-null", *ASKING)
    assert (done.code, done.out) == (7, "")
    assert done.err == said(
        sandbox,
        "demo-exists-null",
        "the service already has a WAV of this song: WAV record already exists (code 409)",
        NOT_KNOWN_HERE,
    )
    assert files() == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "audio_id",
    [
        pytest.param("demo-lost", id="the answer was lost"),
        pytest.param("demo-no-id", id="the answer names no task"),
    ],
)
def test_a_possibly_paid_submission_is_repeated_only_with_resubmit(sandbox: Sandbox, audio_id: str) -> None:
    """The same command again refuses without a request; `--resubmit` sends one more."""
    first = sandbox.run("convert", audio_id, *ASKING)
    assert (first.code, first.out) == (6, "")
    what_happened, what_to_do = first.err.splitlines()
    assert what_happened.startswith(f"{audio_id}: error: {IT_IS_NOT_KNOWN}")
    assert what_to_do == "  " + LOOK_AT_LOG.format(song=audio_id, base_url=sandbox.base_url)
    again = sandbox.run("convert", audio_id, *ASKING)
    when = time.strftime("%Y-%m-%d")
    assert again == replace(first, err=f"{what_happened} (on {when})\n{what_to_do}\n")
    assert sandbox.counted("accepted", audio_id) == 1
    resubmitted = sandbox.run("convert", audio_id, *ASKING, "--resubmit")
    assert resubmitted == first
    assert sandbox.counted("accepted", audio_id) == 2
    assert files() == []
