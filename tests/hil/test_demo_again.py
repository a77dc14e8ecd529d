"""hil demo --again: figures, verdict and report from the records of a demo's arms."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from hil import demo as demos
from hil.cli import main
from hil.errors import UsageError
from hil.learning.progress import Progress
from hil.records.record import DEMO
from tests.hil import own_demo
from tests.hil.own_demo import edited

pytestmark = pytest.mark.usefixtures("host_cc")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a demo and, in `runs`, what became of it."""
    folder = tmp_path_factory.mktemp("learned")
    demo = demos.find(str(own_demo.write(folder)))
    demos.run(demo, {"seed": 3, "network": (64, 12, 10)}, folder / "runs", Progress())
    return folder


@pytest.fixture
def mine(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, where no compiler and no emulator is found; the demo's TOML."""
    shutil.copytree(learned, tmp_path / "mine")
    (tmp_path / "nothing").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.setenv("HIL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "mine" / "own.toml"


def folder_of(mine: Path) -> Path:
    """The demo's folder."""
    return next(mine.parent.glob("runs/*"))


def test_a_figure_that_was_changed_needs_no_device(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(mine)
    before = json.loads((folder / DEMO).read_text())
    edited(mine, 'frozen = "the second', 'gain_points = "gained"\nfrozen = "the second')
    page = mine.with_name("own.py")
    edited(
        page,
        '"frozen":',
        '"gain_points": arms["learning"].losses("two")[-1],\n"frozen":',
    )
    edited(page, "and {m", "against {m")
    (folder / "report.html").unlink()
    assert main(["demo", str(mine), "--again", str(folder), "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads((folder / DEMO).read_text())
    assert list(document["metrics"])[1] == "gain_points"
    assert {**before["metrics"], **document["metrics"]} == document["metrics"]
    assert "against" in document["verdict"] and "against" not in before["verdict"]
    assert document["seconds"] == before["seconds"] and document["seed"] == 3
    for name, arm in document["arms"].items():
        assert {**arm, "folder": ""} == {**before["arms"][name], "folder": ""}
    assert "gained" in (folder / "report.html").read_text().lower()


def test_a_demo_names_its_files_itself(
    mine: Path, learned: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(mine)
    assert main(["demo", "--again", str(folder)]) == 0
    assert "nothing was learned" in capsys.readouterr().out
    document = json.loads((folder / DEMO).read_text())
    assert document["file"] == str(learned / "own.toml")
    (folder / DEMO).write_text(json.dumps({**document, "file": "/gone/own.toml"}))
    assert main(["demo", "--again", str(folder)]) == 2
    assert "hil demo FILE.toml --again FOLDER" in capsys.readouterr().err


def test_figures_that_failed_at_the_end_are_had_from_the_records(mine: Path) -> None:
    folder = folder_of(mine)
    document = json.loads((folder / DEMO).read_text())
    failed = {"result": "error", "exit_code": 2, "metrics": {}, "verdict": ""}
    (folder / DEMO).write_text(json.dumps({**document, **failed}))
    outcome = demos.again(folder, demos.find(str(mine)))
    assert outcome.metrics == document["metrics"] and outcome.exit_code == 0
    assert json.loads((folder / DEMO).read_text())["result"] == "pass"


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("own.toml", "lr = 0.05", "lr = 0.06", "arm 'learning' .* lr = 0.05, .* 0.06 now"),
        ("own.toml", 'freeze = "one"', 'freeze = ""', "freeze = 40, .* freeze = 0 now"),
        ("own.toml", 'freeze = "one"\n', "", "freeze = 40, .* no freeze now"),
        ("own.toml", 'after = "learning"', 'after = "frozen"', "save = 'learned-l"),
        ("own.toml", "lr = 0.05", 'lr = 0.05\nschedule = "sequential"', "schedule = "),
        ("own.toml", "[arms.later]", "[arms.latter]", "no record of arm 'latter'"),
        ("own.toml", '[arms.frozen]\nfreeze = "one"\n', "", "arm 'frozen', which demo"),
        ("own.py", "train_x[:40]", "train_x[:40] + 1", "'digits' .* its x is another"),
        ("own.py", "test_y[:60]", "test_y[1:61]", "'digits' .* its y_test is another"),
        ("own.py", "inputs.scale)", "inputs.scale / 2)", "its scale is another"),
        ("own.py", '"digits": S', '"letters": S', "data = 'digits.npz', .* 'letters"),
        ("own.py", 'recovery("two")', 'recovery("tow")', "has no task 'tow'"),
    ],
)  # fmt: skip
def test_what_the_records_are_not_of_is_refused_and_nothing_is_lost(
    mine: Path, name: str, old: str, new: str, said: str
) -> None:
    folder = folder_of(mine)
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    edited(mine.with_name(name), old, new)
    with pytest.raises(UsageError, match=said):
        demos.again(folder, demos.find(str(mine)))
    assert before == {p: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_an_arm_that_did_not_pass_has_no_figures(mine: Path) -> None:
    folder = folder_of(mine)
    record = next(folder.glob("*-own-frozen")) / "run.json"
    document = json.loads(record.read_text())
    error = {"sentence": "the line went away", "hints": []}
    record.write_text(json.dumps({**document, "result": "error", "error": error}))
    with pytest.raises(UsageError, match="'frozen' did not pass: the line went away"):
        demos.again(folder, demos.find(str(mine)))


def test_a_folder_of_something_else_and_flags_of_learning_are_refused(
    mine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arm = next(folder_of(mine).glob("*-own-frozen"))
    for arguments, said in (
        ([str(arm)], "is the folder of a run"),
        ([str(mine.parent)], "is no folder of a run or a demo"),
        ([str(folder_of(mine)), "--lr", "1"], "--lr is given, but with --again"),
        ([str(folder_of(mine)), "--seeds", "2"], "not allowed with argument"),
    ):
        assert main(["demo", "--again", *arguments]) == 2
        assert said in capsys.readouterr().err


def test_a_stream_that_is_gone_is_said(mine: Path) -> None:
    folder = folder_of(mine)
    np.savez(folder / "digits.npz", x=np.zeros(3))
    with pytest.raises(UsageError, match="its scale is another"):
        demos.again(folder, demos.find(str(mine)))
    (folder / "digits.npz").unlink()
    with pytest.raises(UsageError, match="there is no stream"):
        demos.again(folder, demos.find(str(mine)))
