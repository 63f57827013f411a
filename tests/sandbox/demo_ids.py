"""The table of audio ids in the sandbox's page. `python -m tests.sandbox.demo_ids` writes it."""

from __future__ import annotations

from pathlib import Path

from suno_wav_cli.sandbox.behaviours import BEHAVIOURS
from suno_wav_cli.sandbox.demo_ids import PATTERNS

PAGE = Path(__file__).parents[2] / "suno_wav_cli" / "sandbox" / "README.md"
_BEGIN, _END = "<!-- sandbox ids: begin -->\n", "<!-- sandbox ids: end -->\n"


def make_table() -> str:
    listed = {name: behaviour.about for name, behaviour in BEHAVIOURS.items()} | dict(PATTERNS)
    rows = "".join(f"| `{name}` | {about} |\n" for name, about in listed.items())
    return f"| audio id | what happens |\n| --- | --- |\n{rows}"


def read_table() -> str:
    return PAGE.read_text(encoding="utf-8").partition(_BEGIN)[2].partition(_END)[0]


def write_table() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    after = rest.partition(_END)[2]
    PAGE.write_text(before + _BEGIN + make_table() + _END + after, encoding="utf-8")


if __name__ == "__main__":
    write_table()
