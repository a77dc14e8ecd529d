"""What a step costs, held against the committed baseline; and the command that
tells and accepts it."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from hil.cli import main
from hil.measuring.steps import baseline, plain
from hil.measuring.steps.baseline import Case, Change
from hil.records.record import KINDS

BASELINE = Path(__file__).parents[1] / "baseline" / "steps.toml"
CASES = {case.name: case for case in baseline.load(BASELINE).cases}
SMALL = ["--network", "64-17-10", "--steps", "3", "--warm", "2"]


@pytest.mark.parametrize("name", CASES)
def test_no_counted_figure_has_grown(
    qemu64: str, request: pytest.FixtureRequest, name: str
) -> None:
    case = CASES[name]
    if case.keys["data"] == "mnist":
        request.getfixturevalue("hil_data")
    changes = baseline.changes(case, baseline.recount(case))
    assert [change.sentence for change in changes if change.grown] == [], (
        "to accept: hil bench step --baseline tests/baseline/steps.toml --update"
    )


def test_a_figure_may_grow_by_one_percent_and_no_more() -> None:
    assert not Change("a", "code", 1000, 1010).grown
    assert Change("a", "code", 1000, 1011).grown
    assert not Change("a", "code", 1000, 500).grown


def cut(folder: Path, change: float) -> Path:
    """A baseline of one small case, its instructions off by a factor."""
    case = Case("small", {"network": "64-17-10", "steps": 3}, 2, {})
    case = replace(case, counted=dict(baseline.recount(case).counted))
    claimed = {**case.counted, "instructions": case.counted["instructions"] * change}
    path = folder / "steps.toml"
    baseline.save(path, baseline.Baseline("zig", (replace(case, counted=claimed),)))
    return path


def test_growth_fails_the_command_until_it_is_accepted(
    qemu64: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = cut(tmp_path, 0.98)
    given = ["bench", "step", "--baseline", str(path)]
    assert main(given) == 1
    told = capsys.readouterr().err
    assert "grown by more than 1%: instructions of small:" in told
    assert f"hil bench step --baseline {path} --update" in told
    assert main([*given, "--update"]) == 0
    assert main(given) == 0
    (case,) = baseline.load(path).cases
    assert case.counted == baseline.recount(case).counted


def test_shrinking_passes(qemu64: str, tmp_path: Path) -> None:
    assert main(["bench", "step", "--baseline", str(cut(tmp_path, 1.5))]) == 0


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("[[case]]\nname = 'x'", "cannot be read"),
        ("not toml", "is no TOML"),
        (
            "[[case]]\nname = 'x'\nwarm = 1\nexperiment = { netwrok = '64-10' }",
            "has an unknown key 'netwrok'",
        ),
    ],
)
def test_a_baseline_that_is_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    (tmp_path / "bad.toml").write_text(text)
    assert main(["bench", "step", "--baseline", str(tmp_path / "bad.toml")]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags", [plain.settings(256)[3:5], pytest.param((), marks=pytest.mark.full)]
)
def test_the_command_gives_rows_and_a_tidy_file(
    qemu64: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flags: tuple[plain.Setting, ...],
) -> None:
    """Plain C with two sets of flags; `make test-all` tries each that there is."""
    if flags:
        monkeypatch.setattr(plain, "settings", lambda *machine: flags)
    given = ["bench", "step", *SMALL, "--against", "c", "--json", "-"]
    assert main([*given, "--out", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    rows = {row["variant"]: row for row in document["rows"]}
    assert list(rows) == ["chosen", "length-agnostic", "sequential", "fused", "scalar"]
    chosen, scalar = rows["chosen"], rows["scalar"]
    assert chosen["vector"] + chosen["scalar"] == pytest.approx(chosen["instructions"])
    assert chosen["ratio"] == chosen["instructions"] / chosen["floor"]
    assert chosen["vector_bound"] < chosen["floor"] < chosen["instructions"]
    assert scalar["vector"] == 0 and scalar["floor"] is None
    assert set(chosen["modelled_cycles"]) == {"spacemit-x60"}  # the core of VLEN 256
    assert set(chosen["provenance"].values()) == {"counted", "modelled"}
    figures = ("instructions", "spacemit-x60")
    assert [(one["form"], one["best_in"]) for one in document["against"]] == [
        (form, figure) for form in ("dense", "listed") for figure in figures
    ]
    dense = document["against"][0]
    assert dense["ratio"] == dense["instructions"] / chosen["instructions"]
    assert len(dense["tried"]) > 1
    assert 0 < document["density"] < 1
    assert "inputs not zero (reference)" in err and "(counted)" in err

    folder = Path(document["folder"])
    assert json.loads((folder / "step.json").read_text())["rows"] == document["rows"]
    with (folder / "step.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["kind"] for line in lines} <= set(KINDS)
    (total,) = [
        line for line in lines if line["variant"] == "chosen"
        and (line["part"], line["quantity"]) == ("step", "instructions")
    ]  # fmt: skip
    assert float(total["value"]) == chosen["instructions"]


def test_an_experiment_file_is_enough(
    qemu64: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    toml = tmp_path / "dense.toml"
    toml.write_text('data = "dense"\nnetwork = "40-9-3"\nvlen = 128\nsteps = 2\n')
    given = ["bench", "step", str(toml), "--warm", "1", "--variants", "chosen"]
    assert main([*given, "--out", str(tmp_path), "--markdown"]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.startswith("| dense | 40-9-3 | dfa | 128 | 100% | chosen | ")


def test_a_step_of_integers_is_counted_and_no_floor_of_float32_is_claimed(
    qemu64: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["bench", "step", *SMALL, "--format", "i8", "--variants", "chosen"]
    assert main([*given, "--json", "-", "--out", str(tmp_path)]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert 0 < row["vector"] < row["instructions"]
    assert (row["floor"], row["vector_bound"], row["ratio"]) == (None, None, None)
