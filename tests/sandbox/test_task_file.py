"""The file that keeps the tasks of a sandbox for the next one."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.sandbox.task_file import KeptTask, TaskFile

if TYPE_CHECKING:
    from pathlib import Path

TASK = KeptTask(
    task_id="a" * 32,
    audio_id="demo",
    music_task_id="",
    contract="sunoapi",
    created=1.7e9,
    ready=1.7e9 + 2,
    paid=True,
)


@pytest.fixture
def kept(tmp_path: Path) -> TaskFile:
    return TaskFile(tmp_path / "sandbox" / "tasks.jsonl")


def numbered(number: int) -> KeptTask:
    return replace(TASK, audio_id=f"demo+{number}", ready=None)


def test_tasks_come_back_in_order_and_for_this_user_alone(kept: TaskFile) -> None:
    kept.add(TASK)
    kept.add(numbered(1))
    assert kept.read() == [TASK, numbered(1)]
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.path.parent.stat().st_mode) == 0o700


def test_without_a_file_there_are_no_tasks_and_none_is_made(kept: TaskFile) -> None:
    assert kept.read() == []
    assert not kept.path.parent.exists()


@pytest.mark.parametrize(
    "damage",
    [
        b"\0" * 5000,
        b"{",
        b"[" * 100_000,
        b"null\n3\n[]\n{}\n",
        json.dumps(asdict(TASK) | {"task_id": "../" * 8}).encode(),
        json.dumps(asdict(TASK) | {"created": 1e300}).encode(),
        json.dumps(asdict(TASK) | {"ready": float("nan")}).encode(),
        json.dumps(asdict(TASK) | {"paid": "yes"}).encode(),
        json.dumps(asdict(TASK) | {"more": 1}).encode(),
        b'{"task_id": 1' + b"0" * 5000 + b"}",
    ],
)
def test_what_is_damaged_is_left_out_and_the_rest_is_kept(kept: TaskFile, damage: bytes) -> None:
    kept.add(TASK)
    with kept.path.open("ab") as file:
        file.write(damage)
    kept.add(numbered(2))
    assert kept.read() == [TASK, numbered(2)]


def test_the_file_stays_small_and_keeps_the_newest(kept: TaskFile) -> None:
    for number in range(2500):
        kept.add(numbered(number))
    read = kept.read()
    assert kept.path.stat().st_size <= 256 * 1024
    assert len(read) > 400
    assert read == [numbered(number) for number in range(2500 - len(read), 2500)]


def test_programs_may_add_at_once(kept: TaskFile) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(kept.add, map(numbered, range(200))))
    assert sorted(kept.read(), key=str) == sorted(map(numbered, range(200)), key=str)


@pytest.mark.parametrize("planted", ["folder", "link", "fifo"])
def test_what_is_no_file_is_neither_read_nor_written(kept: TaskFile, tmp_path: Path, planted: str) -> None:
    kept.path.parent.mkdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(json.dumps(asdict(TASK)) + "\n")
    before = elsewhere.read_bytes()
    match planted:
        case "folder":
            kept.path.mkdir()
        case "link":
            kept.path.symlink_to(elsewhere)
        case _:
            os.mkfifo(kept.path)
    kept.add(numbered(3))
    assert (kept.read(), elsewhere.read_bytes()) == ([], before)
