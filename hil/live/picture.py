"""The whole picture for a terminal's size: what there is no room for is left out."""

from __future__ import annotations

from hil.learning.progress import text
from hil.live.block import Block, above, beside, block
from hil.live.lines import Sight, lines
from hil.live.panels import accuracy, confused, confusion, confusion_size, loss

NARROW = 44
"""Columns under which there is one line only."""
PLOT = 30
"""Columns that a plot takes at least."""
FLAT = 4
"""Rows that a plot takes at least, with its frame."""
TALL = 12
"""Rows of a plot beyond which more height shows nothing more."""
LIST = 34
"""Columns of the list of what is confused."""


def picture(sight: Sight, width: int, height: int) -> Block:
    """At most `height` rows of exactly `width` columns."""
    below = lines(sight, width)
    if width < NARROW or height < 3:
        return block([[(f"learn    {text(sight.status)}", "")]], width)
    room = height - len(below)
    if room < FLAT:
        return block(below[:height], width)
    return above(_panels(sight, width, room), block(below, width))


def _panels(sight: Sight, width: int, room: int) -> Block:
    """Curves, and beside or below them what is confused with what; the loss alone,
    where nothing is right or wrong."""
    history = sight.history
    if not history.classes:
        return loss(history, width, min(room, 2 * TALL))
    counts = history.confusion()
    wide, tall = confusion_size(len(counts))
    if wide + PLOT <= width and tall <= room:
        height = max(tall, min(room, 2 * TALL))
        return beside(
            _curves(sight, width - wide, height), confusion(counts, wide, height)
        )
    if wide <= width and tall + 2 * FLAT <= room:
        height = min(room - tall, 2 * TALL)
        return above(_curves(sight, width, height), confusion(counts, width, tall))
    height = min(room, 2 * TALL)
    if width >= LIST + PLOT and room >= 2 * FLAT:
        listed = confused(counts, LIST, height)
        return beside(_curves(sight, width - LIST, height), listed)
    if room >= 2 * FLAT:
        return _curves(sight, width, height)
    if width >= 2 * PLOT:
        half, height = width // 2, min(room, TALL)
        left = loss(history, half, height)
        return beside(left, accuracy(history, width - half, height))
    return accuracy(history, width, min(room, TALL))


def _curves(sight: Sight, width: int, height: int) -> Block:
    """Accuracy above loss."""
    upper = (height + 1) // 2
    return above(
        accuracy(sight.history, width, upper),
        loss(sight.history, width, height - upper),
    )
