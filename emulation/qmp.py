"""QEMU's control protocol, called like functions.

qemu.qmp speaks asyncio; here every call drives a loop of our own until it is
answered or its limit has passed, so that no thread stays behind. In a notebook
the calling thread already runs a loop and may not drive another: there the
call is driven by a thread that ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from qemu.qmp import ExecInterruptedError, QMPClient, QMPError

from emulation.errors import EmulatorError, QemuGone
from targets.signals import held

Answer = TypeVar("Answer")

# its errors reach our callers as exceptions, and need not reach stderr as well
logging.getLogger("qemu.qmp").addHandler(logging.NullHandler())


class Monitor:
    """The controlling end of one QEMU. Listens on a unix socket from the start.

    Each call may take `limit` host seconds and raises `EmulatorError` when
    QEMU refuses, is gone, or does not answer in time.
    """

    def __init__(self, path: Path, limit: float) -> None:
        self.limit = limit
        self._loop = asyncio.new_event_loop()
        self._client = QMPClient()
        try:
            self._drive("listening", self._client.start_server(str(path)))
        except BaseException:
            self.close()
            raise

    def accept(self, ended: int) -> bool:
        """Waits for QEMU to connect; False when it ended instead.

        `ended` is a descriptor that becomes readable when its process ends.
        """
        return self._drive("connecting", self._accept(ended))

    def execute(self, command: str, **arguments: object) -> Any:
        """What QEMU returns for a command; `QemuGone` if it ended meanwhile."""
        return self._drive(command, self._client.execute(command, arguments))

    def reset(self) -> None:
        """Resets the machine, and returns when that is done."""
        self._drive("system_reset", self._reset())

    def close(self) -> None:
        """Hangs up; idempotent."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(Exception):  # whatever ended the connection
            self._drive("disconnecting", self._client.disconnect())
        self._run(self._cancel_all())
        self._loop.close()

    def _drive(self, what: str, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What `work` returns, which may take the limit."""
        try:
            return self._run(asyncio.wait_for(work, self.limit))
        except (TimeoutError, asyncio.TimeoutError) as error:
            raise EmulatorError(
                f"QEMU did not answer {what!r} within {self.limit:g} s"
            ) from error
        except ExecInterruptedError as error:
            raise QemuGone(f"QEMU ended before it answered {what!r}") from error
        except QMPError as error:
            raise EmulatorError(f"QEMU refused {what!r}: {error}") from error

    def _run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Runs `work` on our loop, in this thread if that has no loop running.

        A signal that struck inside would end some task of the client's, which hands
        the exception out again when it is closed. So it ends `work` first.
        """
        task = self._loop.create_task(work)

        def wake() -> None:
            self._loop.call_soon_threadsafe(task.cancel)

        try:
            if not _thread_has_loop():
                with held(wake):
                    return self._loop.run_until_complete(task)
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(self._loop.run_until_complete, task).result()
        except asyncio.CancelledError:  # and the signal is still held elsewhere
            raise EmulatorError("waiting for QEMU was interrupted") from None

    async def _accept(self, ended: int) -> bool:
        end: asyncio.Future[None] = self._loop.create_future()

        def note() -> None:
            if not end.done():
                end.set_result(None)

        self._loop.add_reader(ended, note)
        connection = asyncio.ensure_future(self._client.accept())
        try:
            await asyncio.wait({end, connection}, return_when="FIRST_COMPLETED")
            if connection.done() and connection.exception() is None:
                return True
            await end  # a connection that broke off is QEMU ending
            return False
        finally:
            self._loop.remove_reader(ended)
            connection.cancel()
            await asyncio.wait({connection}, timeout=self.limit)

    async def _reset(self) -> None:
        def ours(event: Any) -> bool:
            return not event["data"]["guest"]

        with self._client.listener("RESET", ours) as resets:
            await self._client.execute("system_reset")
            await resets.get()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            ended, _ = await asyncio.wait(tasks, timeout=self.limit)
            for task in ended:
                _ = task.cancelled() or task.exception()  # or asyncio prints it


def _thread_has_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
