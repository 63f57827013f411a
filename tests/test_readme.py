"""The README is short, leads nowhere wrong, and what it says to type can be pasted into three shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from tests.support import picture
from tests.support.ngrok_world import ngrok_world
from tests.support.ports import free_port
from tests.support.program import REPOSITORY, run_program

if TYPE_CHECKING:
    from tests.support.ngrok_world import NgrokWorld
    from tests.support.program import Sandbox

PAGES = [REPOSITORY / "README.md", REPOSITORY / ".github" / "README.zh-CN.md"]
SHELLS = {
    # Interactive, as on macOS: there a comment behind a command is a part of it.
    "zsh": ["zsh", "-f", "-i", "-s"],
    "bash": ["bash", "--norc", "--noprofile", "-s"],
    "fish": ["fish", "--no-config"],
}
INSTALLS = ("python3 -m venv", "pipx install")


def blocks_of(page: Path) -> list[str]:
    """Return what is to be pasted, but for what installs: other tests run that."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return [block for block in blocks if not block.startswith(INSTALLS)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_short_and_its_blocks_have_no_comments(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("\n") <= 200
    for line in "".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)).splitlines():
        assert not re.search(r"(^|\s)#", line), line
        assert "..." not in line, line


def test_both_languages_have_the_same_blocks_and_links() -> None:
    english, chinese = (page.read_text(encoding="utf-8") for page in PAGES)
    assert re.findall(r"```sh\n.*?```", english, re.DOTALL) == re.findall(
        r"```sh\n.*?```", chinese, re.DOTALL
    )
    assert re.findall(r"^\| (\d+)", english, re.MULTILINE) == re.findall(r"^\| (\d+)", chinese, re.MULTILINE)


@pytest.mark.parametrize(
    "page",
    [*PAGES, *sorted((REPOSITORY / "suno_wav_cli").rglob("README.md"))],
    ids=lambda page: str(page.parent.name),
)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]*(?:#[^)\s]*)?)\)", page.read_text(encoding="utf-8")):
        path, _, heading = unquote(link).partition("#")
        if "://" in path:
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in {
                re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings
            }, link


def paste(shell: str, block: str, ended: Path, **more: str) -> subprocess.Popen[str]:
    """Start a shell that reads the block as if it were pasted, and notes how each line has `ended`."""
    status = "$status" if shell == "fish" else "$?"
    lines = "".join(f"{line}\necho ended {status} >> {ended}\n" for line in block.splitlines())
    process = start(SHELLS[shell], **more)
    assert process.stdin is not None
    process.stdin.write(lines)
    process.stdin.close()
    process.stdin = None
    return process


def start(command: list[str], **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        env=os.environ | more,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.long
@pytest.mark.parametrize("shell", SHELLS)
def test_the_blocks_can_be_pasted_from_top_to_bottom(shell: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Callbacks come through ngrok's stand-in: polling would take most of a minute for each song."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not here")
    with ngrok_world(tmp_path / "ngrok") as world:
        paste_all(shell, sandbox, world)
        assert any(agent.state["posts"] for agent in world.agents)
        assert world.left == []


def paste_all(shell: str, sandbox: Sandbox, world: NgrokWorld) -> None:
    program = world.executable.with_name("suno-wav")
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m suno_wav_cli "$@"\n')
    program.chmod(0o755)
    port, ids = str(free_port()), count()
    more = {
        **world.env(),
        "NGROK_AUTHTOKEN": "a-token",
        "SUNO_WAV_BASE_URL": sandbox.base_url,
        "SUNO_WAV_PORT": port,
        "PYTHONPATH": str(REPOSITORY),
    }
    listening = None
    for block in blocks_of(PAGES[0]):
        number = next(ids)
        values = {"AUDIO_ID": f"8551ab12-34cd-4e5f-8a9b-{number:012d}", "MUSIC_TASK_ID": f"{number:032x}"}
        text = block.replace("localhost:3000", f"localhost:{port}")
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        # `listen` goes on beside the blocks behind it.
        ended = Path(f"ended{number}.txt")
        if text.startswith("suno-wav listen"):
            listening = paste(shell, text, ended, **more)
            assert listening.stdout is not None
            while "listening at" not in (line := listening.stdout.readline()):
                assert line, "it has ended"
            continue
        if text.startswith("suno-wav login"):
            # It asks for something: what is pasted behind it would be taken for the answer.
            asking = start([shell, "-c", text], **more)
            said, _ = asking.communicate("a-key\n", timeout=300)
            assert (asking.returncode, text) == (0, "suno-wav login\n"), said
            continue
        said, _ = paste(shell, text, ended, **more).communicate(timeout=300)
        lines = ended.read_text(encoding="utf-8").splitlines()
        assert lines == ["ended 0"] * len(block.splitlines()), said
    assert listening is not None
    said, _ = listening.communicate(timeout=60)
    assert "code 200" in said


@pytest.mark.long
def test_a_placeholder_that_is_pasted_as_it_is_costs_nothing(sandbox: Sandbox) -> None:
    Path("songs.txt").write_text("AUDIO_ID\n")
    lines = [line for block in blocks_of(PAGES[0]) for line in block.splitlines()]
    refused = [line for line in lines if "convert" in line and "demo" not in line]
    assert len(refused) >= 4
    for line in refused:
        words = line.replace("'", "").split()[1:]
        done = run_program(*words, env=sandbox.settings)
        assert (done.code, done.out) == (2, ""), line
        assert "submitted" not in done.err


@pytest.mark.long
def test_the_picture_shows_what_the_program_prints() -> None:
    """If this fails, run: python -m tests.support.picture, and look at it."""
    drawn = picture.draw(picture.run_commands())
    assert picture.read_text(drawn) == picture.read_text(picture.PICTURE.read_text(encoding="utf-8"))
    assert "3 songs to be paid for, 1.2 credits" in picture.read_text(drawn).replace("\xa0", " ")
