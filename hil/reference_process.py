"""The reference in a process of its own, so that it computes while this one
talks to a device.

The child (`codegen.reference.serving`) is a new interpreter that imports the
reference and nothing else of the project; it is started as soon as a run
begins, so that it is ready when the device is. Not a fork: that would also copy
whatever threads and descriptors the calling program has. It has no life of its
own: it ends when its pipe does, so also when we are killed, and Ctrl-C in the
terminal does not reach it.
"""

from __future__ import annotations

import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from codegen.reference.serving import Answer, Asked, Reply, unpickled
from codegen.spec import Spec
from hil.errors import ReferenceLost

ROOM = 48 << 10
"""Bytes of samples under way to the process, at most: a pipe holds them, so
that `post` does not wait. A single batch may be larger."""
END_LIMIT = 5.0
"""Host seconds a process may need to end once it has closed its pipe."""
BOOT = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from codegen.reference.serving import serve; serve()"
)


class ReferenceProcess:
    """A learner of `spec` in a process of its own, until `close`."""

    def __init__(self, spec: Spec) -> None:
        self.seconds = 0.0
        """Host seconds spent on steps so far."""
        self._under_way: deque[int] = deque()
        self._replies: queue.SimpleQueue[Reply | None] = queue.SimpleQueue()
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOOT, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        # reads on while we write, so that neither side waits for the other for ever
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._send(spec)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def room(self) -> bool:
        """Whether a batch may be posted."""
        return sum(self._under_way) < ROOM

    def load(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from these tensors."""
        self._send(dict(state))

    def post(self, batch: Sequence[Asked]) -> None:
        """Have these steps computed, behind those posted before. That the
        process has ended is told by `take`, after what it had to say."""
        self._under_way.append(sum(asked.sample.nbytes for asked in batch))
        self._send(list(batch))

    def take(self, limit: float) -> list[Answer]:
        """The answers to the batch posted first, or none if they are not there
        within `limit` seconds. Raises `ReferenceLost` when the process has ended
        and `RuntimeError` when it has failed."""
        try:
            reply = self._replies.get(limit > 0, limit)
        except queue.Empty:
            return []
        if reply is None:
            raise self._lost()
        if reply.failure:
            raise RuntimeError(f"the reference failed:\n{reply.failure}")
        self.seconds += reply.seconds
        self._under_way.popleft()
        return reply.answers

    def close(self) -> None:
        """End the process, whatever it is doing; harmless when it has ended."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        self._from.close()
        with suppress(OSError):  # of what could not be sent
            self._to.close()

    def __enter__(self) -> ReferenceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, values: object) -> None:
        with suppress(OSError):
            pickle.dump(values, self._to, pickle.HIGHEST_PROTOCOL)
            self._to.flush()

    def _read(self) -> None:
        """In a thread: replies into the queue, None at the end."""
        try:
            for reply in unpickled(self._from):
                self._replies.put(reply)
        finally:
            self._replies.put(None)

    def _lost(self) -> ReferenceLost:
        try:
            code = self._process.wait(END_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        how = f"ended with exit code {code}"
        if code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        return ReferenceLost(
            f"the process of the numpy reference (pid {self.pid}) {how}",
            "the system ends processes when memory runs out: `dmesg` may tell",
        )
