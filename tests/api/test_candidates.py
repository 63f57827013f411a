"""What is kept of an answer to a paid request that is not understood."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suno_wav_cli.api.candidates import choose_new, find_candidates, make_excerpt
from suno_wav_cli.models import is_id

TASK = "988edfae04e6c8d3"
KEYS = ["taskId", "task_id", "recordId", "id"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b'{"code": 0, "data": {"taskId": "t-1"}}', ("t-1",), id="another code"),
        pytest.param(b'{"result": {"job": [{"task_id": "t-1"}]}}', ("t-1",), id="nested"),
        pytest.param(b'{"taskId": ["t-1"]}', ("t-1",), id="a list"),
        pytest.param(b'{"taskIds": ["t-1"]}', ("t-1",), id="a list of its own name"),
        pytest.param(b'{"recordId": 17}', ("17",), id="a number"),
        pytest.param(b'{"id": 17}', ("17",), id="a number, and only an id"),
        pytest.param(b'{"data": "988edfae04e6c8d3"}', (TASK,), id="data is the id"),
        pytest.param(b'{"data": ["988edfae04e6c8d3"]}', (TASK,), id="data is a list of it"),
        pytest.param(b'{"data": "success", "id": true, "taskId": null}', (), id="words"),
        pytest.param(b'{"data": "accepted"}', (), id="a word of eight letters"),
        pytest.param(b'{"taskId": ""}', (), id="empty"),
        pytest.param(b'{"taskId": 1.5}', (), id="a fraction"),
        pytest.param(
            json.dumps({"data": json.dumps({"taskId": "t-1"})}).encode(), ("t-1",), id="JSON in JSON"
        ),
        pytest.param(
            json.dumps({"a": json.dumps({"b": json.dumps({"taskId": "t-1"})})}).encode(),
            ("t-1",),
            id="and again",
        ),
        pytest.param(b')]}\',\n{"taskId": "t-1"}', ("t-1",), id="behind junk"),
        pytest.param(b'callback({"taskId":"t-1"});', ("t-1",), id="a function call"),
        pytest.param(b"<r><taskId>t-1</taskId></r>", ("t-1",), id="XML"),
        pytest.param(b"ok=1&taskId=t-1&x=2", ("t-1",), id="a form"),
        pytest.param(b'{"\\u0074askId": "t\\u002d1"}', ("t-1",), id="JSON's escapes"),
        pytest.param(b'<div id="root" data="1234567890">', (), id="HTML"),
        pytest.param(b'{"taskId": "t-1", "msg": "acc', ("t-1",), id="broken off behind the id"),
        pytest.param(b'{"taskId": "t-1', (), id="broken off in the id"),
        pytest.param(b'{"taskId": 12', (), id="broken off in a number"),
        pytest.param(b'{"id": "a", "recordId": "b", "taskId": "c"}', ("c", "b", "a"), id="best first"),
        pytest.param(b'{"taskId": "a", "x": {"taskId": "a"}}', ("a",), id="twice the same"),
        pytest.param(b'{"musicTaskId": "m", "parent_task_id": "p", "userid": "u"}', (), id="other ids"),
        pytest.param(b'{"taskId": "--resubmit"}', (), id="an option"),
        pytest.param(b'{"taskId": "988e****c8d3"}', (), id="masked"),
        pytest.param(b'{"taskId": "' + b"x" * 129 + b'"}', (), id="endless"),
        pytest.param(b'{"taskId": "a b"}', (), id="two words"),
        pytest.param(b"", (), id="nothing"),
        pytest.param(b"988edfae04e6c8d3\n", (TASK,), id="nothing but the id"),
        pytest.param(b'"988edfae04e6c8d3"', (TASK,), id="nothing but the id, as JSON"),
        pytest.param(b"accepted", (), id="nothing but a word"),
    ],
)
def test_ids_are_found_wherever_they_stand(body: bytes, expected: tuple[str, ...]) -> None:
    assert find_candidates(body) == expected


@pytest.mark.parametrize(
    "charset", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp500", "shift_jis"]
)
def test_another_character_set_hides_no_id(charset: str) -> None:
    assert find_candidates('{"msg": "ok", "taskId": "t-1"}'.encode(charset), charset) == ("t-1",)


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("missing", [0, 1, 2, 3])
def test_a_character_set_that_is_not_named_hides_no_id(charset: str, missing: int) -> None:
    body = '{ "taskId": "t-1"}'.encode(charset)[missing:]
    assert find_candidates(body, "utf-8") == ("t-1",)


@pytest.mark.parametrize("charset", ["idna", "punycode", "base64", "rot13", "no-such", "utf-8\n", "mac-x"])
def test_a_character_set_that_is_none_is_passed_over(charset: str) -> None:
    assert find_candidates(b'{"taskId": "t-1"}', charset) == ("t-1",)
    assert make_excerpt(b"a", [], charset) == "a"


def test_no_more_than_eight_are_found() -> None:
    body = json.dumps([{"taskId": f"t-{n}"} for n in range(20)]).encode()
    assert find_candidates(body) == tuple(f"t-{n}" for n in range(8))


def test_the_ids_of_the_request_come_only_if_there_is_no_other() -> None:
    assert choose_new(["music", "t-1", "audio"], ("audio", "music")) == ("t-1",)
    assert choose_new(["music"], ("audio", "music")) == ("music",)


PACKED = st.recursive(
    st.sampled_from(KEYS).map(lambda key: {key: TASK}),
    lambda inner: st.one_of(
        inner.map(lambda value: [value]),
        inner.map(lambda value: {"data": value, "msg": "ok"}),
        inner.map(lambda value: {"data": json.dumps(value)}),
    ),
    max_leaves=4,
)


@given(value=PACKED, junk=st.text(st.characters(codec="utf-8", exclude_characters="'\"\\"), max_size=10))
def test_an_id_is_found_however_it_is_packed(value: object, junk: str) -> None:
    assert find_candidates(f"{junk}\n{json.dumps(value)}\n{junk}".encode()) == (TASK,)


@given(value=PACKED, data=st.data())
def test_a_body_that_broke_off_names_the_whole_id_or_none(value: object, data: st.DataObject) -> None:
    body = json.dumps(value).encode()
    assert find_candidates(body[: data.draw(st.integers(0, len(body)))]) in {(), (TASK,)}


@pytest.mark.long
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.lists(
            st.sampled_from(["id", '"', ":", "\\", "taskId", "=", ">", "[", " ", "a-1", "'"]), max_size=60
        ).map(lambda parts: "".join(parts).encode()),
    ),
    charset=st.sampled_from([None, "utf-8", "utf-16", "utf-7", "shift_jis", "gb18030"]),
)
@example(body=b'"id":' * 200_000, charset=None)
@example(body=b"taskId" + b" " * 1_000_000, charset=None)
@example(body=b"\\" * 1_000_000, charset="utf-16")
@example(body=b"/" + b"x@" * 500_000, charset=None)
def test_any_bytes_give_at_most_eight_ids_and_a_short_printable_text(
    body: bytes, charset: str | None
) -> None:
    found = find_candidates(body, charset)
    assert len(found) <= 8
    assert all(is_id(named) for named in found)
    excerpt = make_excerpt(body, ["secret"], charset) or ""
    assert len(excerpt.encode()) <= 1024
    assert excerpt.isprintable()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(b"", None, id="nothing"),
        pytest.param(b" \n", None, id="blanks"),
        pytest.param(b"accepted", "accepted", id="a word"),
        pytest.param(b"Really? Yes.", "Really? Yes.", id="a question"),
        pytest.param(b"a\nb\x1b[2J\x00", "a\\nb\\x1b[2J", id="control characters"),
        pytest.param("a\u202eb\u00e9".encode(), "a\\u202eb\u00e9", id="a change of direction"),
        pytest.param(b"key key-1234 end", "key (hidden) end", id="a secret"),
        pytest.param(b"https://x/a%2Fb%20key-1234", "https://x/a%2Fb%20(hidden)", id="a secret in a URL"),
        pytest.param(
            b"see /cb/p%40th and /cb/p@th", "see (hidden) and (hidden)", id="a secret that URLs escape"
        ),
        pytest.param(b"https:\\/\\/x\\/cb\\/p@th", "https:\\/\\/x(hidden)", id="a secret that JSON escapes"),
        pytest.param(b"\\u006bey-1234", "(hidden)", id="a secret in JSON's escapes"),
        pytest.param("key-1234".encode("utf-16-le"), "(hidden)", id="a secret in another character set"),
        pytest.param(b"broken off: key-12", "broken off:", id="half a secret at the end"),
        pytest.param(
            b'{"u": "https://x/a.wav?sig=1&k=2"}', '{"u": "https://x/a.wav?(hidden)"}', id="a query"
        ),
        pytest.param(
            b'"https://x/a?sig=1\\u0026k=2" b', '"https://x/a?(hidden)" b', id="a query in JSON's escapes"
        ),
        pytest.param(
            b'"{\\"u\\": \\"https:\\/\\/x\\/a?sig=1\\"}"',
            '"{\\"u\\": \\"https:\\/\\/x\\/a?(hidden)\\"}"',
            id="twice JSON",
        ),
        pytest.param(b"https://me:pw@x/a", "https://x/a", id="a user in a URL"),
    ],
)
def test_an_excerpt_shows_no_secrets(body: bytes, expected: str | None) -> None:
    assert make_excerpt(body, ["key-1234", "/cb/p@th"]) == expected


def test_an_excerpt_ends_within_a_kibibyte() -> None:
    assert make_excerpt("é".encode() * 5000, []) == "é" * 512


@given(before=st.text(max_size=50), after=st.text(max_size=50))
def test_no_secret_is_ever_kept(before: str, after: str) -> None:
    body = f"{before}key-1234{after}".encode("utf-8", "replace")
    assert "key-1234" not in (make_excerpt(body, ["key-1234"]) or "")
