"""What the balance tells of a lost request, and that it claims no more than it can know."""

from __future__ import annotations

import os
import shlex
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from suno_wav_cli.api.providers import SUNOAPI
from suno_wav_cli.conversion.balance_evidence import compare_balances
from suno_wav_cli.journal import open_journal
from suno_wav_cli.journal.entry import Account, State
from suno_wav_cli.models import Song
from suno_wav_cli.sandbox import run_sandbox
from suno_wav_cli.system.loopback import address_of, bind_socket
from tests.support.program import Sandbox
from tests.support.wild import envelope

if TYPE_CHECKING:
    from tests.support.wild import Wild

SERVICE = Account(base_url="https://api.sunoapi.org", provider="sunoapi", kept_days=15)
PRICE = Decimal("0.4")


@pytest.mark.parametrize(
    ("before", "now", "paid", "undecided", "said"),
    [
        ("10", "10", 0, 1, "it was not charged"),
        ("10", "9.6", 0, 1, "seems to have been charged"),
        ("10", "9.2", 2, 1, "it was not charged"),
        ("10", "8.8", 2, 1, "seems to have been charged"),
        ("10", "9.2", 0, 2, "seems to have been charged"),
        ("10", "9.6", 0, 2, "does not tell"),
        ("10", "12", 0, 1, "does not tell"),
        ("0.3", "0.1", 0, 1, "does not tell"),
    ],
)
def test_the_sum_decides(before: str, now: str, paid: int, undecided: int, said: str) -> None:
    assert said in compare_balances(Decimal(before), Decimal(now), PRICE, paid=paid, undecided=undecided)


def test_what_was_submitted_since_the_balance_was_asked_for_is_counted() -> None:
    """The amount comes back exact; an earlier batch does not count, and a later conversion does."""
    balance = Decimal("9.60")
    with open_journal(Path("journal.sqlite3"), SERVICE) as journal:

        def claimed(audio_id: str, credits_before: Decimal | None) -> int:
            claim = journal.claim(Song(audio_id=audio_id), Path("x.wav"), credits_before=credits_before)
            return claim.entry.id

        def accepted(audio_id: str, credits_before: Decimal | None) -> None:
            claim = journal.claim(Song(audio_id=audio_id), Path("x.wav"), credits_before=credits_before)
            journal.accept(claim.entry, f"task-{audio_id}")

        accepted("earlier", Decimal(10))
        accepted("same batch", balance)
        claimed("lost", balance)
        accepted("later", None)
        lost = journal.current_entry("lost")
        assert lost is not None
        assert (lost.state, str(lost.credits_before)) == (State.SUBMITTING, "9.60")
        assert journal.history.paid_since_balance(lost) == (2, 1)


@pytest.mark.long
def test_resume_says_what_the_balance_tells_and_pays_nothing() -> None:
    """Two songs of a batch, whose balance is asked for before: one is converted, and the answer of the other is lost."""
    with bind_socket(0) as bound, run_sandbox(bound, speed=20.0):
        sandbox = Sandbox(base_url=address_of(bound))
        assert sandbox.run("convert", "demo-lost+balance", "demo", "--tunnel", "none").code == 5
        done = sandbox.run("resume")
        assert done.code == 6
        assert (
            "; the balance was 100 credits before and is 99.2 now: it seems to have been charged" in done.err
        )
        assert "resume demo-lost+balance --resubmit" in done.err
        assert sandbox.counted("submissions", "demo-lost+balance") == 1


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("code", [400, 401, 500])
def test_a_balance_that_cannot_be_had_changes_nothing_about_the_song(wild: Wild, code: int) -> None:
    good = wild.answer
    wild.answer = lambda seen: (
        envelope(code, "no") if seen.path in (SUNOAPI.credit_path, SUNOAPI.record_path) else good(seen)
    )
    account = Account(base_url=wild.address, provider="sunoapi", kept_days=15)
    with open_journal(Path(os.environ["SUNO_WAV_HOME"]) / "journal.sqlite3", account) as journal:
        lost = journal.claim(Song(audio_id="song"), Path("song.wav"), credits_before=Decimal(1)).entry
        journal.move(lost, State.UNKNOWN, message="it is not known")
    done = wild.run("resume")
    assert done.code == 6
    assert "song: error: it is not known (on " in done.err


@pytest.mark.long
def test_a_song_is_continued_by_the_contract_that_it_was_submitted_by(sandbox: Sandbox) -> None:
    """Kie's two contracts share an address, and a journal's conversions are known by it."""
    by_kie, by_jobs = sandbox.as_kie("kie"), sandbox.as_kie("kie-jobs")
    arguments = ("convert", "demo+contract", "--task-id", "0" * 32, "--tunnel", "none")
    task_id = by_kie.run(*arguments, "--no-wait").out.strip()
    for command in (arguments, ("status", task_id)):
        done = by_jobs.run(*command)
        assert done.code == 2
        assert "demo+contract was submitted as kie\n" in done.err
    line = shlex.split(done.err.partition("To continue: suno-wav ")[2])
    assert by_jobs.run(*line).code == 0
    assert sandbox.counted("accepted", "demo+contract") == 1
