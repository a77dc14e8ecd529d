"""The numpy twin of a network that NeuroCoreX's bytes program (docs/spiking.md).

It reads whole commands, computes whole matrices, and keeps potentials as exact integers;
a device takes bytes one at a time, and visits the synapses of what has spiked.
Source: ORNL/NeuroCoreX a688f2c (uart_rx_sorter_input.vhd, LIF_unit.vhd, Core_engine.vhd).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codegen.errors import SpecError

Array = NDArray[np.int64]
NOBODY = 0xFFFF
END = b"\xff\xff\xff"
MARKER = b"\xff"
LEAST, MOST = -(1 << 17), (1 << 17) - 1
"""Of a potential, 18 bits with a sign, in 1/1024."""
LONG_AGO = 255
NAMES = (
    "weights of the inputs", "recurrent weights", "parameters", "events",
    "debug parameters", "a request to read weights", "the bitmap of STDP",
)  # fmt: skip


@dataclass(frozen=True)
class Command:
    """One command: its opcode, the low half of its first byte, and its payload."""

    opcode: int
    detail: int
    payload: NDArray[np.uint8]


@dataclass
class Answer:
    """What a stream is answered by: spikes [steps, cells] of each run, and each matrix
    of weights [to, from] that is read; `parts` are both in their order."""

    runs: list[NDArray[np.uint8]] = field(default_factory=list)
    reads: list[NDArray[np.int8]] = field(default_factory=list)
    parts: list[NDArray[np.uint8] | NDArray[np.int8]] = field(default_factory=list)
    operations: int = 0
    """Additions of a weight to a current: synaptic operations."""

    def add(self, part: NDArray[np.uint8] | NDArray[np.int8]) -> None:
        """The next part: spikes are bytes without a sign."""
        self.parts.append(part)
        (self.runs if part.dtype == np.uint8 else self.reads).append(part)  # type: ignore[arg-type]

    @property
    def bytes(self) -> bytes:
        """The same as it travels."""
        return b"".join(map(_travelling, self.parts))


def _travelling(part: NDArray[np.uint8] | NDArray[np.int8]) -> bytes:
    if part.dtype == np.int8:
        return part.tobytes()
    packed = np.packbits(part, axis=1, bitorder="little").tobytes()
    return MARKER + packed if len(part) else b""


def commands(data: bytes, cells: int) -> Iterator[Command]:
    """The commands of a stream. Raises `SpecError`, naming the byte, for what is none,
    and for one that ends too early."""
    square = cells * cells
    sizes = {
        0: square + 1,
        1: square + 1,
        2: 12 * cells,
        4: 6,
        5: 1,
        6: square // 4 + 1,
    }
    at = 0
    while at < len(data):
        opcode, detail = data[at] >> 4, data[at] & 15
        if opcode >= len(NAMES):
            raise SpecError(
                f"byte {at} is {data[at]:#04x}: expected a command, whose upper half is "
                "an opcode from 0 to 6"
            )
        size = _events(data, at + 1, cells) if opcode == 3 else sizes[opcode]
        payload = np.frombuffer(data[at + 1 : at + 1 + size], np.uint8)
        if len(payload) < size:
            raise SpecError(
                f"the bytes end within {NAMES[opcode]}, which begin at byte {at}: "
                f"expected {size:,} bytes after it, there are {len(payload):,}"
            )
        yield Command(opcode, detail, payload)
        at += 1 + size


def _events(data: bytes, begin: int, cells: int) -> int:
    """Bytes of the events that begin there, their end included. Raises `SpecError`."""
    for at in range(begin, len(data) - 2, 3):
        if data[at : at + 3] == END:
            return at + 3 - begin
        line = int.from_bytes(data[at + 1 : at + 3], "little")
        if line >= cells and line != NOBODY:
            raise SpecError(
                f"the event at byte {at} is of input line {line}: expected one from 0 "
                f"to {cells - 1}, or {NOBODY} for none"
            )
    return len(data) + 3 - begin


def _words(payload: NDArray[np.uint8]) -> Array:
    """18 bits of each three bytes, with their sign."""
    low, middle, high = payload.reshape(-1, 3).astype(np.int64).T
    bits = low + (middle << 8) + ((high & 3) << 16)
    return bits - ((bits & (1 << 17)) << 1)


class Network:
    """The network, as it is after a stream so far."""

    def __init__(self, cells: int) -> None:
        self.cells = cells
        square = (cells, cells)
        self.inputs, self.recurrent = np.zeros(square, int), np.zeros(square, int)
        self.plastic = np.zeros((2, *square), bool)
        self.threshold = np.full(cells, 512)
        self.refractory, self.leak = np.full(cells, 4), np.zeros(cells, int)
        self.stdp, self.follows = np.zeros(cells, int), False
        self.debug = np.zeros(2, int)
        self.operations = 0
        self._rest()

    def _rest(self) -> None:
        self.potential = np.zeros(self.cells, np.int64)
        self.resting = np.zeros(self.cells, np.int64)
        self.since_input = np.full(self.cells, LONG_AGO)
        self.since_spike = np.full(self.cells, LONG_AGO)
        self.spikes = np.zeros(self.cells, bool)

    def obey(self, command: Command) -> NDArray[np.uint8] | NDArray[np.int8] | None:
        """Do what a command says; what it is answered by."""
        opcode, payload = command.opcode, command.payload
        if opcode in (0, 1):
            matrix = payload[:-1].view(np.int8).reshape(self.cells, -1).astype(int)
            self.inputs, self.recurrent = (
                (matrix, self.recurrent) if opcode == 0 else (self.inputs, matrix)
            )
        elif opcode == 2:
            rows = _words(payload).reshape(4, -1)
            self.threshold, self.refractory, self.leak, self.stdp = rows
            self.follows = bool(command.detail & 1)
        elif opcode == 4:
            self.debug = _words(payload)
        elif opcode == 6:
            bits = np.unpackbits(payload[:-1]).astype(bool)
            self.plastic = bits.reshape(self.plastic.shape)
        elif opcode == 5:
            read = self.recurrent if command.detail & 1 else self.inputs
            return read.astype(np.int8)
        else:
            return self._run(command)
        return None

    def _run(self, command: Command) -> NDArray[np.uint8]:
        """Events, to their end: spikes [steps, cells]."""
        events = command.payload[:-3].reshape(-1, 3).astype(int)
        lines = events[:, 1] + 256 * events[:, 2]
        apart = events[:, 0] + (0 if command.detail & 1 else 1)
        apart[:1] = events[:1, 0]
        at = np.cumsum(apart)
        steps = int(at[-1]) + 1 if len(at) else 0
        given = np.zeros((steps, self.cells), bool)
        known = lines < self.cells
        given[at[known], lines[known]] = True
        told = np.array([self.step(row) for row in given], np.uint8)
        self._rest()
        return told.reshape(steps, self.cells)

    def step(self, given: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """One step, with spikes on the `given` lines; the cells that spike in it."""
        self._integrate(given)
        ready = self.resting <= 0
        spikes = ready & (self.potential >= self.threshold)
        rest = self.refractory.copy()
        rest[0] >>= 8
        self.potential[spikes] = 0
        self.resting = np.where(spikes, rest, np.maximum(self.resting - 1, 0))
        if self.follows:
            moved = self.threshold + self.stdp[3] * spikes - self.stdp[4]
            self.threshold = np.clip(moved, 1, MOST)
        self._learn(given, spikes)
        self.since_input = _counted(self.since_input, given)
        self.since_spike = _counted(self.since_spike, spikes)
        self.spikes = spikes
        return spikes

    def _integrate(self, given: NDArray[np.bool_]) -> None:
        gain = int(self.refractory[0]) & 255
        off = ~np.eye(self.cells, dtype=bool)
        current = gain * self.inputs[:, given].sum(axis=1)
        current = current + (self.recurrent * off)[:, self.spikes].sum(axis=1)
        bias = (np.arange(self.cells) == self.debug[1] & 255) * self.debug[0]
        moved = self.potential - self.leak[8] + bias + 1024 * current
        self.potential = np.clip(moved, LEAST, MOST)
        self.operations += self.cells * int(given.sum())
        self.operations += (self.cells - 1) * int(self.spikes.sum())

    def _learn(self, given: NDArray[np.bool_], spikes: NDArray[np.bool_]) -> None:
        """STDP: spikes of a target potentiate, then those of a source depress."""
        windows = [
            int(word) >> shift & 255 for word in self.stdp[:2] for shift in (0, 8)
        ]
        up, down = (_signed(int(self.stdp[2]) >> shift & 255) for shift in (0, 8))
        plastic_recurrent = self.plastic[0] & ~np.eye(self.cells, dtype=bool)
        for weights, plastic, pre, since, within in (
            (self.inputs, self.plastic[1], given, self.since_input, windows[:2]),
            (self.recurrent, plastic_recurrent, spikes, self.since_spike, windows[2:]),
        ):
            gains = plastic & np.outer(spikes, since < within[0])
            losses = plastic & np.outer(self.since_spike < within[1], pre)
            raised = np.clip(weights + up * gains, -128, 127)
            weights[:] = np.clip(raised - down * losses, -128, 127)


def _signed(byte: int) -> int:
    return byte - 256 * (byte > 127)


def _counted(since: Array, spikes: NDArray[np.bool_]) -> Array:
    return np.where(spikes, 0, np.minimum(since + 1, LONG_AGO))


def answered(data: bytes, cells: int) -> Answer:
    """What a network of `cells` cells, just reset, answers a whole stream by. Raises
    `SpecError`."""
    network, answer = Network(cells), Answer()
    for command in commands(data, cells):
        part = network.obey(command)
        if part is not None:
            answer.add(part)
    answer.operations = network.operations
    return answer
