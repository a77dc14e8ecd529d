"""Checkpoints of learned state: what they are of, and how flash is cut for them.

A slot holds one: its header (`protocol.CHECKPOINT`), and from the next multiple
of the program size the state, tensor after tensor as in the plan. The device
writes them (firmware/src/network/hil_store.c); `hil.learning.checkpoints` reads and writes the
same bytes on its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from codegen import protocol, rules
from codegen.spec import Spec, UpdateChoice
from targets import Flash

STATE_VERSION = 1
"""Of the arithmetic and the layout of the state: a new one makes older checkpoints
those of another version."""
IDENTITY_BYTES = 16


def identity(spec: Spec) -> bytes:
    """What a state is of: equal for specs whose states may be exchanged. Neither
    the seed, which a checkpoint names itself, nor target and compiler count: the
    bits are the same everywhere."""
    said = asdict(spec)
    del said["seed"]
    for kind in ("window", "scaler", "front"):
        if said["inputs"][kind] is None:
            del said["inputs"][kind]
    if (
        spec.inputs.front is not None
        and said["inputs"]["front"].get("homeostat") is None
    ):
        said["inputs"]["front"].pop("homeostat", None)
    frozen = spec.inputs.frozen
    if frozen is None:
        del said["inputs"]["frozen"]
    else:
        said["inputs"]["frozen"] = frozen.identity
    if spec.goal == "label":
        del said["goal"]
    if spec.format == "f32":
        del said["format"]
    if spec.update == UpdateChoice():
        del said["update"]
    rule = rules.get(spec.rule)
    said["rule"]["parameters"] = {
        p.name: rule.parameters[p.name]
        for p in rule.declaration.parameters
        if p.tells(rule.parameters[p.name])
    }
    text = json.dumps([STATE_VERSION, said], sort_keys=True)
    return hashlib.sha256(text.encode()).digest()[:IDENTITY_BYTES]


@dataclass(frozen=True)
class Slots:
    """Slots in a flash: so many of so many bytes, from its start, the state at
    this place in each."""

    count: int
    size: int
    state_at: int


def slots(flash: Flash | None, state: int) -> Slots:
    """As many as fit for a state of `state` bytes; none where two do not."""
    if flash is None:
        return Slots(0, 0, 0)
    header = protocol.CHECKPOINT.size
    state_at = header + -header % flash.program
    used = state_at + state
    size = used + -used % flash.erase
    count = flash.size // size
    return Slots(count if count > 1 else 0, size, state_at)
