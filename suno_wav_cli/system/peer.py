"""Whether the other side of a connection is still there."""

from __future__ import annotations

import select
import sys
from typing import Any


def has_hung_up(connection: Any) -> bool:
    """Tell whether the peer of a socket has closed it, where the system tells that without reading."""
    if sys.platform != "linux":
        return False
    poll = select.poll()
    try:
        poll.register(connection, select.POLLRDHUP)
    except (OSError, ValueError, TypeError):
        return True
    return bool(poll.poll(0))
