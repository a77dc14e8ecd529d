"""What a plan chose and why: the estimates of every way and the runner-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hil.cli import main


def explained(capsys: pytest.CaptureFixture[str], *flags: str) -> Any:
    assert main(["kernels", "--explain", *flags, "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_each_layer_has_every_way_and_each_call_its_runner_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = explained(capsys, "--network", "64-64-10", "--vlen", "128")
    first, second = found["layers"]
    assert (first["way"], first["why"]) == ("listed", "fewest instructions")
    assert (first["density_of"], second["density_of"]) == (
        "reference: digits",
        "assumed",
    )
    for layer in (first, second):
        assert set(layer["ways"]) == {"dense", "listed", "fused"}
        least = min(layer["ways"].values(), key=lambda cost: cost["instructions"])
        assert layer["ways"][layer["way"]] == least
    calls = {(call["layer"], call["kernel"]): call for call in found["calls"]}
    forward = calls[1, "f32_listed_forward"]
    assert (forward["variant"], forward["lmul"], forward["groups"]) == (
        "rvv_m8x2",
        8,
        2,
    )
    assert forward["runner_up"]["instructions"] > forward["instructions"]
    near = calls[1, "u8_nonzero_scaled"]
    assert near["why"].startswith("within 3 %")
    assert near["cycles"] < near["runner_up"]["cycles"]
    loss = calls[0, "f32_sigmoid_bce"]
    assert (loss["variant"], loss["why"]) == ("rvv_m4", "fewest instructions")
    assert loss["runner_up"]["variant"] == "rvv_m2"
    assert loss["runner_up"]["instructions"] > loss["instructions"]
    assert set(found["provenance"].values()) == {"modelled", "reference"}


def test_a_call_of_a_kernel_with_one_variant_has_no_runner_up(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flags = ["--network", "64-64-10", "--vlen", "128", "--output", "identity"]
    calls = {call["kernel"]: call for call in explained(capsys, *flags)["calls"]}
    loss = calls["f32_identity_mse"]
    assert (loss["why"], loss["runner_up"]) == ("the only one", None)


def test_what_a_step_does_not_come_to_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = explained(capsys, "--data", "dense", "--schedule", "fused")
    assert {layer["way"] for layer in found["layers"]} == {"fused"}
    assert {layer["why"] for layer in found["layers"]} == {"schedule fused"}
    kernels = {call["kernel"] for call in found["calls"]}
    assert "f32_dense_fused" in kernels
    assert not kernels & {
        "f32_rank_one",
        "f32_dense_update",
        "u32_digest",
        "f32_uniform",
    }


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--vlen", "512"], "specialised for VLEN 512"),
        (["--agnostic"], "any VLEN: the best over 128, 256, 512, 1024"),
        (["--target", "qemu-rv64gc"], "without vectors"),
    ],
)
def test_it_says_what_machine_the_choice_is_for_in_a_hundred_columns(
    capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    assert main(["kernels", "--explain", "--network", "64-256-256-10", *flags]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == f"{words}; schedule auto; instructions decide"
    assert max(map(len, lines)) <= 100
    assert any("modelled" in line for line in lines)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--vlen", "128"], "--vlen needs --explain"),
        (["f32_tanh", "--explain"], "'f32_tanh' and --explain: expected one of them"),
        (["--explain", "absent.toml"], "experiment 'absent.toml' cannot be read"),
    ],
)
def test_it_is_refused_where_it_has_no_meaning(
    capsys: pytest.CaptureFixture[str], given: list[str], sentence: str
) -> None:
    assert main(["kernels", *given]) == 2
    assert sentence in capsys.readouterr().err.splitlines()[0]


def test_the_estimates_are_about_what_is_counted(
    qemu64: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--network", "64-64-10", "--vlen", "128"]
    estimated: dict[str, float] = {}
    for call in explained(capsys, *flags)["calls"]:
        estimated[call["kernel"]] = (
            estimated.get(call["kernel"], 0) + call["instructions"]
        )
    given = ["bench", "step", *flags, "--variants", "chosen", "--warm", "2"]
    given += ["--steps", "4", "--out", str(tmp_path), "--json", "-"]
    assert main(given) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    large = {
        phase["phase"]: phase["instructions"]
        for phase in row["phases"]
        if phase["instructions"] >= row["instructions"] / 20
    }
    assert len(large) >= 6
    for kernel, counted in large.items():
        assert estimated[kernel] == pytest.approx(counted, rel=0.15), kernel
