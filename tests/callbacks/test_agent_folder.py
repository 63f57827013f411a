"""The private folder of an agent, without an agent."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.callbacks.tunnel.agent_folder import make_agent_folder

if TYPE_CHECKING:
    from pathlib import Path


def notes_reading(folder: Path) -> bool:
    file = folder / "read"
    file.write_text("a")
    os.utime(file, (1, 1))
    file.read_text()
    return file.stat().st_atime > 1


@pytest.mark.skipif(os.name == "nt", reason="there is no script before the agent")
def test_the_agent_s_reading_of_its_configuration_is_told_from_pyngrok_s(tmp_path: Path) -> None:
    """The token's file is deleted after the one, and must not be after the other."""
    if not notes_reading(tmp_path):
        pytest.skip("the file system notes no reading here")
    agent = tmp_path / "an agent's=path"
    agent.write_text('#!/bin/sh\n[ "$1" = start ] && cat "$2"\n')
    agent.chmod(0o755)
    folder = make_agent_folder(tmp_path / "agents")
    folder.write_config({"authtoken": "token"})
    program = folder.make_program(agent)
    folder.config.read_text()
    assert not folder.has_begun()
    subprocess.run([program, "other"], check=False)
    assert folder.has_begun()
    assert not folder.is_config_read()
    shown = subprocess.run([program, "start", folder.config], capture_output=True, text=True, check=True)
    assert shown.stdout == '{"authtoken": "token"}'
    assert folder.is_config_read()
    folder.forget_config()
    assert not folder.is_config_read()
    folder.remove()
