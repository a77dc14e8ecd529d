"""What vector kernels of float32, and of imported models, are estimated to cost
(`codegen.kernels.cost`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import ceil

from codegen.kernels.cost import (
    WORD,
    Cost,
    Machine,
    Model,
    Shape,
    counted,
    stream,
    total,
)

OVERHEAD = 3 / 8
"""Instructions a row for its loop: two pointers and a branch, unrolled 8 times."""
REST = 30
"""Instructions of a pass over a list for the rows left of eights."""


def pixels(shape: Shape, machine: Machine) -> Cost:
    """A place of the windows of a row of n_in pixels, with n_out outputs: weights are
    loaded, widened and left behind once for as many pixels as there are groups."""

    def block(count: int) -> Cost:
        strips = machine.strips(shape.n_out)
        return counted(
            machine, strips * (2 + count), strips * (1 + count + (count + 2) / 4)
        )

    whole, rest = divmod(shape.n_in, machine.groups)
    return total([block(machine.groups)] * whole + [block(1)] * rest)


def float_pixels(shape: Shape, machine: Machine) -> Cost:
    """The same of float32: nothing is widened, and the pixels left over are a block of
    their own, of eight at a time blocks of four, two and one."""

    def block(count: int) -> Cost:
        each = machine.strips(shape.n_out) * (1 + count)
        return counted(machine, each, each + machine.strips(shape.n_out) * count / 4)

    whole, rest = divmod(shape.n_in, machine.groups)
    left = [4 & rest, 2 & rest, 1 & rest] if machine.groups == 8 else [rest]
    return total([block(machine.groups)] * whole + [block(n) for n in left if n])


def _blocks(n: int, machine: Machine) -> list[int]:
    """Groups in registers at once, pass by pass: as the templates do it."""
    found: list[int] = []
    vl = min(machine.lanes, ceil(n / machine.groups))
    for parts in range(machine.groups, 1, -1):
        passes = n // (parts * vl)
        found += [parts] * passes
        n -= passes * parts * vl
    return found + [1] * machine.strips(n)


def _bias(shape: Shape, machine: Machine) -> Cost:
    """Its update, by all who update weights."""
    return stream(5)(Shape(1, shape.n_out), machine)


def _pairs(shape: Shape, machine: Machine) -> int:
    """Passes of several groups where there are more passes: their other addresses
    are kept nowhere."""
    blocks = _blocks(shape.n_out, machine)
    return sum(parts > 1 for parts in blocks) if len(blocks) > 1 else 0


def _by_rows(
    shape: Shape, machine: Machine, row: float, vector: float, address: float
) -> Cost:
    """Every pass visits every row: `row` scalar instructions, and a group
    `vector` instructions and one for its address; `address` more in a pass that
    does not start at the row's own."""
    blocks = _blocks(shape.n_out, machine)
    vectors = shape.rows * vector * sum(blocks)
    scalars = sum(
        shape.rows
        * (row + (parts - 1) + (address if len(blocks) > 1 else 0) + OVERHEAD)
        for parts in blocks
    )
    return counted(machine, vectors, scalars)


def _listed(shape: Shape, machine: Machine, vector: float) -> Cost:
    """A row: its pointer and its factor. A pass ends with the rest of a list
    that is no multiple of 8."""
    rest = REST * len(_blocks(shape.n_out, machine))
    return _by_rows(shape, machine, 2, vector, 1) + Cost(rest, rest)


def listed_forward(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, fma."""
    return _listed(shape, machine, 2)


def listed_update(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, fma, store. Before, each s, and the biases."""
    rates = stream(5)(Shape(1, max(1, round(shape.rows))), machine)
    return _listed(shape, machine, 3) + rates + _bias(shape, machine)


def listed_masked(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: what passes (multiply, compare, count), load, fma, store,
    and the loads of d and m anew. Before, each s, and the biases."""
    strips = machine.strips(shape.n_out)
    rates = stream(5)(Shape(1, max(1, round(shape.rows))), machine)
    passes = counted(
        machine, 8 * shape.rows * strips, shape.rows * (3 + 5 * strips)
    )  # fmt: skip
    return passes + rates + _bias(shape, machine)


def jvp_signs(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, two fma, its signs anew (one register, about 12),
    merge, add; both factors, next address."""
    each = shape.n_in * machine.strips(shape.n_out)
    return counted(machine, 5 * each, 20 * each)


def jvp_normal(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, three fma, and 50 for normal numbers."""
    each = shape.n_in * machine.strips(shape.n_out)
    return counted(machine, 54 * each, 8 * each)


def packed(shape: Shape, machine: Machine) -> Cost:
    """Packing what is not zero, at twice the LMUL of its 16-bit indices; then
    the pointers of what was found, 64 bits each."""
    half = Machine(machine.vlen, 2 * machine.lmul)
    double = Machine(machine.vlen // 2, 8)
    strips, found = half.strips(shape.n_in), double.strips(ceil(shape.rows))
    return counted(half, strips * 9, strips * 12) + counted(
        double, found * 6, found * 6
    )


def _found(shape: Shape, machine: Machine) -> Cost:
    """Rows and values of the integers that were found: a group of pointers (64 bits)
    takes 4 vector instructions, one of values 6, each of them its steps and a branch."""
    pointers = Machine(machine.vlen // 2, 8).strips(ceil(shape.rows))
    values = Machine(machine.vlen, 8).strips(ceil(shape.rows))
    return counted(
        Machine(machine.vlen, 8), 4 * pointers + 6 * values, 4 * pointers + 4 * values + 14
    )  # fmt: skip


def nonzero(shape: Shape, machine: Machine) -> Cost:
    """Packing integers that are not zero, at twice the LMUL of its 16-bit indices; then
    what was found."""
    half = Machine(machine.vlen, 2 * machine.lmul)
    if machine.lmul <= 4 and shape.n_in <= 2 * machine.lanes:  # one group of 16 bits
        return counted(half, 10, 6) + counted(
            Machine(machine.vlen, 8), 4 * machine.lmul / 2, 4
        )
    strips = half.strips(shape.n_in)
    return counted(half, strips * 9, strips * 12) + _found(shape, machine)


def nonzero_bytes(shape: Shape, machine: Machine) -> Cost:
    """The same with indices of 8 bits, which are counted anew every 256 elements."""
    lanes = min(4 * machine.lanes, 256)
    strips = ceil(shape.n_in / lanes)
    return counted(machine, strips * 9, strips * 10) + _found(shape, machine)


def _look(shape: Shape, machine: Machine) -> Cost:
    """Whether an input is zero: load, compare, or; a step and a branch."""
    strips = Machine(machine.vlen, 8).strips(shape.n_in)
    return counted(Machine(machine.vlen, 8), 3 * strips, 2 * strips + 8)


def dense_forward(shape: Shape, machine: Machine) -> Cost:
    """Without zeros, a row: its x; a group: load, fma, next address. With
    zeros every row is tested."""
    zeros = _look(shape, machine)
    pairs = shape.rows * _pairs(shape, machine)
    if shape.density == 1.0:
        return zeros + _by_rows(shape, machine, 2, 2, 0) + Cost(pairs, pairs)
    tests = 6 * shape.n_in * len(_blocks(shape.n_out, machine)) + pairs
    return zeros + _by_rows(shape, machine, 1, 2, 0) + Cost(tests, tests)


def indexed(shape: Shape, machine: Machine) -> Cost:
    """Rows that fit LMUL 1, 2 or 4, loaded side by side: x and fma for each, a load and an
    address for as many as fill LMUL 8, vl twice for two loads. Else as above."""
    narrow = next((m for m in (1, 2, 4) if shape.n_out <= machine.vlen * m // WORD), 0)
    if shape.density < 1.0 or not narrow:
        return dense_forward(shape, machine)
    zeros = _look(shape, machine)
    rows = 8 // narrow
    turns, rest = divmod(shape.n_in, 2 * rows)
    loads, single = 2 * turns + rest // rows, rest % rows
    switches = 2 * (turns + rest // rows)
    return (
        zeros
        + counted(
            Machine(machine.vlen, narrow), shape.n_in + single, shape.n_in + single
        )
        + counted(machine, 4, switches + loads + 3, loads * machine.lanes)
    )


def dense_update(shape: Shape, machine: Machine) -> Cost:
    """Its s; a group: load, fma, store, next address. Where there are zeros, which is
    looked for first, every row is tested."""
    zeros = _look(shape, machine)
    if shape.density == 1.0:
        return zeros + _by_rows(shape, machine, 2, 3, 0) + _bias(shape, machine)
    passes = len(_blocks(shape.n_out, machine))
    tests = (6 if passes == 1 else 7) * shape.n_in * passes
    updated = _by_rows(shape, machine, 2, 3, 0) + _bias(shape, machine)
    return zeros + updated + Cost(tests, tests)


def momentum_update(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: its product, velocity and weight loaded, multiplied, stored;
    x, two next addresses, a third where there are more groups. The biases are a row
    without a product."""
    strips = machine.strips(shape.n_out)
    passes = strips * (shape.n_in + 1)
    return counted(machine, 7 * passes, (3 + (strips > 1) + OVERHEAD) * passes)


def contrast_update(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, two fma, store; both factors tested and multiplied, next
    address."""
    passes = shape.n_in * machine.strips(shape.n_out)
    return counted(machine, 4 * passes, 12 * passes)


def bounded_update(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, two products, sign, difference, fma, both limits, store; x
    tested and multiplied, next addresses. The biases are a row more."""
    strips = machine.strips(shape.n_out)
    passes = strips * (shape.rows + 1)
    return counted(machine, 9 * passes, 4 * passes + 5 * strips * shape.n_in)


def columns(shape: Shape, machine: Machine) -> Cost:
    """Rows in lanes: a column of a group is loaded and stored in strides. More
    than 10 columns are a loop."""
    strips = machine.strips(shape.n_in)
    each = strips * shape.n_out
    scalar = 2 if shape.n_out <= 10 else 2.5
    return _bias(shape, machine) + counted(
        machine, each + 4 * strips, scalar * each + (12 * strips if strips > 1 else 2),
        2 * shape.n_out * strips * machine.lanes,
    )  # fmt: skip


def dense_fused(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: s, x, load, fma, store, fma, next address."""
    strips = machine.strips(shape.n_out)
    zeros = _look(shape, machine)
    tests = 0 if shape.density == 1.0 else 3 * shape.n_in * strips
    passes = counted(
        machine, 4 * shape.n_in * strips, (3 + 3 / 16) * shape.n_in * strips
    )
    return zeros + passes + Cost(tests, tests)


def ahead(model: Model) -> Model:
    """Of a form that takes 16 rows at a time and loads each before it is done with the
    one before: a fifth of the cycles less, where no row is skipped."""

    def estimate(shape: Shape, machine: Machine) -> Cost:
        whole = model(shape, machine)
        saved = 0.2 if shape.n_in >= 16 and shape.density == 1.0 else 0
        return replace(whole, cycles=whole.cycles * (1 - saved))

    return estimate


def feedback_stored(shape: Shape, machine: Machine) -> Cost:
    """A group of an error's row: load, fma; the error, next address."""
    each = shape.n_in * machine.strips(shape.n_out)
    return counted(machine, 2 * each, 2 * each)


def feedback_signs(shape: Shape, machine: Machine) -> Cost:
    """A group of an error's row: its signs anew (one register), merge, fma."""
    each = shape.n_in * machine.strips(shape.n_out)
    return counted(machine, 2 * each, 20 * each)


def feedback_words(shape: Shape, machine: Machine) -> Cost:
    """The signs once, then their rows."""
    words = ceil(shape.n_in * shape.n_out / 32)
    made = stream(36)(Shape(1, words), Machine(machine.vlen, 8))
    return made + sign_rows(shape, machine)


def sign_rows(shape: Shape, machine: Machine) -> Cost:
    """A group of an error's row: mask, merge, fma; one more for its address where a
    row has several groups."""
    strips = machine.strips(shape.n_out)
    each = shape.n_in * strips
    shift = (0 if shape.n_out % 8 == 0 else 8) + (strips > 1)
    return counted(machine, 2 * each, (3 + shift) * each)


def backward_columns(shape: Shape, machine: Machine) -> Cost:
    """Rows in lanes, column by column: load in strides, fma, d_j, next address;
    15 sums of sums."""
    strips = machine.strips(shape.n_in)
    each = strips * shape.n_out
    return counted(
        machine, each + 30 * strips, 2.4 * each + 60 * strips,
        each * machine.lanes,
    )  # fmt: skip


def dense_backward(shape: Shape, machine: Machine) -> Cost:
    """Up to 16 terms: rows in lanes, column by column. More: a row at a time,
    16 lanes of LMUL 4, folded in halves; six groups of d stay in registers."""
    if shape.n_out <= 16:
        strips = machine.strips(shape.n_in)
        each = strips * shape.n_out
        return counted(machine, each, 2 * each, shape.n_out * strips * machine.lanes)
    groups = ceil(shape.n_out / 16)
    kept, others = min(groups, 6), max(groups - 6, 0)
    vectors, scalars = 8 + 2 * kept + 3 * others, 9 + kept + 5.6 * others
    return counted(Machine(machine.vlen, 4), shape.n_in * vectors, shape.n_in * scalars)


def gathered(shape: Shape, machine: Machine) -> Cost:
    """A column group for each of n_in sources: its indices, a gather, an add. A gather
    takes an element a cycle."""
    strips = machine.strips(shape.n_out)
    return counted(
        machine, shape.n_in * strips * 4, shape.n_in * strips * 4 + strips * 6,
        shape.n_in * strips * machine.lanes,
    )  # fmt: skip


def delays(shape: Shape, machine: Machine) -> Cost:
    """A group of cells: 16 sources of 13 instructions each, what drives it, its state and
    its traces. A gather takes an element a cycle."""
    strips, sources = machine.strips(shape.n_out), 16
    return counted(
        machine, strips * (12 * sources + 50), strips * (4 * sources + 30),
        strips * sources * machine.lanes,
    )  # fmt: skip


def window_features(shape: Shape, machine: Machine) -> Cost:
    """Rows in lanes, an axis after the other. A strip: a strided load, a square, a
    difference, and their sums; an axis: its sums to scalars and three features."""
    strips = shape.n_out * machine.strips(shape.n_in)
    return counted(
        machine, 11 * strips + 8 * shape.n_out, 9 * strips + 55 * shape.n_out,
        strips * machine.lanes,
    )  # fmt: skip


def scalar(vector: Model) -> Model:
    """The model of a kernel's scalar variant. There is one of each kernel, so
    the figure serves comparisons of ways only: instructions of an element, of a row
    that is not skipped in each pass over 16 columns, and of any row once."""
    element, row, any_row = _SCALAR.get(vector, (4, 0, 0))

    def model(shape: Shape, machine: Machine) -> Cost:
        passes = ceil(shape.n_out / 16)
        rows = shape.rows * (element * shape.n_out + row * passes)
        count = rows + any_row * shape.n_in
        return Cost(count, count)

    return model


_SCALAR: Mapping[Model, tuple[float, float, float]] = {
    dense_forward: (2.25, 6, 14),
    listed_forward: (2.15, 5, 0),
    dense_update: (3.45, 4, 15),
    listed_update: (3.6, 2, 0),
    momentum_update: (7, 3, 0),
    contrast_update: (5, 6, 0),
    bounded_update: (11, 4, 2),
    dense_fused: (11, 1, 0),
    nonzero: (11, 0, 5),
    packed: (11, 0, 5),
    window_features: (14, 0, 0),
    gathered: (7, 4, 0),
}
"""Counted on RV64GC: digits 64-64-10, 64-100-10 and MNIST 784-32-10, within 5 %."""
