"""`trigger` with many callbacks, with files of any kind, and with a delivery to verify."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from suno_wav_cli.callbacks.recording import RecordedCallback, write
from suno_wav_cli.callbacks.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, sign
from suno_wav_cli.commands.trigger.answer_text import find_words
from suno_wav_cli.commands.trigger.samples import SAMPLES
from suno_wav_cli.models import Secret
from tests.callbacks.test_signature_mistakes import BODY, MISTAKES, NOW, TASK
from tests.callbacks.test_signature_mistakes import KEY as MISTAKEN_KEY
from tests.support.program import run_program
from tests.support.target import KEY, receiving

SIGNED = {"SUNO_WAV_HMAC_KEY": KEY}
JSON = (("Content-Type", "application/json"),)


def record(name: str, body: bytes, headers: tuple[tuple[str, str], ...] = JSON) -> Path:
    return write(RecordedCallback(received=float(NOW), headers=headers, body=body), Path.cwd(), name)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"status": "received"}', '{"status": "received"}'),
        ('{"error": {"message": "no\\nroom"}, "x": 1}', "no room"),
        ('{"detail": [{"loc": []}], "message": "bad"}', "bad"),
        (
            "<!DOCTYPE html><title>Error</title><body><pre>Cannot POST /x<br>&lt;a&gt;</pre>",
            "Error: Cannot POST /x <a>",
        ),
        ("<html><style>a{}</style><script>1</script><h1>It works!</h1></html>", "It works!"),
        ("\n <html><head><title>\n502 Bad\n Gateway</title></head></html>", "502 Bad Gateway"),
        ("plain\n\n  text", "plain text"),
        ("", ""),
        ("[" * 3000, "[" * 3000),
        ("<title>" * 500, ""),
    ],
)
def test_what_an_answer_says(answer: str, words: str) -> None:
    assert find_words(answer) == words


def test_all_samples_make_a_table() -> None:
    names = [name for name, sample in SAMPLES.items() if not sample.needs_key]
    with receiving() as target:
        done = target.run("--event", "all")
        assert done.code == 0, done.err
        assert len(target.arrived) == len(names) + 1
    rows = [line.split()[0] for line in done.out.splitlines() if not line.startswith(" ")]
    assert list(dict.fromkeys(rows)) == names
    assert re.search(r"^null +200 +\d\.\d\d s  received$", done.out, re.MULTILINE)
    assert re.search(r"^ +it says: \{", done.out, re.MULTILINE)
    assert f"{len(names)} as it must be" in done.err
    assert done.err.count("only this machine reaches this address") == 1


def test_all_fails_only_for_what_the_service_sends() -> None:
    """A receiver may answer 500 to what only strangers send."""
    names = list(SAMPLES)
    strange = [names.index(name) + 1 for name in names if SAMPLES[name].fault]
    answers = [(200, 0.0)] * (len(names) + 1)
    for place in strange:
        answers[place] = (500, 0.0)
    with receiving(*answers) as target:
        assert target.run("--event", "all").code == 0
    answers[names.index("null") + 1] = (500, 0.0)
    with receiving(*answers, body=b"<title>Error</title><pre>TypeError: data is null</pre>") as target:
        done = target.run("--event", "all")
    assert done.code == 11
    assert "the service would count 1 of these as failed" in done.err
    assert "it says: Error: TypeError: data is null" in done.out


def test_it_stops_when_the_receiver_does_not_answer(free_port: int) -> None:
    done = run_program("trigger", f"localhost:{free_port}/hook", "--event", "all")
    assert done.code == 11
    assert len(done.out.splitlines()) == 2
    assert "15 not posted, because the receiver does not answer" in done.err


def test_each_file_of_a_folder_is_posted_in_its_order() -> None:
    bodies = [json.dumps({"code": 200, "data": {"task_id": f"t-{number}"}}).encode() for number in range(3)]
    for number, body in enumerate(bodies):
        record(f"20260101-00000{number}", body)
    Path("notes.txt").write_text("not one of them")
    with receiving() as target:
        done = target.run("--from", ".")
        assert done.code == 0, done.err
        assert [request.body for request in target.arrived] == bodies


def test_a_file_that_is_no_callback_is_skipped_and_said() -> None:
    record("b", BODY)
    Path("a.json").write_text('{"received": 1, "headers": []}')
    with receiving() as target:
        done = target.run("--from", ".")
        assert len(target.arrived) == 1
    assert done.code == 2
    assert "a.json is not a recorded callback" in done.err


def test_a_folder_without_any_is_a_usage_error() -> None:
    done = run_program("trigger", "http://127.0.0.1:9/x", "--from", ".")
    assert done.code == 2
    assert "there is no recorded callback in ." in done.err


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_plain_body_is_posted_as_the_service_would(start: bytes) -> None:
    content = start + b'{ "code": 200, "data": {"task_id": "t-9"}}\n'
    Path("body.json").write_bytes(content)
    with receiving() as target:
        done = target.run("--from", "body.json", "--sign", env=SIGNED)
        (request,) = target.arrived
    assert done.code == 0, done.err
    assert (request.body, request.header("Content-Type")) == (
        content.removeprefix(b"\xef\xbb\xbf"),
        "application/json",
    )
    assert request.header("X-Webhook-Signature")


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("body", "headers", "fault"),
    [
        (b"not json", JSON, "the body is not a JSON object"),
        (b"[1]", JSON, "the body is not a JSON object"),
        (BODY, (("Content-Type", "text/plain"),), "its Content-Type is not application/json"),
        (json.dumps({"a": "x" * 70_000}).encode(), JSON, "no callback is that large"),
    ],
)
def test_a_bad_recording_is_not_blamed_on_the_receiver(
    body: bytes, headers: tuple[tuple[str, str], ...], fault: str
) -> None:
    record("bad", body, headers)
    with receiving((400, 0.0)) as target:
        done = target.run("--from", "bad.json")
    assert done.code == 0
    assert f"correctly refused: {fault}" in done.out


def verify(key: str, *headers: tuple[str, str], source: str = "kept.json") -> tuple[int, str, str]:
    record("kept", BODY, headers)
    env = {"SUNO_WAV_HMAC_KEY": key}
    entered = Path("kept.json").read_bytes() if source == "-" else b""
    done = run_program("trigger", "--verify", source, env=env, entered=entered)
    Path("kept.json").unlink()
    assert key.strip() not in done.out + done.err
    return done.code, done.out, done.err


@pytest.mark.parametrize("source", ["kept.json", "-"])
def test_a_valid_signature_is_verified_offline(source: str) -> None:
    signature = sign(Secret(value=KEY), TASK, NOW)
    code, out, _ = verify(KEY, (TIMESTAMP_HEADER, str(NOW)), (SIGNATURE_HEADER, signature), source=source)
    assert code == 0
    assert out == (
        f"signature valid\ntask      {TASK}\nsigned    {TASK}.{NOW}\nexpected  {signature}\nreceived  {signature}\n"
    )


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("name", MISTAKES)
def test_each_usual_mistake_is_named(name: str) -> None:
    signature, words = MISTAKES[name]
    code, out, err = verify(MISTAKEN_KEY.value, (TIMESTAMP_HEADER, str(NOW)), (SIGNATURE_HEADER, signature))
    assert code == 11
    assert f"expected  {sign(MISTAKEN_KEY, TASK, NOW)}\nreceived  {signature}\nbecause   {words}\n" in out
    assert "the signature is invalid" in err


def test_a_missing_key_or_signature_is_said() -> None:
    record("kept", BODY)
    done = run_program("trigger", "--verify", "kept.json")
    assert (done.code, "there is no key to verify with" in done.err) == (2, True)
    done = run_program("trigger", "--verify", "kept.json", "--log-file", "log", env=SIGNED)
    assert done.code == 11
    assert "because   X-Webhook-Signature is missing" in done.out


def test_the_expected_signature_is_in_no_log() -> None:
    headers = ((TIMESTAMP_HEADER, str(NOW)), (SIGNATURE_HEADER, "AAAA"))
    record("kept", BODY, headers)
    run_program("trigger", "--verify", "kept.json", "--log-file", "log", env=SIGNED)
    log = Path("log").read_text()
    assert sign(Secret(value=KEY), TASK, NOW) not in log
    assert "(hidden)" in log
