"""`--checksums`: a list that `sha256sum -c` reads, and that several programs may extend."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.conversion.checksum_file import ChecksumFile, check_checksum_file, extend, make_line, merge
from suno_wav_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

NAMES = [
    "plain.wav",
    "a b  c.wav",
    "back\\slash.wav",
    "line\nbreak.wav",
    "return\r.wav",
    "\\n.wav",
    "Ж.wav",
    " x",
]
DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""Of nothing."""


def lines_of(names: Iterable[str], digest: str = DIGEST) -> dict[bytes, bytes]:
    return {os.fsencode(name): make_line(name, digest) for name in names}


@pytest.mark.parametrize("name", NAMES)
def test_a_line_is_what_sha256sum_writes(name: str) -> None:
    Path(name).touch()
    assert (
        make_line(name, DIGEST)
        == subprocess.run(["sha256sum", "--", name], capture_output=True, check=True).stdout
    )


def test_sha256sum_checks_the_whole_list() -> None:
    for name in NAMES:
        Path(name).touch()
    extend(Path("SUMS"), lines_of(NAMES))
    done = subprocess.run(["sha256sum", "--strict", "-c", "SUMS"], capture_output=True, check=False)
    assert (done.returncode, done.stdout.count(b": OK")) == (0, len(NAMES)), done


@pytest.mark.parametrize("name", NAMES)
def test_the_same_name_is_replaced_in_its_place(name: str) -> None:
    before = merge(b"", lines_of(["first", name, "last"], "0" * 64))
    after = merge(before, lines_of([name]))
    assert after == b"".join(lines_of(["first"], "0" * 64).values()) + make_line(name, DIGEST) + make_line(
        "last", "0" * 64
    )


def test_lines_of_others_stay_as_they_are() -> None:
    """A comment, a line of md5sum, an upper-case digest of a binary file, and a last line without its end."""
    other = b"# mine\r\n" + b"0" * 32 + b"  md5\n" + b"A" * 64 + b" *binary"
    assert merge(other, lines_of(["new"])) == other + b"\n" + make_line("new", DIGEST)
    assert merge(b"A" * 64 + b" *binary\r\n", lines_of(["binary"])) == make_line("binary", DIGEST)


def test_several_at_once_lose_no_line() -> None:
    def add(number: int) -> None:
        for index in range(20):
            extend(Path("SUMS"), lines_of([f"{number}-{index}.wav"]))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = {line.split(b"  ")[1] for line in Path("SUMS").read_bytes().splitlines()}
    assert names == {f"{number}-{index}.wav".encode() for number in range(4) for index in range(20)}


def test_a_link_to_the_list_stays_a_link_and_the_list_keeps_its_mode() -> None:
    Path("real").write_bytes(b"")
    Path("real").chmod(0o640)
    Path("link").symlink_to("real")
    extend(Path("link"), lines_of(["a"]))
    assert Path("link").is_symlink()
    assert (Path("real").read_bytes(), Path("real").stat().st_mode & 0o777) == (make_line("a", DIGEST), 0o640)


@pytest.mark.parametrize(
    ("song", "expected"),
    [
        ("lists/a.wav", "a.wav"),
        ("lists/deep/a.wav", "deep/a.wav"),
        ("lists/../lists/a.wav", "a.wav"),
        ("a.wav", None),
    ],
)
def test_a_path_is_relative_to_the_folder_of_the_list_if_it_is_below(song: str, expected: str | None) -> None:
    name = ChecksumFile(Path("lists/SUMS"), print).name_of(Path(song))
    assert name == (expected or str(Path(song).absolute()))


@pytest.mark.parametrize("content", [b"RIFF\0\0\0\0WAVE", b"# a note\naudio_id task_id\n", b"\xff\xfe"])
def test_a_file_of_something_else_is_refused(content: bytes) -> None:
    Path("SUMS").write_bytes(content)
    with pytest.raises(UsageError, match="something else than checksums"):
        check_checksum_file(Path("SUMS"))
    assert Path("SUMS").read_bytes() == content


def test_what_sha256sum_has_written_is_extended() -> None:
    for name in NAMES:
        Path(name).touch()
    with Path("SUMS").open("wb") as file:
        subprocess.run(["sha256sum", "--", *NAMES], stdout=file, check=True)
    check_checksum_file(Path("SUMS"))
    content = Path("SUMS").read_bytes()
    extend(Path("SUMS"), lines_of(NAMES))
    assert Path("SUMS").read_bytes() == content


def test_the_folder_of_the_list_is_made_with_its_first_line() -> None:
    check_checksum_file(Path("new/folder/SUMS"))
    assert not Path("new").exists()
    extend(Path("new/folder/SUMS"), lines_of(["a.wav"]))
    assert Path("new/folder/SUMS").read_bytes() == b"".join(lines_of(["a.wav"]).values())


def test_a_list_that_cannot_be_made_is_refused() -> None:
    Path("file").touch()
    with pytest.raises(UsageError, match=r"cannot be made in .*file"):
        check_checksum_file(Path("file/SUMS"))
    Path("folder").mkdir()
    with pytest.raises(UsageError, match="is not a file"):
        check_checksum_file(Path("folder"))
