"""What an answer of the file's server means, as tables."""

from __future__ import annotations

import pytest

from suno_wav_cli.download.coding import read_codings
from suno_wav_cli.download.redirects import find_flaw
from suno_wav_cli.download.response import check_response, confirms_length
from suno_wav_cli.errors import AddressRefused, BrokenOff, DownloadFailed, PageAnswered
from suno_wav_cli.journal.parts import ByteRange

HTML = {"Content-Type": "text/html; charset=utf-8"}
XML = {"Content-Type": "application/xml"}
EXPIRED = b'<?xml version="1.0"?><Error><Code>ExpiredToken</Code><Message>no</Message></Error>'
CHALLENGE = b"\n <!DOCTYPE html><title>Just a moment...</title>"


@pytest.mark.parametrize(
    "status", [201, 202, 204, 205, 207, 300, 304, 400, 401, 402, 403, 404, 405, 409, 410, 416, 422, 451]
)
def test_what_is_not_the_file_and_no_reason_to_wait_is_about_the_address(status: int) -> None:
    with pytest.raises(AddressRefused, match=f"HTTP {status}") as caught:
        check_response(status, {}, None, None)
    assert type(caught.value) is AddressRefused


@pytest.mark.parametrize("status", [408, 425, 429, 500, 501, 502, 503, 504, 520, 522, 599])
@pytest.mark.parametrize("headers", [{}, HTML], ids=["plain", "a page"])
def test_a_server_that_has_trouble_is_asked_again(status: int, headers: dict[str, str]) -> None:
    with pytest.raises(BrokenOff, match=f"HTTP {status}"):
        check_response(status, headers, None, None, CHALLENGE)


@pytest.mark.parametrize(
    ("status", "headers", "start"),
    [
        pytest.param(403, HTML, CHALLENGE, id="403 with HTML"),
        pytest.param(403, HTML, b"", id="its body does not come"),
        pytest.param(403, {}, CHALLENGE, id="without a type"),
        pytest.param(401, {"Content-Type": "text/plain"}, b"<HTML>", id="with another type"),
        pytest.param(400, {"Content-Type": "application/xhtml+xml"}, b"", id="XHTML"),
        pytest.param(202, {"X-Amzn-Waf-Action": "challenge"}, b"", id="202 of a firewall"),
        pytest.param(405, {"X-Amzn-Waf-Action": "captcha"}, b"", id="405 of a firewall"),
        pytest.param(403, {"CF-Mitigated": "challenge"}, b"{}", id="another one"),
        pytest.param(404, {"CF-Mitigated": "challenge"}, b"", id="even as 404"),
        pytest.param(416, HTML, b"", id="416"),
        pytest.param(
            403, {}, b'{"url":"https://geo.captcha-delivery.com/captcha/?id=1"}', id="JSON of DataDome"
        ),
        pytest.param(
            403, {}, b'{"appId":"PX1","blockScript":"/captcha/captcha.js"}', id="JSON of PerimeterX"
        ),
        pytest.param(401, {"Content-Type": "text/plain"}, b"Challenge required", id="a text"),
        pytest.param(403, {"X-Sucuri-Block": "1"}, b"", id="Sucuri"),
        pytest.param(403, {"X-Vercel-Mitigated": "challenge"}, b"", id="Vercel"),
        pytest.param(403, {}, b"\xef\xbb\xbf<!DOCTYPE  html>", id="behind a byte order mark"),
        pytest.param(403, {}, b"<!-- no robots --><html>", id="behind a comment"),
        pytest.param(403, {}, b"<head><meta charset=utf-8>", id="without its beginning"),
        pytest.param(403, {}, b'<script src="/x.js"></script>', id="nothing but a script"),
    ],
)
def test_a_page_says_nothing_about_the_file(status: int, headers: dict[str, str], start: bytes) -> None:
    with pytest.raises(PageAnswered, match=f"HTTP {status}"):
        check_response(status, headers, None, None, start)


@pytest.mark.parametrize(
    ("status", "headers", "start", "said"),
    [
        pytest.param(400, XML, EXPIRED, "HTTP 400 (ExpiredToken)", id="an object store"),
        pytest.param(403, {}, EXPIRED, "HTTP 403 (ExpiredToken)", id="without a type"),
        pytest.param(403, XML, b"<Error><Code>\x1b[31m</Code>", "HTTP 403", id="with a colour"),
        pytest.param(404, HTML, CHALLENGE, "HTTP 404", id="the page of a missing file"),
        pytest.param(410, HTML, CHALLENGE, "HTTP 410", id="the page of a deleted file"),
        pytest.param(404, {}, b"<script>captcha()</script>", "HTTP 404", id="one with a form"),
        pytest.param(403, XML, b"", "HTTP 403", id="nothing more"),
    ],
)
def test_a_refusal_names_its_reason(status: int, headers: dict[str, str], start: bytes, said: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        check_response(status, headers, None, None, start)
    assert type(caught.value) is AddressRefused
    assert caught.value.message == f"the file's address answers {said}"


@pytest.mark.parametrize(
    ("headers", "length"),
    [
        pytest.param({"Content-Range": "bytes 0-9/10"}, 10, id="of its whole length"),
        pytest.param({"Content-Range": "bytes 0-9/10", "Content-Length": "10"}, 10, id="twice"),
        pytest.param({"Content-Range": "bytes 0-9/11"}, None, id="one byte less"),
        pytest.param({"Content-Range": "bytes 1-9/10"}, None, id="from the second byte on"),
        pytest.param({"Content-Range": "bytes 1-9/*"}, None, id="a later part of unknown length"),
        pytest.param({"Content-Range": "bytes 0-9/10", "Content-Length": "9"}, None, id="contradictory"),
        pytest.param({"Content-Range": "Bytes 0-9/10"}, 10, id="with a capital"),
        pytest.param({"Content-Range": "bytes=0-9/10"}, 10, id="written as a range is asked for"),
        pytest.param({"Content-Range": "bytes  0 - 9 / 10"}, 10, id="with spaces"),
        pytest.param({"Content-Range": "Bytes=1-9/10"}, None, id="from the second byte on, with a capital"),
        pytest.param({"Content-Range": "bytes */10"}, None, id="nothing"),
        pytest.param({"Content-Range": "lines 0-9/10"}, None, id="in another unit"),
    ],
)
def test_a_part_that_is_all_of_the_file_need_not_be_asked_for(
    headers: dict[str, str], length: int | None
) -> None:
    if length is None:
        with pytest.raises(BrokenOff, match="cannot be placed"):
            check_response(206, headers, None, None)
        return
    content = check_response(206, {**headers, "ETag": '"a"'}, None, None)
    assert (content.span, content.length, content.validator) == (
        ByteRange(start=0, stop=length),
        length,
        '"a"',
    )


@pytest.mark.parametrize(
    ("status", "headers", "length"),
    [
        pytest.param(206, {"Content-Range": "bytes 0-9/*"}, None, id="a part from the beginning"),
        pytest.param(206, {"Content-Length": "10"}, None, id="a part, without saying which"),
        pytest.param(203, {"Content-Length": "10"}, 10, id="from a proxy that changes answers"),
    ],
)
def test_what_may_be_the_file_is_read(status: int, headers: dict[str, str], length: int | None) -> None:
    content = check_response(status, headers, None, None)
    assert (content.span, content.length) == (ByteRange(start=0, stop=length), length)


@pytest.mark.parametrize("code", ["ExpiredToken", "RequestExpired", "TokenExpiredException"])
@pytest.mark.parametrize("status", [500, 503, 400])
def test_an_expired_address_is_known_by_its_reason_whatever_the_status(status: int, code: str) -> None:
    with pytest.raises(AddressRefused, match=code):
        check_response(status, XML, None, None, b"<Error><Code>%s</Code></Error>" % code.encode())


@pytest.mark.parametrize(
    ("status", "content_range", "etag", "confirmed"),
    [
        (206, "bytes 9-9/10", '"a"', True),
        (206, "bytes 9-9/10", None, True),
        (206, "bytes 9-9/10", '"b"', False),
        (206, "bytes 9-9/11", '"a"', False),
        (206, "bytes 8-9/10", '"a"', False),
        (206, "bytes 0-9/10", '"a"', False),
        (206, "bytes 9-9/*", '"a"', False),
        (206, "", '"a"', False),
        (200, "bytes 9-9/10", '"a"', False),
        (416, "bytes */9", '"a"', False),
    ],
)
def test_only_the_last_byte_of_the_same_file_confirms_a_length(
    status: int, content_range: str, etag: str | None, confirmed: bool
) -> None:
    headers = {"Content-Range": content_range} | ({} if etag is None else {"ETag": etag})
    assert confirms_length(status, headers, 10, '"a"') is confirmed


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        ("", ()),
        ("identity", ()),
        ("gzip", ("gzip",)),
        ("X-GZip", ("x-gzip",)),
        ("gzip, gzip", ("gzip", "gzip")),
        ("deflate,gzip", ("gzip", "deflate")),
        ("aws-chunked", ()),
        ("gzip,aws-chunked", ("gzip",)),
        ("UTF-8", ()),
        ("none", ()),
        ("binary, 8bit", ()),
        ('"gzip"', ("gzip",)),
        ("gzip;q=1.0", ("gzip",)),
        ('deflate; x="a", "GZIP"', ("gzip", "deflate")),
        (",,", ()),
    ],
)
def test_codings_are_told_from_other_words(header: str, codings: tuple[str, ...]) -> None:
    assert read_codings(header) == codings


@pytest.mark.parametrize("header", ["br", '"br"', "zstd", "compress", "gzip, br", "gzip,gzip,gzip,gzip"])
def test_a_coding_that_cannot_be_undone_is_told(header: str) -> None:
    with pytest.raises(DownloadFailed, match="not asked for") as caught:
        read_codings(header)
    assert type(caught.value) is DownloadFailed


@pytest.mark.parametrize(
    ("location", "flaw"),
    [
        ("https://cdn.example.com/song.wav?a=b", None),
        ("http://127.0.0.1:8000/x", None),
        ("//cdn.example.com/x", None),
        ("/moved", None),
        ("moved?x=https://[", None),
        ("?again", None),
        ("/my song (1).wav", None),
        ("https://cdn.example.com/my song.wav?name=my song.wav", None),
        ("https://müller.example/", None),
        ("https://a_b.example./", None),
        ("https://[::1]:443/", None),
        ("", "without saying where to"),
        ("  ", "without saying where to"),
        ("file:///etc/passwd", "to file:, which is not https"),
        ("javascript:alert(1)", "to javascript:, which is not https"),
        ("https://", "to something that is not an address"),
        ("https:/x", "to something that is not an address"),
        ("//", "to something that is not an address"),
        ("https://[", "to something that is not an address"),
        ("https://[::g]/", "to something that is not an address"),
        ("https://h:99999/", "to something that is not an address"),
        ("https://h:0/", "to something that is not an address"),
        ("https://h:port/", "to something that is not an address"),
        ("https://a..b/", "to something that is not an address"),
        ("https://-a.b/", "to something that is not an address"),
        (f"https://{'a' * 64}.b/", "to something that is not an address"),
        (f"https://{'a.' * 130}b/", "to something that is not an address"),
        ("//a b/x", "to something that is not an address"),
        ("https://a b/", "to something that is not an address"),
        ("https://a\x1b[31m/", "to something that is not an address"),
        ("https://%5b/", "to something that is not an address"),
        ("https://0177.0.0.1/", "to something that is not an address"),
        ("https://256.1.2.3/", "to something that is not an address"),
        ("https://127.0.0.1./", None),
        (f"/{'a' * 70_000}", "to something that is not an address"),
    ],
)
def test_a_redirect_that_cannot_be_followed_is_known_by_its_address(location: str, flaw: str | None) -> None:
    assert find_flaw(location) == flaw
