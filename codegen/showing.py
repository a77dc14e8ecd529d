"""How a sample is shown to cells that compete: its inputs spike at random, or as the sample
itself says.

Too few spikes of cells tell nothing. Inputs that spike at random do so more often then, and
cells begin anew. Spikes that are given cannot come more often; they come once more, right
behind the last, and cells go on from where they are: what one playing leaves below the
threshold the next one adds to (docs/spiking.md).
"""

from __future__ import annotations

from codegen import fronts, spiking, streams
from codegen.composer import Composer
from codegen.formats import U16, U32
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter, Parameters
from codegen.program import If, Item, Op, Repeat, Set, Stage, Symbol, op
from codegen.raster import Raster
from codegen.spiking import PLAYED
from codegen.tensors import Fill, Tensor

_PLAYS = Parameter(
    "plays", 8,
    "how often a sample of given spikes is played at most, until cells have spiked 5 times",
    most=64, later=True,
)  # fmt: skip
PARAMETERS = (
    Parameter(
        "encoding", "bernoulli",
        "bernoulli: inputs spike at random, the more often the larger they are; spikes, "
        "events: a sample is spikes in time, bits or a list of (tick, address)",
        ("bernoulli", *PLAYED), later=True,
    ),
    _PLAYS,
)  # fmt: skip

FIRST, STEP, PRESENTATIONS = 8, 4, 3
"""How often inputs spike, in 256ths of an input in 0..16; how much more often when a sample is
presented again, and how often it is."""
ENOUGH = 5
"""Spikes of cells with which a sample has been shown."""


def hears(parameters: Parameters, raster: Raster | None) -> str:
    """What samples make no sense with these parameters, and what was expected; else empty."""
    plays = parameters["plays"]
    if (
        raster is None
        and parameters["encoding"] not in PLAYED
        and plays != _PLAYS.default
    ):
        return f"samples of numbers, and plays = {plays}: expected spikes in time, or no plays"
    return spiking.hears(parameters, raster)


def given(c: Composer) -> bool:
    """Whether a sample says itself which inputs spike."""
    return c.spec.inputs.raster is not None


def count(c: Composer, name: str) -> Tensor:
    """One number of all steps so far."""
    return c.tensor(name, (1,), "dynamic", format=U32, initial=Fill(0))


def factor(scale: float) -> tuple[int, int]:
    """(F, S): 16 / scale is F 2^-S, S at most 16 and as small as that leaves it exact."""
    for shift in range(17):
        whole = 16 * 2**shift / scale
        if whole == int(whole) or shift == 16:
            return int(whole + 0.5), shift
    raise AssertionError


def begin(c: Composer, teacher: bool) -> tuple[Item, ...]:
    """Before anything is shown; a `teacher` that spikes draws words, too."""
    none = Set("uint32_t spikes", "0")
    if given(c) and not teacher:
        return (none,)
    base = f"hil_stream_base(net->seed, {streams.SPIKES})"
    counter = count(c, "counter")
    return (
        Set("const uint32_t base", base, (c.sample,)),
        Set("uint32_t word", f"s->{counter.name}[0]", (counter,)),
        none,
    )


def end(c: Composer, teacher: bool) -> tuple[Item, ...]:
    """After a step: what it has drawn is not drawn again."""
    if given(c) and not teacher:
        return ()
    counter = count(c, "counter")
    return (Set(f"s->{counter.name}[0]", "word", (counter,)),)


def active(c: Composer) -> Tensor:
    """Inputs that spike in this tick, the first `count`."""
    return c.inner("active", (c.network.n_in,), U16)


def came(c: Composer) -> tuple[Item, ...]:
    """Inputs spike."""
    if given(c):
        return fronts.listed(c, "cycle", active(c), "const size_t count")
    n_in = c.network.n_in
    return (_drawn(c), Set("word", f"word + {n_in}"))


def _drawn(c: Composer) -> Op:
    _, shift = factor(c.spec.inputs.scale)
    return op(
        "poisson", Shape(1, c.network.n_in), 1, v=c.sample, chance=Symbol("chance"),
        shift=shift, first=Symbol("base + word"), active=active(c),
        into="const size_t count",
    )  # fmt: skip


def shown(
    c: Composer, rest: Stage, ticks: int, tick: tuple[Item, ...]
) -> tuple[Item, ...]:
    """The sample, in so many ticks, and again while too few cells spike; `rest` is what
    cells at rest are."""
    begun: tuple[Item, ...] = (rest, Set("uint32_t rest", "0"))
    ticked = Repeat("cycle", ticks, tick)
    if given(c):
        played = (*fronts.unplayed(c), ticked)
        again = If(f"play == 0 || spikes < {ENOUGH}", played)
        return (*begun, Repeat("play", int(c.parameters["plays"]), (again,)))
    by, _ = factor(c.spec.inputs.scale)
    body: tuple[Item, ...] = (
        *begun, Set("const uint32_t chance", f"{by} * ({FIRST} + {STEP} * presentation)"),
        Set("spikes", "0"), ticked,
    )  # fmt: skip
    again = If(f"presentation == 0 || spikes < {ENOUGH}", body)
    return (Repeat("presentation", PRESENTATIONS, (again,)),)
