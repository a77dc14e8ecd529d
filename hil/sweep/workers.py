"""Cells settled in parallel, each in a process of its own kind.

A worker is a new interpreter that settles one task after another: JSON lines in
and out. It has a session of its own, so Ctrl-C reaches it only through us, and
it ends when its pipe does, so also when we are killed.
"""

from __future__ import annotations

import json
import os
import queue
import select
import selectors
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from types import FrameType, TracebackType
from typing import NoReturn, TextIO

from hil.errors import Termination
from hil.interrupts import no_interrupts
from hil.learning.metrics import Status
from hil.learning.progress import Progress
from hil.learning.reference_process import kept
from hil.learning.telling import Learned
from hil.sweep.settle import Outcome, Task, settle

BOOT = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from hil.sweep.workers import serve; serve()"
)
END_LIMIT = 30.0
"""Host seconds in which all workers that were told to stop write their records and
end their devices."""

SILENCE_LIMIT = 3600.0
"""Host seconds without a sign of life after which a worker is given up: a stage of
a run, such as a build or a test on a slow machine, gives none until it is done."""
ALIVE_EVERY = 10.0
"""Host seconds between two signs of life, at least."""
CHUNK = 1 << 16
REAP_LIMIT = 5.0
"""Host seconds a worker may need to vanish once its pipe has ended, or it was
killed."""


class Workers:
    """At most `jobs` processes; none is left after `with`."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._busy: dict[_Worker, int] = {}
        self._idle: list[_Worker] = []
        self._selector = selectors.DefaultSelector()

    def settle(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Outcome]]:
        """(place of the task, outcome), as they come."""
        waiting = deque(enumerate(tasks))
        while waiting or self._busy:
            while waiting and len(self._busy) < self._jobs:
                number, task = waiting.popleft()
                self._give(number, task)
            for worker in self._heard():
                outcome = worker.answer()
                if outcome is None:
                    continue
                number = self._busy.pop(worker)
                if worker.lost:
                    self._selector.unregister(worker.pipe)
                    worker.end(time.monotonic() + END_LIMIT)
                else:
                    self._idle.append(worker)
                yield number, outcome

    def _heard(self) -> list[_Worker]:
        """Those who have said something, or nothing for too long."""
        oldest = min(self._busy, key=lambda worker: worker.silent_since)
        left = oldest.silent_since + SILENCE_LIMIT - time.monotonic()
        ready = self._selector.select(max(0.0, left))
        return [key.data for key, _ in ready] or [oldest]

    def _give(self, number: int, task: Task) -> None:
        if self._idle:
            worker = self._idle.pop()
        else:
            worker = _Worker()
            self._selector.register(worker.pipe, selectors.EVENT_READ, worker)
        self._busy[worker] = number
        worker.give(task)

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        interrupted = isinstance(error, KeyboardInterrupt)
        gently = interrupted and not isinstance(error, Termination)
        number = signal.SIGINT if gently else signal.SIGTERM
        with no_interrupts():
            workers = (*self._busy, *self._idle)
            for worker in workers:
                worker.stop(number)
            deadline = time.monotonic() + END_LIMIT
            for worker in workers:
                worker.end(deadline)
            self._selector.close()


class _Worker:
    """A process that settles tasks, as its parent sees it."""

    def __init__(self) -> None:
        self.lost = False
        self.silent_since = 0.0
        self._said = b""
        self._process = subprocess.Popen(
            [sys.executable, "-c", BOOT, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            bufsize=0,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self.pipe = self._process.stdin, self._process.stdout

    def give(self, task: Task) -> None:
        """Let it settle this one. That it has ended is told by `answer`."""
        self.silent_since = time.monotonic()
        with suppress(OSError):
            self._to.write(json.dumps(asdict(task)).encode() + b"\n")

    def answer(self) -> Outcome | None:
        """What it says of its task, None while it only shows that it lives; or that
        it has ended, or fallen silent, without a word."""
        if select.select([self.pipe], [], [], 0.0)[0]:
            self.silent_since = time.monotonic()
            data = os.read(self.pipe.fileno(), CHUNK)
            self._said = (self._said + data).lstrip()
            if self._said.endswith(b"\n"):
                line, self._said = self._said, b""
                return Outcome(**json.loads(line))
            if data:
                return None
        self.lost = True
        if time.monotonic() - self.silent_since >= SILENCE_LIMIT:
            self._process.kill()
            what = f"the process of the cell has said nothing for {SILENCE_LIMIT:g} s"
            return Outcome("failed", exit_code=1, error={"sentence": what, "hints": []})
        try:
            self._process.wait(REAP_LIMIT)
        except subprocess.TimeoutExpired:
            self._process.kill()
        code = self._process.poll()
        how = f"ended with exit code {code}"
        if code is not None and code < 0:
            how = f"was ended by {signal.Signals(-code).name}"
        hint = "the system ends processes when memory runs out: `dmesg` may tell"
        said = {"sentence": f"the process of the cell {how}", "hints": [hint]}
        return Outcome("failed", exit_code=1, error=said)

    def stop(self, number: signal.Signals) -> None:
        """Tell it to end, as this signal would; once."""
        with suppress(OSError, ValueError):
            self._to.write(f"{int(number)}\n".encode())
            self._to.close()

    def end(self, deadline: float) -> None:
        """Wait for its end, which is forced where it has not come by `deadline`, as
        time.monotonic() counts."""
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            with suppress(subprocess.TimeoutExpired):  # stuck in the kernel: left
                self._process.wait(REAP_LIMIT)
        self.pipe.close()


def serve() -> None:
    """The worker: tasks from stdin, an outcome a line on what was stdout."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever is printed must not be taken for an answer
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    busy, stopping = threading.Event(), threading.Event()
    threading.Thread(target=_listen, args=(tasks, busy, stopping), daemon=True).start()
    with suppress(KeyboardInterrupt, BrokenPipeError), kept():
        while line := tasks.get():
            busy.set()
            if stopping.is_set():  # it came before anybody was busy
                break
            outcome = _outcome(Task(**json.loads(line)), _Alive(answers))
            busy.clear()
            answers.write(json.dumps(asdict(outcome)) + "\n")
            answers.flush()
    os._exit(0)  # at once: the thread may be about to tell us to stop


def _listen(
    tasks: queue.SimpleQueue[str], busy: threading.Event, stopping: threading.Event
) -> None:
    """In a thread: tasks into the queue, up to the number of the signal that
    ends us. When the parent has gone without one, we go too. A task that is begun is
    ended by the signal, one that is not is never begun: `stopping` is set before we
    look at `busy`, and the other way round there."""
    number = int(signal.SIGTERM)
    for line in sys.stdin:
        if line.strip().isdigit():
            number = int(line)
            break
        tasks.put(line)
    stopping.set()
    tasks.put("")
    if busy.is_set():
        os.kill(os.getpid(), number)


class _Alive(Progress):
    """Shows by an empty line now and then that the cell gets on."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers
        self._last = 0.0

    def stage(self, name: str, text: str) -> None:
        self._show()

    def learning(self, done: Sequence[Learned], status: Callable[[], Status]) -> None:
        self._show()

    def _show(self) -> None:
        if time.monotonic() - self._last >= ALIVE_EVERY:
            self._last = time.monotonic()
            self._answers.write("\n")
            self._answers.flush()


def _outcome(task: Task, progress: Progress) -> Outcome:
    try:
        return settle(task, progress)
    except Exception as error:  # a defect of this program costs one cell
        traceback.print_exc()
        said = {"sentence": f"internal error: {error!r}", "hints": []}
        return Outcome("failed", exit_code=1, error=said)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Termination
