"""hil import --check: the twin against goldens, and files that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil.cli import main
from hil.models import check

from .conftest import PLACE, graph, places

SMALL = "hello_world_int8"
GOLDEN = PLACE / "golden" / f"{SMALL}.npz"


def command(golden: Path, *more: str) -> int:
    return main(["import", str(places()[SMALL]), "--check", str(golden), *more])


def test_goldens_are_met_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(GOLDEN, "--json", "-") == 0
    told = capsys.readouterr()
    assert "33 of 33 cases equal ref0 to the bit" in told.err
    (one,) = json.loads(told.out)["check"]["outputs"]
    assert one["equal"] == one["cases"] == 33 and one["exact"] and one["apart"] == 0


def changed(tmp_path: Path, change: Any) -> Path:
    """The goldens with something changed."""
    with np.load(GOLDEN) as found:
        arrays = change(dict(found))
    path = tmp_path / "changed.npz"
    np.savez(path, **arrays)
    return path


def test_one_wrong_bit_of_one_case_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(arrays: dict[str, Any]) -> dict[str, Any]:
        arrays["ref0"][7] ^= 1
        return arrays

    assert command(changed(tmp_path, change)) == 1
    assert "output 0 differs in 1 of 33 cases, by 1 at most" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a: {"in0": a["in0"]}, "there is no array 'ref0'"),
        (
            lambda a: {**a, "reff0": a["ref0"]},
            "nothing reads array 'reff0': expected in0, ref0",
        ),
        (lambda a: {**a, "ref1": a["ref0"]}, "nothing reads array 'ref1'"),
        (lambda a: {"in0": a["in0"], "out0": a["ref0"]}, "nothing reads array 'out0'"),
        (lambda a: {**a, "in0": a["in0"][:5]}, "its arrays have [5, 33] cases"),
        (lambda a: {**a, "in0": a["in0"].astype(np.float32)}, "expected int8"),
        (
            lambda a: {**a, "in0": np.zeros((33, 2), np.int8)},
            "array 'in0' is int8 [33, 2]",
        ),
        (lambda a: {**a, "in0": a["in0"][:0], "ref0": a["ref0"][:0]}, "have [0] cases"),
    ],
)
def test_what_does_not_fit_is_told_in_one_sentence(
    change: Any, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(changed(tmp_path, change)) == 2
    assert said in capsys.readouterr().err.splitlines()[0]


def test_a_file_of_no_arrays_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(tmp_path / "none.npz") == 2
    assert "there is no file of cases" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mine", "other", "equal"),
    [
        ([1.0, 2.0], [np.inf, 2.0], False),
        ([np.inf, 123.0], [np.inf, 2.0], False),
        ([np.inf, 2.0], [np.inf, 2.0], True),
        ([-np.inf, 2.0], [np.inf, 2.0], False),
        ([np.nan, 2.0], [np.nan, 2.0], True),
        ([np.nan, 2.0], [1.0, 2.0], False),
    ],
)
def test_what_is_not_finite_is_equal_to_its_like_only(
    mine: list[float], other: list[float], equal: bool
) -> None:
    """And makes nothing else equal."""
    made, expected = np.array(mine, np.float32), np.array([other], np.float32)
    (found,) = check.compared(graph("hello_world_float"), [(made,)], expected[None])
    assert found.equal == equal
