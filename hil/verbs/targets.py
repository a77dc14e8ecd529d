"""hil targets: what there is to run on."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from hil import output

HELP = "list the targets, or show one"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil targets`."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="show all that is known of this target"
    )


def run(given: argparse.Namespace) -> int:
    """The verb."""
    import targets

    out = output.of(given)
    names = [given.name] if given.name else targets.names()
    found = [targets.load(name) for name in names]
    for target in found:
        vlens = (
            f"  VLEN {', '.join(map(str, target.vector.vlens))}"
            if target.vector
            else ""
        )
        float32 = "" if target.fma else "  (no float32: learns in i16)"
        out.line(f"{target.name:24} {target.isa:18} {target.title}{vlens}{float32}")
        if given.name:
            _show(out, asdict(target), 2)
    out.document(
        {"targets": [{**asdict(target), "fma": target.fma} for target in found]}
    )
    return 0


def _show(out: output.Output, values: dict[str, object], indent: int) -> None:
    for name, value in values.items():
        if isinstance(value, dict):
            out.line(f"{'':{indent}}{name}")
            _show(out, value, indent + 2)
        elif value is not None:
            out.line(f"{'':{indent}}{name:12} {value}")
