"""`listen` as a person runs it, met by `trigger`, by the sandbox and by strangers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from suno_wav_cli.callbacks.confirmation import Verdict, compare_with_record
from suno_wav_cli.callbacks.payload import Callback
from suno_wav_cli.callbacks.recording import load
from suno_wav_cli.models import WavRecord, WavState
from tests.support.ngrok_world import NgrokWorld, ngrok_world
from tests.support.program import (
    ENDS_WITHIN,
    Sandbox,
    named,
    read_until,
    run_program,
    start_program,
    started,
    wait_until,
)
from tests.support.target import KEY, receiving

if TYPE_CHECKING:
    from collections.abc import Iterator

HTTP = httpx.Client(
    trust_env=False,
    verify=False,  # noqa: S501 - all of it is on this machine
    timeout=5,
    # Nobody would close it.
    limits=httpx.Limits(max_keepalive_connections=0),
)
TASK = "988e5c0f14b24a3f9a57e1d0c6b2c8d3"
FILE = "https://cdn.example.com/a.wav"


class Listener:
    """A `listen --json` that is ready; its events as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: list[dict[str, Any]] = []
        # Read all the time: the program drops what is not read.
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.url: str = self.next("listening")["callback_url"]

    def next(self, name: str, seconds: float = 20) -> dict[str, Any]:
        """Wait for the next event of that name; the others are kept in `seen`."""
        while True:
            event: dict[str, Any] = json.loads(self._lines.get(timeout=seconds))
            self.seen.append(event)
            if event["event"] == name:
                return event

    def rest(self) -> list[dict[str, Any]]:
        """Wait for the program's end. Return the events that are left."""
        self.process.wait(60)
        self._reader.join()
        left = [json.loads(self._lines.get()) for _ in range(self._lines.qsize())]
        self.seen += left
        return left

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def post(self, content: object, **headers: str) -> int:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        given = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return HTTP.post(self.url, content=body, headers=given).status_code

    def trigger(self, *arguments: str, env: dict[str, str] | None = None) -> int:
        return run_program("trigger", self.url, *arguments, env=env).code

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(ENDS_WITHIN)


@contextmanager
def listening(*arguments: str, env: dict[str, str] | None = None, port: str = "0") -> Iterator[Listener]:
    with start_program(
        *("listen", "--port", port, *arguments, "--json"),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        listener = None
        try:
            listener = Listener(process)
            yield listener
        finally:
            process.kill()
            if listener is not None:
                listener.rest()


def success(task_id: str, url: str | None = FILE) -> dict[str, Any]:
    return {"code": 200, "msg": "success", "data": {"audio_wav_url": url, "task_id": task_id}}


def submitted(sandbox: Sandbox, song: str) -> str:
    """Submit a song by hand, with the callback going nowhere; its task's id."""
    answer = HTTP.post(
        f"{sandbox.base_url}/api/v1/wav/generate",
        json={"audioId": song, "callBackUrl": "https://example.com/callback"},
        headers={"Authorization": "Bearer k"},
    )
    return str(answer.json()["data"]["taskId"])


def record(sandbox: Sandbox, task_id: str) -> dict[str, Any]:
    answer = HTTP.get(
        f"{sandbox.base_url}/api/v1/wav/record-info",
        params={"taskId": task_id},
        headers={"Authorization": "Bearer k"},
    )
    data: dict[str, Any] = answer.json()["data"]
    return data


def decided(sandbox: Sandbox, song: str) -> tuple[str, str | None]:
    """Submit a song and wait for the result. Return the task's id and the file's address."""
    task_id = submitted(sandbox, song)
    while record(sandbox, task_id)["successFlag"] == "PENDING":
        pass
    return task_id, (record(sandbox, task_id)["response"] or {}).get("audioWavUrl")


@pytest.mark.long
def test_default_port_with_and_without_a_secret_path() -> None:
    """The port and address of the documentation's examples. One test, because there is one port."""
    plain = "http://127.0.0.1:3000/suno-wav-callback"
    for secret in (True, False):
        with listening(*([] if secret else ["--no-secret"]), port="3000") as listener:
            assert listener.url.startswith(plain + "/") if secret else listener.url == plain
            assert listener.trigger("--task-id", TASK, "--wav-url", FILE) == 0
            received = listener.next("delivery_received")
            assert (received["number"], received["task_id"], received["code"]) == (1, TASK, 200)
            assert received["url"] == FILE
            guessed = run_program("trigger", plain)
            assert guessed.code == (11 if secret else 0)
            assert ("404" in guessed.out) == secret
            assert listener.stop() == 130


@pytest.mark.long
def test_samples_of_the_service_are_received() -> None:
    """And what only strangers send is not, but for a content type that says something else."""
    with listening() as listener:
        for event in ("success", "failure", "top-level", "jobs", "no-id", "wrong-type"):
            assert listener.trigger("--event", event) == 0
            assert listener.next("delivery_received")["number"]
        for event in ("not-json", "huge", "get"):
            assert listener.trigger("--event", event) == 0, "refused, and rightly"
        listener.stop()
        assert "delivery_received" not in [event["event"] for event in listener.rest()]


def test_delivery_is_unconfirmed_without_a_key() -> None:
    with listening() as listener:
        listener.post(success(TASK))
        checked = listener.next("delivery_checked")
        assert (checked["verdict"], checked["reason"]) == ("unconfirmed", "there is no API key")


def test_what_is_refused_is_shown_and_counted() -> None:
    """A flood fills no screen, and does not hide what is refused for another reason."""
    with listening() as listener:
        for _ in range(20):
            assert listener.post(b"{") == 400
        assert HTTP.get(listener.url).status_code == 405
        assert HTTP.post(listener.url + "/", json=success(TASK)).status_code == 404
        assert listener.stop() == 130
        refused = [event for event in listener.rest() if event["event"] == "delivery_refused"]
        omitted = [event for event in listener.seen if event["event"] == "refusals_omitted"]
    reasons = [event["reason"] for event in refused]
    assert reasons == ["the body is not JSON"] * 3 + [
        "a callback is a POST",
        "the path ends in a slash that does not belong there",
    ]
    assert all(event["remedy"] for event in refused)
    secret = listener.url.rpartition("/")[2]
    assert [secret in json.dumps(event) for event in refused] == [False] * 5
    assert [event["count"] for event in omitted] == [17]


def test_message_of_a_failure_and_an_odd_content_type_are_shown() -> None:
    done = listen_to(
        {"code": 451, "msg": "could not\nfetch", "data": None}, Content_Type="text/plain; charset=utf-8"
    )
    assert "no task id, code 451 (could not fetch), sent as text/plain" in done
    assert "could not" not in listen_to({"code": 200, "msg": "could not", "data": {"task_id": "t-1"}})


def test_file_of_a_callback_is_shown_without_a_key() -> None:
    assert f"#1 unconfirmed: there is no API key, the callback names {FILE}\n" in listen_to(success(TASK))


def listen_to(content: object, **headers: str) -> str:
    """Return what a person sees of one delivery."""
    process = start_program(
        *("listen", "--port", "0", "--max-events", "1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    kind = {"Content-Type": headers.get("Content_Type", "application/json")}
    HTTP.post(process.stdout.readline().strip(), content=json.dumps(content).encode(), headers=kind)
    out, _ = process.communicate(timeout=60)
    return str(out)


def test_deliveries_are_confirmed_contradicted_or_pending(sandbox: Sandbox) -> None:
    good, url = decided(sandbox, "demo+confirmed")
    bad, _ = decided(sandbox, "demo-fails+confirmed")
    failure = {"code": 501, "msg": "failed", "data": {"audio_wav_url": None, "task_id": bad}}
    with listening(env=sandbox.settings) as listener:
        for content, verdict, reason in (
            (success(good, url), "confirmed", None),
            (success(good, None), "confirmed", None),
            (success(good, "https://evil.example/a.wav"), "contradicted", "the service names another file"),
            (success(bad, url), "contradicted", "the service says that the conversion failed"),
            (failure, "confirmed", None),
            # Yet: so it is with a task that was created a moment ago.
            (success(TASK), "pending", "the service does not know this task: task not found (code 404)"),
            ({"code": 200, "data": None}, "unconfirmed", "it names no task"),
        ):
            assert listener.post(content) == 200
            checked = listener.next("delivery_checked")
            assert (checked["verdict"], checked["reason"]) == (verdict, reason), content
        # Submitted only now, so that it is still at work when it is looked up.
        working = submitted(sandbox, "demo-slow+confirmed")
        assert listener.post(success(working, None)) == 200
        checked = listener.next("delivery_checked")
        assert (checked["verdict"], checked["reason"]) == ("pending", None)
        # Asked again until it has decided.
        checked = listener.next("delivery_checked")
        assert (checked["number"], checked["verdict"], checked["flag"]) == (8, "confirmed", "SUCCESS")


@pytest.mark.long
def test_unknown_task_and_failed_lookup_are_looked_up_again(
    sandbox: Sandbox,
) -> None:
    """The file of a delivery that was acknowledged is not lost."""
    Path("wavs").mkdir()
    for song in ("demo-record-unknown-first+l", "demo-record-null-first+l"):
        task_id = submitted(sandbox, song)
        with listening("--out", "wavs", "--max-events", "1", env=sandbox.settings) as listener:
            listener.post(success(task_id, None))
            assert listener.next("delivery_checked")["verdict"] == "pending"
            assert listener.next("delivery_checked")["verdict"] == "confirmed"
            assert listener.next("saved")["path"] == f"wavs/{song}.wav"
            assert listener.process.wait(60) == 0


def test_failed_download_is_tried_again_at_the_next_delivery(sandbox: Sandbox) -> None:
    task_id, url = decided(sandbox, "demo-cut+again")
    env = sandbox.settings | {"SUNO_WAV_RETRIES": "0"}
    with listening("--out", ".", env=env) as listener:
        listener.post(success(task_id, url))
        assert listener.next("song_failed")["exit_code"] == 9
        listener.post(success(task_id, url))
        assert listener.next("saved")["path"] == "demo-cut+again.wav"


@pytest.mark.long
def test_two_tasks_of_one_song_on_a_terminal(sandbox: Sandbox) -> None:
    """They share a bar, and the file."""
    tasks = [decided(sandbox, "demo-20mb+shared") for _ in range(2)]
    master, slave = os.openpty()
    process = start_program(
        *("listen", "--port", "0", "--out", ".", "--max-events", "2"),
        env=sandbox.settings | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
    )
    os.close(slave)
    drawn = threading.Thread(target=drain, args=(master,))
    drawn.start()
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    for task_id, url in tasks:
        assert HTTP.post(address, json=success(task_id, url)).status_code == 200
    out, _ = process.communicate(timeout=60)
    drawn.join()
    assert process.returncode == 0
    assert out.splitlines()[-1] == "demo-20mb+shared.wav"


def drain(master: int) -> None:
    """Read what is drawn until the program has ended."""
    with suppress(OSError):
        while os.read(master, 65536):
            pass
    os.close(master)


def test_repeat_is_looked_up_again_after_an_unreachable_service(free_port: int) -> None:
    env = {
        "SUNO_WAV_POLL_INTERVAL": "200ms",
        "SUNO_API_KEY": "key-1",
        "SUNO_WAV_BASE_URL": f"http://127.0.0.1:{free_port}",
        "SUNO_WAV_RETRIES": "0",
    }
    with listening("--tunnel", "none", env=env) as listener:
        for repeats in (None, 1):
            listener.post(success(TASK))
            assert listener.next("delivery_received")["repeats"] == repeats
            checked = listener.next("delivery_checked")
            assert checked["verdict"] == "unconfirmed"
            assert "the connection was refused" in checked["reason"]


@pytest.mark.long
def test_repeats_are_marked_and_not_looked_up_again(sandbox: Sandbox) -> None:
    task_id, url = decided(sandbox, "demo+repeats")
    asked = sandbox.counted("lookups", "demo+repeats")
    with listening("--max-events", "3", env=sandbox.settings) as listener:
        listener.post(success(task_id, url))
        listener.next("delivery_checked")
        listener.post(success(task_id, url))
        assert listener.next("delivery_received")["repeats"] == 1
        listener.post(success(task_id, None))
        assert listener.next("delivery_received")["repeats"] is None, "it is another body"
        assert listener.process.wait(60) == 0
    assert sandbox.counted("lookups", "demo+repeats") == asked + 2


@pytest.mark.timing
def test_delivery_is_forwarded_with_its_headers_and_bytes() -> None:
    """And what the person's own receiver answers is shown, with its time."""
    content = b'{ "code":200,\n"data": {"task_id" : "t-1"}}  '
    headers = {
        "X_Webhook_Signature": "c2lnbmVk",
        "X_Webhook_Timestamp": "1700000000",
        "User_Agent": "the-service/1",
    }
    with receiving((418, 0.0), body=b"I am a teapot\nreally") as target:
        with listening("--forward-to", target.url) as listener:
            assert listener.post(content, **headers) == 200
            forwarded = listener.next("delivery_forwarded")
        (arrived,) = target.arrived
    assert (forwarded["number"], forwarded["status"], forwarded["problem"]) == (1, 418, None)
    assert forwarded["answer"] == "I am a teapot\nreally"
    assert 0 < forwarded["seconds"] < 5
    assert arrived.body == content
    sent = {name.lower(): value for name, value in arrived.headers}
    expected = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    assert expected.items() <= sent.items()
    assert sent.keys() - expected.keys() == {
        "host",
        "accept",
        "accept-encoding",
        "content-type",
        "content-length",
        "via",
    } - {"connection"}


def test_listen_does_not_forward_to_itself(free_port: int) -> None:
    done = run_program("listen", "--port", str(free_port), "--forward-to", f"localhost:{free_port}/hook")
    assert (done.code, done.out) == (2, "")
    assert "--forward-to is the address of this receiver itself" in done.err


@pytest.mark.long
def test_slow_or_absent_target_delays_no_acknowledgement(free_port: int) -> None:
    with receiving((200, 60.0)) as slow:
        for url in (slow.url, f"127.0.0.1:{free_port}"):
            with listening("--forward-to", url) as listener:
                for _ in range(20):
                    assert listener.post(success(TASK)) == 200
                if url != slow.url:
                    assert listener.next("delivery_forwarded")["problem"] == "connection refused"
                assert listener.stop() == 130


@pytest.mark.long
def test_silent_target_delays_no_confirmation(sandbox: Sandbox) -> None:
    task_id, url = decided(sandbox, "demo+starved")
    with (
        receiving((200, 60.0)) as slow,
        listening("--forward-to", slow.url, env=sandbox.settings) as listener,
    ):
        for number in range(300):
            listener.post({"code": 200, "data": None, "number": number})
        listener.post(success(task_id, url))
        while listener.next("delivery_checked")["verdict"] != "confirmed":
            pass
        assert listener.stop() == 130
        kept = next(event for event in listener.rest() if event["event"] == "deliveries_kept")
    assert kept["count"] == 301


@pytest.mark.long
def test_oldest_check_is_dropped_when_full(sandbox: Sandbox) -> None:
    task_id, url = decided(sandbox, "demo+genuine")
    env = sandbox.settings | {"SUNO_WAV_POLL_INTERVAL": "20s", "SUNO_WAV_TIMEOUT": "5m"}
    with listening(env=env) as listener:
        for number in range(300):
            listener.post(success(f"made-up-{number}"))
        listener.post(success(task_id, url))
        # The questions have a rate, and the first of them come at once.
        assert listener.next("delivery_dropped")["number"] < 100


@pytest.mark.long
def test_target_that_comes_back_is_reached_again(free_port: int) -> None:
    with listening("--forward-to", f"http://127.0.0.1:{free_port}/hook") as listener:
        listener.post(success(TASK))
        assert listener.next("delivery_forwarded")["status"] is None
        with receiving(port=free_port):
            listener.post(success(TASK))
            assert listener.next("delivery_forwarded")["status"] == 200


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("arguments", "signature"), [(["--sign"], "valid"), ([], "missing")])
def test_signatures_are_verified(arguments: list[str], signature: str) -> None:
    with listening(env={"SUNO_WAV_HMAC_KEY": KEY}) as listener:
        assert listener.trigger(*arguments, env={"SUNO_WAV_HMAC_KEY": KEY}) == 0
        assert listener.next("delivery_received")["signature"] == signature


@pytest.mark.long
def test_only_signed_deliveries_are_looked_up_with_a_webhook_key(sandbox: Sandbox) -> None:
    """Else strangers could make the program ask with the person's key."""
    task_id, url = decided(sandbox, "demo+signed")
    env = sandbox.settings | {"SUNO_WAV_HMAC_KEY": KEY}
    with listening(env=env) as listener:
        listener.post(success(task_id, url))
        unsigned = listener.next("delivery_checked")
        assert (unsigned["verdict"], unsigned["reason"]) == (
            "unconfirmed",
            "it is not signed with your webhook key",
        )
        listener.trigger(
            "--sign", "--task-id", task_id, "--wav-url", url or "", env={"SUNO_WAV_HMAC_KEY": KEY}
        )
        assert listener.next("delivery_checked")["verdict"] == "confirmed"


def test_wrong_and_old_signatures_are_told_apart() -> None:
    # base64(HMAC-SHA256("whsec-never-shown", "t-1.1700000000")), computed by openssl.
    done = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", KEY, "-binary"],
        input=b"t-1.1700000000",
        capture_output=True,
        check=True,
    )
    old = (
        subprocess.run(["openssl", "base64"], input=done.stdout, capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )
    with listening(env={"SUNO_WAV_HMAC_KEY": KEY}) as listener:
        for value, signature, reason in (
            (old, "old", "s before it came"),
            (done.stdout.hex(), "invalid", "it is written in hex, not in base64"),
            ("AAAA" + old[4:], "invalid", None),
        ):
            listener.post(success("t-1"), X_Webhook_Signature=value, X_Webhook_Timestamp="1700000000")
            received = listener.next("delivery_received")
            assert received["signature"] == signature
            told = received["signature_reason"]
            assert told is None if reason is None else reason in told


def test_signatures_are_not_mentioned_without_a_webhook_key() -> None:
    with listening() as listener:
        listener.post(success(TASK))
        assert listener.next("delivery_received")["signature"] is None


@pytest.mark.long
def test_confirmed_file_is_downloaded_once(sandbox: Sandbox) -> None:
    """From the address of the service, not of the callback."""
    task_id, url = decided(sandbox, "demo+wanted")
    lied_about, _ = decided(sandbox, "demo+lie")
    Path("wavs").mkdir()
    with listening("--out", "wavs", "--max-events", "4", env=sandbox.settings) as listener:
        listener.post(success(lied_about, f"{sandbox.base_url}/files/evil.wav"))
        listener.post(success(task_id, url))
        listener.post(success(task_id, url))
        listener.post(success(task_id, None))
        saved = [event for event in listener.rest() if event["event"] == "saved"]
        assert listener.process.returncode == 0
    assert [event["path"] for event in saved] == ["wavs/demo+wanted.wav"]
    assert [path.name for path in Path("wavs").iterdir()] == ["demo+wanted.wav"]


@pytest.mark.long
def test_impossible_download_is_reported_and_listen_goes_on(sandbox: Sandbox) -> None:
    task_id, url = decided(sandbox, "demo-not-wav+listen")
    with listening("--out", ".", env=sandbox.settings) as listener:
        listener.post(success(task_id, url))
        assert listener.next("song_failed")["exit_code"] == 9
        assert listener.post(success(task_id, url)) == 200


def test_downloads_need_a_key() -> None:
    done = run_program("listen", "--out", ".", "--port", "0")
    assert (done.code, done.out) == (3, "")


@pytest.mark.long
def test_saved_delivery_can_be_posted_again() -> None:
    Path("kept").mkdir()
    content = success("../../évil", None)
    with listening("--save", "kept") as listener:
        listener.post(content, X_Webhook_Signature="c2lnbmVk")
        path = Path(listener.next("delivery_recorded")["path"])
        kept = load(path)
        assert json.loads(kept.body) == content
        assert ("x-webhook-signature", "c2lnbmVk") in kept.headers
        assert path.stat().st_mode & 0o777 == 0o600
        assert listener.url.rpartition("/")[2] not in path.read_text()
        assert run_program("trigger", listener.url, "--from", str(path)).code == 0
        assert listener.next("delivery_received")["repeats"] == 1


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("option", ["--save", "--out"])
def test_missing_folder_is_a_usage_error(option: str) -> None:
    done = run_program("listen", option, "nowhere", "--port", "0", env={"SUNO_API_KEY": "key-1"})
    assert (done.code, done.out) == (2, "")
    assert f"{option}: there is no folder nowhere" in done.err


def test_taken_port_is_exit_11(sandbox: Sandbox) -> None:
    done = run_program("listen", "--port", sandbox.base_url.rpartition(":")[2])
    assert done.code == 11


@pytest.mark.long
def test_that_the_sandbox_needs_no_tunnel_is_said(sandbox: Sandbox) -> None:
    """Who has a token for ngrok would look for the reason elsewhere."""
    token = {"NGROK_AUTHTOKEN": "2" + "a" * 40}
    with started(sandbox, "listen", "--port", "0", env=token) as process:
        said = read_until(process, named("listening"))
    assert (said["public_url"], said["reason"]) == (None, "the sandbox is here too, and needs no tunnel")
    with started(sandbox, "listen", "--port", "0", "--tunnel", "none", env=token) as process:
        assert read_until(process, named("listening"))["reason"] is None


@pytest.mark.long
def test_output_for_a_person() -> None:
    """Address and deliveries on standard output, the rest on standard error, no secret in the log."""
    process = start_program(
        *("listen", "--port", "0", "--log-file", "log.jsonl", "--max-events", "1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    HTTP.post(url, json=success(TASK))
    out, err = process.communicate(timeout=60)
    received, checked = out.splitlines()
    assert received.startswith("#1 ")
    assert received.endswith(f" {TASK}, code 200")
    assert checked == f"#1 unconfirmed: there is no API key, the callback names {FILE}"
    local = url.partition("/suno-wav-callback")[0]
    assert err == (
        f"suno-wav: listening at {local}; press Ctrl-C to stop\n"
        "  Only this machine can reach it (there is no ngrok token). Post to this address:\n"
    )
    secret = url.rpartition("/")[2]
    assert len(secret) == 43
    assert secret not in Path("log.jsonl").read_text()


@pytest.mark.long
@pytest.mark.parametrize("arguments", [[], ["--json"]], ids=["plain", "json"])
def test_full_pipe_stops_neither_acknowledgements_nor_the_exit(
    arguments: list[str],
) -> None:
    """More lines than a pipe holds."""
    process = start_program(
        *("listen", "--port", "0", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    url = json.loads(url)["callback_url"] if arguments else url
    for number in range(1500):
        assert HTTP.post(url, json=success(f"task-{number}")).status_code == 200
    process.send_signal(signal.SIGINT)
    assert process.wait(ENDS_WITHIN) == 130
    out, _ = process.communicate()
    assert "task-0" in out
    assert "task-1499" not in out


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NgrokWorld]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("NGROK_AUTHTOKEN", "token-1")
    with ngrok_world(tmp_path / "ngrok") as world:
        yield world
        assert world.left == []


@pytest.mark.long
def test_address_is_printed_again_only_if_it_changed(world: NgrokWorld) -> None:
    with listening(env=world.env()) as listener:
        agent = world.agent()
        assert listener.url.startswith(agent.state["public_url"] + "/suno-wav-callback/")
        assert listener.post(success(TASK)) == 200
        listener.next("delivery_received")
        agent.lose_session()
        assert listener.next("tunnel_lost")["reason"] == "the ngrok session is lost"
        agent.come_back()
        assert listener.next("tunnel_restored")["public_url"] == agent.state["public_url"]
        agent.lose_session()
        agent.come_back(new_url=True)
        moved = listener.next("listening")
        assert moved["callback_url"].startswith(agent.state["public_url"] + "/suno-wav-callback/")
        listener.url = moved["callback_url"]
        assert listener.post(success(TASK)) == 200
        assert listener.stop(signal.SIGTERM) == 143


@pytest.mark.long
def test_dead_agent_is_started_again(world: NgrokWorld) -> None:
    with listening(env=world.env()) as listener:
        world.agent().die()
        listener.next("tunnel_lost")
        listener.url = listener.next("listening")["callback_url"]
        assert listener.post(success(TASK)) == 200
        assert len(world.agents) == 2
        assert listener.stop() == 130


@pytest.mark.long
@pytest.mark.parametrize("mode", ["not-serving", "bad-gateway"])
def test_tunnel_that_leads_nowhere_is_closed(world: NgrokWorld, mode: str) -> None:
    with listening(env=world.env(mode)) as listener:
        assert listener.url.startswith("http://127.0.0.1:")
        assert "ERR_NGROK_" in listener.seen[-1]["reason"]
        assert world.agents[0].alive is False
        assert listener.post(success(TASK)) == 200
        assert listener.stop() == 130


@pytest.mark.long
def test_tunnel_that_fails_at_first_is_tried_again(world: NgrokWorld) -> None:
    """As when the network comes back after the laptop woke."""
    with listening(env=world.env("offline")) as listener:
        assert listener.seen[-1]["public_url"] is None
        wait_until(lambda: len(world.agents) > 1)
        assert listener.stop() == 130


@pytest.mark.long
def test_required_tunnel_that_fails_is_exit_11(world: NgrokWorld) -> None:
    done = run_program("listen", "--port", "0", "--tunnel", "ngrok", env=world.env("sessions"))
    assert (done.code, done.out) == (11, "")
    assert "ERR_NGROK_108" in done.err


@pytest.mark.long
@pytest.mark.parametrize("answer", ["it answers HTTP 404", "the connection was refused"])
def test_a_public_url_that_this_machine_cannot_reach_is_used(
    sandbox: Sandbox, free_port: int, answer: str
) -> None:
    """Many routers do not lead a request from inside back in, or answer it themselves."""
    public = {"it answers HTTP 404": sandbox.base_url, "the connection was refused": "http://127.0.0.1:9"}
    with listening("--public-url", public[answer], port=str(free_port)) as listener:
        assert listener.url.startswith(f"{public[answer]}/suno-wav-callback/")
        unproven = next(event for event in listener.seen if event["event"] == "tunnel_unproven")
        assert (unproven["poll_interval"], answer in unproven["reason"]) == (None, True)
        listener.url = listener.url.replace(public[answer], f"http://127.0.0.1:{free_port}")
        assert listener.post(success(TASK)) == 200
        assert listener.next("delivery_received")["task_id"] == TASK


def test_a_public_url_whose_port_is_taken_is_exit_11(sandbox: Sandbox) -> None:
    port = sandbox.base_url.rpartition(":")[2]
    done = run_program("listen", "--public-url", "https://example.com", "--port", port)
    assert (done.code, done.out) == (11, "")
    assert "--tunnel none" not in done.err


READY = WavRecord(
    task_id="t", state=WavState.READY, flag="SUCCESS", url="https://cdn.example.com/a.wav?Expires=2"
)


@pytest.mark.parametrize(
    ("callback", "record", "verdict"),
    [
        (
            Callback(task_id="t", code=200, url="https://cdn.example.com/a.wav?Expires=1"),
            READY,
            Verdict.CONFIRMED,
        ),
        (Callback(task_id="t", code=None, url=None), READY, Verdict.CONFIRMED),
        (Callback(task_id="t", code=200, url="https://cdn.example.com/b.wav"), READY, Verdict.CONTRADICTED),
        (Callback(task_id="t", code=200, url="https://["), READY, Verdict.CONTRADICTED),
        (Callback(task_id="t", code=501), READY, Verdict.CONTRADICTED),
        (Callback(task_id="t", code=200), WavRecord(task_id="t", state=WavState.PENDING), Verdict.PENDING),
        (Callback(task_id="t", code=501), WavRecord(task_id="t", state=WavState.PENDING), Verdict.PENDING),
        (
            Callback(task_id="t", code=200),
            WavRecord(task_id="t", state=WavState.FAILED),
            Verdict.CONTRADICTED,
        ),
        (
            Callback(task_id="t", code=None, url=FILE),
            WavRecord(task_id="t", state=WavState.FAILED),
            Verdict.CONTRADICTED,
        ),
        (Callback(task_id="t", code=451), WavRecord(task_id="t", state=WavState.FAILED), Verdict.CONFIRMED),
        (Callback(task_id="t", code=None), WavRecord(task_id="t", state=WavState.FAILED), Verdict.CONFIRMED),
    ],
)
def test_compare_with_record(callback: Callback, record: WavRecord, verdict: Verdict) -> None:
    assert compare_with_record(callback, record).verdict is verdict
