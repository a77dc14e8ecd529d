"""Networks that spike, as NeuroCoreX's UART programs them: their bytes, what answers them,
and a device that understands them.

    from hil import neurocorex
    net = neurocorex.Network(cells=16)
    net.inputs[3, 0] = 60                      # to cell 3, from input line 0
    net.thresholds[:] = 100
    data = net.program() + net.events([(0, 0), (1, 0)])
    print(neurocorex.simulate(data, cells=16).runs[0][:, 3])
    print(neurocorex.run(data, cells=16, target="host").equal)
"""

from __future__ import annotations

from hil.neurocorex.bridge import Bridge, from_nir
from hil.neurocorex.network import (
    READ_INPUTS,
    READ_RECURRENT,
    Homeostasis,
    Network,
    Stdp,
)
from hil.neurocorex.running import Run, run, simulate

__all__ = [
    "READ_INPUTS",
    "READ_RECURRENT",
    "Bridge",
    "Homeostasis",
    "Network",
    "Run",
    "Stdp",
    "from_nir",
    "run",
    "simulate",
]
