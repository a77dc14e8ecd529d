"""hil reset: a unit starts anew."""

from __future__ import annotations

import argparse

from hil import output

HELP = "reset a unit of the bench by its loader, or by its power switch if it has no loader"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil reset`."""
    parser.add_argument(
        "--unit", metavar="NAME", nargs="?", const="auto", default="auto",
        help="a unit of the bench (default: the only one)",
    )  # fmt: skip
    parser.add_argument("--target", metavar="NAME", help="the only unit of this target")
    parser.add_argument(
        "--power",
        action="store_true",
        help="use the power switch, also if the unit has a loader",
    )


def run(given: argparse.Namespace) -> int:
    """The verb."""
    import targets
    from hil.desk import locks, power
    from hil.desk.loaders import CLASSES, loader_for
    from hil.device import units
    from hil.errors import UsageError

    out = output.of(given)
    unit = units.chosen(given.unit, given.target)
    able = unit.loader is not None and CLASSES[unit.loader].resets
    by_loader = able and not given.power
    if not by_loader and unit.power is None:
        raise UsageError(
            f"unit {unit.name!r} has no power switch"
            + ("" if given.power else ", and no loader that could reset it"),
            "a key `power` in the bench is a command with {state} in it",
        )
    with locks.held(unit):
        if by_loader:
            loader_for(unit, targets.load(unit.target)).reset()
        else:
            power.cycle(unit)
    how = f"loader {unit.loader}" if by_loader else "power"
    out.line(f"unit     {unit.name}: reset by {how}")
    out.document({"unit": unit.name, "by": how})
    return 0
