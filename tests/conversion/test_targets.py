"""Which song becomes which file: whatever the service calls it, and before anything is paid for."""

from __future__ import annotations

import os
import socket
import stat
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suno_wav_cli.api.records import read_record
from suno_wav_cli.api.tracks import read_music_task
from suno_wav_cli.conversion.ids import audio_id_of
from suno_wav_cli.conversion.names import FIELDS
from suno_wav_cli.conversion.song_list import unique_songs
from suno_wav_cli.conversion.targets import check_targets, choose_targets
from suno_wav_cli.download.part_file import open_part
from suno_wav_cli.errors import OutputExists, UsageError
from suno_wav_cli.models import Song

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.program import Sandbox

TODAY = date(2025, 3, 1)
ID = "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"
SONG = Song(audio_id=ID, music_task_id="988e0123456789abcdef0123456789ab", title="A song")
LONGEST = 255


def file_of(song: Song, out: str | None) -> Path:
    (target,) = choose_targets([song], out, TODAY)
    return target


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param(ID, id="an id"),
        pytest.param(f"  {ID}\n", id="with blanks around"),
        pytest.param(f"https://suno.com/song/{ID}", id="a song's URL"),
        pytest.param(f"https://suno.com/song/{ID}/", id="with a slash"),
        pytest.param(f"https://suno.com/song/{ID}?sh=abc&time=10", id="with a query"),
        pytest.param(f"https://suno.com/song/{ID}#lyrics", id="with a fragment"),
        pytest.param(f"http://app.suno.ai/song/{ID}/", id="an older address"),
    ],
)
def test_an_audio_id_is_taken_from_what_people_paste(argument: str) -> None:
    assert audio_id_of(argument) == ID


@pytest.mark.parametrize("argument", ["demo", "demo-fails+1", "a", "A.b_c~d", "9", "x" * 128])
def test_ids_need_not_look_alike(argument: str) -> None:
    assert audio_id_of(argument) == argument


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("988e0123456789abcdef0123456789ab", id="an id"),
        pytest.param("988E0123456789ABCDEF0123456789AB", id="in capitals"),
        pytest.param("https://x/song/988e0123456789abcdef0123456789ab", id="in a URL"),
    ],
)
def test_a_task_id_in_this_place_is_recognised(argument: str) -> None:
    with pytest.raises(UsageError, match="looks like a task id") as caught:
        audio_id_of(argument)
    assert caught.value.continue_argv is not None
    assert "--task-id" in caught.value.continue_argv


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("", id="nothing"),
        pytest.param("   ", id="blanks"),
        pytest.param("..", id="the folder above"),
        pytest.param("../etc/passwd", id="a path"),
        pytest.param(".hidden", id="a hidden file"),
        pytest.param("-x", id="an option"),
        pytest.param("a b", id="two words"),
        pytest.param("a\nb", id="two lines"),
        pytest.param("a\0b", id="a zero"),
        pytest.param("C:\\song", id="a drive"),
        pytest.param("ünï", id="other letters"),
        pytest.param("x" * 129, id="too long"),
        pytest.param("https://suno.com/", id="a URL without a song"),
        pytest.param("https://suno.com/song/..", id="a URL that leads up"),
        pytest.param("https://", id="no host"),
        pytest.param("https://[::1/song/a", id="a bracket too few"),
        pytest.param("https://\u2100.example/song/a", id="a host that no URL can have"),
        pytest.param("://", id="no scheme"),
    ],
)
def test_what_is_no_audio_id_is_said(argument: str) -> None:
    with pytest.raises(UsageError, match="is not an audio id"):
        audio_id_of(argument)


@given(
    argument=st.one_of(st.text(st.characters()), st.text(st.characters()).map(lambda text: "https://" + text))
)
def test_any_argument_is_an_id_or_wrong_usage(argument: str) -> None:
    try:
        found = audio_id_of(argument)
    except UsageError:
        return
    assert file_of(Song(audio_id=found), None).parent == Path()


@pytest.mark.parametrize(
    ("out", "song", "expected"),
    [
        pytest.param(None, SONG, "A song (8551ab12).wav", id="nothing said"),
        pytest.param(None, Song(audio_id=ID), f"{ID}.wav", id="nothing said, and no title"),
        pytest.param("song.wav", SONG, "song.wav", id="a file"),
        pytest.param("song", SONG, "song", id="a file without an ending"),
        pytest.param("there/", SONG, "there/A song (8551ab12).wav", id="a folder"),
        pytest.param("there", SONG, "there/A song (8551ab12).wav", id="a folder that is there"),
        pytest.param("new/", SONG, "new/A song (8551ab12).wav", id="a folder that is not there yet"),
        pytest.param("{title}.wav", SONG, "A song.wav", id="{title}"),
        pytest.param("{title}.wav", Song(audio_id=ID), f"{ID}.wav", id="{title}, and there is none"),
        pytest.param("{audio_id}.wav", SONG, f"{ID}.wav", id="{audio_id}"),
        pytest.param("{id8}.wav", SONG, "8551ab12.wav", id="{id8}"),
        pytest.param("{task_id}.wav", SONG, "988e0123456789abcdef0123456789ab.wav", id="{task_id}"),
        pytest.param(
            "{task_id}.wav", Song(audio_id=ID), "unknown-task.wav", id="{task_id}, and it is not known"
        ),
        pytest.param("{date}.wav", SONG, "2025-03-01.wav", id="{date}"),
        pytest.param("there/{date} {title}.wav", SONG, "there/2025-03-01 A song.wav", id="several"),
        pytest.param("{{{title}}}.wav", SONG, "{A song}.wav", id="braces"),
    ],
)
def test_out_is_a_file_a_folder_or_a_template(out: str | None, song: Song, expected: str) -> None:
    Path("there").mkdir()
    assert file_of(song, out) == Path(expected)


def test_a_tilde_is_the_persons_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert file_of(SONG, "~/song.wav") == Path("/home/me/song.wav")
    assert file_of(SONG, "~/{title}.wav") == Path("/home/me/A song.wav")


@pytest.mark.parametrize(
    "out",
    [
        pytest.param("{name}.wav", id="an unknown field"),
        pytest.param("{}.wav", id="no field"),
        pytest.param("{0}.wav", id="a number"),
        pytest.param("{title.__class__}.wav", id="an attribute"),
        pytest.param("{title[0]}.wav", id="an index"),
        pytest.param("{title.wav", id="not closed"),
        pytest.param("{title}}.wav", id="closed twice"),
        pytest.param("{title:{name}}.wav", id="an unknown field inside another"),
        pytest.param("{title:{}}.wav", id="no field inside another"),
        pytest.param("{date:%Y}.wav", id="a format that texts do not have"),
        pytest.param("{title:5d}.wav", id="a format for numbers"),
        pytest.param("{title!x}.wav", id="an unknown conversion"),
        pytest.param("{title!}.wav", id="an empty conversion"),
    ],
)
def test_a_template_that_is_none_is_said_with_the_fields_there_are(out: str) -> None:
    with pytest.raises(UsageError) as caught:
        file_of(SONG, out)
    assert all(f"{{{name}}}" in caught.value.remedy for name in FIELDS)


@pytest.mark.parametrize("out", ["~nobody-of-this-name/song.wav", "~nobody-of-this-name/{title}.wav"])
def test_the_home_of_nobody_is_said(out: str) -> None:
    with pytest.raises(UsageError, match="nobody-of-this-name"):
        file_of(SONG, out)


def test_several_songs_need_several_names() -> None:
    songs = [Song(audio_id="a-1", title="Same"), Song(audio_id="a-2", title="Same")]
    with pytest.raises(UsageError, match=r"several songs cannot all become song\.wav"):
        choose_targets(songs, "song.wav", TODAY)
    assert [target.name for target in choose_targets(songs, None, TODAY)] == [
        "Same (a-1).wav",
        "Same (a-2).wav",
    ]


def test_a_song_that_is_named_twice_is_one_file_and_the_order_is_kept() -> None:
    songs = [Song(audio_id="b"), Song(audio_id="a"), Song(audio_id="b"), Song(audio_id="c")]
    targets = choose_targets(unique_songs(songs), None, TODAY)
    assert [target.stem for target in targets] == ["b", "a", "c"]


def test_an_empty_out_is_refused() -> None:
    """As an unset variable in a script makes it."""
    with pytest.raises(UsageError, match="--out is empty"):
        file_of(SONG, "")


def test_no_songs_have_no_targets() -> None:
    assert choose_targets([], None, TODAY) == []


TITLES = st.text(
    st.one_of(st.characters(), st.sampled_from('/\\.~:*?"<>| \0\n\x7f\x85\u2028{}$%\ud800äé日🎵')),
    max_size=300,
)


def check_name(target: Path, folder: Path) -> None:
    """Fail unless the file is a plain name in the folder, on every system and with `.part` beside it."""
    assert target.parent == folder
    assert target.name not in ("", ".", "..")
    assert target.name == target.name.strip(" ")
    assert len(os.fsencode(target.name)) + len(".part") <= LONGEST
    assert not set(target.name) & set('<>:"/\\|?*')
    assert all(letter > "\x1f" and not "\x7f" <= letter <= "\x9f" for letter in target.name)
    assert target.name.encode("utf-8", "replace").decode() == target.name


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("out", [None, "there/", "{title}.wav", "there/{title}.wav", "{title} {id8}.wav"])
@example(title="../../etc/passwd")
@example(title="/etc/passwd")
@example(title="..")
@example(title=" . ")
@example(title="")
@example(title="~")
@example(title="~root")
@example(title="\ud800")
@example(title="{audio_id}")
@example(title="日" * 300)
@example(title="a" * 199 + "é" * 10)
@given(title=TITLES)
def test_whatever_the_title_the_name_stays_in_its_folder_and_fits(out: str | None, title: str) -> None:
    folder = Path("there") if out is not None and out.startswith("there") else Path()
    check_name(file_of(Song(audio_id=ID, title=title), out), folder)


@pytest.mark.parametrize("title", ["~root", "~", "~nobody-of-this-name"])
def test_a_title_is_never_somebodys_home(title: str) -> None:
    """As a folder of its own, too."""
    assert file_of(Song(audio_id=ID, title=title), "{title}/song.wav") == Path(title) / "song.wav"


@pytest.mark.parametrize("title", ["CON", "nul", "Aux.wav"])
def test_a_title_that_windows_keeps_for_itself_is_not_used_alone(title: str) -> None:
    name = file_of(Song(audio_id=ID, title=title), "{title}.wav").name
    assert name.split(".")[0].strip().upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}


HOSTILE_IDS = [
    "../../etc/passwd",
    "/etc/passwd",
    "a/b",
    "..",
    ".",
    "a\\b",
    "C:x",
    "日" * 200,
    "~root",
    "a\u2028b",
]


@pytest.mark.parametrize("out", [None, "{audio_id}.wav", "{id8}.wav"])
@pytest.mark.parametrize("audio_id", HOSTILE_IDS, ids=ascii)
@pytest.mark.parametrize("title", ["A song", None])
def test_an_id_that_the_service_made_up_does_not_lead_out_of_the_folder(
    audio_id: str, title: str | None, out: str | None
) -> None:
    """It is dropped as no id, or made harmless as a title is."""
    listed = {"response": {"sunoData": [{"id": audio_id, "title": title}]}}
    record = read_record("t-1", {"musicId": audio_id})
    songs = [
        Song(audio_id=track.audio_id, music_task_id="m", title=track.title)
        for track in read_music_task("m", listed).tracks
    ]
    for song in (*songs, Song(audio_id=record.audio_id or "t-1")):
        check_name(file_of(song, out), Path())


def check(*targets: str, force: bool = False, ours: bool = False) -> None:
    check_targets([Path(target) for target in targets], ours=lambda _: ours, force=force)


def test_what_is_possible_leaves_no_trace() -> None:
    check("a.wav", "b.wav")
    assert list(Path().iterdir()) == []


def test_an_existing_file_is_refused_unless_forced() -> None:
    Path("a.wav").write_text("mine")
    with pytest.raises(OutputExists, match=r"a\.wav exists"):
        check("b.wav", "a.wav")
    check("a.wav", force=True)
    assert Path("a.wav").read_text() == "mine"


def test_a_dangling_link_is_a_name_that_is_taken() -> None:
    """The rename would refuse it, after the song was paid for."""
    Path("a.wav").symlink_to("nowhere")
    with pytest.raises(OutputExists, match=r"a\.wav exists"):
        check("a.wav")


def test_a_part_is_continued_only_where_it_is_ours() -> None:
    """Somebody's own song.wav.part is no leftover of ours."""
    Path("a.wav.part").write_text("somebody's")
    check("a.wav", ours=True)
    with pytest.raises(OutputExists, match=r"a\.wav\.part exists"):
        check("a.wav")
    assert Path("a.wav.part").read_text() == "somebody's"


@pytest.mark.parametrize("force", [True, False])
def test_a_folder_of_that_name_is_refused(force: bool) -> None:
    Path("a.wav").mkdir()
    with pytest.raises(UsageError, match=r"a\.wav is a folder"):
        check("a.wav", force=force)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("file/a.wav", "file is not a folder", id="a folder that is a file"),
        pytest.param("file/no/a.wav", "file is not a folder", id="a folder in a file"),
        pytest.param("/proc/no/a.wav", "/proc cannot be written to", id="a folder that cannot be made"),
        pytest.param("/proc/a.wav", "/proc cannot be written to", id="a folder that takes nothing"),
    ],
)
def test_a_folder_that_cannot_take_the_file_is_refused(target: str, said: str) -> None:
    Path("file").touch()
    with pytest.raises(UsageError, match=said):
        check(target)


@pytest.mark.parametrize("length", [251, 255, 256, 300])
def test_a_name_for_which_there_is_no_room_is_found_before_anything_is_paid_for(length: int) -> None:
    """With `.part` it must fit too."""
    with pytest.raises(UsageError):
        check("x" * (length - 4) + ".wav")


def test_a_name_that_just_fits_is_possible() -> None:
    check("x" * 246 + ".wav")


def test_a_template_that_makes_a_name_too_long_is_wrong_usage(sandbox: Sandbox) -> None:
    out = "x" * 240 + " {title}.wav"
    done = sandbox.run("convert", "demo+long", "--out", out)
    assert (done.code, done.out, sandbox.counted("submissions", "demo+long")) == (2, "", 0)


def test_a_name_with_a_zero_in_it_is_found_before_anything_is_paid_for() -> None:
    """It cannot come from the command line, but from config.toml."""
    with pytest.raises(UsageError):
        check("a\0b.wav")


@pytest.mark.parametrize(
    "argument",
    [
        pytest.param("https://suno.com/playlist/8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c", id="a playlist"),
        pytest.param("https://suno.com/s/AbCdEfGh1234", id="a share link"),
        pytest.param("https://example.com/foo", id="any page"),
    ],
)
def test_an_address_that_is_no_songs_is_not_paid_for(argument: str) -> None:
    with pytest.raises(UsageError, match="not an audio id or the URL of a song"):
        audio_id_of(argument)


def test_a_song_is_the_same_in_capitals() -> None:
    assert audio_id_of("8551AB12-34CD-4E5F-8A9B-0C1D2E3F662C") == "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c"


# What is not a regular file


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))


def make_device(path: Path) -> None:
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")


def make_link_to_a_fifo(path: Path) -> None:
    os.mkfifo("behind")
    path.symlink_to("behind")


def make_folder(path: Path) -> None:
    path.mkdir()


def make_link(path: Path) -> None:
    Path("precious").write_bytes(b"precious")
    path.symlink_to("precious")


def make_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


SPECIAL = [make_fifo, make_socket, make_device, make_link_to_a_fifo]


@pytest.mark.skipif(os.name == "nt", reason="Windows has none of these in folders")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("make", SPECIAL)
def test_a_target_that_is_no_regular_file_is_refused(make: Callable[[Path], None], force: bool) -> None:
    target = Path("song.wav")
    make(target)
    kind = stat.S_IFMT(target.lstat().st_mode)
    with pytest.raises(UsageError, match=r"song\.wav is not a regular file"):
        check_targets([target], ours=lambda _: True, force=force)
    with open_part(Path("other.wav")) as part:
        part.write(0, b"RIFF")
        part.path = part.path.replace("song.wav.part")
        with pytest.raises(UsageError, match="is not a regular file"):
            part.put_in_place(target, force=force)
    assert stat.S_IFMT(target.lstat().st_mode) == kind


@pytest.mark.skipif(os.name == "nt", reason="Windows has none of these in folders")
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("make", [*SPECIAL, make_folder, make_link, make_dangling_link])
def test_a_part_file_that_is_no_regular_file_is_found_before_anything_is_paid(
    make: Callable[[Path], None], force: bool
) -> None:
    make(Path("song.wav.part"))
    with pytest.raises(UsageError, match=r"song\.wav\.part is not a regular file"):
        check_targets([Path("song.wav")], ours=lambda _: True, force=force)


def test_dev_null_is_refused() -> None:
    with pytest.raises(UsageError, match="is not a regular file"):
        check_targets([Path(os.devnull)], ours=lambda _: False, force=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no FIFOs in folders")
@pytest.mark.first_cases(1)
@pytest.mark.parametrize("name", ["song.wav.part", "song.wav"])
def test_the_program_pays_for_nothing_that_has_no_place(sandbox: Sandbox, name: str) -> None:
    os.mkfifo(name)
    audio_id = f"demo+no-place-{name.count('.')}"
    done = sandbox.run("convert", audio_id, "--out", "song.wav", "--force")
    assert (done.code, done.out, sandbox.counted("submissions", audio_id)) == (2, "", 0)
    assert f"{name} is not a regular file" in done.err
    assert stat.S_ISFIFO(Path(name).lstat().st_mode)
