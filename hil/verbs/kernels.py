"""hil kernels: the kernel table."""

from __future__ import annotations

import argparse

from hil import output
from hil.errors import UsageError, did_you_mean
from hil.flags import OF_A_RUN, add_keys, experiment_of
from hil.keys import KEYS

HELP = "list the kernels, show one with its contract, or explain what a plan chooses"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil kernels`."""
    parser.add_argument(
        "kernel",
        nargs="?",
        metavar="NAME",
        help="show this kernel with its contract and variants",
    )
    parser.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="EXPERIMENT",
        help="show how the plan of an experiment (default: digits) computes each "
        "layer, with which variants, and why",
    )
    parser.add_argument(
        "--for",
        dest="objective",
        choices=["instructions", "cycles"],
        help="what decides: instructions, or the cycles of the core that is named "
        "(default: cycles where one is)",
    )
    add_keys(parser, *OF_A_RUN, "lr", "init", "toolchain")


def run(given: argparse.Namespace) -> int:
    """The verb."""
    if given.explain is not None:
        return _explain(given)
    if given.objective is not None:
        raise UsageError("--for needs --explain: a kernel has no plan")
    for key in KEYS:
        if getattr(given, key.name, None) is not None:
            raise UsageError(f"{key.flag} needs --explain: a kernel has no experiment")
    return _list(given)


def _explain(given: argparse.Namespace) -> int:
    from hil.lesson.preparing import prepare
    from hil.measuring.tuning import explain

    if given.kernel is not None:
        raise UsageError(
            f"{given.kernel!r} and --explain: expected one of them",
            "an experiment stands behind --explain: hil kernels --explain FILE.toml",
        )
    out = output.of(given)
    given.experiment = given.explain or None
    lesson = prepare(explain.aimed(experiment_of(given), given.objective))
    found = explain.explain(lesson)
    for line in explain.lines(found):
        out.line(line)
    out.document(explain.to_json(found))
    return 0


def _list(given: argparse.Namespace) -> int:
    from codegen import kernels

    out = output.of(given)
    known = {row.symbol: row.kernel.name for row in kernels.TABLE}
    given.kernel = known.get(given.kernel, given.kernel)
    if given.kernel and given.kernel not in kernels.KERNELS:
        raise UsageError(
            f"unknown kernel {given.kernel!r}: `hil kernels` lists them",
            *did_you_mean(given.kernel, kernels.KERNELS),
        )
    rows = [row for row in kernels.TABLE if given.kernel in (None, row.kernel.name)]
    for kernel in dict.fromkeys(row.kernel for row in rows):
        variants = [row for row in rows if row.kernel == kernel]
        if given.kernel:
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
    """A star on the first of its arch, which is taken among equals."""
    from codegen import kernels

    assert isinstance(row, kernels.Variant)
    return "*" if kernels.variant(row.kernel.name, row.arch == "rvv") == row else ""
