"""The words of API errors: what happened, and what to do about it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from suno_wav_cli.api.providers import Meaning
from suno_wav_cli.errors import ServiceUnavailable, SubmissionUnknown
from suno_wav_cli.system.http_errors import describe_error
from suno_wav_cli.system.proxies import CERTIFICATE_VARIABLES, describe_way, find_proxy
from suno_wav_cli.system.shell_words import quote_command

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx

    from suno_wav_cli.api.envelope import Envelope
    from suno_wav_cli.api.providers import Provider


@dataclass(frozen=True, kw_only=True)
class ErrorText:
    """What happened, in a few words, and what the user can do."""

    summary: str
    remedy: str


LOOK_AT_LOG = "Nothing is paid twice by itself. Look at your account's log."
_LATER = "Try again in a while."
ASK_AGAIN = "This says nothing about the task itself. Try again in a while."
LOOK_AGAIN = "The service may still try again by itself."

ERROR_TEXTS: Mapping[Meaning, ErrorText] = MappingProxyType(
    {
        Meaning.UNAUTHORIZED: ErrorText(
            summary="the service refused the API key",
            remedy="Check that it is whole, and that it belongs to this provider. `suno-wav login` keeps another one.",
        ),
        Meaning.NO_CREDITS: ErrorText(
            summary="not enough credits", remedy="Top up at your provider, then run the same command again."
        ),
        Meaning.KEY_CAP: ErrorText(
            summary="this API key has reached its own limit",
            remedy="The account may still have credits: raise the key's limit at your provider, or wait until it is "
            "reset, then run the same command again.",
        ),
        Meaning.BUSY: ErrorText(summary="too many requests", remedy=_LATER),
        Meaning.MAINTENANCE: ErrorText(summary="the service is in maintenance", remedy=_LATER),
        Meaning.SOURCE_LOST: ErrorText(
            summary="the service could not fetch the song's audio",
            remedy="The song may be too old, or deleted at the service: generate it again, or try later.",
        ),
        Meaning.FAILED: ErrorText(
            summary="the conversion failed",
            remedy="Nothing was charged for this. The same command submits the song again.",
        ),
        Meaning.UNKNOWN_TASK: ErrorText(
            summary="the service does not know this task",
            remedy="It may be too new, too old, or of another --provider or --base-url.",
        ),
        Meaning.DISABLED: ErrorText(
            summary="the service has switched this off",
            remedy="Ask your provider, or choose another --provider.",
        ),
        Meaning.SERVER_ERROR: ErrorText(summary="the service has trouble", remedy=_LATER),
        Meaning.INVALID: ErrorText(
            summary="the service refused the request",
            remedy="Check the id. For a submission, give the song's music task too, if you know it: --task-id ID",
        ),
        Meaning.EXISTS: ErrorText(
            summary="the service already has a WAV of this song",
            remedy="Its task id is not known here; your account's log may name it: "
            "suno-wav status TASK_ID --wait --download",
        ),
        Meaning.NOT_THE_API: ErrorText(
            summary="this host is not the API",
            remedy="Check --base-url. (Redirects are not followed: the key would go along.)",
        ),
    }
)


_COMMANDS = ("suno-wav login", "suno-wav status TASK_ID --wait --download", "suno-wav doctor")
"""Those in the remedies of this module."""


def lead_to_service(remedy: str, service: Sequence[str]) -> str:
    """Return a remedy whose commands have the options that lead to the service."""
    options = quote_command(service)
    for command in _COMMANDS if options else ():
        remedy = remedy.replace(command, f"{command} {options}")
    return remedy


def quote_answer(answer: Envelope) -> str:
    return f"{answer.message or 'no reason given'} (code {answer.code})"


def describe_answer(meaning: Meaning, answer: Envelope) -> str:
    return f"{ERROR_TEXTS[meaning].summary}: {quote_answer(answer)}"


def remedy_for(meaning: Meaning, provider: Provider) -> str:
    remedy = ERROR_TEXTS[meaning].remedy
    return f"{remedy} {provider.key_advice}".rstrip() if meaning is Meaning.UNAUTHORIZED else remedy


def describe_page(status: int) -> str:
    """Say what came in place of an envelope."""
    return f"HTTP {status} with something that is not an answer of the API"


def unreachable(error: httpx.HTTPError, base_url: str, set_by: str | None) -> ServiceUnavailable:
    """`set_by` is the option, the variable or the line that names the address, if it is not the usual one."""
    reason = describe_error(error)
    return ServiceUnavailable(
        f"the service cannot be reached at {describe_way(base_url, os.environ)}: {reason}",
        _how_to_reach(base_url, set_by, is_tls="certificate" in reason or "TLS" in reason),
    )


def _how_to_reach(base_url: str, set_by: str | None, *, is_tls: bool) -> str:
    certificates = next((name for name in CERTIFICATE_VARIABLES if os.environ.get(name)), None)
    if is_tls and certificates is not None:
        return f"The trusted certificates are those of {certificates}: correct it, or unset it."
    if is_tls:
        return "If a proxy or a virus scanner reads along, name its certificate: SSL_CERT_FILE=FILE"
    proxy = find_proxy(base_url, os.environ)
    if proxy is not None:
        return f"Check the network and the proxy. To do without it, unset {proxy.variable}."
    address = "" if set_by is None else f" and the address, which comes from {set_by}"
    return f"Check the network{address}, then try again. `suno-wav doctor` looks closer."


def submission_unknown(
    reason: str, *, answer: str | None = None, candidates: tuple[str, ...] = ()
) -> SubmissionUnknown:
    return SubmissionUnknown(
        f"it is not known whether the song was submitted and charged: {reason}",
        LOOK_AT_LOG,
        answer=answer,
        candidates=candidates,
    )
