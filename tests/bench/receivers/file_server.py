"""Serve one WAV of four minutes in CD quality, and count the bytes sent.

    python file_server.py PORT FOLDER

`GET /song.wav` sends at full speed, `GET /song.wav?pace=25` at 25 MB a second. `GET /sent` tells
how many bytes of files were sent so far.
"""

from __future__ import annotations

import os
import sys
import time
import wave
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, urlsplit

_SECONDS, _RATE = 240, 44_100
_PIECE = 256 * 1024


class FileServer(ThreadingHTTPServer):
    def __init__(self, port: int, path: Path) -> None:
        super().__init__(("127.0.0.1", port), _Answer)
        self.path = path
        self.sent = 0
        self._lock = Lock()

    def count(self, size: int) -> None:
        with self._lock:
            self.sent += size


class _Answer(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/sent":
            text = str(self.server.sent).encode()
            self._head(len(text))
            self.wfile.write(text)
            return
        pace = parse_qs(address.query).get("pace")
        with self.server.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            self._head(size)
            try:
                self._send(file.fileno(), size, float(pace[0]) * 1e6 if pace else None)
            except OSError:
                # Who downloads is stopped in the middle.
                self.close_connection = True

    def _head(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "audio/wav")
        self.send_header("Content-Length", str(size))
        self.end_headers()

    def _send(self, file: int, size: int, pace: float | None) -> None:
        start, position = time.monotonic(), 0
        while position < size:
            sent = os.sendfile(self.connection.fileno(), file, position, min(_PIECE, size - position))
            position += sent
            self.server.count(sent)
            if pace is not None:
                time.sleep(max(0.0, start + position / pace - time.monotonic()))

    def log_message(self, *_: object) -> None:
        """Log no requests."""


def main() -> None:
    port, folder = sys.argv[1:]
    path = Path(folder) / "song.wav"
    with wave.open(str(path), "wb") as song:
        song.setnchannels(2)
        song.setsampwidth(2)
        song.setframerate(_RATE)
        song.writeframes(bytes(_SECONDS * _RATE * 4))
    FileServer(int(port), path).serve_forever()


if __name__ == "__main__":
    main()
