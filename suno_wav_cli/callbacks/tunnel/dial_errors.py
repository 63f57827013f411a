"""Why the agent cannot reach ngrok, from the errors in its log.

After its own attempts it asks other services for ngrok's address. Those errors say nothing of the cause.
"""

from __future__ import annotations

from suno_wav_cli.callbacks.tunnel.error_codes import OR_POLL

_FALLBACKS = ("dns.google.com", "s3.amazonaws.com", "has no records")
_NETWORK = f"Check the network, and whether a firewall blocks ngrok. {OR_POLL}"
_INSPECTED = (
    "Let connect.ngrok-agent.com pass uninspected, or name the certificate of what inspects it in ngrok.yml "
    f"(connect_cas, or root_cas in version 2). {OR_POLL}"
)


def is_fallback(error: str) -> bool:
    """Tell whether an error is of an attempt that only followed the failed ones."""
    return any(name in error for name in _FALLBACKS)


def explain_dial_error(error: str, proxy: str | None) -> tuple[str, str]:
    """Return the reason and the remedy. `proxy` is the setting by which the agent uses a proxy."""
    # "dial tcp: lookup NAME on SERVER: no such host" says at its end what is wrong.
    cause = error.rpartition(": ")[2] or error
    if "x509:" in error:
        if "expired or is not yet valid" in error:
            return f"ngrok cannot be reached: {cause}", f"Check the clock of this machine. {OR_POLL}"
        return f"something on the way inspects TLS: the certificate is not ngrok's ({cause})", _INSPECTED
    if "tls:" in error:
        return f"something on the way answers in ngrok's place ({cause})", _INSPECTED
    if "proxy" in error.lower() or proxy is not None:
        by = f" of {proxy}" if proxy else ""
        where = f"Correct {proxy}, or unset it" if proxy else "Correct the proxy settings"
        return f"ngrok cannot be reached through the proxy{by}: {cause}", f"{where}. {OR_POLL}"
    return f"ngrok cannot be reached: {cause}", _NETWORK
