"""How long a download may take, and a trickle that goes on for ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.download.fetch import DownloadPolicy, RateLimit
from suno_wav_cli.download.pace import longest_seconds
from suno_wav_cli.errors import DownloadFailed
from tests.support.context import PART, TARGET, WISHES

if TYPE_CHECKING:
    from tests.support.context import Customer


def policy(*, timeout: float = 10.0, min_speed: int = 1000, rate: int | None = None) -> DownloadPolicy:
    return replace(WISHES, timeout=timeout, min_speed=min_speed, rate=RateLimit(rate), max_size=16_000_000)


@pytest.mark.parametrize(
    ("length", "limits", "seconds"),
    [
        pytest.param(1_600_000, policy(), 100.0, id="16 times the least speed"),
        pytest.param(None, policy(), 1000.0, id="of the largest file, if the length is not known"),
        pytest.param(1 << 60, policy(), 1000.0, id="or is a lie"),
        pytest.param(1_600_000, policy(timeout=500.0), 500.0, id="the timeout, if that is longer"),
        pytest.param(1_600_000, policy(min_speed=0), 10.0, id="without a least speed"),
        pytest.param(1_600_000, policy(rate=16_000), 800.0, id="a limited rate, which several share"),
        pytest.param(1_600_000, policy(min_speed=0, rate=16_000_000), 10.0, id="a rate that is no limit"),
    ],
)
def test_the_longest_time_is_one_that_a_limit_explains(
    length: int | None, limits: DownloadPolicy, seconds: float
) -> None:
    assert longest_seconds(length, limits) == seconds


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "steps",
    [
        pytest.param("trickle300k~always", id="a trickle"),
        pytest.param("trickle300k.chunked~always", id="a trickle without a length"),
        pytest.param("cut1000.then403~always", id="a few bytes from each address"),
    ],
)
def test_a_trickle_has_an_end(customer: Customer, steps: str) -> None:
    """Each is faster than the least speed, and would take long all the same."""
    audio_id = f"demo-3mb-cdn-{steps}+end"
    wishes = replace(WISHES, min_speed=0, timeout=0.7, stall_timeout=5.0)
    entry = customer.order(audio_id)
    run = customer.save(entry, wishes)
    assert isinstance(run.error, DownloadFailed)
    assert "too slow" in run.error.message
    assert (run.error.exit_code, TARGET.exists()) == (9, False)
    assert run.error.continue_argv is not None
    assert run.error.continue_argv[:3] == ("suno-wav", "resume", entry.wav_task_id)
    assert 0 < PART.stat().st_size < 3_000_000


@pytest.mark.long
def test_a_late_download_that_cannot_be_continued_leaves_nothing(customer: Customer) -> None:
    wishes = replace(WISHES, min_speed=0, timeout=0.7, stall_timeout=5.0)
    run = customer.save(customer.order("demo-3mb-cdn-untagged-trickle300k~always+end"), wishes)
    assert (type(run.error), list(Path().iterdir())) == (DownloadFailed, [])
