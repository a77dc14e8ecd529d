"""hil bench cycles: what kernels' variants cost on cores whose cycles are modelled."""

from __future__ import annotations

import argparse

from hil import output
from hil.errors import UsageError

HELP = (
    "model the cycles of every kernel variant on each core, for plans that they decide"
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench cycles`."""
    parser.add_argument(
        "--update",
        action="store_true",
        help="write what was found into codegen/kernels/cycles.toml",
    )
    parser.add_argument(
        "--kernels",
        metavar="NAMES",
        help="measure these alone, such as f32_tanh,f32_relu; other rows stay as they are",
    )


def _named(text: str | None) -> tuple[str, ...]:
    """The kernels of a list. Raises `UsageError` for one that there is not."""
    from codegen import kernels

    names = tuple(text.split(",")) if text is not None else ()
    for name in names:
        if name not in kernels.KERNELS:
            raise UsageError(
                f"--kernels names {name!r}: expected kernels, such as f32_tanh",
                "`hil kernels` lists them",
            )
    return names


def run(given: argparse.Namespace) -> int:
    """The benchmark."""
    from codegen.building import toolchain
    from codegen.kernels import cycles
    from hil.measuring import kernel_cycles
    from hil.measuring.steps.scoreboard import cores
    from targets import load, storage

    out = output.of(given)
    only = _named(given.kernels)
    found = {
        name: {
            row: kernel_cycles.fit(calls)
            for row, calls in kernel_cycles.measure(core, out.line, only).items()
        }
        for name, core in cores().items()
    }
    for name, rows in found.items():
        for row, fitted in rows.items():
            weights = "  ".join(f"{weight:8.2f}" for weight in fitted.weights)
            out.line(f"{name:14} {row.symbol:40} {weights}  {fitted.error:5.0%}")
    if given.update:
        version = toolchain.find(load("qemu-rv64gcv")).version
        known = kernel_cycles.said(cycles.TABLE.read_text("utf-8")) if only else {}
        lines = {
            name: {**known.get(name, {}), **kernel_cycles.lines(rows)}
            for name, rows in found.items()
        }
        storage.write(cycles.TABLE, kernel_cycles.table(lines, version))
        out.line(f"written to {cycles.TABLE}")
    out.document(
        {
            "bench": "cycles",
            "cores": {
                name: {
                    row.symbol: {"weights": list(one.weights), "error": one.error}
                    for row, one in rows.items()
                }
                for name, rows in found.items()
            },
            "provenance": {"cores": "modelled"},
        }
    )
    return 0
