"""Rows of the kernel table, a family of them at a time."""

from __future__ import annotations

from typing import Any

from codegen.kernels import cost, float_cost
from codegen.kernels.contracts import KERNELS
from codegen.kernels.variant import Variant


def rows(
    family: str,
    names: str,
    lmuls: tuple[int, ...],
    model: cost.Model,
    scalar: tuple[str, ...] = (),
    rvv: tuple[str, ...] = (),
    framed: bool = False,
    **more: Any,
) -> tuple[Variant, ...]:
    """Rows of one family: of each kernel the scalar one, which may be `framed`, then the
    vector ones, default first. `scalar` and `rvv` are their headers of inline functions,
    {} standing for LMUL."""
    return tuple(
        row
        for kernel in (KERNELS[name] for name in names.split())
        for row in (
            Variant(
                kernel, "scalar", family, None, scalar, float_cost.scalar(model),
                framed=framed,
            ),
            *vectors(family, kernel.name, lmuls, model, rvv, **more),
        )
    )  # fmt: skip


def vectors(
    family: str,
    name: str,
    lmuls: tuple[int, ...],
    model: cost.Model,
    rvv: tuple[str, ...] = (),
    **more: Any,
) -> tuple[Variant, ...]:
    """The vector rows of one kernel alone."""
    return tuple(
        Variant(
            KERNELS[name], "rvv", family, lmul,
            tuple(h.format(lmul) for h in rvv), model, **more,
        )
        for lmul in lmuls
    )  # fmt: skip
