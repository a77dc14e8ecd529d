"""Counting a step: two boots that agree, phases that add up, and what happens
when they do not."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.building import toolchain
from codegen.machine_code import debuginfo, decode
from codegen.machine_code.decode import Class, Instruction
from hil.errors import Divergence, EmulatorError, UsageError
from hil.experiment import Experiment
from hil.lesson.building import build, plan_for
from hil.lesson.lesson import Lesson
from hil.measuring.steps import counting, cycles, plain
from hil.measuring.steps.bench import bench_step, candidates, lesson_for
from hil.measuring.steps.counting import Counted
from hil.measuring.steps.reference import twin
from hil.measuring.steps.scoreboard import Core, cores
from targets import load

WARM, STEPS = 3, 4
SMALL = Experiment(network=(64, 17, 10), steps=STEPS)
SETTINGS, SCALAR_SETTINGS = plain.settings(256), plain.settings(0)


@pytest.fixture(scope="module")
def small(qemu64: str) -> Lesson:
    """A short lesson that is counted."""
    return lesson_for(SMALL, WARM)


@pytest.fixture(scope="module")
def counted(small: Lesson) -> Counted:
    """What it costs."""
    plan = plan_for(small)
    return counting.count(
        small, build(plan), toolchain.find(plan.target, vlen=plan.vlen), WARM
    )


def test_phases_and_classes_add_up_to_the_steps_count(counted: Counted) -> None:
    assert len(counted.steps) == counted.traced == STEPS
    assert counted.whole.total == pytest.approx(counted.mean)
    assert sum(p.total for p in counted.phases.values()) == pytest.approx(counted.mean)
    for kind in Class:
        parts = sum(part.classes[kind] for part in counted.phases.values())
        assert parts == pytest.approx(counted.whole.classes[kind])


def test_every_kernel_of_the_step_is_a_phase(counted: Counted) -> None:
    assert [phase.name for phase in counted.phases] == [
        "net_step", "u8_nonzero_scaled", "f32_listed_forward", "f32_tanh", "f32_dense_forward",
        "f32_sigmoid_bce", "f32_feedback_words", "f32_tanh_grad", "f32_dense_update",
        "f32_listed_update",
    ]  # fmt: skip


def test_a_vector_machines_step_loads_and_stores_vectors(counted: Counted) -> None:
    classes = counted.whole.classes
    assert all(classes[kind] > 0 for kind in Class)
    assert 0 < counted.whole.vector < counted.mean
    assert 0 < counted.forward.total < counted.mean


def test_the_devices_own_count_is_the_step_and_its_call(
    small: Lesson, counted: Counted
) -> None:
    boot = counting.learn(small, build(plan_for(small)), WARM)
    assert boot.counts == tuple(n + counted.overhead for n in counted.steps)
    assert 5 < counted.overhead < 40


def test_a_trace_counts_what_the_counter_counts(
    small: Lesson, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "has_counter", lambda target: False)
    plan = plan_for(small)
    compiler = toolchain.find(plan.target, vlen=plan.vlen)
    traced = counting.count(small, build(plan), compiler, WARM)
    assert (traced.steps, traced.forward) == (counted.steps, counted.forward)
    assert (traced.traced, traced.overhead) == (STEPS, 0)


def test_a_step_that_two_traces_count_otherwise_is_no_count(
    small: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "has_counter", lambda target: False)
    taken, boots = counting._traced, []

    def shortened(*given: Any) -> tuple[counting.Boot, list[int]]:
        boot, trace = taken(*given)
        boots.append(boot)
        step = trace.index(net_step)  # the second boot has lost an instruction
        return boot, trace if len(boots) == 1 else trace[: step + 1] + trace[step + 2 :]

    plan = plan_for(small)
    built = build(plan)
    compiler = toolchain.find(plan.target, vlen=plan.vlen)
    debug = toolchain.build(built.files, compiler, extra=debuginfo.FLAGS)
    net_step = debuginfo.DebugInfo(debug.path).function("net_step").first
    monkeypatch.setattr(counting, "_traced", shortened)
    with pytest.raises(
        EmulatorError, match=r"step 0 took \d+ instructions in one boot"
    ):
        counting.count(small, built, compiler, WARM)


def test_a_cortex_m_is_counted_by_its_trace_and_held_against_plain_c(
    qemu_arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "settings", lambda *machine: SCALAR_SETTINGS[1:2])
    monkeypatch.setattr(plain, "FORMS", {"listed": True})
    asked = SMALL.override({"target": "mps2-an386", "steps": 2})
    found = bench_step(lesson_for(asked, WARM), warm=WARM, against="c")
    (row,), (opponent,) = found.rows, found.against
    assert not row.modelled and row.bounds is None
    assert row.counted.whole.total == row.counted.mean
    classes = row.counted.whole.classes
    assert 0 < classes[Class.STORE] < classes[Class.LOAD] < classes[Class.SCALAR]
    assert opponent.figure == "instructions" and opponent.counted.mean > 0
    assert [phase.name for phase in row.counted.phases][-1].endswith("_update")


def test_boots_that_differ_are_no_count() -> None:
    one = counting.Boot((100, 101), (), 7)
    counting.require_equal(one, one)
    with pytest.raises(EmulatorError, match=r"step 1 took 101 instructions .* and 102"):
        counting.require_equal(one, dataclasses.replace(one, counts=(100, 102)))
    with pytest.raises(EmulatorError, match="digests 00000007 and 00000008"):
        counting.require_equal(one, dataclasses.replace(one, digest=8))


def test_a_device_that_learns_something_else_is_not_counted(
    small: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = twin(lesson_for(SMALL.override({"seed": 2}), WARM), WARM)
    monkeypatch.setattr("hil.measuring.steps.bench.twin", lambda lesson, warm: other)
    with pytest.raises(Divergence, match="ends with digest"):
        bench_step(small, warm=WARM, only=("chosen",))


def test_activity_is_what_the_samples_hold(small: Lesson) -> None:
    found = twin(small, WARM)
    x = np.array([small.sample(step)[0] for step in range(small.steps)]) != 0
    assert found.activity[0].active == x[WARM:].sum() / STEPS
    assert found.activity[0].before == x[WARM - 1 : -1].sum() / STEPS
    assert found.activity[0].both == (x[WARM:] & x[WARM - 1 : -1]).sum() / STEPS
    assert found.activity[1].active == 17
    assert found.density == found.activity[0].active / 64


def test_a_ratio_is_to_the_floor(small: Lesson, counted: Counted) -> None:
    (row,) = bench_step(small, warm=WARM, only=("chosen",)).rows
    assert row.bounds is not None and row.ratio == counted.mean / row.bounds.floor
    assert row.bounds.vector < row.bounds.floor < counted.mean


@pytest.mark.parametrize(
    "given, sentence",
    [
        ({"target": "host"}, "'host' counts no instructions"),
        ({"unit": "/dev/ttyX"}, "'/dev/ttyX' counts no instructions"),
        ({"init": "w.npz"}, "starts from the seed's weights"),
        ({"epochs": 1}, "hil bench step counts steps"),
        ({"data": "digits", "network": "784-128-10"}, "takes 784 inputs"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    given: dict[str, str], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        lesson_for(Experiment().override(given))


def test_what_cannot_be_fused_is_counted_without() -> None:
    asked = Experiment(momentum=0.9, network=(64, 10), steps=1)
    assert list(candidates(lesson_for(asked, 1))) == [
        "chosen", "length-agnostic", "sequential", "scalar",
    ]  # fmt: skip


def test_an_unknown_variant_is_refused(small: Lesson) -> None:
    with pytest.raises(
        UsageError,
        match=r"unknown variant 'fast'.*chosen, length-agnostic, sequential, fused, scalar",
    ):
        bench_step(small, only=("fast",))


# -- modelled cycles ------------------------------------------------------


def instructions(*words: int) -> Iterator[Instruction]:
    return (decode.decode(word, 64) for word in words)


VSET_M1, VSET_M8 = 0x0D057057, 0x0D357057  # vsetvli zero, a0, e32, m1 or m8
LOAD_V8, FMA_V16 = 0x02056407, 0xB2855857
ADD = 0x00A50533  # add a0, a0, a0


def test_every_operation_that_is_decoded_has_a_row_in_every_table() -> None:
    tables = (decode._INTEGER, decode._MULTIPLY, decode._FLOAT)
    named = {name for table in tables for name in table.values()}
    named |= {"vlogic", "vfmove", "vfdiv", "vmvr", "vset", "load", "store", "alu", "mul",
              "div", "branch", "fadd", "fma", "fdiv", "fmove", "fmove_x"}  # fmt: skip
    named |= {f"v{way}{how}" for way in "ls" for how in "esxrm"}
    named |= {"vfdivf", "vmove_s", "vpop"}
    for core in cores().values():
        assert set(core.operations) == named, core.name


def test_a_dependent_instruction_waits_and_an_independent_one_does_not() -> None:
    core = cores()["spacemit-x60"]
    assert core.cycles(instructions(ADD, ADD, ADD)) == 3
    assert core.cycles(instructions(0x00A50533, 0x00B585B3)) == 1  # a0, and a1


def test_a_vector_instruction_takes_longer_at_a_larger_lmul() -> None:
    core = cores()["spacemit-x60"]
    pair = (LOAD_V8, FMA_V16)
    small = core.cycles(instructions(VSET_M1, *pair))
    large = core.cycles(instructions(VSET_M8, *pair))
    assert (small, large) == (1 + 3 + 5, 1 + 16 + 8)


def test_a_load_takes_as_long_as_its_own_data_are() -> None:
    core = cores()["spacemit-x60"]
    bytes_of_8 = core.cycles(instructions(VSET_M8, 0x02050407))  # vle8.v: LMUL 2
    one_register = core.cycles(instructions(VSET_M8, 0x02856407))  # vl1re32.v
    assert (bytes_of_8, one_register) == (1 + 4, 1 + 3)


JUDGED = [
    (core, keys)
    for core in cores().values()
    for keys in ({"network": "64-64-10"}, {"data": "dense", "network": "784-32-10"})
]
"""Steps with what takes long: lists, activations, a loss; rows without a zero."""


@pytest.fixture(scope="module", params=JUDGED, ids=lambda one: one[0].name)
def judged(request: pytest.FixtureRequest, qemu64: str) -> tuple[Core, Counted]:
    """A core, and a step at its VLEN."""
    core, keys = request.param
    lesson = lesson_for(Experiment(vlen=core.vlen, steps=1).override(keys), 1)
    plan = plan_for(lesson)
    compiler = toolchain.find(plan.target, vlen=plan.vlen)
    return core, counting.count(lesson, build(plan), compiler, 1)


def test_the_table_of_each_core_agrees_with_its_llvm_mca(
    judged: tuple[Core, Counted],
) -> None:
    core, counted = judged
    tools = cycles.analyser(core.name)
    if tools is None:
        pytest.skip(f"no llvm-mca of {cycles.OLDEST} or newer here")
    found = cycles.modelled(counted.typical, counted.image, [core.name])[core.name]
    assert found.model == f"{tools.version} {core.name}"
    table = core.cycles(one for _, one in counted.typical)
    assert table == pytest.approx(found.cycles, rel=0.05)


def test_a_long_step_is_modelled_in_parts_and_says_so(
    judged: tuple[Core, Counted], monkeypatch: pytest.MonkeyPatch
) -> None:
    core, counted = judged
    if cycles.analyser(core.name) is None:
        pytest.skip(f"no llvm-mca of {cycles.OLDEST} or newer here")
    monkeypatch.setattr(cycles, "PART", 1 + len(counted.typical) // 3)
    parts = cycles.modelled(counted.typical, counted.image, [core.name])[core.name]
    assert parts.model.endswith(f"{core.name} in 3 parts")
    monkeypatch.undo()
    whole = cycles.modelled(counted.typical, counted.image, [core.name])[core.name]
    assert 0 <= parts.cycles - whole.cycles < 200


def test_a_step_of_too_many_instructions_has_no_modelled_cycles(
    counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cycles, "MOST", len(counted.typical) - 1)
    assert cycles.modelled(counted.typical, counted.image, cores()) == {}


def test_a_step_behind_a_front_is_as_wide_as_its_features(hil_data: Path) -> None:
    """And its scalar variant would be traced for gigabytes."""
    model = hil_data / "tflite" / "small" / "ptq_mnist_lenet-300-100.tflite"
    data = (np.zeros((20, 784), np.uint8), np.arange(20) % 10)
    asked = Experiment(target="qemu-rv64gcv", data=data, front=str(model), rule="slda")  # type: ignore[arg-type]
    lesson = lesson_for(asked, 1)
    assert lesson.spec.network.layers == (100, 10)
    assert "scalar" not in candidates(lesson)


def test_a_core_is_judged_by_code_for_registers_as_long_as_its_own() -> None:
    vectors, scalar = load("qemu-rv64gcv"), load("qemu-rv64gc")
    assert cycles.judged(vectors, 256) == ("spacemit-x60",)
    assert cycles.judged(vectors, 512) == ("sifive-x280",)
    assert cycles.judged(vectors, 128) == ()
    assert cycles.judged(scalar, 0) == ("spacemit-x60", "sifive-x280")
    assert cycles.judged(load("mps2-an386"), 0) == ()


def test_without_a_new_llvm_mca_the_tables_give_every_core_a_figure(
    counted: Counted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old = "#!/bin/sh\necho LLVM version 19.1.7\n"
    for tool in ("llvm-mca", "llvm-objdump"):
        (tmp_path / tool).write_text(old)
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    cycles.analyser.cache_clear()
    found = cycles.modelled(counted.typical, counted.image, cores())
    cycles.analyser.cache_clear()
    assert {name: m.model for name, m in found.items()} == {
        name: f"table {name}" for name in cores()
    }


# -- plain C --------------------------------------------------------------


@pytest.mark.parametrize(
    "rule, activation, output, scaler",
    [
        ("bp", "tanh", "sigmoid", None),
        ("dfa", "relu", "softmax", "standard"),
        ("dfa", "sigmoid", "identity", None),
        ("bp", "identity", "identity", None),
    ],
)
def test_plain_c_learns_the_same_step(
    qemu64: str,
    monkeypatch: pytest.MonkeyPatch,
    rule: str,
    activation: str,
    output: str,
    scaler: str | None,
) -> None:
    monkeypatch.setattr(plain, "settings", lambda *machine: SETTINGS[3:4])
    keys = {"rule": rule, "activation": activation, "output": output, "scaler": scaler}
    lesson = lesson_for(SMALL.override(keys), WARM)
    made = plan_for(lesson)
    compiler = toolchain.find(lesson.target)
    found = plain.opponents(lesson, made, compiler, WARM, twin(lesson, WARM))
    assert [(one.form, one.figure) for one in found] == [
        (form, figure)
        for form in ("dense", "listed")
        for figure in ("instructions", "spacemit-x60")
    ]
    assert all(one.counted.whole.vector > 0 for one in found)


def test_plain_c_that_learns_something_else_is_noticed(
    qemu64: str, small: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "settings", lambda *machine: SETTINGS[3:4])
    other = twin(lesson_for(SMALL.override({"lr": 0.2}), WARM), WARM)
    compiler = toolchain.find(small.target)
    with pytest.raises(Divergence, match="away from the reference in counted step 0"):
        plain.opponents(small, plan_for(small), compiler, WARM, other)


def test_plain_c_is_compiled_for_the_figure_that_is_compared(
    qemu64: str, monkeypatch: pytest.MonkeyPatch, small: Lesson
) -> None:
    both = SETTINGS[4], SETTINGS[-1]  # LMUL 8 has fewer instructions, 4 fewer cycles
    monkeypatch.setattr(plain, "settings", lambda *machine: both)
    monkeypatch.setattr(plain, "FORMS", {"dense": False})
    reference, compiler = twin(small, WARM), toolchain.find(small.target)
    found = plain.opponents(small, plan_for(small), compiler, WARM, reference)
    fewest, fastest = found
    assert (fewest.setting, fastest.setting) == both
    assert fewest.counted.mean < fastest.counted.mean
    core = fastest.figure
    assert fastest.modelled[core].cycles < fewest.modelled[core].cycles
    for one in found:
        assert one.tried[str(one.setting)] == min(one.tried.values())
