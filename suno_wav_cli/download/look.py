"""Look at a file's address: one byte is asked for, and no file is made."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from suno_wav_cli.download.http import explain, open_client, open_response

if TYPE_CHECKING:
    from suno_wav_cli.download.http import DownloadPolicy

_TOTAL = re.compile(r"bytes \d+-\d+/(\d{1,18})")


@dataclass(frozen=True, kw_only=True)
class AddressLook:
    """What the host answers. `length` is the whole file's, if the host tells."""

    status: int
    content_type: str
    length: int | None
    seconds: float


def look_at_address(url: str, policy: DownloadPolicy) -> AddressLook:
    """Ask for the first byte of a file. Raise DownloadFailed if no answer comes."""
    began = time.monotonic()
    try:
        with (
            open_client(url, policy, timeout=policy.timeout) as client,
            open_response(client, url, {"Range": "bytes=0-0"}, lambda *_: None) as response,
        ):
            total = _TOTAL.fullmatch(response.headers.get("Content-Range", ""))
            return AddressLook(
                status=response.status_code,
                content_type=response.headers.get("Content-Type", ""),
                length=int(total[1]) if total else None,
                seconds=time.monotonic() - began,
            )
    except Exception as error:
        raise explain(error, policy) from error
