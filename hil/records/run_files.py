"""What a run has left behind, read again: its record, and its lines a step.

A run's folder may come from anybody, so what is read is held against the shape of
what this version writes before anybody makes something of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hil import documents
from hil.documents import (
    Shape,
    Table,
    anything,
    digest,
    each,
    maybe,
    number,
    one_of,
    text,
    truth,
    whole,
)
from hil.errors import UsageError
from hil.records import baselines
from hil.records import record as records

LONGEST = 1 << 20
"""Characters of a line of metrics.jsonl at most."""

FIGURES = Table(others=maybe(number))
BY_TASK = (
    "prequential_by_task",
    "recovery_steps",
    *(f"{name}_by_task" for name in baselines.NAMES),
)
METRICS = Table({}, dict.fromkeys(BY_TASK, each(maybe(number))), others=maybe(number))
COUNTS = Table(others=whole)
DIVERGENCE = Table(
    {"step": whole},
    {"tensor": text, "index": maybe(each(whole)), "note": text, "ulp": maybe(number)},
)
ACCURACY = Table(
    {},
    {
        "test": maybe(number), "prequential": maybe(number), "tested": whole,
        "of": whole, "part": text, "initial": maybe(each(maybe(number))),
        "matrix": maybe(each(each(maybe(number)))), "baselines": maybe(FIGURES),
    },
)  # fmt: skip
FIGURES_OF_RESIDUALS = {"rmse": number, "mae": number, "r2": maybe(number)}
RESIDUALS = Table(
    {
        **FIGURES_OF_RESIDUALS, "tested": whole,
        "outputs": each(Table(FIGURES_OF_RESIDUALS)),
    },
)  # fmt: skip
RUN = Table(
    {
        "result": one_of("pass", "fail", "error"), "steps": whole, "learned": whole,
        "compared": whole, "digest": maybe(digest), "started": text,
        "divergence": maybe(DIVERGENCE),
        "error": maybe(Table({}, {"sentence": text, "hints": each(text), "step": maybe(whole)})),
        "image": Table({"build_digest": maybe(text)}, {"text": maybe(whole), "ram": maybe(whole)}),
        "versions": Table({"hil": text}, others=text), "experiment": Table(),
    },
    {
        "exit_code": whole, "folder": text, "target": text, "board": maybe(text),
        "vlen": whole, "rule": text, "parameters": Table(), "network": each(whole),
        "format": text, "activation": text, "output": text, "data": text, "seed": whole,
        "prefix_digest": maybe(digest), "resumed_from": maybe(whole),
        "tasks": maybe(each(Table({"name": text, "first": whole, "end": whole}))),
        "accuracy": ACCURACY, "residuals": maybe(RESIDUALS), "metrics": maybe(METRICS),
        "instructions_per_step": maybe(number), "cycles_per_step": maybe(number),
        "weights_written_per_step": maybe(number), "health": maybe(Table()),
        "link": COUNTS, "faults": maybe(Table(others=COUNTS)), "device": Table(),
        "speed": FIGURES, "seconds": FIGURES, "provenance": Table(others=text),
    },
)  # fmt: skip
DEMO = Table(
    {"arms": Table(others=Table({"folder": text}))},
    {
        "demo": text, "title": text, "about": text, "verdict": text, "file": text,
        "experiment": Table(), "seconds": number,
    },
)  # fmt: skip
SHAPES: dict[str, Shape] = {records.FILE: RUN, records.DEMO: DEMO}
STEP = Table(
    {"step": whole, "digest": maybe(digest), "loss": maybe(number), "correct": maybe(truth)},
    {
        "task": whole, "label": maybe(whole), "predicted": maybe(whole),
        "confidence": maybe(number), "rehearsed": truth,
        "health": Table({}, others=each(maybe(number))),
        "outputs": each(maybe(number)),
    },
)  # fmt: skip


def document(path: Path) -> dict[str, Any]:
    """A run.json or demo.json. Raises `UsageError`."""
    if not path.exists():
        raise UsageError(
            f"{str(path.parent)!r} is no folder of a run or a demo: it has no {path.name}",
            "`hil run` prints the folder of its record, such as "
            "runs/20261126-014841-digits-dfa",
        )
    origin = f"record {str(path)!r}"
    found = documents.from_json(documents.read(path, origin), origin)
    if not isinstance(found, dict) or found.get("schema") != records.SCHEMA:
        raise UsageError(
            f"{origin} is not of schema {records.SCHEMA}: expected what this version of "
            "hil writes"
        )
    documents.require(found, SHAPES.get(path.name, anything), origin)
    return found


def steps(folder: Path) -> Iterator[dict[str, Any]]:
    """The lines of a run's metrics.jsonl one after another, for they may be many: none
    where there is no such file, and without the last one where a run that was killed
    has left half of it. Raises `UsageError`."""
    path = folder / records.METRICS
    if not path.is_file():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        number = 0
        while line := file.readline(LONGEST):
            number += 1
            origin = f"{str(path)!r}, line {number}"
            if not line.endswith("\n") and len(line) < LONGEST:
                return  # a run that was killed has left half of it
            found = documents.from_json(line, origin)
            documents.require(found, STEP, origin)
            yield found
