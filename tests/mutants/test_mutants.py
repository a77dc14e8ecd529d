"""The list of planted defects fits the tree, ten of them are caught, and the tool that
says so can be wrong in no way that would flatter it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.mutants.__main__ import MISSED, main, row, try_all
from tests.mutants.catalogue import ROOMS, ROOT, Mutant, Stale, load
from tests.mutants.trial import Copy, Unfit

MUTANTS = load()
CHOSEN = [mutant for mutant in MUTANTS if mutant.ci]
REFERENCE = "tests/reference/test_digest.py"
HARMLESS = Mutant(
    "nothing", "codegen/reference/digest.py", "first = 0", "first = 0 + 0", (REFERENCE,)
)


def times() -> dict[str, int]:
    """When each file that a defect may be planted in was changed last."""
    files = (path for room in ROOMS for path in (ROOT / room).rglob("*.*"))
    return {
        str(path): path.stat().st_mtime_ns
        for path in files
        if "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """A copy of the tree; the tree itself is as it was afterwards."""
    before = times()
    yield Copy(tmp_path_factory.mktemp("mutants") / "copy")
    assert times() == before


def test_the_list_is_long_and_reaches_every_side() -> None:
    assert len(MUTANTS) >= 60 and len(CHOSEN) == 6
    assert {mutant.room for mutant in MUTANTS} >= {"codegen", "firmware", "hil"}


@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda mutant: mutant.name)
def test_a_planted_defect_is_caught(copy: Copy, mutant: Mutant) -> None:
    outcome = copy.attempt(mutant)
    assert outcome.caught, f"{mutant.name} in {mutant.file}: no test of {mutant.tests}"
    assert outcome.test is not None and outcome.test.startswith("tests/")


def test_a_change_of_nothing_is_missed(copy: Copy) -> None:
    outcome = copy.attempt(HARMLESS)
    assert not outcome.caught
    assert MISSED in row(HARMLESS, outcome)


def test_the_copy_is_mended_after_each(copy: Copy) -> None:
    """Also where Python could take what it compiled for what there is."""
    wrong = replace(HARMLESS, put="first = 1 + 0")
    assert copy.attempt(wrong).caught
    assert not copy.run((REFERENCE,)).caught


@pytest.mark.parametrize(
    ("file", "find", "test"),
    [
        ("codegen/planning/bounds.py", "LANE_BITS = 32", "tests/codegen/test_bounds.py"),
        ("codegen/reference/serving.py", "    asked, told = os.fdopen",
         "tests/hil/test_reference_process.py::test_answers_are_the_learners_and_in_order"),
    ],
)  # fmt: skip
def test_what_is_imported_is_the_copys(
    copy: Copy, file: str, find: str, test: str
) -> None:
    """By the tests and by the processes that they start: the second place is reached
    in a child alone."""
    space = " " * (len(find) - len(find.lstrip()))
    put = f"{space}raise SystemError(__file__)\n{find}"
    outcome = copy.attempt(Mutant("raises", file, find, put, (test,)))
    assert outcome.caught
    said = (copy.root.parent / "log").read_text()
    assert f"SystemError: {copy.root / file}" in said


def test_a_test_that_hangs_has_caught_its_mutant_and_the_table_says_how(
    copy: Copy,
) -> None:
    put = "first = 0\n        while True:\n            pass"
    outcome = copy.attempt(replace(HARMLESS, put=put, limit=6.0))
    assert outcome.test == f"{REFERENCE}::test_it_is_the_formula"
    assert outcome.said == "still running after 6 s" and outcome.hung
    assert row(HARMLESS, outcome).endswith("::test_it_is_the_formula`, which hangs |")


@pytest.mark.parametrize("find", ["no such text", "tensor"])
def test_a_mutant_without_its_one_place_is_an_error(copy: Copy, find: str) -> None:
    with pytest.raises(Stale, match=f"'nothing': .* says '{find}' in "):
        copy.attempt(replace(HARMLESS, find=find))


def test_tests_that_do_not_run_catch_nothing(copy: Copy) -> None:
    with pytest.raises(Unfit, match="the tests could not be run"):
        copy.run((f"{REFERENCE}::test_that_is_not_there",))


def test_tests_that_fail_anyway_are_refused() -> None:
    """A mutant is tried only where its tests pass without it."""
    failing = replace(HARMLESS, tests=("tests/mutants/always_fails.py",))
    with pytest.raises(Unfit, match=r"always_fails.* fails where nothing is planted"):
        try_all([failing], jobs=1)


def test_the_command_ends_with_1_where_one_is_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.mutants.__main__.load", lambda: [HARMLESS])
    assert main([]) == 1
    out = capsys.readouterr().out
    assert f"| nothing | `codegen/reference/digest.py` | {MISSED} |" in out
    assert "1 planted, 0 caught, 0 of them by a test that hangs, 1 missed" in out
    assert main(["--only", "something else"]) == 2
