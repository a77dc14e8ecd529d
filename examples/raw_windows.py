"""Windows of HAPT as they were recorded, for a linear read-out that sees every reading:
the control of docs/spiking.md for reservoirs and for features made by hand.

    python examples/raw_windows.py build/raw-windows.npz
    hil sweep examples/reservoirs.toml

HIL_DATA must name a folder with hapt/ in it. As in `--data hapt` people 1 to 21 are learned
from, and the others test it; of each window every second row is kept, as `every=2` does.
"""

import sys
from pathlib import Path

import numpy as np

from hil.data import hapt


def main(path: str) -> None:
    """Write x [n, 384] in int16 with the labels y, and the test part."""
    found = hapt.load()
    rows = found.windows.reshape(-1, hapt.ROWS, hapt.AXES)[:, ::2]
    x, first = rows.reshape(len(rows), -1), found.users <= hapt.FIRST_USERS
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path, x=x[first], y=found.labels[first], x_test=x[~first],
        y_test=found.labels[~first],
    )  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1])
