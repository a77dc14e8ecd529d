"""The claim itself: device and numpy agree bit for bit after every step.

`make test` takes a set of cases in which every pair of choices meets once, but that a rule
meets every second VLEN. Machines that have the same generated C count as one choice, and
take turns. `make test-all` takes the full product.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from allpairspy import AllPairs

from codegen import rules
from codegen.spec import ACTIVATIONS, OUTPUTS
from hil import Experiment, run
from tests.kinds import OF_LAYERS, WITHOUT_RANK_ONE, small_rate
from tests.regression.machines import KINDS, MACHINES, Machine, kind, samples

STEPS = 24
NETWORKS = ("64-10", "17-33-7", "33-1-65-3", "1-17-1", "7-64-128-10")
INPUTS = ("u8", "i16", "f32")
CODE = ("auto", "sequential", "fused", "agnostic")
"""The schedule of updates; "agnostic" is auto for any VLEN."""
DIGEST_EVERY = 8
"""Steps between digests: each flushes what a fused step has left pending."""


def possible(case: Sequence[object]) -> bool:
    """Whether a case, or what there is of it yet, can be: a rule teaches the networks
    that it declares, and one without rank-1 updates has nothing to fuse."""
    declared = rules.declaration(str(case[1])) if len(case) > 1 else None
    if declared is None:
        return True
    if len(case) > 2 and case[2] not in declared.activations:
        return False
    if len(case) > 3 and case[3] not in declared.outputs:
        return False
    if len(case) > 4 and declared.most and str(case[4]).count("-") > declared.most:
        return False
    if len(case) < 7 or case[6] != "fused":
        return True
    return case[1] not in WITHOUT_RANK_ONE and (case[1], case[4]) != ("eqprop", "64-10")


CHOICES = (MACHINES, OF_LAYERS, ACTIVATIONS, OUTPUTS, NETWORKS, INPUTS, CODE)
NAMES = "machine, rule, activation, output, network, inputs, code"


def in_turns(cases: Iterable[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """Cases of a kind of machine, each on the next of this kind."""
    turns = {one: itertools.cycle(machines) for one, machines in KINDS.items()}
    return [(next(turns[one]), *case) for one, *case in cases]


PAIRS = in_turns(AllPairs([[*KINDS], *map(list, CHOICES[1:])], filter_func=possible))


LONG_VECTORS = ("qemu-rv64gcv", "linux-riscv64-rvv")
VLENS = (128, 256, 512, 1024)


def pairs_of(case: Sequence[Any]) -> set[object]:
    """Each two of its choices, with their places; of the machine its kind."""
    parts = enumerate([kind(case[0]), *case[1:]])
    return set(itertools.combinations(parts, 2))


def left_out() -> set[tuple[Any, ...]]:
    """Of a rule with each second VLEN the case, where no other pair is in it alone: every
    kernel runs at every VLEN in tests/kernels/test_vector_kernels.py, and a rule is no
    more than kernels."""
    found = set[tuple[Any, ...]]()
    times = Counter(pair for case in PAIRS for pair in pairs_of(case))
    for case in PAIRS:
        (target, vlen), rule = case[0], case[1]
        if (
            target not in LONG_VECTORS
            or (VLENS.index(vlen) + OF_LAYERS.index(rule)) % 2
        ):
            continue
        others = pairs_of(case) - {((0, kind(case[0])), (1, rule))}
        if all(times[pair] > 1 for pair in others):
            times.subtract(pairs_of(case))
            found.add(case)
    return found


LEFT_OUT = left_out()


def cases(everything: bool) -> list[object]:
    """Every case once, those beyond the pairwise set marked `full`; these alone take
    ten seconds to collect, and are left out where nobody asks for them."""
    chosen = set(PAIRS) - LEFT_OUT
    full = itertools.product(*CHOICES) if everything else PAIRS
    return [
        pytest.param(
            *case,
            id="-".join(
                [case[0][0] + (f"-vlen{v}" if (v := case[0][1]) else ""), *case[1:]]
            ),
            marks=() if case in chosen else pytest.mark.full,
        )
        for case in full
        if possible(case)
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "code" in metafunc.fixturenames:
        everything = "not full" not in metafunc.config.option.markexpr
        metafunc.parametrize(NAMES, cases(everything))


def test_every_machine_meets_every_rule_in_turns() -> None:
    met = {(kind(machine), rule) for machine, rule, *_ in PAIRS}
    assert met == set(itertools.product(KINDS, OF_LAYERS))
    taken = set(PAIRS) - LEFT_OUT
    assert {machine for machine, *_ in taken} == set(MACHINES)
    lost = set().union(*map(pairs_of, PAIRS)) - set().union(*map(pairs_of, taken))
    assert lost == {((0, kind(machine)), (1, rule)) for machine, rule, *_ in LEFT_OUT}
    for rule in OF_LAYERS:
        vlens = {vlen for (_, vlen), name, *_ in taken if name == rule}
        assert vlens & {128, 256} and vlens & {512, 1024}, rule


def test_every_step_is_equal(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    qemu_user: str,
    machine: Machine,
    rule: str,
    activation: str,
    output: str,
    network: str,
    inputs: str,
    code: str,
) -> None:
    target, vlen = machine
    record = run(
        Experiment(
            target=target,
            vlen=vlen,
            rule=rule,
            network=network,
            activation=activation,
            output=output,
            data=samples(tmp_path, network, inputs),
            lr=small_rate(rule),
            steps=STEPS,
            test=20,
            schedule="auto" if code == "agnostic" else code,
            agnostic=code == "agnostic",
            compare=DIGEST_EVERY if code == "fused" else "every",
        ),
        out=tmp_path,
    )
    assert record.error is None
    assert record.divergence is None
    assert (record.result, record.compared) == ("pass", STEPS)


WAITING = [name for name in OF_LAYERS if name not in WITHOUT_RANK_ONE]
"""The rules with an update that a fused schedule leaves pending."""


def meetings(
    machines: Sequence[object], names: Sequence[str], times: int
) -> list[object]:
    """Every machine with every rule; every fourth machine meets `times` of the rules in
    `make test`, and all meet all in `make test-all`. What a machine makes of a rule,
    `test_every_step_is_equal` asks of every pair already."""
    return [
        pytest.param(
            machine,
            rule,
            marks=()
            if place % 4 == 0 and (place - n) % len(names) < times
            else pytest.mark.full,
        )
        for place, machine in enumerate(machines)
        for n, rule in enumerate(names)
    ]


@pytest.mark.parametrize("machine, rule", meetings(MACHINES, WAITING, 1))
def test_fused_and_sequential_schedules_give_one_digest(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    qemu_user: str,
    machine: Machine,
    rule: str,
) -> None:
    target, vlen = machine
    steps = 48
    records = [
        run(
            Experiment(
                target=target, vlen=vlen, rule=rule, schedule=schedule, steps=steps,
                compare=16, test=10,
            ),
            out=tmp_path,
        )
        for schedule in ("sequential", "fused")
    ]  # fmt: skip
    assert [record.result for record in records] == ["pass", "pass"]
    assert records[0].digest == records[1].digest


def test_an_update_that_waits_is_counted_whenever_it_is_applied(
    tmp_path: Path, qemu64: str
) -> None:
    """A digest flushes, and then the two passes are not one: that costs more,
    and must not seem to cost less."""
    asked = Experiment(schedule="fused", icount=True, steps=32, test=0)
    each, seldom = (
        run(asked.override({"compare": compare}), out=tmp_path)
        for compare in ("every", 16)
    )
    assert each.instructions_per_step and seldom.instructions_per_step
    assert each.instructions_per_step > seldom.instructions_per_step


@pytest.fixture(scope="module")
def digests_of_the_host(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str], str | None]:
    """The final digest of a rule in a process, found once."""

    @functools.cache
    def found(rule: str) -> str | None:
        return _final_digest("host", None, rule, tmp_path_factory.mktemp("host"))

    return found


def _final_digest(target: str, vlen: int | None, rule: str, out: Path) -> str | None:
    return run(
        Experiment(target=target, vlen=vlen, rule=rule, steps=60, test=10), out=out
    ).digest


@pytest.mark.parametrize("machine, rule", meetings(MACHINES[1:], OF_LAYERS, 1))
def test_all_targets_and_vector_lengths_end_in_the_same_digest(
    tmp_path: Path,
    qemu64: str,
    qemu32: str,
    qemu_user: str,
    digests_of_the_host: Callable[[str], str | None],
    machine: Machine,
    rule: str,
) -> None:
    found = _final_digest(*machine, rule, tmp_path)
    assert found is not None and found == digests_of_the_host(rule)


@pytest.mark.parametrize("toolchain", ["clang", "gcc"])
def test_a_second_compiler_gives_the_same_digest(
    tmp_path: Path, qemu64: str, second_compiler: None, toolchain: str
) -> None:
    target = "qemu-rv64gcv" if toolchain == "clang" else "host"
    digests = {
        run(
            Experiment(target=target, toolchain=name, steps=60, test=10), out=tmp_path
        ).digest
        for name in (toolchain, None)
    }
    assert len(digests) == 1


def test_mnist_gives_one_digest_at_both_ends_of_vlen_and_without_vectors(
    tmp_path: Path, qemu64: str, hil_data: Path
) -> None:
    digests = {
        (target, vlen): run(
            Experiment(
                target=target, vlen=vlen, data="mnist", network="784-128-10",
                steps=100, test=10,
            ),
            out=tmp_path,
        ).digest
        for target, vlen in [
            ("qemu-rv64gcv", 128), ("qemu-rv64gcv", 1024), ("qemu-rv64gc", None),
        ]
    }  # fmt: skip
    assert len(set(digests.values())) == 1, digests
