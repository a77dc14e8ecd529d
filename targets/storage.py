"""Writing files: whole or not at all, never through a link, and errors that say which.

A file is written beside its place under a name of its own and renamed onto it; a
reader sees the old one or the new one, and a link in its place is replaced, not
followed. What the system refuses becomes a `StorageError`.
"""

from __future__ import annotations

import errno
import os
import resource
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from targets.errors import StorageError
from targets.signals import held

SCARCE = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the user's quota of the disk is used up",
    errno.EFBIG: "the file would be larger than this process may write",
    errno.EROFS: "the disk can only be read",
    errno.EIO: "the disk has an error",
}
"""What the host may lack at any moment, whatever was asked for."""
HINT = "make room and start again; a run that has begun keeps the record that fitted"


@contextmanager
def whole(
    path: Path, *, sync: bool = False, device: bool = False
) -> Iterator[BinaryIO]:
    """A file to be written, which takes its place at `path` when all went well.

    `sync`: it is on the disk before it has its name. `device`: the user has named
    it, and may mean a pipe, a terminal or /dev/stdout, which take it as it comes.
    Raises `StorageError`.
    """
    path = Path(path)
    with naming(path), held():  # what is begun is finished, or cleared away
        if device and _takes_as_it_comes(path):
            with path.open("wb") as file:
                yield file
            return
        beside = path.with_name(f".{secrets.token_hex(8)}.part")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(beside, flags, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                if sync:
                    file.flush()
                    os.fsync(file.fileno())
            os.replace(beside, path)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise


def write(
    path: Path, content: str | bytes, *, sync: bool = False, device: bool = False
) -> Path:
    """Write the text (as UTF-8) or the bytes; see `whole`. Returns `path`."""
    with whole(path, sync=sync, device=device) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return path


class Growing:
    """A file that grows from nothing while its errors are told as a `StorageError`,
    once: after the first it takes no more."""

    ROOM = 1 << 13
    """Bytes that are kept back, to be written together."""

    def __init__(self, path: Path) -> None:
        self._path, self._waiting = path, bytearray()
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        with naming(path):
            self._file: int | None = os.open(path, flags, 0o666)

    def __enter__(self) -> Growing:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Write all of it, in time. Raises `StorageError`."""
        self._waiting += data
        if len(self._waiting) >= self.ROOM:
            self.flush()

    def flush(self) -> None:
        """Write what is kept back. Raises `StorageError`."""
        if self._file is None:
            return
        try:
            with naming(self._path):
                while self._waiting:
                    del self._waiting[: os.write(self._file, self._waiting)]
        except StorageError:
            self._end()
            raise

    def close(self) -> None:
        """Write the rest; harmless when it is closed, or has failed. Raises
        `StorageError`."""
        try:
            self.flush()
        finally:
            self._end()

    def _end(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self._waiting.clear()


def sync_folder(path: Path) -> None:
    """The names in this folder are on the disk, where the system can be told so."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """What fails inside is told of the file at `path`. Raises `StorageError`."""
    try:
        yield
    except OSError as error:
        raise _of(error, path) from error


def scarcity(error: OSError) -> StorageError | None:
    """The error to tell when the host lacks room or descriptors, wherever it was
    noticed; None for any other."""
    if error.errno in SCARCE or error.errno in (errno.EMFILE, errno.ENFILE):
        return _of(error, None if error.filename is None else Path(error.filename))
    return None


def full(folder: Path) -> bool:
    """Whether next to nothing can be written into `folder`: of a program that
    failed there and did not say why."""
    try:
        there = os.statvfs(folder)
    except OSError:
        return False
    return there.f_bavail * there.f_frsize < 1 << 16


def _of(error: OSError, path: Path | None) -> StorageError:
    if error.errno in (errno.EMFILE, errno.ENFILE):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        opened = "" if path is None else f" ({str(path)!r} comes next)"
        return StorageError(
            f"this process may have {most} files open at once, and needs more{opened}",
            "`ulimit -n` sets the limit: a run needs about 30",
        )
    what = "a file" if path is None else repr(str(path))
    why = SCARCE.get(error.errno or 0) or error.strerror or str(error)
    hints = (HINT,) if error.errno in SCARCE else ()
    return StorageError(f"{what} cannot be written: {why}", *hints)


def _takes_as_it_comes(path: Path) -> bool:
    if os.path.abspath(path).startswith(("/dev/", "/proc/")):
        return True
    try:
        return not stat.S_ISREG(path.lstat().st_mode) and not path.is_symlink()
    except OSError:
        return False
