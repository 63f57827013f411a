"""The picture of the README, drawn by rich from real runs. `python -m tests.support.picture` writes it.

Ids, times and ports are replaced by fixed ones, so that two runs give the same picture.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from html import unescape
from io import StringIO
from pathlib import Path

PICTURE = Path(__file__).parents[2] / ".github" / "screen.svg"
SONGS = (
    "8551ab12-34cd-4e5f-8a9b-0c1d2e3f662c",
    "1f0c2d3e-55aa-4b6c-9d8e-7f6a5b4c3d2e",
    "c27e0f4b-9d1a-4a55-8e0b-6a1d2c3b4f50",
)
_COLUMNS = 118
_COMMANDS = (
    "suno-wav convert --from-file songs.txt --out album/ --dry-run",
    f"suno-wav convert {SONGS[0]} --out song.wav",
    "suno-wav inspect song.wav",
    "suno-wav jobs",
)


def run_commands() -> str:
    """Run the commands one after another at a sandbox of their own. Return what a terminal would show."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "songs.txt").write_text("\n".join(SONGS) + "\n", encoding="utf-8")
        environ = {
            **os.environ,
            "SUNO_WAV_HOME": f"{folder}/home",
            "SUNO_WAV_PROVIDER": "sandbox",
            "COLUMNS": str(_COLUMNS),
            "TZ": "UTC",
            "PYTHONPATH": str(PICTURE.parents[1]),
        }
        shown = ""
        for command in _COMMANDS:
            done = subprocess.run(
                [sys.executable, "-m", "suno_wav_cli", *shlex.split(command)[1:]],
                cwd=folder,
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=True,
            )
            shown += f"$ {command}\n{done.stdout}\n"
    return mask(shown)


def mask(text: str) -> str:
    text = re.sub(r"\b[0-9a-f]{32}\b", "6fe1d2fb0db0d1ba3bb3a1dcc4cbb1cf", text)
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:41293", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-06-01 12:00", text)
    return re.sub(r"\d{4}-\d\d-\d\d(?! \d\d:)", "2026-06-16", text)


def draw(text: str) -> str:
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True)
    for line in text.rstrip().splitlines():
        console.print(Text(line, style="bold green" if line.startswith("$ ") else ""))
    return console.export_svg(title="suno-wav", unique_id="suno-wav")


def read_text(svg: str) -> str:
    """Return the words of a picture, whatever rich's version makes of their places."""
    lines = re.findall(r"<text [^>]*clip-path[^>]*>(.*?)</text>", svg, re.DOTALL)
    return "".join(unescape(line) for line in lines)


if __name__ == "__main__":
    PICTURE.write_text(draw(run_commands()), encoding="utf-8")
