"""When Ctrl-C and SIGTERM may strike.

Python turns a signal into an exception wherever the main thread happens to be: between
the start of a process and the moment somebody knows of it, or in the midst of clearing
up. So what must not be torn apart is done inside `held`, and signals are `heard` where
it is safe. One signal is enough: those that follow while everything is cleared up are
ignored, since clearing up has limits of its own.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

STOPS = (signal.SIGINT, signal.SIGTERM)
CLEARING_LIMIT = 60.0
"""Host seconds for which further signals are ignored: longer than all the limits of
clearing up. A program that still runs then has lost the first signal, and the next one
is heard."""


class Hold:
    """Signals that are held, until they are `heard` or the hold ends."""

    def __init__(self, wake: Callable[[], Any]) -> None:
        self._wake = wake
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._came: list[int] = []
        self._open = False
        self._deaf_until = 0.0

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if time.monotonic() < self._deaf_until:
            return
        if self._open:
            self._strike(number, frame)
        else:
            self._came.append(number)
            self._wake()

    def _strike(self, number: int, frame: FrameType | None = None) -> None:
        self.deafen()
        self._before[number](number, frame)

    def deafen(self) -> None:
        """Forget the signals that came, and ignore those that come while all is cleared
        up."""
        self._came.clear()
        self._deaf_until = time.monotonic() + CLEARING_LIMIT

    def _begin(self) -> None:
        for number in STOPS if _in_main_thread() else ():
            handler = signal.getsignal(number)
            if callable(handler):  # what is ignored, or ends us at once, stays so
                self._before[number] = handler
                signal.signal(number, self._handle)
        if _in_main_thread():
            _HOLDS.append(self)

    def _end(self) -> None:
        if self in _HOLDS:
            _HOLDS.remove(self)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._came:
            self._strike(self._came[0])

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Inside, the first signal strikes; one that came before strikes at once."""
        try:
            self._open = True
            if self._came:
                self._strike(self._came[0])
            yield
        finally:
            self._open = False


_HOLDS: list[Hold] = []
"""The holds of the main thread, the outermost first."""


def strike(error: KeyboardInterrupt) -> NoReturn:
    """Raise `error` as a signal would be raised: signals that follow are ignored."""
    for hold in _HOLDS if _in_main_thread() else ():
        hold.deafen()
    raise error


@contextmanager
def held(wake: Callable[[], Any] = lambda: None) -> Iterator[Hold]:
    """A signal that comes inside strikes when the block ends; `wake` is called when one
    comes, and may end the block early. Signals strike the main thread only, so in other
    threads this does nothing."""
    hold = Hold(wake)
    try:
        hold._begin()
        yield hold
    finally:
        hold._end()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
