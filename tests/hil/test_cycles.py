"""What a run of a rule that settles leaves of one step's cycles, and the pictures of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from codegen.reference import Learner
from codegen.rendering import render
from hil import Experiment, reports, run
from hil.cli import main
from hil.demo.arm import Arm
from hil.errors import UsageError
from hil.learning import cycles as learning
from hil.lesson.building import plan_for
from hil.lesson.preparing import prepare
from hil.records.record import CYCLES, RunRecord
from hil.reports import cycles, runs

pytestmark = pytest.mark.usefixtures("host_cc")
ASKED = Experiment(
    target="host", network=(64, 17, 10), steps=12, test=8, parameters={"trace": "on"}
)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> RunRecord:
    """A run of kinase."""
    asked = ASKED.override({"rule": "kinase"})
    return run(asked, out=tmp_path_factory.mktemp("runs"))


def kept(record: RunRecord) -> dict[str, np.ndarray]:
    with np.load(record.folder / CYCLES) as found:
        return dict(found)


def test_a_step_is_done_once_more_from_both_ends_of_learning(record: RunRecord) -> None:
    """By the weights before and after it, on the first sample; the run's own end is as
    if nobody had looked."""
    asked = ASKED.override({"rule": "kinase"})
    lesson, plain = (
        prepare(asked),
        prepare(asked.override({"parameters": {"trace": "off"}})),
    )
    found, learner = kept(record), Learner(plain.spec)
    for step in range(lesson.steps):
        learner.step(*plain.sample(step), plain.eta(step))
    assert record.digest == f"{learner.digest():08x}"
    again = Learner(lesson.spec)
    for when, state in (("before", again.snapshot()), ("after", learner.snapshot())):
        again.load(state)
        again.step(*lesson.sample(0), lesson.eta(0))
        for name in ("trace1", "trace2", "trace_cam2", "trace_cap1", "trace_cad2"):
            assert np.array_equal(found[f"{when}_{name}"], again.trace[name])
        assert np.array_equal(found[f"{when}_moved"], again.state["W2"] - state["W2"])
    assert int(found["target"].argmax()) == lesson.label(0)


def test_a_rule_that_keeps_nothing_leaves_nothing(tmp_path: Path) -> None:
    record = run(
        ASKED.override({"rule": "generec", "parameters": {"trace": "off"}}),
        out=tmp_path,
    )
    assert record.result == "pass"
    assert not (record.folder / CYCLES).exists()
    with pytest.raises(UsageError, match="arm 'mine' has kept no cycles"):
        Arm("mine", record.to_json()).cycles("before")


@pytest.mark.parametrize("asked", [{"format": "i16"}, {"rule": "stdp-wta"}])
def test_what_else_outlives_a_step_is_not_taken_for_cycles(
    asked: dict[str, str],
) -> None:
    """The outputs of a network of integers, which have no row a cycle."""
    lesson = prepare(Experiment(target="host", network=(64, 17, 10)).override(asked))
    planned = plan_for(lesson)
    assert [t.name for t in planned.readable if t.kept] == ["p"]
    assert not learning.kept(lesson, planned)


def test_over_a_faulty_line_the_cycles_are_the_same(tmp_path: Path) -> None:
    """A device that loses its power on purpose is not asked for them."""
    faults = None, "drop=0.05,flip=0.001,unplug=0.01,seed=2", "cut=0.1,seed=4"
    clean, faulty, cut = (
        run(ASKED.override({"rule": "generec", "faults": fault}), out=tmp_path)
        for fault in faults
    )
    assert {one.result for one in (clean, faulty, cut)} == {"pass"}
    assert clean.digest == faulty.digest == cut.digest
    assert not (cut.folder / CYCLES).exists()
    found = kept(faulty)
    for name, values in kept(clean).items():
        assert np.array_equal(found[name], values)


def test_a_device_that_keeps_other_cycles_than_it_has_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though every step is right, and nothing else would notice."""
    right = render.render_network

    def wrong(plan: object) -> dict[str, str]:
        files = right(plan)  # type: ignore[arg-type]
        row = "trace1 + 17 * (8 + cycle)"
        assert row in files["net.c"]
        files["net.c"] = files["net.c"].replace(row, "trace1 + 17 * (7 + cycle)")
        return files

    monkeypatch.setattr(render, "render_network", wrong)
    record = run(ASKED.override({"rule": "generec"}), out=tmp_path)
    assert (record.result, record.exit_code) == ("fail", 1)
    assert record.divergence is not None
    assert record.divergence["tensor"] == "trace1"
    assert not (record.folder / CYCLES).exists()


def test_a_step_is_drawn_before_and_after_learning(record: RunRecord) -> None:
    (told,) = runs.load([record.folder]).runs
    before, after = cycles.of_run(told)
    assert [p.name for p in (before, after)] == ["cycles-before-1", "cycles-after-1"]
    assert {kind for p in (before, after) for kind in p.kinds} == {"emulated"}
    text = str(before.svg())
    for word in ("settling", "minus", "plus", "CaM", "CaP", "CaD", "CaP - CaD"):
        assert word in text
    right = int(kept(record)["target"].argmax())
    moved = kept(record)["before_moved"][:, right]
    sender = int(np.abs(moved).argmax())
    assert (
        f"hidden unit {sender} to output {right} gets {moved[sender]:+.4f}"
        in before.note
    )
    page = reports.write([record.folder]).read_text("utf-8")
    assert len(re.findall("The cycles of one step, (?:before|after)", page)) >= 2


@pytest.mark.parametrize("rule", ["chl", "eqprop"])
def test_other_rules_that_settle_are_drawn_too(tmp_path: Path, rule: str) -> None:
    asked = ASKED.override({"rule": rule, "network": "64-10", "steps": 2, "test": 0})
    (told,) = runs.load([run(asked, out=tmp_path).folder]).runs
    pictures = list(cycles.of_run(told))
    assert len(pictures) == 2
    assert "from input" in pictures[0].note


def test_a_file_of_cycles_that_is_none_is_refused_in_a_sentence(
    record: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "metrics.jsonl", "experiment.toml"):
        (folder / name).write_bytes((record.folder / name).read_bytes())
    np.savez(folder / CYCLES, before_trace1=np.zeros(3, np.float32))
    assert main(["report", str(folder)]) == 2
    assert "before_trace1 [3]: expected what each unit" in capsys.readouterr().err


def test_cycles_of_other_phases_than_the_rules_are_not_drawn(
    record: RunRecord, tmp_path: Path
) -> None:
    """Another version of hil may have had others."""
    (told,) = runs.load([record.folder]).runs
    document = {**told.document, "parameters": {"cycles": 44}}
    assert not list(cycles.of_run(runs.Run(told.folder, document)))
