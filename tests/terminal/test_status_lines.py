"""What `status` shows of a task."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.events.songs import TaskStatus
from suno_wav_cli.models import WavRecord, WavState
from suno_wav_cli.terminal.messages_songs import render

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the clock of another time zone than the service's."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Shanghai")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("shanghai")
def test_a_time_that_is_exact_is_one_of_this_machine() -> None:
    """A text without a time zone stays as it came."""
    record = WavRecord(
        task_id="a" * 32,
        state=WavState.READY,
        created="2025-01-01 00:00:00",
        created_at=1_735_689_600.0,
        completed="2025-01-01 00:10:00",
    )
    shown = TaskStatus(
        audio_id="demo",
        title=None,
        record=record,
        journal_state=None,
        target=None,
        path=None,
        path_exists=False,
    )
    lines = list(render(shown).result)
    assert "created   2025-01-01 08:00:00" in lines
    assert "completed 2025-01-01 00:10:00" in lines
