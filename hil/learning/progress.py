"""What a person sees while a run goes on.

`Progress` itself shows nothing and tells the logger `hil.run`, which is what Python
callers get; `Lines` is for files and pipes; `hil.live` for terminals.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO

from hil.learning.metrics import Status
from hil.learning.steering import Steering
from hil.learning.telling import Learned
from hil.output import say
from hil.records.baselines import told

LOG = logging.getLogger("hil.run")
LINE_EVERY = 5.0
"""Seconds between two learning lines where there is no terminal."""


@dataclass(frozen=True)
class Begun:
    """What is known of a run when its learning begins. Sizes in bytes.

    `kind`: how figures of the device are obtained. `ram` is what the image takes of
    `ram_of`, the target's; `stack_bound` what its stack takes at most; each None
    where it is not known. `checkpoints`: whether the run can write any. `tasks`: the
    names of the stream's, none without.
    """

    kind: str
    classes: int
    ram: int | None
    ram_of: int | None
    stack_bound: int | None
    checkpoints: bool
    tasks: tuple[str, ...] = ()


class Progress:
    """Shows nothing, and asks for nothing: `steering` is what steers learning.

    A context: inside, it may have the terminal to itself.
    """

    steering: Steering = Steering()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Whatever ended it, the terminal is as it was."""

    def stage(self, name: str, text: str) -> None:
        """A stage of the run is done."""
        LOG.info("%s: %s", name, text)

    def begins(self, begun: Begun, status: Callable[[], Status]) -> None:
        """Learning begins; `status` says how things are, whenever it is asked."""

    def learning(self, done: Sequence[Learned], status: Callable[[], Status]) -> None:
        """Steps are done."""

    def learned(self) -> None:
        """Learning has ended, well or not, or rests while the device is examined."""


def _loss(loss: float) -> str:
    """A loss, which is 0 only where it is."""
    return f"{loss:.4f}" if loss >= 0.0001 or not loss else f"{loss:.2g}"


def text(status: Status) -> str:
    """The learning line."""
    counted = (
        "" if status.instructions is None else f"  {status.instructions:,} instr/step"
    )
    share = ""
    if status.prequential is not None:
        share = f"accuracy so far {status.prequential:.1%}{told(status.baselines)}"
    return (
        f"step {status.step}/{status.steps}  loss {_loss(status.loss)}  "
        f"{share}{counted}  "
        f"{status.link['frames']} frames"
    )


class Lines(Progress):
    """Plain lines; a learning line now and then."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = time.monotonic()

    def stage(self, name: str, text: str) -> None:
        """Print the stage."""
        say(f"{name:8} {text}", self._stream)
        self._last = time.monotonic()

    def learning(self, done: Sequence[Learned], status: Callable[[], Status]) -> None:
        """Print a line, not too often."""
        if time.monotonic() - self._last >= LINE_EVERY:
            self.stage("learn", text(status()))
