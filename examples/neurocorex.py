"""A network that learns a sequence by STDP: its stream of NeuroCoreX's bytes.

    python examples/neurocorex.py chain.bin
    hil neurocorex chain.bin --target qemu-rv32imac

Ten input lines have a spike each, one a step. Cells spike with their lines, and a synapse
from a cell to the one that spikes a step later grows. Line 0 alone is tried before and
after: at first cell 0 spikes, at last all ten do, in their order.

    python examples/neurocorex.py noise.bin noise

writes another one: every line has a spike in each step with probability 1/10, for 120
steps, and all synapses learn. It is what a step of many spikes costs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from hil.neurocorex import READ_RECURRENT, Network, Stdp

LENGTH, LESSONS = 10, 8
CELLS, STEPS, OFTEN = 96, 120, 0.1


def stream() -> bytes:
    """Program, question, lessons, the same question, and what was learned."""
    net = Network(stdp=Stdp(recurrent_pre=1, recurrent_post=1, up=16, down=8))
    for cell in range(LENGTH):
        net.inputs[cell, cell] = 127
    net.thresholds[:] = 100
    net.plastic_recurrent[:] = True
    question = net.events([(0, 0)], LENGTH)
    lesson = net.events([(step, step) for step in range(LENGTH)])
    return net.program() + question + LESSONS * lesson + question + READ_RECURRENT


def noise() -> bytes:
    """Program and run of cells that hear noise and each other."""
    rng = np.random.default_rng(1)
    net = Network(CELLS, stdp=Stdp(5, 6, 7, 4, 3, 2))
    net.inputs[:] = rng.integers(-20, 60, net.inputs.shape)
    net.recurrent[:] = rng.integers(-60, 40, net.recurrent.shape)
    net.thresholds[:] = 100
    net.plastic_inputs[:] = net.plastic_recurrent[:] = True
    spikes = np.argwhere(rng.random((STEPS, CELLS)) < OFTEN).tolist()
    return net.program() + net.events([(step, line) for step, line in spikes], STEPS)


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes((noise if "noise" in sys.argv[2:] else stream)())
