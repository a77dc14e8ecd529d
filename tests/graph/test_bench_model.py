"""hil bench model: what an inference costs, on a machine that counts and on one that does
not."""

from __future__ import annotations

import json

import pytest

from hil.cli import main
from hil.errors import Divergence
from hil.inferring import counting, peers
from hil.inferring.running import Inferred

from .conftest import PLACE, places

SMALL, TARGETS = "hello_world_int8", ("qemu-rv64gcv", "mps2-an386")
GOLDENS = str(PLACE / "golden")


def bench(*more: str, targets: tuple[str, ...] = TARGETS) -> int:
    named = [word for target in targets for word in ("--target", target)]
    given = (str(places()[SMALL]), "--inputs", GOLDENS)
    return main(["bench", "model", *given, *named, *more])


def test_a_model_is_counted_operator_by_operator(
    qemu64: str, qemu_arm: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench("--layers", "--vlen", "256", "--json", "-") == 0
    told = capsys.readouterr()
    (found,) = json.loads(told.out)["models"]
    macs = {one["operator"]: one["macs"] for one in found["operators"]}
    assert found["macs"] == sum(macs.values()) == 288
    assert [one["target"] for one in found["targets"]] == [*TARGETS]
    for one in found["targets"]:
        split = {int(number): count for number, count in one["operators"].items()}
        assert split.keys() == macs.keys()
        assert min(split.values()) > 100, "each has outputs to scale, at least"
        assert 0 <= one["instructions"] - sum(split.values()) <= 20
        assert 0 < one["activations"] <= one["arena"]
        assert f"{one['instructions']:,} instructions" in told.err


def test_a_count_is_the_same_each_time_and_a_row_has_it(
    qemu64: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = set()
    for _ in range(2):
        assert bench("--markdown", targets=TARGETS[:1]) == 0
        rows.add(capsys.readouterr().out)
    (row,) = rows
    assert row.splitlines()[-1].startswith(f"| {SMALL} | 288 | ")


def test_a_target_that_counts_nothing_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert bench(targets=("host",)) == 2
    assert "'host' counts no instructions" in capsys.readouterr().err


def test_an_output_that_differs_is_no_count(
    qemu64: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The twin's, as if it were another."""
    carried_out = counting.carried_out

    def other(*given: object) -> object:
        done = carried_out(*given)  # type: ignore[arg-type]
        (one,) = done.cases
        wrong = Inferred(one.outputs, (one.expected[0] + 1,), one.instructions)
        return type(done)(done.greeting, (wrong,))

    monkeypatch.setattr(counting, "carried_out", other)
    assert bench(targets=TARGETS[:1]) == Divergence.exit_code == 1
    told = capsys.readouterr()
    assert "device and numpy differ first in case 0" in told.err
    assert "instructions" not in told.out


def test_peers_are_those_of_the_file() -> None:
    vww, small = (str(places()[name]) for name in ("vww_96_int8", SMALL))
    counted = {(one.name, one.instructions) for one in peers.peers(vww)}
    assert counted == {
        ("CMSIS-NN without vectors", 48_081_533),
        ("CMSIS-NN with DSP", 28_100_000),
    }
    assert peers.peers(small) == ()
