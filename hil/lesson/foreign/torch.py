"""A state_dict of PyTorch, without PyTorch.

A .pt file is an archive: a pickle that describes the tensors, read by `inert`, which
executes nothing, and a member of raw bytes for each storage. `torch.nn.Linear` has its
weights as [outputs, inputs]; ours are the transposed. A state_dict has no activations.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from hil.data.arrays import Archive, reason
from hil.data.labels import short
from hil.errors import DataError
from hil.lesson.foreign import inert
from hil.lesson.foreign.dense import Dense, Layer, dense
from hil.lesson.foreign.room import MOST, Room

REBUILT = "torch._utils._rebuild_tensor_v2"
PARAMETER = "torch._utils._rebuild_parameter"
STORAGES = {"torch.FloatStorage": "f4", "torch.DoubleStorage": "f8", "torch.HalfStorage": "f2"}  # fmt: skip
LONGEST = 16 << 20
"""Bytes of a description at most."""
MEND = "torch.save(model.state_dict(), path) writes one"


def from_state_dict(origin: str, found: Archive) -> Dense:
    """The layers of a state_dict, in its order. Raises `DataError`."""
    try:
        return _Reader(origin, found).dense()
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise DataError(
            f"{origin} cannot be read as a state_dict: {reason(error)}",
            MEND,
        ) from error


class _Reader:
    """An open file."""

    def __init__(self, origin: str, found: Archive) -> None:
        self._origin, self._found = origin, found
        self._room, self._unpacked = Room(origin), Room(origin)
        self._storages: dict[str, bytes] = {}
        pickles = [name for name in found if name.count("/") == 1 and name.endswith("/data.pkl")]  # fmt: skip
        if len(pickles) != 1:
            raise ValueError("there is no data.pkl in it")
        self._folder = pickles[0].removesuffix("data.pkl")
        order = f"{self._folder}byteorder"
        big = order in found and found.content(order, 16) == b"big"
        self._order = ">" if big else "<"

    def dense(self) -> Dense:
        described = self._found.content(f"{self._folder}data.pkl", LONGEST)
        held = inert.read(described, Room(self._origin))
        if not isinstance(held, dict):
            raise ValueError(
                f"it holds a {short(getattr(held, 'name', type(held).__name__))}"
            )
        names = list(held)
        layers = []
        for name, bias in zip(names[::2], [*names[1::2], None], strict=False):
            owner = str(name).removesuffix("weight")
            if name == owner or bias != f"{owner}bias":
                raise ValueError(
                    f"{short(name)!r} is followed by {short(bias)!r}: expected NAME.weight "
                    "and NAME.bias of each dense layer, in the order in which they are used"
                )
            weights = self._tensor(name, held)
            layers.append(Layer(short(name), weights.T, self._tensor(bias, held)))
        return dense(self._origin, layers)

    def _tensor(self, name: str, held: Mapping[str, Any]) -> np.ndarray:
        made, name = held[name], short(name)
        while made.name == PARAMETER:
            made = made.given[0]
        if made.name != REBUILT:
            raise ValueError(f"{name!r} is a {short(made.name)}")
        storage, offset, shape, strides = made.given[:4]
        if len(shape) != len(strides) or len(shape) > 4:
            raise ValueError(
                f"{name!r} has {len(shape)} lengths, {len(strides)} strides"
            )
        numbers = (offset, *shape, *strides)
        if not all(type(one) is int and 0 <= one < 1 << 31 for one in numbers):
            raise ValueError(
                f"{name!r} has lengths or strides that are no whole numbers of 31 bits"
            )
        data = self._storage(name, storage, math.prod(shape))
        last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
        if 0 in shape or last >= data.size or math.prod(shape) > data.size:
            raise ValueError(
                f"{name!r} is {list(shape)}, but its storage has {data.size:,} elements"
            )
        steps = [stride * data.itemsize for stride in strides]
        view = np.lib.stride_tricks.as_strided(data[offset:], shape, steps)
        return np.array(view, data.dtype.newbyteorder("="))

    def _storage(self, name: str, storage: inert.Named, size: int) -> np.ndarray:
        """The elements that a tensor of `size` elements is a view of."""
        _, kind, key, _, _ = storage.key
        if kind.text not in STORAGES:
            raise ValueError(
                f"{name!r} is of {short(kind.text)}: expected one of {', '.join(STORAGES)}"
            )
        if type(key) is not str:
            raise ValueError(f"the storage of {name!r} has no name")
        element = np.dtype(self._order + STORAGES[kind.text])
        self._room.take(size * element.itemsize)
        return np.frombuffer(self._content(key), element)

    def _content(self, key: str) -> bytes:
        """The bytes of a storage, which many tensors may share: unpacked once."""
        if key not in self._storages:
            data = self._found.content(f"{self._folder}data/{key}", MOST)
            self._unpacked.take(len(data))
            self._storages[key] = data
        return self._storages[key]
