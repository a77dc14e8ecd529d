"""The planted defects of tests/mutants still fit the tree: a mutant whose place was
rewritten is given its new place, or another of its kind."""

from __future__ import annotations

from tests.mutants.catalogue import ROOT, Mutant, Stale, load


def stale(mutant: Mutant) -> str | None:
    """Why a mutant does not fit the tree any more."""
    try:
        mutant.require(ROOT)
    except Stale as error:
        return f"{error}: see tests/mutants/defects"
    return None


def test_every_mutant_has_its_place_and_its_tests() -> None:
    assert not [why for why in map(stale, load()) if why]
