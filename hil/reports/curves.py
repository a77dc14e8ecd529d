"""Curves over the steps: loss, accuracy, alignment, norms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from hil.records.continual import WINDOW, Fading
from hil.reports import look
from hil.reports.look import INK, MUTED, Picture
from hil.reports.runs import Run, Task
from hil.reports.steps import Steps, thinned, windowed

Values = Callable[[Steps], np.ndarray]
CHARACTER = 0.0125
"""Width of a letter in shares of the axes."""
SEEN = 100
"""Windows in a picture at most."""
SETTLED = 20
"""Steps at the start whose means are of too few to be drawn."""
QUANTITIES = {
    "angle": ("Angle to the true gradient", "degrees",
              "Between each layer's update and the descent of the true gradient; "
              "at 90 degrees they are unrelated."),
    "update_norm": ("Size of the updates", "norm",
                    "Euclidean norm of what a step adds to each layer's weights."),
    "weight_norm": ("Size of the weights", "norm",
                    "Euclidean norm of each layer's weights."),
    "active": ("Active weights", "share", "Share of each layer's weights that a step writes."),
    "saturation": ("Saturated units", "share",
                   "Share of each hidden layer's units on a flat piece of the activation."),
    "unsettled": ("Distance left to the fixed point", "largest change",
                  "How far a further cycle would move a unit of each layer at most, after the "
                  "phase that answers."),
    "phases": ("What showing the outcome changes", "root mean square",
               "Of each hidden layer's units, between the phase that answers and the one that "
               "knows."),
    "rate": ("Spikes", "a tick and cell", "Of each hidden layer, while it answers a sample."),
    "synaptic": ("Synaptic operations", "additions",
                 "Of an answer: a weight that is added to a cell's potential, for every spike "
                 "and every cell above it."),
}  # fmt: skip


def window_of(longest: int) -> int:
    """Steps whose mean is drawn of a run of `longest` steps: the window of the
    metrics, more where a picture could not show what changes that fast."""
    return max(WINDOW, longest // SEEN)


def fading(right: np.ndarray, window: int) -> np.ndarray:
    """Prequential accuracy [n] whose fading factor is 1 - 1 / `window`."""
    kept = Fading(1 - 1 / window)
    found = np.empty(len(right))
    for place, hit in enumerate(right):
        kept.add(bool(hit))
        found[place] = kept.accuracy
    return found


def stream(runs: Sequence[Run]) -> Iterator[Picture]:
    """What every run learned from, all runs in one picture: accuracy before
    learning, and loss."""
    shown = [run for run in runs if len(run.steps)]
    if not shown:
        return
    window = window_of(max(len(run.steps) for run in shown))
    more = ""
    if not all(run.steps.whole for run in shown):
        more += " Of steps that were not compared only the last of each reply is here."
    if any(run.pace > 1 for run in shown):
        more += " Steps of rehearsal are left out."
    judged = [run for run in shown if np.isfinite(run.steps.correct).any()]
    if judged:
        yield _accuracy(judged, window, more)
    yield _curve(
        shown, "loss", "Loss", (lambda s: windowed(s.loss, window),),
        f"Mean of the latest {window} samples, as the device computed it.{more}",
    )  # fmt: skip


def _accuracy(runs: Sequence[Run], window: int, more: str) -> Picture:
    """Of runs whose predictions are right or wrong."""
    return _curve(
        runs, "accuracy", "Accuracy before learning",
        (lambda s: windowed(s.correct, window), lambda s: fading(s.correct, window)),
        "Prequential: each sample is predicted first and learned then. Share predicted "
        f"right of the latest {window}; thin: with the past fading by "
        f"{1 - 1 / window:.4g} a sample.{more}",
    )  # fmt: skip


def _curve(
    runs: Sequence[Run], name: str, title: str, values: Sequence[Values], note: str
) -> Picture:
    """One curve a run, and further ones in thin lines."""
    with look.styled():
        figure, (axes,) = look.canvas()
        for run in runs:
            settled = SETTLED if len(run.steps) > 2 * SETTLED else 0
            places = settled + thinned(len(run.steps) - settled)
            for number, curve in enumerate(values):
                x, y = run.steps.sample[places], curve(run.steps)[places]
                _line(axes, x, y, run.place, None if number else run.label)
        _share(axes) if name == "accuracy" else axes.set_ylim(bottom=0)
        _across(axes, runs)
        look.legend(figure, [run.label for run in runs])
        note += _boundaries(axes, runs)
    kinds = tuple(dict.fromkeys(run.kind("accuracy.prequential") for run in runs))
    return Picture(name, title, note, kinds, figure)


def _across(axes: Axes, runs: Sequence[Run]) -> None:
    """All of these runs across, whatever of them is drawn."""
    first = min(int(run.steps.sample[0]) for run in runs)
    last = max(int(run.steps.sample[-1]) for run in runs)
    axes.set_xlim(first, last + max(1, (last - first) // 50))
    axes.set_xlabel("sample" if any(run.pace > 1 for run in runs) else "step")
    axes.xaxis.set_major_locator(look.few_ticks())
    axes.xaxis.set_major_formatter("{x:,.0f}")


def _line(
    axes: Axes, x: np.ndarray, y: np.ndarray, place: int, name: str | None
) -> None:
    """A line; a thin one, which no legend names, without a name."""
    axes.plot(
        x, y, color=look.colour(place), linestyle=look.dash(place),
        linewidth=1.5 if name else 0.7, label=name and look.short(name, 40),
        marker="o" if len(x) == 1 else None,
    )  # fmt: skip


def _share(axes: Axes) -> None:
    axes.set_ylim(-0.02, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "25 %", "50 %", "75 %", "100 %"])


def _boundaries(axes: Axes, runs: Sequence[Run]) -> str:
    """A line where each task begins, and its name, or number where names are too
    long; what is to be said of it."""
    streams = [run.tasks for run in runs if run.tasks]
    if not streams:
        return ""
    tasks = max(streams, key=lambda stream: (len(stream), stream[-1].end))
    if any(_starts(stream) != _starts(tasks)[: len(stream)] for stream in streams):
        return " The runs have different tasks, which are not drawn."
    low, high = axes.get_xlim()
    tasks = tuple(task for task in tasks if task.first <= high)
    for task in tasks[1:]:
        axes.axvline(task.first, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
    numbered = not all(_fits(task, (high - low)) for task in tasks)
    for number, task in enumerate(tasks, 1):
        axes.text(
            (task.first + min(task.end, high)) / 2, 1.01,
            str(number) if numbered else task.name,
            transform=axes.get_xaxis_transform(), ha="center", va="bottom",
            color=INK, fontsize=look.LETTERS - 1,
        )  # fmt: skip
    if not numbered:
        return ""
    names = ", ".join(f"{number} {task.name}" for number, task in enumerate(tasks, 1))
    return f" Tasks: {names}."


def _starts(tasks: Sequence[Task]) -> list[tuple[str, int]]:
    """What a run that ended early has in common with the others."""
    return [(task.name, task.first) for task in tasks]


def _fits(task: Task, width: float) -> bool:
    return len(task.name) * CHARACTER * 1.25 <= (task.end - task.first) / width


def health(run: Run) -> Iterator[Picture]:
    """What the reference knows of each layer's updates, if it was asked."""
    if not run.steps.health:
        return
    for quantity, (title, unit, note) in QUANTITIES.items():
        steps, rows = run.steps.health_of(quantity)
        if not np.isfinite(rows).any():
            continue
        with look.styled():
            figure, (axes,) = look.canvas(height=2.4)
            names = [f"layer {layer}" for layer in range(1, rows.shape[1] + 1)]
            places = thinned(len(steps))
            for layer, name in enumerate(names):
                _line(axes, steps[places], rows[places, layer], layer, name)
            _scale(axes, quantity, rows)
            _across(axes, [run])
            axes.set_ylabel(unit)
            look.legend(figure, names)
            note_too = _boundaries(axes, [run])
        yield Picture(
            f"{quantity.replace('_', '-')}-{run.place + 1}", title, note + note_too,
            (run.kind("health"),), figure,
        )  # fmt: skip


def energy(run: Run) -> Iterator[Picture]:
    """How the energy falls while a sample settles, of a rule that tells it."""
    _, rows = run.steps.health_of("energy")
    rows = rows[np.isfinite(rows).all(axis=1) & (rows[:, :1] > 0).all(axis=1)]
    if rows.shape[1] < 2 or not len(rows):
        return
    shares, x = rows / rows[:, :1], np.arange(rows.shape[1])
    halves = {
        "first half": shares[: -(-len(rows) // 2)],
        "second half": shares[len(rows) // 2 :],
    }
    with look.styled():
        figure, (axes,) = look.canvas(height=2.4)
        for place, (name, half) in enumerate(halves.items()):
            axes.fill_between(
                x, half.min(axis=0), half.max(axis=0), alpha=0.15, linewidth=0,
                color=look.colour(place),
            )  # fmt: skip
            _line(axes, x, np.median(half, axis=0), place, f"{name} of the run")
        axes.set(xlabel="iteration", ylabel="of the answer's energy", xlim=(0, x[-1]))
        axes.xaxis.set_major_locator(look.few_ticks())
        look.legend(figure, list(halves))
    risen = int((shares[:, 1:] > shares[:, :-1]).any(axis=1).sum())
    yield Picture(
        f"energy-{run.place + 1}", "Energy while a sample settles",
        "Half the errors' squares in units of their variances, as a share of the answer's: "
        f"median, and all of {len(rows):,} samples. It should fall; in {risen:,} of them it "
        "rose at some iteration, and steps were halved.", (run.kind("health"),), figure,
    )  # fmt: skip


def _wide(values: np.ndarray) -> bool:
    """Whether only a logarithmic scale shows all of these."""
    return bool(0 < values.min() < values.max() / 50)


def _scale(axes: Axes, quantity: str, rows: np.ndarray) -> None:
    if quantity == "angle":
        highest = float(np.nanmax(rows))
        axes.set_ylim(-2, 182 if highest > 95 else 95)
        axes.set_yticks([0, 45, 90, 135, 180] if highest > 95 else [0, 30, 60, 90])
        axes.axhline(90, color=MUTED, linewidth=0.9, linestyle=(0, (2, 2)))
    elif quantity in ("update_norm", "synaptic") and _wide(rows[np.isfinite(rows)]):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    elif quantity in ("active", "saturation"):
        _share(axes)
    else:
        axes.set_ylim(bottom=0)
