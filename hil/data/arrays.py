"""Arrays from files that nobody vouches for: the one reader of every .npz, and the
one writer.

An archive is opened, then each array's header is read, and only what its reader asks
for is unpacked: a file of some megabytes may declare gigabytes. What is read is in
this computer's byte order, contiguous, of the shape that the header says, and never
an object of Python's.
"""

from __future__ import annotations

import io
import math
import warnings
import zipfile
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from hil.errors import DataError
from targets import storage

MOST = 1 << 31
"""Bytes of one array at most."""
FEW = 100_000
"""Elements of an array at most that describes others."""
KINDS = "biufU"
"""What an element may be: a truth value, an integer, a float, a text."""
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How numpy packs the members of an archive."""
SUFFIX = ".npy"
MENDS = {
    "O": "{0} = np.array({0}.tolist()) gives them a type, if all are of one kind",
    "S": "{0} = {0}.astype(str)",
    "c": "{0} = np.hstack([{0}.real, {0}.imag])",
}
"""numpy's kind of an element that hil cannot use -> the line of Python that mends the
array."""
SAVE = 'np.savez("mine.npz", x=x, y=y)'
"""The line that writes a data set."""
MEND = f"{SAVE} writes one; a table's name ends in .csv or .tsv (docs/data.md)"
ENCRYPTED = 1
CHUNK = 1 << 20


@dataclass(frozen=True)
class Header:
    """What a file says of one array, before any of it is read."""

    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        kind = "text" if self.dtype.kind == "U" else self.dtype
        return f"{kind} {list(self.shape)}"


class Arrays(Mapping[str, np.ndarray]):
    """Arrays by name, of one data set. `origin` begins the sentence of a `DataError`.
    `said`: notes on what was converted while reading. `columns`: names of a sample's
    elements, if they have any. `naming`: how an array gets its name."""

    origin: str
    said: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    naming = f"{SAVE} gives them their names (docs/data.md)"

    @abstractmethod
    def header(self, name: str) -> Header:
        """What is said of this array before it is read. Raises `DataError`."""

    def require_few(self, *names: str) -> None:
        """Raise `DataError` where one of these arrays is there and is not a short
        list."""
        for name in names:
            if name in self and (header := self.header(name)).size > FEW:
                raise self.wrong(name, f"{header} is longer than {FEW:,} elements")

    def wrong(self, name: str, why: str, *hints: str) -> DataError:
        """That this array cannot be read, and why."""
        return DataError(f"{self.origin}: array {name!r} cannot be read: {why}", *hints)


class Given(Arrays):
    """Arrays that are in memory already."""

    def __init__(
        self,
        origin: str,
        arrays: Mapping[str, np.ndarray],
        said: tuple[str, ...] = (),
        columns: tuple[str, ...] = (),
    ) -> None:
        self.origin, self.said, self.columns = origin, said, columns
        self._arrays = dict(arrays)

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def header(self, name: str) -> Header:
        """Its type and its shape."""
        array = self._arrays[name]
        return Header(array.dtype.newbyteorder("="), array.shape)

    def __getitem__(self, name: str) -> np.ndarray:
        array = self._arrays[name]
        return np.ascontiguousarray(array, array.dtype.newbyteorder("="))


class Stored(Arrays):
    """Arrays that lie in files, each read when it is asked for, and kept."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._read: dict[str, np.ndarray] = {}

    @abstractmethod
    def _bytes(self, name: str) -> AbstractContextManager[tuple[IO[bytes], int]]:
        """The bytes of a .npy, and how many they are said to be. Raises `DataError`."""

    def header(self, name: str) -> Header:
        """What the file says of this array. Raises `DataError`."""
        with self._member(name) as (stream, _):
            return self._header(name, stream)[0]

    def __getitem__(self, name: str) -> np.ndarray:
        """The array, for the asker alone to change. Raises `DataError`."""
        if name not in self:
            raise KeyError(name)
        if name not in self._read:
            self._read[name] = self._array(name)
        return self._read[name]

    def _array(self, name: str) -> np.ndarray:
        with self._member(name) as (stream, told):
            header, raw, fortran = self._header(name, stream)
            bytes_ = header.size * raw.itemsize
            if bytes_ > MOST:
                raise self.wrong(
                    name, f"{header} has {bytes_:,} bytes: expected {MOST:,} at most"
                )
            if told - stream.tell() != bytes_:
                raise self.wrong(
                    name,
                    f"{header} has {bytes_:,} bytes, but there are "
                    f"{told - stream.tell():,} of it",
                )
            data = np.empty(bytes_, np.uint8)
            _fill(stream, data.data)
        shape = header.shape[::-1] if fortran else header.shape
        array = data.view(raw).reshape(shape)
        array = np.asarray(array.T if fortran else array, header.dtype, order="C")
        if array.dtype.kind == "U" and not _is_text(array):
            raise self.wrong(name, "it holds numbers that are no characters")
        return array

    def _header(self, name: str, stream: IO[bytes]) -> tuple[Header, np.dtype, bool]:
        """What the header says: with the type in this computer's order of bytes, the
        type as it lies there, and whether its first axis runs fastest."""
        version = npy.read_magic(stream)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"its format is {version}: expected 1.0 or 2.0")
        first = version == (1, 0)
        read = npy.read_array_header_1_0 if first else npy.read_array_header_2_0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a header of Python 2's is fine
            shape, fortran, raw = read(stream)
        if raw.kind not in KINDS or not raw.itemsize:
            raise self.wrong(
                name,
                f"its elements are {str(raw)[:60]}: expected numbers or texts",
                *mended(name, raw),
            )
        if any(length < 0 for length in shape):
            raise self.wrong(name, f"its shape is {list(shape)}: expected lengths")
        return Header(raw.newbyteorder("="), tuple(map(int, shape))), raw, fortran

    @contextmanager
    def _member(self, name: str) -> Iterator[tuple[IO[bytes], int]]:
        try:
            with self._bytes(name) as found:
                yield found
        except DataError:
            raise
        except Exception as error:  # whatever zipfile, zlib and numpy make of the bytes
            raise self.wrong(name, reason(error)) from error


class Archive(Stored):
    """The arrays of an open .npz."""

    def __init__(self, origin: str, file: zipfile.ZipFile) -> None:
        super().__init__(origin)
        self._file = file
        self._members: dict[str, zipfile.ZipInfo] = {}
        for member in file.infolist():
            name = member.filename.removesuffix(SUFFIX)
            if name in self._members:
                raise DataError(f"{origin} holds two arrays {name!r}: expected one")
            self._members[name] = member

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def content(self, name: str, most: int) -> bytes:
        """The bytes of a member that is no array, `most` of them at most. Raises
        `DataError`."""
        if name not in self:
            raise DataError(f"{self.origin} has no {name!r} in it")
        member = self._plain(name)
        if member.file_size > most:
            raise self.wrong(
                name, f"it has {member.file_size:,} bytes: expected {most:,} at most"
            )
        data = bytearray(member.file_size)
        try:
            with self._file.open(member) as stream:
                _fill(stream, memoryview(data))
        except Exception as error:  # whatever zipfile and zlib make of the bytes
            raise self.wrong(name, reason(error)) from error
        return bytes(data)

    @contextmanager
    def _bytes(self, name: str) -> Iterator[tuple[IO[bytes], int]]:
        member = self._plain(name)
        if not member.filename.endswith(SUFFIX):
            raise self.wrong(name, "it is no array: expected a name that ends in .npy")
        with self._file.open(member) as stream:
            yield stream, member.file_size

    def _plain(self, name: str) -> zipfile.ZipInfo:
        member = self._members[name]
        if member.flag_bits & ENCRYPTED:
            raise self.wrong(name, "it is encrypted")
        if member.compress_type not in PLAIN:
            raise self.wrong(name, "it is packed in a way that numpy does not write")
        return member


class Folder(Stored):
    """The arrays of a folder, each a .npy: an .npz that is not packed."""

    naming = (
        'np.save("x.npy", x); np.save("y.npy", y) in that folder; or a .csv file a window, '
        "in a folder a class (docs/data.md)"
    )

    def __init__(self, path: Path) -> None:
        super().__init__(f"data folder {str(path)!r}")
        found = sorted(path.glob(f"*{SUFFIX}"))
        self._paths = {path.name.removesuffix(SUFFIX): path for path in found}

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    @contextmanager
    def _bytes(self, name: str) -> Iterator[tuple[IO[bytes], int]]:
        path = self._paths[name]
        if not path.is_file():
            raise self.wrong(name, "it is no file")
        try:
            with path.open("rb") as stream:
                yield stream, path.stat().st_size
        except OSError as error:
            raise self.wrong(name, error.strerror or "it is no file") from error


@contextmanager
def opened(path: Path, what: str, mend: str = MEND) -> Iterator[Archive]:
    """The arrays of the .npz at `path`, or of another archive by its name; `what` it is
    begins the sentence of an error, as in "data file", and `mend` is the hint where it
    is no archive. Raises `DataError`."""
    origin = f"{what} {str(path)!r}"
    if not path.exists():
        raise DataError(f"there is no {origin}")
    if not path.is_file():
        raise DataError(f"{origin} is no file: expected an .npz archive")
    with _unzipped(path, origin, mend) as file:
        yield Archive(origin, file)


def write(
    path: Path,
    named: Mapping[str, Any],
    *,
    packed: bool = False,
    device: bool = False,
) -> Path:
    """Write arrays as the .npz at exactly `path`; see `storage.whole`. It is made in
    memory first, since numpy's writer does not let go of a file that has failed.
    Raises `StorageError`."""
    made = io.BytesIO()
    (np.savez_compressed if packed else np.savez)(made, **named)
    with storage.whole(path, device=device) as file:
        file.write(made.getbuffer())
    return path


def _unzipped(path: Path, origin: str, mend: str) -> zipfile.ZipFile:
    try:
        with path.open("rb") as file:
            begins = file.read(len(npy.MAGIC_PREFIX))
        if begins == npy.MAGIC_PREFIX:
            raise DataError(
                f"{origin} is one array, a .npy: expected an .npz with an array for each "
                "name",
                f"{SAVE} writes one; or put it into a folder as x.npy, with its labels as "
                "y.npy, and name the folder (docs/data.md)",
            )
        return zipfile.ZipFile(path)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{origin} cannot be read: {error.strerror}") from error
    except Exception as error:  # whatever zipfile makes of the bytes
        raise DataError(
            f"{origin} cannot be read as {path.suffix or '.npz'}: {reason(error)}",
            mend,
        ) from error


def mended(name: str, dtype: np.dtype) -> tuple[str, ...]:
    """The line of Python that mends an array whose elements hil cannot use, if there is
    one."""
    line = MENDS.get(dtype.kind)
    return () if line is None else (line.format(name),)


def _is_text(array: np.ndarray) -> bool:
    points = np.ravel(array).view(np.uint32)
    surrogates = (points >= 0xD800) & (points < 0xE000)
    return not (surrogates.any() or (points > 0x10FFFF).any())


def _fill(stream: IO[bytes], room: memoryview) -> None:
    """Fill `room`, exactly. Reading the last byte has the archive compare its
    checksum."""
    at = 0
    while at < len(room):
        part = stream.read(min(CHUNK, len(room) - at))
        if not part:
            raise ValueError(f"it ends after {at:,} of {len(room):,} bytes")
        room[at : at + len(part)] = part
        at += len(part)


def reason(error: Exception) -> str:
    """The message of another library's exception, in one line."""
    text = " ".join(str(error).split())[:160]
    return text or type(error).__name__
