"""Gates, limits, budgets, health and certificates from the command line: what is
taken, what is refused, and what a run leaves behind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.errors import SpecError
from codegen.reference import Learner
from hil import Experiment, run
from hil.cli import main
from hil.errors import DataError, HilError
from hil.experiment import from_toml
from hil.flags import experiment_of
from hil.lesson.preparing import prepare
from hil.measuring import gate_cost

SHORT = Experiment(target="host", network="64-17-10", steps=24, test=5)


def test_gates_limits_and_budgets_come_back_from_toml() -> None:
    made = Experiment(
        gate="row", active=0.3, tau=0.01, error_gate=0.2, clip_weights=2.0,
        clip_error=0.5, health=10, ram=65536, instructions=4000,
    )  # fmt: skip
    text = made.to_toml()
    assert "\n[budget]\nram = 65536\ninstructions = 4000\n" in text
    assert from_toml(text, "made") == made


def test_parameters_that_are_set_often_have_flags_of_their_own() -> None:
    from hil.cli import parser

    given = parser().parse_args(
        ["run", "--rule", "fg-weight", "--k", "4", "--perturbation", "gaussian"]
    )
    asked = experiment_of(given)
    assert asked.parameters == {"k": 4, "perturbation": "gaussian"}


def test_what_is_left_open_is_decided() -> None:
    row = prepare(SHORT.override({"gate": "row"}))
    assert (row.experiment.active, row.spec.gate.threshold) == (0.25, 1e-4)
    fixed = prepare(SHORT.override({"gate": "row", "tau": 0.01}))
    assert (fixed.experiment.active, fixed.spec.gate.threshold) == (None, 0.01)
    error = prepare(SHORT.override({"gate": "error"}))
    assert (error.experiment.error_gate, error.spec.gate.rows) == (0.1, False)


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"gate": "rows"}, "gate is 'rows': expected one of none, element"),
        ({"gate": "row", "active": 0.01}, "active is 0.01: expected a number from 0.05"),
        ({"active": 0.5}, "active is given, but no gate could hold it"),
        ({"gate": "row", "active": 0.5, "instructions": 9, "target": "qemu-rv64gc",
          "icount": True}, "one controller holds one of them"),
        ({"gate": "row", "instructions": 9, "cycles": 9}, "expected one budget"),
        ({"gate": "row", "schedule": "fused"}, "schedule is 'fused', but gate row"),
        ({"clip_weights": 1.0, "schedule": "fused"}, "but clip_weights changes rows"),
        ({"clip_weights": -1.0}, "clip_weights is -1.0: expected a positive number"),
        ({"gate": "row", "rule": "fg-weight"}, "no rank-1 update of hidden layers"),
        ({"gate": "row", "rule": "readout"}, "no rank-1 update of hidden layers"),
        ({"gate": "error", "rule": "drtp"}, "before there is an error"),
        ({"rule": "fg-weight", "schedule": "fused"}, "makes no rank-1 update"),
        ({"rule": "fg-weight", "parameters": {"k": 0}}, "k = 0: expected a whole number"),
        ({"rule": "fg-local", "parameters": {"k": 1.5}}, "expected a whole number"),
        ({"rule": "fg-local", "parameters": {"perturbation": "normal"}},
         "expected one of rademacher, gaussian"),
        ({"rule": "bp", "parameters": {"k": 2}}, "rule 'bp' has no parameter 'k'"),
        ({"health": 5, "compare": "none"}, "health is computed by the reference"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(
    keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((HilError, SpecError), match=sentence) as refused:
        run(SHORT.override(keys))
    assert refused.value.exit_code == 2


def test_health_and_what_was_written_are_left_behind(
    tmp_path: Path, host_cc: str
) -> None:
    record = run(SHORT.override({"health": 8, "gate": "row"}), out=tmp_path)
    written = json.loads((record.folder / "run.json").read_text())
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    asked = [n for n, line in enumerate(lines) if "health" in json.loads(line)]
    assert asked == [7, 15, 23]
    assert written["health"]["step"] == 23
    assert len(written["health"]["angle"]) == 2
    assert written["provenance"]["health"] == "reference"
    weights = 64 * 17 + 17 * 10
    assert 0 < written["weights_written_per_step"] < weights
    assert any(json.loads(line)["threshold"] for line in lines)


def test_health_is_the_same_whatever_is_asked_of_the_device(
    tmp_path: Path, host_cc: str
) -> None:
    plain, asked = (
        run(SHORT.override(keys), out=tmp_path) for keys in ({}, {"health": 3})
    )
    assert plain.digest == asked.digest
    assert plain.image["build_digest"] == asked.image["build_digest"]


def test_weights_beyond_their_limit_are_no_start(tmp_path: Path) -> None:
    lesson = prepare(SHORT)
    state = Learner(lesson.spec).snapshot()
    state["W1"][3, 4] = 2.5
    path = tmp_path / "weights.npz"
    np.savez(path, **state)
    with pytest.raises(
        DataError, match=r"W1 has a magnitude of 2\.5, but clip_weights"
    ):
        run(SHORT.override({"clip_weights": 2.0, "init": str(path)}), out=tmp_path)


@pytest.mark.parametrize("value", [0.0, 200.0])
def test_variances_beyond_their_limits_are_no_start(
    tmp_path: Path, value: float
) -> None:
    learned = SHORT.override({"rule": "pc", "parameters": {"precision": "learned"}})
    state = Learner(prepare(learned).spec).snapshot()
    state["sigma1"][3] = value
    path = tmp_path / "weights.npz"
    np.savez(path, **state)
    with pytest.raises(
        DataError, match=r"sigma1 has an element of .*: expected 1 to 100"
    ):
        run(learned.override({"init": str(path)}), out=tmp_path)


def test_a_certificate_is_given_or_says_why_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "certificate.json")
    network = ["certify", "--network", "64-17-10"]
    assert main([*network, "--clip-weights", "1", "--json", out]) == 0
    assert "CERTIFIED: in every step" in capsys.readouterr().out
    found = json.loads(Path(out).read_text())
    assert found["certified"] and found["failure"] is None
    assert {"tensor": "h1", "operation": "tanh", "lo": -1.0, "hi": 1.0} in found[
        "bounds"
    ]
    assert main([*network, "--json", out]) == 1
    assert "NOT CERTIFIED: the first operation" in capsys.readouterr().out
    assert json.loads(Path(out).read_text())["failure"]["operation"] == "W2"
    assert main([*network, "--clip-weights", "1", "--inputs", "0", "3"]) == 2
    assert "promises 0 to 3, but data 'digits' has 0 to 16" in capsys.readouterr().err
    assert main([*network, "--clip-weights", "1", "--targets", "0", "3"]) == 2
    assert "only a vector as a target may be any" in capsys.readouterr().err


def test_what_a_vector_can_be_is_promised_to_be_certified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each hint leads to the next: what a sample can be, a target, and weights."""
    words = ["certify", "--data", "friedman", "--network", "10-7-1"]
    given = [["--inputs", "0", "1"], ["--targets", "-4", "4"], ["--clip-weights", "1"]]
    for more in given:
        assert main(words) == 1
        assert f"hint: {more[0]} " in capsys.readouterr().out
        words += more
    assert main(words) == 0
    assert main([*words, "--targets", "0", "1"]) == 2
    assert "--targets promises 0 to 1, but data 'friedman' has" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(
    "gates",
    [
        ("none", "row 25 %"),
        pytest.param(tuple(gate_cost.GATES), marks=pytest.mark.full),
    ],
    ids=len,
)
def test_what_gates_save_is_counted(
    capsys: pytest.CaptureFixture[str], qemu64: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, gates: tuple[str, ...],
) -> None:  # fmt: skip
    chosen = {name: gate_cost.GATES[name] for name in gates}
    monkeypatch.setattr(gate_cost, "GATES", chosen)
    out = str(tmp_path / "gates.json")
    words = ["bench", "gates", "--network", "64-17-10", "--steps", "300"]
    assert main([*words, "--count", "20", "--json", out]) == 0
    found = json.loads(Path(out).read_text())
    rows = {row["gate"]: row for row in found["gates"]}
    assert tuple(rows) == gates
    assert rows["row 25 %"]["written"] < 0.8 * rows["none"]["written"]
    assert rows["none"]["instructions"] > 0
    assert found["provenance"]["gates.instructions"] == "counted"
