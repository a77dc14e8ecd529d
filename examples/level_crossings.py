"""Windows of HAPT as spikes in time: an axis says by an event that it has risen, or fallen, by
so much (docs/spiking.md).

    python examples/level_crossings.py build/crossings.npz
    hil run --data build/crossings.npz --rule ottt --network 48-64-6 --target host

HIL_DATA must name a folder with hapt/ in it. As in `--data hapt` people 1 to 21 are learned
from, and the others test it. Each axis has four steps of its own, STEPS of its deviation over
the training windows; a level follows it by a step at a time, and each step up or down is an
event: address ((axis 4 + step) 2), and one more where it is down. Eight rows are a tick.
"""

import sys
from pathlib import Path

import numpy as np

from hil.data import hapt

STEPS = (0.25, 0.5, 1.0, 2.0)
ROWS_A_TICK = 8
TICKS = hapt.ROWS // ROWS_A_TICK
INPUTS = hapt.AXES * len(STEPS) * 2


def crossings(windows: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """The raster [n, ticks, inputs] of windows [n, rows, axes]."""
    step = deviation[:, None] * STEPS
    level = np.zeros((len(windows), hapt.AXES, len(STEPS)))
    seen = np.zeros((len(windows), TICKS, hapt.AXES, len(STEPS), 2), bool)
    for row in range(hapt.ROWS):
        off = windows[:, row, :, None] - level
        for down, crossed in enumerate((off >= step, off <= -step)):
            level += np.where(crossed, step * (1 - 2 * down), 0)
            seen[:, row // ROWS_A_TICK, :, :, down] |= crossed
    return seen.reshape(len(windows), TICKS, INPUTS)


def main(path: str) -> None:
    """Write x [n, ticks, inputs] with the labels y, and the test part."""
    found = hapt.load()
    rows = found.windows.reshape(-1, hapt.ROWS, hapt.AXES).astype(float)
    first = found.users <= hapt.FIRST_USERS
    x = crossings(rows, rows[first].std(axis=(0, 1)))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path, x=x[first], y=found.labels[first], x_test=x[~first],
        y_test=found.labels[~first], raster=[TICKS, INPUTS],
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
