"""hil report: whole in itself, true to the record, and never a figure without kind.

More than 400 lines because its tests share runs that take seconds to make.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import reports
from hil.cli import main
from hil.errors import UsageError
from hil.experiment import load
from hil.lesson.building import plan_for
from hil.lesson.preparing import prepare
from hil.records import continual
from hil.records import record as records
from hil.records.record import KINDS as EVERY_KIND
from hil.records.record import RunRecord
from hil.reports import bill, curves, runs
from hil.reports.provenance import Number, require
from hil.reports.steps import windowed

LAYERS = 3
KINDS = records.provenance("qemu")


def lines(steps: int, seed: int, layers: int = LAYERS, **extra: Any) -> str:
    """metrics.jsonl of a device that gets better, with a setback half-way."""
    random = np.random.default_rng(seed)
    written, right = [], 0
    for step in range(steps):
        since = step if step < steps // 2 else step - steps // 2
        good = 0.95 - 0.85 * np.exp(-since / (steps / 12))
        label = int(random.integers(10))
        hit = bool(random.random() < good)
        predicted = label if hit else int((label + random.integers(1, 10)) % 10)
        right += hit
        line = {
            "step": step, "loss": float(3 * (1 - good) + 0.4 * random.random()),
            "correct": hit, "prequential": right / (step + 1), "eta": 0.03,
            "digest": None, "instructions": None, "threshold": None, "label": label,
            "predicted": predicted, "confidence": float(min(1, 0.3 + 0.7 * good * random.random() ** 0.3)),
            "task": 0 if step < steps // 2 else 1, **extra,
        }  # fmt: skip
        if step % 20 == 19:
            fall = float(np.exp(-step / steps))
            line["health"] = {
                "angle": [*(60 + 25 * fall + random.normal(size=layers - 1)), 0.0001],
                "update_norm": list(0.3 * fall * random.uniform(0.6, 1, layers)),
                "weight_norm": list(5 + np.arange(layers) + step / steps),
                "active": list(random.uniform(0.4, 1, layers)),
                "saturation": list(random.uniform(0, 0.3, layers - 1)),
            }
        written.append(json.dumps(line))
    return "".join(f"{line}\n" for line in written)


def make_run(
    folder: Path,
    *,
    steps: int = 300,
    seed: int = 1,
    inputs: int = 64,
    **changes: Any,
) -> Path:
    """A run's folder as `hil run` leaves one, its record changed as told."""
    folder.mkdir(parents=True)
    experiment = {
        "name": folder.name, "target": "qemu-rv64gcv", "rule": "dfa", "seed": seed,
        "network": [inputs, 32, 16, 10], "data": "digits", "steps": steps,
    }  # fmt: skip
    record = RunRecord(
        folder=folder, target="qemu-rv64gcv", vlen=256, rule="dfa", parameters={},
        network=(inputs, 32, 16, 10), activation="tanh", output="sigmoid",
        data="digits", seed=seed, steps=steps, experiment=experiment,
        result="pass", exit_code=0, learned=steps, compared=steps, digest="0123abcd",
        provenance=KINDS,
    )  # fmt: skip
    record.accuracy = {
        "test": 0.8611111111111112, "prequential": 0.7233333333333334, "tested": 360,
    }  # fmt: skip
    record.versions = {"hil": "0.1.0", "numpy": "1.26.4"}
    for name, value in changes.items():
        if hasattr(record, name):
            setattr(record, name, value)
    document = {**record.to_json(), **changes}
    (folder / records.FILE).write_text(json.dumps(document))
    (folder / records.METRICS).write_text(lines(steps, seed))
    (folder / records.EXPERIMENT).write_text(
        f'network = "{inputs}-32-16-10"\nsteps = {steps}\nseed = {seed}\n'
    )
    random = np.random.default_rng(seed)
    before = random.uniform(-0.2, 0.2, (inputs, 32)).astype(np.float32)
    ramp = np.sin(np.arange(inputs) / 3.0)[:, None] * random.uniform(-0.6, 0.6, 32)
    np.savez(folder / records.FIRST_LAYER, before=before, after=(before / 3 + ramp).astype(np.float32))  # fmt: skip
    return folder


def keep_from_lines(folder: Path, key: str) -> None:
    """Take a key out of a run's metrics.jsonl."""
    path = folder / records.METRICS
    told = [json.loads(line) for line in path.read_text().splitlines()]
    for line in told:
        line.pop(key, None)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in told))


def with_tasks(steps: int = 300, name: str = "rotated by 45°") -> dict[str, Any]:
    """What a stream of two tasks adds to a record."""
    half = steps // 2
    return {
        "tasks": [
            {"name": "upright", "first": 0, "end": half, "tested": 100},
            {"name": name, "first": half, "end": steps, "tested": 100},
        ],
        "accuracy": {
            "test": 0.88, "prequential": 0.71, "tested": 400, "part": "test",
            "matrix": [[0.91, 0.34], [0.62, 0.88]], "initial": [0.08, 0.11],
        },
        "metrics": {
            "windowed": 0.93, "fading": 0.925, "average_accuracy": 0.75, "forgetting": 0.29,
            "backward_transfer": -0.29, "forward_transfer": 0.23, "calibration_error": 0.0512,
            "recovery_steps": [131], "prequential_by_task": [0.7, 0.72],
        },
        "provenance": {**KINDS, "metrics": "emulated", "tasks": "counted"},
    }  # fmt: skip


def make_demo(folder: Path, metrics: Mapping[str, Any] | None = None) -> Path:
    """A demo's folder with two arms."""
    shown = {"before_drift": 0.91, "after_drift_frozen": 0.34,
             "after_drift_learning": 0.88, "recovery_steps": 131}  # fmt: skip
    arms = {}
    for seed, arm in enumerate(("learning", "frozen"), 1):
        run = make_run(folder / f"20260101-000000-{arm}", seed=seed, **with_tasks())
        arms[arm] = json.loads((run / records.FILE).read_text())
    document = {
        "schema": 1, "demo": "drift", "title": "A world that turns", "result": "pass",
        "exit_code": 0, "error": None, "folder": str(folder), "report": None,
        "arms": arms, "metrics": metrics or shown,
        "provenance": {"metrics": "emulated", "metrics.recovery_steps": "counted"},
        "seconds": 12.5,
    }  # fmt: skip
    (folder / records.DEMO).write_text(json.dumps(document))
    return folder


class Page(HTMLParser):
    """A page as a browser takes it apart: `text`; every attribute, style included;
    for every figure, row and card what number or picture `shown` it has, and the
    kinds that stand in it."""

    VOID = ("meta", "br", "image", "use", "path", "rect", "link", "img", "input")

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.kinds: list[set[str]] = []
        self.shown: list[str] = []
        self._open: list[tuple[str, str]] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        given = dict(attrs)
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self._open.append((tag, given.get("class") or ""))
        numbers = tag == "td" and "n" in (given.get("class") or "").split()
        if tag in ("figure", "tr", "dd"):
            self.kinds.append(set())
            self.shown.append("")
        elif numbers or tag in ("svg", "b"):
            self.shown[-1] = tag

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open and self._open[-1][1] == "kind":
            self.kinds[-1].add(data.partition(":")[0])


def read(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a demo with two arms."""
    return read(reports.write([make_demo(tmp_path_factory.mktemp("demo") / "drift")]))


def test_a_page_asks_nobody_for_anything(shown: Page) -> None:
    assert not shown.tags & {"script", "link", "iframe", "object", "img", "base"}
    for name, value in shown.attributes:
        assert "//" not in value or value.startswith("data:image/png;base64,"), name
        if name in ("href", "src", "xlink:href", "action", "data"):
            assert value.startswith(("#", "data:"))
    assert "@import" not in shown.text and "http" not in shown.text


def test_pictures_refer_to_what_they_hold(shown: Page) -> None:
    ids = [value for name, value in shown.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    for name, value in shown.attributes:
        if name.endswith("href") and value.startswith("#"):
            assert value[1:] in ids
        elif name == "clip-path":
            assert value.removeprefix("url(#").removesuffix(")") in ids


def test_every_figure_says_how_it_was_obtained(shown: Page) -> None:
    together = zip(shown.shown, shown.kinds, strict=True)
    holders = [kinds for what, kinds in together if what]
    assert {"td", "svg", "b"} <= set(shown.shown)
    for kinds in holders:
        assert kinds and kinds <= set(EVERY_KIND)


def test_a_demo_shows_its_arms_side_by_side(shown: Page) -> None:
    for text in (
        "A world that turns", "learning", "frozen", "91.00\xa0%", "rotated by 45°",
        "Accuracy per task", "Confusion matrix", "Calibration", "First-layer weights",
        "Angle to the true gradient", "RAM: learning and inference", "Link and faults",
        "hil demo drift", 'network = "64-32-16-10"', "Versions",
    ):  # fmt: skip
        assert text in shown.text, text


def test_letters_and_colours_of_pictures_are_the_pages(shown: Page) -> None:
    styles = [value for name, value in shown.attributes if name == "style"]
    assert any("var(--c0)" in style for style in styles)
    assert any("var(--sans)" in style for style in styles)
    assert not any("#0072b2" in style or "DejaVu" in style for style in styles)


def test_a_record_without_provenance_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kinds = {name: kind for name, kind in KINDS.items() if name != "link"}
    folder = make_run(tmp_path / "run", provenance=KINDS)
    document = json.loads((folder / records.FILE).read_text())
    (folder / records.FILE).write_text(json.dumps({**document, "provenance": kinds}))
    assert main(["report", str(folder)]) == 2
    assert "figure 'link.frames' has no provenance" in capsys.readouterr().err
    assert not (folder / reports.PAGE).exists()
    with pytest.raises(UsageError, match="guessed"):
        Number(1.0, "1", "guessed")


@pytest.mark.parametrize("kinds", [(), ("",), ("guessed",), ("counted", "")])
def test_a_figure_says_how_it_was_obtained_or_is_refused(
    kinds: tuple[str, ...],
) -> None:
    with pytest.raises(UsageError, match=r"figure '7' has (no )?provenance"):
        require(kinds, "figure '7'")
    require(("counted", "measured"), "figure '7'")


def test_hostile_names_are_text(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> $\\frac{1}{2}$ & \"'"
    tasks = with_tasks(name=hostile)
    changed = {**tasks, "experiment": {"name": hostile}, "data": hostile}
    folder = make_run(tmp_path / "run", **changed, error={"sentence": hostile, "hints": []})  # fmt: skip
    other = make_run(tmp_path / "other", **with_tasks())
    for run in (folder, other):
        keep_from_lines(run, "health")
    found = read(reports.write([folder, other], tmp_path / "page.html"))
    assert "script" not in found.tags
    assert hostile in found.text


def test_a_run_without_health_tasks_and_weights(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    (folder / records.FIRST_LAYER).unlink()
    keep_from_lines(folder, "health")
    found = read(reports.write([folder]))
    assert "Accuracy before learning" in found.text
    for text in ("Angle", "R matrix", "First-layer"):
        assert text not in found.text


def test_a_device_that_rehearses_lies_beside_one_that_does_not(tmp_path: Path) -> None:
    plain = make_run(tmp_path / "plain", steps=60, **with_tasks(60))
    pace = {"experiment": {"rehearsal": 8, "rehearse": 1}}
    folder = make_run(tmp_path / "both", steps=120, **with_tasks(120), **pace)
    told = [json.loads(x) for x in (folder / records.METRICS).read_text().splitlines()]
    for line in told[1::2]:
        line["rehearsed"] = True
    (folder / records.METRICS).write_text("\n".join(map(json.dumps, told)))
    without, rehearses = runs.load([plain, folder]).runs
    assert rehearses.tasks == without.tasks
    assert rehearses.steps.sample.tolist() == without.steps.sample.tolist()
    accuracy, _ = curves.stream([without, rehearses])
    assert "Steps of rehearsal are left out." in accuracy.note
    assert "not compared" not in accuracy.note
    assert "different tasks" not in accuracy.note


def test_a_run_that_differs_shows_both_values(tmp_path: Path) -> None:
    divergence = {
        "step": 117, "tensor": "W2", "index": [3, 5], "device": -0.033999, "ulp": 10,
        "reference": -0.0340001, "device_bits": "bd0b4396", "reference_bits": "bd0b43a0",
        "when": "step", "note": "",
    }  # fmt: skip
    folder = make_run(
        tmp_path / "run", steps=120, compared=117, result="fail", exit_code=1,
        divergence=divergence, error={"sentence": "they differ", "hints": ["replay"]},
    )  # fmt: skip
    found = read(reports.write([folder]))
    for text in (
        "not bit-exact", "they differ", "step 117 (step), W2[3, 5]", "-0.033999",
        "-0.0340001", "bd0b4396", "bd0b43a0", "10\xa0ulp", "hil replay",
    ):  # fmt: skip
        assert text in found.text.replace("10 ulp", "10\xa0ulp"), text


def test_a_run_that_never_began(tmp_path: Path) -> None:
    nothing = {"test": None, "prequential": None, "tested": 0}
    folder = make_run(
        tmp_path / "run", steps=0, result="error", exit_code=5, accuracy=nothing,
        error={"sentence": "nobody answered", "hints": []}, digest=None,
    )  # fmt: skip
    for name in (records.METRICS, records.FIRST_LAYER):
        (folder / name).unlink()
    found = read(reports.write([folder]))
    assert "nobody answered" in found.text
    assert "no step was learned" in found.text


def test_runs_have_the_labels_that_tell_them_apart(tmp_path: Path) -> None:
    first = make_run(tmp_path / "a", seed=1)
    second = make_run(tmp_path / "b", seed=2)
    told = runs.load([first, second, first]).runs
    assert [run.label for run in told] == ["seed 1 (a)", "seed 2", "seed 1 (a)'"]


def test_pictures_and_tables_are_files_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_run(tmp_path / "run", **with_tasks())
    out, png, tables = (tmp_path / name for name in ("page.html", "png", "csv"))
    given = ["--out", str(out), "--png", str(png), "--csv", str(tables), "--json", "-"]
    assert main(["report", str(folder), *given]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["report"] == str(out) and out.is_file()
    named = {picture["name"] for picture in document["pictures"]}
    assert {path.stem for path in png.iterdir()} == named >= {"accuracy", "tasks-1"}
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in png.iterdir())
    with (tables / "learning.csv").open(newline="", encoding="utf-8") as file:
        rows = {row[0]: row[1:] for row in csv.reader(file)}
    record = json.loads((folder / records.FILE).read_text())
    value, kind = rows["Backward transfer (BWT)"]
    assert float(value) == record["metrics"]["backward_transfer"]
    assert kind == "emulated"
    with (tables / "tasks-1.csv").open(newline="", encoding="utf-8") as file:
        matrix = list(csv.reader(file))
    assert [[float(v) for v in row[1:3]] for row in matrix[2:]] == record["accuracy"]["matrix"]  # fmt: skip


def test_the_page_of_a_real_run(host_cc: str, tmp_path: Path) -> None:
    asked = ["--target", "host", "--steps", "60", "--test", "20", "--health", "20"]
    asked += ["--network", "64-17-10"]
    assert main(["run", *asked, "--out", str(tmp_path / "runs")]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    found = read(reports.write([folder]))
    record = json.loads((folder / records.FILE).read_text())
    assert record["digest"] in found.text
    assert "RAM: learning and inference" in found.text
    assert "First-layer weights" in found.text


def test_a_folder_of_no_run_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert f"{str(tmp_path)!r} is no folder of a run or a demo" in error
    folder = make_run(tmp_path / "run")
    (folder / records.METRICS).write_text('{"step": 0\n{}\n')
    assert main(["report", str(folder)]) == 2
    assert "line 1 is no JSON" in capsys.readouterr().err


def test_the_window_of_a_curve_is_that_of_the_metrics() -> None:
    right = np.random.default_rng(1).random(350) < 0.7
    kept = continual.Sliding()
    for place, value in enumerate(right):
        kept.add(bool(value))
        mean = windowed(right.astype(float), continual.WINDOW)[place]
        assert mean == pytest.approx(kept.accuracy, abs=1e-12)


def test_a_run_does_not_load_what_only_reports_need() -> None:
    code = "import hil.learning.session, hil.cli, sys; hil.cli.parser(); print('matplotlib' in sys.modules)"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"


def test_a_picture_is_the_same_when_it_is_drawn_again(tmp_path: Path) -> None:
    told = runs.load([make_run(tmp_path / "run", **with_tasks())]).runs
    once, again = ([p.svg() for p in curves.stream(told)] for _ in range(2))
    assert once == again


def test_the_bill_has_the_rehearsal_buffer(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    with (folder / records.EXPERIMENT).open("a") as file:
        file.write("rehearsal = 8\n")
    (one,) = bill.bills(runs.load([folder]).runs)
    planned = plan_for(prepare(load(folder / records.EXPERIMENT)))
    (kept,) = (item.bytes for item in planned.bill if item.kind == "rehearsal")
    assert [use.parts["rehearsal"] for use in one.uses] == [0, kept]


def test_the_energy_of_a_rule_that_tells_it_is_drawn_as_it_falls(
    tmp_path: Path,
) -> None:
    """Of two samples, one of which rose on the way; a third told none."""
    folder = make_run(tmp_path / "run")
    path = folder / records.METRICS
    told = [json.loads(line) for line in path.read_text().splitlines()]
    energies = iter(([4.0, 2.0, 1.0], [2.0, 2.5, 1.5], []))
    for line in told:
        if "health" in line:
            line["health"] = {"energy": next(energies, [])}
    path.write_text("".join(f"{json.dumps(line)}\n" for line in told))
    (run,) = runs.load([folder]).runs
    (drawn,) = curves.energy(run)
    assert (drawn.name, drawn.kinds) == ("energy-1", (run.kind("health"),))
    assert "all of 2 samples" in drawn.note and "in 1 of them it rose" in drawn.note
    (axes,) = drawn.figure.axes
    first, second = axes.lines
    assert list(first.get_ydata()) == [1, 0.5, 0.25]
    assert list(second.get_ydata()) == [1, 1.25, 0.75]
    assert not list(curves.energy(runs.load([make_run(tmp_path / "other")]).runs[0]))
