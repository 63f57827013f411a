"""The states of one ngrok agent, and what its log means for them.

Pure: nothing here waits, sends or kills. `agent_process` feeds events in and acts on the result.

STARTING ──> OPEN <──> SESSION_LOST
   │          └──────────┴──> EXITED     the agent ended by itself
   └──> FAILED                           it gives no address
any state ──> CLOSED                     we ended it
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum, auto

from suno_wav_cli.callbacks.tunnel.dial_errors import explain_dial_error, is_fallback
from suno_wav_cli.callbacks.tunnel.error_codes import CHECK, OR_POLL, ngrok_failure
from suno_wav_cli.callbacks.tunnel.tunnel import Lost, Restored
from suno_wav_cli.errors import TunnelFailed

_MAX_FAILED_DIALS = 3
_MAX_COMPLAINTS = 50
_COMPLAINT_LEVELS = ("WARNING", "ERROR", "CRITICAL")


class AgentState(Enum):
    STARTING = auto()
    OPEN = auto()
    SESSION_LOST = auto()
    FAILED = auto()
    EXITED = auto()
    CLOSED = auto()


class LogMeaning(Enum):
    DIAL_FAILED = auto()
    SESSION_LOST = auto()
    SESSION_UP = auto()
    """The session is up, perhaps at another address: the agent's API has to tell which."""
    OTHER = auto()


@dataclass(frozen=True, kw_only=True)
class LogEvent:
    """A log line that matters. `complaint` is set for warnings and errors."""

    meaning: LogMeaning
    complaint: str | None


@dataclass(frozen=True, kw_only=True)
class AddressSeen:
    """The agent serves this public address, as its API says."""

    address: str


@dataclass(frozen=True, kw_only=True)
class ConnectFailed:
    """Pyngrok gave up on starting the agent."""


@dataclass(frozen=True, kw_only=True)
class Exited:
    """The agent's process ended."""


@dataclass(frozen=True, kw_only=True)
class CloseRequested:
    """This program ends the agent."""


AgentEvent = LogEvent | AddressSeen | ConnectFailed | Exited | CloseRequested


@dataclass(frozen=True, kw_only=True)
class AgentStatus:
    """What is known of one agent. `complaints` are its latest warnings and errors.

    `dial_error` is the first one that says why ngrok cannot be reached.
    """

    state: AgentState = AgentState.STARTING
    address: str = ""
    failed_dials: int = 0
    dial_error: str = ""
    complaints: tuple[str, ...] = ()

    @property
    def is_up(self) -> bool:
        """Tell whether the agent has an address, with a session or while it looks for one."""
        return self.state in (AgentState.OPEN, AgentState.SESSION_LOST)

    @property
    def cannot_dial(self) -> bool:
        return self.failed_dials >= _MAX_FAILED_DIALS


def read_log_line(level: str, message: str, error: str | None) -> LogEvent | None:
    """Return what a line of the agent's log means, or None if it does not matter."""
    if "failed to reconnect session" in message:
        meaning = LogMeaning.DIAL_FAILED
    elif "session closed" in message:
        meaning = LogMeaning.SESSION_LOST
    elif "client session established" in message or "started tunnel" in message:
        # The second follows the first, and only it comes after the address has changed.
        meaning = LogMeaning.SESSION_UP
    else:
        meaning = LogMeaning.OTHER
    complaint = (error or message) if level in _COMPLAINT_LEVELS else None
    if message == "open config file" and "permission denied" in (error or ""):
        # A note, for the agent. Its complaint goes to standard error, which a snap may not have.
        complaint = error
    if meaning is LogMeaning.OTHER and complaint is None:
        return None
    return LogEvent(meaning=meaning, complaint=complaint)


def is_config_read(message: str) -> bool:
    """Tell whether a line of the log shows that the agent has read its configuration."""
    return "starting web service" in message


def advance(status: AgentStatus, event: AgentEvent) -> AgentStatus:
    """Return the status after `event`."""
    match event:
        case LogEvent():
            status = _note(status, event)
        case AddressSeen():
            status = replace(status, address=event.address)
        case _:
            pass
    return replace(status, state=_next_state(status, event))


def _note(status: AgentStatus, event: LogEvent) -> AgentStatus:
    """Remember a complaint, and count the attempts to reach ngrok that failed at the start."""
    if event.complaint is not None:
        status = replace(status, complaints=(*status.complaints, event.complaint)[-_MAX_COMPLAINTS:])
    if status.state is AgentState.STARTING and event.meaning is LogMeaning.DIAL_FAILED:
        status = replace(status, failed_dials=status.failed_dials + 1)
        if not status.dial_error and event.complaint and not is_fallback(event.complaint):
            status = replace(status, dial_error=event.complaint)
    return status


def _next_state(status: AgentStatus, event: AgentEvent) -> AgentState:
    """Return the state after `event`. Every transition is here."""
    state = status.state
    match status.state, event:
        case _, CloseRequested():
            state = AgentState.CLOSED
        case AgentState.STARTING, ConnectFailed():
            state = AgentState.FAILED
        case AgentState.STARTING, LogEvent() if status.cannot_dial:
            state = AgentState.FAILED
        case ((AgentState.STARTING | AgentState.OPEN | AgentState.SESSION_LOST), AddressSeen()):
            state = AgentState.OPEN
        case AgentState.OPEN, LogEvent(meaning=LogMeaning.SESSION_LOST):
            state = AgentState.SESSION_LOST
        case ((AgentState.OPEN | AgentState.SESSION_LOST), Exited()):
            state = AgentState.EXITED
        case _:
            pass
    return state


def change_between(before: AgentStatus, after: AgentStatus) -> Lost | Restored | None:
    """Return what a tunnel's user must hear of a step from one status to the next."""
    if not before.is_up:
        return None
    if after.state is AgentState.EXITED:
        return Lost(reason="the ngrok agent has ended", final=True)
    if after.state is AgentState.SESSION_LOST and before.state is AgentState.OPEN:
        return Lost(reason="the ngrok session is lost", final=False)
    came_back = before.state is AgentState.SESSION_LOST or before.address != after.address
    if after.state is AgentState.OPEN and came_back:
        return Restored(public_url=after.address)
    return None


def explain_failure(
    status: AgentStatus,
    *,
    error: BaseException | None,
    stderr: str,
    seconds: float,
    secret: str,
    proxy: str | None = None,
) -> TunnelFailed:
    """Say why an agent gave no address within `seconds`. `secret` is cut out of its words.

    `proxy` is the setting by which it uses a proxy.
    """
    if status.state is AgentState.CLOSED:
        return TunnelFailed("the tunnel was closed before it was open", OR_POLL)
    last, remedy = status.complaints[-1] if status.complaints else "", CHECK
    if status.cannot_dial:
        reason, remedy = explain_dial_error(status.dial_error or last, proxy)
    elif status.state is AgentState.STARTING and status.dial_error:
        # Packets that are swallowed take longer than there is time for three attempts.
        reason, remedy = explain_dial_error(status.dial_error, proxy)
    elif status.state is AgentState.STARTING:
        reason = f"ngrok did not answer within {seconds:g} s"
    elif _may_not_read(stderr) or _may_not_read(last):
        reason = "the ngrok agent may not read the configuration that it is given"
        remedy = (
            "If it is a snap, it reads no hidden folders: set SUNO_WAV_HOME=$HOME/suno-wav, or install it from "
            f"https://ngrok.com/download. {OR_POLL}"
        )
    else:
        reason = f"the ngrok agent does not work: {last or _first_line(stderr) or error}"
    texts = [str(error or ""), getattr(error, "body", ""), *status.complaints, stderr]
    return ngrok_failure(texts, reason.replace(secret, "(hidden)"), remedy)


def _may_not_read(complaint: str) -> bool:
    """Tell whether the agent may not open its configuration. Its log says only `open FILE: permission denied`."""
    return bool(re.search(r"\bopen \S.*\.yml: permission denied", complaint))


def _first_line(text: str) -> str:
    """Return what the agent complains of: its usage may stand before that."""
    errors = re.findall(r"^ERROR:\s*(\S.*)$", text, re.MULTILINE)
    return errors[0] if errors else text.strip().partition("\n")[0]
