"""Addresses without their queries."""

from __future__ import annotations

import json

import pytest

from suno_wav_cli.terminal.queries import hide_all, hide_queries


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/x.wav?sig=s3cr3t", "https://h/x.wav?(hidden)"),
        ("see HTTPS://h/x?sig=s3cr3t, then go", "see HTTPS://h/x?(hidden) then go"),
        ("'https://h/x?a=it's&sig=s3cr3t' is wrong", "'https://h/x?(hidden) is wrong"),
        ("ftp://h/x#s3cr3t", "ftp://h/x?(hidden)"),
        ("https://h?s3cr3t https://i/y?s3cr3t", "https://h?(hidden) https://i/y?(hidden)"),
        (json.dumps({"u": "https://h/x?s3cr3t"}), '{"u": "https://h/x?(hidden)"}'),
        (r"{\"u\": \"https:\/\/h\/x?s3cr3t\"}", r'{\"u\": \"https:\/\/h\/x?(hidden)"}'),
        (r"https://h/x\u003fs3cr3t", "https://h/x?(hidden)"),
        ("Who is it? A=b", "Who is it? A=b"),
        # Addresses without a scheme, or with what ends a word.
        ("gone: cdn.invalid/x.wav?sig=s3cr3t&a=b", "gone: cdn.invalid/x.wav?(hidden)"),
        ("gone: //cdn.invalid/x.wav?sig=s3cr3t", "gone: //cdn.invalid/x.wav?(hidden)"),
        ("gone: /x.wav?X-Amz-Signature=s3cr3t", "gone: /x.wav?(hidden)"),
        ("https://h/a b.wav?sig=s3cr3t is wrong", "https://h/a b.wav?(hidden) is wrong"),
        ("https://h/a<b>.wav?sig=s3cr3t", "https://h/a<b>.wav?(hidden)"),
        (r"https:\\h\x.wav?sig=s3cr3t", r"https:\\h\x.wav?(hidden)"),
        ("Really?!", "Really?!"),
        # User names and passwords.
        ("gone: https://me:s3cr3t@h/x.wav", "gone: https://(hidden)@h/x.wav"),
        ("https://s3cr3t@h/x and http://a:s3c@r3t@i", "https://(hidden)@h/x and http://(hidden)@i"),
        ("https://me:s3cr3t@h/x?sig=s3cr3t", "https://(hidden)@h/x?(hidden)"),
        (r"{\"u\": \"https:\/\/me:s3cr3t@h\/x\"}", r"{\"u\": \"https:\/\/(hidden)@h\/x\"}"),
        ("https://h/@me, mail me@example.com", "https://h/@me, mail me@example.com"),
        ("https://h/x", "https://h/x"),
    ],
)
def test_a_text_keeps_all_but_the_queries(text: str, shown: str) -> None:
    assert hide_queries(text) == shown


def test_a_field_that_is_an_address_ends_with_its_text() -> None:
    value = {
        "url": 'https://h/x? a"b s3cr3t',
        "audioWavUrl": "/x?s3cr3t",
        "raw": [{"x": "//h/x?s3cr3t"}],
        "wavUrl": "https://me:s3cr3t@h/x",
        "coverUrl": "https://me:s3cr3t@h/x?s3cr3t",
        "n": 1,
    }
    assert hide_all(value) == {
        "url": "https://h/x?(hidden)",
        "audioWavUrl": "/x?(hidden)",
        "raw": [{"x": "//h/x?(hidden)"}],
        "wavUrl": "https://(hidden)@h/x",
        "coverUrl": "https://(hidden)@h/x?(hidden)",
        "n": 1,
    }
