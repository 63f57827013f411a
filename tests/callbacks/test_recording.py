"""A delivery that is kept in a file comes out of it as it went in, or not at all."""

from __future__ import annotations

import json
import os
import stat
import time
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.callbacks.recording import MAX_FILE_BYTES, RecordedCallback, load, write
from suno_wav_cli.errors import UsageError

RECORDING = RecordedCallback(
    received=1735689600.25, headers=(("Content-Type", "application/json"),), body=b'{"code": 200}'
)
RIGHT = {"received": 1.5, "headers": [["A", "b"]], "body": "{}"}

recorded = st.builds(
    RecordedCallback,
    received=st.floats(allow_nan=False, allow_infinity=False),
    headers=st.lists(
        st.tuples(
            st.from_regex(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", fullmatch=True),
            st.from_regex(r"[\t\x20-\x7e\x80-\xff]*", fullmatch=True),
        )
    ).map(tuple),
    body=st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")),
)


@pytest.fixture
def folder() -> Path:
    return Path.cwd()


@pytest.mark.long
@given(recorded)
def test_round_trip(recording: RecordedCallback) -> None:
    with TemporaryDirectory() as temporary:
        assert load(write(recording, Path(temporary), "callback")) == recording


def test_a_body_of_text_can_be_read_in_the_file(folder: Path) -> None:
    path = write(
        RecordedCallback(received=1.0, headers=(), body='{"msg": "schön"}'.encode()), folder, "callback"
    )
    assert json.loads(path.read_bytes()) == {"received": 1.0, "headers": [], "body": '{"msg": "schön"}'}
    assert "schön" in path.read_text(encoding="utf-8")


def test_no_file_is_overwritten(folder: Path) -> None:
    (folder / "callback.json").write_text("another file")
    names = [write(RECORDING, folder, "callback").name for _ in range(3)]
    assert names == ["callback-2.json", "callback-3.json", "callback-4.json"]
    assert (folder / "callback.json").read_text() == "another file"
    assert len([*folder.iterdir()]) == 4


def test_concurrent_writers_take_different_names(folder: Path) -> None:
    bodies = [str(number).encode() for number in range(20)]
    threads = [
        Thread(target=write, args=(RecordedCallback(received=1.0, headers=(), body=body), folder, "callback"))
        for body in bodies
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(load(path).body for path in folder.iterdir()) == sorted(bodies)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_may_read_the_file(folder: Path) -> None:
    path = write(RECORDING, folder, "callback")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["../../outside", "/etc/passwd", "a\0b", ".", "", "x" * 1000, "Ω"])
def test_harmful_name_stays_in_the_folder(folder: Path, name: str) -> None:
    path = write(RECORDING, folder, name)
    assert path.parent == folder
    assert [*folder.iterdir()] == [path]
    assert not path.name.startswith(".")


def test_missing_folder_is_an_os_error(folder: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write(RECORDING, folder / "absent", "callback")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xfe", id="not text"),
        pytest.param(b"{", id="not JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b" " * (MAX_FILE_BYTES + 1), id="too large"),
        pytest.param(json.dumps(RIGHT | {"more": 1}).encode(), id="a field too many"),
        pytest.param(json.dumps(RIGHT | {"body_base64": ""}).encode(), id="two bodies"),
        pytest.param(json.dumps({"received": 1, "headers": []}).encode(), id="no body"),
        pytest.param(json.dumps(RIGHT | {"body": 1}).encode(), id="a body that is a number"),
        pytest.param(json.dumps(RIGHT | {"body": "\ud800"}).encode(), id="half a character"),
        pytest.param(
            json.dumps({"received": 1, "headers": [], "body_base64": "é"}).encode(), id="not base64"
        ),
        pytest.param(json.dumps(RIGHT | {"received": True}).encode(), id="a time that is true"),
        pytest.param(json.dumps(RIGHT | {"received": "now"}).encode(), id="a time that is text"),
        pytest.param(json.dumps(RIGHT | {"received": float("nan")}).encode(), id="no time"),
        pytest.param(json.dumps(RIGHT | {"received": 10**400}).encode(), id="a time beyond all"),
        pytest.param(json.dumps(RIGHT | {"headers": {"A": "b"}}).encode(), id="headers as an object"),
        pytest.param(json.dumps(RIGHT | {"headers": [["A"]]}).encode(), id="half a header"),
        pytest.param(json.dumps(RIGHT | {"headers": [["A", 1]]}).encode(), id="a header that is a number"),
        pytest.param(json.dumps(RIGHT | {"headers": [["A b", "c"]]}).encode(), id="a name with a space"),
        pytest.param(json.dumps(RIGHT | {"headers": [["A", "b\r\nC: d"]]}).encode(), id="two headers in one"),
        pytest.param(json.dumps(RIGHT | {"headers": [["A", "€"]]}).encode(), id="what no header carries"),
    ],
)
def test_other_content_is_refused(folder: Path, content: bytes) -> None:
    path = folder / "file.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"file\.json is not a recorded callback"):
        load(path)


def test_correct_file_is_loaded(folder: Path) -> None:
    """So that the refusals above are for their reasons."""
    path = folder / "file.json"
    path.write_text(json.dumps(RIGHT))
    assert load(path) == RecordedCallback(received=1.5, headers=(("A", "b"),), body=b"{}")


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_unreadable_file_is_a_usage_error(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load(folder / name)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("header", ['["a",""]', "[]", "{}", "1", '""'])
def test_a_million_headers_are_not_read(folder: Path, header: str) -> None:
    """They would take 474 MB."""
    path = folder / "file.json"
    headers = ",".join([header] * 1_000_000)
    path.write_text(f'{{"received": 1, "headers": [{headers}], "body": ""}}')
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="more than 1,000 headers"):
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 3 * MAX_FILE_BYTES
    finally:
        tracemalloc.stop()


def test_a_thousand_headers_and_any_text_are_read(folder: Path) -> None:
    """Commas and brackets in a text count for nothing."""
    body = json.dumps({"a": ["[{,:" * 10_000, 'a"b\\'] * 9})
    wanted = RecordedCallback(received=1.0, headers=(("A", '[",'),) * 1000, body=body.encode())
    assert load(write(wanted, folder, "callback")) == wanted


@pytest.mark.long
@pytest.mark.timing
@pytest.mark.parametrize("content", ['"' + '\\"' * 4_000_000, '"' * 8_000_000, "[" * 8_000_000])
def test_what_is_no_json_costs_no_more_than_its_size(folder: Path, content: str) -> None:
    path = folder / "file.json"
    path.write_text(content)
    began = time.thread_time()
    with pytest.raises(UsageError):
        load(path)
    assert time.thread_time() - began < 10
