"""Gates, limits, budgets and the parameters of rules: equal to the bit like all
else, on every machine."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from allpairspy import AllPairs

from codegen import rules
from hil import Experiment, run
from hil.data.datasets import load
from hil.errors import DeviceFault, UsageError
from hil.lesson.preparing import prepare
from tests.kinds import OF_LAYERS, small_rate
from tests.regression.machines import KINDS, MACHINES, Machine, samples

STEPS = 24
GATES: dict[str, dict[str, Any]] = {
    "row": {"gate": "row", "active": 0.5},
    "element": {"gate": "element", "active": 0.1},
    "block": {"gate": "block", "tau": 1e-4},
    "error": {"gate": "error", "error_gate": 0.45},
    "row and error": {"gate": "row", "tau": 1e-3, "error_gate": 0.45},
    "none": {},
}
LIMITS: dict[str, dict[str, Any]] = {
    "none": {},
    "weights": {"clip_weights": 0.1},
    "both": {"clip_weights": 0.3, "clip_error": 0.4},
}
RULES = OF_LAYERS
NETWORKS = ("64-10", "17-33-7", "33-1-65-3", "7-64-128-10")
ACTIVATIONS = (None, "relu")
"""What is usual with a rule, or relu."""


def possible(case: Sequence[Any]) -> bool:
    """Whether a case, or what there is of it yet, can be."""
    if len(case) < 2:
        return True
    gate, rule = GATES[case[0]], rules.declaration(case[1])
    rows = gate.get("gate") in ("row", "element", "block")
    error = "error_gate" in gate
    if len(case) > 3 and rule.most and case[3].count("-") > rule.most:
        return False
    if len(case) > 4 and case[4] not in (None, *rule.activations):
        return False
    return not (rows and "rows" not in rule.gates) and not (
        error and "error" not in rule.gates
    )


CHOICES = (list(GATES), RULES, list(LIMITS), NETWORKS, ACTIVATIONS)


def on_machines(
    cases: Iterable[Sequence[Any]], machines: Sequence[Machine] = MACHINES
) -> list[tuple[Any, ...]]:
    """Cases, each on the next of the machines. What a machine makes of a rule is
    asked by `test_every_step_is_equal`, which has every pair of the two."""
    turns = zip(itertools.cycle(machines), cases, strict=False)
    return [(machine, *case) for machine, case in turns]


PAIRS = on_machines(AllPairs(list(map(list, CHOICES)), filter_func=possible))


def every_second(cases: Sequence[tuple[Any, ...]]) -> list[object]:
    """Every second case of a rule in `make test`, and all in `make test-all`: what a gate
    does stands once in the updates, which rules share."""
    met: Counter[str] = Counter()
    marked = []
    for case in cases:
        marks = pytest.mark.full if met[case[2]] % 2 else ()
        met[case[2]] += 1
        marked.append(pytest.param(*case, marks=marks))
    return marked


def passes(folder: Path, **keys: Any) -> None:
    network = str(keys["network"])
    record = run(
        Experiment(**{"data": samples(folder, network), "steps": STEPS, "test": 8,
                      "lr": small_rate(str(keys["rule"])), **keys}),
        out=folder,
    )  # fmt: skip
    assert record.error is None
    assert record.divergence is None
    assert (record.result, record.compared) == ("pass", STEPS)


@pytest.mark.parametrize(
    "machine, gate, rule, limits, network, activation", every_second(PAIRS)
)
def test_gated_and_clipped_steps_are_equal(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    qemu_user: str,
    machine: Machine,
    gate: str,
    rule: str,
    limits: str,
    network: str,
    activation: str | None,
) -> None:
    passes(
        tmp_path, target=machine[0], vlen=machine[1], rule=rule, network=network,
        activation=activation, **GATES[gate], **LIMITS[limits],
    )  # fmt: skip


CONTROLLERS: dict[str, dict[str, Any]] = {
    "a tenth": {"active": 0.1},
    "half": {"active": 0.5},
    "fixed": {"tau": 1e-3},
}
TYPES = {"u8": 16.0, "i16": 2400.0, "f32": 1.5}
"""Input types, and their scales."""
CONTROLLED = on_machines(
    itertools.islice(
        itertools.cycle(
            AllPairs(
                [
                    ["row", "element", "block"],
                    list(CONTROLLERS),
                    list(TYPES),
                    ["sequential", "auto"],
                ]
            )
        ),
        len(KINDS),
    ),
    [machines[0] for machines in KINDS.values()],
)
"""Each kind of machine once."""


@pytest.mark.parametrize("machine, gate, controller, dtype, schedule", CONTROLLED)
def test_every_controller_is_equal_with_every_input_type(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    qemu_user: str,
    machine: Machine,
    gate: str,
    controller: str,
    dtype: str,
    schedule: str,
) -> None:
    """Signed inputs too, whose rows pass by their magnitude."""
    digits = load("digits")
    x = digits.train_x[:200, 20:37]
    made = {
        "u8": x,
        "i16": (x.astype(np.int16) - 8) * 300,
        "f32": x.astype(np.float32) / 7 - 1,
    }[dtype]
    y = (digits.train_y[:200] % 7).astype(np.int64)
    np.savez(tmp_path / "samples.npz", x=made, y=y, scale=TYPES[dtype])
    passes(
        tmp_path, target=machine[0], vlen=machine[1], rule="dfa", network="17-33-40-7",
        data=str(tmp_path / "samples.npz"), gate=gate, schedule=schedule,
        **CONTROLLERS[controller],
    )  # fmt: skip


PARAMETERS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("fg-weight", {"k": 3, "perturbation": "gaussian"}),
    ("fg-weight", {"k": 2}),
    ("fg-activity", {"k": 3, "perturbation": "gaussian"}),
    ("fg-local", {"k": 3}),
    ("dfa", {"error": "ternary", "threshold": 0.3}),
    ("dfa", {"error": "ternary", "feedback": "uniform"}),
    ("drtp", {"feedback": "uniform"}),
    ("pc", {"inference": "z-il"}),
    ("pc", {"precision": "learned", "precision_rate": 0.2}),
    ("pc", {"iterations": 9, "gamma": 1.0}),
)


ONE_DIGEST = ("row and error",)
"""In `make test`; of the others each step has been held against the one reference."""
VECTORS = [machine for machine in MACHINES if machine[1]]
PARAMETRISED = [
    (machine, *case)
    for place, case in enumerate(PARAMETERS)
    for machine in [VECTORS[place % len(VECTORS)] if place % 3 else MACHINES[place % 2]]
]
"""Two of three on vectors; the others in a process, or on a core without."""


@pytest.mark.parametrize("machine, rule, parameters", PARAMETRISED)
def test_rules_are_equal_with_their_parameters(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    qemu_user: str,
    machine: Machine,
    rule: str,
    parameters: dict[str, Any],
) -> None:
    passes(
        tmp_path, target=machine[0], vlen=machine[1], rule=rule,
        network="17-33-40-7", parameters=parameters,
    )  # fmt: skip


BUDGET = Experiment(
    network="64-64-10", gate="row", icount=True, instructions=1500, steps=240, test=8
)


@pytest.mark.parametrize("vlen", [128, 512])
def test_a_budget_of_instructions_is_held_bit_for_bit(
    tmp_path: Path, qemu64: str, vlen: int
) -> None:
    """The reference cannot count: it replays with what the device has told."""
    keys = {"vlen": vlen, "instructions": 850 if vlen > 128 else 1500}
    record = run(BUDGET.override(keys), out=tmp_path)
    assert (record.result, record.compared) == ("pass", 240)
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line) for line in lines]
    counts = [step["instructions"] for step in steps]
    before, after = np.mean(counts[:20]), np.mean(counts[-40:])
    budget = keys["instructions"]
    controller = 165  # instructions at most, which come after what it counts
    assert budget - 20 < after < budget + controller < before
    assert len({step["threshold"] for step in steps}) > 100


def test_a_budgeted_run_is_not_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="depends on counts that the earlier run"):
        run(BUDGET, out=tmp_path, resume=True)


def test_a_budget_is_held_with_resident_samples_too(
    tmp_path: Path, qemu64: str
) -> None:
    record = run(BUDGET.override({"resident": 20, "steps": 40}), out=tmp_path)
    assert (record.result, record.compared) == ("pass", 40)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"target": "host", "icount": False}, "target host has none"),
        ({"icount": False}, "counted exactly"),
        ({"gate": "none"}, "no gate could hold it"),
    ],
)
def test_a_budget_that_could_not_be_held_is_refused(
    keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        prepare(BUDGET.override(keys))


@pytest.mark.parametrize(
    "place, gate",
    [
        pytest.param(place, gate, marks=() if gate in ONE_DIGEST else pytest.mark.full)
        for place, gate in enumerate(GATES)
        if gate != "none"
    ],
)
def test_gates_end_in_one_digest_on_every_machine(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_user: str, place: int, gate: str
) -> None:
    """On a process, a machine without vectors and one with: others have met the
    reference."""
    machines = (MACHINES[0], MACHINES[1], VECTORS[place % len(VECTORS)])
    digests = {
        machine: run(
            Experiment(
                target=machine[0], vlen=machine[1], steps=40, test=8, **GATES[gate]
            ),
            out=tmp_path,
        ).digest
        for machine in machines
    }
    assert len(set(digests.values())) == 1, digests


def test_a_budgeted_run_that_meets_an_infinity_ends_with_it(
    tmp_path: Path, qemu64: str
) -> None:
    change = {"lr": 3.0, "activation": "identity", "output": "identity"}
    with pytest.raises(DeviceFault, match="non-finite"):
        run(BUDGET.override(change), out=tmp_path)
