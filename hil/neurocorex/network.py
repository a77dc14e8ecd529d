"""A network as arrays, and the bytes by which NeuroCoreX's UART is told of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codegen.planning.lif import CELLS, require_cells
from hil.errors import UsageError

POINT = 1024
"""Potentials and thresholds travel in 1/1024 of a weight."""
NOBODY = 0xFFFF
LONGEST = 254
"""Steps that an event can wait for, at most: 255 before an event of no line is the end
of a run."""
END = b"\xff\xff\xff"
UNREAD = b"\x00"
"""NeuroCoreX reads one byte more than weights and bitmaps have."""
READ_INPUTS, READ_RECURRENT = b"\x50\x00", b"\x51\x00"
"""Commands that are answered by weights [to, from]. NeuroCoreX itself knows the
first."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Stdp:
    """Rectangular STDP. Windows are steps before a spike, 0: it changes nothing. A weight
    grows by `up` when its target spikes at most `pre` steps after its source, and shrinks
    by `down` when its source spikes at most `post` steps after its target."""

    inputs_pre: int = 0
    inputs_post: int = 0
    recurrent_pre: int = 0
    recurrent_post: int = 0
    up: int = 1
    down: int = 1

    def words(self) -> tuple[int, int, int]:
        """The three words that say so. Raises `UsageError`."""
        windows = (
            self.inputs_pre,
            self.inputs_post,
            self.recurrent_pre,
            self.recurrent_post,
        )
        for steps in windows:
            _within("a window of STDP", steps, 0, 255)
        for change in (self.up, self.down):
            _within("a change of STDP", change, -128, 127)
        return (
            self.inputs_pre | self.inputs_post << 8,
            self.recurrent_pre | self.recurrent_post << 8,
            (self.up & 255) | (self.down & 255) << 8,
        )


@dataclass(frozen=True)
class Homeostasis:
    """Thresholds that follow how often their cells spike, until that is `rate`, a share of
    the steps: in each step they fall by `fall`, and with a spike they rise by fall / rate.
    An extension of this kit, which NeuroCoreX itself does not know."""

    rate: float
    fall: float = 0.01

    def words(self) -> tuple[int, int]:
        """What they rise and fall by. Raises `UsageError`."""
        limit = 1 << 17
        known = 0 < self.rate <= 0.5 and 0 < self.fall * POINT < limit
        fall = round(self.fall * POINT) if known else 0
        rise = round(min(fall / self.rate, limit)) if known else 0
        if not 0 < fall < rise < limit:
            raise UsageError(
                f"homeostasis has rate {self.rate:g} and fall {self.fall:g}: expected a rate "
                f"above 0 and at most 0.5, and a fall of at least 1/{POINT} and less than "
                f"{limit // POINT} times the rate"
            )
        return rise, fall


@dataclass
class Network:
    """`cells` cells and as many input lines. Matrices are [to, from]; numbers are in
    weights: a threshold of 100 is reached by a spike through a weight of 100.

    `leak` is taken off every potential in every step, `gain` multiplies the inputs'
    weights, `bias` is added to the potential of cell `biased`. `plastic_...` say which
    synapses `stdp` changes. A cell's weight to itself means nothing. With `homeostasis`
    thresholds follow rates, and go on from run to run.
    """

    cells: int = CELLS
    leak: float = 0.0
    gain: int = 1
    bias: float = 0.0
    biased: int = 0
    stdp: Stdp = Stdp()
    homeostasis: Homeostasis | None = None
    inputs: Array = field(init=False)
    recurrent: Array = field(init=False)
    thresholds: Array = field(init=False)
    refractory: Array = field(init=False)
    plastic_inputs: NDArray[np.bool_] = field(init=False)
    plastic_recurrent: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        require_cells(self.cells)
        square = (self.cells, self.cells)
        self.inputs, self.recurrent = np.zeros(square), np.zeros(square)
        self.thresholds, self.refractory = np.ones(self.cells), np.zeros(self.cells)
        self.plastic_inputs = np.zeros(square, bool)
        self.plastic_recurrent = np.zeros(square, bool)

    def program(self) -> bytes:
        """The bytes that program it. Raises `UsageError` for what no byte can say."""
        plastic = np.concatenate(
            [self.plastic_recurrent.ravel(), self.plastic_inputs.ravel()]
        )
        return b"".join([
            b"\x10", _weights("recurrent", self.recurrent), UNREAD,
            b"\x00", _weights("inputs", self.inputs), UNREAD,
            b"\x60", np.packbits(plastic).tobytes(), UNREAD,
            b"\x20" if self.homeostasis is None else b"\x21", self._parameters(),
            b"\x40", _word("bias", self.bias * POINT), _word("biased", self.biased),
        ])  # fmt: skip

    def _parameters(self) -> bytes:
        _within("gain", self.gain, 0, 255)
        refractory = self.refractory.copy()
        refractory[0] = self.gain + 256 * refractory[0]
        stdp = np.zeros(self.cells)
        stdp[:3] = self.stdp.words()
        if self.homeostasis is not None:
            stdp[3:5] = self.homeostasis.words()
        rows = {
            "thresholds": self.thresholds * POINT, "refractory": refractory,
            "leak": np.full(self.cells, self.leak * POINT), "stdp": stdp,
        }  # fmt: skip
        return b"".join(
            _word(name, value) for name, row in rows.items() for value in row
        )

    def events(
        self, spikes: Iterable[tuple[int, int]], steps: int = 0, *, theirs: bool = False
    ) -> bytes:
        """The bytes of a run: `spikes` (step, line), and time for `steps` steps at
        least. `theirs`: as their device takes them, one a step. Raises `UsageError`."""
        given = sorted(spikes)
        if steps > 0 and (not given or given[-1][0] < steps - 1):
            given.append((steps - 1, NOBODY))
        made, at = bytearray(b"\x30" if theirs else b"\x31"), 0
        for step, line in given:
            if line != NOBODY:
                _within("an input line", line, 0, self.cells - 1)
            if step < at:
                raise UsageError(
                    f"two spikes are in step {step}: their device takes one a step",
                    "without theirs=True all of a step come in it",
                )
            made += _waiting(step - at, line, theirs)
            at = step + theirs
        return bytes(made) + END


def _waiting(steps: int, line: int, theirs: bool) -> bytes:
    """The bytes of an event of `line` that comes so many steps after the one before.
    A wait longer than a byte can say is passed with events of no line; where each
    event takes a step of its own (`theirs`), each of those passes one step more than
    it says."""
    made, longest = b"", LONGEST + theirs
    while steps > LONGEST:
        made += bytes([LONGEST]) + NOBODY.to_bytes(2, "little")
        steps -= longest
    return made + bytes([steps]) + line.to_bytes(2, "little")


def _within(what: str, value: float, least: int, most: int) -> None:
    if not (least <= value <= most and value == int(value)):
        raise UsageError(
            f"{what} is {value}: expected an integer from {least} to {most}"
        )


def _weights(name: str, matrix: Array) -> bytes:
    for value in (matrix.min(), matrix.max()):
        _within(f"a weight of {name}", value, -128, 127)
    if (matrix != np.round(matrix)).any():
        _within(f"a weight of {name}", matrix[matrix != np.round(matrix)][0], -128, 127)
    return matrix.astype(np.int8).tobytes()


def _word(name: str, value: float) -> bytes:
    """18 bits with a sign in three bytes, rounded to the nearest."""
    whole = round(value)
    _within(f"a word of {name}", whole, -(1 << 17), (1 << 17) - 1)
    return (whole & 0x3FFFF).to_bytes(3, "little")
