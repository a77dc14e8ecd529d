"""Networks that spike: leaky cells, tick after tick, from a current or spikes to outputs
that integrate, in floats and in integers (docs/integers.md).

The input is a direct current, the same in every tick, spikes that are drawn anew in
each, or those of a sample that is spikes in time. A hidden cell that has reached its threshold spikes; in the next tick that much is
taken from its potential, before it leaks. Outputs neither leak nor spike; a network's
answer is the mean of their potentials. The order of a tick is that of
docs/arithmetic.md, section 6.
"""

from __future__ import annotations

import math

from codegen import fronts, homeostasis, streams
from codegen.composer import Composer
from codegen.errors import SpecError
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.parameters import Parameter, Parameters
from codegen.program import Item, Op, Set, Stage, Symbol, op
from codegen.raster import Raster
from codegen.tensors import Tensor
from codegen.traces import OF_CELLS, Phase, Trace, membranes

PLAYED = ("spikes", "events")
"""Encodings of samples that are spikes in time: what plays them."""
PARAMETERS = (
    Parameter("ticks", 8, "of a sample, and of an inference", most=1024),
    Parameter(
        "leak", 0.5, "share of its potential that a cell keeps", within=(0.0, 1.0)
    ),
    Parameter("theta", 1.0, "potential at which a cell spikes", within=(1e-3, 16.0)),
    Parameter(
        "encoding", "current",
        "current: inputs are the same numbers in every tick; bernoulli: an input is a spike "
        "in so large a share of the ticks as it is large, from 0 to 1; latency: one spike, the "
        "earlier the larger it is, none where it is 0; spikes, events: a sample is spikes in "
        "time, bits or a list of (tick, address)",
        ("current", "bernoulli", "latency", *PLAYED), later=True,
    ),
    OF_CELLS,
    *homeostasis.PARAMETERS,
)  # fmt: skip


MOST_RAISED = 1 << 26
"""Of a threshold in integers: 16 times that, and a potential, are apart by 32 bits."""


def in_integers(parameters: Parameters) -> str:
    """What integers cannot have, and what was expected; else empty."""
    count, keeps = int(parameters["ticks"]), float(parameters["leak"])
    refused = (
        (keeps != 0.5, f"leak = {keeps:g}, where a leak halves: expected 0.5"),
        (count & (count - 1) != 0,
         f"ticks = {count}, where a mean is a shift: expected a power of two"),
        (parameters["trace"] != "off",
         f"trace = {parameters['trace']}: expected off"),
    )  # fmt: skip
    return next((why for wrong, why in refused if wrong), "")


def hears(parameters: Parameters, raster: Raster | None) -> str:
    """Why such samples do not fit the parameter `encoding`, and what was expected;
    empty where they fit."""
    encoding, count = parameters["encoding"], parameters["ticks"]
    if raster is None:
        if encoding not in PLAYED:
            return ""
        return f"samples of numbers, and encoding = {encoding}: expected spikes in time"
    if encoding != raster.made_by:
        return f"{raster}, and encoding = {encoding}: expected {raster.made_by}"
    if count != raster.ticks:
        return f"{raster}, and ticks = {count}: expected {raster.ticks}"
    return ""


def phases(parameters: Parameters) -> tuple[Phase, ...]:
    """One, of all ticks: they learn while they spike."""
    return (Phase("spikes", int(parameters["ticks"]), told=True),)


def ticks(c: Composer) -> int:
    """Of a sample."""
    return int(c.parameters["ticks"])


def leak(c: Composer) -> float:
    """Of hidden cells, and of what learning remembers of spikes."""
    return float(c.parameters["leak"])


def theta(c: Composer) -> float:
    """Of hidden cells."""
    return float(c.parameters["theta"])


def potential(c: Composer, n: int) -> Tensor:
    """u of layer n's cells."""
    if c.numbers.integer:
        return c.totals(f"u{n}", c.weights(n))
    return c.tensor(f"u{n}", (c.network.layers[n],))


def threshold(c: Composer, n: int) -> float | int:
    """theta as potentials of hidden layer n are stored."""
    if not c.numbers.integer:
        return theta(c)
    point = c.point_of(potential(c, n))
    return math.floor(math.ldexp(theta(c), point) + 0.5)


def reached(c: Composer, n: int) -> float | int:
    """What `above` is where a cell of hidden layer n spikes."""
    return 0 if c.numbers.integer and homeostasis.on(c.parameters) else threshold(c, n)


def risen(c: Composer, n: int) -> Tensor:
    """What homeostasis has raised the thresholds of hidden layer n by. Raises `SpecError`
    where 32 bits do not hold that."""
    first = threshold(c, n)
    if c.numbers.integer and first > MOST_RAISED:
        raise SpecError(
            f"rule 'ottt' in {c.numbers.name} has theta = {theta(c):g} with homeostasis: "
            "32 bits do not hold 16 times that: expected at most "
            f"{theta(c) * MOST_RAISED / first:g}"
        )
    return homeostasis.rises(c, f"theta{n}", c.network.layers[n], first)


def above(c: Composer, n: int) -> Tensor:
    """What a hidden cell's threshold is compared with: u less the rise of the
    threshold; of integers u less all of the threshold."""
    if not homeostasis.on(c.parameters):
        return potential(c, n)
    format = c.numbers.total
    return c.tensor(f"v{n}", (c.network.layers[n],), format=format)


def total(c: Composer) -> Tensor:
    """Of the outputs' potentials, over the ticks so far; of integers their mean."""
    if c.numbers.integer:
        return c.sums(c.depth)
    return c.inner("total", (c.network.n_out,))


def below(c: Composer, n: int) -> Tensor:
    """What goes up to layer n in a tick: spikes, or of a direct current x."""
    if n == 1 and _encodes(c):
        return c.signal("s0", (c.network.n_in,))
    return c.input(n)


def begin(c: Composer) -> tuple[Item, ...]:
    """From the sample to cells at rest."""
    layers = range(1, c.depth + 1)
    cells = (*(potential(c, n) for n in layers), *(c.result(n) for n in c.hidden))
    rest = tuple(filled(v) for v in (*cells, total(c)))
    stream = f"hil_stream_base(net->seed, {streams.SPIKES})"
    draws = c.parameters["encoding"] == "bernoulli"
    drawn = (Set("const uint32_t base", stream),) if draws else fronts.unplayed(c)
    return (*fronts.front(c), Stage("look", (*rest, *drawn), says="cells are at rest"))


def tick(c: Composer) -> tuple[Item, ...]:
    """Every layer once, from the input on."""
    encoded = (_encoded(c),) if _encodes(c) else ()
    return (*encoded, *(_hidden(c, n) for n in c.hidden), _outputs(c))


def counted(c: Composer) -> tuple[Stage, ...]:
    """Of a tick of a step: who has spiked."""
    if not homeostasis.on(c.parameters):
        return ()
    seen = tuple(_counted(c, n) for n in c.hidden)
    return (Stage("credit", seen, says="who has spiked"),)


def _counted(c: Composer, n: int) -> Op:
    count = _count(c, n)
    if c.numbers.integer:
        return op(
            "share", Shape(1, count.size), n, total=count, u=_now(c, n), shift=0,
            purpose=count.name,
        )  # fmt: skip
    return traced(c, count, 1.0, c.result(n), n)


def uncounted(c: Composer) -> tuple[Op, ...]:
    """What begins a step that counts."""
    counts = c.hidden if homeostasis.on(c.parameters) else ()
    return tuple(filled(_count(c, n)) for n in counts)


def regulated(c: Composer) -> tuple[Stage, ...]:
    """What ends such a step: thresholds move, whatever the error was."""
    if not homeostasis.on(c.parameters):
        return ()

    def moved(n: int) -> Op:
        rate = homeostasis.rates(c, f"rate{n}", c.network.layers[n])
        return homeostasis.settled(
            c, n, _count(c, n), rate, risen(c, n), ticks=ticks(c), theta=threshold(c, n)
        )

    says = "thresholds follow how often their cells spike"
    return (Stage("update", tuple(map(moved, c.hidden)), says=says),)


def answer(c: Composer) -> tuple[Stage, ...]:
    """What outputs are made of: their mean potential."""
    if c.numbers.integer:  # which is there
        return ()
    n_out = c.network.n_out
    mean = op(
        "times", Shape(1, n_out), c.depth, v=total(c), factor=1 / ticks(c), x=c.outputs
    )
    return (Stage("look", (mean,), c.depth, "the outputs' mean potential"),)


def filled(v: Tensor) -> Op:
    """v = 0."""
    nothing = 0.0 if v.format.floating else 0
    return op("fill", Shape(1, v.size), v=v, value=nothing, purpose=v.name)


def remembered(c: Composer, t: Tensor, n: int) -> Op:
    """A trace of layer n's inputs, a tick later: of integers half of it."""
    x = below(c, n)
    if c.numbers.integer:
        return op("trace", Shape(1, t.size), n, t=t, x=x, purpose=t.name)
    return traced(c, t, leak(c), x, n)


def remembrance(c: Composer, n: int, t: Tensor) -> tuple[Item, ...]:
    """The trace of layer n's inputs in this tick, where it is one of cells, to be seen."""
    return _seen(c, n - 1, t, "trace_a") if n > 1 else ()


def _seen(c: Composer, n: int, one: Tensor, of: str) -> tuple[Item, ...]:
    """What a hidden layer's cells have in this tick, where membranes are kept."""
    if not membranes(c.parameters):
        return ()
    return Trace(phases(c.parameters)).row(c, n, one, of)


def slope(c: Composer, n: int, d: Tensor) -> Op:
    """d times what is taken for the slope of layer n's spikes."""
    across, u = Shape(1, d.size), above(c, n)
    if c.numbers.integer:
        point = c.point_of(potential(c, n))
        return op(
            "spike_grad", across, n, u=u, theta=reached(c, n), fraction=point, d=d
        )  # fmt: skip
    return op("spike_grad", across, n, u=u, theta=theta(c), d=d, needs="true", faults=d)


def traced(c: Composer, t: Tensor, keeps: float, x: Tensor, n: int) -> Op:
    """t = keeps t + x."""
    return op("trace", Shape(1, t.size), n, t=t, leak=keeps, x=x, purpose=t.name)


def _count(c: Composer, n: int) -> Tensor:
    """Spikes of hidden layer n's cells in a sample so far."""
    return c.inner(f"count{n}", (c.network.layers[n],), c.numbers.total)


def _now(c: Composer, n: int) -> Tensor:
    """Which of them spike in this tick, of integers."""
    return c.inner(f"now{n}", (c.network.layers[n],), c.numbers.total)


def _encodes(c: Composer) -> bool:
    """Whether inputs spike."""
    return c.parameters["encoding"] != "current"


def _encoded(c: Composer) -> Stage:
    """The spikes of this tick. An inference draws the same ones as the next step."""
    if c.parameters["encoding"] in PLAYED:
        return Stage(
            "look", (fronts.played(c, "cycle", below(c, 1)),), 1, "inputs spike"
        )
    if c.parameters["encoding"] == "latency":
        return Stage("look", (_timed(c),), 1, "inputs spike")
    first = f"base + (net->step * {ticks(c)} + cycle) * {c.network.n_in}"
    spikes = op(
        "bernoulli", Shape(1, c.network.n_in), 1, v=c.input(1), first=Symbol(first),
        s=below(c, 1),
    )  # fmt: skip
    return Stage("look", (spikes,), 1, "inputs spike")


def _timed(c: Composer) -> Op:
    """Those whose time has come."""
    last, whole = ticks(c) - 1, c.numbers.integer
    return op(
        "latency", Shape(1, c.network.n_in), 1, v=c.input(1),
        tick=Symbol("(int32_t)cycle" if whole else "(float)cycle"),
        last=last if whole else float(last), s=below(c, 1),
    )  # fmt: skip


def _hidden(c: Composer, n: int) -> Stage:
    u, s = potential(c, n), c.result(n)
    whole = c.numbers.integer  # and so always finite
    fired = op(
        "spike", Shape(1, u.size), n, u=above(c, n), theta=reached(c, n), s=s,
        needs="" if whole else "true", faults=None if whole else u,
    )  # fmt: skip
    row = (*Trace(phases(c.parameters)).row(c, n, s), *_seen(c, n, u, "trace_u"))
    says = f"layer {n}: leak, what has spiked taken off, then current and spikes"
    body = (*_driven(c, n, s, leak(c)), *_lowered(c, n), fired, *row)
    return Stage("look", body, n, says)


def _lowered(c: Composer, n: int) -> tuple[Op, ...]:
    """v = u, less what the threshold has risen by."""
    if not homeostasis.on(c.parameters):
        return ()
    v, u = above(c, n), potential(c, n)
    across = Shape(1, u.size)
    if c.numbers.integer:
        lowered = op(
            "crossed", across, n, a=u, theta=risen(c, n), threshold=threshold(c, n),
            above=v, count=_now(c, n), purpose=v.name,
        )  # fmt: skip
        return (lowered,)
    return (
        op("difference", across, n, x=u, y=risen(c, n), scale=1.0, d=v, purpose=v.name),
    )


def _outputs(c: Composer) -> Stage:
    u = potential(c, c.depth)
    row = Trace(phases(c.parameters)).row(c, c.depth, u)
    summed = _summed(c, u)
    says = "outputs integrate what comes"
    return Stage("look", (*_driven(c, c.depth, None, 1.0), summed, *row), c.depth, says)


def _summed(c: Composer, u: Tensor) -> Op:
    if c.numbers.integer:
        shift = ticks(c).bit_length() - 1
        return op("share", Shape(1, u.size), c.depth, total=total(c), u=u, shift=shift)
    return traced(c, total(c), 1.0, u, c.depth)


def _charged(c: Composer, n: int, s: Tensor | None, keeps: float) -> tuple[Op, ...]:
    """The same in integers, saturating: what comes, and then the leak."""
    u, came = potential(c, n), c.totals(f"came{n}", c.weights(n))
    moved = op(
        "charge", Shape(1, u.size), n, u=u, s=s, a=came,
        theta=threshold(c, n), leak=int(keeps < 1),
    )  # fmt: skip
    return dense.product(c, n, x=below(c, n), a=came), moved


def _driven(c: Composer, n: int, s: Tensor | None, keeps: float) -> tuple[Op, ...]:
    """u = keeps (u - theta s) + b, then from there on what comes from below."""
    if c.numbers.integer:
        return _charged(c, n, s, keeps)
    u, left = potential(c, n), c.inner(f"left{n}", (c.network.layers[n],))
    kept = op(
        "membrane", Shape(1, u.size), n, u=u, s=s, b=c.biases(n), leak=keeps,
        theta=theta(c), v=left,
    )  # fmt: skip
    return kept, dense.product(c, n, x=below(c, n), a=u, b=left)
