"""A holdout: training samples that are tested instead of the test part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hil import Experiment, run
from hil.cli import main
from hil.data import datasets
from hil.errors import DataError
from hil.records.verdict import verdict


def rows(x: np.ndarray) -> list[bytes]:
    return sorted(row.tobytes() for row in x)


def test_a_holdout_splits_the_training_part_and_nothing_else() -> None:
    whole = datasets.load("digits")
    held = datasets.hold_out(whole, 287)
    assert (len(held.train_x), len(held.test_x)) == (1150, 287)
    assert rows(np.concatenate([held.train_x, held.test_x])) == rows(whole.train_x)
    assert not (held.test_x == whole.train_x[-287:]).all(), "an order of its own"


def test_a_larger_holdout_contains_a_smaller_one() -> None:
    whole = datasets.load("digits")
    small, large = datasets.hold_out(whole, 100), datasets.hold_out(whole, 300)
    assert (large.test_x[-100:] == small.test_x).all()
    assert (large.test_y[-100:] == small.test_y).all()


def test_a_holdout_leaves_something_to_learn_from() -> None:
    with pytest.raises(DataError, match="holdout is 1437, but data 'digits' has 1437"):
        datasets.hold_out(datasets.load("digits"), 1437)


def test_a_run_with_a_holdout_never_looks_at_the_test_part(
    host_cc: str, small: Experiment, folder: Path, tmp_path: Path
) -> None:
    whole = datasets.load("digits")
    records = []
    for name, test_y in (("a", whole.test_y), ("b", (whole.test_y + 1) % 10)):
        path = tmp_path / f"{name}.npz"
        np.savez(
            path, x=whole.train_x, y=whole.train_y,
            x_test=whole.test_x, y_test=test_y, scale=16.0,
        )  # fmt: skip
        change = {"data": str(path), "holdout": 200, "test": None, "steps": 1237}
        records.append(run(small.override(change), out=folder))
    first, second = records
    assert first.digest == second.digest and first.accuracy == second.accuracy
    assert first.accuracy["part"] == "holdout" and first.accuracy["tested"] == 200
    assert first.accuracy["test"] > 0.5
    assert "holdout accuracy" in verdict(first)


def test_a_run_without_a_holdout_says_that_it_tested(
    host_cc: str, small: Experiment, folder: Path
) -> None:
    record = run(small, out=folder)
    assert record.accuracy["part"] == "test" and "test accuracy" in verdict(record)


@pytest.mark.parametrize(
    ("asked", "said"), [("20", " (20 of 360)"), ("all", ""), ("360", ""), ("0", "")]
)
def test_a_part_that_was_not_tested_whole_is_told(
    tmp_path: Path,
    host_cc: str,
    capsys: pytest.CaptureFixture[str],
    asked: str,
    said: str,
) -> None:
    """In the line of the test, and in the verdict, which people quote."""
    command = ("run", "--target", "host", "--network", "64-4-10", "--steps", "2")
    assert main([*command, "--test", asked, "--out", str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if line.startswith(("test ", "PASS"))]
    assert len(told) == (1 if asked == "0" else 2)
    assert [" of 360)" in line for line in told] == [bool(said)] * len(told)
    assert all(said in line for line in told)


def test_a_part_of_numbers_that_was_not_tested_whole_is_told(
    tmp_path: Path, host_cc: str
) -> None:
    record = run(
        Experiment(data="friedman", target="host", steps=2, test=30), out=tmp_path
    )
    assert "(30 of 1,000)" in verdict(record)
    assert record.accuracy["of"] == 1000
