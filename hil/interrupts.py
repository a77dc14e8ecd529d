"""The few moments in which Ctrl-C must not strike."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from targets.signals import STOPS


@contextmanager
def no_interrupts() -> Iterator[None]:
    """Ctrl-C and SIGTERM come too late inside: an impatient second Ctrl-C must
    not cost the record that the first one leaves. Only the main thread is ever
    disturbed, so nothing is done in others."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_IGN) for number in STOPS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was not Python that set it, and so Python cannot again
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
