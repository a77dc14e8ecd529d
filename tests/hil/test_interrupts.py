"""Ctrl-C while the command loads, or while a record is written."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from hil.errors import HilError, Termination, stopped
from hil.interrupts import STOPS, no_interrupts

TORN = """
import signal, sys
import hil.__main__
assert "hil.house" not in sys.modules
from hil import house
def tear():
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        raise RuntimeError("torn apart")
house.require_own = tear
sys.exit(hil.__main__.main())
"""
"""The command, which gets SIGINT while it loads, where Python makes another error of it:
as it does, before 3.12, where a class is defined."""


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_while_the_command_loads_ends_it_without_a_traceback() -> None:
    command = [sys.executable, "-c", TORN, "targets"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "")


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
