"""hil demo --new: a demo of one's own data, by docs/demos.md alone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from hil import datasets
from hil import demo as demos
from hil.cli import main
from hil.demo import Part
from hil.errors import DataError, UsageError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "demos.md").read_text("utf-8")
STEPS = PAGE.partition("## Your own data in ten minutes")[2].partition("\n## ")[0]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def blocks(name: str) -> str:
    """The text that the page shows of a file."""
    found = re.search(rf"`{name}`:\n\n((?:    .*\n|\n)+)", STEPS)
    assert found is not None
    return re.sub(r"^    ", "", found[1], flags=re.M).strip("\n") + "\n"


def commands() -> list[list[str]]:
    """What the page has one type."""
    found = re.findall(r"^    \$ hil (.*?)(?:  +#.*)?$", STEPS, flags=re.M)
    return [line.split() for line in found]


@pytest.mark.usefixtures("host_cc")
def test_the_steps_of_the_page_end_in_ones_own_demo(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Typed as they stand there, with a small table, and the one change of the page."""
    shutil.copy(ROOT / "examples" / "iris.csv", here / "flowers.csv")
    old, new = re.findall(r"^    ([-+]) (.*)$", STEPS, flags=re.M)
    typed = commands()
    assert [words[:2] for words in typed] == [
        ["data", "flowers.csv"], ["demo", "--new"], ["demo", "mine.toml"],
        ["demo", "--again"],
    ]  # fmt: skip
    for words in typed[:3]:
        assert main(words) == 0, words
    schema, shown = (here / "mine.toml").read_text("utf-8").split("\n", 1)
    assert schema.startswith("#:schema file://") and shown == blocks("mine.toml")
    assert (here / "mine.py").read_text("utf-8") == blocks("mine.py")
    page = here / "mine.py"
    assert old[1] in page.read_text("utf-8")
    page.write_text(page.read_text("utf-8").replace(old[1], new[1]), "utf-8")
    folder = next(here.glob("runs/*-demo-mine"))
    before = json.loads((folder / "demo.json").read_text())
    assert main(["demo", "--again", str(folder)]) == 0
    after = json.loads((folder / "demo.json").read_text())
    assert (
        after["metrics"] == before["metrics"] and after["verdict"] != before["verdict"]
    )
    assert after["provenance"]["metrics.majority"] == "reference"
    for share in ("learning", "frozen"):
        assert f"{before['metrics'][share]:.1%}" in STEPS


def test_a_new_demo_writes_over_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "mine.py").write_text("mine")
    assert main(["demo", "--new", "mine"]) == 2
    assert "'mine.py' exists already" in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["mine.py"]
    assert main(["demo", "drift", "--new", "other"]) == 2
    assert main(["demo", "--new", "a/../b c"]) == 2
    assert main(["demo", "--new", "other", "--lr", "1"]) == 2
    assert main(["demo", "drift", "--data", "a.csv"]) == 2
    assert "--new NAME --data FILE begins" in capsys.readouterr().err


def test_without_data_it_names_the_file_that_is_still_to_come(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--new", "some/where/my-own.toml"]) == 0
    assert "put mine.csv beside them" in capsys.readouterr().out
    own = here / "some" / "where"
    assert sorted(path.name for path in own.iterdir()) == ["my-own.toml", "my_own.py"]
    assert main(["demo", str(own / "my-own.toml")]) == 2
    assert f"there is no data file '{own / 'mine.csv'}'" in capsys.readouterr().err
    (own / "mine.csv").write_text("a,b,y\n" + "1,2,0\n2,3,1\n" * 20)
    assert demos.check(demos.find(str(own / "my-own.toml")), {}).lessons["frozen"]


@pytest.mark.parametrize("name", ['we"ird.npz', "b'c.npz", "sub/x.npz", "../x.npz"])
def test_data_are_found_from_wherever_the_demo_lies(here: Path, name: str) -> None:
    (here / "at" / "sub").mkdir(parents=True)
    rng = np.random.default_rng(1)
    x = rng.integers(0, 9, (50, 2, 3)).astype(np.uint8)
    np.savez(here / "at" / name, x=x, y=rng.integers(0, 3, 50))
    assert main(["demo", "--new", "demos/mine", "--data", f"at/{name}"]) == 0
    ready = demos.check(demos.find("demos/mine.toml"), {"target": "host"})
    before, after = ready.streams["mine"].parts
    assert len(before.x) == len(after.x) == 20
    assert (before.x[:4] == x[:4].reshape(4, 6)).all(), "in the order of the file"
    scaler = ready.lessons["learning"].spec.inputs.scaler
    assert scaler is not None
    means = before.x.mean(axis=0, dtype=np.float64).astype(np.float32)
    assert np.allclose(scaler.offsets, means), "of the first half alone"


def test_data_that_no_new_demo_can_have_are_refused_before_anything_is_written(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "numbers.csv").write_text("a,b,y\n" + "1,2,0.5\n2,3,1.5\n" * 9)
    (here / "gap.csv").write_text("a,b,y\n1,,0\n2,3,1\n")
    for name, said in (
        ("numbers.csv", "have numbers to learn"),
        ("gap.csv", "line 2, column 'b' has no value"),
        ("none.csv", "there is no data file 'none.csv'"),
    ):
        assert main(["demo", "--new", "mine", "--data", name]) == 2
        assert said in capsys.readouterr().err
        assert not (here / "mine.toml").exists()


def test_a_file_in_its_order_is_all_of_it(here: Path) -> None:
    x = np.arange(30, dtype=np.float32).reshape(10, 3)
    np.savez("a.npz", x=x, y=np.repeat([4, 7], 5))
    found, labels = datasets.in_order("a.npz")
    assert (found == x).all() and labels.tolist() == [0] * 5 + [1] * 5
    np.savez("b.npz", x=x, y=np.arange(10) % 2, x_test=x[:2], y_test=[0, 1])
    assert len(datasets.in_order("b.npz")[0]) == 10
    with pytest.raises(DataError, match="there is no data file"):
        datasets.in_order("c.npz")


def test_a_part_keeps_every_so_manieth_sample_apart(here: Path) -> None:
    x, y = np.arange(14).reshape(7, 2), np.arange(7)
    part = Part.tested("one", x, y, every=3)
    assert part.test is not None
    assert part.y.tolist() == [0, 1, 3, 4, 6] and part.test[1].tolist() == [2, 5]
    assert (part.x == x[part.y]).all() and (part.test[0] == x[[2, 5]]).all()
    for every, labels in ((1, y), (8, y), (3, y[:5])):
        with pytest.raises(UsageError, match="every is"):
            Part.tested("one", x, labels, every=every)
