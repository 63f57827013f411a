"""When an address is proven again. The clocks are numbers here."""

from __future__ import annotations

import pytest

from suno_wav_cli.callbacks.heartbeat import Clocks, is_proof_due
from suno_wav_cli.callbacks.tunnel.tunnel import TunnelTimeouts

TIMEOUTS = TunnelTimeouts()
START = Clocks(wall=1e9, monotonic=100.0)


@pytest.mark.parametrize(
    ("wall", "monotonic", "due"),
    [
        pytest.param(5, 5, False, id="nothing happened"),
        pytest.param(12, 8, False, id="a busy machine"),
        pytest.param(3605, 5, True, id="slept an hour"),
        pytest.param(20, 5, True, id="slept a moment"),
        pytest.param(-3600, 5, True, id="the wall clock was set back"),
        pytest.param(3600, 3600, True, id="stopped, or a clock that goes on during a sleep"),
    ],
)
def test_a_sleep_is_seen_in_the_clocks(wall: float, monotonic: float, due: bool) -> None:
    now = Clocks(wall=START.wall + wall, monotonic=START.monotonic + monotonic)
    assert is_proof_due(START, START, now, TIMEOUTS) == due


def test_an_idle_address_is_proven_every_ten_minutes() -> None:
    """That is less than a quarter of what a free ngrok account may have in a month."""

    def at(seconds: float) -> Clocks:
        return Clocks(wall=START.wall + seconds, monotonic=START.monotonic + seconds)

    looks = [at(5.0 * number) for number in range(1, 121)]
    due = [is_proof_due(START, at(5.0 * number), look, TIMEOUTS) for number, look in enumerate(looks)]
    assert due == [False] * 119 + [True]
    assert 30 * 24 * 3600 / TIMEOUTS.heartbeat < 20_000 / 4
