"""Learning in integers, every step equal: formats, rules and all that may happen, in
pairs, on every machine.

`make test` takes a set of lessons in which every pair of choices meets once, and each
machine meets both formats; `make test-all` takes the full product with the machines.
"""

from __future__ import annotations

import itertools
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pytest
from allpairspy import AllPairs

import targets
from codegen import in_integers, rules
from codegen.errors import SpecError
from codegen.numbers import NUMBERS, Numbers
from codegen.planning.plan import plan
from codegen.rendering.render import render
from codegen.spec import Inputs, Network, RuleChoice, Spec
from codegen.window import Window
from hil import Experiment, run
from hil.cli import main
from hil.records.verdict import verdict
from tests.regression import machines
from tests.regression.machines import samples

STEPS = 24
MACHINES = (*machines.WITHOUT_FLOATS, *machines.MACHINES)
TARGETS = {name: targets.load(name) for name, _ in MACHINES}
FORMATS = [name for name, n in NUMBERS.items() if n.integer and not n.own]
WIDE = "7-64-128-10"
TOO_LARGE = {
    "stm32vldiscovery": (WIDE, "64-10"), "microbit": (WIDE,), "sifive-e": (WIDE,),
}  # fmt: skip
"""Networks that a target has no RAM for, in each format and beside the longest samples."""
CIRCUMSTANCES: dict[str, dict[str, Any]] = {
    "faults": {"faults": "drop=0.03,flip=0.001,reorder=0.03,duplicate=0.03,seed=5"},
    "power cuts": {"commit": 8, "faults": "cut=0.05,seed=3"},
    "second compiler": {"toolchain": "clang"},
    "any VLEN": {"agnostic": True},
    "checked": {"debug": True, "clip_weights": 0.5},
    "gate": {"error_gate": 0.3},
    "frozen": {"freeze": 10, "schedule": "sequential"},
}

PARAMETERS = {rule: {"parameters": {"k": 2}} for rule in ("fg-activity", "fg-local")}
"""Of rules that average, more than one."""


class Lesson(NamedTuple):
    """What a machine is taught, and under which of the circumstances."""

    rule: str
    activation: str
    network: str
    inputs: str
    circumstance: str


CHOICES = (
    [
        name
        for name in rules.taught(NUMBERS["i16"])
        if "tanh" in rules.declaration(name).activations
    ],
    in_integers.ACTIVATIONS,
    ("64-10", "17-33-7", "33-1-65-3", "1-17-1", WIDE),
    ("u8", "i16"),
    CIRCUMSTANCES,
)
"""Of each field of a lesson."""
Machine: TypeAlias = tuple[str, "int | None"]
Case: TypeAlias = tuple[Machine, str, Lesson]
"""A machine, a format, and what it is taught."""


def possible(case: Sequence[str]) -> bool:
    """Whether a lesson, or what there is of it yet, can be."""
    if len(case) < len(Lesson._fields):
        return True
    lesson = Lesson(*case)
    gates = rules.declaration(lesson.rule).gates
    return lesson.circumstance != "gate" or "error" in gates


def can(machine: Machine, lesson: Lesson) -> bool:
    """Whether a machine has what a lesson needs."""
    name, vlen = machine
    target = TARGETS[name]
    return {
        "power cuts": target.flash is not None,
        "second compiler": target.machine != "user",
        "any VLEN": vlen is not None,
    }.get(lesson.circumstance, True) and lesson.network not in TOO_LARGE.get(name, ())


def on_machines(lessons: Iterable[Sequence[str]]) -> Iterator[Case]:
    """Each on the machine that has had the fewest of those that can have it, in the
    format that this machine, and then what is taught, has met less."""
    met: Counter[tuple[object, str]] = Counter()
    for lesson in itertools.starmap(Lesson, lessons):
        able = [machine for machine in MACHINES if can(machine, lesson)]
        machine = min(able, key=lambda m: sum(met[m, f] for f in FORMATS))
        chosen = min(
            FORMATS, key=lambda f: (met[machine, f], sum(met[one, f] for one in lesson))
        )
        met.update((one, chosen) for one in (machine, *lesson))
        yield machine, chosen, lesson


SHARED = {"fg-activity": "fg-local"}
"""Half of a rule's lessons are of another, which is made of the same parts."""


HALF = 3


def paired() -> Iterator[tuple[str, ...]]:
    """Lessons in which every pair of choices meets once."""
    rules_apart = [rule for rule in CHOICES[0] if rule not in SHARED.values()]
    choices = [rules_apart, *map(list, CHOICES[1:])]
    met: Counter[str] = Counter()
    for rule, *others in AllPairs(choices, filter_func=possible):
        met[rule] += 1
        yield (SHARED.get(rule, rule) if met[rule] > HALF else rule, *others)


LESSONS = list(paired())
AGAIN = 2
"""Of so many there is one more, so that each machine has a lesson in either format."""
PAIRS = list(on_machines([*LESSONS, *LESSONS[:AGAIN]]))


def full() -> Iterator[Case]:
    """All cases beyond those."""
    chosen = set(PAIRS)
    lessons = map(Lesson._make, itertools.product(*CHOICES))
    for case in itertools.product(MACHINES, FORMATS, filter(possible, lessons)):
        machine, _, lesson = case
        if can(machine, lesson) and case not in chosen:
            yield case


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The cases of `make test`, and of `make test-all` where somebody asks for them."""
    if "lesson" not in metafunc.fixturenames:
        return
    cases = [pytest.param(*case, id=named(*case)) for case in PAIRS]
    if "not full" not in metafunc.config.option.markexpr:
        cases += [
            pytest.param(*case, id=named(*case), marks=pytest.mark.full)
            for case in full()
        ]
    metafunc.parametrize("machine, number_format, lesson", cases)


def named(machine: Machine, number_format: str, lesson: Lesson) -> str:
    """A case, for people."""
    target, vlen = machine
    return "-".join([target + (f"-vlen{vlen}" if vlen else ""), number_format, *lesson])


def test_every_step_in_integers_is_equal(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, qemu_user: str,
    second_compiler: None, machine: Machine, number_format: str, lesson: Lesson,
) -> None:  # fmt: skip
    target, vlen = machine
    keys = CIRCUMSTANCES[lesson.circumstance] | PARAMETERS.get(lesson.rule, {})
    if "toolchain" in keys and target == "host":
        keys["toolchain"] = "gcc"
    record = run(
        Experiment(
            target=target, vlen=vlen, format=number_format, rule=lesson.rule,
            activation=lesson.activation, network=lesson.network,
            data=samples(tmp_path, lesson.network, lesson.inputs),
            lr=0.1, steps=STEPS, test=8, **keys,
        ),
        out=tmp_path / "run",
    )  # fmt: skip
    assert (record.result, record.compared) == ("pass", STEPS)
    assert record.format == number_format
    assert f" in {number_format} on " in verdict(record)


@pytest.mark.parametrize(
    "target, number_format",
    [
        ("microbit", "i16"),
        ("microbit", "i8"),
        ("mps2-an385", "i16"),
        pytest.param("mps2-an386", "i16", marks=pytest.mark.full),
        pytest.param("mps2-an386", "i8", marks=pytest.mark.full),
    ],
)
def test_weights_at_their_limits_stay_within_them(
    tmp_path: Path, qemu_arm: str, target: str, number_format: str
) -> None:
    """By the largest learning rate, from either limit, and from both sides of half of what
    16 bits hold: in assembly, in two weights of a word, and where columns are left over.
    Most weights are positive, so that nearly all outputs are wrong, and nearly all columns
    move."""
    most = 2 ** (NUMBERS[number_format].weight.bits - 1) - 1
    ends = np.array([0, 1, most // 2, most // 2 + 1, most])
    drawn = np.random.default_rng(1).choice([*ends, *ends, *ends, *-ends], (64, 10))
    weights = drawn.astype(NUMBERS[number_format].weight.dtype)
    np.savez(tmp_path / "ends.npz", W1=weights, b1=weights[0])
    record = run(
        Experiment(
            target=target, format=number_format, rule="readout", network="64-10", lr=1.0,
            steps=STEPS, test=0, init=str(tmp_path / "ends.npz"),
        ),
        out=tmp_path / "run",
    )  # fmt: skip
    assert (record.result, record.compared) == ("pass", STEPS)


def test_every_machine_and_every_choice_meets_both_formats() -> None:
    met = {
        (one, number_format)
        for machine, number_format, lesson in PAIRS
        for one in (machine, *lesson)
    }
    choices = set(itertools.chain(MACHINES, *CHOICES))
    assert met == set(itertools.product(choices, FORMATS))


def test_checkpoints_and_weights_of_integers_come_back(
    tmp_path: Path, qemu64: str
) -> None:
    saved = tmp_path / "w.npz"
    asked = Experiment(
        target="qemu-rv64gc", network="64-19-10", format="i8", steps=40, test=0,
        commit=10, faults="cut=0.05,seed=3", save=str(saved),
    )  # fmt: skip
    record = run(asked, out=tmp_path / "run")
    assert record.result == "pass"
    again = Experiment(
        target="host", network="64-19-10", format="i8", steps=5, test=0, init=str(saved)
    )
    assert run(again, out=tmp_path / "again").result == "pass"


def test_a_board_without_float32_takes_i16_by_itself_and_says_so(
    tmp_path: Path, qemu_arm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = "run --target microbit --network 64-24-10 --steps 20 --test 5 --out"
    assert main([*given.split(), str(tmp_path / "run")]) == 0
    said = capsys.readouterr().out
    assert "in i16 (target microbit computes no float32), " in said
    assert "tanh/sigmoid in i16 on digits" in said
    assert "% of weights changed in a step, " in said


@pytest.mark.parametrize("number_format", FORMATS)
def test_the_certificate_says_whether_a_sum_can_leave_32_bits(
    number_format: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    given = ["certify", "--format", number_format, "--rule", "bp"]
    assert main(given) == 0
    assert "no overflow, no sum leaves 32 bits, no fault" in capsys.readouterr().out
    monkeypatch.setattr(Numbers, "most", lambda *_: 1 << 25)
    assert main(given) == 1
    said = capsys.readouterr().out
    assert "a sum of 64 products" in said
    assert "and 32 bits hold 2,146,435,072" in said


def test_derivatives_that_could_leave_32_bits_are_refused() -> None:
    wide = Network((4, 3, 2080))
    rule = RuleChoice("fg-activity", {"k": 64})
    with pytest.raises(SpecError, match="over 2080 outputs and all directions could"):
        plan(Spec(wide, rule, format="i16"), targets.load("host"))


PROGRAM = """
#include "net.h"
static net_t net;

/* Weights at their limits: all above, all below, or of signs as they come. */
static void at_limits(void *tensor, size_t bits, size_t count, int most, int how)
{
    static uint32_t word = 7;
    for (size_t k = 0; k < count; k++) {
        word = word * 1664525u + 1013904223u;
        const int w = how == 0 || (how == 2 && word >> 31) ? most : -most;
        if (bits == 8) {
            ((int8_t *)tensor)[k] = (int8_t)w;
        } else {
            ((int16_t *)tensor)[k] = (int16_t)w;
        }
    }
}

int main(void)
{
    static const float rates[] = {0.0f, 1.0f, 0.03f, 1e30f, -1.0f, 1e-30f};
    net_sample_t sample[NET_INPUTS];
    float loss;
    uint32_t word = 1;
    net_init(&net, 1);
    for (int step = 0; step < STEPS; step++) {
        const int how = step / 50 % 4;
        if (step % 50 < 5 && how < 3) {
            AT_LIMITS
        }
        for (int i = 0; i < NET_INPUTS; i++) {
            const uint32_t ends[] = {0x7fffu, 0x8000u, word >> 13};
            word = word * 1664525u + 1013904223u;
            sample[i] = (net_sample_t)ends[step % 4 < 3 ? step % 4 : (int)(word >> 31)];
        }
        if (net_step(&net, sample, word % NET_OUTPUTS, rates[step % 6], &loss) != NET_OK) {
            return 2;
        }
    }
    return net_digest(&net) == 0;
}
"""


DIVIDED = Inputs("i16", 1000.0)
WINDOWS = Inputs(
    "i16", 1.0, Window(512, 2, (2.0**20, 0.0, -(2.0**20)) * 2, (2.0**20, 9.0, 2.0**-20) * 2)
)  # fmt: skip
ATTACKED = [
    *(
        pytest.param(
            r, f, (33, 21, 17, 5), marks=pytest.mark.full if (i + j) % 2 else ()
        )
        for i, r in enumerate(("dfa", "bp", "local", "drtp"))
        for j, f in enumerate(FORMATS)
    ),
    *(("local", f, (900, 40, 10)) for f in FORMATS),
    *(("bp", f, (8, 12, 900)) for f in FORMATS),
    ("dfa", "i16", (1500, 9, 700)),
    ("bp", "i8", (6, 5, 3)),
    ("fg-activity", "i16", (33, 21, 17, 5)),
]
"""Each rule in one format or both, and each format with several rules; the others in
`make test-all`. In i16 the sums of the wide ones leave weights less than their type
holds: the largest are all but 2^31. Inputs of 6 are features of the largest windows."""


@pytest.mark.parametrize("rule, number_format, layers", ATTACKED)
def test_nothing_is_undefined_whatever_state_sample_and_rate_are(
    tmp_path: Path, host_cc: str, rule: str, number_format: str, layers: tuple[int, ...]
) -> None:
    inputs = WINDOWS if layers[0] == WINDOWS.window.features else DIVIDED
    spec = Spec(Network(layers), RuleChoice(rule), inputs, format=number_format)
    planned = plan(spec, targets.load("host"))
    for name, text in render(planned).files.items():
        if name.startswith("generated/"):
            (tmp_path / Path(name).name).write_text(text)
    limits = [
        f"at_limits(&net.state.{t.name.lower()}, {t.format.bits}, {t.size}, {t.limits[1]}, how);"
        for t in planned.state
        if t.limits is not None
    ]
    assert len(limits) == len(planned.state)
    steps = 3000 if max(layers) < 100 else 160
    program = PROGRAM.replace("AT_LIMITS", "\n".join(limits))
    (tmp_path / "main.c").write_text(program.replace("STEPS", str(steps)))
    sources = [tmp_path / "main.c", *tmp_path.glob("net*.c")]
    made = tmp_path / "program"
    checked = "-fsanitize=address,undefined -fno-sanitize-recover=all -DHIL_DEBUG"
    subprocess.run(
        [host_cc, "-std=c11", "-O1", "-ffp-contract=off", "-fno-strict-aliasing",
         *checked.split(), f"-I{tmp_path}", *map(str, sources), "-o", str(made), "-lm"],
        check=True, timeout=120,
    )  # fmt: skip
    subprocess.run([str(made)], check=True, timeout=60)
