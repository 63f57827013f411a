"""ngrok's error codes, each with its meaning and a remedy (https://ngrok.com/docs/errors)."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.errors import TunnelFailed, TunnelRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

OR_POLL = "Or poll: --tunnel none"
CHECK = f"Check the network and your ngrok account. {OR_POLL}"
INSTALL_AGENT = "Install it from https://ngrok.com/download, or poll: --tunnel none"

_CODE = re.compile(r"ERR_NGROK_(\d+)")
_NEW_TOKEN = (
    f"Copy it from https://dashboard.ngrok.com/get-started/your-authtoken into NGROK_AUTHTOKEN. {OR_POLL}"
)
_NEW_AGENT = f"Run `ngrok update`, or install a new one from https://ngrok.com/download. {OR_POLL}"
_LATER = f"See https://dashboard.ngrok.com/usage. {OR_POLL}"
_DOMAIN = f"Make it at https://dashboard.ngrok.com/domains, or leave --domain out. {OR_POLL}"
_OURS = f"Run the command again; if it stays so, please report it. {OR_POLL}"

_MEANINGS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        105: ("the ngrok token is not one that ngrok gives out", _NEW_TOKEN),
        106: ("the ngrok token is of a kind that is no longer used", _NEW_TOKEN),
        107: ("the ngrok token was revoked or replaced", _NEW_TOKEN),
        108: (
            "the ngrok account runs as many agents as it may",
            f"End one of them: https://dashboard.ngrok.com/agents. {OR_POLL}",
        ),
        120: ("the ngrok agent is too old for ngrok", _NEW_AGENT),
        121: ("the ngrok agent is too old for ngrok", _NEW_AGENT),
        334: (
            "the ngrok address is in use by another agent, perhaps another suno-wav",
            f"End the other one, or give this one an address of its own: --domain NAME. {OR_POLL}",
        ),
        702: ("ngrok lets no more traffic through for now", _LATER),
        725: ("ngrok lets no more traffic through for now", _LATER),
        726: ("ngrok lets no more connections through for now", _LATER),
        727: ("ngrok lets no more requests through for now", _LATER),
        3004: ("ngrok could not make sense of the receiver's answer", _OURS),
        3200: ("ngrok does not know the address that it gave out", _OURS),
        4018: ("ngrok refused the token, or its account is not verified", _NEW_TOKEN),
        4026: ("the ngrok account has no credit left", _LATER),
        6024: ("ngrok put a warning page in front of the receiver", _OURS),
        8012: (
            "ngrok cannot reach the receiver on this machine",
            f"Check the firewall of this machine. {OR_POLL}",
        ),
        9040: (
            "ngrok does not serve this machine's address",
            f"Use your own address: --public-url. {OR_POLL}",
        ),
        15002: ("the domain does not exist in the ngrok account", _DOMAIN),
        15013: ("the domain does not exist in the ngrok account", _DOMAIN),
    }
)


# Trying again may help.
_TEMPORARY = frozenset({108, 334, 702, 725, 726, 727, 3004, 3200, 6024, 8012})


def ngrok_failure(texts: Iterable[str], otherwise: str, remedy: str = CHECK) -> TunnelFailed:
    """Return the error for the first code that is known in ngrok's `texts`, else for `otherwise`.

    ngrok's own text is not passed on beside a code, because it may repeat the token.
    """
    numbers = [int(number) for text in texts for number in _CODE.findall(text)]
    for number in numbers:
        if number in _MEANINGS:
            meaning, how = _MEANINGS[number]
            kind = TunnelFailed if number in _TEMPORARY else TunnelRefused
            return kind(f"{meaning} (ERR_NGROK_{number})", how)
    if numbers:
        return TunnelFailed(
            f"ngrok answers ERR_NGROK_{numbers[0]}",
            f"See https://ngrok.com/docs/errors/err_ngrok_{numbers[0]}. {OR_POLL}",
        )
    return TunnelFailed(otherwise, remedy)
