"""Names of songs: whole in every script, safe on every system, and the same at every run."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from suno_wav_cli.conversion.names import compared
from suno_wav_cli.conversion.targets import NamesInUse, check_targets, choose_targets, make_folders
from suno_wav_cli.errors import UsageError
from suno_wav_cli.journal import Journal, open_journal
from suno_wav_cli.journal.entry import Account
from suno_wav_cli.models import Song

TODAY = date(2025, 3, 1)
ACCOUNT = Account(base_url="http://127.0.0.1:1", provider="sandbox", kept_days=15)
A = "aaaaaaaa-34cd-4e5f-8a9b-0c1d2e3f662c"
B = "bbbbbbbb-34cd-4e5f-8a9b-0c1d2e3f662c"


def names(songs: list[Song], out: str | None = "{title}.wav", journal: Journal | None = None) -> list[str]:
    in_use = NamesInUse(journal.history) if journal else None
    return [str(path) for path in choose_targets(songs, out, TODAY, in_use=in_use)]


def name(title: str, out: str | None = "{title}.wav") -> str:
    return names([Song(audio_id=A, title=title)], out)[0]


@pytest.mark.parametrize(
    "title",
    [
        pytest.param("👩‍👩‍👧‍👦 family", id="emoji with joiners"),
        pytest.param("❤️‍🔥", id="emoji with a selector"),
        pytest.param("🏴󠁧󠁢󠁳󠁣󠁴󠁿", id="the flag of Scotland"),
        pytest.param("می‌خواهم", id="Persian with a non-joiner"),
        pytest.param("क्‍ष", id="Devanagari with a joiner"),
        pytest.param("夜の歌 再见", id="Chinese"),
        pytest.param("مرحبا", id="Arabic"),
        pytest.param("é", id="an accent of its own"),
    ],
)
def test_a_title_stays_whole(title: str) -> None:
    assert name(title) == f"{title}.wav"


@pytest.mark.parametrize("sign", ["👩‍👩‍👧‍👦", "🇮🇷", "é̂", "👍🏽", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "می‌خواهم"], ids=ascii)
@pytest.mark.parametrize("before", range(170, 201))
def test_a_long_title_ends_with_a_whole_sign(sign: str, before: int) -> None:
    title = "x" * before + sign + "y" * 100
    short = name(title).removesuffix(".wav")
    assert len(short.encode()) <= 200
    rest = short.removeprefix("x" * before)
    assert rest == "" or rest.startswith(sign) or sign.startswith("م")
    assert not short.endswith(("\u200d", "\u200c"))


@pytest.mark.parametrize(
    "title",
    [
        *["con", "PRN", "aux.tar.gz", "nul", "COM1", "com9.x", "LPT3", "CONIN$", "conout$", "CLOCK$"],
        *["COM¹", "lpt²", "COM³.txt", "con .txt", "con  ", "com0"],
    ],
)
@pytest.mark.parametrize("out", ["{title}", "{title}.wav", "{title}/song.wav", "new/{title}.wav"])
def test_a_name_that_windows_reserves_is_made_safe(title: str, out: str) -> None:
    assert all(not part.lower().startswith(title.lower()[:3]) for part in Path(name(title, out)).parts)


@pytest.mark.parametrize("title", ["Constant", "com10", "Console.log", "lpt", "CON IN"])
def test_a_name_that_only_begins_so_stays(title: str) -> None:
    assert name(title) == f"{title}.wav"


@pytest.mark.parametrize("out", [None, "{title}.wav", "{title}/x.wav", "new/{title}.wav"])
def test_no_name_is_an_option(out: str | None) -> None:
    assert all(not part.startswith("-") for part in Path(name("-rf", out)).parts)


@pytest.mark.parametrize("out", ["-x.wav", "{title}/-x.wav", "-songs/-x.wav"])
def test_a_name_that_was_typed_is_no_option_either(out: str) -> None:
    with pytest.raises(UsageError, match="an option"):
        name("A song", out)


@pytest.mark.parametrize("out", ["-songs/", "-songs/{title}.wav"])
def test_no_path_begins_as_an_option(out: str) -> None:
    """It is printed, and other programs are given it."""
    assert Path(name("A song", out)).is_absolute()


@pytest.mark.parametrize(
    ("one", "other"),
    [("Same", "Same"), ("Same", "sAME"), ("Café", "Cafe\u0301"), ("Straße", "STRASSE"), ("a/b", "a:b")],
)
def test_songs_of_one_title_get_their_ids(one: str, other: str) -> None:
    songs = [Song(audio_id=A, title=one), Song(audio_id=B, title=other), Song(audio_id="c", title="Other")]
    found = names(songs)
    assert [unicodedata.normalize("NFC", path)[-15:] for path in found[:2]] == [
        " (aaaaaaaa).wav",
        " (bbbbbbbb).wav",
    ]
    assert found[2] == "Other.wav"
    assert names(list(reversed(songs))) == list(reversed(found))


@pytest.mark.parametrize(
    ("out", "expected"),
    [
        ("{title}", ["Vol. 2 (aaaaaaaa)", "Vol. 2 (bbbbbbbb)"]),
        ("{title}/song.wav", ["Vol. 2/song (aaaaaaaa).wav", "Vol. 2/song (bbbbbbbb).wav"]),
        ("{date}.wav", ["2025-03-01 (aaaaaaaa).wav", "2025-03-01 (bbbbbbbb).wav"]),
    ],
)
def test_the_id_stands_before_the_ending(out: str, expected: list[str]) -> None:
    assert names([Song(audio_id=one, title="Vol. 2") for one in (A, B)], out) == expected


def test_ids_that_begin_alike_are_written_whole() -> None:
    songs = [Song(audio_id=f"demo-slow+{n}", title="Same") for n in (1, 2)]
    assert names(songs) == ["Same (demo-slow+1).wav", "Same (demo-slow+2).wav"]


def test_ids_that_differ_in_case_alone_are_refused() -> None:
    with pytest.raises(UsageError, match=r"two songs would become Same\.wav"):
        names([Song(audio_id="a", title="Same"), Song(audio_id="A", title="Same")])


def claim(journal: Journal, audio_id: str, path: str) -> None:
    journal.claim(Song(audio_id=audio_id), Path(path))


def test_what_has_the_plain_name_keeps_it() -> None:
    one, other = Song(audio_id=A, title="Same"), Song(audio_id=B, title="Same")
    with open_journal(None, ACCOUNT) as journal:
        claim(journal, A, "Same.wav")
        assert names([one, other], journal=journal) == ["Same.wav", "Same (bbbbbbbb).wav"]
        assert names([other], journal=journal) == ["Same (bbbbbbbb).wav"]
        assert names([one], journal=journal) == ["Same.wav"]


def test_a_song_alone_keeps_the_name_that_it_had_among_others() -> None:
    one, other = Song(audio_id=A, title="Same"), Song(audio_id=B, title="same")
    with open_journal(None, ACCOUNT) as journal:
        claim(journal, A, "Same (aaaaaaaa).wav")
        assert names([one], journal=journal) == ["Same (aaaaaaaa).wav"]
        # Although it was not begun then.
        assert names([other], journal=journal) == ["same (bbbbbbbb).wav"]


def test_songs_that_come_one_by_one_do_not_meet() -> None:
    """As `resume` takes them."""
    with open_journal(None, ACCOUNT) as journal:
        in_use = NamesInUse(journal.history)
        found = [
            choose_targets([Song(audio_id=one, title="Same")], "{title}.wav", TODAY, in_use=in_use)
            for one in (A, B, A)
        ]
    assert found == [[Path("Same.wav")], [Path("Same (bbbbbbbb).wav")], [Path("Same.wav")]]


_TITLES = st.text(st.sampled_from("aA.ßs -é\u0301()1\u200d/"), min_size=1, max_size=4)


@example(songs=[("123456789", "a"), ("223456789", "A (12345678)"), ("323456789", "a")])
@given(
    songs=st.lists(
        st.tuples(st.from_regex("[0-9]{9,10}", fullmatch=True), _TITLES),
        max_size=6,
        unique_by=lambda one: one[0],
    )
)
def test_no_two_names_are_one_and_a_rerun_chooses_the_same(songs: list[tuple[str, str]]) -> None:
    listed = [Song(audio_id=audio_id, title=title) for audio_id, title in songs]
    with open_journal(None, ACCOUNT) as journal:
        first = names(listed, journal=journal)
        assert len({compared(one) for one in first}) == len(listed)
        for song, path in zip(listed, first, strict=True):
            claim(journal, song.audio_id, path)
        assert names(listed, journal=journal) == first
        assert [names([song], journal=journal)[0] for song in reversed(listed)] == list(reversed(first))


def test_missing_folders_are_made_after_they_were_checked() -> None:
    targets = choose_targets([Song(audio_id=A, title="A/B")], "new/{title}/{id8}.wav", TODAY)
    check_targets(targets, ours=lambda _: False, force=False)
    assert list(Path().iterdir()) == []
    make_folders(targets)
    assert Path("new", "A_B").is_dir()


def test_a_folder_that_cannot_be_made_is_said() -> None:
    Path("new").symlink_to("nowhere")
    with pytest.raises(UsageError, match="new"):
        check_targets([Path("new/a.wav")], ours=lambda _: False, force=False)
    with pytest.raises(UsageError, match="new cannot be made"):
        make_folders([Path("new/a.wav")])
