"""The command that adds a package, as the program itself was installed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.system.installation import how_to_install, how_to_install_extra

if TYPE_CHECKING:
    from pathlib import Path


def test_pipx_injects_into_the_environment_of_this_program(tmp_path: Path) -> None:
    """Its folder's name is what pipx knows it by, also with a suffix."""
    prefix = tmp_path / "suno-wav-cli_beta"
    prefix.mkdir()
    (prefix / "pipx_metadata.json").write_text("{}")
    assert how_to_install_extra("tags", prefix) == ("pipx", "inject", "suno-wav-cli_beta", "mutagen>=1.47")
    assert how_to_install("socksio", prefix)[-1] == "socksio"


@pytest.mark.parametrize(
    ("receipt", "words"),
    [
        pytest.param('[tool]\nrequirements = [{ name = "suno-wav-cli" }]', ("suno-wav-cli",), id="by name"),
        pytest.param(
            '[tool]\nrequirements = [{ name = "suno-wav-cli", extras = ["keyring"], directory = "/src/suno wav" },'
            ' { name = "mutagen", specifier = ">=1.47" }]',
            ("suno-wav-cli[keyring] @ file:///src/suno%20wav", "--with", "mutagen>=1.47"),
            id="of a folder, with more",
        ),
        pytest.param(
            '[tool]\nrequirements = [{ name = "suno-wav-cli", git = "https://host/repo" }]',
            ("suno-wav-cli @ git+https://host/repo",),
            id="of a repository",
        ),
        pytest.param("half [", ("suno-wav-cli",), id="damaged"),
    ],
)
def test_uv_tool_installs_what_was_there_and_the_package(
    tmp_path: Path, receipt: str, words: tuple[str, ...]
) -> None:
    """What is not named again would be gone."""
    (tmp_path / "uv-receipt.toml").write_text(receipt)
    assert how_to_install("obstore>=0.12", tmp_path) == (
        *("uv", "tool", "install", *words),
        *("--with", "obstore>=0.12"),
    )


def test_pip_is_the_one_of_this_python(tmp_path: Path) -> None:
    assert how_to_install_extra("remote", tmp_path) == (
        *(sys.executable, "-m", "pip", "install"),
        "suno-wav-cli[remote]",
    )
