"""hil kernels: the kernel table."""

from __future__ import annotations

import argparse

from hil import output

HELP = "list the kernels and their variants, or show one with its contract"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil kernels`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="show this one whole")


def run(given: argparse.Namespace) -> int:
    """The verb."""
    import difflib

    from codegen import kernels
    from hil.errors import UsageError

    out = output.of(given)
    known = {row.symbol: row.kernel.name for row in kernels.TABLE}
    given.name = known.get(given.name, given.name)
    if given.name and given.name not in kernels.KERNELS:
        close = difflib.get_close_matches(given.name, kernels.KERNELS, 1)
        raise UsageError(
            f"unknown kernel {given.name!r}: `hil kernels` lists them",
            *([f"did you mean {close[0]!r}?"] if close else []),
        )
    rows = [row for row in kernels.TABLE if given.name in (None, row.kernel.name)]
    for kernel in dict.fromkeys(row.kernel for row in rows):
        variants = [row for row in rows if row.kernel == kernel]
        if given.name:
            out.line(kernel.contract.strip())
            for row in variants:
                out.line()
                out.line(row.prototype)
                out.line(f"  {row.template}{_default(row)}")
        else:
            suffixes = ", ".join(row.suffix + _default(row) for row in variants)
            out.line(f"{kernel.name:20} {suffixes}")
    out.document(
        {
            "kernels": [
                {
                    "kernel": row.kernel.name,
                    "variant": row.suffix,
                    "symbol": row.symbol,
                    "template": row.template,
                    "default": bool(_default(row)),
                }
                for row in rows
            ]
        }
    )
    return 0


def _default(row: object) -> str:
    """A star on the variant that plans take unless told otherwise."""
    from codegen import kernels

    assert isinstance(row, kernels.Variant)
    return "*" if kernels.variant(row.kernel.name, row.arch == "rvv") == row else ""
