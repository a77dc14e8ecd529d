"""hil compare: two real runs, equal on two targets, and parting with another seed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hil import Experiment, run
from hil.cli import main
from hil.records.record import DEMO, METRICS
from hil.records.run_comparison import compared


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, host_cc: str, qemu64: str
) -> dict[str, Path]:
    """The same lesson on two targets, and on one of them with another seed."""
    folder = tmp_path_factory.mktemp("runs")
    small = Experiment(target="host", network=(64, 10), steps=30, test=10)
    changes: dict[str, dict[str, Any]] = {
        "host": {},
        "qemu": {"target": "qemu-rv64gcv", "steps": 40},
        "seed": {"seed": 2},
    }
    asked = {name: small.override(change) for name, change in changes.items()}
    return {name: run(each, out=folder).folder for name, each in asked.items()}


def both(runs: dict[str, Path], other: str, *flags: str) -> list[str]:
    return ["compare", str(runs["host"]), str(runs[other]), *flags]


def test_one_lesson_on_two_targets_is_equal_at_every_step(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(both(runs, "qemu")) == 0
    said = capsys.readouterr().out
    assert "EQUAL: the learned states agree after all 30 steps compared" in said
    rows = {line.split()[0]: line.split()[1:] for line in said.splitlines() if line}
    assert rows["target"] == ["host", "qemu-rv64gcv"]
    assert rows["learned"] == ["30", "40", "(counted)"]
    assert "network" not in rows and "speed.steps_per_second" not in rows
    assert main(both(runs, "qemu", "--all")) == 0
    said = capsys.readouterr().out
    assert "64-10" in said and "speed.steps_per_second" in said


def test_another_seed_parts_at_the_first_step(
    runs: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(both(runs, "seed", "--json", "-")) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["agree"] is told["final"] is False
    assert [step["what"] for step in told["steps"]] == ["digest", "loss", "outcome"]
    assert told["steps"][0]["first"] == 0 and told["steps"][0]["common"] == 30
    rows = {row["name"]: row for row in told["rows"]}
    assert rows["seed"]["values"] == [1, 2] and rows["seed"]["kinds"] == [None, None]
    assert rows["digest"]["kinds"] == ["emulated", "emulated"]


def test_the_first_step_that_differs_is_found_behind_equal_ones(
    runs: dict[str, Path], tmp_path: Path
) -> None:
    other = shutil.copytree(runs["host"], tmp_path / "other")
    lines = (other / "metrics.jsonl").read_text().splitlines()
    changed = json.loads(lines[17])
    changed["digest"] = "00000000"
    lines[17] = json.dumps(changed)
    (other / "metrics.jsonl").write_text("\n".join(lines) + '\n{"step": 3')
    found = compared(runs["host"], other)[""]
    assert found.partings[0].first == 17 and found.partings[0].values[1] == "00000000"
    assert found.partings[1].first is None and found.final and not found.agree


def test_demos_are_compared_arm_by_arm(runs: dict[str, Path], tmp_path: Path) -> None:
    folders = []
    for name, arms in (("a", ("one", "two")), ("b", ("two",))):
        folder = tmp_path / name
        told = {arm: {"folder": f"/elsewhere/{arm}"} for arm in arms}
        folder.mkdir()
        (folder / DEMO).write_text(
            json.dumps({"schema": 1, "arms": told, "provenance": {}})
        )
        for arm in arms:
            shutil.copytree(runs["host"], folder / arm)
        folders.append(folder)
    found = compared(*folders)
    assert list(found) == ["two"] and found["two"].agree
    assert main(["compare", str(folders[0]), str(runs["host"])]) == 2


def test_a_folder_that_is_no_run_is_a_usage_error(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(runs["host"]), str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert f"{str(tmp_path)!r} is no folder of a run" in said


def test_a_line_that_is_no_json_is_a_usage_error(
    runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = shutil.copytree(runs["host"], tmp_path / "broken")
    lines = (broken / METRICS).read_text(encoding="utf-8").splitlines()
    (broken / METRICS).write_text("\n".join([*lines[:4], "{", *lines[5:], ""]))
    assert main(["compare", str(runs["host"]), str(broken)]) == 2
    assert "line 5 is no JSON" in capsys.readouterr().err
