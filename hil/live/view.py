"""The live view: draws while a run learns, and hears keys.

Nothing runs in a thread. Steps cost an append. Between two frames keys are heard,
`PER_SECOND` times a second, and a picture is drawn, as often unless that would take
more than `SHARE` of the time: then less often, whatever terminal and computer.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType, TracebackType
from typing import Any, TextIO

from hil.errors import Quit
from hil.learning.metrics import Status
from hil.learning.progress import Begun, Lines
from hil.learning.steering import Steering
from hil.learning.telling import Learned
from hil.live.history import History
from hil.live.keys import Keyboard, in_foreground
from hil.live.lines import Sight
from hil.live.picture import picture
from hil.live.screen import Screen
from targets.signals import strike

PER_SECOND = 8
SHARE = 0.025
"""Of the time, at most, that goes into pictures."""
RATE_OVER = 2.0
"""Seconds of which the rate of steps is told."""
PATIENCE = 0.1
"""Seconds after which learning looks again, also where the device is slow."""


class View(Lines, Steering):
    """Lines, and while a run learns its picture under them."""

    patience = PATIENCE

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.steering = self
        self.paused = False
        self.resting = 0.0
        self._screen = Screen(stream)
        self._keyboard = Keyboard()
        self._new: list[Learned] = []
        self._marks: deque[tuple[float, int]] = deque()
        self._history = History(2)
        self._begun: Begun | None = None
        self._status: Callable[[], Status] | None = None
        self._due = self._draw_due = 0.0
        self._paused_at = 0.0
        self._help = self._commit = self._stopped = self._learning = False
        self._said = ""
        self._checkpoint: int | None = None
        self._before: Any = None

    def __enter__(self) -> View:
        self._take_terminal()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._give_back()

    # -- what a run tells ---------------------------------------------------

    def stage(self, name: str, text: str) -> None:
        """Print the stage, and keep it for a screen that is drawn anew."""
        super().stage(name, text)
        self._screen.printed(f"{name:8} {text}")

    def begins(self, begun: Begun, status: Callable[[], Status]) -> None:
        """Draw from now on, whenever learning looks."""
        self._begun, self._status = begun, status
        self._history = History(begun.classes)
        self._new = []
        self._help, self._said, self._checkpoint = False, "", None

    def learning(self, done: Sequence[Learned], status: Callable[[], Status]) -> None:
        """Keep the steps for the next picture."""
        self._new += done

    def learned(self) -> None:
        """No key is heard until learning looks again. The picture stays when every
        step is done."""
        self._resume()
        self._learning = False
        if self._screen.open and self._status is not None:
            status = self._status()
            self._draw(keys=False)
            self._screen.close(keep=status.step >= status.steps)
        self._marks.clear()
        if self._stopped:  # Ctrl-Z, and no look came since
            self._stop()

    # -- what learning asks -------------------------------------------------

    def look(self) -> None:
        """Hear keys and draw, when it is time."""
        now = time.monotonic()
        if now < self._due or self._begun is None:
            return
        self._learning = True
        if self._stopped:
            self._stop()
        if not in_foreground(self._screen.fd):
            self._take_in()
            self._due = now + 1
            return
        keys = self._take()
        for key in self._keyboard.pressed():
            self._press(key)
        if self._keyboard.fd is None:
            self._resume()  # nobody is left who could
        if now >= self._draw_due:
            self._draw(keys)
            self._draw_due = now + (time.monotonic() - now) / SHARE
        self._due = now + 1 / PER_SECOND

    def rest(self) -> None:
        """Wait for a key, or until it is time to draw again."""
        if self._keyboard.ready(PATIENCE):
            self._due = self._draw_due = 0.0

    def take_commit(self) -> bool:
        """Whether key c was pressed since."""
        asked, self._commit = self._commit, False
        return asked

    # -- keys ---------------------------------------------------------------

    def _press(self, key: str) -> None:
        assert self._begun is not None
        if key == "p":
            if self.paused:
                self._resume()
            else:
                self.paused, self._paused_at = True, time.monotonic()
        elif key == "c":
            self._commit = self._begun.checkpoints
            self._said = "asked for" if self._commit else "c needs --commit"
        elif key == "?":
            self._help = not self._help
        elif key == "q":
            strike(Quit())

    def _resume(self) -> None:
        if self.paused:
            self.paused = False
            self.resting += time.monotonic() - self._paused_at
            self._marks.clear()

    # -- the terminal -------------------------------------------------------

    def _take_terminal(self) -> None:
        """Also while nobody hears keys, none is to be seen."""
        if in_foreground(self._screen.fd):
            self._take()

    def _take(self) -> bool:
        """Have keys, and Ctrl-Z too; False where there is no keyboard."""
        if self._before is None and self._keyboard.fd is not None and _in_main_thread():
            self._before = signal.signal(signal.SIGTSTP, self._stop_soon)
        return self._keyboard.open()

    def _give_back(self) -> None:
        """The terminal as it was."""
        self._keyboard.close()
        if self._before is not None:
            signal.signal(signal.SIGTSTP, self._before)
            self._before = None

    def _stop_soon(self, number: int, frame: FrameType | None) -> None:
        """Ctrl-Z: not in the midst of drawing, so at the next look if there is one."""
        self._stopped, self._due = True, 0.0
        if not self._learning:
            self._stop()

    def _stop(self) -> None:
        """Stop as Ctrl-Z wants it, with the terminal as it was; returns when a shell
        has us go on."""
        self._stopped = False
        self._give_back()
        self._screen.close(keep=False)
        stopped = time.monotonic()
        signal.raise_signal(signal.SIGTSTP)
        self._take_terminal()
        if not self.paused:
            self.resting += time.monotonic() - stopped
        self._marks.clear()

    # -- pictures -----------------------------------------------------------

    def _draw(self, keys: bool) -> None:
        assert self._begun is not None and self._status is not None
        self._take_in()
        status = self._status()
        if status.checkpoint != self._checkpoint:
            self._checkpoint = status.checkpoint
            self._said = f"written: step {status.checkpoint:,}"
        sight = Sight(
            self._begun,
            status,
            self._history,
            self._rate(status.step),
            keys,
            self.paused,
            self._help,
            self._said,
        )
        width, height = self._screen.size
        self._screen.draw(picture(sight, width, height))

    def _take_in(self) -> None:
        """The steps since the last time."""
        self._history.add(self._new)
        self._new = []

    def _rate(self, step: int) -> float | None:
        """Steps per second of the latest while."""
        now = time.monotonic()
        self._marks.append((now, step))
        while len(self._marks) > 2 and now - self._marks[0][0] > RATE_OVER:
            self._marks.popleft()
        since, first = self._marks[0]
        return (step - first) / (now - since) if now > since else None


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
