"""What an operator declares of itself: what is read from the file, what is supported,
and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from codegen.graph.description import Operator, Option, Tensor
from codegen.graph.flatbuffer import Table

Problems: TypeAlias = Iterator[str]
"""Sentences, each with what is there and what was expected."""


@dataclass(frozen=True)
class Field:
    """One option: its slot in the operator's table, the struct code of its number, and
    what it is where the file leaves it out. A code with [] is a vector."""

    name: str
    slot: int
    code: str
    default: Option


@dataclass(frozen=True)
class Declaration:
    """An operator that is supported.

    `table`: number of its options in the schema's union; 0 has none that matter.
    `newest`: the last version whose meaning this is.
    `types`: of inputs and output, such as "i8 i8 i32? > i8"; what has ? may be left out, an
    output that has + is there once or more often.
    `shape(operator)`: the shape that the first output has by the inputs' shapes.
    `state`: the places of inputs that may be variables, kept from one inference to the next.
    `check(operator)`: what else is not supported; called where types and counts fit.
    `macs(operator)`: products that are added up, those with padding too.
    """

    name: str
    table: int
    newest: int
    types: tuple[str, ...]
    shape: Callable[[Operator], tuple[int, ...]]
    fields: tuple[Field, ...] = ()
    state: tuple[int, ...] = ()
    check: Callable[[Operator], Problems] = lambda operator: iter(())
    macs: Callable[[Operator], int] = lambda operator: 0

    def options(self, table: Table | None) -> Mapping[str, Option]:
        """What the file says, of options that it has and that it leaves out."""
        if table is None:
            return {field.name: field.default for field in self.fields}
        return {field.name: _option(table, field) for field in self.fields}


def _option(table: Table, field: Field) -> Option:
    if field.code.endswith("[]"):
        return table.numbers(field.slot, field.code[:-2], field.name)
    found: Option = table.number(field.slot, field.code, field.default)
    return found


def problems(known: Declaration, operator: Operator) -> Problems:
    """What of an operator is not supported, each in a sentence."""
    if operator.version > known.newest:
        yield f"version {operator.version}: supported is up to {known.newest}"
    empty = [
        one for one in (*operator.inputs, *operator.outputs) if one and not one.elements
    ]
    if empty:
        yield f"{empty[0]} has shape {list(empty[0].shape)}: supported are sizes of at least 1"
        return
    if not any(_fits(operator, types) for types in known.types):
        yield f"types {_types(operator)}: supported are {'; '.join(known.types)}"
        return
    found = [*_variables(known, operator), *known.check(operator)]
    yield from found
    if not found:
        yield from shaped(operator.outputs[0], known.shape(operator))


def _variables(known: Declaration, operator: Operator) -> Problems:
    """Variables are the operator's state, and nothing else."""
    for place, tensor in enumerate(operator.inputs):
        if tensor is not None and tensor.variable and place not in known.state:
            yield f"{tensor} is a variable: supported are variables as the state of an LSTM or an SVDF"


def shaped(output: Tensor, expected: tuple[int, ...]) -> Problems:
    """An output has the shape that it must have."""
    if output.shape != expected:
        yield (
            f"{output} has shape {list(output.shape)}: expected {list(expected)}, by its "
            "inputs and options"
        )


def _types(operator: Operator) -> str:
    inputs = ["none" if one is None else one.type for one in operator.inputs]
    return f"{' '.join(inputs)} > {' '.join(one.type for one in operator.outputs)}"


def _fits(operator: Operator, types: str) -> bool:
    inputs, _, outputs = types.partition(" > ")
    wanted, there = inputs.split(), operator.inputs
    given = [one.type for one in operator.outputs]
    if outputs.endswith("+"):
        outputs = " ".join([outputs.removesuffix("+")] * max(1, len(given)))
    if given != outputs.split():
        return False
    if len(there) > len(wanted):
        return False
    there = (*there, *(None for _ in wanted[len(there) :]))
    return all(map(_one_fits, there, wanted))


def _one_fits(tensor: Tensor | None, wanted: str) -> bool:
    if tensor is None:
        return wanted.endswith("?") or wanted == "-"
    return tensor.type == wanted.rstrip("?")
