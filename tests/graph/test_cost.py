"""What imported models cost, held against the committed baseline; and the command that
accepts what they cost now:

    python -m tests.graph.test_cost
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil import documents
from hil.experiment import Experiment
from hil.inferring.cost import cost

from .conftest import PLACE, places

BASELINE = Path(__file__).parents[1] / "baseline" / "models.toml"
CASES: dict[str, dict[str, int]] = documents.toml(BASELINE.read_text(), "baseline")
ALLOWED = 0.01
"""Growth that is let pass."""
NIGHTLY = {
    ("ad01_int8", "qemu-rv64gcv"),
    ("kws_ref_model", "qemu-rv64gc"),
    ("pretrainedResnet_quant", "qemu-rv64gcv"),
    ("vww_96_int8", "qemu-rv64gcv"),
}


def instructions(name: str, target: str) -> int:
    """Of one case, counted."""
    asked, path = Experiment(target=target), str(places()[name])
    return cost(asked, path, str(PLACE / "golden"), layers=False).instructions


def every() -> Iterator[object]:
    """Models, targets and what was accepted."""
    for name, of_targets in CASES.items():
        for target, accepted in of_targets.items():
            marks = [pytest.mark.full] if (name, target) in NIGHTLY else []
            yield pytest.param(name, target, accepted, marks=marks)


@pytest.mark.parametrize(("name", "target", "accepted"), [*every()])
def test_no_model_costs_more_instructions(
    name: str, target: str, accepted: int
) -> None:
    now = instructions(name, target)
    assert now <= accepted * (1 + ALLOWED), (
        f"{accepted:,} to {now:,}; to accept: python -m tests.graph.test_cost"
    )


def main() -> None:
    """Write the baseline anew."""
    lines = BASELINE.read_text().split("\n[", 1)[0].splitlines()
    for name, of_targets in CASES.items():
        lines += ["", f"[{name}]"]
        lines += [f"{target} = {instructions(name, target)}" for target in of_targets]
    BASELINE.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
