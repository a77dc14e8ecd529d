"""What was answered around each outcome, of a stream in which most moments have none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes

from codegen.numbers import NUMBERS
from hil.reports import look
from hil.reports.look import MUTED, Picture
from hil.reports.runs import Run, Task

BEFORE, AFTER = 30, 15
"""Steps around the moment in which an outcome begins."""
MOST = 4
"""Tasks that have a panel, and classes that have a line, at most."""
RARE = 0.1
"""Outcomes are there in fewer steps than this share: class 0 is that there is none."""
PANEL = 1.55
"""Inches of a panel."""


def of_run(run: Run) -> Iterator[Picture]:
    """One, where the run has kept its answers to a stream of rare outcomes, and they are
    probabilities: votes of cells that spike are none."""
    steps, answers = run.steps, run.steps.outputs
    numbers = NUMBERS[str(run.get("format"))]
    if answers is None or numbers.own or not run.tasks or not len(steps):
        return
    there = steps.label > 0
    if 0 < there.mean() < RARE:
        sums = numbers.integer
        yield _picture(run, 1 / (1 + np.exp(-answers)) if sums else answers)


def around(
    label: np.ndarray, answers: np.ndarray, task: Task, outcome: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Means over the times at which class `outcome` begins within a task: of its answers,
    and of whether it is there, both [BEFORE + AFTER]; and how often it has begun."""
    is_there = label == outcome
    begins = np.flatnonzero(is_there & ~np.roll(is_there, 1))
    inside = (begins >= task.first + BEFORE) & (begins + AFTER <= task.end)
    places = begins[inside, np.newaxis] + np.arange(-BEFORE, AFTER)
    if not len(places):
        nothing = np.zeros(BEFORE + AFTER)
        return nothing, nothing, 0
    return (
        answers[places, outcome].mean(axis=0),
        is_there[places].mean(axis=0),
        len(places),
    )


def _picture(run: Run, answers: np.ndarray) -> Picture:
    tasks, label = run.tasks[:MOST], run.steps.label
    classes = [int(one) for one in np.unique(label) if one > 0][:MOST]
    with look.styled():
        figure, panels = look.canvas(0.7 + PANEL * len(tasks), 1, len(tasks))
        for task, axes in zip(tasks, panels, strict=True):
            for place, outcome in enumerate(classes):
                _line(axes, around(label, answers, task, outcome), outcome, place)
            axes.set(ylim=(-0.03, 1.03), xlim=(-BEFORE, AFTER - 1), ylabel="answer")
            axes.set_title(task.name, color=look.INK, loc="left")
        panels[-1].set_xlabel("steps from the moment in which the outcome begins")
        names = [f"outcome {outcome}" for outcome in classes]
        handles = panels[0].get_lines()
        figure.legend(handles, names, loc="outside upper left", ncols=MOST)
    return Picture(
        f"foretold-{run.place + 1}", "What was foretold",
        "What the device answers, in mean over all times at which an outcome came, before "
        "it learns from that step. Grey: the outcome is there. It cannot know whether it "
        "will come: an answer as high as the outcome is probable is right.",
        (run.kind("accuracy"),), figure,
    )  # fmt: skip


def _line(
    axes: Axes, found: tuple[np.ndarray, np.ndarray, int], outcome: int, place: int
) -> None:
    """The mean answer, and behind it when the outcome was there."""
    mean, there, times = found
    at = np.arange(-BEFORE, AFTER)
    if place == 0:
        axes.fill_between(at, there, step="mid", color=MUTED, alpha=0.16, linewidth=0)
    axes.plot(at, mean, color=look.colour(place), linestyle=look.dash(place))
    axes.text(
        -BEFORE + 1, 0.86 - 0.15 * place, f"outcome {outcome}: {times} times",
        color=look.colour(place), fontsize=look.LETTERS - 1.5,
    )  # fmt: skip
