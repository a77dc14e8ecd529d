"""MNIST and Fashion-MNIST: four gzipped idx files each.

Folders mnist and fashion_mnist of the data (`hil.data.files`).
"""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from hil.data import files
from hil.errors import DataError

FOLDERS = {"mnist": "mnist", "fashion": "fashion_mnist"}
URLS = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion": "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
}
LICENCES = {
    "mnist": "Y. LeCun and C. Cortes, CC BY-SA 3.0 as Keras documents it",
    "fashion": "Zalando SE, MIT",
}
PARTS = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)
SHA256 = {
    "mnist": (
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
    "fashion": (
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}


def load(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(train_x, train_y, test_x, test_y) of "mnist" or "fashion": uint8
    [n, 784] and int64 [n]. Raises `DataError`."""
    arrays = [read(path) for path in locate(name)]
    return *_part(name, *arrays[:2]), *_part(name, *arrays[2:])


def _part(
    name: str, images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise DataError(
            f"data set {name!r}: images {list(images.shape)} and labels "
            f"{list(labels.shape)} do not belong together"
        )
    return images.reshape(len(images), -1), labels.astype(np.int64)


def locate(name: str) -> list[Path]:
    """Paths of the four files, downloading what is missing."""
    return [
        files.located(FOLDERS[name], part, URLS[name] + part, sha)
        for part, sha in zip(PARTS, SHA256[name], strict=True)
    ]


def read(path: Path) -> np.ndarray:
    """The uint8 array in a gzipped idx file; raises `DataError`."""
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"data file {str(path)!r} cannot be read: {error}") from error
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise DataError(f"data file {str(path)!r} is no idx file of bytes")
    rank = raw[3]
    start = 4 + 4 * rank
    if len(raw) < start:
        raise DataError(f"data file {str(path)!r} is cut off")
    shape = struct.unpack_from(f">{rank}I", raw, 4)
    data = np.frombuffer(raw, np.uint8, offset=start)
    if data.size != np.prod(shape, dtype=np.int64):
        raise DataError(
            f"data file {str(path)!r} has {data.size} elements, its header says "
            f"{list(shape)}"
        )
    return data.reshape(shape)
