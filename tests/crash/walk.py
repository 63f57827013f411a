"""One conversion, killed at one point, and everything that must be true of what goes on with it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from tests.crash.trial import Story, Trial, Way, trial_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.program import Sandbox


_GIVES_WAY = 9
"""The exit code of a program that finds another one at its download."""


class Known(Enum):
    """What the journal tells of the paid request."""

    NOT_SENT = auto()
    UNKNOWN = auto()
    KEPT = auto()
    """Its answer was not understood, and is kept."""
    ACCEPTED = auto()


@dataclass(frozen=True)
class Point:
    """A moment at which a conversion can be killed; `known` is what the journal may tell afterwards."""

    name: str
    what: str
    known: frozenset[Known]

    def __str__(self) -> str:
        return f"{self.name} ({self.what})"

    @property
    def kind(self) -> str:
        return self.name.partition(":")[0]

    @property
    def moment(self) -> str:
        return self.name.rpartition(":")[2]


@dataclass(frozen=True)
class Route:
    """All points of a conversion in the order in which they are reached, and the file that it makes.

    `content` is empty if the conversion fails.
    """

    way: Way
    points: tuple[Point, ...]
    content: bytes


def explored(way: Way, sandbox: Sandbox, folder: Path) -> Route:
    """Convert once without being killed, and note all points."""
    with trial_of(way, "explored", sandbox, folder) as trial:
        trial.prepare()
        code = trial.killed_at(None)
        if way.story is Story.SECOND:
            # Of two that download to one file, one gives way.
            assert 0 in {code, trial.second().code} <= {0, _GIVES_WAY}, f"{code}, and {trial.second()!r}"
            code = 0
        assert code == way.exit_code, f"the conversion ends with {code}"
        content = trial.file.read_bytes() if code == 0 else b""
        return Route(way, _points(trial.reached(), way.story), content)


def _points(reached: Sequence[tuple[str, str]], story: Story) -> tuple[Point, ...]:
    """Tell what the journal must know at each: the request stands in it from before it leaves until its answer does."""
    paid = next(at for at, (name, what) in enumerate(reached) if _is_paid(name, what))
    durable = [at for at, (name, what) in enumerate(reached) if name.endswith(":after") and what == "COMMIT"]
    claimed = max(at for at in durable if at < paid)
    accepted = min(at for at in durable if at > paid)
    points = []
    for at, (name, what) in enumerate(reached):
        if at < claimed:
            known = {Known.NOT_SENT}
        elif (name.startswith("incoming:") and at > paid) or (
            name.endswith(":answered") and _is_paid(name, what)
        ):
            # It comes, or the program works on, while the answer is being written down.
            known = {Known.UNKNOWN, Known.ACCEPTED}
        else:
            known = {Known.UNKNOWN} if at < accepted else {Known.ACCEPTED}
        if story is Story.NOT_UNDERSTOOD and at >= paid:
            # What is kept first is the answer, in a write of its own.
            known |= {Known.KEPT}
        points.append(Point(name=name, what=what, known=frozenset(known)))
    # Before the paid request there is no second program.
    return tuple(points[paid:] if story is Story.SECOND else points)


def _is_paid(name: str, what: str) -> bool:
    return name.startswith("request:") and what.startswith("POST ")


def check(route: Route, number: int, sandbox: Sandbox, folder: Path) -> None:
    """Kill a conversion at the point, go on with it as a person would. Raises AssertionError.

    At every second point it is the same `convert` that goes on with an accepted conversion, else `resume`.
    """
    point, story = route.points[number], route.way.story
    with trial_of(route.way, str(number), sandbox, folder) as trial:
        trial.prepare()
        code = trial.killed_at(point.name)
        # Who has the whole answer may have been faster. What came before can make for fewer points, and with
        # two programs the point may be the other's.
        ended_first = code == route.way.exit_code and (point.moment == "answered" or story is not Story.PLAIN)
        gave_way = code == _GIVES_WAY and story is Story.SECOND
        assert code == -signal.SIGKILL or ended_first or gave_way, f"it ended with {code}"
        if story is Story.SECOND:
            _go_on_with_second(trial)
        elif story is Story.RESUBMITTED:
            _go_on_with_failed(trial)
            return
        else:
            known = _known(trial)
            assert known in point.known or ended_first, f"the journal says {known.name}"
            _go_on(trial, known, again=trial.convert if number % 2 else ["resume"])
        assert trial.accepted() == 1, "not paid for once"
        assert trial.file.read_bytes() == route.content, "another file"
        names = sorted(path.name for path in trial.file.parent.iterdir())
        assert names == ["song.wav"], f"the folder holds {names}"
        assert trial.states()[-1] == "saved", f"the journal says {trial.states()}"


def _go_on(trial: Trial, known: Known, again: Sequence[str]) -> None:
    if known is Known.NOT_SENT:
        assert trial.accepted() == 0, "paid, and the journal does not know"
        trial.expect(0, "resume")
        assert trial.accepted() == 0
        trial.expect(0, *trial.convert)
    elif known is Known.UNKNOWN:
        _settle(trial)
    elif known is Known.KEPT:
        # The id in the answer is looked up.
        trial.expect(0, "resume")
    else:
        trial.expect(0, *again)


def _go_on_with_second(trial: Trial) -> None:
    """The second program has waited for the first. It ends with the file, or says that it cannot know."""
    second = trial.second()
    assert second.code in (0, 6, _GIVES_WAY), f"the second program ends with {second!r}"
    if second.code == 6:
        _settle(trial)
    else:
        trial.expect(0, *trial.convert)


def _go_on_with_failed(trial: Trial) -> None:
    """The person has said once that the song be paid for again, and it fails again."""
    before = trial.accepted()
    assert before in (1, 2), f"paid for {before} times"
    known = _known(trial, earlier=1)
    if known is Known.UNKNOWN:
        for line in (["resume"], trial.convert):
            assert "--resubmit" in trial.expect(6, *line)
    elif known is Known.ACCEPTED:
        trial.expect(7, *trial.convert)
    else:
        trial.expect(7, *trial.convert)
        assert trial.accepted() == before == 1, "paid for without being told to"
        trial.expect(7, *trial.convert, "--resubmit")
        before = 2
    assert trial.accepted() == before, "paid for without being told to"


def _settle(trial: Trial) -> None:
    """Nobody pays again before the person has looked what became of the request, and said so."""
    truth = len(trial.tasks)
    for line in (["resume"], trial.convert):
        said = trial.expect(6, *line)
        assert "it is not known whether the song was submitted and charged" in said
        assert "--resubmit" in said
    assert trial.accepted() == truth, "not what the service has seen"
    if truth:
        trial.expect(0, "status", trial.tasks[0], "--wait", "--download", "--out", str(trial.file))
    else:
        trial.expect(0, "resume", "--resubmit")


def selected(route: Route, share: int, shares: int) -> list[int]:
    """Choose one point of each kind: all kinds around the paid request, and one share of the others."""
    kinds: dict[tuple[str, str, frozenset[Known]], int] = {}
    for number, point in enumerate(route.points):
        kinds[point.kind, point.moment, point.known] = number
    paid = [
        number for (kind, _, known), number in kinds.items() if kind != "incoming" and Known.UNKNOWN in known
    ]
    others = [number for number in kinds.values() if number not in paid]
    return sorted(paid + others[share::shares])


def _known(trial: Trial, earlier: int = 0) -> Known:
    """Read what the journal knows of the song, after so many earlier conversions."""
    states = trial.states()[earlier:]
    if not states:
        return Known.NOT_SENT
    if states not in (["submitting"], ["unknown"]):
        return Known.ACCEPTED
    return Known.KEPT if trial.keeps_answer() else Known.UNKNOWN
