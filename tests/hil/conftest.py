"""Real devices for the host's tests: the firmware as a native process."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import emulation
import hil
from codegen.rendering import render
from emulation.faults import Faults, FaultyChannel
from hil import OpenDevice
from hil.data import datasets
from hil.device.link.channel import Channel
from hil.errors import LineClosed
from hil.experiment import Experiment
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare

Mutate = Callable[[str, str, str], None]


@dataclass(frozen=True)
class Board:
    """A device that runs already, as a board on a desk does."""

    url: str
    lesson: Lesson
    built: Built
    machine: emulation.Machine


@pytest.fixture
def board(host_cc: str) -> Iterator[Callable[[Experiment], Board]]:
    """Builds an experiment for the host target and starts it."""
    with ExitStack() as stack:

        def start(experiment: Experiment) -> Board:
            lesson = prepare(experiment.override({"target": "host"}))
            built = build(plan_for(lesson))
            machine = emulation.machine_for(
                lesson.target, built.image.path, console=experiment.console
            )
            stack.enter_context(machine)
            machine.power_on()
            machine.run()
            assert machine.url is not None
            return Board(machine.url, lesson, built, machine)

        yield start


@pytest.fixture
def faulty() -> Callable[[Channel, str], FaultyChannel]:
    """Gives a channel these faults in both directions."""

    def made(channel: Channel, faults: str) -> FaultyChannel:
        return FaultyChannel(channel, Faults.parse(faults), LineClosed)

    return made


@pytest.fixture
def small() -> Experiment:
    """A short lesson on a small network."""
    return Experiment(target="host", network=(64, 17, 10), steps=60, test=20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where run folders go."""
    return tmp_path / "runs"


@pytest.fixture
def mutate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mutate:
    """Makes a template wrong for the rest of the test."""
    folder = tmp_path / "templates"
    shutil.copytree(render.TEMPLATES, folder)
    monkeypatch.setattr(render, "TEMPLATES", folder)

    def change(template: str, right: str, wrong: str) -> None:
        path = folder / "kernels" / template
        text = path.read_text()
        assert right in text, f"{template} has changed: this mutation no longer applies"
        path.write_text(text.replace(right, wrong))

    return change


DIGITS = datasets.load("digits")
SMALL = {"network": "64-17-10", "target": "host", "dtype": np.uint8, "scale": 16}


@pytest.fixture
def opens(folder: Path) -> Callable[..., OpenDevice]:
    """Opens a small network on the host, for the digits, with these keys besides."""
    return lambda *source, **keys: hil.open(*source, **{**SMALL, "out": folder, **keys})
