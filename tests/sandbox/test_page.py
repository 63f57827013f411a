"""The sandbox's page says what the sandbox does."""

from __future__ import annotations

from tests.sandbox.demo_ids import PAGE, make_table, read_table


def test_the_page_lists_the_audio_ids_that_the_sandbox_knows() -> None:
    assert read_table() == make_table(), "python -m tests.sandbox.demo_ids writes the table"


def test_the_page_names_every_module() -> None:
    text = PAGE.read_text(encoding="utf-8")
    modules = {path.relative_to(PAGE.parent).as_posix() for path in PAGE.parent.rglob("*.py")}
    assert {name for name in modules if not name.endswith("__init__.py") and f"`{name}`" not in text} == set()
