"""What each command shows on terminals of three sizes, kept in screens/commands/.

If they are to look otherwise, draw them again, and look at them:

REDRAW=1 python -m pytest -m long tests/terminal/test_command_screens.py

The end of a line that the terminal itself had to break is marked with ↩: what is to be pasted is still one line.
"""

from __future__ import annotations

import os

import pytest

from tests.terminal.command_screens import FOLDER, SIZES, STORIES, draw


@pytest.mark.long
@pytest.mark.parametrize(("columns", "rows"), SIZES)
@pytest.mark.parametrize("name", STORIES)
def test_a_command_looks_as_it_did(name: str, columns: int, rows: int) -> None:
    """A slow machine may have more to say: what it waits for. So there is a second try."""
    file = FOLDER / f"{name}-{columns}x{rows}.txt"
    if os.environ.get("REDRAW"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(draw(name, columns, rows), encoding="utf-8")
    kept = file.read_text(encoding="utf-8")
    drawn = draw(name, columns, rows)
    if drawn != kept:
        drawn = draw(name, columns, rows)
    assert drawn == kept
