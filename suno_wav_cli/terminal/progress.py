"""A terminal that moves: a line for each thing that happened, and below them a bar for each song at work."""

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
from suno_wav_cli.terminal.messages import is_error, may_be_lost, results, sentence
from suno_wav_cli.terminal.streams import Results
from suno_wav_cli.terminal.texts import clock, megabytes

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType, RenderResult

_TUNNEL = "callbacks"
"""What its line is called, which is no song's."""

_DOWNLOADING, _WAITING = "downloading", "waiting"


class Live:
    """Everything moving is on standard error; it makes way while a line goes to standard output."""

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
            # Rich would send what goes to standard output to standard error, where no pipe finds it.
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def stop(self) -> None:
        if self._progress.live.is_started:
            with suppress(OSError):
                self._progress.stop()

    def show(self, event: events.Event) -> None:
        match event:
            case events.TunnelOpening():
                self._say(event)
                self._at(_TUNNEL, "opening")
            case events.Ready() | events.Listening() | events.TunnelLost() | events.TunnelRestored():
                self._end(_TUNNEL)
                self._say(event)
                self._write(event)
            case events.Submitting():
                self._say(event)
                self._at(event.audio_id, "submitting")
            case events.Submitted() | events.Resumed():
                self._say(event)
                self._at(event.audio_id, "converting")
            case events.LookedUp():
                self._say(event)
                if event.record.state is WavState.PENDING and event.audio_id not in self._bars:
                    self._at(event.audio_id, "converting")
            case events.DownloadStarted():
                self._at(event.audio_id, _DOWNLOADING)
            case events.DownloadProgress() | events.DownloadRetried():
                self._say(event)
                self._advance(event)
            case (
                events.Saved()
                | events.Skipped()
                | events.Detached()
                | events.SongFailed()
                | events.TaskStatus()
            ):
                self._end(event.audio_id)
                self._say(event)
                self._write(event)
            case _:
                self._say(event)
                self._write(event)

    def _at(self, audio_id: str, stage: str) -> None:
        """Show the song at a stage, from its beginning."""
        # Not before there is a bar: what redraws itself would draw over a prompt.
        self._progress.start()
        if audio_id in self._bars:
            self._restart(self._bars[audio_id], stage)
        else:
            self._bars[audio_id] = self._progress.add_task(audio_id, total=None, stage=stage)

    def _advance(self, event: events.DownloadProgress | events.DownloadRetried) -> None:
        # Two tasks may be of one song: the bar that they share ends with the first.
        bar = self._bars.get(event.audio_id)
        if bar is None:
            return
        if isinstance(event, events.DownloadRetried):
            self._progress.update(bar, stage=_WAITING)
            return
        task = self._task(bar)
        if task.completed == 0 or event.received < task.completed or task.fields["stage"] != _DOWNLOADING:
            # What was there before, and what is thrown away, is no speed.
            self._restart(bar, _DOWNLOADING, total=event.total, completed=event.received)
        else:
            self._progress.update(bar, total=event.total, completed=event.received)

    def _restart(self, bar: TaskID, stage: str, *, total: int | None = None, completed: int = 0) -> None:
        # Not by `reset`, which takes None for the total that there was.
        self._task(bar).total = total
        self._progress.reset(bar, completed=completed, stage=stage)

    def _task(self, bar: TaskID) -> Task:
        return self._progress.tasks[self._progress.task_ids.index(bar)]

    def _end(self, audio_id: str) -> None:
        bar = self._bars.pop(audio_id, None)
        if bar is not None:
            self._progress.remove_task(bar)

    def _write(self, event: events.Event) -> None:
        lines = results(event)
        if not lines:
            return
        write = self._results.offer if may_be_lost(event) else self._results.write
        self._progress.hidden = True
        self._progress.refresh()
        for line in lines:
            write(line)
        self._progress.hidden = False
        self._progress.refresh()

    def _say(self, event: events.Event) -> None:
        text = sentence(event, verbose=self._verbose)
        if text is None:
            return
        first, newline, rest = text.partition("\n")
        style = "red" if is_error(event) else "green" if isinstance(event, events.Saved) else ""
        self._console.print(Text(first, style=style) + Text(newline + rest), soft_wrap=True)


class _Bars(Progress):
    """Bars that can be hidden: stopped and started again, Rich would draw over what was written in between."""

    hidden = False

    def get_renderable(self) -> RenderableType:
        if self.hidden:
            return ""
        return _Narrower(inner=super().get_renderable())


@dataclass(frozen=True, kw_only=True)
class _Narrower:
    """Leaves room for the ^C that a terminal echoes: on a full line it would wrap, and the bar could not be erased."""

    inner: RenderableType

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        yield Constrain(self.inner, max(options.max_width - 3, 1))


class _Stage(ProgressColumn):
    """What a song is at: the time it has waited, or bytes, speed and time left."""

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
