"""Many songs that wait at once: what the service is asked, and what the user is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.quick_limits import WAIT_SPEED

if TYPE_CHECKING:
    from tests.support.program import Sandbox


@pytest.mark.long
def test_callbacks_that_do_not_come_are_noticed_and_polling_takes_over(
    sandbox: Sandbox, free_port: int
) -> None:
    """The service has decided about the first song, and its callback does not come."""
    songs = ("demo-no-callback+missing", "demo-slow+missing")
    done = sandbox.run(
        *("convert", *songs, "--poll-interval", "1s", "--json"),
        *("--public-url", f"http://127.0.0.1:{free_port}", "--port", str(free_port)),
        env={WAIT_SPEED: "60"},
    )
    assert done.code == 0, done
    assert [event["poll_interval"] for event in done.named("callbacks_missing")] == [1.0]


@pytest.mark.long
def test_callbacks_that_come_are_not_called_missing(sandbox: Sandbox, free_port: int) -> None:
    songs = [f"demo+arrives{number}" for number in range(3)]
    done = sandbox.run(
        *("convert", *songs, "--poll-interval", "20s", "--json"),
        *("--public-url", f"http://127.0.0.1:{free_port}", "--port", str(free_port)),
        env={WAIT_SPEED: "60"},
    )
    assert done.code == 0, done
    assert done.named("callbacks_missing") == []
    assert [sandbox.counted("lookups", song) for song in songs] == [1, 1, 1]


@pytest.mark.long
def test_a_poll_interval_that_cannot_be_kept_is_said_once(sandbox: Sandbox) -> None:
    songs = [f"demo-slow+paced{number}" for number in range(8)]
    done = sandbox.run(
        "convert", *songs, "--tunnel", "none", "--poll-interval", "50ms", "--window", "20/2s", "--json"
    )
    assert done.code == 0, done
    (delayed,) = done.named("lookups_delayed")
    assert delayed["poll_interval"] == 0.05
    assert delayed["seconds"] > 0.05
    assert done.named("run_begun")[0]["submissions"] == 8


@pytest.mark.long
def test_songs_at_the_service_do_not_wait_for_submissions(sandbox: Sandbox) -> None:
    """A run that was stopped goes on with what is paid for at once, and in the order of the list after it."""
    assert sandbox.run("convert", "demo+there2", "--no-wait").code == 0
    done = sandbox.run("convert", "demo+there1", "demo+there2", "--json", "--tunnel", "none")
    assert done.code == 0, done
    begun = [event["audio_id"] for event in done.events if event["event"] in ("resumed", "submitting")]
    assert begun == ["demo+there2", "demo+there1"]
