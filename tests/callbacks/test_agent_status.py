"""The states of an ngrok agent, decided without an agent."""

from __future__ import annotations

import pytest

from suno_wav_cli.callbacks.tunnel.agent_status import (
    AddressSeen,
    AgentEvent,
    AgentState,
    AgentStatus,
    CloseRequested,
    ConnectFailed,
    Exited,
    LogEvent,
    LogMeaning,
    advance,
    change_between,
    explain_failure,
    read_log_line,
)
from suno_wav_cli.callbacks.tunnel.tunnel import Lost, Restored

HERE, THERE, TOKEN = "https://here.ngrok.app", "https://there.ngrok.app", "token-1"
DIAL_FAILED = LogEvent(meaning=LogMeaning.DIAL_FAILED, complaint="dial tcp: no such host")
SESSION_LOST = LogEvent(meaning=LogMeaning.SESSION_LOST, complaint="session closed")
LOST = Lost(reason="the ngrok session is lost", final=False)
ENDED = Lost(reason="the ngrok agent has ended", final=True)


def follow(*events: AgentEvent) -> tuple[AgentStatus, list[Lost | Restored]]:
    """Feed events to a new agent's status. Return the last status and the reported changes."""
    status, changes = AgentStatus(), []
    for event in events:
        before, status = status, advance(status, event)
        change = change_between(before, status)
        changes += [] if change is None else [change]
    return status, changes


@pytest.mark.parametrize(
    ("level", "message", "error", "expected"),
    [
        pytest.param(
            "ERROR",
            "failed to reconnect session",
            "dial tcp: no such host",
            DIAL_FAILED,
            id="a failed dial",
        ),
        pytest.param(
            "ERROR",
            "session closed, starting reconnect loop",
            None,
            LogEvent(meaning=LogMeaning.SESSION_LOST, complaint="session closed, starting reconnect loop"),
            id="a lost session",
        ),
        pytest.param(
            "INFO",
            "client session established",
            None,
            LogEvent(meaning=LogMeaning.SESSION_UP, complaint=None),
            id="a session",
        ),
        pytest.param(
            "INFO",
            "started tunnel",
            None,
            LogEvent(meaning=LogMeaning.SESSION_UP, complaint=None),
            id="an address",
        ),
        pytest.param(
            "WARNING",
            "can't bind default web address",
            None,
            LogEvent(meaning=LogMeaning.OTHER, complaint="can't bind default web address"),
            id="a warning",
        ),
        pytest.param("INFO", "join connections", None, None, id="a line that does not matter"),
        pytest.param("INFO", "open config file", "nil", None, id="a configuration that was read"),
        pytest.param(
            "INFO",
            "open config file",
            "open /a/ngrok.yml: permission denied",
            LogEvent(meaning=LogMeaning.OTHER, complaint="open /a/ngrok.yml: permission denied"),
            id="a configuration that it may not read",
        ),
    ],
)
def test_read_log_line(level: str, message: str, error: str | None, expected: LogEvent | None) -> None:
    assert read_log_line(level, message, error) == expected


@pytest.mark.parametrize(
    ("events", "state", "changes"),
    [
        pytest.param([], AgentState.STARTING, [], id="new"),
        pytest.param([AddressSeen(address=HERE)], AgentState.OPEN, [], id="open"),
        pytest.param([ConnectFailed()], AgentState.FAILED, [], id="pyngrok gives up"),
        pytest.param([DIAL_FAILED] * 2, AgentState.STARTING, [], id="two failed dials"),
        pytest.param([DIAL_FAILED] * 3, AgentState.FAILED, [], id="three failed dials"),
        pytest.param([SESSION_LOST], AgentState.STARTING, [], id="a session lost before it is open"),
        pytest.param(
            [AddressSeen(address=HERE), SESSION_LOST, SESSION_LOST, *[DIAL_FAILED] * 5],
            AgentState.SESSION_LOST,
            [LOST],
            id="a lost session is reported once",
        ),
        pytest.param(
            [AddressSeen(address=HERE), SESSION_LOST, AddressSeen(address=HERE)],
            AgentState.OPEN,
            [LOST, Restored(public_url=HERE)],
            id="restored",
        ),
        pytest.param(
            [AddressSeen(address=HERE), AddressSeen(address=HERE), AddressSeen(address=THERE)],
            AgentState.OPEN,
            [Restored(public_url=THERE)],
            id="moved without a loss",
        ),
        pytest.param([AddressSeen(address=HERE), Exited()], AgentState.EXITED, [ENDED], id="exited"),
        pytest.param(
            [AddressSeen(address=HERE), SESSION_LOST, Exited(), AddressSeen(address=HERE)],
            AgentState.EXITED,
            [LOST, ENDED],
            id="exited while lost, for good",
        ),
        pytest.param(
            [AddressSeen(address=HERE), CloseRequested(), Exited(), SESSION_LOST],
            AgentState.CLOSED,
            [],
            id="closed by us, silently",
        ),
    ],
)
def test_advance(events: list[AgentEvent], state: AgentState, changes: list[Lost | Restored]) -> None:
    status, reported = follow(*events)
    assert (status.state, reported) == (state, changes)


def test_the_latest_complaints_are_kept() -> None:
    events = [LogEvent(meaning=LogMeaning.OTHER, complaint=str(number)) for number in range(60)]
    status, _ = follow(*events)
    assert status.complaints == tuple(str(number) for number in range(10, 60))


@pytest.mark.parametrize(
    ("events", "stderr", "error", "message"),
    [
        pytest.param([], "", None, "ngrok did not answer within 7 s", id="silent"),
        pytest.param([DIAL_FAILED] * 3, "", None, "ngrok cannot be reached: no such host", id="unreachable"),
        pytest.param(
            [ConnectFailed()],
            "ERROR:  told to crash\nmore",
            ValueError("no"),
            "the ngrok agent does not work: told to crash",
            id="its own words",
        ),
        pytest.param(
            [ConnectFailed()],
            "",
            ValueError("bad token-1"),
            "the ngrok agent does not work: bad (hidden)",
            id="without the token",
        ),
        pytest.param(
            [ConnectFailed()],
            "ERROR:  ERR_NGROK_107 token-1",
            None,
            "the ngrok token was revoked or replaced (ERR_NGROK_107)",
            id="by its code",
        ),
        pytest.param([CloseRequested()], "", None, "the tunnel was closed before it was open", id="closed"),
    ],
)
def test_explain_failure(
    events: list[AgentEvent], stderr: str, error: Exception | None, message: str
) -> None:
    status, _ = follow(*events)
    failure = explain_failure(status, error=error, stderr=stderr, seconds=7.0, secret=TOKEN)
    assert failure.message == message


GOOGLE = 'Get "https://dns.google.com/resolve?name=connect.ngrok-agent.com&type=A": dial tcp: no such host'


@pytest.mark.parametrize(
    ("error", "proxy", "message", "remedy"),
    [
        pytest.param(
            "x509: certificate signed by unknown authority",
            None,
            "something on the way inspects TLS: the certificate is not ngrok's (certificate signed by unknown authority)",
            "root_cas",
            id="inspected",
        ),
        pytest.param(
            "x509: certificate is valid for proxy.example, not connect.ngrok-agent.com",
            None,
            "something on the way inspects TLS: the certificate is not ngrok's "
            "(certificate is valid for proxy.example, not connect.ngrok-agent.com)",
            "root_cas",
            id="another's certificate",
        ),
        pytest.param(
            "x509: certificate has expired or is not yet valid: current time 2031-01-01T00:00:00Z is after",
            None,
            "ngrok cannot be reached: current time 2031-01-01T00:00:00Z is after",
            "clock",
            id="a wrong clock",
        ),
        pytest.param(
            "tls: first record does not look like a TLS handshake",
            None,
            "something on the way answers in ngrok's place (first record does not look like a TLS handshake)",
            "root_cas",
            id="a portal",
        ),
        pytest.param(
            "dial tcp 192.0.2.1:443: connect: connection refused",
            None,
            "ngrok cannot be reached: connection refused",
            "firewall",
            id="refused",
        ),
        pytest.param(
            "dial tcp 127.0.0.1:9: connect: connection refused",
            "http_proxy",
            "ngrok cannot be reached through the proxy of http_proxy: connection refused",
            "Correct http_proxy, or unset it",
            id="a dead proxy",
        ),
        pytest.param(
            "Non-200 response from proxy server: 407 Proxy Authentication Required",
            None,
            "ngrok cannot be reached through the proxy: 407 Proxy Authentication Required",
            "proxy settings",
            id="a proxy that refuses",
        ),
    ],
)
def test_the_cause_is_named_and_not_the_last_fallback(
    error: str, proxy: str | None, message: str, remedy: str
) -> None:
    """The errors are those of a real agent, whose third attempt asks another service for the address."""
    dials = [LogEvent(meaning=LogMeaning.DIAL_FAILED, complaint=text) for text in (error, error, GOOGLE)]
    for events in (dials, dials[:1]):
        status, _ = follow(*events)
        failure = explain_failure(status, error=None, stderr="", seconds=7.0, secret=TOKEN, proxy=proxy)
        assert failure.message == message
        assert remedy in failure.remedy


MAY_NOT = "open /home/me/.local/state/suno-wav/agents/1/ngrok.yml: permission denied"


@pytest.mark.parametrize(
    ("logged", "stderr"),
    [
        ([], f"USAGE\n\nERROR:  Error reading configuration file '/home/me/…/ngrok.yml': {MAY_NOT}\n"),
        ([LogEvent(meaning=LogMeaning.OTHER, complaint=MAY_NOT)], ""),
    ],
    ids=["on standard error", "in the log"],
)
def test_an_agent_that_may_not_read_its_configuration_is_told_from_a_broken_one(
    logged: list[AgentEvent], stderr: str
) -> None:
    """As a snap, which has no access to hidden folders."""
    status, _ = follow(*logged, ConnectFailed())
    failure = explain_failure(status, error=None, stderr=stderr, seconds=7.0, secret=TOKEN)
    assert failure.message == "the ngrok agent may not read the configuration that it is given"
    assert "SUNO_WAV_HOME=$HOME/suno-wav" in failure.remedy
