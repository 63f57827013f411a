"""Fetch one file by https, as a program of its own: only a process can be stopped at any time.

It uses the standard library alone, so nothing else is imported from where it happens to run.
"""

from __future__ import annotations

import http.client
import shutil
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import IO

_SECONDS = 10


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(  # noqa: PLR0917 - as the standard library has it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if not newurl.lower().startswith("https://"):
            raise urllib.error.URLError("it leads to an address without https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch(url: str, target: Path) -> None:
    """Write what `url` answers to `target`. Raise OSError or HTTPException."""
    opener = urllib.request.build_opener(_OnlyHttps)
    with opener.open(url, timeout=_SECONDS) as answer, target.open("xb") as file:
        shutil.copyfileobj(answer, file)
        announced = answer.headers.get("Content-Length")
        if announced not in {None, str(file.tell())}:
            raise OSError(f"it breaks off after {file.tell()} of {announced} bytes")


def main() -> None:
    url, target = sys.argv[1:]
    try:
        fetch(url, Path(target))
    except urllib.error.HTTPError as error:
        sys.exit(f"HTTP {error.code}")
    except (OSError, http.client.HTTPException) as error:
        cause = error.reason if isinstance(error, urllib.error.URLError) else error
        sys.exit(str(getattr(cause, "strerror", None) or cause))


if __name__ == "__main__":
    main()
