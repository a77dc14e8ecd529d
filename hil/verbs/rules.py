"""hil rules: what a network can be taught by."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from hil import output

if TYPE_CHECKING:
    from codegen.parameters import Parameter
    from codegen.rules import Declaration

HELP = "list the learning rules, or show one"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil rules`."""
    parser.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="show this rule with its equations and source",
    )


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from codegen import rules

    out = output.of(given)
    names = [given.name] if given.name else rules.names()
    found = [rules.declaration(name) for name in names]
    width = max(map(len, names))
    for rule in found:
        out.line(f"{rule.name:{width}}  {rule.title}")
        for line in _shown(rule) if given.name else ():
            out.line(f"  {line}")
    out.document({"rules": [_document(rule) for rule in found]})
    return 0


def _shown(rule: Declaration) -> Iterator[str]:
    """One rule: its equation, where to read it, what it can teach, what can be set."""
    yield rule.equation
    yield f"source: {rule.source}"
    yield f"teaches: hidden activation {_or(rule.activations)}; output {_or(rule.outputs)}"
    if rule.most is not None:
        yield f"at most {rule.most - 1} hidden layer{'s'[: rule.most > 2]}, {rule.why}"
    yield f"gates: {_or(sorted(rule.gates)) or 'none'}"
    for parameter in rule.parameters:
        yield f"{parameter.name} = {parameter.default!r}{_taken(parameter)}"
        yield f"  {parameter.meaning}"


def _or(words: Iterable[str]) -> str:
    return ", ".join(words)


def _taken(parameter: Parameter) -> str:
    """What a parameter takes, in brackets."""
    if parameter.choices:
        return f" (one of {_or(parameter.choices)})"
    if parameter.within is not None:
        least, most = parameter.within
        return f" ({least:g} to {most:g})"
    return ""


def _document(rule: Declaration) -> dict[str, object]:
    """The same for a program."""
    return {
        "name": rule.name,
        "title": rule.title,
        "equation": rule.equation,
        "source": rule.source,
        "activations": list(rule.activations),
        "outputs": list(rule.outputs),
        "weight_layers": rule.most,
        "gates": sorted(rule.gates),
        "parameters": {
            p.name: {
                "default": p.default,
                "choices": list(p.choices),
                "meaning": p.meaning,
            }
            for p in rule.parameters
        },
    }
