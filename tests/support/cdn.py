"""The sandbox's CDN for tests: its files, fault plans, and a client that sees every byte."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from hypothesis import strategies as st

from suno_wav_cli.sandbox.cdn.fault_syntax import format_step
from suno_wav_cli.sandbox.cdn.faults import REFUSALS, STATUSES, Fault, Group, Kind, Plan, Step, Takes, Trait
from suno_wav_cli.sandbox.cdn.melody import make_melody
from suno_wav_cli.sandbox.demo_ids import choose_behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

_SILENCE_SECONDS = 0.5
_TIMEOUT = 20.0
_LONGEST_ID = 110


def format_plan(plan: Plan) -> str:
    """Write a plan so that `parse_plan` reads the same. A plan without faults is an empty text."""
    return "-".join([*(trait for trait in Trait if trait in plan.traits), *map(format_step, plan.steps)])


def format_cdn_id(plan: Plan, megabytes: int | None = None) -> str:
    """Return the audio id that orders this plan, for a file of this size."""
    size, text = "" if megabytes is None else f"-{megabytes}mb", format_plan(plan)
    return f"demo{size}-cdn-{text}" if text else f"demo{size}"


@cache
def tune(audio_id: str, version: int = 0) -> bytes:
    """Return the file after `version` changes."""
    wav = make_melody(choose_behaviour(audio_id).layout, version)
    pieces, at = [], 0
    while at < wav.length:
        pieces.append(wav.read(at, wav.length))
        at += len(pieces[-1])
    return b"".join(pieces)


class End(StrEnum):
    """How an answer ended on the wire."""

    CLOSED = "closed"
    RESET = "reset"
    SILENT = "silent"


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One answer, with every byte that came after its head."""

    status: int
    headers: httpx.Headers
    body: bytes
    end: End


def exchange(
    url: str, headers: Mapping[str, str] | None = None, *, silent_after: int | None = None
) -> Exchange:
    """Ask for a file on a connection of its own, and read until the other side ends it.

    After `silent_after` bytes of body nothing more is expected for a while.
    """
    address = urlsplit(url)
    target = address.path + (f"?{address.query}" if address.query else "")
    lines = [f"GET {target} HTTP/1.1", f"Host: {address.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content, end, head_bytes = bytearray(), End.CLOSED, None
    with socket.create_connection((address.hostname or "", address.port or 80), _TIMEOUT) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            while piece := connection.recv(1 << 16):
                content += piece
                if head_bytes is None and b"\r\n\r\n" in content:
                    head_bytes = content.index(b"\r\n\r\n") + 4
                if silent_after is not None and head_bytes is not None:
                    rest = head_bytes + silent_after - len(content)
                    connection.settimeout(_TIMEOUT if rest > 0 else _SILENCE_SECONDS)
        except ConnectionResetError:
            end = End.RESET
        except TimeoutError:
            end = End.SILENT
    head, _, body = bytes(content).partition(b"\r\n\r\n")
    status_line, *fields = head.decode().split("\r\n")
    pairs = [(name, value.strip()) for name, _, value in (line.partition(":") for line in fields)]
    return Exchange(status=int(status_line.split()[1]), headers=httpx.Headers(pairs), body=body, end=end)


_NUMBERS = {
    Takes.NOTHING: st.none(),
    Takes.BYTES: st.integers(1, 3_000_000),
    Takes.BYTES_OR_MIDDLE: st.none() | st.integers(0, 3_000_000),
    Takes.SECONDS: st.integers(0, 3600),
    Takes.STATUS: st.sampled_from(STATUSES),
    Takes.REFUSAL: st.sampled_from(REFUSALS),
}


def faults(kinds: frozenset[Kind] = frozenset(Kind)) -> st.SearchStrategy[Fault]:
    return st.sampled_from([kind for kind in Kind if kind in kinds]).flatmap(
        lambda kind: st.builds(Fault, st.just(kind), _NUMBERS[kind.takes])
    )


def steps(
    times: st.SearchStrategy[int | None], kinds: frozenset[Kind] = frozenset(Kind)
) -> st.SearchStrategy[Step]:
    """Combine faults that go together: one of each group, and a replacement alone."""
    alone = frozenset(kind for kind in kinds if kind.group is Group.ANSWER)
    spoiling = kinds - alone - {Kind.AFTER}
    together = st.lists(faults(spoiling), max_size=4, unique_by=lambda fault: fault.kind.group)
    drawn = together.map(tuple)
    if alone:
        drawn |= faults(alone).map(lambda fault: (fault,))
    if {Kind.STATUS, Kind.AFTER} <= kinds:
        drawn |= st.tuples(faults(frozenset({Kind.STATUS})), faults(frozenset({Kind.AFTER})))
    return st.builds(Step, faults=drawn, times=times)


def traits() -> st.SearchStrategy[frozenset[Trait]]:
    # Of a stale record no file comes, unless the service is kie.
    return st.frozensets(st.sampled_from([trait for trait in Trait if trait is not Trait.STALE])).filter(
        lambda drawn: not {Trait.WEAK, Trait.UNTAGGED} <= drawn
    )


def plans(
    kinds: frozenset[Kind] = frozenset(Kind), *, most_steps: int = 4, most_times: int = 3
) -> st.SearchStrategy[Plan]:
    """Combine steps that end at some time; after them all answers are good.

    Their ids leave room for a size and a `+`.
    """
    few = steps(st.integers(1, most_times), kinds)
    drawn = st.builds(Plan, steps=st.lists(few, max_size=most_steps).map(tuple), traits=traits())
    return drawn.filter(lambda plan: len(format_cdn_id(plan)) <= _LONGEST_ID)
