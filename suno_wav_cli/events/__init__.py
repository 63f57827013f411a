"""What the core reports while it works; the terminal decides how to show it.

An event is named twice: as a class, and in the union at the end of its file. Import it from its own
module: loading all of them would take a fifth of a short run. No event carries a key
or a token; only `Listening` carries the secret path of the receiver. These fields mean the same in
all events:

audio_id: of the song.
task_id: of the conversion at the service.
music_task_id: of the task that generated the song.
title: of the song; null if this machine does not know it.
message: what went wrong, for people.
remedy: what to do about it, for people.
continue_argv: the command that `remedy` or `resume_hint` ends with, word by word; null if there is none.
reason: why, for people.
exit_code: see the table in the README.
path: of a file on this machine.
provider: whose API it is.
base_url: address of the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from suno_wav_cli.events.union import Event as Event
    from suno_wav_cli.events.union import Report as Report
