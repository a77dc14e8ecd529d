"""Pictures that are no curves: matrices, reliability, weights."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from hil.records.continual import BINS, calibration_error
from hil.reports import look
from hil.reports.look import HEAT, INK, MUTED, Picture
from hil.reports.runs import Run

UNITS = 36
"""Units at most whose weights are shown."""
SQUARE_FROM = 16
"""Inputs from which on a square number of them is taken for an image."""


def percent(value: float) -> str:
    """Of a cell: the sign is in the caption."""
    return f"{100 * value:.0f}"


def tasks_matrix(run: Run) -> Picture | None:
    """R: accuracy in each task's tests, before and after every task."""
    matrix = run.get("accuracy.matrix")
    tasks = run.tasks
    if not matrix or not tasks:
        return None
    every = [look.short(task.name, 16) for task in tasks]
    rows, after = list(matrix), [f"after {name}" for name in every]
    initial = run.get("accuracy.initial")
    if initial:
        rows, after = [initial, *rows], ["before", *after]
    tested = [j for j in range(len(every)) if any(row[j] is not None for row in rows)]
    if not tested:
        return None
    rows = [[row[j] for j in tested] for row in rows]
    names, after = [every[j] for j in tested], after[: len(rows)]
    with look.styled():
        figure, (axes,) = look.canvas(height=max(1.6, 0.9 + 0.32 * len(rows)))
        look.cells(axes, rows, percent)
        many = len(names) > 6
        axes.set_xticks(
            [place + 0.5 for place in range(len(names))], names,
            rotation=45 if many else 0, ha="left" if many else "center",
        )  # fmt: skip
        axes.xaxis.tick_top()
        axes.set_yticks([place + 0.5 for place in range(len(after))], after)
        if initial:
            axes.axhline(1, color=MUTED, linewidth=0.9)
    return Picture(
        f"tasks-{run.place + 1}", "Accuracy per task (R matrix)",
        "Test accuracy in per cent: columns are the tasks that are tested, rows what "
        "the device had learned by then.", (run.kind("accuracy.matrix"),), figure,
    )  # fmt: skip


def confusion(run: Run) -> tuple[np.ndarray, str] | None:
    """Predictions of the latter part of the stream: counts [label, predicted], and
    which part it is; None where none is told."""
    steps = run.steps
    if not len(steps):
        return None
    if run.tasks:
        part = steps.task == steps.task.max()
        where = f"the task {run.tasks[int(steps.task.max())].name}"
    else:
        part = np.arange(len(steps)) >= len(steps) // 2
        where = "the second half of the run"
    part &= (steps.label >= 0) & (steps.predicted >= 0)
    if not part.any():
        return None
    classes = max(int(steps.label.max()), int(steps.predicted.max())) + 1
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (steps.label[part], steps.predicted[part]), 1)
    return counts, where


def confusion_matrix(run: Run) -> Picture | None:
    """What was taken for what, just before it was learned."""
    found = confusion(run)
    if found is None:
        return None
    counts, where = found
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    with look.styled():
        figure, (axes,) = look.canvas(height=3.6)
        look.cells(axes, shares.tolist(), lambda s: percent(s) if s >= 0.005 else "")
        every = max(1, len(counts) // 12)
        shown = range(0, len(counts), every)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks([place + 0.5 for place in shown], [str(s) for s in shown])
        axes.set(xlabel="predicted class", ylabel="true class", aspect="equal")
    return Picture(
        f"confusion-{run.place + 1}", "Confusion matrix",
        f"Predictions just before learning, in {where}: {int(counts.sum()):,} samples. "
        "Each row in per cent of its class.", (run.kind("accuracy.prequential"),), figure,
    )  # fmt: skip


Bin = tuple[float, float, int]
"""Mean confidence, accuracy, samples."""


def reliability(run: Run) -> tuple[list[Bin], float] | None:
    """Bins of confidence that hold samples, and the calibration error; None where
    confidence is not told, or is no share."""
    steps = run.steps
    known = np.isfinite(steps.confidence)
    sure, right = steps.confidence[known], steps.correct[known]
    error = calibration_error(sure.tolist(), right.astype(bool).tolist())
    if error is None:
        return None
    place = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    bins = [
        (float(sure[place == b].mean()), float(right[place == b].mean()),
         int((place == b).sum()))
        for b in range(BINS) if (place == b).any()
    ]  # fmt: skip
    return bins, error


def reliability_diagram(run: Run) -> Picture | None:
    """How often the device is right, by how sure it is."""
    found = reliability(run)
    if found is None:
        return None
    bins, error = found
    total = sum(count for _, _, count in bins)
    with look.styled():
        figure, (axes,) = look.canvas(height=3.0)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
        for sure, right, count in bins:
            axes.plot([sure, sure], [sure, right], color=HEAT, linewidth=1, alpha=0.5)
            axes.scatter(sure, right, s=12 + 220 * count / total, color=HEAT, zorder=3)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), aspect="equal")
        axes.set(xlabel="confidence: largest output", ylabel="share predicted right")
    return Picture(
        f"reliability-{run.place + 1}", "Calibration (reliability diagram)",
        f"All {total:,} predictions of the stream in {BINS} bins of confidence; a dot's size "
        "is its share of them. On the dotted line the device is as often right as it "
        f"is sure. Calibration error {error:.4f}.", (run.kind("accuracy.prequential"),), figure,
    )  # fmt: skip


def first_layer(run: Run) -> Picture | None:
    """The first layer's weights before and after."""
    if run.first_layer is None:
        return None
    before, after = run.first_layer
    n_in, n_out = before.shape
    scale, side = scale_of(before, after), side_of(n_in)
    changed = np.argsort(-np.linalg.norm(after - before, axis=0), kind="stable")
    units = np.sort(changed[:UNITS]) if side else np.arange(n_out)
    with look.styled():
        figure, panels = look.canvas(height=2.35 if side else 2.2, columns=2)
        for axes, title, weights in zip(
            panels, ("before", "after"), (before, after), strict=True
        ):
            shown = mosaic(weights[:, units], side) if side else weights
            drawn = image(axes, shown, scale)
            axes.set_title(title, color=INK)
        bar = figure.colorbar(drawn, ax=panels, shrink=0.7, aspect=24, pad=0.02)
        bar.outline.set_visible(False)
        bar.ax.tick_params(length=2)
    if side:
        which = f"the {len(units)} that changed most" if len(units) < n_out else "all"
        what = (
            f"Each square is a unit's weights to the {side} x {side} input; of {n_out} "
            f"units {which}, in their order."
        )
    else:
        what = f"Rows are the {n_in} inputs, columns the {n_out} units."
    return Picture(
        f"first-layer-{run.place + 1}", "First-layer weights",
        what, (run.kind("digest"),), figure,
    )  # fmt: skip


def side_of(inputs: int) -> int | None:
    """Of the image that so many inputs are; None where they are none."""
    side = math.isqrt(inputs)
    return side if side * side == inputs and inputs >= SQUARE_FROM else None


def scale_of(before: np.ndarray, after: np.ndarray) -> float:
    """Weights from whose size on all have the same colour."""
    sizes = np.abs(np.stack([before, after]))
    sizes = sizes[np.isfinite(sizes)]
    return (float(np.quantile(sizes, 0.995)) if sizes.size else 0.0) or 1.0


def mosaic(weights: np.ndarray, side: int, across: int | None = None) -> np.ndarray:
    """Weights [side * side, units] as tiles, NaN between them: in a square, or so many
    `across`."""
    units = weights.shape[1]
    across = across or math.ceil(math.sqrt(units))
    down = math.ceil(units / across)
    tall = side + 1
    tiles = np.full((down * tall - 1, across * tall - 1), np.nan)
    for unit in range(units):
        row, column = divmod(unit, across)
        top, left = row * tall, column * tall
        tiles[top : top + side, left : left + side] = weights[:, unit].reshape(
            side, side
        )
    return tiles


def image(axes: Axes, values: np.ndarray, scale: float) -> AxesImage:
    """Values from -`scale` to `scale`, from blue to red."""
    drawn = axes.imshow(
        np.ma.masked_invalid(values), cmap="RdBu_r", vmin=-scale, vmax=scale,
        aspect="equal" if values.shape[0] <= 3 * values.shape[1] else "auto",
        interpolation="none",
    )  # fmt: skip
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return drawn


def of_run(run: Run) -> Sequence[Picture]:
    """Those that this run has."""
    made = (tasks_matrix, confusion_matrix, reliability_diagram)
    return [picture for make in made if (picture := make(run)) is not None]
