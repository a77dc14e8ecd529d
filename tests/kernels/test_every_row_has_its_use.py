"""Every row of the kernel table is some plan's choice, or the table says why it stays.

The lessons below, each planned for a machine without vectors, for every VLEN and for
all of them at once, come to every row but those. Rows of imported models are other
plans' choice (tests/graph/test_device.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

import targets
from codegen import kernels
from codegen.delays import Delays
from codegen.homeostat import Homeostat
from codegen.kernels import Variant
from codegen.kernels.cost import Shape
from codegen.kernels.imported import IMPORTED
from codegen.kernels.table import FEWEST_CYCLES, NARROW, NO_DIVISION, TWIN
from codegen.planning.plan import plan
from codegen.planning.planned import UNKNOWN_VLENS, Plan
from codegen.raster import Events, Spikes
from codegen.reservoir import Echo, Liquid, Reservoir
from codegen.scaler import Scaler
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec, UpdateChoice
from codegen.window import Window

MACHINES = [("host", None), *(("qemu-rv64gcv", n) for n in (*UNKNOWN_VLENS, None))]
U8, I16, F32 = Inputs(), Inputs("i16", 4.0), Inputs("f32", 1.0)
DIVIDED = (Inputs("u8", 2e38), Inputs("i16", 2e38), Inputs("f32", 3.0))
"""By scales that no multiplication stands in for."""
CLIP, MOMENTUM = Clip(weights=4.0), UpdateChoice("momentum", 0.9)
OPEN = Gate()
GAUSSIAN = {"perturbation": "gaussian"}


def windows(rows: int, axes: int) -> Inputs:
    """Windows whose features stay as they are."""
    features = 3 * axes
    window = Window(rows, axes, (0.0,) * features, (1.0,) * features)
    return Inputs("i16", 1.0, window)


def scaled(dtype: str, elements: int) -> Inputs:
    """Samples that a scaler leaves as they are."""
    scaler = Scaler((0.0,) * elements, (1.0,) * elements)
    return Inputs(dtype, 1.0, scaler=scaler)


def reservoir(kind: type[Reservoir], dtype: str, **more: Any) -> Inputs:
    """Sequences of four rows, by 32 cells whose features stay as they are."""
    made = kind(4, 4, 1, ((0.0, 1.0),) * 4, ((0.0, 1.0),) * 128, cells=32, **more)
    return Inputs(dtype, 1.0, front=made)


def lesson(
    rule: str, network: str, activation: str, output: str, inputs: Inputs = U8,
    parameters: dict[str, object] | None = None, gate: Gate = OPEN, **more: object,
) -> Spec:  # fmt: skip
    """A spec, its network in the short form."""
    layers = tuple(int(width) for width in network.split("-"))
    choice = RuleChoice(rule, parameters or {})
    made = Spec(Network(layers, activation, output), choice, inputs, gate=gate)
    return replace(made, **more)  # type: ignore[arg-type]


LESSONS: tuple[tuple[Spec, float, str], ...] = (
    (lesson("bp", "64-128-64-10", "tanh", "sigmoid", clip=CLIP, update=MOMENTUM),
     1.0, "auto"),
    (lesson("bp", "64-16-12-10", "tanh", "identity", I16, gate=Gate("block", active=0.3)),
     0.2, "auto"),
    (lesson("dfa", "20-24-24", "relu", "identity", parameters={"error": "ternary"},
            gate=Gate(error=0.1), goal="vector"), 1.0, "auto"),
    (lesson("dfa", "16-32-20-2", "tanh", "identity", I16,
            gate=Gate("row", error=0.1, active=0.3)), 0.2, "auto"),
    (lesson("drtp", "16-16-2", "relu", "sigmoid", clip=CLIP), 0.2, "auto"),
    (lesson("local", "512-24-64", "sigmoid", "sigmoid", gate=Gate("row", active=0.3),
            clip=CLIP, goal="vector"), 0.2, "auto"),
    (lesson("local", "9-2", "sigmoid", "identity", windows(64, 3)), 0.2, "fused"),
    (lesson("kinase", "20-128-20-16-2", "sigmoid", "identity"), 1.0, "auto"),
    *((lesson("kinase", "20-128-20-16-2", "sigmoid", "identity",
              parameters={"weights": "contrast"}), density, "auto") for density in (0.2, 1.0)),
    (lesson("kinase", "1-4-2", "sigmoid", "identity", parameters={"weights": "contrast"}),
     1.0, "auto"),
    *((lesson(rule, "20-8", "tanh", "softmax"), 1.0, "auto") for rule in ("ncm", "slda")),
    (lesson("midpoint", "20-64-8", "sigmoid", "identity", goal="vector"), 1.0, "auto"),
    (lesson("chl", "20-128-20-16-2", "sigmoid", "identity"), 1.0, "auto"),
    (lesson("eqprop", "20-64-10", "identity", "identity"), 1.0, "auto"),
    (lesson("eqprop", "20-16-2", "identity", "identity", goal="vector"), 1.0, "auto"),
    (lesson("ottt", "20-128-20-16-2", "identity", "sigmoid",
            parameters={"encoding": "latency"}), 1.0, "auto"),
    (lesson("ottt", "20-64-32-8-2", "identity", "sigmoid",
            parameters={"encoding": "bernoulli", "homeostasis": 0.1}), 1.0, "auto"),
    *((lesson("stdp-wta", "20-24-4", "identity", "identity", parameters={"labels": labels},
              format="spikes"), 1.0, "auto") for labels in ("teacher", "votes")),
    (lesson("stdp-detector", "20-4", "identity", "identity", format="spikes",
            parameters={"homeostasis": 0.1}), 1.0, "auto"),
    *((lesson("readout", "3-4-2", "tanh", "sigmoid", windows(8, 1), format=numbers), 1.0, "auto")
      for numbers in ("f32", "i16")),
    (lesson("readout", "9-2", "tanh", "sigmoid", windows(64, 3), format="i16"), 1.0, "auto"),
    *((lesson("readout", f"{n}-2", "tanh", "sigmoid", scaled(dtype, n)), 1.0, "auto")
      for n in (4, 8, 16, 32, 64) for dtype in ("u8", "i16", "f32")),
    *((lesson("readout", "16-2", "tanh", "sigmoid", scaled(dtype, 16), format="i16"), 1.0, "auto")
      for dtype in ("u8", "i16")),
    (lesson("fg-activity", "20-20-20", "tanh", "identity", F32,
            gate=Gate("element", active=0.3)), 1.0, "auto"),
    (lesson("fg-activity", "64-16-12-10", "tanh", "identity",
            gate=Gate("element", active=0.3), goal="vector"), 0.2, "auto"),
    (lesson("fg-activity", "2-2", "sigmoid", "sigmoid", parameters=GAUSSIAN, clip=CLIP),
     0.2, "auto"),
    *((lesson("dfa", "16-12-5", "tanh", "sigmoid", parameters={"error": "ternary"},
              gate=Gate(error=0.1), format=integer), 1.0, "auto") for integer in ("i16", "i8")),
    *((lesson("local", "16-12-5", "hard-tanh", "sigmoid", I16, format=integer), 1.0, "auto")
      for integer in ("i16", "i8")),
    *((lesson("bp", "784-128-10", "tanh", "sigmoid", format=integer), density, "auto")
      for integer in ("i16", "i8") for density in (0.2, 1.0)),
    *((lesson("local", "784-128-10", "hard-tanh", "sigmoid", I16, format=integer), 1.0, "auto")
      for integer in ("i16", "i8")),
    *((lesson("bp", "300-64-300", "tanh", "sigmoid", format=integer), 1.0, "auto")
      for integer in ("i16", "i8")),
    *((lesson("local", "300-64-300", "tanh", "sigmoid", format=integer), 1.0, "auto")
      for integer in ("i16", "i8")),
    (lesson("dfa", "64-128-300", "tanh", "sigmoid", parameters={"error": "ternary"},
            format="i16"), 1.0, "auto"),
    (lesson("drtp", "16-12-5", "tanh", "sigmoid", format="i8"), 1.0, "auto"),
    (lesson("fg-activity", "16-12-5", "tanh", "sigmoid", format="i16"), 1.0, "auto"),
    *((lesson("ottt", "16-12-5", "identity", "sigmoid", format="i16",
              parameters={"encoding": encoding}), 1.0, "auto")
      for encoding in ("bernoulli", "latency")),
    *((lesson("ottt", "16-12-5", "identity", "sigmoid", Inputs(front.format.name, 1.0, front=front),
              {"encoding": front.made_by}, format=numbers), 0.1, "auto")
      for front in (Spikes(8, 16), Events(8, 16, 40)) for numbers in ("f32", "i16")),
    *((lesson("stdp-detector", "16-5", "identity", "identity",
              Inputs(front.format.name, 1.0, front=front), format="spikes"), 0.1, "auto")
      for front in (Spikes(1, 16), Events(1, 16, 16))),
    *((lesson("stdp-wta", "20-24-4", "identity", "identity",
              Inputs(front.format.name, 1.0, front=front), {"encoding": front.made_by, "ticks": 8},
              format="spikes"), 0.1, "auto") for front in (Spikes(8, 20), Events(8, 20, 40))),
    (lesson("pc", "64-20-10-10", "tanh", "identity"), 1.0, "auto"),
    (lesson("pc", "9-128-7", "tanh", "identity", parameters={"precision": "learned"}),
     1.0, "auto"),
    (lesson("fg-weight", "64-112-10", "sigmoid", "softmax", I16, GAUSSIAN), 0.2, "auto"),
    *((lesson("bp", "64-16-12-10", "tanh", "identity", divided,
              gate=Gate("block", active=0.3)), density, "auto")
      for divided in DIVIDED for density in (0.2, 1.0)),
    *((lesson("local", "20-8", "sigmoid", "sigmoid", divided), 1.0, "fused")
      for divided in DIVIDED),
    (lesson("bp", "512-128-10", "tanh", "sigmoid"), 0.2, "auto"),
    *((lesson("local", f"20-{n}", "sigmoid", "sigmoid"), 1.0, "fused") for n in (2, 8)),
    (lesson("fg-weight", "3-8-16", "sigmoid", "sigmoid", I16), 0.2, "auto"),
    (lesson("bp", "128-2", "tanh", "sigmoid", reservoir(Echo, "u8")), 1.0, "auto"),
    (lesson("bp", "8-2", "tanh", "identity", Inputs("u8", 1.0, front=Delays(2, 1, 8)),
            goal="vector"), 1.0, "auto"),
    *((lesson("bp", "128-2", "tanh", "sigmoid", reservoir(Liquid, dtype), format="i16"),
       1.0, "auto") for dtype in ("u8", "i16")),
    (lesson("bp", "8-2", "tanh", "sigmoid",
            Inputs("u8", 1.0, front=Delays(2, 1, 8, Homeostat(0.1)))), 1.0, "auto"),
    (lesson("bp", "128-2", "tanh", "sigmoid", reservoir(Liquid, "u8", homeostat=Homeostat(0.1))),
     1.0, "auto"),
)  # fmt: skip
"""Each with the share of its samples' elements that are not zero, and its schedule."""


@cache
def chosen() -> frozenset[Variant]:
    """The rows that a plan of the grid takes."""
    return frozenset(
        call.variant
        for spec, density, schedule in LESSONS
        for target, vlen in MACHINES
        for made in plans(spec, density, schedule, target, vlen)
        for call in made.calls
    )


def plans(
    spec: Spec, density: float, schedule: str, target: str, vlen: int | None
) -> Iterator[Plan]:
    """One, and where that keeps words between steps, one without the room for them."""
    machine = targets.load(target)
    made = plan(spec, machine, vlen=vlen, density=density, schedule=schedule)
    yield made
    if made.drawn:
        yield plan(
            spec, machine, vlen=vlen, density=density, schedule=schedule,
            budget=made.ram - 1,
        )  # fmt: skip


def without_a_use(rows: Collection[Variant], chosen: Collection[Variant]) -> list[str]:
    """The rows that no plan takes and that give no reason, or do both."""
    return [row.symbol for row in rows if (row in chosen) == bool(row.stays)]


def test_every_row_is_a_plans_choice_or_says_why_it_stays() -> None:
    rows = [row for row in kernels.TABLE if row.kernel not in IMPORTED]
    assert without_a_use(rows, chosen()) == []


def test_a_row_without_a_use_and_one_with_two_are_named() -> None:
    used = kernels.variant("f32_dot", vector=True)
    unused = replace(used, lmul=8)
    rows = [used, unused, replace(used, stays="so"), replace(unused, stays="so")]
    taken = [used, replace(used, stays="so")]
    assert without_a_use(rows, taken) == [unused.symbol, used.symbol]


STAYING = [row for row in kernels.TABLE if row.stays not in ("", TWIN)]


@pytest.mark.parametrize("row", STAYING, ids=lambda row: row.symbol)
def test_a_row_that_stays_for_its_cycles_has_the_fewest_somewhere(row: Variant) -> None:
    """So that `hil tune --for cycles` may come to it: a sentence that is true."""
    assert row.stays in (FEWEST_CYCLES, NO_DIVISION, NARROW)
    places = [
        ((128,), Shape(64, 48, 0.5)), ((512,), Shape(1, 64)), ((256,), Shape(64, 10)),
        ((128,), Shape(64, 4)), ((128,), Shape(64, 10)),
    ]  # fmt: skip
    costs = [
        kernels.estimates(row.kernel.name, vlens, shape) for vlens, shape in places
    ]
    assert any(min(all_, key=lambda one: all_[one].cycles) == row for all_ in costs)
