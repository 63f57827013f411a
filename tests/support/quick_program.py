"""The program with short waits: `TEST_WAIT_SPEED=600 python -m tests.support.quick_program convert ID`."""

from __future__ import annotations

import os

from tests.support.quick_limits import WAIT_SPEED, quick_limits


def main() -> None:
    from suno_wav_cli.cli.app import app

    app(prog_name="suno-wav", obj={"wait_limits": quick_limits(float(os.environ[WAIT_SPEED]))})


if __name__ == "__main__":
    main()
