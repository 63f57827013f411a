"""What the agent says, and how its log is written."""

from __future__ import annotations

import json
import os
import signal
import threading
from datetime import UTC, datetime

USAGE = """\
NAME:
  start - start tunnels by name from the configuration file

USAGE:
  ngrok start [flags]

DESCRIPTION:
  Starts tunnels by name from the configuration file. You may specify any
  number of tunnel names. You may start all tunnels in the configuration
  file with the --all switch.

OPTIONS:
      --all                 start all tunnels in the configuration file
      --authtoken string    ngrok.com authtoken identifying a user
      --config strings      path to config files; they are merged if multiple
  -h, --help                help for start
      --log string          path to log file, 'stdout', 'stderr' or 'false' (default "false")
      --none                start running no tunnels

"""

# The service says the token again, where it refuses one.
REFUSALS = {
    "no-token": (
        "Usage of ngrok requires a verified account and authtoken.\n\n"
        "Sign up for an account: https://dashboard.ngrok.com/signup\n"
        "Install your authtoken: https://dashboard.ngrok.com/get-started/your-authtoken"
        "\r\n\r\nERR_NGROK_4018\r\n"
    ),
    "bad-token": (
        "The authtoken you specified does not look like a proper ngrok authtoken.\n"
        "Your authtoken: {token}\n"
        "Instructions to install your authtoken are on your ngrok dashboard:\n"
        "https://dashboard.ngrok.com/get-started/your-authtoken\r\n\r\nERR_NGROK_105\r\n"
    ),
    "revoked": (
        "The authtoken you specified is properly formed, but it is invalid.\n"
        "Your authtoken: {token}\n"
        "This usually happens when:\n    - You reset your authtoken\n"
        "    - Your authtoken was for a team account that you were removed from"
        "\r\n\r\nERR_NGROK_107\r\n"
    ),
    "sessions": (
        "Your account is limited to 3 simultaneous ngrok agent sessions.\n"
        "You can run multiple simultaneous tunnels from a single agent session by defining the tunnels in your "
        "agent configuration file.\n"
        "Active ngrok agent sessions in region 'us':\n  - ts_2standinstandinstandin (192.0.2.7)"
        "\r\n\r\nERR_NGROK_108\r\n"
    ),
    "too-old": (
        'Your ngrok-agent version "{version}" is too old. The minimum supported agent version for your account '
        'is "3.28.0". Please update to a newer version with `ngrok update`, or by downloading from '
        "https://ngrok.com/download.\r\n\r\nERR_NGROK_121\r\n"
    ),
}
IN_USE = (
    "failed to start tunnel: The endpoint '{url}' is already online. Either\n"
    "1. stop your existing endpoint first, or\n"
    "2. start both endpoints with `--pooling-enabled` to load balance between them."
    "\r\n\r\nERR_NGROK_334\r\n"
)
NO_SUCH_DOMAIN = (
    "failed to start tunnel: Your account is requesting a dev domain that does not exist.\n"
    "Visit https://dashboard.ngrok.com/domains to request a dev domain.\r\n\r\nERR_NGROK_15013\r\n"
)

_LOOKUP = "dial tcp: lookup {host} on 127.0.0.53:53: no such host"
_TUNNEL = _LOOKUP.format(host="connect.ngrok-agent.com")
_GOOGLE = _LOOKUP.format(host="dns.google.com")
# When, in seconds after the start, and why: as an agent without a network tries and says.
DIAL_ERRORS = (
    (0.02, _TUNNEL),
    (0.5, _TUNNEL),
    (1.2, f'Get "https://dns.google.com/resolve?name=connect.ngrok-agent.com&type=AAAA": {_GOOGLE}'),
    (
        2.5,
        f'Get "https://s3.amazonaws.com/dns.ngrok.com/tunnel.json": {_LOOKUP.format(host="s3.amazonaws.com")}',
    ),
    (4.2, "resolved connect.ngrok-agent.com has no records"),
    (7.1, _TUNNEL),
    (11.7, f'Get "https://dns.google.com/resolve?name=connect.ngrok-agent.com&type=A": {_GOOGLE}'),
    (17.6, _TUNNEL),
)


class Log:
    """Writes a line at a time to standard output. Waits for the reader, as the agent does."""

    def __init__(self) -> None:
        self.open = False
        self._lock = threading.Lock()

    def line(self, level: str, message: str, **values: object) -> None:
        if not self.open:
            return
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        pairs = {"lvl": level, "msg": message, **values}
        line = f"t={now} " + " ".join(f"{key}={_quoted(str(value))}" for key, value in pairs.items()) + "\n"
        data = line.encode()
        with self._lock:
            try:
                while data:
                    data = data[os.write(1, data) :]
            except BrokenPipeError:
                # The agent is a Go program: it ends by SIGPIPE if its standard output is gone.
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})


def _quoted(value: str) -> str:
    if value and not any(character in ' "=\r\n' for character in value):
        return value
    return json.dumps(value, ensure_ascii=False)
