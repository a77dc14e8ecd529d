"""Whatever the line does, and whenever the power goes, every step is learned once:
the final digest is that of a clean run, which the reference has confirmed.

The tables of docs/reliability.md come from the same trials (`hil bench faults`).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hil import Experiment, run
from hil.measuring.reliability import (
    EMULATED,
    EMULATED_CUT,
    LESSON,
    MODELS,
    MORE,
    RATES,
    Ground,
    combinations,
    in_parts,
    under_cuts,
    under_faults,
    under_kills,
)

SEEDS = range(1, 21)
"""As in `hil bench faults`, and in docs/reliability.md."""
FEW_SEEDS = range(1, 9)
"""For each of the combinations: every kind is in sixteen of them."""
MANY_SEEDS = range(1, 1001)
KILLS = 50
"""In QEMU, at least: a run has as many as the frames that it happens to send, and
most often enough."""


@pytest.fixture(scope="module")
def ground(host_cc: str) -> Ground:
    return Ground(LESSON)


@pytest.mark.parametrize("kinds", combinations(), ids="-".join)
def test_learning_is_exactly_once_whatever_the_line_does(
    ground: Ground, kinds: tuple[str, ...]
) -> None:
    found = under_faults(ground, kinds, FEW_SEEDS)
    assert (found.runs, found.equal) == (len(FEW_SEEDS), len(FEW_SEEDS))
    assert found.injected > 0


@pytest.mark.parametrize("kind", MORE)
def test_the_other_kinds_of_faults_do_no_harm_either(ground: Ground, kind: str) -> None:
    found = under_faults(ground, [kind], SEEDS)
    assert found.equal == len(SEEDS) and found.injected > 0


def test_all_kinds_together_do_no_harm(ground: Ground) -> None:
    found = under_faults(ground, [*RATES, *MORE], SEEDS)
    assert found.equal == len(SEEDS) and found.recovered > 0


def test_no_fault_and_no_power_cut_does_integers_harm(host_cc: str) -> None:
    """What a weight is packed into is what a checkpoint and a frame carry."""
    packed = Ground(LESSON.override({"format": "i8"}))
    found = under_faults(packed, [*RATES, *MORE], range(1, 4))
    assert found.equal == 3 and found.recovered > 0
    cuts = range(1, packed.operations() + 1, 3)
    found = under_cuts(packed, "half", cuts)
    assert len(cuts) > 5 and found.equal == found.recovered == len(cuts)


@pytest.mark.parametrize(
    "kinds, seeds",
    [((*RATES,), range(1, 2)),
     pytest.param((*RATES, *MORE), SEEDS, marks=pytest.mark.full)],
    ids=("five kinds", "all"),
)  # fmt: skip
def test_no_fault_does_samples_in_parts_harm(
    host_cc: str, kinds: tuple[str, ...], seeds: range
) -> None:
    """A step has several frames then, and each may be lost with what came before it."""
    found = under_faults(Ground(in_parts(32)), kinds, seeds)
    assert found.equal == len(seeds) and found.recovered > 0


@pytest.mark.full
def test_a_power_cut_at_any_flash_operation_does_samples_in_parts_no_harm(
    host_cc: str,
) -> None:
    ground = Ground(in_parts(32))
    operations = ground.operations()
    found = under_cuts(ground, "half", range(1, operations + 1))
    assert operations > 30 and found.equal == found.recovered == operations


@pytest.mark.full
@pytest.mark.parametrize("kinds", [(*RATES,), (*RATES, *MORE)], ids="-".join)
def test_a_thousand_seeds_do_no_harm(ground: Ground, kinds: tuple[str, ...]) -> None:
    found = under_faults(ground, kinds, MANY_SEEDS)
    assert found.equal == len(MANY_SEEDS)


@pytest.mark.parametrize("model", MODELS)
def test_a_power_cut_at_any_flash_operation_does_no_harm(
    ground: Ground, model: str, capsys: pytest.CaptureFixture[str]
) -> None:
    operations = ground.operations()
    found = under_cuts(ground, model, range(1, operations + 1))
    with capsys.disabled():
        print(f"\nK = {operations} operations, {found.recovered} cuts, model {model}")
    assert operations > 30 and found.equal == found.recovered == operations


@pytest.mark.parametrize("target", ["qemu-rv64gcv", "qemu-rv32imafc-zve32f"])
def test_a_full_window_never_overruns_the_receive_ring(
    target: str, qemu64: str, qemu32: str, tmp_path: Path
) -> None:
    asked = Experiment(target=target, network="64-64-10", steps=800, test=0, window=16)
    record = run(asked, out=tmp_path)
    assert record.result == "pass"
    # a frame that is sent again because this computer was slow was lost by nobody
    lost = record.device["overruns"], record.device["damaged"], record.link["damaged"]
    assert lost == (0, 0, 0)


def test_a_machine_killed_at_any_moment_does_no_harm(
    qemu64: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By QMP, its flash kept; also in the middle of an erase, which takes longest."""
    kills = equal = runs = 0
    for found in under_kills(Ground(EMULATED), range(1, 4), EMULATED_CUT):
        kills += found.recovered
        equal, runs = equal + found.equal, runs + found.runs
        if kills >= KILLS:
            break
    with capsys.disabled():
        print(f"\n{kills} kills in QEMU")
    assert kills >= KILLS and equal == runs
