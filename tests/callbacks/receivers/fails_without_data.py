"""A classic mistake: whatever is not as in the example ends in 500."""

from __future__ import annotations

import os
import threading
import urllib.request
from typing import Any

from flask import Flask, request  # type: ignore[import-not-found, unused-ignore]

app = Flask(__name__)
had: set[str] = set()


@app.post(os.environ["CALLBACK_PATH"])  # type: ignore[untyped-decorator, unused-ignore]
def receive() -> Any:
    data = request.get_json()["data"]
    url = data.get("audio_wav_url")
    if url is not None and url not in had:
        had.add(url)
        threading.Thread(target=lambda: urllib.request.urlopen(url).read()).start()  # noqa: S310
    return {"status": "received"}


app.run("127.0.0.1", int(os.environ["PORT"]))
