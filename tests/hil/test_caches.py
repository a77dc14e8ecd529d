"""Where weights come from, modelled: by the sizes of a core's levels of memory."""

from __future__ import annotations

import pytest

import targets
from codegen.planning.bounds import Activity, Walk, bounds, walks
from codegen.planning.plan import plan
from codegen.spec import Network, RuleChoice, Spec
from hil.measuring.steps import caches
from hil.measuring.steps.caches import Level, by_level
from hil.measuring.steps.scoreboard import cores

LEVELS = (Level("L1", 1000, 8.0), Level("L2", 10_000), Level("RAM", None, 2.0))
X60 = "spacemit-x60"


def moved(everything: float, *walked: Walk, scratch: float = 0) -> dict[str, float]:
    """Bytes by level."""
    found = by_level(LEVELS, walked, everything, scratch)
    return {each.level.name: each.bytes for each in found}


FORWARD, UPDATE = Walk(1, 600, False), Walk(1, 600, True)


def test_what_fits_the_first_level_comes_from_there() -> None:
    assert moved(1000, FORWARD, UPDATE) == {"L1": 1800, "L2": 0, "RAM": 0}


def test_a_second_walk_finds_what_the_first_has_brought() -> None:
    """And what it stores is written back to where the rows came from."""
    assert moved(1001, FORWARD, UPDATE) == {"L1": 600, "L2": 1200, "RAM": 0}
    assert moved(10_001, FORWARD, UPDATE) == {"L1": 600, "L2": 0, "RAM": 1200}


def test_a_step_that_overruns_a_level_fetches_its_rows_twice() -> None:
    other = Walk(2, 500, False)
    assert moved(5000, FORWARD, other, UPDATE) == {"L1": 0, "L2": 2300, "RAM": 0}
    assert moved(5000, FORWARD, UPDATE, scratch=401)["L1"] == 0


def test_cycles_are_told_where_a_bandwidth_is_published() -> None:
    found = by_level(LEVELS, (FORWARD,), 20_000, 0)
    assert [each.cycles for each in found] == [0, None, 300]
    assert str(found[2]) == "600 bytes from RAM, 300 cycles at least"
    assert str(found[1]) == "0 bytes from L2"


@pytest.mark.parametrize(
    ("layers", "level"),
    [((64, 64, 10), "L1"), ((784, 128, 10), "L2"), ((64, *(256,) * 8, 10), "RAM")],
)
def test_networks_lie_where_they_fit(layers: tuple[int, ...], level: str) -> None:
    spec = Spec(Network(layers), RuleChoice("dfa"))
    made = plan(spec, targets.load("qemu-rv64gcv"), vlen=256)
    seen = [Activity(float(n), float(n), float(n)) for n in layers[:-1]]
    found = {each.level.name: each.bytes for each in caches.moved(made, seen, X60)}
    assert found[level] == sum(found.values()) == bounds(made, 256, seen).traffic
    assert {walk.layer for walk in walks(made, seen)} == set(range(1, len(layers)))


def test_every_core_has_levels_the_last_of_them_without_an_end() -> None:
    assert caches.levels().keys() == cores().keys()
    for there in caches.levels().values():
        sizes = [level.bytes for level in there]
        assert sizes[-1] is None
        assert sorted(sizes[:-1]) == sizes[:-1]
