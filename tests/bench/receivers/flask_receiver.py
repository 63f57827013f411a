"""The same receiver with Flask, on its development server or on waitress. Both must be installed.

python flask_receiver.py app.run|waitress PORT PATH TASK_ID
"""

from __future__ import annotations

import logging
import secrets
import sys
from threading import Event, Thread
from typing import Any

import flask  # type: ignore[import-not-found, unused-ignore]
import waitress  # type: ignore[import-not-found, import-untyped, unused-ignore]

_LARGEST_BODY = 64 * 1024


def flask_app(secret_path: str, awaited: str) -> Any:
    """Answer POSTs of JSON objects to the secret path, and wake the thread that waits for the task."""
    app = flask.Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_BODY
    waiting = {awaited: Event()}
    Thread(target=_wait, args=(waiting[awaited],), daemon=True).start()

    def receive(path: str) -> tuple[dict[str, str], int]:
        if not secrets.compare_digest(f"/{path}".encode(), secret_path.encode()):
            return {"status": "not found"}, 404
        content = flask.request.get_json(force=True, silent=True)
        if not isinstance(content, dict):
            return {"status": "not a JSON object"}, 400
        data = content.get("data")
        task_id = data.get("task_id") if isinstance(data, dict) else None
        if isinstance(task_id, str) and task_id in waiting:
            waiting[task_id].set()
        return {"status": "received"}, 200

    app.add_url_rule("/<path:path>", view_func=receive, methods=["POST"])
    return app


def _wait(woken: Event) -> None:
    while True:
        woken.wait()
        woken.clear()


def main() -> None:
    server, port, secret_path, task_id = sys.argv[1:]
    app = flask_app(secret_path, task_id)
    # Its line for each request would count against it.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    logging.getLogger("waitress").setLevel(logging.ERROR)
    if server == "waitress":
        waitress.serve(app, host="127.0.0.1", port=int(port))
    else:
        app.run(host="127.0.0.1", port=int(port), threaded=True)


if __name__ == "__main__":
    main()
