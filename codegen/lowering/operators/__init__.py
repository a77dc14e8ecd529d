"""How each operator becomes calls of kernels: a file each, with `TYPES`, those of the input
that devices compute, and `calls`; `GIVEN` is the place of that input where it is not 0; `scratch` says how many bytes it keeps while it runs, if
it keeps any, and `vector_scratch` the same of a machine with vectors, where that differs; `leads` says which inputs its output may be written over
(codegen/lowering/overlap.py).

The folder is the list. An operator or a type that only the twin computes is refused by
its name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from codegen.errors import ModelError
from codegen.graph.description import Operator
from codegen.lowering.composer import GraphComposer
from codegen.program import Op

TWIN = "`hil import --check` computes it by the numpy twin"


@dataclass(frozen=True)
class _Lowering:
    types: tuple[str, ...]
    given: int
    calls: Callable[[GraphComposer, Operator], tuple[Op, ...]]
    scratch: Callable[[Operator], int]
    vector_scratch: Callable[[Operator, int], int]
    leads: Callable[[Operator, int], Mapping[int, int]]


@cache
def _known() -> Mapping[str, _Lowering]:
    """By the schema's names."""
    modules = {
        found.name.upper(): importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    }
    return {
        name: _Lowering(
            one.TYPES,
            getattr(one, "GIVEN", 0),
            one.calls,
            *_scratches(one),
            getattr(one, "leads", _nothing),
        )
        for name, one in modules.items()
    }


def _scratches(
    module: ModuleType,
) -> tuple[Callable[[Operator], int], Callable[[Operator, int], int]]:
    plain: Callable[[Operator], int] = getattr(module, "scratch", _none)
    return plain, getattr(module, "vector_scratch", lambda one, vlen: plain(one))


def _none(operator: Operator) -> int:
    """Most kernels keep nothing."""
    return 0


def _nothing(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Most kernels are given an output that holds nothing of their inputs."""
    return {}


def leads(operator: Operator, vlen: int) -> Mapping[int, int]:
    """How many bytes before some inputs an output must begin, at least, to be written over
    one, by the tensors' numbers."""
    found = _known().get(operator.kind)
    return found.leads(operator, vlen) if found else {}


def scratch(operator: Operator, vlen: int = 0) -> int:
    """Bytes that an operator keeps while it runs, on a machine with registers of `vlen` bits
    or without vectors."""
    found = _known().get(operator.kind)
    if found is None:
        return 0
    return found.vector_scratch(operator, vlen) if vlen else found.scratch(operator)


def calls(c: GraphComposer, operator: Operator) -> tuple[Op, ...]:
    """What an operator becomes. Raises `ModelError` for what no device computes yet."""
    found = _known().get(operator.kind)
    at = f"{operator}, which gives {operator.outputs[0]}: no device computes it"
    if found is None:
        listed = ", ".join(sorted(_known()))
        raise ModelError(f"{at} yet: supported are {listed}", TWIN)
    x = operator.given(found.given)
    if x is None or x.type not in found.types:
        of = "nothing" if x is None else x.type
        listed = ", ".join(found.types)
        raise ModelError(f"{at} of {of} yet: supported is {listed}", TWIN)
    try:
        return found.calls(c, operator)
    except OverflowError as error:
        raise ModelError(
            f"{operator}, which gives {operator.outputs[0]}: {error}"
        ) from error
