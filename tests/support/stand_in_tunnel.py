"""A stand-in for cloudflared and its like, as a program: it prints an https address that leads to a port.

    python -m tests.support.stand_in_tunnel PORT CERTIFICATE STATE [MODE]

STATE is a file that names its process, its child, the variables that it got, and the last path asked for.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

TERMS = """\
2026-11-28T06:12:41Z INF Thank you for trying Cloudflare Tunnel. Doing so, without a Cloudflare account, is a quick way \
to experiment and try it out. However, be aware that these account-less Tunnels have no uptime guarantee, are subject to \
the Cloudflare Online Services Terms of Use (https://www.cloudflare.com/website-terms/), and Cloudflare reserves the \
right to investigate your use of Tunnels for violations of such terms. If you intend to use Tunnels in production you \
should use a pre-created named tunnel by following: \
https://developers.cloudflare.com/cloudflare-one/connections/connect-apps
2026-11-28T06:12:41Z INF Requesting new quick Tunnel on trycloudflare.com...
2026-11-28T06:12:45Z INF +--------------------------------------------------------------------------------------------+
2026-11-28T06:12:45Z INF |  Your quick Tunnel has been created! Visit it at (it may take some time to be reachable):  |
2026-11-28T06:12:45Z INF |  {address}                                                                    |
2026-11-28T06:12:45Z INF +--------------------------------------------------------------------------------------------+
"""


async def main(port: int, certificate: str, state: Path, mode: str) -> int:
    if mode == "fails":
        sys.stderr.write(f"error: no account for {os.environ.get('TUNNEL_TOKEN')}\n")
        return 3
    if mode == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen(["sleep", "4325"])  # noqa: ASYNC220 - it does not block
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    about: dict[str, Any] = {}

    def write_down() -> None:
        state.with_suffix(".new").write_text(json.dumps(about))
        state.with_suffix(".new").replace(state)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            up = await asyncio.open_connection("127.0.0.1", port)
            line = await reader.readline()
            about["path"] = line.decode().split()[1]
            write_down()
            up[1].write(line)
            await asyncio.gather(_copy(reader, up[1]), _copy(up[0], writer))

    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
    public = server.sockets[0].getsockname()[1]
    about |= {"pid": os.getpid(), "child": child.pid, "environ": sorted(os.environ), "public": public}
    write_down()
    if mode == "silent":
        await asyncio.Event().wait()
    # cloudflared prints to standard error.
    sys.stderr.write(TERMS.format(address=f"https://127.0.0.1:{public}"))
    await asyncio.Event().wait()
    return 0


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


if __name__ == "__main__":
    _, to, pem, file, *modes = sys.argv
    sys.exit(asyncio.run(main(int(to), pem, Path(file), (*modes, "ok")[0])))
