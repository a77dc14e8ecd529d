"""An echo state network: what its cells were, summed up over parts of a sequence."""

from __future__ import annotations

from collections.abc import Iterable

from codegen import streams
from codegen.composer import Composer
from codegen.fronts import sequence
from codegen.kernels.cost import Shape
from codegen.program import Item, Op, Part, op
from codegen.reservoir import Echo
from codegen.tensors import Tensor, Values


def convert(c: Composer) -> tuple[Item, ...]:
    """Play the sequence, and standardise the sums (docs/arithmetic.md, section 4)."""
    front = sequence.declared(c, Echo)
    r, sums = c.inner("r", (front.cells,)), _sums(c, front)
    standards = _pairs(c, "standards", front, front.standards)
    rest = tuple(
        op("fill", Shape(1, t.size), v=t, value=0.0, purpose=t.name) for t in (r, sums)
    )
    found = op(
        "rescale", Shape(1, front.features), 1, v=sums, offset=Part(standards, 0),
        divisor=Part(standards, 1), x=c.input(1), purpose="standards",
    )  # fmt: skip
    return (*rest, sequence.played(front, _shown(c, front), _tick(c, front)), found)


def _shown(c: Composer, front: Echo) -> tuple[Op, ...]:
    """A row, and what it drives the cells with for as long as it is held."""
    u, scaling = c.inner("u", (front.axes,)), _pairs(c, "scaling", front, front.scaling)
    scaled = op(
        "rescale", Shape(1, front.axes), 1, v=sequence.row(c, front),
        offset=Part(scaling, 0), divisor=Part(scaling, 1), x=u, purpose="scaling",
    )  # fmt: skip
    nothing = c.tensor(
        "nothing",
        (1, front.cells),
        "const",
        initial=Values(lambda: [0.0] * front.cells),
    )
    driven = op(
        "dense_forward", Shape(front.axes, front.cells), 1, w=_driven(c, front),
        b=nothing, x=u, a=c.inner("drive", (front.cells,)), purpose="drive",
    )  # fmt: skip
    return scaled, driven


def _tick(c: Composer, front: Echo) -> tuple[Op, ...]:
    """Every cell once, from what all of them were; and their sums."""
    across, r = Shape(1, front.cells), c.inner("r", (front.cells,))
    z = c.inner("z", (front.cells,))
    recur = op(
        "gathered", Shape(front.sources, front.cells), 1, w=_recurrent(c, front),
        source=sequence.heard(c, front), r=r, b=c.inner("drive", (front.cells,)), a=z,
        purpose="recur",
    )  # fmt: skip
    squash = (
        op("clip", across, 1, v=z, limit=1.0, purpose="squash")
        if front.squash == "hard"
        else op(
            "tanh",
            across,
            1,
            h=z,
            needs="true",
            faults=c.input(1),
            purpose="squash",
        )
    )
    leak = op("leak", across, 1, s=r, t=z, rate=front.leak, purpose="cells")
    summed = op(
        "trace", across, 1, t=Part(_sums(c, front), "segment"), leak=1.0, x=r,
        purpose="sums",
    )  # fmt: skip
    return recur, squash, leak, summed


def _sums(c: Composer, front: Echo) -> Tensor:
    return c.inner("sums", (front.segments, front.cells))


def _pairs(
    c: Composer, name: str, front: Echo, pairs: tuple[tuple[float, float], ...]
) -> Tensor:
    """Offsets, then divisors."""
    made = Values(lambda: front.constants(pairs))
    return c.tensor(name, (2, len(pairs)), "const", initial=made)


def _driven(c: Composer, front: Echo) -> Tensor:
    """Win, uniform in [-1, 1)."""
    shape = (front.axes, front.cells)

    def make() -> Iterable[float]:
        from codegen import drawn  # numpy, which the help of a verb does without

        return drawn.uniform(front.seed, streams.DRIVEN, 1.0, shape[0] * shape[1])

    return c.tensor("driven", shape, "const", initial=Values(make))


def _recurrent(c: Composer, front: Echo) -> Tensor:
    """W of the sources, uniform, so that a cell's sum has about the size `radius`."""
    shape = (front.sources, front.cells)
    limit = front.radius * (3 / front.sources) ** 0.5

    def make() -> Iterable[float]:
        from codegen import drawn  # numpy, which the help of a verb does without

        return drawn.uniform(front.seed, streams.RECURRENT, limit, shape[0] * shape[1])

    return c.tensor("recurrent", shape, "const", initial=Values(make))
