"""The states of an ngrok agent, decided without an agent."""

from __future__ import annotations

import pytest

from suno_wav_cli.callbacks.tunnel import Lost, Restored
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
