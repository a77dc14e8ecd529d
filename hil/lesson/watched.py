"""Whether the cells that are to be watched are there, and keep what is to be seen."""

from __future__ import annotations

from codegen.spec import Spec
from hil.errors import UsageError


def require(cells: tuple[int, ...] | None, spec: Spec) -> None:
    """Raise `UsageError` where one is none of the first hidden layer's, or where the rule
    does not keep membranes."""
    if cells is None:
        return
    named, network = ",".join(map(str, cells)), spec.network
    if spec.rule.parameters.get("trace") != "membranes":
        raise UsageError(
            f"watch_cells is {named}, but rule {spec.rule.name!r} keeps no membranes here: "
            "expected ottt or stdp-wta with its parameter trace = membranes",
            "--parameter trace=membranes",
        )
    there = network.layers[1] if network.depth > 1 else 0
    if max(cells) >= there:
        raise UsageError(
            f"watch_cells has cell {max(cells)}, but the first hidden layer has {there} "
            "cells: expected numbers from 0, less than that"
        )
