"""The API's page, and the docstrings that cite it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "suno_wav_cli" / "api" / "README.md").read_text(encoding="utf-8")
_NUMBERS = r"\d+(?:(?:,| and| to|, \d+ and) \d+)*"
_CITATION = re.compile(rf"(\S+\s+)sections? ({_NUMBERS})")


def find_citations() -> list[tuple[str, str, str]]:
    """Return each mention of a section: the file, the word before it, and its numbers."""
    files = [*REPOSITORY.glob("suno_wav_cli/**/*.py"), *REPOSITORY.glob("tests/**/*.py")]
    return [
        (str(path.relative_to(REPOSITORY)), match[1].strip(), match[2])
        for path in files
        if path != Path(__file__)
        for match in _CITATION.finditer(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.long
def test_every_cited_section_exists() -> None:
    sections = set(re.findall(r"^## (\d+)\. ", PAGE, re.MULTILINE))
    cited = {number for _, _, numbers in find_citations() for number in re.findall(r"\d+", numbers)}
    assert cited
    assert cited - sections == set()


@pytest.mark.long
def test_every_citation_names_the_page() -> None:
    assert [citation for citation in find_citations() if not citation[1].endswith("api/README.md,")] == []


def test_the_page_has_the_seven_sections() -> None:
    assert re.findall(r"^## (\d+)\. ", PAGE, re.MULTILINE) == [str(number) for number in range(1, 8)]
