"""A child process that is noticed when it ends and never left behind.

WHY so much for a process:
* It is in a session of its own, so that Ctrl-C in the terminal reaches us and
  not the emulator first: the run can still be ended in order.
* It ends when we end, however we end. Linux's PR_SET_PDEATHSIG follows the
  *thread* that started the child, exists on Linux alone and needs code between
  fork and exec; QEMU does not mind a closed QMP socket. So a shell, the guard,
  waits on a pipe whose other end only we hold: when we are gone, even by
  SIGKILL, it reads end-of-file, kills the child and removes its folder.
* It holds the end of another pipe, so that waiting for its end is waiting for
  a descriptor: no polling, no signal handler, usable in any event loop.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

GUARD = 'read -r ended || kill -KILL "$1"; read -r clean || rm -rf "$2"'
"""$1: the child, $2: its folder. A line each says that there is no need."""

REAP_LIMIT = 5.0
"""Host seconds a process may need to vanish once its descriptors are closed."""


class Child:
    """A running process. Its output goes to the file `log` in `folder`.

    `ended` is a descriptor that becomes readable (end-of-file) when the process
    ends. Raises `OSError` when the program cannot be started.
    """

    def __init__(
        self, argv: Sequence[str], folder: Path, pass_fds: Sequence[int] = ()
    ) -> None:
        self.ended, held_by_child = os.pipe()
        self._code: int | None = None
        try:
            with open(folder / "log", "ab") as log:
                self._process = subprocess.Popen(
                    argv,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=folder,
                    pass_fds=(*pass_fds, held_by_child),
                    start_new_session=True,
                )
        except OSError:
            os.close(self.ended)
            raise
        finally:
            os.close(held_by_child)
        try:
            self._guard = _guard(self.pid, folder)
        except OSError:
            self._process.kill()
            _reap(self._process)
            os.close(self.ended)
            raise

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def give_way(self) -> None:
        """From now on a thread of its that wakes waits for a free processor, and takes
        none from another (SCHED_BATCH, where a system has that). A thread that somebody
        has given another policy keeps it."""
        if not hasattr(os, "SCHED_BATCH"):
            return
        with contextlib.suppress(OSError):  # it has ended, or we may not
            for thread in map(int, os.listdir(f"/proc/{self.pid}/task")):
                if os.sched_getscheduler(thread) == os.SCHED_OTHER:
                    os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))

    def wait(self, limit: float) -> int | None:
        """Exit code once ended, minus the signal if killed by one.

        Waits at most `limit` host seconds; None when it still runs then.
        """
        if self._code is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self.ended, selectors.EVENT_READ)
                if not selector.select(limit):
                    return None
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._code = self._process.wait(REAP_LIMIT)
                self._tell_guard()
        return self._code

    def end(
        self,
        limit: float,
        signals: Sequence[signal.Signals] = (signal.SIGTERM, signal.SIGKILL),
    ) -> None:
        """Sends it, and all it started, these signals until it ends; idempotent.

        After each it is given `limit` host seconds.
        """
        for number in signals:
            if self.wait(0) is None:
                with contextlib.suppress(OSError):
                    os.killpg(self.pid, number)
                self.wait(limit)
        if self._code is None:  # stuck in the kernel: as good as dead
            self._code = -signals[-1]
        if self.ended >= 0:
            self._tell_guard()
            with contextlib.suppress(OSError):
                assert self._guard.stdin is not None
                self._guard.stdin.close()
            _reap(self._guard)
            os.close(self.ended)
            self.ended = -1

    def _tell_guard(self) -> None:
        """First that the child has ended, then that its folder is seen to."""
        assert self._guard.stdin is not None
        with contextlib.suppress(OSError):
            os.write(self._guard.stdin.fileno(), b"\n")


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that is about to end; one stuck in the kernel is left."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(REAP_LIMIT)


def _guard(pid: int, folder: Path) -> subprocess.Popen[bytes]:
    """The shell that outlives us, just long enough to clear up."""
    return subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "guard", str(pid), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
