"""Which variant of a kernel the plan takes: the one that is estimated to cost the least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from types import MappingProxyType

from codegen.errors import BuildError
from codegen.kernels import cost, cycles
from codegen.kernels.contracts import KERNELS
from codegen.kernels.cost import Cost, Shape
from codegen.kernels.table import TABLE
from codegen.kernels.variant import Variant

SAME = 0.01
"""Cycles of variants on a core that differ by less are about equal."""


def variant(kernel_name: str, vector: bool) -> Variant:
    """The default variant of a kernel, for a machine with or without vectors.

    A kernel without a vector variant is scalar everywhere. Raises `BuildError` when
    there is none.
    """
    return _variants(kernel_name, vector)[0]


@cache
def _variants(kernel_name: str, vector: bool) -> tuple[Variant, ...]:
    """Those among which a machine with or without vectors chooses."""
    arch = "rvv" if vector else "scalar"
    for wanted in dict.fromkeys((arch, "scalar")):
        rows = [r for r in TABLE if (r.kernel.name, r.arch) == (kernel_name, wanted)]
        if rows:
            return tuple(rows)
    raise BuildError(
        f"no {arch} kernel {kernel_name!r}: expected one of {', '.join(KERNELS)}"
    )


@lru_cache(maxsize=4096)
def estimates(
    kernel_name: str, vlens: tuple[int, ...], shape: Shape, core: str | None = None
) -> Mapping[Variant, Cost]:
    """What each variant is estimated to cost, in mean over `vlens` (empty: a
    machine without vectors); its cycles are those of `core` where that is measured.

    Raises `BuildError` when there is no variant.
    """
    found = {
        row: cost.mean([row.cost(shape, vlen) for vlen in vlens or (cost.WORD,)])
        for row in _variants(kernel_name, bool(vlens))
    }
    if core is not None and known(kernel_name, vlens, core):
        weights = cycles.core(core).weights
        found = {
            row: replace(one, cycles=weights[kernel_name, row.suffix].cycles(one))
            for row, one in found.items()
        }
    return MappingProxyType(found)


def known(kernel_name: str, vlens: tuple[int, ...], core: str | None) -> bool:
    """Whether the cycles of all variants of a kernel on `core` are known. Raises
    `SpecError` for an unknown core."""
    weights = cycles.core(core).weights if core is not None else {}
    rows = _variants(kernel_name, bool(vlens))
    return all((kernel_name, row.suffix) in weights for row in rows)


@lru_cache(maxsize=4096)
def best(
    kernel_name: str, vlens: tuple[int, ...], shape: Shape, core: str | None = None
) -> Variant:
    """The variant whose estimate is the least, in mean over `vlens`: the fewest cycles
    of `core` (`fastest`), where that is given and its cycles of this kernel are known. Else
    within 3 % of the least count of instructions, modelled cycles decide (docs/tuning.md).

    Raises `BuildError` when there is none.
    """
    found = estimates(kernel_name, vlens, shape, core)
    if core is None or not known(kernel_name, vlens, core):
        return cost.cheapest(found)
    return fastest(found)


def fastest(found: Mapping[Variant, Cost]) -> Variant:
    """The fewest cycles; of about equals a loop in assembly, in which no compiler spills."""
    least = found[cost.fastest(found)].cycles
    near = {row: one for row, one in found.items() if one.cycles <= least * (1 + SAME)}
    return cost.fastest({r: c for r, c in near.items() if r.form == "assembly"} or near)
