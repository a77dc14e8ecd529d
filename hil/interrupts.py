"""The few moments in which Ctrl-C must not strike."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from targets.signals import STOPS


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM inside: an impatient second Ctrl-C must not cost the
    record that the first one leaves. Signals strike the main thread only, so in other
    threads this does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: Python did not set this handler, so it cannot set it again
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
