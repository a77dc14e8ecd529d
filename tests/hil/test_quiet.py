"""What is printed with --quiet, and what a program that uses hil sees and may log."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hil
from hil.cli import main

SMALL = ["--network", "64-8-10", "--target", "host", "--steps", "9", "--test", "2"]


def test_a_quiet_run_says_nothing_and_keeps_its_record(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], host_cc: str
) -> None:
    out = ["--out", str(tmp_path / "runs")]
    assert (
        main(["run", *SMALL, *out, "--quiet", "--json", str(tmp_path / "r.json")]) == 0
    )
    assert capfd.readouterr() == ("", "")
    assert json.loads((tmp_path / "r.json").read_text())["result"] == "pass"
    assert len([*(tmp_path / "runs").glob("*/run.json")]) == 1


def test_a_document_on_stdout_is_printed_all_the_same(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["rules", "bp", "-q", "--json", "-"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["rules"][0]["name"] == "bp" and err == ""


def test_an_error_is_told_quietly_too(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-q", "--rule", "dfb"]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.startswith("hil: unknown rule 'dfb'")


def test_progress_of_a_table_is_quiet_as_well(
    capfd: pytest.CaptureFixture[str], host_cc: str
) -> None:
    given = ["--only", "host", "--rules", "bp", "--network", "64-8-10", "--steps", "3"]
    assert main(["bench", "targets", *given, "-q"]) == 0
    assert capfd.readouterr() == ("", "")


PROGRAM = """\
import hil, numpy as np
x, y = np.random.default_rng(1).normal(size=(20, 4)), np.arange(20) % 2
hil.run(data=(x, y), target="host", network=(4, 3, 2), steps=5, test=2, out="runs")
with hil.open(target="host", network=(4, 3, 2), out="runs") as device:
    device.partial_fit(x, y)
"""


def test_a_program_that_uses_hil_sees_nothing_of_it(
    tmp_path: Path, host_cc: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_stages_and_conversions_are_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, host_cc: str
) -> None:
    caplog.set_level(logging.INFO, "hil")
    x, y = np.random.default_rng(1).normal(size=(20, 4)), np.arange(20) % 2
    asked = {"target": "host", "network": (4, 3, 2), "steps": 5, "test": 2}
    hil.run(data=(x, y), out=tmp_path, **asked)
    said = [(r.name, r.levelno, r.getMessage()) for r in caplog.records]
    assert {(name, level) for name, level, _ in said} == {("hil.run", logging.INFO)}
    texts = [text for _, _, text in said]
    stages = [text.partition(":")[0] for text in texts]
    for stage in ("data", "build", "hello", "learn", "test"):
        assert stage in stages
    assert any("x is float64: travels as" in text for text in texts)
    caplog.clear()
    with hil.open(target="host", network=(4, 3, 2), out=tmp_path) as device:
        device.partial_fit(x, y)
    of_data = [r.getMessage() for r in caplog.records if r.name == "hil.data"]
    assert of_data == ["x is float64: travels as float32"]


def test_nothing_is_printed_where_nobody_has_configured_logging() -> None:
    assert any(
        isinstance(h, logging.NullHandler) for h in logging.getLogger("hil").handlers
    )
