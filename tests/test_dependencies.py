"""Bounds of the dependencies, and the names of theirs that are used."""

from __future__ import annotations

import re

from tests.support.lowest_versions import lowest_versions
from tests.support.program import REPOSITORY

# What httpx2 renamed or dropped: https://github.com/pydantic/httpx2
RENAMED = [
    "REQUESTED_RANGE_NOT_SATISFIABLE",
    "REQUEST_ENTITY_TOO_LARGE",
    "REQUEST_URI_TOO_LONG",
    "UNPROCESSABLE_ENTITY",
]
DIFFERENT = re.compile(rf"httpx\.(_|main\b|codes\.({'|'.join(RENAMED)})\b)")

# To load httpx without its command line. Under httpx2 it has no effect.
ALLOWED = 'sys.modules["httpx._main"]'


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def test_lower_bounds_leave_out_what_advisories_name() -> None:
    """CVE-2025-43859 (h11), CVE-2026-45409 (idna), CVE-2026-54283 (starlette)."""
    lowest = {name: version(text) for name, text in lowest_versions().items()}
    assert lowest["h11"] >= (0, 16)
    assert lowest["httpcore"] >= (1, 0, 9), "earlier ones do not allow this h11"
    assert lowest["idna"] >= (3, 15)
    assert lowest["starlette"] >= (1, 3, 1)


def test_nothing_of_httpx_is_used_that_httpx2_does_not_have() -> None:
    sources = [
        *(REPOSITORY / "suno_wav_cli").rglob("*.py"),
        *(file for file in (REPOSITORY / "tests").rglob("*.py") if file.name != "test_dependencies.py"),
    ]
    found = [
        f"{file.relative_to(REPOSITORY)}: {match[0]}"
        for file in sources
        for match in DIFFERENT.finditer(file.read_text(encoding="utf-8").replace(ALLOWED, ""))
    ]
    assert found == []
