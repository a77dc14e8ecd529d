"""The reference in a process of its own, so that it computes while this one
talks to a device.

The child (`codegen.reference.serving`) is a new interpreter that imports the
reference and nothing else of the project; it is started as soon as a run
begins, so that it is ready when the device is. `hil run` starts it before it
imports numpy itself, so nothing here does at once. Not a fork: that would also copy
whatever threads and descriptors the calling program has. It has no life of its
own: it ends when its pipe does, so also when we are killed, and Ctrl-C in the
terminal does not reach it.

Most of what a short run's reference computes with is Python's and numpy's start. So
where runs follow each other (the cells of a sweep), one process serves them all: what
is `kept`, a run has `borrowed`.
"""

from __future__ import annotations

import os
import pickle
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import codegen
from hil.errors import ReferenceLost, ReferenceUnsound

if TYPE_CHECKING:
    import numpy as np

    from codegen.reference.serving import Answer, Asked, Reply
    from codegen.spec import Spec

ROOM = 48 << 10
"""Bytes of samples under way to the process, at most: a pipe holds them, so
that `post` does not wait. A single batch may be larger."""
ANSWER_LIMIT = 300.0
"""Host seconds in which the process takes what it is sent and answers the batch
posted first: it is known to live by nothing else. Large steps take a few."""
END_LIMIT = 5.0
"""Host seconds a process may need to end once it has closed its pipe, or was killed."""
ALONE = {"OPENBLAS_NUM_THREADS": "1"}
"""For numpy's linear algebra, of which a step uses none: its threads would cost as much
as all of numpy's import."""
BOOT = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    f"from {codegen.__name__}.reference.serving import serve; serve()"
)


def _finds() -> tuple[str, ...]:
    """Where a process that is started now finds its modules."""
    return (os.environ.get("PYTHONPATH", ""), *sys.path)


class ReferenceProcess:
    """A learner of `spec` in a process of its own, until `close`. Without a spec it
    gets ready, and waits for `anew`."""

    def __init__(self, spec: Spec | None = None) -> None:
        self.seconds = 0.0
        """Host seconds spent on steps so far."""
        self._ending = False
        self._finds = _finds()
        self._under_way: deque[int] = deque()
        self._waiting_since = 0.0
        self._replies: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOOT, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            env={**os.environ, **ALONE},
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        os.set_blocking(self._to.fileno(), False)
        # reads on while we write, so that neither side waits for the other for ever
        self._reader = threading.Thread(target=self._read, daemon=True)
        if spec is not None:
            self._begin(spec)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs: one that has met a value that is not finite ends."""
        return self._process.poll() is None

    @property
    def idle(self) -> bool:
        """Whether it has answered all that it was asked, and another run may ask it:
        one that would find the same modules."""
        busy = self._under_way or self._ending
        return not busy and self._finds == _finds() and self.alive

    @property
    def room(self) -> bool:
        """Whether a batch may be posted."""
        return sum(self._under_way) < ROOM

    def anew(self, spec: Spec) -> None:
        """Begin with a learner of `spec`, whatever was asked before: no answer to that
        is left. Raises as `take` does."""
        while self._under_way:
            self.take(ANSWER_LIMIT)
        self.seconds = 0.0
        self._begin(spec)

    def _begin(self, spec: Spec) -> None:
        if self._reader.ident is None:
            self._reader.start()
        self._send(spec)

    def load(self, state: Mapping[str, np.ndarray], step: int = 0) -> None:
        """Go on with step `step` from these tensors."""
        from codegen.reference.serving import Placed

        self._send(Placed(dict(state), step))

    def post(self, batch: Sequence[Asked]) -> None:
        """Have these steps computed, behind those posted before. That the
        process has ended is told by `take`, after what it had to say."""
        from codegen.reference.serving import packed

        if not self._under_way:
            self._waiting_since = time.monotonic()
        self._under_way.append(sum(asked.sample.nbytes for asked in batch))
        self._send(packed(batch))

    def take(self, limit: float) -> list[Answer]:
        """The answers to the batch posted first, or none if they are not there
        within `limit` seconds. Raises `ReferenceLost` when the process has ended
        or does not answer, `ReferenceUnsound` when it cannot compute the reference, and
        `RuntimeError` when it has failed."""
        try:
            reply = self._replies.get(limit > 0, limit)
        except queue.Empty:
            waited = time.monotonic() - self._waiting_since
            if self._under_way and waited >= ANSWER_LIMIT:
                raise self._silent() from None
            return []
        if reply is None:
            raise self._lost()
        self._ending = reply.last
        if reply.refusal:
            raise ReferenceUnsound(*reply.refusal)
        if reply.failure:
            raise RuntimeError(f"the reference failed:\n{reply.failure}")
        self.seconds += reply.seconds
        self._under_way.popleft()
        self._waiting_since = time.monotonic()
        return reply.answers

    def close(self) -> None:
        """End the process, whatever it is doing; harmless when it has ended."""
        self._end()
        if self._reader.ident is not None:
            self._reader.join(END_LIMIT)
        self._from.close()
        self._to.close()

    def __enter__(self) -> ReferenceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, values: object) -> None:
        data = memoryview(pickle.dumps(values, pickle.HIGHEST_PROTOCOL))
        to, until = self._to.fileno(), time.monotonic() + ANSWER_LIMIT
        with suppress(OSError):
            while data:
                left = max(0.0, until - time.monotonic())
                if not select.select([], [to], [], left)[1]:
                    raise self._silent()
                data = data[os.write(to, data) :]

    def _read(self) -> None:
        """In a thread: replies into the queue, None at the end."""
        from codegen.reference.serving import unpickled

        try:
            for reply in unpickled(self._from):
                self._replies.put(reply)
        finally:
            self._replies.put(None)

    def _end(self) -> None:
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):  # stuck in the kernel: left
            self._process.wait(END_LIMIT)

    def _silent(self) -> ReferenceLost:
        return ReferenceLost(
            f"the process of the numpy reference (pid {self.pid}) has not answered "
            f"for {ANSWER_LIMIT:g} s",
            "it was stopped, or this computer has not enough memory for it",
        )

    def _lost(self) -> ReferenceLost:
        try:
            self._process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            self._end()
        code = self._process.returncode
        how = f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        return ReferenceLost(
            f"the process of the numpy reference (pid {self.pid}) {how}",
            "the system ends processes when memory runs out: `dmesg` may tell",
        )


class _Shelf:
    """Processes that wait for the next run of the process `owner`: a fork of it has the
    same pipes, and locks that nobody there lets go."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.processes: deque[ReferenceProcess] = deque()

    def taken(self) -> ReferenceProcess:
        """One that is as good as new, or a new one."""
        with suppress(IndexError):
            while not (process := self.processes.pop()).idle:
                process.close()
            return process
        return ReferenceProcess()

    def put(self, process: ReferenceProcess) -> None:
        """Keep it, unless it is about something or has ended."""
        if process.idle:
            self.processes.append(process)
        else:
            process.close()

    def clear(self) -> None:
        """End them all."""
        while self.processes:
            self.processes.pop().close()


_shelves: list[_Shelf] = []
"""Of each `kept` that we are in."""


@contextmanager
def kept() -> Iterator[None]:
    """In here, each run leaves its process to the next."""
    shelf = _Shelf()
    _shelves.append(shelf)
    try:
        yield
    finally:
        _shelves.remove(shelf)
        shelf.clear()


@contextmanager
def borrowed(spec: Spec) -> Iterator[ReferenceProcess]:
    """A learner of `spec` in a process of its own, for one run: the one that the run
    before has left, where processes are `kept`."""
    shelf = next((s for s in reversed(_shelves) if s.owner == os.getpid()), None)
    if shelf is None:
        with ReferenceProcess(spec) as process:
            yield process
        return
    process = shelf.taken()
    try:
        process.anew(spec)
        yield process
    finally:
        shelf.put(process)
