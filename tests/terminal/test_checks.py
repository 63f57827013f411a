"""The lines of `doctor`, in terminals of two widths.

If they are to look otherwise: python -m tests.terminal.test_checks
"""

from __future__ import annotations

from pathlib import Path

import pytest

from suno_wav_cli.events.checks import Checked
from suno_wav_cli.terminal.messages_checks import check_lines

SCREENS = Path(__file__).with_name("screens")
WIDTHS = (60, 80, 120)

CHECKS = (
    (
        "settings",
        "ok",
        "provider kie at https://api.kie.ai; SUNO_WAV_PROVIDER, timeout (~/.config/suno-wav/config.toml, line 3)",
        None,
    ),
    (
        "key",
        "failed",
        "there is no API key for https://api.kie.ai",
        "Store one: suno-wav login --provider kie",
    ),
    (
        "port",
        "warning",
        "port 3000 cannot be opened: Address already in use; node has it (process 4711); convert polls",
        "Choose another --port, or look at the program: ps -fp 4711",
    ),
    (
        "ngrok token",
        "skipped",
        "none, so convert polls",
        "For callbacks, copy yours from https://dashboard.ngrok.com/get-started/your-authtoken and enter it: suno-wav config set ngrok_authtoken",
    ),
    ("public address", "skipped", "needs 'ngrok token'", None),
    (
        "service",
        "failed",
        "https://api.kie.ai by the proxy http://(hidden)@proxy.example:3128 (HTTPS_PROXY): connection refused: a firewall turns it away, or nothing listens there",
        "Start the proxy, or do without it: env -u HTTPS_PROXY suno-wav doctor",
    ),
    (
        "folder",
        "failed",
        "~/Music cannot be used: Read-only file system",
        "Choose another --out, or look at its permissions: ls -ld ~/Music",
    ),
    (
        "clock",
        "warning",
        "10 min behind the service's: signatures of callbacks seem too old, and certificates may seem to have expired",
        "Set it by the network: sudo timedatectl set-ntp true",
    ),
    ("account", "ok", "the key is accepted; 99.6 credits, enough for 249 WAVs", None),
    (
        "completion",
        "skipped",
        "zsh has none of suno-wav",
        "To complete commands, options and task ids with the Tab key: suno-wav --install-completion zsh",
    ),
    (
        "receiver",
        "failed",
        "http://localhost:8000: the service counts this as failed: \x1b[2Jredirects are not followed",
        "Use the address that it redirects to. To see it: suno-wav trigger http://localhost:8000 --event success",
    ),
)


def draw(width: int | None) -> str:
    lines: list[str] = []
    for check, verdict, fact, remedy in CHECKS:
        command = remedy.rpartition(": ")[2] if remedy else None
        event = Checked(check=check, verdict=verdict, fact=fact, remedy=remedy, command=command, exit_code=0)
        lines += check_lines(event, width)
    return "\n".join(lines) + "\n"


def file_of(width: int) -> Path:
    return SCREENS / f"doctor-{width}.txt"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_lines_fit(width: int) -> None:
    assert draw(width) == file_of(width).read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [None, 200, 120, 60, 40, 20])
def test_a_command_to_paste_is_never_broken(width: int | None) -> None:
    drawn = draw(width)
    commands = [remedy.rpartition(": ")[2] for *_, remedy in CHECKS if remedy is not None]
    assert [command for command in commands if command not in drawn] == []
    assert "\x1b" not in drawn


@pytest.mark.parametrize(
    "remedy",
    [
        "Ask a name server: nslookup api.invalid",
        "Repair the file or folder, or name another one, with enough room: SUNO_WAV_HOME=FOLDER",
        "If a proxy or a virus scanner reads along, name its certificate: SSL_CERT_FILE=FILE",
        "One song a line, or a song and its task: AUDIO_ID [TASK_ID]",
        "It was made by hand, or by another program: delete it, or keep it elsewhere.",
    ],
)
def test_what_is_no_command_is_not_drawn_as_one(remedy: str) -> None:
    event = Checked(check="folder", verdict="failed", fact="full", remedy=remedy, command=None, exit_code=2)
    _, *lines = check_lines(event, 60)
    assert " ".join(line.strip() for line in lines) == remedy
    assert [line for line in lines if not line.startswith(" " * 9)] == []


def test_every_line_but_a_command_fits() -> None:
    commands = {remedy.rpartition(": ")[2] for *_, remedy in CHECKS if remedy is not None}
    words = ("https://", "http://")
    too_long = [line for line in draw(60).splitlines() if len(line) > 60 and line.strip() not in commands]
    assert [line for line in too_long if not line.strip().startswith(words)] == []


if __name__ == "__main__":
    for one in WIDTHS:
        file_of(one).write_text(draw(one), encoding="utf-8")
