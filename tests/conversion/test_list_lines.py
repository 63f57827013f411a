"""Lists that other programs wrote: columns, objects, and every encoding that spreadsheets choose."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suno_wav_cli.conversion.song_list import read_songs, write_failures
from suno_wav_cli.errors import UsageError
from suno_wav_cli.events.payments import LineRefused
from suno_wav_cli.models import Song

if TYPE_CHECKING:
    from suno_wav_cli.events import Event

TASK = "0123456789abcdef0123456789abcdef"
UUID = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"
OTHER = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662d"
TRACK = f'{{"event": "track", "audio_id": "{UUID}", "music_task_id": "{TASK}", "title": "Café"}}'


def read(content: str | bytes) -> list[Song]:
    Path("songs").write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_songs("songs", lambda _event: None).songs


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"audio_id,music_task_id,title\n{UUID},{TASK},Café\n", id="CSV"),
        pytest.param(
            f"sep=;\ntitle;music_task_id;audio_id\nCafé;{TASK};{UUID}\n",
            id="Excel's first line, another order",
        ),
        pytest.param(f'Title|Music Task ID|Audio ID\n"Café"|{TASK}|{UUID}\n', id="names of another form"),
        pytest.param(
            f'"title","lyrics","audioId","taskId"\n"Café","two\n\nlines, ""so""","{UUID}",{TASK}\n',
            id="lines in a cell",
        ),
        pytest.param(f"{TRACK}\n", id="an object a line"),
        pytest.param(json.dumps(json.loads(TRACK), indent=2) + "\n", id="an object over lines"),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_list_may_come_from_any_program(text: str, end: str, encoding: str) -> None:
    content = text.replace("\n", end).encode(encoding)
    assert read(content) == [Song(audio_id=UUID, music_task_id=TASK, title="Café")]


@pytest.mark.parametrize(
    ("text", "songs"),
    [
        pytest.param(f"{UUID},Café\n{OTHER},Two words\n", [UUID, OTHER], id="no names"),
        pytest.param(f"Two words\t{UUID}\n", [UUID], id="no names, and tabs"),
        pytest.param(f"{UUID},\n{OTHER},\n", [UUID, OTHER], id="commas at the ends"),
        pytest.param(f"{UUID};;\n", [UUID], id="semicolons at the end"),
        pytest.param(f"a\n\ufeff{UUID}\n", ["a", UUID], id="joined files"),
        pytest.param(f'{{"event": "progress"}}\n{TRACK}\n', [UUID], id="an event without a song"),
        pytest.param(
            f"title,audio_id\none,https://suno.com/song/{UUID.upper()}\n", [UUID], id="an address in a column"
        ),
        pytest.param(f"https://suno.com/song/{UUID}?a=1,2\n", [UUID], id="an address with a comma"),
        pytest.param(f'"{UUID}"\n"{OTHER}"\n', [UUID, OTHER], id="one quoted column"),
        pytest.param(f"# sheet\n\n{UUID},One\n# {OTHER}\n,\n", [UUID], id="comments between rows"),
        pytest.param("demo+1,One\ndemo+2,Two\n", ["demo+1", "demo+2"], id="demo ids"),
        pytest.param(f"{UUID}\n{UUID.upper()}\n{UUID.title()}\n", [UUID], id="the same in other cases"),
    ],
)
def test_what_cannot_be_misunderstood_is_read(text: str, songs: list[str]) -> None:
    assert [song.audio_id for song in read(text)] == songs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("title;clip\n", "columns without names", id="a header without audio_id"),
        pytest.param("# mine\nAUDIO_ID\n\n", "'AUDIO_ID' is a placeholder", id="a copied example"),
        pytest.param(f"{UUID},{TASK},{OTHER}\n", "columns without names", id="two ids in a row"),
        pytest.param(f"{UUID}\tSunrise\n", "columns without names", id="a title beside an id"),
        pytest.param("audio_id,title,Audio ID\n", "two columns of one name", id="a column twice"),
        pytest.param("[\n", "an array", id="an array"),
        pytest.param(f'[{{"audio_id": "{UUID}"}}]\n', "an array", id="an array on one line"),
        pytest.param(f'[ {{ "audio_id" : "{UUID}" }} ]\n', "an array", id="an array with blanks"),
        pytest.param(f"audio_id: {UUID}\n", "names a song", id="YAML"),
        pytest.param(f"audio_id,{UUID}\n", "names a song", id="a name and a song in columns"),
        pytest.param(f"audio-id https://suno.com/song/{UUID}\n", "names a song", id="a name and a URL"),
        pytest.param(
            f'{TRACK}\n{{"event": "failed", "exit_code": 6}}\n',
            "did not succeed",
            id="the output of a failure",
        ),
        pytest.param('{"audio_id": 5}\n', "no audio_id", id="a number"),
        pytest.param(f'{UUID},"no end\n', "the columns cannot be read", id="a quote without an end"),
        pytest.param(f"title,audio_id\n#1,{UUID}\n", "begins with #", id="a comment or a title"),
        pytest.param(f"{UUID}\0{OTHER}\0", "a null character", id="zeros"),
        pytest.param(f"audio_id,title\n{UUID},a\0\n", "a null character", id="a zero in a cell"),
        pytest.param(
            f"audio_id,title\n{UUID},Caf".encode() + b"\xe9\n",
            "not UTF-8 text",
            id="a title as Windows has it",
        ),
    ],
)
def test_what_could_be_another_song_is_refused(text: str | bytes, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read(text)


@pytest.mark.parametrize(
    "long", ["a" * 90_000, "a" * 90_000 + ".txt", "x://" + "a" * 90_000, "\u3042" * 90_000]
)
@pytest.mark.parametrize(
    "form", ["{}\n", '{{"audio_id": "{}"}}\n', f'{{{{"audio_id": "{UUID}", "music_task_id": "{{}}"}}}}\n']
)
def test_a_line_that_is_no_song_is_shown_in_part(form: str, long: str) -> None:
    """A line may have a million characters, and a program's output among them."""
    with pytest.raises(UsageError, match="is not a") as caught:
        read(form.format(long))
    assert len(f"{caught.value.message}{caught.value.remedy}") < 500


@pytest.mark.parametrize(
    "heading", ["audio_id\n", "audio_id,title\n", "AUDIO_ID,TITLE\n", "audio_id task_id\n"]
)
def test_a_heading_without_rows_is_an_empty_list(heading: str) -> None:
    """As programs export it. In capitals, it may have rows below it."""
    assert read(heading) == []
    assert read(f"AUDIO_ID\n{UUID}\n") == [Song(audio_id=UUID)]


def test_the_music_task_of_a_job_is_not_its_wav_task() -> None:
    rows = f"audio_id,task_id,music_task_id\n{UUID},{TASK},\n{OTHER},{TASK},{TASK[::-1]}\n"
    assert [song.music_task_id for song in read(rows)] == [None, TASK[::-1]]


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("", True),
        (f"# c\n{UUID} {TASK}\n", True),
        (f"audio_id task_id\n{UUID} {TASK}\n", True),
        (f"{TRACK}\n", False),
        (f"audio_id,task_id\n{UUID},{TASK}\n", False),
        (f"{UUID},One\n", False),
    ],
)
def test_only_plain_lines_can_be_replaced_by_what_failed(text: str, is_plain: bool) -> None:
    Path("songs").write_text(text)
    assert read_songs("songs", print).is_plain is is_plain


def test_the_first_bad_lines_are_shown_and_all_are_counted() -> None:
    shown: list[Event] = []
    Path("songs").write_text("a\n" + "?\n" * 30 + "b\n")
    with pytest.raises(UsageError) as caught:
        read_songs("songs", shown.append)
    assert caught.value.message == "songs: 30 lines cannot be read; the first 20 are above"
    assert [event.line for event in shown if isinstance(event, LineRefused)] == list(range(2, 22))


def test_the_lines_of_a_spreadsheet_have_their_own_numbers() -> None:
    shown: list[Event] = []
    Path("songs").write_text(f'# a\naudio_id,x\n?,"1\n2"\n{UUID},3\n?,4\n')
    with pytest.raises(UsageError):
        read_songs("songs", shown.append)
    assert [event.line for event in shown if isinstance(event, LineRefused)] == [3, 6]


_UUIDS = st.uuids().map(str)
_TASKS = st.none() | st.from_regex(r"[0-9a-f]{32}", fullmatch=True) | _UUIDS
_TITLES = st.none() | st.text(st.characters(blacklist_characters="\0\r"), min_size=1, max_size=30).filter(
    lambda title: not title.strip().startswith("#")
)
_SONGS = st.lists(
    st.builds(Song, audio_id=_UUIDS, music_task_id=_TASKS, title=_TITLES),
    max_size=6,
    unique_by=lambda song: song.audio_id,
)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@given(songs=_SONGS, delimiter=st.sampled_from(",;\t|"), end=st.sampled_from(["\n", "\r\n"]))
def test_what_a_spreadsheet_writes_is_what_is_read(
    encoding: str, songs: list[Song], delimiter: str, end: str
) -> None:
    sheet = io.StringIO()
    writer = csv.writer(sheet, delimiter=delimiter, lineterminator=end)
    writer.writerow(["title", "audio_id", "music_task_id"])
    for song in songs:
        writer.writerow([song.title, song.audio_id, song.music_task_id])
    found = read(sheet.getvalue().encode(encoding, "replace"))
    assert [replace(song, title=None) for song in found] == [replace(song, title=None) for song in songs]


@given(songs=_SONGS)
def test_what_is_written_of_failures_is_what_is_read(songs: list[Song]) -> None:
    path = Path("errors")
    path.touch()
    assert write_failures(path, [(song, "why\n# not") for song in songs])
    found = read_songs("errors", print)
    assert (found.songs, found.is_plain) == (songs, True)
