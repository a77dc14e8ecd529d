"""Resident sets: what is learned does not depend on where its samples lie."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codegen.errors import OverBudget
from codegen.planning.resident import SAMPLES_FILE, Resident
from codegen.reference import Learner
from codegen.rendering import render
from hil import Experiment, RunRecord, run
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.errors import DeviceFault, Refused
from hil.learning.divergence import Snapshot
from hil.learning.feed import portion
from hil.learning.lockstep import Lockstep
from hil.learning.reference_process import ReferenceProcess
from hil.learning.repeated import SNAPSHOT_EVERY
from hil.lesson.building import plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare

EPOCH = 1437
LIMIT = 20.0
ON_HOST = pytest.mark.parametrize("hil_target", ["host"], indirect=True)


def metrics(record: RunRecord) -> list[dict[str, Any]]:
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("resident", "frames"), [("all", {29, 32}), (700, {1, 2, 4, 28, 32})]
)
def test_frames_name_every_steps_own_sample(
    resident: str | int, frames: set[int]
) -> None:
    lesson = prepare(
        Experiment(target="host", resident=resident, steps=2 * EPOCH, thin=32)
    )
    placed = lesson.resident_set
    assert placed is not None
    x = np.frombuffer(placed.samples, np.uint8).reshape(placed.count, -1)
    y = np.frombuffer(placed.targets, "<u2")
    step, lengths = 0, set()
    while step < lesson.steps:
        one = portion(lesson, step, lesson.steps)
        assert one.first == step and not one.first < EPOCH < one.end
        for number, place in zip(range(step, one.end), one.places, strict=False):
            sample, label = lesson.sample(number)
            assert (x[place] == sample).all() and y[place] == label
        lengths.add(one.end - step)
        step = one.end
    assert frames <= lengths


def test_the_first_epoch_is_a_range_and_later_ones_are_lists(
    board: Callable[[Experiment], Any], small: Experiment
) -> None:
    one = board(small.override({"resident": "all", "steps": 2 * EPOCH}))
    sizes, places = [], one.lesson.resident_places
    with Channel(one.url) as channel:
        device = Device(channel, one.built.plan, one.lesson.target.limits)
        device.hello(one.built.image.digest, 0, LIMIT)
        device.init(1)
        for step, named in ((0, places(0, 32)), (32, places(EPOCH, 32))):
            sent = channel.sent
            device.post_resident(step, np.float32(0.1), named)
            while not device.take_steps(LIMIT):
                pass
            sizes.append(channel.sent - sent)
    assert sizes[0] < 40 < 32 * 4 < sizes[1]


@pytest.mark.parametrize(
    "change",
    [
        {"resident": "all"},
        {"resident": "all", "thin": 1, "window": 1},
        {"resident": "all", "thin": 128, "steps": 300},
        {"resident": "all", "thin": 7, "compare": 16, "steps": 61},
        {"resident": 700, "steps": EPOCH + 100, "samples_per_frame": 3},
        {"resident": 10**6, "rule": "bp"},
    ],
)
def test_a_resident_run_learns_what_the_line_would_teach(
    host_cc: str, small: Experiment, folder: Path, change: dict[str, Any]
) -> None:
    resident = run(small.override(change), out=folder)
    without = {**change, "resident": None, "thin": None}
    fed = run(small.override(without), out=folder)
    assert (resident.result, resident.compared) == ("pass", resident.steps)
    assert resident.digest == fed.digest
    assert resident.accuracy == fed.accuracy
    assert resident.link["frames"] < fed.link["frames"] or change.get("thin") == 1
    if "compare" not in change:
        assert metrics(resident) == metrics(fed)


def test_what_is_not_compared_is_counted_on_the_device(
    host_cc: str, small: Experiment, folder: Path
) -> None:
    """Without a reference the device alone knows how many were right."""
    change = {"resident": "all", "thin": 8, "compare": "none"}
    alone = run(small.override(change), out=folder)
    compared = run(small.override({**change, "compare": "every"}), out=folder)
    assert (alone.result, alone.learned, alone.compared) == ("fail", 60, 0)
    assert alone.accuracy == compared.accuracy and alone.digest == compared.digest
    lines = metrics(alone)
    assert [line["step"] for line in lines] == [*range(7, 60, 8), 59]
    known = metrics(compared)
    for line in lines:
        assert line | {"digest": None} == known[line["step"]] | {"digest": None}


def test_the_effective_experiment_names_what_is_resident(
    host_cc: str, small: Experiment, folder: Path
) -> None:
    record = run(small.override({"resident": "all"}), out=folder)
    assert record.experiment["resident"] == EPOCH
    assert record.experiment["thin"] == 32
    assert (record.folder / SAMPLES_FILE).stat().st_size == EPOCH * 64


def test_every_resident_step_is_learned_once_over_a_faulty_line(
    host_cc: str, small: Experiment, folder: Path
) -> None:
    change = {"resident": "all", "thin": 5, "steps": 600}
    faults = {"faults": "drop=0.1,flip=0.001,duplicate=0.05,reorder=0.05"}
    record = run(small.override({**change, **faults}), out=folder)
    clean = run(small.override({"steps": 600}), out=folder)
    assert record.result == "pass" and record.digest == clean.digest
    assert record.link["replayed"] > 0


def test_a_non_finite_value_is_told_with_the_step_it_came_in(
    host_cc: str, small: Experiment, folder: Path
) -> None:
    change = {"lr": 3.0, "activation": "identity", "output": "identity"}
    sentences = []
    for resident in (None, "all"):
        with pytest.raises(DeviceFault, match="non-finite") as caught:
            run(small.override({**change, "resident": resident}), out=folder)
        assert "the reference stops at the same step" in caught.value.hints
        assert caught.value.step
        sentences.append(str(caught.value))
    assert sentences[0] == sentences[1]


def test_a_difference_in_a_folded_step_is_found_again(
    host_cc: str,
    small: Experiment,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wrong only with the second epoch's rate, far from a frame's end."""
    templates = tmp_path / "templates"
    shutil.copytree(render.TEMPLATES, templates)
    monkeypatch.setattr(render, "TEMPLATES", templates)
    path = templates / "kernels" / "listed_update__scalar.c.j2"
    right, wrong = "-(eta * x[k])", "-(eta * x[k]) * (eta < 0.029f ? 2 : 1)"
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, wrong))
    change = {"resident": "all", "steps": EPOCH + 64, "compare": 16}
    record = run(small.override(change), out=folder)
    assert record.result == "fail" and record.divergence is not None
    assert (record.divergence["tensor"], record.divergence["step"]) == ("W1", EPOCH)
    assert record.compared <= EPOCH


def test_a_sample_that_is_not_what_was_placed_is_found(
    host_cc: str, small: Experiment, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in worn flash: one bit of one sample."""
    files = Resident.files.fget  # type: ignore[attr-defined]

    def worn(self: Resident) -> dict[str, bytes]:
        found = dict(files(self))
        data = bytearray(found[SAMPLES_FILE])
        data[40 * 64 + 5] ^= 1
        return {**found, SAMPLES_FILE: bytes(data)}

    monkeypatch.setattr(Resident, "files", property(worn))
    record = run(small.override({"resident": "all"}), out=folder)
    assert record.result == "fail" and record.divergence is not None
    seen = record.divergence
    assert (seen["step"], seen["tensor"], seen["index"]) == (40, "h1", [0])


@ON_HOST
@pytest.mark.hil(network=(64, 17, 10), steps=60)
def test_an_image_without_a_set_knows_no_resident_steps(hil_device: Device) -> None:
    hil_device.init(1)
    hil_device.post_resident(0, np.float32(0.1), np.arange(3))
    with pytest.raises(Refused, match="refused STEP_RESIDENT: no such message"):
        hil_device.take_steps(LIMIT)


def test_a_set_that_does_not_fit_is_refused_and_told_how_many_would(
    tmp_path: Path,
) -> None:
    path = tmp_path / "wide.npz"
    x = np.zeros((3000, 8192), np.uint8)
    np.savez(path, x=x, y=np.arange(3000) % 10, x_test=x[:1], y_test=[0])
    asked = Experiment(data=str(path), network=(8192, 4, 10), resident="all")
    with pytest.raises(OverBudget, match="3,000 samples needs 24,582,000 bytes") as e:
        plan_for(prepare(asked))
    assert e.value.exit_code == 3
    fit = int(str(e.value).split(": ")[-1].split()[0].replace(",", ""))
    assert e.value.hints[0].startswith(f"--resident {fit} ")
    made = plan_for(prepare(asked.override({"resident": fit})))
    rows = {item.name: item for item in made.bill}
    assert rows["resident samples"].bytes == fit * 8192
    assert rows["resident targets"].kind == "const"
    with pytest.raises(OverBudget):
        plan_for(prepare(asked.override({"resident": fit + 1})))


@ON_HOST
@pytest.mark.hil(network=(64, 17, 10), steps=300, resident="all", thin=7)
def test_a_search_starts_near_also_where_frames_end_anywhere(
    hil_device: Device, hil_lesson: Lesson
) -> None:
    start = Snapshot(0, Learner(hil_lesson.spec).snapshot())
    hil_device.init(hil_lesson.spec.seed)
    with ReferenceProcess(hil_lesson.spec) as reference:
        lockstep = Lockstep(hil_device, hil_lesson, reference, start, lambda done: None)
        lockstep.run()
    assert lockstep.compared == 300
    assert lockstep.verified.step > 300 - 2 * SNAPSHOT_EVERY
