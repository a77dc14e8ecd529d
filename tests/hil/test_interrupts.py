"""Ctrl-C while a record is written does not cost the record."""

from __future__ import annotations

import signal

import pytest

from hil.errors import HilError, Termination, stopped
from hil.interrupts import STOPS, no_interrupts


@pytest.mark.parametrize("number", STOPS)
def test_a_signal_inside_does_nothing_and_its_handler_returns(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with no_interrupts():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_sigterm_passes_whoever_catches_our_errors() -> None:
    assert not issubclass(Termination, (HilError, Exception))
    assert (
        stopped(Termination()).exit_code,
        stopped(KeyboardInterrupt()).exit_code,
    ) == (143, 130)
