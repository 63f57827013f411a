"""What the core reports while it works. Who shows it, and how, is not its business.

No event carries a key or a token, and only `Listening` the path that callbacks arrive on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from suno_wav_cli.events.deliveries import (
    AnswerOverdue,
    CallbackKind,
    Delivered,
    Delivering,
    DeliveryChecked,
    DeliveryDelayed,
    DeliveryDropped,
    DeliveryForwarded,
    DeliveryReceived,
    DeliveryRecorded,
    Listening,
)
from suno_wav_cli.events.inspections import Inspected, Recording
from suno_wav_cli.events.listings import Job, JobList, OtherServiceJobs, TrackList
from suno_wav_cli.events.money import (
    Balance,
    KeyForgotten,
    KeyKept,
    Planned,
    Quoted,
)
from suno_wav_cli.events.practice import (
    RequestServed,
    SandboxId,
    SandboxServing,
    SandboxStarted,
)
from suno_wav_cli.events.runs import (
    Failed,
    FailuresListed,
    Interrupted,
    Summary,
)
from suno_wav_cli.events.setup import (
    ConfigLocated,
    PathShown,
    SecretShown,
    SettingShown,
)
from suno_wav_cli.events.songs import (
    ConnectionsReduced,
    Detached,
    DownloadProgress,
    DownloadRetried,
    DownloadStarted,
    LookedUp,
    LookupFailed,
    Portrayed,
    Resumed,
    Saved,
    Skipped,
    SongFailed,
    StateChanged,
    SubmissionDelayed,
    Submitted,
    Submitting,
    TagsMissing,
    TaskStatus,
)
from suno_wav_cli.events.ways import (
    AgentDownloading,
    CallbackReceived,
    Ready,
    TunnelLost,
    TunnelOpening,
    TunnelRestored,
)

if TYPE_CHECKING:
    from collections.abc import Callable

Event: TypeAlias = (
    Submitting
    | SubmissionDelayed
    | Submitted
    | Resumed
    | LookedUp
    | StateChanged
    | LookupFailed
    | DownloadStarted
    | DownloadProgress
    | ConnectionsReduced
    | DownloadRetried
    | TagsMissing
    | Saved
    | Portrayed
    | Skipped
    | Detached
    | SongFailed
    | TaskStatus
    | JobList
    | TrackList
    | OtherServiceJobs
    | Inspected
    | Ready
    | TunnelOpening
    | AgentDownloading
    | TunnelLost
    | TunnelRestored
    | CallbackReceived
    | Listening
    | DeliveryReceived
    | DeliveryRecorded
    | DeliveryForwarded
    | DeliveryChecked
    | DeliveryDropped
    | CallbackKind
    | Delivering
    | AnswerOverdue
    | Delivered
    | DeliveryDelayed
    | SandboxStarted
    | SandboxServing
    | SandboxId
    | RequestServed
    | Balance
    | Planned
    | Quoted
    | KeyKept
    | KeyForgotten
    | SettingShown
    | SecretShown
    | PathShown
    | ConfigLocated
    | FailuresListed
    | Summary
    | Interrupted
    | Failed
)

Report: TypeAlias = "Callable[[Event], None]"

__all__ = [
    "AgentDownloading",
    "AnswerOverdue",
    "Balance",
    "CallbackKind",
    "CallbackReceived",
    "ConfigLocated",
    "ConnectionsReduced",
    "Delivered",
    "Delivering",
    "DeliveryChecked",
    "DeliveryDelayed",
    "DeliveryDropped",
    "DeliveryForwarded",
    "DeliveryReceived",
    "DeliveryRecorded",
    "Detached",
    "DownloadProgress",
    "DownloadRetried",
    "DownloadStarted",
    "Event",
    "Failed",
    "FailuresListed",
    "Inspected",
    "Interrupted",
    "Job",
    "JobList",
    "KeyForgotten",
    "KeyKept",
    "Listening",
    "LookedUp",
    "LookupFailed",
    "OtherServiceJobs",
    "PathShown",
    "Planned",
    "Portrayed",
    "Quoted",
    "Ready",
    "Recording",
    "Report",
    "RequestServed",
    "Resumed",
    "SandboxId",
    "SandboxServing",
    "SandboxStarted",
    "Saved",
    "SecretShown",
    "SettingShown",
    "Skipped",
    "SongFailed",
    "StateChanged",
    "SubmissionDelayed",
    "Submitted",
    "Submitting",
    "Summary",
    "TagsMissing",
    "TaskStatus",
    "TrackList",
    "TunnelLost",
    "TunnelOpening",
    "TunnelRestored",
]
