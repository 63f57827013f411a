"""Objects of a store, written as URLs and handled as paths."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from suno_wav_cli.conversion.targets import choose_targets
from suno_wav_cli.errors import UsageError
from suno_wav_cli.models import Song
from suno_wav_cli.remote.address import address_of, is_remote, is_remote_out, path_of_out, shown

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize("out", ["s3://songs/a/b.wav", "gs://songs/a/b.wav", "az://songs/a/b.wav"])
def test_a_url_becomes_a_path_and_a_url_again(out: str) -> None:
    path = Path(path_of_out(out))
    assert is_remote_out(out)
    assert is_remote(path)
    assert (address_of(path).bucket, address_of(path).key, shown(path)) == ("songs", "a/b.wav", out)


def test_the_case_of_a_scheme_does_not_matter() -> None:
    assert is_remote_out("S3://Songs/A.wav")
    assert path_of_out("S3://Songs/A.wav") == "/s3:/Songs/A.wav"


@pytest.mark.parametrize("out", ["a/b.wav", "/s3/songs/a", "s3:/songs/a", "http://songs/a", "-", "C:\\a"])
def test_a_path_stays_a_path(out: str) -> None:
    assert path_of_out(out) == out
    assert not is_remote_out(out)
    assert shown(Path("a") / "s3:" / "b") == "a/s3:/b"


@pytest.mark.parametrize(
    "out", ["s3://", "s3:///a", "s3://{title}/a", "s3://songs/../a", "s3://songs/./a", "s3://a b/c"]
)
def test_what_names_no_bucket_or_key_is_refused(out: str) -> None:
    with pytest.raises(UsageError):
        path_of_out(out)


@pytest.mark.parametrize(
    ("out", "key"),
    [
        ("s3://songs", "0123abcd-1.wav"),
        ("s3://songs/", "0123abcd-1.wav"),
        ("s3://songs/new/", "new/0123abcd-1.wav"),
        ("s3://songs/new/{title}.wav", "new/a_b.wav"),
        ("s3://songs/{date}/{id8}.wav", "2026-11-27/0123abcd.wav"),
        ("s3://songs/one.wav", "one.wav"),
    ],
)
def test_a_template_makes_keys_as_it_makes_names(out: str, key: str) -> None:
    title = "a/b" if "title" in out else None
    (target,) = choose_targets([Song(audio_id="0123abcd-1", title=title)], out, TODAY)
    assert (address_of(target).bucket, address_of(target).key) == ("songs", key)
