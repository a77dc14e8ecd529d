"""A frozen front: an imported model up to a tensor, by the kernels of `hil infer`.

Its activations lie in one scratch tensor, which later parts of the step share. What
comes of it is copied out, `latent`, and stays until the step is over: whoever keeps
that can learn from it again, without the sample.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from functools import lru_cache

from codegen import lowering
from codegen.composer import Composer
from codegen.formats import I8, I16
from codegen.fronts import scale
from codegen.frozen import Frozen
from codegen.kernels.cost import Shape
from codegen.lowering import GraphProgram
from codegen.lowering.composer import FORMATS
from codegen.lowering.fixed_point import binary32, nearest
from codegen.program import (
    If,
    Item,
    Op,
    Operand,
    Part,
    Repeat,
    Set,
    Symbol,
    Within,
    op,
)
from codegen.scaler import Scaler
from codegen.spec import Inputs
from codegen.tables import LARGEST
from codegen.tensors import Tensor, Values

PART = "front"
"""What begins the purpose of each of its calls."""
FAR = 1024.0
"""Beyond all that 8 bits hold, whatever their zero point."""
EVERY = range(-(1 << 15), 1 << 15)
"""Numbers of 16 bits."""
STEPS = 255
"""Ends between the 256 levels of 8 bits, at most."""
BYTES = tuple(n - 256 * (n > 127) for n in range(256))
"""Numbers of 8 bits with a sign, by the byte that they are."""


@lru_cache(maxsize=4)
def program_of(frozen: Frozen, vlen: int, xlen: int) -> GraphProgram:
    """What a front's C does, for vector registers of `vlen` bits, 0 without, and others of
    `xlen`. Raises `ModelError` for what no device computes."""
    return lowering.program(frozen.graph, vlen, xlen, signed=True)


def convert(c: Composer) -> tuple[Item, ...]:
    """From a sample, or from features that are known, to x."""
    frozen = c.spec.inputs.frozen
    assert frozen is not None
    features = _features(c, frozen)
    computed = If(
        "sample != NULL",
        (*_given(c, frozen), *_graph(c, frozen), _told(c, frozen, features)),
        (_copied(features, "known[j]", features),),
        usual=True,
        why="else its features are known",
    )
    return (computed, *_seen(c, frozen, features))


def _features(c: Composer, frozen: Frozen) -> Tensor:
    made = FORMATS[frozen.feature_type]
    return c.tensor("latent", (frozen.features,), format=made, kept=True)


def _holder(c: Composer, frozen: Frozen) -> Tensor:
    """What holds all activations."""
    size = program_of(frozen, c.vlen, c.xlen).arena
    return c.tensor("front", (size,), format=I8, inner=True)


def _given(c: Composer, frozen: Frozen) -> tuple[Op, ...]:
    """From a sample to what the model takes."""
    inputs, made = c.spec.inputs, program_of(frozen, c.vlen, c.xlen).inputs[0]
    across, there = Shape(1, frozen.elements), Within(made, _holder(c, frozen))
    if frozen.given.type == "f32":
        return (scale.divided(c, across, there, purpose=f"{PART}_in"),)
    if inputs.dtype == "u8" and frozen.given.type != "i16":
        table = _table(c, "front_in", tuple(_quantised(inputs, v) for v in range(256)))
        sample = Symbol("(const int8_t *)sample")
        return (_looked_up(across, sample, table, there, f"{PART}_in"),)
    if inputs.dtype == "i16" and frozen.given.type != "i16":
        return (_ranked(c, across, there),)
    value = c.tensor("front_value", (frozen.elements,), inner=True)
    step, zero = frozen.entering
    return (
        scale.divided(c, across, value, purpose=f"{PART}_value"),
        op("quantize", across, purpose=f"{PART}_in", x=value, scale=step, zero=zero,
           y=there),
    )  # fmt: skip


def _quantised(inputs: Inputs, v: int) -> int:
    """The level of 8 bits that the model takes for an element v."""
    assert inputs.frozen is not None
    step, zero = inputs.frozen.entering
    value = binary32(binary32(v / binary32(inputs.scale)) / step)
    return max(-128, min(127, nearest(max(-FAR, min(FAR, value))) + zero))


def _ranked(c: Composer, across: Shape, y: Operand) -> Op:
    """Quantise a sample of 16 bits to 8 bits: a number's level is that of the lowest
    plus the count of `ends` that the number is above."""
    inputs = c.spec.inputs
    table = c.tensor(
        "front_ends",
        (STEPS,),
        "const",
        format=I16,
        initial=Values(lambda: ends(inputs)),
    )
    return op(
        "ranked", across, purpose=f"{PART}_in", x=c.sample, ends=table,
        least=_quantised(inputs, EVERY[0]), y=y,
    )  # fmt: skip


def ends(inputs: Inputs) -> tuple[int, ...]:
    """For each level of 8 bits but the highest, the largest number of 16 bits that is
    quantised to it or to a lower one. Quantising never falls, so these ends ascend. A
    level above all that occur ends at the largest number."""
    least = _quantised(inputs, EVERY[0])
    below = (
        bisect_left(EVERY, level, key=lambda v: _quantised(inputs, v))
        for level in range(least + 1, least + 1 + STEPS)
    )
    return tuple(EVERY[one - 1] for one in below)


def _table(c: Composer, name: str, values: tuple[int, ...]) -> Tensor:
    return c.tensor(
        name, (256,), "const", format=I8, initial=Values(lambda: tuple(values))
    )


def _looked_up(
    across: Shape, x: Operand, table: Tensor, y: Operand, purpose: str, layer: int = 0
) -> Op:
    """y = table[x], the byte of x being its place there."""
    return op("lookup", across, layer, purpose=purpose, x=x, table=table, y=y)


def _graph(c: Composer, frozen: Frozen) -> tuple[Op, ...]:
    """The operators, their activations in the one scratch tensor."""
    holder = _holder(c, frozen)

    def placed(given: Operand) -> Operand:
        within = isinstance(given, Tensor) and given.role == "scratch"
        return Within(given, holder) if within else given  # type: ignore[arg-type]

    return tuple(
        replace(
            one,
            operands=tuple((name, placed(given)) for name, given in one.operands),
            layer=0,
            purpose=f"{PART}{place}",
        )
        for place, one in enumerate(program_of(frozen, c.vlen, c.xlen).ops())
    )


def _told(c: Composer, frozen: Frozen, features: Tensor) -> Repeat:
    """The features, out of the tensor that holds them."""
    holder, last = _holder(c, frozen), program_of(frozen, c.vlen, c.xlen).outputs[0]
    place = f"{holder.name}[{last.offset} + j]"
    if features.format is not I8:
        pointer = f"(const {features.format.c_type} *)(const void *)"
        place = f"({pointer}({holder.name} + {last.offset}))[j]"
    return _copied(features, place, features, holder)


def _copied(to: Tensor, value: str, *uses: Tensor) -> Repeat:
    return Repeat("j", to.size, (Set(f"{to.name}[j]", value, uses),))


def _seen(c: Composer, frozen: Frozen, features: Tensor) -> tuple[Item, ...]:
    """What the network sees of the features."""
    x, across = c.input(1), Shape(1, frozen.features)
    if frozen.floating:
        if frozen.scaled is None:
            return (_copied(x, f"{features.name}[j]", x, features),)
        return (_rescaled(c, frozen.scaled, features),)
    step, zero = frozen.leaving
    if c.numbers.integer:
        held = (max(-LARGEST, min(LARGEST, q - zero)) for q in BYTES)
        table = _table(c, "front_out", tuple(held))
        return (_looked_up(across, features, table, x, "", 1),)
    if frozen.scaled is None:
        return (op("quantize", across, 1, x=features, scale=step, zero=zero, y=x),)
    value = c.tensor("front_told", (frozen.features,), inner=True)
    told = op("quantize", across, 1, x=features, scale=step, zero=zero, y=value)
    return (told, _rescaled(c, frozen.scaled, value))


def _rescaled(c: Composer, scaler: Scaler, v: Tensor) -> Op:
    """Each feature by an offset and a divisor of its own."""
    shape = (2, scaler.elements)
    constants = c.tensor(
        "front_scaler", shape, "const", initial=Values(scaler.constants)
    )
    offset, divisor = Part(constants, 0), Part(constants, 1)
    across = Shape(1, scaler.elements)
    return op("rescale", across, 1, v=v, offset=offset, divisor=divisor, x=c.input(1))
