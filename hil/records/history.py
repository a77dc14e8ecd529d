"""A run as arrays, as a picture, and as a card in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.errors import UsageError
from hil.records import baselines, run_files
from hil.records.record import RunRecord
from hil.records.verdict import verdict

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SLIDING = 100
"""Steps that each point of a picture is the mean of."""
COLOURS = {"pass": "#1a7f37", "fail": "#cf222e", "error": "#9a6700"}


def _number(value: Any) -> float:
    return np.nan if value is None else value


def _whole(value: Any) -> int:
    return -1 if value is None else value


def _text(value: Any) -> str:
    return value or ""


COLUMNS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "step": (np.int64, int),
    "task": (np.int64, int),
    "loss": (np.float64, _number),
    "label": (np.int64, _whole),
    "predicted": (np.int64, _whole),
    "confidence": (np.float64, _number),
    "correct": (np.bool_, bool),
    "prequential": (np.float64, _number),
    "eta": (np.float64, _number),
    "digest": ("<U8", _text),
    "instructions": (np.int64, _whole),
    "threshold": (np.float64, _number),
    "rehearsed": (np.bool_, bool),
}
"""Type of each column, and what becomes of a value that may be null: NaN, -1 or ""."""


def history(folder: Path) -> dict[str, np.ndarray]:
    """The columns of a run's metrics.jsonl, [steps] each; empty where nothing was
    learned. Raises `UsageError` for a file that no run has written."""
    rows = list(run_files.steps(folder))
    return {
        name: np.array([made(row.get(name)) for row in rows], dtype)
        for name, (dtype, made) in COLUMNS.items()
    }


def frame(folder: Path) -> Any:
    """The same as a pandas DataFrame. Raises `UsageError` where pandas is missing."""
    try:
        import pandas
    except ImportError:
        raise UsageError(
            "a table needs pandas, which is not installed",
            "pip install pandas, or use history(): the same columns as arrays",
        ) from None
    return pandas.DataFrame(history(folder))


def sliding_mean(values: np.ndarray, width: int = SLIDING) -> np.ndarray:
    """The mean [n] of each value and those before it, at most `width` together."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    ends = np.arange(1, len(values) + 1)
    firsts = np.maximum(0, ends - width)
    return (sums[ends] - sums[firsts]) / (ends - firsts)


def plot(record: RunRecord) -> Figure:
    """Loss over the steps and, where there are labels, accuracy."""
    from matplotlib.figure import Figure

    told = history(record.folder)
    labelled = bool((told["label"] >= 0).any())
    figure = Figure(figsize=(7, 2.4 * (1 + labelled)), layout="constrained")
    axes = figure.subplots(1 + labelled, sharex=True, squeeze=False)[:, 0]
    axes[0].plot(told["step"], sliding_mean(told["loss"]))
    axes[0].set_ylabel("loss")
    if labelled:
        axes[1].plot(told["step"], sliding_mean(told["correct"]))
        axes[1].set_ylabel("right before\nlearned")
        axes[1].set_ylim(0, 1)
    axes[-1].set_xlabel(f"step (means of {SLIDING})")
    axes[0].set_title(
        f"{record.rule} on {record.target}: {record.result.upper()}", fontsize=10
    )
    return figure


def card(record: RunRecord) -> str:
    """The verdict and what it is of, as HTML."""
    rows: dict[str, str | None] = {
        "network": "-".join(map(str, record.network)),
        "target": record.target,
        "steps": f"{record.learned:,} learned, {record.compared:,} compared",
        "test": _share(record.accuracy["test"]),
        "prequential": _prequential(record),
        "digest": record.digest,
        "error": record.error["sentence"] if record.error else None,
        "folder": str(record.folder),
    }
    cells = "".join(
        f"<tr><th style='text-align:left'>{name}</th>"
        f"<td style='text-align:left'>{escape(value)}</td></tr>"
        for name, value in rows.items()
        if value is not None
    )
    colour = COLOURS[record.result]
    return (
        f"<div style='border-left:4px solid {colour};padding-left:1em'>"
        f"<b style='color:{colour}'>{record.result.upper()}</b> {escape(record.rule)}"
        f"<table title='{escape(verdict(record))}'>{cells}</table></div>"
    )


def _prequential(record: RunRecord) -> str | None:
    share = _share(record.accuracy["prequential"])
    return share and share + baselines.told(record.accuracy.get("baselines"))


def _share(value: float | None) -> str | None:
    return None if value is None else f"{value:.2%}"
