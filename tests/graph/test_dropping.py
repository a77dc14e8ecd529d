"""Channels that are constants are left out, and what is left gives the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from codegen.graph import support
from codegen.graph.description import Graph, Operator, Quantisation, Tensor
from codegen.lowering.dropping import dropped
from codegen.lowering.folding import folded
from codegen.reference import graph as twin

from .building import Array
from .conftest import graph

SAME, VALID = 0, 1
RELU = 1


class Chain:
    """A graph of one operator after the other, of an image [1, 5, 4, 3]."""

    def __init__(self, seed: int) -> None:
        self.draw = np.random.default_rng(seed)
        self.operators: list[Operator] = []
        self.input = self.last = self._activation((1, 5, 4, 3))
        self._count = 1

    def _activation(self, shape: tuple[int, ...], zero: int = -128) -> Tensor:
        self._count = getattr(self, "_count", 0) + 1
        said = Quantisation((0.05,), (zero,))
        return Tensor(self._count, f"t{self._count}", shape, "i8", said)

    def _constant(self, values: Array, said: Quantisation) -> Tensor:
        self._count += 1
        kind = "i8" if values.dtype == np.int8 else "i32"
        data = memoryview(values.tobytes())
        return Tensor(self._count, f"c{self._count}", values.shape, kind, said, data)

    def _add(
        self, kind: str, given: Sequence[Tensor], shape: tuple[int, ...], **options: int
    ) -> None:
        zero = int(self.draw.choice([-128, -128, -100]))
        if kind in {"AVERAGE_POOL_2D", "RESHAPE"}:
            assert self.last.quantisation is not None
            zero = self.last.quantisation.zeros[0]
        y = self._activation(shape, zero)
        index = len(self.operators)
        one = Operator(index, kind, 1, (self.last, *given), (y,), (), options)
        self.operators.append(one)
        self.last = y

    def filter(self, kind: str, outputs: int, size: int, padding: int) -> None:
        """Of filters most of which are zeros, and biases some of which are far below 0."""
        _, high, wide, depth = self.last.shape
        apart = kind == "DEPTHWISE_CONV_2D"
        shape = (1, size, size, outputs) if apart else (outputs, size, size, depth)
        w = self.draw.integers(-127, 128, shape).astype(np.int8)
        none = self.draw.random(outputs) < 0.5
        w[(..., none) if apart else none] = 0
        b = self.draw.integers(-3000, 9000, outputs).astype(np.int32)
        b[self.draw.random(outputs) < 0.2] = -(10**8)
        self._filtered(kind, w, b, (high, wide), 3 if apart else 0, padding, size)

    def _filtered(
        self, kind: str, w: Array, b: Array, seen: tuple[int, int], axis: int,
        padding: int, size: int,
    ) -> None:  # fmt: skip
        outputs = len(b)
        scales = tuple(self.draw.uniform(0.002, 0.02, outputs).tolist())
        given = (
            self._constant(w, Quantisation(scales, (0,) * outputs, axis)),
            self._constant(b, Quantisation(scales, (0,) * outputs)),
        )
        less = 0 if padding == SAME else size - 1
        shape = (1, seen[0] - less, seen[1] - less, outputs)
        told = dict.fromkeys(("stride_h", "stride_w", "dilation_h", "dilation_w"), 1)
        self._add(kind, given, shape, padding=padding, activation=RELU, **told)

    def pool(self) -> None:
        """The mean of the whole image."""
        _, high, wide, depth = self.last.shape
        told = {"height": high, "width": wide, "stride_h": 1, "stride_w": 1}
        self._add(
            "AVERAGE_POOL_2D", (), (1, 1, 1, depth), padding=VALID, activation=0, **told
        )

    def dense(self) -> None:
        """All numbers as a row, and a dense layer of it."""
        count = self.last.elements
        self._add("RESHAPE", (), (1, count))
        w = self.draw.integers(-127, 128, (3, count)).astype(np.int8)
        b = self._constant(np.zeros(3, np.int32), Quantisation((0.0005,), (0,)))
        given = (self._constant(w, Quantisation((0.01,), (0,))), b)
        self._add("FULLY_CONNECTED", given, (1, 3), activation=0)

    @property
    def graph(self) -> Graph:
        """It as a graph of one output."""
        every = [one.inputs + one.outputs for one in self.operators]
        flat = {t.index: t for some in every for t in some if t is not None}
        operators = tuple(self.operators)
        return Graph(0, tuple(flat.values()), operators, (self.input,), (self.last,))


def chain(seed: int) -> Graph:
    """Filters with and without a border, of one channel each and of all."""
    made = Chain(seed)
    made.filter("CONV_2D", 9, 1, SAME)
    made.filter("DEPTHWISE_CONV_2D", 18 if seed % 3 == 0 else 9, 3, SAME)
    made.filter("CONV_2D", 8, 3, SAME if seed % 2 else VALID)
    made.filter("DEPTHWISE_CONV_2D", 8, 2, VALID)
    if seed % 5:
        made.pool()
    made.dense()
    return made.graph


@pytest.mark.parametrize("seed", range(12))
def test_what_is_left_gives_the_same_numbers(seed: int) -> None:
    whole = chain(seed)
    left = dropped(whole)
    assert left.constants < whole.constants
    draw = np.random.default_rng(seed)
    for _ in range(4):
        x = draw.integers(-128, 128, (1, 5, 4, 3)).astype(np.int8)
        (mine,), (theirs,) = (
            [twin.run(one, [x])[one.outputs[0].index]] for one in (left, whole)
        )
        assert mine.tolist() == theirs.tolist()


def test_an_output_of_the_model_stays_whole() -> None:
    """Also where all of it is constants."""
    whole = chain(1)
    last = whole.operators[0].outputs[0]
    first = replace(whole, operators=whole.operators[:1], outputs=(last,))
    assert dropped(first).outputs == (last,)
    assert dropped(first).operators == first.operators


def test_half_of_a_model_is_constants() -> None:
    left = folded(graph("vww_96_int8"))
    assert sum(map(support.macs, left.operators)) == 3_727_313
    assert left.operators[26].outputs[0].shape == (1, 3, 3, 22)


def test_a_model_without_constants_stays_as_it_is() -> None:
    read = folded(graph("pretrainedResnet_quant"))
    assert dropped(read) is read
