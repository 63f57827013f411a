"""The program against each provider's contract, from the command line to the file."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.api.providers import KIE, KIE_JOBS, PROVIDERS, SANDBOX, SUNOAPI, Meaning
from tests.commands.test_listen import listening
from tests.support.cdn import tune
from tests.support.program import REPOSITORY, Sandbox, run_program
from tests.support.quick_limits import WAIT_SPEED

if TYPE_CHECKING:
    from suno_wav_cli.api.providers import Provider

MUSIC = "0123456789abcdef0123456789abcdef"
WITH_MUSIC = ("--task-id", MUSIC)
NAMES = ("sunoapi", "kie", "kie-jobs")
KIES = ("kie", "kie-jobs")
ASKING = ("--tunnel", "none", "--poll-interval", "100ms", "--quiet")


def met_as(sandbox: Sandbox, provider: str) -> Sandbox:
    return sandbox if provider == "sunoapi" else sandbox.as_kie(provider)


def called_back(port: int) -> tuple[str, ...]:
    """Let the callback come directly to this machine, without a tunnel."""
    return "--port", str(port), "--public-url", f"http://127.0.0.1:{port}"


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


# The table


def test_the_table_holds_what_differs() -> None:
    """429, the path of the credits and the retention of files differ."""
    assert (SUNOAPI.codes[429], KIE.codes[429], KIE_JOBS.codes[429]) == (
        Meaning.NO_CREDITS,
        Meaning.BUSY,
        Meaning.BUSY,
    )
    assert (SUNOAPI.credit_path, KIE.credit_path, KIE_JOBS.credit_path) == (
        "/api/v1/generate/credit",
        "/api/v1/chat/credit",
        "/api/v1/chat/credit",
    )
    assert (SUNOAPI.retention_days, KIE.retention_days, KIE_JOBS.retention_days) == (15, 14, 14)


def row_of(provider: Provider) -> str:
    default = " (default)" if provider is SUNOAPI else ""
    signed = "signed, where the account has a webhook key" if provider.signs_callbacks else "not signed"
    return f"| `{provider.name}`{default} | {provider.base_url} | {provider.retention_days} days | {signed} |"


def test_the_readme_has_the_table() -> None:
    readme = (REPOSITORY / "suno_wav_cli" / "commands" / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- providers: begin -->\n")[2].partition("<!-- providers: end -->")[0]
    assert shown.splitlines()[2:] == [row_of(provider) for provider in (SUNOAPI, KIE, KIE_JOBS)]


@pytest.mark.long
def test_every_list_of_providers_is_complete() -> None:
    names = ", ".join(PROVIDERS)
    wrong = run_program("convert", "a", "--provider", "napster")
    assert (wrong.code, wrong.err.splitlines()[0]) == (
        2,
        f"error: --provider: 'napster' is not one of: {names}",
    )
    assert names in " ".join(run_program("--help").out.split())


# From the song to the file


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("provider", NAMES)
@pytest.mark.parametrize("way", ["callback", "polling"])
def test_a_song_is_converted(sandbox: Sandbox, provider: str, way: str, free_port: int) -> None:
    """By a callback, which leaves one question to ask; by polling; and paid for once."""
    song = f"demo+{provider}-{way}"
    options = (
        [*called_back(free_port), "--poll-interval", "1m"] if way == "callback" else ["--tunnel", "none"]
    )
    done = met_as(sandbox, provider).run("convert", song, *WITH_MUSIC, *options, "--out", "song.wav")
    assert (done.code, done.out) == (0, "song.wav\n")
    assert Path("song.wav").read_bytes() == tune("demo")
    assert (sandbox.counted("submissions", song), sandbox.counted("accepted", song)) == (1, 1)
    if way == "callback":
        assert sandbox.counted("lookups", song) == 1


@pytest.mark.long
@pytest.mark.parametrize("provider", KIES)
def test_every_recoverable_fault_ends_in_a_file(sandbox: Sandbox, provider: str, free_port: int) -> None:
    """Every callback, record and CDN fault ends in the right file, paid for once.

    All in one run.
    """
    names = ["twice", "forged", "malformed", "early", "no-callback", "exists", "expired", "cut"]
    names += [f"record-{shape}" for shape in ("no-url-first", "null-first", "unknown-first", "bare")]
    songs = [f"demo-{name}+{provider}" for name in names]
    done = met_as(sandbox, provider).run("convert", *songs, *WITH_MUSIC, *called_back(free_port))
    assert (done.code, sorted(done.out.splitlines())) == (0, sorted(f"{song}.wav" for song in songs))
    assert all(Path(f"{song}.wav").read_bytes() == tune("demo") for song in songs)
    assert [sandbox.counted("submissions", song) for song in songs] == [1] * len(songs)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("provider", "words"),
    [
        pytest.param("sunoapi", "GENERATE_WAV_FAILED (501 WAV format conversion failed)", id="sunoapi"),
        pytest.param("kie", "GENERATE_WAV_FAILED (500 WAV format conversion failed)", id="kie"),
        pytest.param("kie-jobs", "fail (501 WAV format conversion failed)", id="kie-jobs"),
    ],
)
def test_a_failed_conversion_shows_the_services_words(sandbox: Sandbox, provider: str, words: str) -> None:
    song = f"demo-fails+{provider}"
    done = met_as(sandbox, provider).run("convert", song, *WITH_MUSIC, *ASKING)
    assert (done.code, done.out, files()) == (7, "", [])
    assert done.err.splitlines()[0] == f"{song}: error: the service could not convert the song: {words}"


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("provider", KIES)
def test_an_existing_record_without_a_known_id_is_a_clear_failure(sandbox: Sandbox, provider: str) -> None:
    done = met_as(sandbox, provider).run("convert", f"demo-exists-null+{provider}", *WITH_MUSIC, *ASKING)
    assert (done.code, done.out) == (7, "")
    assert "the service already has a WAV of this song: WAV record already exists (code 409)" in done.err


@pytest.mark.long
@pytest.mark.parametrize(("provider", "days"), [("sunoapi", 15), ("kie", 14), ("kie-jobs", 14)])
def test_a_running_task_shows_its_retention_and_the_line_that_continues(
    sandbox: Sandbox, provider: str, days: int
) -> None:
    """The line names the provider and the address, so it works without any setting."""
    song = f"demo+{provider}-left"
    done = met_as(sandbox, provider).run("convert", song, *WITH_MUSIC, "--no-wait", "--out", "song.wav")
    assert (done.code, f"kept {days} days" in done.err) == (0, True)
    line = done.err.partition("To continue: suno-wav ")[2].split()
    finished = run_program(*line, "--poll-interval", "100ms", env={"SUNO_API_KEY": "any"})
    assert (finished.code, Path(finished.out.strip()).name) == (0, "song.wav")
    assert sandbox.counted("submissions", song) == 1


# kie-jobs and the music task


def test_kie_jobs_asks_for_the_music_task_before_anything_is_paid(sandbox: Sandbox) -> None:
    done = sandbox.as_kie("kie-jobs").run("convert", "demo+nomusic", "demo+nomusic2")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: kie-jobs converts a song only with its music task, which is not known of demo+nomusic and 1 more\n"
        "  Add --task-id ID, the task that generated the song. Nothing was submitted.\n"
    )
    assert sandbox.counted("submissions", "demo+nomusic") == 0


@pytest.mark.long
@pytest.mark.parametrize("provider", ["sunoapi", "kie"])
def test_the_other_contracts_let_the_service_decide(sandbox: Sandbox, provider: str) -> None:
    done = met_as(sandbox, provider).run("convert", f"demo+{provider}-alone", "--out", "song.wav")
    assert (done.code, done.out) == (0, "song.wav\n")


@pytest.mark.long
def test_kie_jobs_needs_the_music_task_once(sandbox: Sandbox) -> None:
    """What is paid for is continued without it, and for a new conversion the journal knows it."""
    jobs = sandbox.as_kie("kie-jobs")
    assert jobs.run("convert", "demo+once", *WITH_MUSIC, "--no-wait").code == 0
    assert jobs.run("convert", "demo+once", "--out", "song.wav").code == 0
    assert jobs.run("convert", "demo+once", "--out", "new.wav", "--resubmit", "--force").code == 0
    assert sandbox.counted("accepted", "demo+once") == 2


@pytest.mark.long
@pytest.mark.parametrize("provider", KIES)
def test_all_tracks_of_a_music_task(sandbox: Sandbox, provider: str) -> None:
    done = met_as(sandbox, provider).run("convert", *WITH_MUSIC, "--out", "{title}.wav")
    assert (done.code, sorted(done.out.splitlines())) == (0, ["Sandbox song 1.wav", "Sandbox song 2.wav"])


# Codes

IT_IS_NOT_KNOWN = "it is not known whether the song was submitted and charged: the service answered "
REFUSED = "the service refused the request: "

OF_A_SUBMISSION = {
    400: (7, 1, REFUSED + "The request body is not valid JSON (code 400)"),
    404: (7, 1, REFUSED + "Not found (code 404)"),
    405: (6, 2, "too many requests: code 405 (code 405)"),
    408: (6, 1, IT_IS_NOT_KNOWN + "Upstream has not answered for 10 minutes (code 408)"),
    409: (7, 1, "the service already has a WAV of this song: WAV record already exists (code 409)"),
    422: (7, 1, REFUSED + "Validation error (code 422)"),
    429: (6, 2, "too many requests: Your call frequency is too high (code 429)"),
    413: (7, 1, REFUSED + "code 413 (code 413)"),
    430: (6, 2, "too many requests: code 430 (code 430)"),
    451: (
        7,
        1,
        "the service could not fetch the song's audio: Failed to download the source audio (code 451)",
    ),
    455: (6, 2, "the service is in maintenance: System maintenance in progress (code 455)"),
    500: (6, 1, IT_IS_NOT_KNOWN + "Server error (code 500)"),
    501: (7, 1, "the conversion failed: Generation failed (code 501)"),
    505: (7, 1, "the service has switched this off: Feature disabled (code 505)"),
    531: (6, 1, IT_IS_NOT_KNOWN + "code 531 (code 531)"),
}
"""Of kie, by code: the exit code, how often it is sent with one retry, and what is said."""

REFUSED_LOOKUPS = {404: 7, 422: 7} | dict.fromkeys((402, 408, 429, 455, 500, 505), 6)
"""Codes with which lookups are refused until the time is up, and the exit code then."""


@pytest.mark.long
@pytest.mark.parametrize("provider", KIES)
def test_submissions_answered_with_each_code(sandbox: Sandbox, provider: str) -> None:
    """A submission that was certainly not accepted is sent again; one that may have been is not.

    What may be over in a while closes the gate for all songs, so each of these is a run of its own.
    """
    songs = {f"demo-code-{code}+{provider}": expected for code, expected in OF_A_SUBMISSION.items()}
    decided = [song for song, (exit_code, *_) in songs.items() if exit_code == 7]
    runs = [decided] + [[song] for song in songs if song not in decided]
    failed = [
        event
        for run in runs
        for event in met_as(sandbox, provider)
        .run("convert", *run, *WITH_MUSIC, *ASKING, "--json")
        .named("song_failed")
    ]
    ended = {
        event["audio_id"]: (
            event["exit_code"],
            sandbox.counted("submissions", event["audio_id"]),
            event["message"],
        )
        for event in failed
    }
    assert ended == songs
    assert all(event["remedy"] for event in failed)
    assert files() == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("provider", KIES)
def test_a_key_that_is_refused(sandbox: Sandbox, provider: str) -> None:
    done = met_as(sandbox, provider).run(
        "convert", "demo-unauthorized+a", "demo-unauthorized+b", *WITH_MUSIC, "--window", "1/1s"
    )
    assert (done.code, sandbox.counted("submissions", "demo-unauthorized+b")) == (3, 0)
    assert "the service refused the API key: You do not have access permissions (code 401)" in done.err
    assert "allowed addresses" in done.err


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("provider", NAMES)
def test_a_key_that_has_reached_its_own_limit(sandbox: Sandbox, provider: str) -> None:
    """Nothing more is sent with it, though the account may have credits."""
    songs = [f"demo-code-433+{provider}{n}" for n in range(2)]
    done = met_as(sandbox, provider).run("convert", *songs, *WITH_MUSIC, "--window", "1/1s")
    assert (done.code, [sandbox.counted("submissions", song) for song in songs]) == (4, [1, 0])
    assert "this API key has reached its own limit: code 433 (code 433)" in done.err
    assert "raise the key's limit at your provider, or wait until it is reset" in done.err
    assert "Top up" not in done.err


def test_a_refunded_failure_is_a_failure(sandbox: Sandbox) -> None:
    done = sandbox.run("convert", "demo-code-531", *ASKING)
    assert done.code == 7
    assert "the conversion failed: Generation failed, credits refunded (code 531)" in done.err


@pytest.mark.long
@pytest.mark.parametrize("provider", KIES)
def test_codes_that_speak_of_the_conversion_end_the_song_when_they_are_repeated(
    sandbox: Sandbox, provider: str
) -> None:
    songs = {f"demo-lookup-{code}+{provider}": f"(code {code})" for code in (451, 501)}
    done = met_as(sandbox, provider).run(
        "convert", *songs, *WITH_MUSIC, *ASKING, "--json", env={WAIT_SPEED: "600"}
    )
    assert done.code == 7
    failed = {event["audio_id"]: event["message"] for event in done.named("song_failed")}
    assert all(failed[song].endswith(code) for song, code in songs.items())
    assert all(sandbox.counted("lookups", song) >= 3 for song in songs)


@pytest.mark.long
@pytest.mark.parametrize("provider", KIES)
def test_lookups_that_are_refused_are_repeated_until_the_time_is_up(sandbox: Sandbox, provider: str) -> None:
    songs = {f"demo-lookup-{code}+{provider}": exit_code for code, exit_code in REFUSED_LOOKUPS.items()}
    options = ("--timeout", "3s", "--poll-interval", "200ms", "--json")
    done = met_as(sandbox, provider).run("convert", *songs, *WITH_MUSIC, *ASKING, *options)
    failed = done.named("song_failed")
    assert {event["audio_id"]: event["exit_code"] for event in failed} == songs
    to_continue = f"--provider {provider} --base-url {sandbox.base_url}/kie"
    assert all(event["remedy"].endswith(to_continue) for event in failed)
    assert [sandbox.counted("submissions", song) for song in songs] == [1] * len(songs)
    assert all(sandbox.counted("lookups", song) > 1 for song in songs)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("provider", NAMES)
def test_a_batch_ends_where_the_credits_do(sandbox: Sandbox, provider: str) -> None:
    """429 of sunoapi, 402 of kie: the other songs are not sent."""
    songs = [f"demo-no-credits+{provider}{n}" for n in range(3)]
    done = met_as(sandbox, provider).run("convert", *songs, *WITH_MUSIC, "--window", "1/1s")
    assert done.code == 4
    assert [sandbox.counted("submissions", song) for song in songs] == [1, 0, 0]


@pytest.mark.long
@pytest.mark.parametrize("provider", NAMES)
def test_a_batch_waits_where_the_service_is_busy(sandbox: Sandbox, provider: str) -> None:
    """429 of kie: refused twice, then taken, and each song is paid for once."""
    songs = [f"demo-busy+{provider}{n}" for n in range(2)]
    done = met_as(sandbox, provider).run("convert", *songs, *WITH_MUSIC, "--retries", "2")
    assert (done.code, sorted(done.out.splitlines())) == (0, [f"{song}.wav" for song in songs])
    assert [sandbox.counted("submissions", song) for song in songs] == [3, 3]
    assert [sandbox.counted("accepted", song) for song in songs] == [1, 1]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("provider", KIES)
def test_a_possibly_paid_submission_is_not_repeated(sandbox: Sandbox, provider: str) -> None:
    kie, song = met_as(sandbox, provider), f"demo-lost+{provider}"
    codes = [kie.run("convert", song, *WITH_MUSIC, *ASKING).code for _ in range(2)]
    assert (codes, sandbox.counted("submissions", song)) == ([6, 6], 1)


# Looking, and listening


@pytest.mark.long
@pytest.mark.parametrize(
    ("provider", "state", "error"),
    [
        pytest.param("kie", "failed (GENERATE_WAV_FAILED)", "500 WAV format conversion failed", id="kie"),
        pytest.param("kie-jobs", "failed (fail)", "501 WAV format conversion failed", id="kie-jobs"),
    ],
)
def test_status_shows_the_services_words(sandbox: Sandbox, provider: str, state: str, error: str) -> None:
    kie = met_as(sandbox, provider)
    task_id = kie.run("convert", f"demo-fails+{provider}-s", *WITH_MUSIC, "--no-wait").out.strip()
    kie.run("status", task_id, "--wait")
    shown = kie.run("status", task_id)
    assert f"state     {state}\n" in shown.out
    assert f"error     {error}\n" in shown.out
    assert f"song      demo-fails+{provider}-s\n" in shown.out


@pytest.mark.long
@pytest.mark.parametrize(
    ("song", "verdict", "url"),
    [
        pytest.param("demo", "confirmed", True, id="converted"),
        pytest.param("demo-fails", "confirmed", False, id="failed"),
    ],
)
def test_listen_understands_the_callback_of_a_job(
    sandbox: Sandbox, song: str, verdict: str, url: bool
) -> None:
    jobs = sandbox.as_kie("kie-jobs")
    with listening("--no-secret", env=jobs.settings) as listener:
        options = ("--callback-url", listener.url, "--no-wait")
        task_id = jobs.run("convert", f"{song}+heard", *WITH_MUSIC, *options).out.strip()
        delivery = listener.next("delivery_received")
        assert (delivery["task_id"], (delivery["url"] or "").startswith("http")) == (task_id, url)
        assert listener.next("delivery_checked")["verdict"] == verdict
        assert listener.stop(signal.SIGINT) == 130


@pytest.mark.parametrize(
    ("provider", "key", "said"),
    [
        pytest.param("kie", "", True, id="kie without a key"),
        pytest.param("kie", "whsec", False, id="kie with one"),
        pytest.param("sunoapi", "", False, id="sunoapi, which signs nothing"),
    ],
)
def test_listen_says_that_signatures_are_not_verified(
    provider: str, key: str, said: bool, free_port: int
) -> None:
    env = {"SUNO_WAV_PROVIDER": provider, "SUNO_WAV_HMAC_KEY": key, "SUNO_WAV_TUNNEL": "none"}
    with listening(env=env, port=str(free_port)) as listener:
        assert listener.seen[-1]["unverified"] is said


def test_the_practice_provider_speaks_the_contract_of_sunoapi() -> None:
    assert PROVIDERS[SANDBOX] is SUNOAPI
