"""Commands run beside each other, none of which is left behind.

No threads: each command's output ends when it does, so that waiting for the
outputs is waiting for the commands. Each is in a session of its own, so that it
and all it has started can be ended together, whatever ends us.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from targets.signals import held

CHUNK = 1 << 16
REAP_LIMIT = 5.0
"""Seconds a command may need to vanish once its output has ended, or it was killed."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended, and all it wrote; `code` is None when it did not
    end within its limit."""

    command: Sequence[str]
    code: int | None
    output: str


@dataclass
class _Running:
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    until: float
    output: bytearray = field(default_factory=bytearray)

    def ended(self) -> Ended:
        """It, after its output has ended, or its time."""
        code: int | None = None
        if time.monotonic() < self.until:
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self.process.wait(REAP_LIMIT)
        return Ended(self.command, code, self.output.decode("utf-8", "replace"))

    def kill(self) -> None:
        """End it and all it has started, unless it has ended."""
        if self.process.returncode is None:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(REAP_LIMIT)
        assert self.process.stdout is not None
        self.process.stdout.close()


def run(
    commands: Iterable[Sequence[str]], folder: Path, limit: float, at_once: int = 1
) -> Generator[Ended, None, None]:
    """The commands as they end; each is run in `folder`, its temporary files too,
    for at most `limit` seconds. Those that still run when it is closed are killed."""
    waiting, running = deque(commands), list[_Running]()
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    with held():  # one that runs is known
                        running.append(_start(waiting.popleft(), folder, limit))
                    output = running[-1].process.stdout
                    assert output is not None
                    selector.register(output, selectors.EVENT_READ, running[-1])
                first = min(running, key=lambda one: one.until)
                ready = selector.select(max(0.0, first.until - time.monotonic()))
                for one in [key.data for key, _ in ready] or [first]:
                    if ready and _heard(one):
                        continue
                    selector.unregister(one.process.stdout)
                    yield one.ended()
                    one.kill()
                    running.remove(one)
        finally:
            for one in running:
                one.kill()


def _start(command: Sequence[str], folder: Path, limit: float) -> _Running:
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # where a compiler that is killed leaves what it had begun
        env={**os.environ, "TMPDIR": str(folder.resolve())},
    )
    return _Running(command, process, time.monotonic() + limit)


def _heard(one: _Running) -> bool:
    """Read some of its output; False at the end of the output."""
    assert one.process.stdout is not None
    data = os.read(one.process.stdout.fileno(), CHUNK)
    one.output += data
    return bool(data)
