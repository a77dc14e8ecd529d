"""Networks that spike: leaky cells, tick after tick, from a current or spikes to outputs
that integrate.

The input is a direct current, the same in every tick, or spikes that are drawn anew in
each. A hidden cell that has reached its threshold spikes; in the next tick that much is
taken from its potential, before it leaks. Outputs neither leak nor spike; a network's
answer is the mean of their potentials. The order of a tick is that of
docs/arithmetic.md, section 6.
"""

from __future__ import annotations

from codegen import fronts, homeostasis, streams
from codegen.composer import Composer
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.parameters import Parameter, Parameters
from codegen.program import Item, Op, Set, Stage, Symbol, op
from codegen.tensors import Tensor
from codegen.traces import TRACE, Phase, Trace

PARAMETERS = (
    Parameter("ticks", 8, "of a sample, and of an inference", most=1024),
    Parameter(
        "leak", 0.5, "share of its potential that a cell keeps", within=(0.0, 1.0)
    ),
    Parameter("theta", 1.0, "potential at which a cell spikes", within=(1e-3, 16.0)),
    Parameter(
        "encoding", "current",
        "current: inputs are the same numbers in every tick; bernoulli: an input is a spike "
        "in so large a share of the ticks as it is large, from 0 to 1",
        ("current", "bernoulli"), later=True,
    ),
    TRACE,
    *homeostasis.PARAMETERS,
)  # fmt: skip


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
    return c.tensor(f"u{n}", (c.network.layers[n],))


def risen(c: Composer, n: int) -> Tensor:
    """What homeostasis has raised the thresholds of hidden layer n by."""
    return homeostasis.rises(c, f"theta{n}", c.network.layers[n], theta(c))


def above(c: Composer, n: int) -> Tensor:
    """What a hidden layer's threshold is held against: u, less what that has risen by."""
    if not homeostasis.on(c.parameters):
        return potential(c, n)
    return c.tensor(f"v{n}", (c.network.layers[n],))


def total(c: Composer) -> Tensor:
    """Of the outputs' potentials, over the ticks so far."""
    return c.inner("total", (c.network.n_out,))


def below(c: Composer, n: int) -> Tensor:
    """What goes up to layer n in a tick: spikes, or of a direct current x."""
    if n == 1 and _draws(c):
        return c.tensor("s0", (c.network.n_in,))
    return c.input(n)


def begin(c: Composer) -> tuple[Item, ...]:
    """From the sample to cells at rest."""
    layers = range(1, c.depth + 1)
    cells = (*(potential(c, n) for n in layers), *(c.result(n) for n in c.hidden))
    rest = tuple(filled(v) for v in (*cells, total(c)))
    stream = f"hil_stream_base(net->seed, {streams.SPIKES})"
    drawn = (Set("const uint32_t base", stream),) if _draws(c) else ()
    return (*fronts.front(c), Stage("look", (*rest, *drawn), says="cells are at rest"))


def tick(c: Composer) -> tuple[Item, ...]:
    """Every layer once, from the input on."""
    encoded = (_encoded(c),) if _draws(c) else ()
    return (*encoded, *(_hidden(c, n) for n in c.hidden), _outputs(c))


def counted(c: Composer) -> tuple[Stage, ...]:
    """Of a tick of a step: who has spiked."""
    if not homeostasis.on(c.parameters):
        return ()
    seen = tuple(traced(c, _count(c, n), 1.0, c.result(n), n) for n in c.hidden)
    return (Stage("credit", seen, says="who has spiked"),)


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
            c, n, _count(c, n), rate, risen(c, n), ticks=ticks(c), theta=theta(c)
        )

    says = "thresholds follow how often their cells spike"
    return (Stage("update", tuple(map(moved, c.hidden)), says=says),)


def answer(c: Composer) -> Stage:
    """What outputs are made of: their mean potential."""
    n_out = c.network.n_out
    mean = op(
        "times", Shape(1, n_out), c.depth, v=total(c), factor=1 / ticks(c), x=c.outputs
    )
    return Stage("look", (mean,), c.depth, "the outputs' mean potential")


def filled(v: Tensor) -> Op:
    """v = 0."""
    return op("fill", Shape(1, v.size), v=v, value=0.0, purpose=v.name)


def traced(c: Composer, t: Tensor, keeps: float, x: Tensor, n: int) -> Op:
    """t = keeps t + x."""
    return op("trace", Shape(1, t.size), n, t=t, leak=keeps, x=x, purpose=t.name)


def _count(c: Composer, n: int) -> Tensor:
    """Spikes of hidden layer n's cells in a sample so far."""
    return c.inner(f"count{n}", (c.network.layers[n],))


def _draws(c: Composer) -> bool:
    return c.parameters["encoding"] == "bernoulli"


def _encoded(c: Composer) -> Stage:
    """The spikes of this tick; those of an inference are the ones that the next step
    begins with."""
    first = f"base + (net->step * {ticks(c)} + cycle) * {c.network.n_in}"
    spikes = op(
        "bernoulli", Shape(1, c.network.n_in), 1, v=c.input(1), first=Symbol(first),
        s=below(c, 1),
    )  # fmt: skip
    return Stage("look", (spikes,), 1, "inputs spike")


def _hidden(c: Composer, n: int) -> Stage:
    u, s = potential(c, n), c.result(n)
    fired = op(
        "spike", Shape(1, u.size), n, u=above(c, n), theta=theta(c), s=s, needs="true",
        faults=u,
    )  # fmt: skip
    row = Trace(phases(c.parameters)).row(c, n, s)
    says = f"layer {n}: leak, what has spiked taken off, then current and spikes"
    body = (*_driven(c, n, s, leak(c)), *_lowered(c, n), fired, *row)
    return Stage("look", body, n, says)


def _lowered(c: Composer, n: int) -> tuple[Op, ...]:
    """v = u, less what the threshold has risen by."""
    if not homeostasis.on(c.parameters):
        return ()
    v, u = above(c, n), potential(c, n)
    across = Shape(1, u.size)
    return (
        op("difference", across, n, x=u, y=risen(c, n), scale=1.0, d=v, purpose=v.name),
    )


def _outputs(c: Composer) -> Stage:
    u = potential(c, c.depth)
    row = Trace(phases(c.parameters)).row(c, c.depth, u)
    summed = traced(c, total(c), 1.0, u, c.depth)
    says = "outputs integrate what comes"
    return Stage("look", (*_driven(c, c.depth, None, 1.0), summed, *row), c.depth, says)


def _driven(c: Composer, n: int, s: Tensor | None, keeps: float) -> tuple[Op, ...]:
    """u = keeps (u - theta s) + b, then from there on what comes from below."""
    u, left = potential(c, n), c.inner(f"left{n}", (c.network.layers[n],))
    kept = op(
        "membrane", Shape(1, u.size), n, u=u, s=s, b=c.biases(n), leak=keeps,
        theta=theta(c), v=left,
    )  # fmt: skip
    return kept, dense.product(c, n, x=below(c, n), a=u, b=left)
