"""The panels of the live view: each takes what is known and a size, gives a block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter

import numpy as np

from hil.live.block import Block, Part, framed, whole
from hil.live.history import ANGLES, PAIRS, History
from hil.live.plot import bar, fitted, plot, sparkline
from hil.records.continual import WINDOW

LOSS, RECENT, WHOLE = "bright_red", "bright_green", "cyan"
DIM = "bright_black"
AXIS = 6
"""Columns of a plot's scale."""
SHADES = 6
CELL = 3
"""Columns of a cell of the confusion matrix, at least."""


def loss(history: History, width: int, height: int) -> Block:
    """The curve of the loss."""
    points = history.loss.points
    now = f"{points[-1]:.4f}" if points else "-"
    top = max(fitted(points, 2 * (width - 2 - AXIS)), default=1.0) or 1.0
    title = [("loss ", "bold"), (now, LOSS)]
    scale = (f"{top:.3g}", "0")
    return _plotted(title, [points], [LOSS], scale, (0.0, top), width, height)


def accuracy(history: History, width: int, height: int) -> Block:
    """The curves of accuracy before learning: of the latest samples, and of all."""
    recent, whole = history.recent.points, history.whole.points
    title = [("accuracy", "bold")]
    if recent:
        title += [
            (f" last {WINDOW} {recent[-1]:.1%}", RECENT),
            (f" all {whole[-1]:.1%}", WHOLE),
        ]
    scale = ("100%", "0%")
    curves, styles = [recent, whole], [RECENT, WHOLE]
    return _plotted(title, curves, styles, scale, (0.0, 1.0), width, height)


def _plotted(
    title: Sequence[Part],
    curves: Sequence[Sequence[float]],
    styles: Sequence[str],
    scale: tuple[str, str],
    span: tuple[float, float],
    width: int,
    height: int,
) -> Block:
    cells = plot(curves, width - 2 - AXIS, height - 2, *span)
    rows: list[list[Part]] = []
    for place, row in enumerate(cells):
        mark = scale[0] if place == 0 else scale[1] if place == len(cells) - 1 else ""
        parts: list[Part] = [(f"{mark:>{AXIS - 1}} ", DIM)]
        for of, run in groupby(row, itemgetter(1)):
            parts.append(("".join(c for c, _ in run), styles[of] if of >= 0 else ""))
        rows.append(parts)
    return framed(title, rows, width)


def confusion_size(classes: int) -> tuple[int, int]:
    """Width and height of the whole matrix."""
    return max(26, 2 + 3 + classes * _cell(classes) + 1), 3 + classes


def _cell(classes: int) -> int:
    """Columns of a cell: a count is at most a class's share, if they are even."""
    return max(CELL, len(str(PAIRS)) + 1 if classes < 6 else CELL)


def confusion(counts: np.ndarray, width: int, height: int) -> Block:
    """The matrix: a row a label, a column what was predicted; green is right."""
    classes, wide = len(counts), _cell(len(counts))
    head = "".join(f"{name:>{wide}}" for name in range(classes))
    rows: list[list[Part]] = [[("   " + head, DIM)]]
    for label, row in enumerate(counts):
        most = max(1, int(row.sum()))
        parts: list[Part] = [(f"{label:>2} ", DIM)]
        for predicted, count in enumerate(row):
            text = f"{_short(int(count), wide - 1):>{wide}}"
            parts.append((text, shade(count / most, label == predicted)))
        rows.append(parts)
    rows += [[]] * (height - 2 - len(rows))
    total = min(PAIRS, int(counts.sum()))
    title: list[Part] = [("label ↓ predicted → ", "bold"), (f"last {total}", DIM)]
    return framed(title, rows, width)


def _short(count: int, columns: int) -> str:
    """A count in so many columns; a dot for none."""
    text = str(count) if count else "·"
    return text if len(text) <= columns else "9" * (columns - 1) + "+"


def shade(share: float, right: bool) -> str:
    """The style of a cell that has this share of its row."""
    if share == 0:
        return DIM
    level = 50 + round(min(1.0, share) * SHADES) * 20
    if right:
        return f"bright_white on rgb(0,{level},40)"
    return f"bright_white on rgb({min(250, level + 40)},20,40)"


def confused(counts: np.ndarray, width: int, height: int) -> Block:
    """The pairs that are confused most, where the matrix has no room."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[: height - 2]
    rows: list[list[Part]] = []
    for label, predicted in zip(*np.unravel_index(order, wrong.shape), strict=True):
        count = int(wrong[label, predicted])
        if count:
            share = count / max(1, int(counts[label].sum()))
            said = (
                f" {label:>3} taken for {predicted:<3} {count:>4}  {share:>4.0%} of it"
            )
            rows.append([(said, LOSS if share > 0.1 else "")])
    rows += [[]] * (height - 2 - len(rows))
    total = int(counts.sum())
    return framed([("confused ", "bold"), (f"last {total}", DIM)], rows, width)


def angles(history: History, width: int) -> list[Part]:
    """Each layer's latest angle to the descent of the true gradient, and the ones
    before where there is room."""
    parts: list[Part] = [("angle   ", DIM)]
    past = (width - 38) // max(1, len(history.angles)) - 9
    for layer, kept in enumerate(history.angles, 1):
        known = [angle for angle in kept if angle is not None]
        if not known:
            parts.append((f"W{layer} -  ", DIM))
            continue
        before = known[-min(ANGLES, past) :] if past > 0 else ()
        line = sparkline(before, 0.0, 180.0) + " " * bool(before)
        parts += [
            (f"W{layer} ", "bold"),
            (f"{line}{known[-1]:.0f}°  ", _turned(known[-1])),
        ]
    return [*parts, ("to gradient (reference)", DIM)]


SPIKES = "s1"
TICKS = {
    SPIKES: ("spikes ", "bold"), "u1": ("  potential ", WHOLE), "a1": ("  trace ", RECENT),
}  # fmt: skip
"""Lines of a watched cell, by what is shown: the caption and the style."""


def ticks(cell: int, told: Mapping[str, Sequence[float]], width: int) -> list[Part]:
    """When a cell spikes in the ticks of one step, and its potential and trace in them,
    each between its least and its most, which stand behind it."""
    parts: list[Part] = [(f"cell {cell:<3}", DIM), ("(reference) ", DIM)]
    room = max(4, (width - 20) // len(told) - 18)
    for name, values in told.items():
        said, style = TICKS[name]
        if name == SPIKES:
            marks = ("│" if share > 0 else "·" for share in fitted(values, room))
            parts += [(said, DIM), ("".join(marks), style)]
            continue
        low, high = min(values), max(values)
        line = sparkline(fitted(values, room), low, high)
        parts += [(said, DIM), (line, style), (f" {low:.5g}..{high:.5g}", "")]
    return whole(parts, width)


def rates(told: Sequence[float], width: int) -> list[Part]:
    """How often the cells of each hidden layer spike."""
    parts: list[Part] = [("rate    ", DIM)]
    for layer, rate in enumerate(told, 1):
        parts += [(f"h{layer} ", "bold"), (f"{rate:.3g}  ", WHOLE)]
    return whole([*parts, ("spikes a tick and cell (reference)", DIM)], width)


def _turned(angle: float) -> str:
    return RECENT if angle < 60 else "yellow" if angle < 90 else LOSS


def progress(done: int, steps: int, width: int) -> list[Part]:
    """A bar of the steps."""
    share = done / steps if steps else 0.0
    return [(bar(share, width), "bright_blue on grey23"), (f" {share:4.0%}", "")]
