"""For terminals: a line for each message, and below them a bar for each song in progress."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.constrain import Constrain
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from suno_wav_cli import events
from suno_wav_cli.models import WavState
from suno_wav_cli.terminal.message import Level
from suno_wav_cli.terminal.render import render
from suno_wav_cli.terminal.streams import Results
from suno_wav_cli.terminal.tables import clock, megabytes

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType, RenderResult

    from suno_wav_cli.terminal.message import Message

_TUNNEL = "callbacks"
"""Label of the bar that is not a song's."""

_DOWNLOADING, _WAITING = "downloading", "waiting"
_STYLES = {Level.ERROR: "red", Level.SUCCESS: "green"}


class ProgressDisplay:
    """Bars on standard error. They are hidden while a line goes to standard output."""

    def __init__(self, *, verbose: bool, no_color: bool) -> None:
        self._verbose = verbose
        self._results = Results()
        self._console = Console(stderr=True, no_color=no_color or None, highlight=False)
        self._bars: dict[str, TaskID] = {}
        self._progress = _Bars(
            TextColumn(
                "{task.description}",
                markup=False,
                table_column=Column(ratio=2, no_wrap=True, overflow="ellipsis"),
            ),
            BarColumn(bar_width=None, table_column=Column(ratio=3)),
            _Stage(table_column=Column(no_wrap=True, justify="right")),
            console=self._console,
            transient=True,
            expand=True,
            # Rich would send standard output to standard error, away from the pipe.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def stop(self) -> None:
        if self._progress.live.is_started:
            with suppress(OSError):
                self._progress.stop()

    def show(self, event: events.Event) -> None:
        message = render(event)
        self._remove_bar(event)
        self._say(message)
        self._write(message)
        self._move_bar(event)

    def _remove_bar(self, event: events.Event) -> None:
        """Remove the bar of what has ended."""
        match event:
            case events.Ready() | events.Listening() | events.TunnelLost() | events.TunnelRestored():
                self._remove(_TUNNEL)
            case (
                events.Saved()
                | events.Skipped()
                | events.Detached()
                | events.SongFailed()
                | events.TaskStatus()
            ):
                self._remove(event.audio_id)
            case _:
                pass

    def _move_bar(self, event: events.Event) -> None:
        """Start or advance the bar of what goes on."""
        match event:
            case events.TunnelOpening():
                self._set_stage(_TUNNEL, "opening")
            case events.Submitting():
                self._set_stage(event.audio_id, "submitting")
            case events.Submitted() | events.Resumed():
                self._set_stage(event.audio_id, "converting")
            case events.LookedUp():
                if event.record.state is WavState.PENDING and event.audio_id not in self._bars:
                    self._set_stage(event.audio_id, "converting")
            case events.DownloadStarted():
                self._set_stage(event.audio_id, _DOWNLOADING)
            case events.DownloadProgress() | events.DownloadRetried():
                self._advance(event)
            case _:
                pass

    def _set_stage(self, audio_id: str, stage: str) -> None:
        """Show the song at the beginning of a stage."""
        # Not earlier: a display that redraws itself would draw over a prompt.
        self._progress.start()
        if audio_id in self._bars:
            self._restart(self._bars[audio_id], stage)
        else:
            self._bars[audio_id] = self._progress.add_task(audio_id, total=None, stage=stage)

    def _advance(self, event: events.DownloadProgress | events.DownloadRetried) -> None:
        # Two tasks may belong to one song: they share a bar, which is removed with the first.
        bar = self._bars.get(event.audio_id)
        if bar is None:
            return
        if isinstance(event, events.DownloadRetried):
            self._progress.update(bar, stage=_WAITING)
            return
        task = self._task(bar)
        if task.completed == 0 or event.received < task.completed or task.fields["stage"] != _DOWNLOADING:
            # Neither bytes of an earlier run nor discarded ones count for the speed.
            self._restart(bar, _DOWNLOADING, total=event.total, completed=event.received)
        else:
            self._progress.update(bar, total=event.total, completed=event.received)

    def _restart(self, bar: TaskID, stage: str, *, total: int | None = None, completed: int = 0) -> None:
        # `reset` would keep the old total instead of None.
        self._task(bar).total = total
        self._progress.reset(bar, completed=completed, stage=stage)

    def _task(self, bar: TaskID) -> Task:
        return self._progress.tasks[self._progress.task_ids.index(bar)]

    def _remove(self, label: str) -> None:
        bar = self._bars.pop(label, None)
        if bar is not None:
            self._progress.remove_task(bar)

    def _write(self, message: Message) -> None:
        lines = list(message.result)
        if not lines:
            return
        self._progress.hidden = True
        self._progress.refresh()
        self._results.write(lines, droppable=message.droppable)
        self._progress.hidden = False
        self._progress.refresh()

    def _say(self, message: Message) -> None:
        if message.text is None or message.level is Level.PROGRESS:
            return
        if message.level is Level.DETAIL and not self._verbose:
            return
        first, newline, rest = message.text.partition("\n")
        style = _STYLES.get(message.level, "")
        self._console.print(Text(first, style=style) + Text(newline + rest), soft_wrap=True)


class _Bars(Progress):
    """Bars that can be hidden. Stopped and restarted, Rich would draw over lines written in between."""

    hidden = False

    def get_renderable(self) -> RenderableType:
        if self.hidden:
            return ""
        return _Narrower(inner=super().get_renderable())


@dataclass(frozen=True, kw_only=True)
class _Narrower:
    """Leaves room for the ^C that a terminal echoes: a full line would wrap and could not be erased."""

    inner: RenderableType

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        yield Constrain(self.inner, max(options.max_width - 3, 1))


class _Stage(ProgressColumn):
    """The stage of a song with its time, or bytes, speed and time left."""

    def render(self, task: Task) -> Text:
        stage = task.fields["stage"]
        if stage not in (_DOWNLOADING, _WAITING):
            return Text(f"{stage} {clock(task.elapsed or 0)}")
        text = megabytes(int(task.completed))
        if task.total is not None:
            text = f"{task.completed / 1e6:.1f}/{megabytes(int(task.total))}"
        if stage == _WAITING:
            return Text(f"{text} waiting")
        if task.speed:
            text += f" {task.speed / 1e6:.1f} MB/s"
        if task.time_remaining is not None:
            text += f" {clock(task.time_remaining)}"
        return Text(text)
