"""Whether callbacks arrive, as the decisions of the service show."""

from __future__ import annotations

from suno_wav_cli.conversion.callback_evidence import CallbackEvidence


def reachable() -> CallbackEvidence:
    evidence = CallbackEvidence(grace=15.0)
    evidence.set_reachable(0.0)
    return evidence


def proven() -> CallbackEvidence:
    evidence = reachable()
    evidence.decided("first", submitted=1.0, called=True, now=5.0)
    return evidence


def miss(evidence: CallbackEvidence, name: str, now: float) -> bool:
    evidence.decided(name, submitted=1.0, called=False, now=now)
    return evidence.expire(now + 15.0)


def test_the_pauses_follow_what_is_known_of_the_callbacks() -> None:
    assert CallbackEvidence(grace=15.0).factor == 1
    assert reachable().factor == 2
    assert proven().factor == 4


def test_without_an_address_nothing_is_awaited() -> None:
    evidence = CallbackEvidence(grace=15.0)
    assert not miss(evidence, "a", 10.0)
    assert evidence.factor == 1


def test_the_first_callback_that_does_not_come_shows_an_address_that_cannot_be_reached() -> None:
    evidence = reachable()
    evidence.decided("a", submitted=1.0, called=False, now=60.0)
    assert evidence.next_expiry == 75.0
    assert not evidence.expire(74.0)
    assert evidence.factor == 2
    assert evidence.expire(75.0)
    assert evidence.factor == 1
    assert not miss(evidence, "b", 80.0), "it is said once"


def test_a_callback_within_the_grace_proves_them() -> None:
    """The lookup was a moment quicker."""
    evidence = reachable()
    evidence.decided("a", submitted=1.0, called=False, now=60.0)
    evidence.came("a")
    assert not evidence.expire(1000.0)
    assert evidence.factor == 4


def test_a_run_that_has_got_some_gives_up_after_three() -> None:
    evidence = proven()
    assert [miss(evidence, str(number), 100.0 * number) for number in range(1, 5)] == [
        False,
        False,
        True,
        False,
    ]
    assert evidence.factor == 1


def test_callbacks_between_lost_ones_count() -> None:
    evidence = proven()
    for number in range(1, 10):
        assert not miss(evidence, f"lost{number}", 100.0 * number)
        assert evidence.factor == 2
        evidence.decided(f"came{number}", submitted=1.0, called=True, now=100.0 * number + 20)
        assert evidence.factor == 4


def test_callbacks_that_come_after_all_are_used_again() -> None:
    evidence = reachable()
    assert miss(evidence, "a", 60.0)
    evidence.decided("b", submitted=1.0, called=True, now=90.0)
    assert evidence.factor == 4


def test_a_callback_that_was_lost_while_the_tunnel_was_down_is_no_evidence() -> None:
    evidence = reachable()
    evidence.set_reachable(None)
    evidence.set_reachable(50.0)
    evidence.decided("a", submitted=40.0, called=False, now=60.0)
    assert not evidence.expire(100.0)
    assert evidence.factor == 2


def test_a_callback_that_nothing_waits_for_proves_nothing() -> None:
    evidence = reachable()
    evidence.came("anything")
    assert evidence.factor == 2
