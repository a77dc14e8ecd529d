"""Plans that the cycles of a core decide, and the table that they decide by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import targets
from codegen import kernels
from codegen.errors import SpecError
from codegen.kernels import choice
from codegen.kernels.choice import SAME
from codegen.kernels.cost import Cost, Shape, cheapest
from codegen.planning.plan import plan
from codegen.planning.planned import Plan
from codegen.spec import Network, Spec
from hil.cli import main
from hil.errors import UsageError
from hil.experiment import Experiment
from hil.lesson.building import plan_for
from hil.lesson.preparing import prepare
from hil.measuring import kernel_cycles
from hil.measuring.kernel_cycles import Measured
from hil.measuring.steps import scoreboard
from hil.measuring.steps.bench import bench_step, lesson_for
from hil.measuring.steps.counting import Counted

X60 = "spacemit-x60"
ROWS = {(row.kernel.name, row.suffix): row for row in kernels.TABLE}


@pytest.mark.parametrize("core", kernels.cores().values(), ids=kernels.cores())
def test_the_table_is_of_the_kernels_as_they_are(core: kernels.Core) -> None:
    """Else: hil bench cycles --update"""
    stale = [
        place
        for place, weights in core.weights.items()
        if place not in ROWS or weights.source != kernel_cycles.source_of(ROWS[place])
    ]
    assert not stale, "hil bench cycles --update"
    measured = {kernel for kernel, _ in core.weights}
    missing = [k for k in measured if not kernels.known(k, (core.vlen,), core.name)]
    assert not missing, "hil bench cycles --update"


def test_its_cores_are_those_with_a_model_at_their_vlen() -> None:
    modelled = scoreboard.cores()
    assert {c.name: c.vlen for c in kernels.cores().values()} == {
        c.name: c.vlen for c in modelled.values()
    }


def test_each_call_is_the_fastest_on_the_core_and_not_that_of_fewest_instructions() -> (
    None
):
    asked = Experiment(network=(64, 64, 10), core=X60)
    fast, few = (plan_for(prepare(a)) for a in (asked, replace(asked, core="none")))
    assert fast.core == X60 and few.core is None
    for call in fast.step:
        kernel = call.variant.kernel.name
        costs = kernels.estimates(kernel, (256,), call.shape, X60)
        least = min(c.cycles for c in costs.values())
        assert costs[call.variant].cycles <= least * (1 + SAME)
    assert [call.variant for call in fast.step] != [call.variant for call in few.step]


def test_of_about_equals_a_core_takes_the_loop_that_cannot_spill() -> None:
    """The fused pass at LMUL 8 has no register left: in assembly it needs none."""
    plain, assembly = (
        ROWS["f32_dense_fused", f"rvv_{form}m8"] for form in ("", "assembly_")
    )
    for more, taken in ((0.003, assembly), (0.03, plain)):
        costs = {plain: Cost(100, 1000), assembly: Cost(100, 1000 * (1 + more))}
        assert choice.fastest(costs) == taken
    asked = Experiment(
        data="dense", network=(784, 128, 10), core="sifive-x280", vlen=512
    )
    calls = plan_for(prepare(asked)).step
    assert assembly in {call.variant for call in calls if call.shape.n_out == 128}


def test_each_layer_goes_the_way_of_fewest_cycles_on_the_core() -> None:
    """In a network of which instructions would choose another way for a layer."""
    made = plan_for(prepare(Experiment(network=(64, 112, 40, 10), core=X60)))
    for layer in made.layers:
        assert layer.costs[layer.way].cycles == min(
            estimate.cycles for estimate in layer.costs.values()
        )
    by_instructions = [cheapest(layer.costs) for layer in made.layers]
    assert [layer.way for layer in made.layers] != by_instructions


def test_a_plan_for_a_core_is_faster_there_and_learns_the_same(qemu64: str) -> None:
    asked = Experiment(network=(64, 64, 10), steps=2, vlen=256)
    rows = {}
    for core in (X60, "none"):
        lesson = lesson_for(replace(asked, core=core), 2)
        (rows[core],) = bench_step(lesson, warm=2, only=("chosen",)).rows
    cycles = {core: row.modelled[X60].cycles for core, row in rows.items()}
    assert cycles[X60] < 0.95 * cycles["none"]
    assert_estimated(
        rows[X60].counted, plan_for(lesson_for(replace(asked, core=X60), 2))
    )


def assert_estimated(counted: Counted, made: Plan) -> None:
    """What the table says of the kernels that it has is within 15 % of their cycles in
    the step."""
    names = {kernel for kernel, _ in kernels.core(X60).weights}
    executed = (
        instruction
        for (_, instruction), whose in zip(counted.typical, counted.order, strict=True)
        if whose.name in names
    )
    estimates = (
        kernels.estimates(call.variant.kernel.name, (256,), call.shape, X60)[
            call.variant
        ]
        for call in made.step
        if call.variant.kernel.name in names
    )
    assert sum(one.cycles for one in estimates) == pytest.approx(
        scoreboard.cores()[X60].cycles(executed), rel=0.15
    )


@pytest.mark.parametrize(
    "keys, core, vlen",
    [
        ({}, None, 256),
        ({"core": "sifive-x280"}, "sifive-x280", 512),
        ({"core": X60, "agnostic": True}, X60, 256),
        ({"target": "qemu-spacemit-x60"}, X60, 256),
        ({"target": "qemu-spacemit-x60", "core": "none"}, None, 256),
    ],
)
def test_a_core_is_the_experiments_or_the_targets(
    keys: dict[str, Any], core: str | None, vlen: int
) -> None:
    lesson = prepare(Experiment(steps=1).override(keys))
    assert (lesson.core, lesson.vlen, plan_for(lesson).core) == (core, vlen, core)


@pytest.mark.parametrize(
    "keys, sentence",
    [
        ({"core": "cortex-a53"}, "core is 'cortex-a53', of which no cycles are known"),
        ({"core": X60, "vlen": 128}, "registers of 256 bits, but .* VLEN 128"),
        ({"core": X60, "target": "qemu-rv64gc"}, "has no vectors"),
    ],
)
def test_a_core_that_cannot_decide_is_refused(
    keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((UsageError, SpecError), match=sentence):
        plan_for(prepare(Experiment(steps=1).override(keys)))


def test_what_decides_can_be_said_where_a_plan_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    explain = ["kernels", "--explain"]
    assert main([*explain, "--for", "cycles"]) == 2
    assert f"expected --core with one of {X60}" in capsys.readouterr().err
    assert main([*explain, "--core", X60, "--for", "instructions"]) == 0
    assert "instructions decide" in capsys.readouterr().out
    assert main([*explain, "--core", X60, "--for", "cycles"]) == 0
    assert "cycles of spacemit-x60 decide" in capsys.readouterr().out


def test_code_for_any_vlen_is_chosen_at_that_of_the_core() -> None:
    made = plan(Spec(Network((64, 10))), targets.load("qemu-rv64gcv"), core=X60)
    assert (made.vlen, made.vlens) == (None, (256,))


def test_cycles_are_those_of_the_call_they_are_fitted_to(qemu64: str) -> None:
    """Of three updates, mixed by the compiler, the second begins before the first."""
    asked = Experiment(network=(64, 112, 40, 10), rule="bp", vlen=256, steps=1)
    lesson = lesson_for(asked, kernel_cycles.WARM)
    made = next(kernel_cycles.plans(lesson, "dense"))
    each = [
        call.cycles / call.counted.instructions
        for row, call in kernel_cycles.calls(scoreboard.cores()[X60], lesson, made)
        if row.kernel.name == "f32_dense_update"
    ]
    assert len(each) == 3 and max(each) < 3 * min(each)


def test_weights_are_those_that_made_the_cycles() -> None:
    shapes = [Shape(n, m, 0.5) for n in (64, 100, 784) for m in (10, 64, 128)]
    row = ROWS["f32_dense_forward", "rvv_m4"]
    counted = [row.cost(shape, 256) for shape in shapes]
    calls = [
        Measured(c, round(50 + 4 * c.vector + 2 * (c.instructions - c.vector)))
        for c in counted
    ]
    found = kernel_cycles.fit(calls)
    assert found.weights == pytest.approx((50, 4, 2, 0), rel=0.02)
    assert found.error < 0.01 and found.calls == len(shapes)
    only = kernel_cycles.fit([Measured(Cost(10, 0, 5), 100)])
    assert min(only.weights) >= 0 and only.error < 0.01
