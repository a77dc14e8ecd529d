"""Single keys from the terminal, and the terminal as it was afterwards.

WHY cbreak and not raw: Ctrl-C, Ctrl-Z and Ctrl-\\ keep their meaning.
"""

from __future__ import annotations

import os
import select
import sys
import termios
import time
import tty
from contextlib import suppress
from typing import Any


class Keyboard:
    """Standard input, as long as it is a terminal and ours."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None
        self.fd: int | None = None
        with suppress(OSError, ValueError, AttributeError):  # closed, or not there
            if sys.stdin.isatty():
                self.fd = sys.stdin.fileno()

    def open(self) -> bool:
        """Have keys come one by one, unseen; False where there are none to have."""
        if self.fd is not None and self._before is None:
            self._before = termios.tcgetattr(self.fd)
            tty.setcbreak(self.fd, termios.TCSADRAIN)
        return self.fd is not None

    def close(self) -> None:
        """The terminal as it was; what was typed and not heard is dropped: it was
        meant for the view, and no shell should get it."""
        if self.fd is None or self._before is None:
            return
        before, self._before = self._before, None
        with suppress(termios.error):  # the terminal has gone
            termios.tcsetattr(self.fd, termios.TCSAFLUSH, before)

    def ready(self, wait: float) -> bool:
        """Whether a key was pressed; waits at most `wait` seconds for one."""
        if self.fd is None or self._before is None:
            time.sleep(wait)
            return False
        return bool(select.select([self.fd], [], [], wait)[0])

    def pressed(self) -> str:
        """The keys that were pressed since."""
        if self.fd is None or not self.ready(0.0):
            return ""
        try:
            data = os.read(self.fd, 64)
        except OSError:
            data = b""
        if not data:  # the terminal has gone: it would always be ready to read
            self._before = self.fd = None
        return data.decode("ascii", "ignore")


def in_foreground(fd: int) -> bool:
    """Whether the terminal is ours to draw on and to read: not while this program
    is in the background of its shell."""
    try:
        return os.tcgetpgrp(fd) == os.getpgrp()
    except OSError:
        return True  # no terminal that controls anybody
