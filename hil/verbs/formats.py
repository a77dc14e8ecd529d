"""hil formats: what the numbers of a network can be."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from codegen.numbers import NUMBERS
from hil import output

if TYPE_CHECKING:
    from codegen.formats import Format
    from codegen.numbers import Numbers

HELP = "list the formats of numbers, or show one"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil formats`."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", choices=[*NUMBERS],
        help="show how this format stores and rounds, which rules it has, and where: "
        + ", ".join(NUMBERS),
    )  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The verb."""
    out = output.of(given)
    found = [NUMBERS[given.name]] if given.name else [*NUMBERS.values()]
    width = max(len(numbers.name) for numbers in found)
    documents = [_document(numbers) for numbers in found]
    for numbers, document in zip(found, documents, strict=True):
        out.line(f"{numbers.name:{width}}  {numbers.title}")
        for line in _shown(numbers, document) if given.name else ():
            out.line(f"  {line}")
    out.document({"formats": documents})
    return 0


def _shown(numbers: Numbers, document: dict[str, Any]) -> Iterator[str]:
    """One format, line by line."""
    by_layer = ", the point by the layer" if document["point"] is not None else ""
    yield f"weights: {_stored(numbers.weight)}{by_layer}"
    yield f"activations, errors, deltas: {_stored(numbers.value)}{_point(document)}"
    yield f"sums: {_stored(numbers.total)}, rounded {numbers.total.rounded}"
    yield f"rounding: {numbers.rounding}"
    others = document["activations_of"].items()
    own = "".join(f"; of {rule} {', '.join(found)}" for rule, found in others)
    for what in ("rules", "activations", "outputs", "targets"):
        yield f"{what}: {', '.join(document[what])}{own if what == 'activations' else ''}"


def _stored(stored: Format) -> str:
    return f"{stored.c_type}, {stored.bits} bits"


def _point(document: dict[str, Any]) -> str:
    return "" if document["point"] is None else f", {document['point']} below the point"


def _document(numbers: Numbers) -> dict[str, Any]:
    """All of one format, for a program too."""
    import targets
    from codegen import in_integers, rules, tables

    taught, usual = rules.taught(numbers), in_integers.activations(numbers)
    found = {
        rule: list(in_integers.with_rule(numbers, rules.declaration(rule).activations))
        for rule in taught
    }
    return {
        "name": numbers.name,
        "title": numbers.title,
        "weight": numbers.weight.name,
        "activation": numbers.value.name,
        "error": numbers.value.name,
        "sum": numbers.total.name,
        "point": tables.POINT if numbers.integer and not numbers.own else None,
        "rounding": numbers.rounding,
        "rules": taught,
        "activations": list(usual),
        "activations_of": {r: own for r, own in found.items() if set(own) - set(usual)},
        "outputs": list(in_integers.outputs(numbers)),
        "targets": [
            name for name in targets.names()
            if targets.load(name).fma or not numbers.fused
        ],
    }  # fmt: skip
