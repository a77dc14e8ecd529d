"""hil claim: what the literature says, held against what a device gives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.rendering import render
from hil import claims
from hil.claims import homeostasis, kinase_2x2, stdp_detector, when
from hil.cli import main
from hil.learning.progress import Progress
from hil.records.record import CYCLES


def cascade(before: float, after: float) -> float:
    """CaP - CaD of calcium that changes after 100 ms, in float64, with textbook steps."""
    cam = cap = cad = before
    for ms in range(200):
        cam += ((before if ms < 100 else after) - cam) / 5
        cap += (cam - cap) / 40
        cad += (cap - cad) / 40
    return cap - cad


def test_the_synapse_learns_as_was_published(
    host_cc: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["claim", "kinase-2x2", "--target", "host", "--out", str(tmp_path)]
    assert main([*given, "--json", "-"]) == 0
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert document["holds"] and document["provenance"] == {"rows": "emulated"}
    gave = [row["gave"] for row in document["rows"]]
    right = [cascade(*map(calcium, pair)) for pair in kinase_2x2.PROTOCOLS.values()]
    assert gave == pytest.approx(right, abs=2e-5)
    assert "CLAIM: kinase-2x2 holds on host" in err
    with np.load(Path(document["folder"]) / CYCLES) as kept:
        assert kept["before_trace_cad1"].shape == (200, 4)


def calcium(hz: float) -> float:
    return 8 * (8 * hz / 1000) ** 2


def test_vectors_give_the_same_bits(
    qemu64: str, host_cc: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gave = []
    for target in (["host"], ["qemu-rv64gcv", "--vlen", "128"]):
        given = ["claim", "kinase-2x2", "--target", *target, "--out", str(tmp_path)]
        assert main([*given, "--json", "-"]) == 0
        gave.append([r["gave"] for r in json.loads(capsys.readouterr().out)["rows"]])
    assert gave[0] == gave[1]


def test_a_claim_that_does_not_hold_is_said_not_to(
    host_cc: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Had somebody published that a steady rate is no rate at all to a synapse."""
    monkeypatch.setitem(kinase_2x2.PROTOCOLS, "50-50", (25, 50))
    given = ["claim", "kinase-2x2", "--target", "host", "--out", str(tmp_path)]
    assert main(given) == 1
    out = capsys.readouterr().out
    assert "CLAIM: kinase-2x2 does NOT hold on host" in out
    assert [line.split()[-1] for line in out.splitlines() if " Hz to " in line] == [
        "yes", "yes", "yes", "NO",
    ]  # fmt: skip


def test_signs_and_sizes_are_both_asked_for() -> None:
    good = {"25-50": 0.28, "50-25": -0.22, "25-25": -0.05, "50-50": -0.03}
    assert all(row.agrees for row in kinase_2x2.rows(good))
    for name, value in (
        ("25-50", -0.3),
        ("50-25", 0.1),
        ("25-25", 0.08),
        ("50-50", -0.1),
    ):
        wrong = kinase_2x2.rows({**good, name: value})
        assert not all(row.agrees for row in wrong), name


def test_a_device_whose_cascade_is_another_is_no_evidence(
    host_cc: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bit that differs from the reference ends it, whatever the signs are."""
    right = render.render_network

    def wrong(plan: object) -> dict[str, str]:
        files = right(plan)  # type: ignore[arg-type]
        files["net.c"] = files["net.c"].replace(
            "trace_cap1 + 4 * (100 + cycle)", "trace_cap1 + 4 * (99 + cycle)"
        )
        return files

    monkeypatch.setattr(render, "render_network", wrong)
    given = ["claim", "kinase-2x2", "--target", "host", "--out", str(tmp_path)]
    assert main(given) == 1
    assert "trace_cap1" in capsys.readouterr().err


def test_claims_are_listed_and_an_unknown_one_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["claim"]) == 0
    said = capsys.readouterr().out
    for name in claims.names():
        assert name in said and claims.find(name).TITLE in said
    assert main(["claim", "kinase-2x3"]) == 2
    assert "did you mean 'kinase-2x2'?" in capsys.readouterr().err


def test_the_devices_of_a_claim_are_asked_what_its_rows_tell(
    host_cc: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of one drive and kind of cells, too short to settle; and of cells with few patterns,
    of which one alone is known without an error."""
    ottt = homeostasis.KINDS[0]
    short = replace(ottt, samples=2 * ottt.memory)
    monkeypatch.setattr(homeostasis, "KINDS", (short,))
    monkeypatch.setattr(homeostasis, "DRIVES", (1.0,))
    few = {(64, 1), (256, 4)}
    study = {key: row for key, row in stdp_detector.STUDY.items() if key in few}
    monkeypatch.setattr(stdp_detector, "STUDY", study)
    gave = {}
    for name in ("homeostasis", "stdp-detector"):
        main(["claim", name, "--target", "host", "--out", str(tmp_path), "--json", "-"])
        rows = json.loads(capsys.readouterr().out)["rows"]
        gave |= {row["name"]: row["gave"] for row in rows}
    assert gave["ottt, drive 1: rate"] == pytest.approx(homeostasis.ASKED, rel=0.2)
    assert gave["ottt, drive 1: in band"] > gave["ottt, still: in band"]
    assert [gave[row] for row in gave if row.startswith("64/1 ")] == [100, 0, 0, 0, 0]
    assert gave["256/4 its own"] == 100 and len(gave) == 3 + 2 * 5


@pytest.mark.full
def test_thresholds_that_follow_keep_rates_at_any_drive(
    host_cc: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And those that stay do not."""
    given = ["claim", "homeostasis", "--target", "host", "--out", str(tmp_path)]
    assert main([*given, "--json", "-"]) == 0
    gave = {r["name"]: r["gave"] for r in json.loads(capsys.readouterr().out)["rows"]}
    for cells in ("ottt", "liquid", "delays"):
        assert gave[f"{cells}, drive 4: in band"] == 100
        assert gave[f"{cells}, still: in band"] < 50


@pytest.mark.full
def test_cells_know_their_patterns_as_a_study_says(
    host_cc: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["claim", "stdp-detector", "--target", "host", "--out", str(tmp_path)]
    assert main([*given, "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["holds"] and len(document["rows"]) == 35
    one = [row["gave"] for row in document["rows"][:5]]
    assert one == [100, 0, 0, 0, 0]


def test_what_comes_when_is_told_of_what_the_device_answered(
    host_cc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four trials, of both stimuli in both worlds; and a delay line, which has nothing to
    answer before there was a stimulus."""
    monkeypatch.setattr(when, "TRIALS", 2)
    found, steps = when.trials(20)
    x, y = when.events(found, steps)
    line = when.taps(x)
    assert x.sum() == 4 and y.sum() == 5 * sum(trial.came for trial in found)
    assert line.sum(axis=1).max() == 255 and not line[0].any()
    keys = {"target": "host", "seed": 20}
    told, record = when.answers(line, y, keys, tmp_path, Progress())
    assert (record.compared, told.shape) == (steps, (steps, 2))
    tried = when.tried(keys, tmp_path, Progress())
    assert [row.name for row in tried.rows][:2] == ["first A: late", "first A: height"]
    assert len(tried.rows) == 16 and tried.record.compared == steps
    assert any(row.gave > 0.01 for row in tried.rows if "height" in row.name)
    of_integers, record = when.answers(
        x, y, {"front": "delays", "format": "i16", **keys}, tmp_path, Progress()
    )
    assert (record.rule, record.format, record.compared) == ("readout", "i16", steps)
    assert of_integers.shape == told.shape and of_integers.max() > 0.5
    written = record.weights_written_per_step
    assert written is not None and written < 256 * 3 / 10, "behind an error gate"


def test_who_repeats_what_has_just_been_foretells_nothing() -> None:
    """It passes for late, height and rest, which are said after an outcome has begun."""
    found, steps = when.trials(1)
    _, y = when.events(found, steps)
    repeated = np.vstack([np.zeros((1, 2)), y[:-1]])
    agrees = {
        row.name.split(": ")[1]: set[bool]() for row in when.rows(found, repeated)
    }
    for row in when.rows(found, repeated):
        agrees[row.name.split(": ")[1]].add(row.agrees)
    assert agrees == {
        "late": {True},
        "height": {True},
        "rest": {True},
        "foretold": {False},
    }


def test_who_says_how_probable_it_is_whenever_it_is_due_foretells() -> None:
    found, steps = when.trials(2)
    said = np.zeros((steps, 2))
    for trial in found:
        at = trial.at + trial.world.delays[trial.stimulus]
        share = trial.world.shares[trial.stimulus]
        said[at - when.WIDE : at + when.WIDE + 1, trial.stimulus] = share
    assert all(row.agrees for row in when.rows(found, said))


def test_a_read_out_in_integers_has_three_classes_and_tells_their_sums() -> None:
    assert when.classes(np.array([[0, 0], [1, 0], [0, 1]])).tolist() == [0, 1, 2]
    assert when.heights(np.array([[9.0, 0, -50]])).round(3).tolist() == [[0.5, 0]]
