"""Who spikes in the ticks of one step, before learning and after: a raster of the cells that
spike most, and beside each what it listens to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes

from hil.reports import grids, look
from hil.reports.cycles import TIMES, phases_of
from hil.reports.look import HEAT, INK, MUTED, Picture
from hil.reports.runs import Run

MOST = 8
"""Cells that have a row of their own."""
ROW, AROUND = 0.26, 0.45
"""Inches of a cell's row, and around the rows of one time."""
WIDTHS = 1, 15
"""Of weights and raster, so that a cell's weights are square."""


def of_run(run: Run) -> Iterator[Picture]:
    """One, where the run has kept who spiked, and the cells' weights."""
    spikes = of_times(run)
    if run.first_layer is not None and spikes:
        yield _picture(run, run.first_layer, spikes)


def of_times(run: Run) -> list[np.ndarray]:
    """Which cell spikes when, [cells, ticks], before learning and after; empty where the
    run has not kept it."""
    if run.first_layer is None or "target" not in run.cycles:
        return []
    cells = run.first_layer[0].shape[1]
    told = [_spikes(run, when, cells) for when in TIMES]
    spikes = [one for one in told if one is not None]
    return spikes if len(spikes) == len(TIMES) else []


def _spikes(run: Run, when: str, cells: int) -> np.ndarray | None:
    """Which cell spikes when, [cells, ticks]. Rows of a raster [ticks, 1] name the one
    that does, and no cell where none does; those of a trace [ticks, cells] have a 1 for
    each that does. None where neither was kept."""
    if (rows := run.cycles.get(f"{when}_raster")) is not None:
        return np.arange(cells)[:, np.newaxis] == rows[:, 0]
    rows, phases = run.cycles.get(f"{when}_trace1"), phases_of(run)
    spiking = phases and all(phase.told for phase in phases)
    hidden = len(run.get("network") or ()) > 2
    if rows is None or not (spiking and hidden) or rows.shape[1] != cells:
        return None
    return np.asarray(rows.T == 1)


def chosen_of(run: Run, spikes: Sequence[np.ndarray], most: int = MOST) -> np.ndarray:
    """The cells that the run was to watch; else such that spike, those first that do so
    most after learning, then before."""
    watched = run.get("experiment.watch_cells")
    if watched:
        return np.array(watched)[:most]
    before, after = (one.sum(axis=1) for one in spikes)
    order = np.lexsort((-before, -after))
    return order[(before + after)[order] > 0][:most]


def _picture(
    run: Run, weights: Sequence[np.ndarray], spikes: Sequence[np.ndarray]
) -> Picture:
    chosen, side = chosen_of(run, spikes), grids.side_of(len(weights[0]))
    height = len(TIMES) * ((len(chosen) + 1) * ROW + AROUND)
    scale, widths = grids.scale_of(*weights), WIDTHS if side else (1,)
    with look.styled():
        figure, made = look.canvas(height, len(widths), len(TIMES), widths=widths)
        for row, when in enumerate(TIMES):
            *left, right = made[row * len(widths) : (row + 1) * len(widths)]
            _raster(right, spikes[row], chosen)
            right.set_title(TIMES[when], color=INK, loc="left")
            for axes in left:
                _listens(axes, weights[row][:, chosen], side or 1, scale)
            _names(left[0] if left else right, chosen)
        made[-1].set_xlabel("tick of the presentation")
    return Picture(
        f"raster-{run.place + 1}", "Spikes of one sample",
        _note(run, spikes, chosen, side),
        (run.kind("accuracy"),), figure,
    )  # fmt: skip


def _listens(axes: Axes, weights: np.ndarray, side: int, scale: float) -> None:
    """Weights [side * side, cells] of those that are shown, a tile in each one's row."""
    if cells := weights.shape[1]:
        tiles = grids.mosaic(weights, side, across=1)
        grids.image(axes, tiles, scale).set_extent((0, 1, cells, 0))
    axes.set(xticks=[], ylim=(cells + 1, 0), aspect="auto")
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _raster(axes: Axes, spikes: np.ndarray, chosen: np.ndarray) -> None:
    """A bar a spike; the last row has those of all other cells."""
    rest = np.delete(spikes, chosen, axis=0).sum(axis=0)
    for row, fired in enumerate((*spikes[chosen], rest)):
        colour = HEAT if row < len(chosen) else MUTED
        (ticks,) = np.nonzero(fired)
        axes.vlines(ticks + 1, row + 0.12, row + 0.88, color=colour, linewidth=1.6)
        axes.text(
            1.01, row + 0.5, str(fired.sum()), transform=axes.get_yaxis_transform(),
            va="center", color=INK, fontsize=look.LETTERS - 1.5,
        )  # fmt: skip
    axes.set(xlim=(0.5, spikes.shape[1] + 0.5), ylim=(len(chosen) + 1, 0), yticks=[])
    axes.xaxis.set_major_locator(look.few_ticks())
    axes.spines["left"].set_visible(False)


def _names(axes: Axes, chosen: np.ndarray) -> None:
    """What the rows are, at their left."""
    names = [*(f"cell {cell}" for cell in chosen), "others"]
    axes.set_yticks(np.arange(len(names)) + 0.5, names)
    axes.tick_params(axis="y", length=0)


def _note(
    run: Run, spikes: Sequence[np.ndarray], chosen: np.ndarray, side: int | None
) -> str:
    """What is drawn, in words."""
    before, after = (
        f"{one.sum()} spikes, {one.mean():.4f} a tick and cell" for one in spikes
    )
    drawn = ", its inputs spiking at random" if "after_raster" in run.cycles else ""
    which = "are watched" if run.get("experiment.watch_cells") else "spike most"
    beside = f" Beside it are its weights to the {side} x {side} input." if side else ""
    return (
        f"The same sample, the first, of class {run.cycles['target'].argmax()}, as the "
        f"device has presented it{drawn}. Of {len(spikes[0])} cells the {len(chosen)} that {which} "
        f"have a row each, a bar a spike, and their number at its end.{beside} In "
        f"{spikes[0].shape[1]} ticks: before learning {before}; after it {after}."
    )
