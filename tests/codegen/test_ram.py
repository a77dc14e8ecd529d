"""The plan's bytes of RAM are the linker's, to the byte."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from allpairspy import AllPairs

import targets
from codegen.building import image, toolchain
from codegen.building.buildplan import BuildPlan
from codegen.errors import BuildError, OverBudget
from codegen.planning import bill, fitting, layout
from codegen.planning.plan import plan
from codegen.planning.planned import Choice, Plan
from codegen.planning.resident import Resident
from codegen.rendering.render import render
from codegen.spec import Inputs, Network, RuleChoice, Spec
from codegen.window import Window
from hil.lesson import building

BARE = (
    "qemu-rv64gcv",
    "qemu-rv64gc",
    "qemu-rv32imafc-zve32f",
    "sifive-u",
    "mps2-an386",
    "netduinoplus2",
)
SPECS = {
    "one layer": Spec(Network((8, 5))),
    "odd widths, bp": Spec(Network((13, 7, 3, 5)), RuleChoice("bp")),
    "cycles kept": Spec(
        Network((13, 7, 5), "sigmoid", "identity"),
        RuleChoice("kinase", {"trace": "on"}),
    ),
    "i16": Spec(Network((64, 17, 10)), inputs=Inputs("i16", 1.0)),
    "stored feedback, f32": Spec(
        Network((9, 33, 10), "relu", "softmax"),
        RuleChoice("dfa", {"feedback": "uniform"}),
        Inputs("f32", 1.0),
    ),
}
SCHEDULES = ("auto", "fused", "sequential")
OURS = (
    "session", "hil_learner", "learning", "in", "line", "answers", "listening", "top", "deepest", "nor",
    "counters",
)  # fmt: skip
"""Every variable of the firmware in a process."""


def built(planned: Plan, compiler: str | None = None) -> image.Image:
    """Its image."""
    found = toolchain.find(planned.target, compiler, planned.vlen)
    return toolchain.build(render(planned), found)


MEETINGS = list(AllPairs([list(BARE), list(SPECS), list(SCHEDULES)]))


@pytest.mark.parametrize("target, name, schedule", MEETINGS)
def test_the_linker_counts_what_the_plan_counted(
    target: str, name: str, schedule: str
) -> None:
    spec = SPECS[name]
    window, samples = {"auto": (4, 4), "fused": (1, 1), "sequential": (7, 3)}[schedule]
    planned = plan(
        spec, targets.load(target), schedule=schedule, density=0.2,
        window=window, samples=samples,
    )  # fmt: skip
    assert planned.ram == built(planned).ram


@pytest.mark.parametrize("target", ["qemu-rv64gcv", "mps2-an386"])
def test_a_tight_budget_takes_from_the_stacks_reserve(target: str) -> None:
    """As much as it must, and the linker counts the same."""
    spec, machine = SPECS["one layer"], targets.load(target)
    assert machine.memory is not None
    whole = plan(spec, machine)
    assert plan(spec, machine, budget=whole.ram).target == machine
    tight = plan(spec, machine, budget=whole.ram - 1000)
    assert whole.ram - 1016 < tight.ram <= whole.ram - 1000
    assert tight.target.memory is not None
    assert machine.memory.stack - tight.target.memory.stack == whole.ram - tight.ram
    assert tight.ram == built(tight).ram


@pytest.mark.parametrize("target", ["qemu-rv64gc", "netduinoplus2"])
def test_the_least_budget_is_what_the_compiled_stack_needs(target: str) -> None:
    """One byte less is refused, with both numbers and the chain of calls."""
    spec, machine = SPECS["one layer"], targets.load(target)
    assert machine.memory is not None
    rest = plan(spec, machine).ram - machine.memory.stack
    with pytest.raises(OverBudget, match=r"of them for its stack \(main > ") as caught:
        building.build(plan(spec, machine, budget=rest + fitting.STACK_LEAST))
    assert caught.value.fit is not None
    needs = caught.value.fit.needs
    assert f"needs {needs:,} bytes of RAM, {needs - rest:,} of them" in str(
        caught.value
    )
    assert building.build(plan(spec, machine, budget=needs)).plan.ram == needs
    less = plan(spec, machine, budget=needs - 1).target.memory
    assert less is not None and less.stack < needs - rest


def test_lists_and_a_resident_set_are_counted() -> None:
    """Pointers are as long as the machine's, a resident set is no RAM."""
    spec = Spec(Network((64, 17, 10)))
    resident = Resident(8, bytes(8 * 64), bytes(16), 4)
    for name in BARE:
        listed = Choice({1: "listed", 2: "listed"})
        planned = plan(spec, targets.load(name), choice=listed, resident=resident)
        assert planned.ram == built(planned).ram


def test_windows_are_counted_as_they_travel() -> None:
    window = Window(33, 2, (1.0,) * 6, (2.0,) * 6)
    spec = Spec(Network((6, 17, 10)), inputs=Inputs("i16", 1.0, window))
    for name in ("qemu-rv64gcv", "mps2-an386"):
        planned = plan(spec, targets.load(name))
        assert planned.ram == built(planned).ram


@pytest.mark.parametrize(
    ("target", "spec", "slots", "size"),
    [
        ("qemu-rv64gcv", "odd widths, bp", 1, 13 + 2 + 1),
        ("qemu-rv64gcv", "stored feedback, f32", 3, 3 * 9 * 4 + 3 * 2 + 3 + 3),
        ("qemu-rv32imafc-zve32f", "i16", 7, 7 * 64 * 2 + 7 * 2 + 7 + 1),
        ("mps2-an386", "one layer", 5, 5 * 8 + 5 * 2 + 5),
    ],
)
def test_a_rehearsal_buffer_is_counted(
    target: str, spec: str, slots: int, size: int
) -> None:
    """Samples, labels, whether a slot is filled, and what their alignment needs."""
    planned = plan(SPECS[spec], targets.load(target), rehearsal=slots)
    (row,) = (item for item in planned.bill if item.kind == "rehearsal")
    assert (row.name, row.bytes) == ("rehearsal buffer", size)
    assert planned.ram == built(planned).ram


@pytest.mark.parametrize(("goal", "target"), [("vector", 16), ("sample", 0)])
def test_targets_are_counted(goal: str, target: int) -> None:
    """In the buffer as they travel, and a vector's aligned copy besides."""
    spec = Spec(Network((4, 7, 4), output="identity"), goal=goal)
    planned = plan(spec, targets.load("mps2-an386"), rehearsal=3)
    (row,) = (item for item in planned.bill if item.kind == "rehearsal")
    assert row.bytes == 3 * (4 + target + 1)
    assert planned.ram == built(planned).ram


def test_another_compiler_lays_out_the_same(second_compiler: None) -> None:
    planned = plan(SPECS["odd widths, bp"], targets.load("qemu-rv64gcv"))
    assert planned.ram == built(planned, "clang").ram


@pytest.mark.parametrize(
    ("target", "compiler"),
    [("host", "cc"), ("host", "zig"), ("linux-riscv64-rvv", "zig")],
)
def test_in_a_process_the_firmwares_variables_are_counted(
    host_cc: str, target: str, compiler: str
) -> None:
    """The stack is the system's there, and libc has variables of its own. Specs are told
    apart by the plan, and compilers by what is longest and what is aligned."""
    names = SPECS if compiler == "cc" else ("odd widths, bp", "i16")
    for name in names:
        planned = plan(SPECS[name], targets.load(target), window=3)
        path = built(planned, compiler).path
        assert sum(image.symbols(path)[name] for name in OURS) == planned.ram


@pytest.mark.parametrize(
    ("declared", "otherwise", "culprit"),
    [
        ("uint32_t telemetry;", "uint32_t telemetry, more[8];", "another session"),
        ("uint32_t next_kept;", "uint32_t next_kept, more[8];", "another learner"),
        ("uint32_t tail, overruns;", "uint32_t tail, overruns, more[8];", "ram.toml"),
        ("uint32_t seed;", "uint32_t seed, more[8];", "another net_t"),
    ],
)
def test_a_structure_that_the_plan_does_not_know_is_refused(
    declared: str, otherwise: str, culprit: str
) -> None:
    planned = plan(Spec(Network((8, 5))), targets.load("qemu-rv64gc"))
    files = render(planned)
    (name,) = (
        name
        for name in ("firmware/src/hil_session.c", "generated/net.h",
                     "firmware/src/network/hil_learner_parts.h",
                     "firmware/cores/shared/line.c")
        if re.search(rf"^ +{re.escape(declared)}", files.files[name], re.M)
    )  # fmt: skip
    text = files.files[name].replace(declared, otherwise, 1)
    broken: BuildPlan = replace(files, files={**files.files, name: text})
    with pytest.raises(BuildError, match=culprit):
        toolchain.build(broken, toolchain.find(planned.target))


def test_the_bill_names_every_byte_once() -> None:
    planned = plan(SPECS["odd widths, bp"], targets.load("qemu-rv64gcv"))
    rows = {item.name: item.bytes for item in planned.bill}
    assert len(rows) == len(planned.bill)
    assert rows["W1"] == 13 * 7 * 4
    assert rows["trap stack"] == layout.port("virt").trap_stack
    assert rows["kept replies"] == 4 * bill.structures(planned).kept
    assert 0 < rows["runtime"] < 512
