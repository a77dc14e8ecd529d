"""Potentials and traces of some cells that spike, in the ticks of one step, before
learning and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from hil.reports import look, raster
from hil.reports.cycles import TIMES
from hil.reports.look import INK, Picture
from hil.reports.runs import Run

MOST = 6
"""Cells that have a row."""
ROW, AROUND = 0.72, 0.75
"""Inches of a cell's row, and around all of them."""
KEPT = {"trace_u1": "potential", "trace_a1": "trace"}
"""What a device keeps of the first hidden layer's cells, and what it is."""
Told = Mapping[str, Sequence[np.ndarray]]
"""What it is, and its rows [ticks, cells] at each time."""


def of_run(run: Run) -> Iterator[Picture]:
    """One, where the run has kept membranes and some cell is watched or has spiked."""
    spikes = raster.of_times(run)
    told = _told(run, spikes[0].shape) if spikes else {}
    chosen = raster.chosen_of(run, spikes, MOST) if told else np.array([], int)
    if len(chosen):
        yield _picture(run, told, spikes, chosen)


def _told(run: Run, shape: tuple[int, ...]) -> Told:
    """What was kept at both times of cells and ticks as many as spikes were kept of."""
    found = {
        what: [run.cycles.get(f"{when}_{name}") for when in TIMES]
        for name, what in KEPT.items()
    }
    return {
        what: [one for one in rows if one is not None]
        for what, rows in found.items()
        if all(one is not None and one.T.shape == shape for one in rows)
    }


def _picture(
    run: Run, told: Told, spikes: Sequence[np.ndarray], chosen: np.ndarray
) -> Picture:
    with look.styled():
        height = len(chosen) * ROW + AROUND
        figure, made = look.canvas(height, len(told), len(chosen))
        for place, axes in enumerate(made):
            row, column = divmod(place, len(told))
            what = list(told)[column]
            cell = int(chosen[row])
            _lines(axes, [one[:, cell] for one in told[what]])
            if what == "potential":
                _spikes(axes, told[what], spikes, cell)
            axes.set_ylim(_limits(told[what], chosen))
            if column == 0:
                axes.set_ylabel(f"cell {cell}", color=INK)
            if row == 0:
                axes.set_title(what, color=INK, loc="left")
            axes.tick_params(labelbottom=row == len(chosen) - 1)
        for axes in made[-len(told) :]:
            axes.set_xlabel("tick of the presentation")
        handles = made[0].get_lines()[: len(TIMES)]
        figure.legend(
            handles, list(TIMES.values()), loc="outside upper left", ncols=len(TIMES)
        )
    return Picture(
        f"membranes-{run.place + 1}", "Potentials and traces of cells",
        _note(run, told, chosen), (run.kind("accuracy"),), figure,
    )  # fmt: skip


def _lines(axes: Axes, rows: Sequence[np.ndarray]) -> None:
    """One cell's values in each tick, a line each time."""
    for time, values in enumerate(rows):
        axes.plot(
            np.arange(len(values)) + 1, values, color=look.colour(time),
            linestyle=look.dash(time), linewidth=1.1,
        )  # fmt: skip
    axes.xaxis.set_major_locator(look.few_ticks())


def _spikes(
    axes: Axes, rows: Sequence[np.ndarray], spikes: Sequence[np.ndarray], cell: int
) -> None:
    """A dot on the potential of each tick in which the cell spikes."""
    for time, (values, fired) in enumerate(zip(rows, spikes, strict=True)):
        (ticks,) = np.nonzero(fired[cell])
        axes.plot(
            ticks + 1, values[ticks, cell], "o", color=look.colour(time), markersize=2.6
        )


def _limits(rows: Sequence[np.ndarray], chosen: np.ndarray) -> tuple[float, float]:
    """One scale for all cells that are drawn, with some room; of nothing but zeros upwards,
    for a trace is never less."""
    drawn = np.concatenate([one[:, chosen].ravel() for one in rows]).astype(float)
    low, high = float(drawn.min()), float(drawn.max())
    if low == high == 0:
        return -0.08, 1.0
    room = 0.08 * (high - low) or 1.0
    return low - room, high + room


def _note(run: Run, told: Told, chosen: np.ndarray) -> str:
    """What is drawn, in words."""
    watched = run.get("experiment.watch_cells")
    which = "that are watched" if watched else "that spike most"
    ticks, cells = next(iter(told.values()))[0].shape
    trace = (
        " The trace is what a synapse from the cell remembers of its spikes."
        if "trace" in told
        else ""
    )
    return (
        f"The same sample, the first, in its {ticks} ticks, as the device has kept them and the "
        f"reference has them too, bit for bit. Of {cells} cells {len(chosen)} {which}. The "
        f"potential is that of before a spike takes anything off it, a dot a spike.{trace} All "
        "cells have one scale."
    )
