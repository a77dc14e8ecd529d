"""The bounds, against sums done by hand."""

from __future__ import annotations

import pytest

import targets
from codegen.planning.bounds import Activity, bounds, lanes
from codegen.planning.plan import plan
from codegen.spec import Network, RuleChoice, Spec


def all_active(*widths: int) -> list[Activity]:
    return [Activity(float(n), float(n), float(n)) for n in widths]


def bound(  # type: ignore[no-untyped-def]
    rule: str,
    layers: tuple[int, ...],
    vlen: int,
    *active: int,
    schedule: str = "sequential",
):
    spec, target = Spec(Network(layers), RuleChoice(rule)), targets.load("qemu-rv64gcv")
    made = plan(spec, target, vlen=vlen, schedule=schedule)
    return bounds(made, vlen, all_active(*active))


def test_a_group_is_a_register_group_at_lmul_8() -> None:
    assert [lanes(vlen) for vlen in (128, 256, 512, 0)] == [32, 64, 128, 0]


def test_one_group_a_row_costs_five_vector_and_nine_instructions() -> None:
    found = bound("dfa", (64, 64), 256, 64)
    assert (found.vector, found.floor) == (64 * (2 + 3), 64 * (4 + 5))
    assert found.traffic == 64 * 64 * 4 * (1 + 2)


def test_a_fused_group_costs_four_vector_and_seven_instructions() -> None:
    found = bound("dfa", (64, 64), 256, 64, schedule="fused")
    assert (found.vector, found.floor) == (64 * 4, 64 * 7)
    assert found.traffic == 64 * 64 * 4 * 2


def test_inactive_rows_cost_nothing() -> None:
    assert bound("dfa", (64, 64), 256, 16).floor == 16 * 9


def test_a_narrow_row_is_a_group_forward_and_a_share_of_one_in_the_update() -> None:
    found = bound("dfa", (64, 10), 256, 64)
    assert found.vector == pytest.approx(64 * 2 + 640 / 64 * 3)
    assert found.floor == pytest.approx(64 * 4 + 640 / 64 * 5)


def test_bp_reads_the_weights_of_upper_layers_once_more() -> None:
    dfa = bound("dfa", (64, 64, 10), 128, 64, 64)
    bp = bound("bp", (64, 64, 10), 128, 64, 64)
    assert bp.vector - dfa.vector == 64 * 2
    assert bp.floor - dfa.floor == 64 * 4
    assert bp.traffic - dfa.traffic == 640 * 4
