"""The program with short waits: `TEST_WAIT_SPEED=600 python -m tests.support.quick_program convert ID`."""

from __future__ import annotations

import os

from tests.support.quick_limits import API_SPEED, WAIT_SPEED, quick_limits, quick_timing, upload_limits


def main() -> None:
    from suno_wav_cli.cli.app import app
    from suno_wav_cli.cli.main import safe_end

    wait_speed, api_speed = (float(os.environ.get(name, "1")) for name in (WAIT_SPEED, API_SPEED))
    with safe_end():
        app(
            prog_name="suno-wav",
            obj={
                "wait_limits": quick_limits(wait_speed),
                "api_timing": quick_timing(api_speed),
                "upload_limits": upload_limits(),
            },
        )


if __name__ == "__main__":
    main()
