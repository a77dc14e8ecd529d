"""A step of NeuroCoreX's network in vectors tells the twin's bits, whatever VLEN is."""

from __future__ import annotations

import numpy as np
import pytest

from hil import neurocorex
from hil.neurocorex import READ_INPUTS, READ_RECURRENT, Homeostasis, Network
from hil.neurocorex.network import Stdp

CELLS = 40
"""More than the lanes of VLEN 128, and no multiple of them."""


def stream() -> bytes:
    """Weights, potentials and counters that come to their ends; bits of STDP of any kind;
    cell 0 rests, one has a bias, and two runs begin at rest."""
    rng, square = np.random.default_rng(4), (CELLS, CELLS)
    net = Network(
        CELLS, leak=-0.25, gain=9, stdp=Stdp(5, 6, 7, 4, 90, -70), bias=3.5, biased=39
    )
    net.inputs[:], net.recurrent[:] = rng.integers(-128, 128, (2, *square))
    net.thresholds[:] = rng.integers(-20, 120, CELLS)
    net.refractory[:] = rng.integers(0, 4, CELLS)
    net.plastic_inputs[:], net.plastic_recurrent[:] = rng.random((2, *square)) < 0.6
    spikes = np.argwhere(rng.random((60, CELLS)) < 0.1).tolist()
    events = net.events([(step, line) for step, line in spikes], 60)
    learned = (
        net.program() + events + READ_INPUTS + events + READ_INPUTS + READ_RECURRENT
    )
    net.homeostasis, net.leak = Homeostasis(0.2, 2.5), 0
    net.inputs[3] = net.recurrent[3] = 0  # silent, however low its threshold falls
    net.plastic_inputs[3] = net.plastic_recurrent[3] = False
    return learned + net.program() + events + events + READ_RECURRENT


@pytest.mark.parametrize("target, vlen", [
    ("qemu-rv64gcv", 128), ("qemu-rv64gcv", 1024),
    *(pytest.param(*one, marks=pytest.mark.full) for one in (
        ("qemu-rv64gcv", 256), ("qemu-rv64gcv", 512), ("qemu-rv32imafc-zve32f", 128),
    )),
])  # fmt: skip
def test_cells_in_lanes_spike_and_learn_the_same(
    qemu64: str, qemu32: str, target: str, vlen: int
) -> None:
    found = neurocorex.run(stream(), CELLS, target=target, vlen=vlen)
    assert found.equal and found.greeting.vlen == vlen
    first, second, third, fourth = found.answer.runs
    assert 0.05 < first.mean() < 0.8 and second.any()
    assert (third != first).any() and fourth.any()
    weights = found.answer.reads[-2]
    assert weights.max() == 127 and weights.min() == -128
