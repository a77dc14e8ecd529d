"""The `hil` command, also as `python -m hil`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STRANGER = 2
"""Exit code where another package has the name of one of hil's: that of wrong usage."""


def main() -> int:
    """Run the command line; Ctrl-C while it is still loading ends it with 130
    and no traceback, as it does later."""
    try:
        with pending():  # an import that is torn apart may lose the signal
            from hil import house

            try:
                house.require_own()
            except ImportError as stranger:
                print(f"hil: {stranger}\n  hint: {house.MEND}", file=sys.stderr)
                return STRANGER
            from hil.cli import main as command
            from targets.signals import STOPS
        code = command()
        for number in STOPS:  # the exit code is known: they come too late
            signal.signal(number, signal.SIG_IGN)
        return code
    except KeyboardInterrupt:
        return 130


@contextmanager
def pending() -> Iterator[None]:
    """The kernel holds signals that come inside until the end of the block."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


if __name__ == "__main__":
    sys.exit(main())
