"""The planted defects of tests/mutants still fit the tree: a mutant whose place was
rewritten is given its new place, or another of its kind."""

from __future__ import annotations

import re

from tests.mutants.catalogue import ROOT, Mutant, Stale, exists, load

PAGE = (ROOT / "docs" / "mutants.md").read_text("utf-8")
ROW = re.compile(r"^\| (.+) \| `(.+)` \| `(.+)` \|$", re.M)


def stale(mutant: Mutant) -> str | None:
    """Why a mutant does not fit the tree any more."""
    try:
        mutant.require(ROOT)
    except Stale as error:
        return f"{error}: see tests/mutants/defects"
    return None


def test_every_mutant_has_its_place_and_its_tests() -> None:
    assert not [why for why in map(stale, load()) if why]


def test_the_page_has_a_row_for_every_mutant_and_each_was_caught() -> None:
    rows = ROW.findall(PAGE)
    assert [name for name, _, _ in rows] == [mutant.name for mutant in load()]
    assert not [test for _, _, test in rows if not exists(ROOT, test)]


def test_the_pages_tell_how_many_there_are() -> None:
    proof = (ROOT / "docs" / "proof.md").read_text("utf-8")
    assert f"\n{len(load())} defects, none missed" in PAGE
    assert f"| each of {len(load())} planted defects" in proof
