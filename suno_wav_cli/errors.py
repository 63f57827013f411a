"""Everything that can go wrong, each with its exit code and what to do next.

SunoWavError
├── ProgramBug                 1   every exception that is not expected
├── UsageError                 2   wrong usage, or a file or folder that cannot be used
│   ├── JournalLocked          2   another program is writing to the journal
│   ├── JournalLost            2   the journal vanished or was replaced during the run
│   └── JournalUnusable        2   the journal cannot be used: ends the whole run
├── NotAuthorized              3   no API key, or refused
├── NoCredits                  4
├── ServiceUnavailable         6   away, busy, in maintenance: a later try may help
│   ├── TooManyRequests        6   more than the account's window allows
│   ├── BalanceUnknown         6   it answers, but not with a balance
│   └── SubmissionUnknown      6   a paid request without an answer: charged or not
├── NotBegun                   6   submissions have stopped before this song's turn
├── ConversionFailed           7   refused, or tried and failed
│   ├── GenerationFailed       7   accepted, and the service could not make the file
│   ├── TaskUnknown            7   the service does not know the task (yet)
│   │   └── TaskForgotten      7   the service has deleted it
│   └── RecordExists           7   409: the conversion was made before, elsewhere
├── StillRunning               8   not finished within --timeout
├── DownloadFailed             9
│   ├── AddressRefused         9   a new download URL may help
│   │   └── PageAnswered       9   it may: a page says nothing about the file itself
│   ├── BrokenOff              9   another try may help
│   │   └── StartOver          9   the bytes received so far are useless
│   ├── OutOfTime              9   more time may help
│   ├── DiskFull               9   room on the disk helps
│   ├── PartInUse              9   another program is downloading the file
│   ├── PrivateHost            9   an address in a private network, which is not connected to
│   └── NotAWholeWav           9
├── TagsNotWritten             9   the file is whole, but cannot take tags
├── UploadFailed               9   the file is whole, but the object store has not taken it
├── OutputExists              10
├── TunnelFailed              11   no public address, and polling was not allowed
│   └── TunnelRefused         11   another try does not help either
└── NotDelivered              11   a receiver did not answer a callback as it must
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from decimal import Decimal


class ExitCode(IntEnum):
    OK = 0
    BUG = 1
    USAGE = 2
    NOT_AUTHORIZED = 3
    NO_CREDITS = 4
    SOME_FAILED = 5
    UNAVAILABLE = 6
    CONVERSION_FAILED = 7
    STILL_RUNNING = 8
    DOWNLOAD_FAILED = 9
    OUTPUT_EXISTS = 10
    TUNNEL_FAILED = 11


class SunoWavError(Exception):
    """What happened, and what to do. None of the texts ever holds a secret.

    `continue_argv` is the command that continues, if there is one. It is shown after the remedy, unless
    `ends_with_command`: the remedy's own command has to come first, and its line has to end with it.
    """

    exit_code: ClassVar[ExitCode]
    ends_with_command = False

    def __init__(self, message: str, remedy: str, *, continue_argv: tuple[str, ...] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.continue_argv = continue_argv


class ProgramBug(SunoWavError):
    """An exception that is not expected. It is the `__cause__`, whose traceback tells more."""

    exit_code = ExitCode.BUG

    def __init__(self, bug: Exception, *, continue_argv: tuple[str, ...] | None = None) -> None:
        super().__init__(
            f"a bug in suno-wav: {type(bug).__name__}: {bug}",
            "Please report it, with the traceback that -v shows.",
            continue_argv=continue_argv,
        )
        self.__cause__ = bug


class UsageError(SunoWavError):
    exit_code = ExitCode.USAGE


class JournalLocked(UsageError):
    pass


class JournalLost(UsageError):
    pass


class JournalUnusable(UsageError):
    """No song of a run can go on without its journal."""


class NotAuthorized(SunoWavError):
    exit_code = ExitCode.NOT_AUTHORIZED


class NoCredits(SunoWavError):
    exit_code = ExitCode.NO_CREDITS


class ServiceUnavailable(SunoWavError):
    """`retry_after` is the pause in seconds that the service asked for, if it did."""

    exit_code = ExitCode.UNAVAILABLE

    def __init__(
        self,
        message: str,
        remedy: str,
        *,
        continue_argv: tuple[str, ...] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy, continue_argv=continue_argv)
        self.retry_after = retry_after


class TooManyRequests(ServiceUnavailable):
    pass


class BalanceUnknown(ServiceUnavailable):
    pass


class SubmissionUnknown(ServiceUnavailable):
    """`answer` is the beginning of an answer that was not understood, without secrets.

    `candidates` are the ids in it that may name the task that was paid for.
    """

    def __init__(
        self,
        message: str,
        remedy: str,
        *,
        continue_argv: tuple[str, ...] | None = None,
        answer: str | None = None,
        candidates: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message, remedy, continue_argv=continue_argv)
        self.answer = answer
        self.candidates = candidates


class NotBegun(SunoWavError):
    """Nothing was sent for this song. `reason` has stopped the run's submissions."""

    exit_code = ExitCode.UNAVAILABLE

    def __init__(self, reason: SunoWavError) -> None:
        super().__init__(reason.message, reason.remedy)
        self.reason = reason


class ConversionFailed(SunoWavError):
    exit_code = ExitCode.CONVERSION_FAILED


class GenerationFailed(ConversionFailed):
    """`code` is the one that the service answered with, or None if a record says that it failed.

    `cost` is what the record says that it has cost, in credits.
    """

    def __init__(
        self,
        message: str,
        remedy: str,
        *,
        continue_argv: tuple[str, ...] | None = None,
        code: int | None = None,
        cost: Decimal | None = None,
    ) -> None:
        super().__init__(message, remedy, continue_argv=continue_argv)
        self.code = code
        self.cost = cost


class TaskUnknown(ConversionFailed):
    pass


class TaskForgotten(TaskUnknown):
    pass


class RecordExists(ConversionFailed):
    """`task_id` is the existing conversion's, if the answer names it. Else `candidates` may have it."""

    def __init__(
        self, message: str, remedy: str, task_id: str | None, *, candidates: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, remedy)
        self.task_id = task_id
        self.candidates = candidates


class StillRunning(SunoWavError):
    exit_code = ExitCode.STILL_RUNNING


class DownloadFailed(SunoWavError):
    exit_code = ExitCode.DOWNLOAD_FAILED


class AddressRefused(DownloadFailed):
    pass


class PageAnswered(AddressRefused):
    pass


class BrokenOff(DownloadFailed):
    """`retry_after` is the pause in seconds that the server asked for, if it did."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message, "Check the network, then try again.")
        self.retry_after = retry_after


class StartOver(BrokenOff):
    pass


class OutOfTime(DownloadFailed):
    pass


class DiskFull(DownloadFailed):
    pass


class PartInUse(DownloadFailed):
    pass


class PrivateHost(DownloadFailed):
    """`host` has no other addresses than ones like `address`."""

    def __init__(self, host: str, address: str) -> None:
        shown = address if host == address else f"{host} ({address})"
        super().__init__(
            f"the file's address leads into a private network: {shown}",
            "If your service keeps its files there, allow it: --allow-private-hosts. Else ask your provider.",
        )


class NotAWholeWav(DownloadFailed):
    pass


class TagsNotWritten(SunoWavError):
    exit_code = ExitCode.DOWNLOAD_FAILED


class UploadFailed(SunoWavError):
    exit_code = ExitCode.DOWNLOAD_FAILED


class OutputExists(SunoWavError):
    exit_code = ExitCode.OUTPUT_EXISTS


class TunnelFailed(SunoWavError):
    exit_code = ExitCode.TUNNEL_FAILED


class TunnelRefused(TunnelFailed):
    pass


class NotDelivered(SunoWavError):
    exit_code = ExitCode.TUNNEL_FAILED
