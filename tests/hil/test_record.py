"""Records: whole or not at all, and no figure without provenance."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from hil.records import record as records
from hil.records.record import (
    ProvenanceError,
    RunRecord,
    make_folder,
    require_provenance,
)


def a_record(folder: Path) -> RunRecord:
    return RunRecord(
        folder=folder,
        target="host",
        vlen=0,
        rule="dfa",
        parameters={"feedback_scale": 0.25},
        network=(64, 10),
        activation="tanh",
        output="sigmoid",
        data="digits",
        seed=1,
        steps=5,
        experiment={"steps": 5},
        provenance={
            "learned": "counted",
            "compared": "counted",
            "link": "counted",
            "accuracy.tested": "counted",
        },
    )


def test_a_record_has_the_keys_that_are_promised(tmp_path: Path) -> None:
    document = json.loads(a_record(tmp_path).write().read_text())
    promised = {
        "schema", "result", "exit_code", "target", "vlen", "rule", "network", "seed",
        "steps", "compared", "digest", "divergence", "accuracy", "instructions_per_step",
        "link", "image", "provenance",
    }  # fmt: skip
    assert promised <= set(document)
    assert document["schema"] == 1
    assert {"test", "prequential"} <= set(document["accuracy"])
    assert set(document["link"]) == {
        "frames", "resent", "damaged", "replayed", "lost_telemetry", "replugged",
        "recovered",
    }  # fmt: skip
    assert {"build_digest", "text", "ram"} == set(document["image"])
    assert [path.name for path in tmp_path.iterdir()] == [records.FILE]


def test_every_key_of_a_record_is_in_its_document(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "record.md").read_text(
        encoding="utf-8"
    )
    for name in a_record(tmp_path).to_json():
        assert f"`{name}`" in text


def test_a_figure_without_provenance_is_refused(tmp_path: Path) -> None:
    record = a_record(tmp_path)
    record.accuracy["test"] = 0.98
    with pytest.raises(
        ProvenanceError, match=r"figure 'accuracy\.test' has no provenance"
    ):
        record.write()
    assert list(tmp_path.iterdir()) == []
    record.provenance["accuracy"] = "emulated"
    record.write()


def test_an_unknown_kind_of_provenance_is_refused() -> None:
    with pytest.raises(ProvenanceError, match="'speed' is 'guessed'"):
        require_provenance({"speed": 1.0, "provenance": {"speed": "guessed"}})


def test_two_runs_in_one_second_have_two_folders(tmp_path: Path) -> None:
    now = datetime(2024, 5, 6, 7, 8, 9)
    first = make_folder(tmp_path / "runs", "a/b c", now)
    second = make_folder(tmp_path / "runs", "a/b c", now)
    assert first.name == "20240506-070809-a-b-c"
    assert second.name == "20240506-070809-a-b-c-2"
    assert first.is_dir() and second.is_dir()
