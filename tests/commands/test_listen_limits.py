"""The bounds of `listen`, made small."""

from __future__ import annotations

from pathlib import Path

import pytest

from suno_wav_cli.callbacks.recording import RecordedCallback
from suno_wav_cli.commands.listen.archive import DeliveryArchive
from suno_wav_cli.commands.listen.limits import ListenLimits

RECORDING = RecordedCallback(received=1735689600.0, headers=(), body=b"{}")


@pytest.mark.parametrize(
    "limits",
    [
        pytest.param(ListenLimits(files=2), id="files"),
        pytest.param(ListenLimits(file_bytes=150), id="bytes"),
    ],
)
def test_the_archive_keeps_the_newest_files(limits: ListenLimits) -> None:
    """Each file has 64 bytes. A file of an earlier run stays."""
    Path("earlier.json").touch()
    archive = DeliveryArchive(Path.cwd(), limits)
    paths = [archive.keep(number, RECORDING) for number in range(5)]
    assert {path.stat().st_size for path in paths[-2:]} == {len(paths[-1].read_bytes())}
    assert {*Path.cwd().iterdir()} == {*paths[-2:], Path.cwd() / "earlier.json"}
