"""A network that learns a sequence by STDP: its stream of NeuroCoreX's bytes.

    python examples/neurocorex.py chain.bin
    hil neurocorex chain.bin --target qemu-rv32imac

Ten input lines have a spike each, one a step. Cells spike with their lines, and a synapse
from a cell to the one that spikes a step later grows. Line 0 alone is tried before and
after: at first cell 0 spikes, at last all ten do, in their order.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hil.neurocorex import READ_RECURRENT, Network, Stdp

LENGTH, LESSONS = 10, 8


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


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(stream())
