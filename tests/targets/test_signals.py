"""Signals wait where something must not be torn apart, and one is enough."""

from __future__ import annotations

import signal

import pytest

from targets import signals
from targets.signals import STOPS, held

pytestmark = pytest.mark.usefixtures("ctrl_c_is_heard")


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def test_a_held_signal_strikes_at_the_end() -> None:
    done = False
    with pytest.raises(KeyboardInterrupt), held():
        ctrl_c()
        done = True
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_came_before_strikes_where_it_is_heard() -> None:
    done = False
    with held() as hold:
        ctrl_c()
        with pytest.raises(KeyboardInterrupt), hold.heard():
            done = True
    assert not done


def test_those_after_the_first_come_too_late() -> None:
    cleared = False
    with held() as hold:
        with pytest.raises(KeyboardInterrupt), hold.heard():
            try:
                ctrl_c()
            finally:
                ctrl_c()
                cleared = True
        ctrl_c()
    assert cleared


def test_a_signal_is_heard_again_when_clearing_up_has_had_its_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or a program that has lost the first one could not be ended any more."""
    monkeypatch.setattr(signals, "CLEARING_LIMIT", 0.0)
    with held() as hold, hold.heard():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                ctrl_c()


def test_a_hold_within_one_that_hears_delays_it() -> None:
    started = False
    with held() as outer, pytest.raises(KeyboardInterrupt), outer.heard(), held():
        ctrl_c()
        started = True
    assert started


def test_what_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with held() as hold, hold.heard():
        ctrl_c()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert {signal.getsignal(number) for number in STOPS} >= {signal.SIG_IGN}


def test_what_strikes_as_a_signal_does_makes_later_signals_too_late() -> None:
    cleared = False
    with held() as hold, pytest.raises(KeyboardInterrupt, match="key"), hold.heard():
        try:
            signals.strike(KeyboardInterrupt("key"))
        finally:
            ctrl_c()
            cleared = True
    assert cleared
