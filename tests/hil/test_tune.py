"""Tuning in QEMU, and the way of a tuned file into images and out of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main
from hil.errors import UsageError
from hil.experiment import Experiment
from hil.lesson import tuned_file
from hil.lesson.building import plan_for
from hil.lesson.preparing import prepare

FLAGS = ["--network", "64-10", "--vlen", "256", "--steps", "6"]
TUNE = [*FLAGS, "--warm", "2", "--tries", "2"]


@dataclass(frozen=True)
class Found:
    """A tuned file, and the document of the command that made it."""

    path: Path
    document: Any


@pytest.fixture(scope="module")
def tuned(qemu64: str, tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A tiny network, tuned with a small budget."""
    folder = tmp_path_factory.mktemp("tuned")
    path, told = folder / "tuned.toml", folder / "tuned.json"
    assert main(["tune", *TUNE, "--out", str(path), "--json", str(told)]) == 0
    return Found(path, json.loads(told.read_text()))


@pytest.fixture
def changed(tuned: Found, tmp_path: Path) -> Callable[[str, str], Path]:
    """Makes a copy of the tuned file with one text replaced."""

    def change(old: str, new: str) -> Path:
        text = tuned.path.read_text()
        assert old in text
        path = tmp_path / "changed.toml"
        path.write_text(text.replace(old, new))
        return path

    return change


def asked(path: Path, **keys: Any) -> Experiment:
    """The experiment of `FLAGS`, with a tuned file."""
    return Experiment(network="64-10", vlen=256, tuned=str(path)).override(keys)


def test_the_best_of_what_was_measured_is_in_the_file(tuned: Found) -> None:
    document = tuned.document
    choice = tuned_file.load(tuned.path).choice
    assert document["decisions"]
    for decision in document["decisions"]:
        tried = decision["tried"]
        assert len(tried) == 2 and decision["plan"] in tried
        least = min(figures["instructions"] for figures in tried.values())
        chosen = tried[decision["chosen"]]
        if chosen["instructions"] > least:
            assert "fewest modelled cycles" in decision["why"]
            fewest = min(tried.values(), key=lambda figures: figures["instructions"])
            total = [sum(f["modelled_cycles"].values()) for f in (chosen, fewest)]
            assert total[0] < total[1]
        for layer in decision["layers"]:
            held = (
                choice.variants[layer, decision["kernel"]].suffix
                if decision["kernel"]
                else choice.ways[layer]
            )
            assert held == decision["chosen"]
    assert document["made"]["complete"]
    assert set(document["tuned"]["modelled_cycles"]) == {"spacemit-x60"}


def test_a_tuned_network_costs_what_the_file_says(
    tuned: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [*FLAGS, "--tuned", str(tuned.path), "--out", str(tmp_path), "--json", "-"]
    variants = ["--warm", "2", "--variants", "chosen,untuned"]
    assert main(["bench", "step", *variants, *given]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    counted = [row["instructions"] for row in rows]
    assert counted == [
        tuned.document["tuned"]["instructions"], tuned.document["plan"]["instructions"]
    ]  # fmt: skip


def test_a_tuned_network_learns_the_same_bits(
    tuned: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["run", *FLAGS, "--test", "0", "--out", str(tmp_path), "--json", "-"]
    assert main([*given, "--tuned", str(tuned.path)]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["result"], record["compared"]) == ("pass", 6)
    assert record["experiment"]["tuned"] == str(tuned.path)


def test_the_plan_does_what_the_file_says(
    tuned: Found, changed: Callable[[str, str], Path]
) -> None:
    plan = plan_for(prepare(asked(tuned.path)))
    said = f'f32_sigmoid_bce = "{plan.call("f32_sigmoid_bce").suffix}"'
    same = plan_for(prepare(asked(changed(said, f"{said} # so"))))
    assert same.calls == plan.calls
    here = next(c for c in same.calls if c.variant.kernel.name == "u8_nonzero_scaled")
    other = "rvv_m2"
    assert here.variant.suffix != other
    path = changed(
        f'u8_nonzero_scaled = "{here.variant.suffix}"', f'u8_nonzero_scaled = "{other}"'
    )
    assert plan_for(prepare(asked(path))).call("u8_nonzero_scaled", 1).suffix == other


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"network": "64-12"}, "is for network 64-10, but the experiment has 64-12"),
        ({"activation": "relu"}, "is for activation tanh, but the experiment has relu"),
        (
            {"output": "softmax"},
            "is for output sigmoid, but the experiment has softmax",
        ),
        ({"rule": "bp"}, "is for rule dfa, but the experiment has bp"),
        ({"vlen": 512}, "is for vlen 256, but the experiment has 512"),
        ({"agnostic": True}, "is for vlen 256, but the experiment has any"),
        (
            {"target": "qemu-rv64gc", "vlen": None},
            "is for target qemu-rv64gcv, but the experiment has qemu-rv64gc",
        ),
        ({"schedule": "fused"}, "schedule is 'fused' and tuned is"),
    ],
)
def test_a_file_for_something_else_is_refused(
    tuned: Found, keys: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        prepare(asked(tuned.path, **keys))


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'u8_nonzero_scaled = "rvv',
            'u8_nonzero_scaled = "rvv_x',
            "unknown variant 'rvv_x_m4' of",
        ),
        ("u8_nonzero_scaled =", "u8_nonzer =", "has an unknown kernel 'u8_nonzer'"),
        ('way = "listed"', 'way = "sorted"', "computes layer 1 'sorted': expected one"),
        ('way = "listed"', 'way = "dense"', "layer 1, dense, does not call"),
        ("[layers.1]", "[layers.2]", "has a layer 2: expected 1 to 1"),
        ("[layers.1]", "[layers.one]", "has a layer 'one': expected a number"),
        ("[for]", "[of]", "has no table 'for'"),
        ("[for]", "[for", "is no TOML"),
        (
            'f32_sigmoid_bce = "rvv',
            'f32_sigmoid_bce = "scalar" # "rvv',
            "takes rvv kernels",
        ),
    ],
)
def test_a_file_that_was_spoilt_is_refused(
    changed: Callable[[str, str], Path],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    old: str,
    new: str,
    sentence: str,
) -> None:
    path = changed(old, new)
    out = str(tmp_path / "runs")
    assert main(["run", *FLAGS, "--tuned", str(path), "--out", out]) == 2
    first, *hints = capsys.readouterr().err.splitlines()
    assert first.startswith(f"hil: tuned file '{path}'") and sentence in first
    assert all(hint.startswith("  hint: ") for hint in hints)


def test_a_machine_without_a_counter_is_tuned_by_its_trace(
    qemu_arm: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of integers there is one kernel each, so nothing is left to decide."""
    path = tmp_path / "tuned.toml"
    given = "tune --target microbit --network 64-10 --steps 1 --warm 1 --out"
    assert main([*given.split(), str(path)]) == 0
    assert "(QEMU " in path.read_text() and "all of them traced)" in path.read_text()
    said = capsys.readouterr().out
    assert (
        "nothing to decide: there is one way and one variant of all that a step calls"
        in said
    )
    assert tuned_file.load(path).purpose["target"] == "microbit"


def test_an_experiment_file_names_a_tuned_file_beside_it(
    tuned: Found, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = tmp_path / "experiment.toml"
    experiment.write_text('network = "64-10"\nvlen = 256\ntuned = "choice.toml"\n')
    assert main(["kernels", "--explain", str(experiment)]) == 2
    assert str(tmp_path / "choice.toml") in capsys.readouterr().err
    (tmp_path / "choice.toml").write_text(tuned.path.read_text())
    assert main(["kernels", "--explain", str(experiment), "--json", "-"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {call["why"] for call in found["calls"]} == {"tuned"}


@pytest.mark.usefixtures("ctrl_c_is_heard")
def test_ctrl_c_leaves_what_was_decided(qemu64: str, tmp_path: Path) -> None:
    path = tmp_path / "tuned.toml"
    command = [sys.executable, "-m", "hil", "tune", *TUNE, "--out", str(path)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        next(line for line in process.stdout if "measuring" in line)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130
    assert f"interrupted by Ctrl-C; {path} has what was decided so far" in said
    assert "complete = false" in path.read_text()
    assert plan_for(prepare(asked(path))).layer(1).told == "tuned"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--tries", "1"], "--tries is 1: expected 2 or more"),
        (["--target", "host"], "'host' counts no instructions"),
        (["tuned-already.toml"], "hil tune starts from the plan's own choice"),
        (
            ["--for", "cycles", "--target", "qemu-rv32imafc-zve32f"],
            "cannot be tuned for cycles: expected a 64-bit one",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, given: list[str], sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tuned-already.toml").write_text('tuned = "tuned.toml"\n')
    out = str(tmp_path / "tuned.toml")
    assert main(["tune", *given, "--out", out]) == 2
    assert sentence in capsys.readouterr().err.splitlines()[0]
