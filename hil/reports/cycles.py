"""The cycles of one step of a rule that settles, before learning and after: what the units
do, what follows them, and what they learn from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from codegen import rules
from codegen.errors import SpecError
from codegen.spec import RuleChoice
from codegen.traces import Phase
from hil.reports import look
from hil.reports.look import HEAT, INK, MUTED, Picture
from hil.reports.runs import Run

TIMES = {"before": "before learning", "after": "after learning"}
INTEGRATORS = {"cam": "CaM", "cap": "CaP", "cad": "CaD"}
MOST = 3
"""Hidden units whose lines have a colour."""
PANEL = 1.35
"""Inches of a panel."""
FREE, TOLD = 0.05, 0.14
"""How dark a phase is that has no outcome, and one that has."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A step's cycles: `phases` of it, and of each layer what its units were, [cycles,
    units]; of kinase also what each of its integrators was, of the last layer. `moved`
    [n_in, n_out] is what the step adds to that layer's weights, `right` the output unit
    that the outcome is."""

    phases: Sequence[Phase]
    layers: Sequence[np.ndarray]
    integrators: Mapping[str, np.ndarray]
    moved: np.ndarray
    right: int

    @property
    def rival(self) -> int:
        """The most active of the other output units when the answer is there."""
        answer = self.outputs[self.answered - 1].copy()
        answer[self.right] = -np.inf
        return int(answer.argmax())

    @property
    def outputs(self) -> np.ndarray:
        """What the output units were."""
        return self.layers[-1]

    @property
    def answered(self) -> int:
        """Cycles before the outcome is told."""
        return sum(p.cycles for p in self.phases if not p.told)

    @property
    def ends(self) -> list[int]:
        """The last cycle of each phase that knows the outcome."""
        ends = accumulate(phase.cycles for phase in self.phases)
        return [end for end, p in zip(ends, self.phases, strict=True) if p.told]

    @property
    def sender(self) -> int:
        """The unit whose synapse to the right output changes most."""
        return int(np.abs(self.moved[:, self.right]).argmax())


def of_run(run: Run) -> Iterator[Picture]:
    """A picture before learning and one after, where the run has kept cycles."""
    found = {when: shown for when in TIMES if (shown := _shown(run, when)) is not None}
    highest = _highest(found.values())
    for when, shown in found.items():
        yield _picture(run, when, shown, highest)


def _shown(run: Run, when: str) -> Shown | None:
    """What a run has kept of one time; None where it has nothing, or not all."""
    own = {
        name.removeprefix(f"{when}_"): values
        for name, values in run.cycles.items()
        if name.startswith(f"{when}_")
    }
    layers = [own[name] for n in range(1, len(own) + 1) if (name := f"trace{n}") in own]
    phases = phases_of(run)
    cycles = sum(phase.cycles for phase in phases)
    settles = not all(phase.told for phase in phases)
    whole = settles and layers and "moved" in own and "target" in run.cycles
    if not whole or any(len(rows) != cycles for rows in layers):
        return None
    last = len(layers)
    integrators = {
        title: own[name]
        for short, title in INTEGRATORS.items()
        if (name := f"trace_{short}{last}") in own
    }
    right = int(run.cycles["target"].argmax())
    return Shown(phases, layers, integrators, own["moved"], right)


def phases_of(run: Run) -> Sequence[Phase]:
    """Of a step of the run's rule; none where this version has no such rule."""
    try:
        rule = rules.get(RuleChoice(run.get("rule"), run.get("parameters") or {}))
    except SpecError:
        return ()
    return rule.declaration.phases(rule.parameters)


def _highest(of: Iterable[Shown]) -> float:
    """The largest change that any picture of the run shows: they have one scale."""
    drawn = (_learned(one)[:, [one.right, one.rival]] for one in of)
    return max((float(np.nanmax(np.abs(rows))) for rows in drawn), default=1.0)


def _learned(shown: Shown) -> np.ndarray:
    """What the output units would learn from, [cycles, units], were this cycle the last:
    CaP - CaD, or how far they have left the answer."""
    found = np.full(shown.outputs.shape, np.nan)
    if shown.integrators:
        fast, slow = shown.integrators["CaP"], shown.integrators["CaD"]
        found[-len(fast) :] = fast - slow
        return found
    first = shown.answered
    found[first - 1 :] = shown.outputs[first - 1 :] - shown.outputs[first - 1]
    return found


def _picture(run: Run, when: str, shown: Shown, highest: float) -> Picture:
    panels = [_outputs, _hidden, *([_calcium] if shown.integrators else []), _change]
    if len(shown.layers) == 1:
        panels.remove(_hidden)
    with look.styled():
        figure, made = look.canvas(height=PANEL * len(panels) + 0.5, rows=len(panels))
        for axes, draw in zip(made, panels, strict=True):
            _shade(axes, shown.phases)
            draw(axes, shown)
            axes.set_xlim(0.5, len(shown.outputs) + 0.5)
            axes.xaxis.set_major_locator(look.few_ticks())
            axes.legend(
                loc="lower left", bbox_to_anchor=(0, 0.98), ncols=3, borderpad=0,
                handlelength=1.6, columnspacing=1.2, fontsize=look.LETTERS - 1.5,
            )  # fmt: skip
            if axes is not made[-1]:
                axes.tick_params(labelbottom=False)
        made[-1].set_ylim(-1.15 * highest, 1.15 * highest)
        _names(made[0], shown.phases)
        made[-1].set_xlabel("cycle of the step")
    return Picture(
        f"cycles-{when}-{run.place + 1}", f"The cycles of one step, {TIMES[when]}",
        _note(shown), (run.kind("accuracy"),), figure,
    )  # fmt: skip


def _note(shown: Shown) -> str:
    """What is drawn, in words."""
    right, sender = shown.right, shown.sender
    where = "input" if len(shown.layers) == 1 else "hidden unit"
    what = "how far its units have moved from their answer"
    if shown.integrators:
        what = "CaP - CaD of its units"
    elif len(shown.ends) > 1:
        what = "how far apart the two phases end that know the outcome"
    return (
        "The same sample, the first: every unit after every cycle, as the device has kept "
        f"it. The outcome is output {right}; output {shown.rival} is the most active of the "
        "others. Shaded: phases without the outcome (light) and with it (dark). "
        f"A layer learns from {what}, where the dots are. So the synapse from {where} "
        f"{sender} to output {right} gets {shown.moved[sender, right]:+.4f}."
    )


def _shade(axes: Axes, phases: Sequence[Phase]) -> None:
    """Phases, one beside the other; the first of three is only the way to the others."""
    first = 0.5
    for number, phase in enumerate(phases):
        end = first + phase.cycles
        shade = 0.0 if len(phases) > 2 and not number and not phases[1].told else FREE
        axes.axvspan(
            first, end, facecolor=HEAT, alpha=TOLD if phase.told else shade, linewidth=0
        )
        first = end
        if phase is not phases[-1]:
            axes.axvline(end, color=MUTED, linewidth=0.5, linestyle=(0, (2, 2)))


def _names(axes: Axes, phases: Sequence[Phase]) -> None:
    """What phases are called, within the first panel."""
    first = 0.5
    for phase in phases:
        axes.text(
            first + phase.cycles / 2, 0.97, phase.name, ha="center", va="top",
            transform=axes.get_xaxis_transform(), color=INK, fontsize=look.LETTERS - 1.5,
        )  # fmt: skip
        first += phase.cycles


def _cycles(shown: Shown, rows: np.ndarray) -> np.ndarray:
    """The numbers of the last cycles, a row each."""
    return np.arange(len(shown.outputs) - len(rows), len(shown.outputs)) + 1


def _plot(axes: Axes, shown: Shown, rows: np.ndarray, **style: Any) -> None:
    """Lines, with a gap where a phase does not go on from the one before it."""
    x = _cycles(shown, rows).astype(float)
    gaps = [int(np.searchsorted(x, end, side="right")) for end in shown.ends[:-1]]
    axes.plot(
        np.insert(x, gaps, np.nan), np.insert(rows, gaps, np.nan, axis=0), **style
    )


def _lines(axes: Axes, shown: Shown, rows: np.ndarray) -> None:
    """All units, in thin lines."""
    _plot(axes, shown, rows, color=MUTED, linewidth=0.5, alpha=0.45)


def _line(
    axes: Axes,
    shown: Shown,
    rows: np.ndarray,
    place: int,
    name: str,
    width: float = 1.5,
) -> None:
    _plot(
        axes, shown, rows, color=look.colour(place), linestyle=look.dash(place),
        linewidth=width, label=name,
    )  # fmt: skip


def _outputs(axes: Axes, shown: Shown) -> None:
    rows = shown.outputs
    _lines(axes, shown, rows)
    for place, unit in enumerate((shown.right, shown.rival)):
        outcome = "" if place else ", the outcome"
        _line(axes, shown, rows[:, unit], place, f"output {unit}{outcome}")
    axes.set_ylim(-0.05, 1.25)
    axes.set_ylabel("outputs,\nactivity")


def _hidden(axes: Axes, shown: Shown) -> None:
    """The last hidden layer, and of it the units that the outcome moves most."""
    rows = shown.layers[-2]
    moved = np.abs(rows[-1] - rows[shown.answered - 1])
    _lines(axes, shown, rows)
    for place, unit in enumerate(np.argsort(-moved, kind="stable")[:MOST], 2):
        _line(axes, shown, rows[:, unit], place, f"hidden {unit}", 1.1)
    axes.set_ylim(-0.05, 1.05)
    axes.set_ylabel("hidden units,\nactivity")


def _calcium(axes: Axes, shown: Shown) -> None:
    """The integrators of the output that is right."""
    for place, (name, rows) in enumerate(shown.integrators.items(), 3):
        _line(axes, shown, rows[:, shown.right], place, name, 1.2)
    fast, slow = (shown.integrators[n][:, shown.right] for n in ("CaP", "CaD"))
    axes.fill_between(
        _cycles(shown, fast), fast, slow, color=look.colour(4), alpha=0.25,
        linewidth=0,
    )  # fmt: skip
    axes.set_ylim(-0.05, 1.05)
    axes.set_ylabel(f"output {shown.right},\ncalcium")


def _change(axes: Axes, shown: Shown) -> None:
    """What is learned from: the values at the dots count."""
    found = _learned(shown)
    for place, unit in enumerate((shown.right, shown.rival)):
        _line(axes, shown, found[:, unit], place, f"of output {unit}")
        axes.plot(
            shown.ends, found[np.array(shown.ends) - 1, unit], color=look.colour(place),
            linestyle="", marker="o", markersize=5, clip_on=False,
        )  # fmt: skip
    axes.axhline(0, color=MUTED, linewidth=0.7)
    axes.set_ylabel("CaP - CaD" if shown.integrators else "change from\nthe answer")
