"""The two lines of each kind of error: what happened, and what to do. Read them aloud before you change one."""

from __future__ import annotations

import re
from functools import cache

import pytest

from suno_wav_cli import errors
from suno_wav_cli.errors import SunoWavError
from tests.support.program import REPOSITORY

LINES: dict[type[SunoWavError], tuple[str, str]] = {
    errors.ProgramBug: ("a bug in suno-wav: …", "Please report it, with the traceback that -v shows."),
    errors.UsageError: (
        "no audio id was given",
        "suno-wav convert AUDIO_ID... or, for all tracks: --task-id ID; or --from-file FILE",
    ),
    errors.JournalLocked: (
        "the journal … cannot be used: …",
        "Another program is writing to it. Wait for it, then try again.",
    ),
    errors.JournalLost: (
        "the journal … was replaced during this run, or vanished and could not be written again",
        "Put it back, so that what was paid for stays known.",
    ),
    errors.JournalUnusable: (
        "the journal … cannot be used: …",
        "Repair the file or folder, or name another one: SUNO_WAV_HOME=FOLDER",
    ),
    errors.NotAuthorized: (
        "the service refused the API key",
        "Check that it is whole, and that it belongs to this provider. `suno-wav login` keeps another one.",
    ),
    errors.NoCredits: ("not enough credits", "Top up at your provider, then run the same command again."),
    errors.ServiceUnavailable: (
        "the service cannot be reached at …: …",
        "Check the network …, then try again. `suno-wav doctor` looks closer.",
    ),
    errors.TooManyRequests: ("too many requests", "Try again in a while."),
    errors.BalanceUnknown: (
        "the service's answer is not a balance",
        "Check --provider and --base-url, or look at your account's page.",
    ),
    errors.SubmissionUnknown: (
        "it is not known whether the song was submitted and charged: …",
        "Nothing is paid twice by itself. Look at your account's log.",
    ),
    # It has the lines of what has stopped the submissions.
    errors.NotBegun: ("the service is in maintenance", "Try again in a while."),
    errors.ConversionFailed: (
        "the service refused the request",
        "Check the id. For a submission, give the song's music task too, if you know it: --task-id ID",
    ),
    errors.GenerationFailed: (
        "the service could not convert the song: …",
        "Nothing is paid twice by itself. …",
    ),
    errors.TaskUnknown: (
        "the service does not know this task",
        "It may be too new, too old, or of another --provider or --base-url.",
    ),
    errors.TaskForgotten: (
        "the service has forgotten the task, which it keeps no longer: …",
        "Only a new conversion, which is charged, brings the file back.",
    ),
    errors.RecordExists: (
        "the service already has a WAV of this song",
        "Its task id is not known here; your account's log may name it: suno-wav status TASK_ID --wait --download",
    ),
    errors.StillRunning: ("the conversion is not finished yet", "Try again later, or add --wait."),
    errors.DownloadFailed: ("the file's address redirects without end", "Ask your provider."),
    errors.AddressRefused: (
        "the file's address answers HTTP …",
        "It may have expired; ask for a fresh one.",
    ),
    errors.PageAnswered: (
        "the file's address answers HTTP … with a page for browsers",
        "It may be a protection against robots.",
    ),
    errors.BrokenOff: ("the download broke off: …", "Check the network, then try again."),
    errors.StartOver: ("the download broke off: …", "Check the network, then try again."),
    errors.OutOfTime: (
        "the file's server is too slow: … bytes within … s",
        "To allow more time, add --timeout.",
    ),
    errors.DiskFull: (
        "… cannot be written: …",
        "Make room … or choose another one, then run the same command again: it is not charged twice.",
    ),
    errors.PartInUse: (
        "another program is downloading to …",
        "Let it finish, or choose another --out.",
    ),
    errors.PrivateHost: (
        "the file's address leads into a private network: …",
        "If your service keeps its files there, allow it: --allow-private-hosts. Else ask your provider.",
    ),
    errors.NotAWholeWav: (
        "what was downloaded is not a whole WAV: …",
        "Run the same command again; if it stays so, ask your provider.",
    ),
    errors.TagsNotWritten: (
        "the file takes no tags: …",
        "It is whole without them; another tagger may help.",
    ),
    errors.UploadFailed: (
        "… was not uploaded: …",
        "The file is paid for, and whole on this machine.",
    ),
    errors.OutputExists: (
        "… exists",
        "It was not touched. Choose another --out, or add --force.",
    ),
    errors.TunnelFailed: ("port … cannot be opened: …", "Choose another --port; 0 takes a free one."),
    errors.TunnelRefused: (
        "there is no ngrok token",
        "Set NGROK_AUTHTOKEN, give --public-url, or poll: --tunnel none",
    ),
    errors.NotDelivered: ("the signature is …", "…"),
}
"""Of each kind, the lines that are met most. `…` stands for what differs."""

_LONGEST = 120
_JARGON = ("Errno", "Exception", "None", "nobody", "somebody", "shall", "whoever")


def kinds_of(kind: type[SunoWavError]) -> set[type[SunoWavError]]:
    return {kind}.union(*(kinds_of(sub) for sub in kind.__subclasses__()))


@cache
def program_texts() -> str:
    """Return the program's code with its texts in one piece each."""
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "suno_wav_cli").rglob("*.py"))
    return re.sub(r'"\s*\n\s*f?"', "", code)


def test_each_kind_of_error_has_its_lines() -> None:
    defined = {one for one in kinds_of(SunoWavError) if one.__module__ == errors.__name__}
    assert set(LINES) == defined - {SunoWavError}


@pytest.mark.parametrize("kind", LINES, ids=lambda kind: kind.__name__)
def test_the_lines_are_plain_and_those_of_the_program(kind: type[SunoWavError]) -> None:
    happened, to_do = LINES[kind]
    assert (happened[0].isupper(), happened.endswith(".")) == (False, False)
    assert to_do[0].isupper() or to_do.startswith(("suno-wav ", "…"))
    for line in (happened, to_do):
        assert len(line) <= _LONGEST
        assert not [word for word in _JARGON if word in line]
        for fragment in line.split("…"):
            assert fragment.strip(" .,:") in program_texts(), fragment
