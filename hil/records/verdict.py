"""A record in a line each: what it took, what it was made with, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hil.records.record import RunRecord


def in_integers(number_format: str) -> str:
    """What a sentence about a network says of its format, where that is not float32."""
    return "" if number_format == "f32" else f" in {number_format}"


def computed(experiment: Mapping[str, Any]) -> str | None:
    """The name of the model that a run has computed as it is; None of one that learns."""
    model = experiment.get("model")
    return None if model is None else Path(str(model)).stem


def _what(record: RunRecord) -> tuple[str, ...]:
    """What has learned, or the model, and on which data."""
    if (model := computed(record.experiment)) is not None:
        return (f"model {model} on {record.data}",)
    network = "-".join(map(str, record.network))
    return (
        f"{record.rule} {network} {record.activation}/{record.output}"
        f"{in_integers(record.format)} on {record.data}",
        f"seed {record.seed}",
    )


def line(record: RunRecord) -> str:
    """What was done to the line and the device, and what it took."""
    done: dict[str, int] = {}
    for way in (record.faults or {}).values():
        for kind, count in way.items():
            done[kind] = done.get(kind, 0) + count
    faults = ", ".join(f"{count} {kind}" for kind, count in done.items() if count)
    took = ", ".join(f"{count} {name}" for name, count in record.link.items() if count)
    return f"{faults or 'no faults'}; {took}".replace("_", " ")


def versions(record: RunRecord) -> str:
    """What it was made with, for a bug report."""
    bare = ("toolchain", "system")
    return ", ".join(
        value if name in bare else f"{name} {value}"
        for name, value in record.versions.items()
    )


def tested(record: RunRecord) -> str:
    """How many of the test samples were, where not all of them were; a stream says it
    of each of its tasks."""
    count, there = record.accuracy["tested"], record.accuracy.get("of", 0)
    return f" ({count:,} of {there:,})" if count < there and not record.tasks else ""


def verdict(record: RunRecord) -> str:
    """The last line: PASS, FAIL or ERROR, and what was compared with what."""
    vlen = f" vlen {record.vlen}" if record.vlen else ""
    build = record.image["build_digest"]
    first = record.resumed_from or 0
    each = "steps" if computed(record.experiment) is None else "samples"
    compared = f"{record.compared} of {record.steps - first} {each} bit-exact"
    if record.resumed_from is not None:
        compared += f" from step {first} on"
    parts = [compared if record.compared else f"no {each[:-1]} compared"]
    if 0 < record.compared < record.learned - first:
        parts.append("the others not compared")
    if record.digest:
        parts.append(f"digest {record.digest}")
    if record.accuracy["test"] is not None:
        share = record.accuracy["test"]
        parts.append(f"{record.accuracy['part']} accuracy {share:.2%}{tested(record)}")
    if record.residuals is not None:
        found = record.residuals
        r2 = "" if found["r2"] is None else f", R2 {found['r2']:.4f}"
        part = record.accuracy["part"]
        parts.append(f"{part} RMSE {found['rmse']:.4f}{r2}{tested(record)}")
    parts += [
        *_what(record),
        f"{record.target}{vlen}" + (f" ({record.board})" if record.board else ""),
    ]
    if build:
        parts.append(f"build {build[:8]}")
    words = {"pass": "PASS", "fail": "FAIL", "error": f"ERROR {record.exit_code}"}
    return f"{words[record.result]}: " + ", ".join(parts)
