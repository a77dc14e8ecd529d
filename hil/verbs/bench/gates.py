"""hil bench gates: what the gates save."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hil import output
from hil.flags import add_experiment, experiment_of

HELP = "train with each gate on the host, then count its instructions and weight writes"
STEPS = 400
SET = (
    "target", "unit", "vlen", "test", "prefix", "compare", "icount", "init", "save",
    "name", "model", "gate", "active", "error_gate",
)  # fmt: skip
"""Keys that each of the runs has its own of."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench gates`."""
    parser.add_argument(
        "--count",
        type=int,
        default=STEPS,
        metavar="N",
        help=f"steps counted (default: {STEPS})",
    )
    parser.add_argument(
        "--second", default="qemu-rv64gcv", metavar="TARGET",
        help="counts the instructions (default: qemu-rv64gcv)",
    )  # fmt: skip
    add_experiment(parser, *SET)


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from hil.lesson.preparing import prepare
    from hil.measuring.gate_cost import DIGEST_EVERY, gate_costs

    out = output.of(given)
    asked = experiment_of(given).override({"target": "host", "test": "all"})
    if asked.resident is None:
        asked = asked.override({"resident": "all"})
    if asked.steps is None and asked.epochs is None:
        asked = asked.override({"epochs": 1})
    lesson = prepare(asked)
    asked = asked.override({"prefix": 1})
    last = float(lesson.eta(lesson.steps - 1))
    emulated = asked.override(
        {"target": given.second, "steps": given.count, "lr": last, "icount": True,
         "compare": DIGEST_EVERY, "test": 0, "resident": None, "prefix": None},
    )  # fmt: skip
    first, rows = None, []
    out.line(
        "| gate | test accuracy | instructions/step | of ungated | weights written/step | of ungated |"
    )
    out.line("|---|---|---|---|---|---|")
    for row in gate_costs(asked, emulated, out.progress):
        first = first or row
        out.line(
            f"| {row.gate} | {row.accuracy:.2%} | {row.instructions:,.0f} "
            f"| {row.instructions / first.instructions:.0%} | {row.written:,.0f} "
            f"| {row.written / first.written:.0%} |"
        )
        rows.append(asdict(row))
    out.document(
        {
            "bench": "gates",
            "network": list(lesson.spec.network.layers),
            "rule": lesson.spec.rule.name,
            "counted_on": given.second,
            "gates": rows,
            "provenance": {
                "gates": "emulated",
                "gates.instructions": "counted",
                "gates.written": "reference",
            },
        }
    )
    return 0
