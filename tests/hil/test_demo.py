"""hil demo: the demos that ship, and one that a user has made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from hil import demo as demos
from hil.cli import main
from hil.experiment import load
from hil.learning.progress import Progress
from hil.records.continual import separation
from hil.records.record import DEMO
from hil.verbs.demo import shown
from tests.hil import own_demo
from tests.hil.own_demo import edited

pytestmark = pytest.mark.usefixtures("host_cc")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's own demo."""
    return own_demo.write(tmp_path)


def test_every_arm_of_ones_own_demo_is_an_ordinary_run(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", str(own), "--out", str(tmp_path), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((Path(document["folder"]) / DEMO).read_text())
    assert list(document["arms"]) == ["learning", "frozen", "later"]
    learning, frozen, later = document["arms"].values()
    assert [run["compared"] for run in document["arms"].values()] == [90] * 3
    assert frozen["accuracy"]["matrix"][0] == frozen["accuracy"]["matrix"][1]
    assert learning["accuracy"]["matrix"][0] == frozen["accuracy"]["matrix"][0]
    assert later["accuracy"]["initial"] == learning["accuracy"]["matrix"][-1]
    assert document["metrics"] == {
        "learning": learning["accuracy"]["matrix"][1][1],
        "frozen": frozen["accuracy"]["matrix"][1][1],
        "later_recovery_steps": None,
    }
    assert document["provenance"]["metrics"] == "emulated"


@pytest.mark.parametrize("scaled", ["", 'scaler = "standard"'])
def test_what_an_arm_did_can_be_done_again_by_hil_run(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], scaled: str
) -> None:
    edited(own, "[arms.frozen]", f"[arms.frozen]\n{scaled}")
    outcome = demos.run(demos.find(str(own)), {}, tmp_path / "runs", Progress())
    frozen = outcome.arms["frozen"]
    again = str(frozen.folder / "experiment.toml")
    assert main(["run", again, "--out", str(tmp_path), "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == frozen.digest


def test_a_parameter_that_is_given_leaves_an_arm_its_own(own: Path) -> None:
    edited(own, "[arms.frozen]", '[arms.frozen]\nparameters = { feedback = "uniform" }')
    edited(own, 'rule = "readout"', 'rule = "dfa"')
    asked = {"parameters": {"feedback_scale": 2}}
    ready = demos.check(demos.find(str(own)), asked)
    learning, frozen = (
        ready.lessons[arm].spec.rule.parameters for arm in ("learning", "frozen")
    )
    assert learning == asked["parameters"] == ready.given["parameters"]
    assert frozen == {"feedback": "uniform", "feedback_scale": 2}


def test_seeds_are_tabulated(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(own, '[arms.later]\nafter = "learning"\nrule = "readout"\n', "")
    edited(own, 'later_recovery_steps = "steps until it was as good again"\n', "")
    page = own.with_name("own.py")
    edited(page, '"later_recovery_steps": arms["later"].recovery("two")', "")
    asked = ["demo", str(own), "--out", str(tmp_path), "--seeds", "2", "--chunk", "24"]
    assert main(asked) == 0
    runs = [load(path) for path in tmp_path.rglob("experiment.toml")]
    assert [one.chunk for one in runs] == [24] * 4, "each sends its samples in parts"
    lines = capsys.readouterr().out.splitlines()
    assert any("right before learned, arm frozen (majority" in line for line in lines)
    head = next(
        n for n, line in enumerate(lines) if "seed 2" in line and "mean" in line
    )
    assert [line.split()[0] for line in lines[head + 1 :]] == ["learning", "frozen"]


def test_the_demos_that_ship_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    said = capsys.readouterr().out
    for demo in demos.shipped():
        assert demo.title in said
        assert demo.module() is not None
        assert len(demo.page.read_text().splitlines()) < 90, "a page of Python"


def test_figures_of_cycles_are_tried_before_a_device_keeps_any() -> None:
    """The demo of what a step's cycles are, on made-up ones."""
    ready = demos.check(demos.find("phases"), {"target": "host"})
    assert [lesson.spec.rule.name for lesson in ready.lessons.values()] == [
        "kinase", "generec", "eqprop",
    ]  # fmt: skip


def test_a_difference_of_shares_is_shown_in_points() -> None:
    assert shown("margin_points", 0.5771) == "+57.7"
    assert shown("forgotten_points", -0.01) == "-1.0"
    assert shown("before_drift", 0.5771) == "57.7%"
    assert shown("recovery_steps", 1437) == "1,437"
    assert shown("strange_loss", 22.138) == "22.14"


def test_where_normal_is_other_learning_tells_strange_from_it(tmp_path: Path) -> None:
    anomaly = demos.find("anomaly")
    outcome = demos.run(anomaly, {"target": "host"}, tmp_path, Progress())
    found = outcome.metrics
    assert all(record.compared == record.steps for record in outcome.arms.values())
    assert set(found) == set(anomaly.metrics)
    assert found["auc_learning"] > 0.7 > 0.6 > found["auc_frozen"]
    assert found["margin_points"] == found["auc_learning"] - found["auc_frozen"] > 0.2


@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
)
def test_separation_is_scikit_learns(strange: list[int], normal: list[int]) -> None:
    kinds = [1] * len(strange) + [0] * len(normal)
    right = roc_auc_score(kinds, strange + normal)
    assert separation(strange, normal) == pytest.approx(right)
    assert separation(strange, []) is separation([], normal) is None


def test_after_the_drift_learning_beats_frozen(tmp_path: Path) -> None:
    drift = demos.find("drift")
    metrics = demos.run(drift, {"target": "host"}, tmp_path, Progress()).metrics
    promised = {
        "before_drift", "after_drift_frozen", "after_drift_learning",
        "back_again_learning", "recovery_steps",
    }  # fmt: skip
    assert promised <= set(metrics)
    assert metrics["margin_points"] is not None and metrics["margin_points"] > 0.4
    assert metrics["forgotten_points"] is not None and metrics["forgotten_points"] > 0


def test_a_demo_is_copied_to_begin_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "drift", "--copy", str(tmp_path / "mine")]) == 0
    copied = demos.find(str(tmp_path / "mine" / "drift.toml"))
    assert copied.module().streams(1)["digits"].parts[0].name == "upright"
    assert main(["demo", "drift", "--copy", str(tmp_path / "mine")]) == 2
    assert "exists already" in capsys.readouterr().err


def test_an_unknown_demo_and_a_missing_page_are_refused(
    own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "drfit"]) == 2
    assert "did you mean 'drift'?" in capsys.readouterr().err
    own.with_name("own.py").unlink()
    assert main(["demo", str(own)]) == 2
    assert "it makes the stream" in capsys.readouterr().err


def test_a_demo_whose_arm_fails_keeps_what_there_is(own: Path, tmp_path: Path) -> None:
    wild = 'output = "identity"\nactivation = "relu"\nlr = 1e30'
    edited(own, "[arms.frozen]", f"[arms.frozen]\n{wild}")
    outcome = demos.run(demos.find(str(own)), {}, tmp_path, Progress())
    assert outcome.exit_code == 7
    document = json.loads((outcome.folder / DEMO).read_text())
    assert (document["result"], document["exit_code"]) == ("error", 7)
    assert document["arms"]["learning"]["result"] == "pass"
