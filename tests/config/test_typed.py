"""Values as one would type them are read back as they were."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.config import parsers
from suno_wav_cli.config.typed import typed_value


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("timeout", 1800.0, "30m"),
        ("timeout", 90.0, "90s"),
        ("timeout", 0.5, "0.5s"),
        ("timeout", 86400.0, "1d"),
        ("max_size", 1 << 32, "4GiB"),
        ("max_size", (1 << 32) - 1, "4294967295"),
        ("max_size", 20_000_000, "20M"),
        ("jobs", 4000, "4000"),
        ("max_credits", Decimal("1.20"), "1.20"),
        ("force", True, "true"),
        ("out", None, None),
        ("out", "wavs/", "wavs/"),
    ],
)
def test_values(name: str, value: object, text: str | None) -> None:
    assert typed_value(name, value) == text


@given(st.floats(min_value=0.000001, max_value=2_592_000))
def test_durations_come_back(seconds: float) -> None:
    assert parsers.seconds(typed_value("timeout", seconds) or "") == pytest.approx(seconds, rel=1e-15)


@given(st.integers(1, 10**12 - 1) | st.sampled_from([1 << 10, 3 << 20, 4 << 30, 1 << 40]))
def test_sizes_come_back(size: int) -> None:
    assert parsers.size(typed_value("max_size", size) or "") == size
