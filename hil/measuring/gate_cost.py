"""`hil bench gates`: what the gates save, and what they cost in accuracy.

Each gate learns from scratch on the host, alone. From the weights and thresholds
it ends with it goes on in an emulator that counts instructions, in lockstep with
the reference, which knows to the bit what the device has written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.experiment import Experiment
from hil.learning.session import run

GATES: Mapping[str, Mapping[str, Any]] = {
    "none": {},
    "none, sequential": {"schedule": "sequential"},
    "error 0.1": {"gate": "error", "error_gate": 0.1},
    "row 25 %": {"gate": "row", "active": 0.25},
    "row 25 %, error 0.1": {"gate": "row", "active": 0.25, "error_gate": 0.1},
    "block 25 %": {"gate": "block", "active": 0.25},
    "element 25 %": {"gate": "element", "active": 0.25},
}
"""What is held against the first of them."""

DIGEST_EVERY = 16
"""Steps between digests while instructions are counted: each would flush a fused
layer, and so cost what an ordinary step does not."""


@dataclass(frozen=True)
class GateCost:
    """One gate: test accuracy (0..1) of the trained network on the host, then per
    step, in mean over the counted ones: instructions, and weights written."""

    gate: str
    accuracy: float
    instructions: float
    written: float


def gate_costs(
    asked: Experiment, emulated: Experiment, tell: Callable[[str], None]
) -> Iterator[GateCost]:
    """Train `asked` with each gate and count the steps of `emulated` after that;
    `tell` hears of each stage. Raises what `hil.learning.session.run` raises."""
    with tempfile.TemporaryDirectory() as folder:
        for name, keys in GATES.items():
            out, weights = Path(folder), f"{folder}/trained.npz"
            tell(f"{name}: learning on {asked.target}")
            trained = run(asked.override({**keys, "save": weights}), out=out)
            assert trained.accuracy["test"] is not None
            tell(f"{name}: counting on {emulated.target}")
            counted = run(emulated.override({**keys, "init": weights}), out=out)
            assert counted.instructions_per_step is not None
            assert counted.weights_written_per_step is not None
            yield GateCost(
                name,
                trained.accuracy["test"],
                counted.instructions_per_step,
                counted.weights_written_per_step,
            )
