"""What vector kernels of the integer formats are estimated to cost (`codegen.kernels.cost`).

`machine.lanes` counts elements of 32 bits, as everywhere; where a kernel's LMUL is that
of 16-bit changes there are twice as many.
"""

from __future__ import annotations

from math import ceil

from codegen.kernels.cost import Cost, Machine, Shape, stream


def _counted(machine: Machine, vector: float, scalar: float, moved: float = 0) -> Cost:
    """`vector` instructions that walk in order, `scalar` ones, `moved` elements that
    go one at a time."""
    cycles = vector * max(1, 2 * machine.lmul) + scalar + moved
    return Cost(vector + scalar, cycles, vector, moved)


def _halved(machine: Machine) -> Machine:
    """For elements of 16 bits: twice as many lanes."""
    return Machine(2 * machine.vlen, machine.lmul, machine.groups)


def _chunks(n: int, machine: Machine) -> int:
    """Groups of rows that are listed at once: as many as offsets of 32 bits fill
    LMUL 8."""
    return ceil(n / (machine.vlen // 4))


def sums(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, product, half an addition; its x, next address. Two
    groups of eight whole registers share both. Rows are listed where some are zero."""
    lanes = machine.lanes
    listed = shape.density < 1
    blocks = 0 if machine.groups == 1 else shape.n_out // (2 * lanes)
    chunks = _chunks(shape.n_in, machine) if listed else 0
    left = shape.n_out - blocks * 2 * lanes
    passes = shape.rows * machine.strips(left)
    vector = 3 * shape.rows * blocks + 2.75 * passes + 12 * chunks
    each = 3 if listed else 2
    scalar = (each + 0.2) * shape.rows * blocks + each * passes + 8 * chunks
    return _counted(machine, vector, scalar + 20)


def sums_of_columns(shape: Shape, machine: Machine) -> Cost:
    """Rows in lanes, a column: strided load, product of 32 bits, its sum as a scalar and
    back."""
    strips = machine.strips(shape.n_in)
    each = strips * shape.n_out
    return _counted(
        machine, 4 * each + 2 * strips, 6 * each + 6 * strips, shape.n_in * shape.n_out
    )


def narrow_sums_of_columns(shape: Shape, machine: Machine) -> Cost:
    """The same of products of 16 bits."""
    return sums_of_columns(shape, _halved(machine))


def update(shape: Shape, machine: Machine) -> Cost:
    """A group of a row: load, change, sum, limits, store; its x, its address. Those of
    the rows that change anything are listed."""
    machine = _halved(machine)
    passes = shape.rows * machine.strips(shape.n_out)
    chunks = _chunks(shape.n_in, machine)
    return _counted(machine, 6 * passes + 12 * chunks, 4 * passes + 10 * chunks + 40)


def update_of_columns(shape: Shape, machine: Machine) -> Cost:
    """Rows in lanes, a column: the same in strides."""
    machine = _halved(machine)
    strips = machine.strips(shape.n_in)
    each = strips * shape.n_out
    moved = 2 * shape.n_in * shape.n_out
    return _counted(machine, 6 * each + 3 * strips, 3 * each + 6 * strips + 40, moved)


def backward(shape: Shape, machine: Machine) -> Cost:
    """A row: load, deltas, product, sum, and its scalar rounded."""
    groups = shape.n_in * _halved(machine).strips(shape.n_out)
    return _counted(machine, 4 * groups + 2 * shape.n_in, 4 * groups + 12 * shape.n_in)


def backward_of_columns(shape: Shape, machine: Machine) -> Cost:
    """Rows in lanes, a column: strided load, product, addition; its delta."""
    strips = machine.strips(shape.n_in)
    each = strips * shape.n_out
    moved = shape.n_in * shape.n_out
    return _counted(machine, 3 * each + 6 * strips, 3 * each + 6 * strips, moved)


def signs(shape: Shape, machine: Machine) -> Cost:
    """The words of the signs, then an error's row of a group: mask, masked difference;
    its error, its address. Rows that do not begin with a byte are shifted."""
    strips = machine.strips(shape.n_out)
    words = ceil(shape.n_in * shape.n_out / 32)
    made = stream(13)(Shape(1, words), machine)
    shift = 0 if shape.n_out % 8 == 0 else 8
    each = shape.n_in * strips
    return _counted(
        machine, (2 + shift) * each + (8 + made.vector) * strips,
        8 * each + (20 + made.instructions - made.vector) * strips,
    )  # fmt: skip
