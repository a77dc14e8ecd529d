"""Symmetric STDP with winner take all, in whole numbers: what passes a synapse while the
network works is all that changes it.

Inputs spike at random, the more often the larger they are. Of the cells that reach their
threshold in a tick the most excited one alone spikes. The synapses from all inputs that
have spiked of late grow then, and the cell is harder to excite from there on. Outputs hear
the cells that spike; a teacher that spikes too makes them know which.
"""

from __future__ import annotations

from codegen import homeostasis, showing, streams
from codegen.composer import Composer
from codegen.formats import I16, I32, U8, U16, Format
from codegen.goals.label import LABEL
from codegen.kernels.cost import Shape
from codegen.parameters import Parameter
from codegen.program import If, Item, Op, Part, Program, Repeat, Set, Stage, Symbol, op
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Drawn, Tensor
from codegen.traces import OF_CELLS, membranes, traced

PARAMETERS = (
    Parameter("ticks", 100, "of a presentation of a sample", most=256),
    Parameter("rest", 2, "ticks after a spike in which no cell spikes", most=255),
    Parameter("threshold", 6000, "potential at which a cell spikes that never has"),
    Parameter(
        "labels", "teacher",
        "teacher: outputs that spike while a class is taught; votes: cells learn without "
        "labels, and each stands for the class at which it has spiked most",
        ("teacher", "votes"),
    ),
    Parameter(
        "cells", "learn", "still: their synapses from inputs stay random (a control)",
        ("learn", "still"),
    ),
    OF_CELLS,
    *homeostasis.PARAMETERS,
    *showing.PARAMETERS,
)  # fmt: skip

LEAKS, REMEMBERS, FADES = 6, 4, 10
"""Shifts by which potentials, traces and thresholds lose."""
RISE, GAIN, MOST, TOTAL = 100, 8, 4095, 14
"""Of a spike: what its threshold rises by, and what the synapses grow by of 256ths of
their trace; what a synapse grows to, and log2 of the sum of a cell's, which is the most
that one of them can be."""
TEACHES, TAUGHT, LOUDEST = 51, 64, 16
"""256ths of a teacher's ticks in which it spikes, gain of outputs' synapses, and log2 of the
most that an output's sum to."""
VOTES, HIGHEST = 2.0**24, 2.0**30
"""What votes stay within, and a threshold's rise: of 16 samples it gains less than it loses
from there when it fades."""
SLOW = 16
"""Samples after which thresholds fade."""


def _cells(c: Composer) -> int:
    return c.network.layers[1]


def _synapses(c: Composer) -> Tensor:
    first = Drawn(streams.weights(1), 23)  # 0..511
    return c.tensor(
        "W1", c.network.shape(1), "learned", format=I16, initial=first,
        limits=(0.0, 2.0**TOTAL),
    )  # fmt: skip


def _outputs(c: Composer) -> Tensor:
    most = 2.0**LOUDEST if _teaches(c) else VOTES
    return c.tensor("W2", c.network.shape(2), "learned", format=I32, limits=(0.0, most))


def _theta(c: Composer) -> Tensor:
    if homeostasis.on(c.parameters):
        least = float(c.parameters["threshold"])
        return homeostasis.rises(c, "theta", _cells(c), least)
    return c.tensor("theta", (_cells(c),), "learned", format=I32, limits=(0.0, HIGHEST))


def _rate(c: Composer) -> Tensor:
    return homeostasis.rates(c, "rate", _cells(c))


def _spikes(c: Composer) -> Tensor:
    """Of each cell in this sample, all its presentations."""
    return c.inner("spiked", (_cells(c),), I32)


def _scratch(c: Composer, name: str, size: int, format: Format) -> Tensor:
    return c.tensor(name, (size,), format=format)


def _potential(c: Composer) -> Tensor:
    return _scratch(c, "u1", _cells(c), I32)


def _current(c: Composer) -> Tensor:
    return _scratch(c, "current", c.network.n_out, I32)


def _memory(c: Composer, of: str) -> Tensor:
    """What synapses remember of the spikes of inputs ("x"), cells ("h1"), outputs ("p")."""
    size = {"x": c.network.n_in, "h1": _cells(c), "p": c.network.n_out}[of]
    return _scratch(c, f"a{of}", size, U8)


def _fired(c: Composer) -> Tensor:
    """Whether a cell has spiked in this sample."""
    return c.inner("fired", (_cells(c),), U8)


def _raster(c: Composer) -> Tensor:
    """Of each tick the cell that has spiked, or how many cells there are; [ticks, 1]."""
    ticks = int(c.parameters["ticks"])
    return c.tensor("raster", (ticks, 1), format=U16, kept=True)


def _seen(c: Composer, v: Tensor, of: str) -> tuple[Item, ...]:
    """What each cell has in this tick enters a row of its own, where membranes are kept."""
    if not membranes(c.parameters):
        return ()
    ticks, cells = int(c.parameters["ticks"]), v.size
    rows = c.tensor(f"trace_{of}1", (ticks, cells), format=v.format, kept=True)
    place = f"{rows.name}[cycle * {cells} + cell]"
    copied = Set(place, f"{v.name}[cell]", (rows, v))
    return (Repeat("cell", cells, (copied,)),)


def _zeroed(v: Tensor) -> Op:
    return op("fill", Shape(1, v.size), v=v, value=0, purpose=v.name)


def _teaches(c: Composer) -> bool:
    return c.parameters["labels"] == "teacher"


def _learn(c: Composer) -> bool:
    return c.parameters["cells"] == "learn"


def _tick(c: Composer, learns: bool) -> tuple[Item, ...]:
    n_in, cells = c.network.shape(1)
    v, active, count = _potential(c), showing.active(c), Symbol("count")
    moved = op(
        "integrate", Shape(n_in, cells, c.density(1)), 1, w=_synapses(c), active=active,
        count=count, leak=LEAKS, v=v,
    )  # fmt: skip
    says = "inputs spike; cells leak, and add the rows of those"
    seen = Stage("look", (*showing.came(c), moved), 1, says)
    spiked = If(
        "rest > 0", (Set("rest", "rest - 1"),), _compete(c, learns), why="after a spike"
    )
    taught: tuple[Item, ...] = ()
    if learns and _teaches(c):
        taught = (_taught(c), *_seen(c, _memory(c, "h1"), "a"))
    return (
        seen, *_seen(c, v, "u"), *(_remember(c) if learns else ()), *_nobody(c),
        Stage("look", (spiked,), 2, "the most excited cell spikes"), *taught,
    )  # fmt: skip


def _nobody(c: Composer) -> tuple[Item, ...]:
    if not traced(c.parameters):
        return ()
    raster = _raster(c)
    return (Set(f"{raster.name}[cycle]", str(_cells(c)), (raster,)),)


def _remember(c: Composer) -> tuple[Item, ...]:
    """Traces, and whether the teacher spikes."""

    def trace(of: str, active: Tensor | None, count: Symbol | int) -> Op:
        t = _memory(c, of)
        return op(
            "spike_trace", Shape(1, t.size), 1, t=t, leak=REMEMBERS, active=active,
            count=count, more=128, purpose=of,
        )  # fmt: skip

    found: tuple[Item, ...] = ()
    if _learn(c):
        found = (trace("x", showing.active(c), Symbol("count")),)
    if _teaches(c):
        found = (
            *found, trace("h1", None, 0), trace("p", None, 0),
            Set("const bool teaches", f"(hil_mix(base + word) & 255) < {TEACHES}"),
            Set("word", "word + 1"),
        )  # fmt: skip
    return (Stage("credit", found, 1, "what synapses remember"),) if found else ()


def _compete(c: Composer, learns: bool) -> tuple[Item, ...]:
    """Who spikes, if any does, and what comes of it."""
    v, theta, cells = _potential(c), _theta(c), _cells(c)
    won = op(
        "winner", Shape(1, cells), 1, v=v, theta=theta,
        least=int(c.parameters["threshold"]), into="const size_t winner",
    )  # fmt: skip
    raster = _raster(c) if traced(c.parameters) else None
    told = (
        (Set(f"{raster.name}[cycle]", "(uint16_t)winner", (raster,)),) if raster else ()
    )
    spike: tuple[Item, ...] = (
        _zeroed(v), Set("rest", str(int(c.parameters["rest"]))), Set("spikes", "spikes + 1"),
        *told, *(_potentiated(c) if learns else ()), _heard(c, learns),
    )  # fmt: skip
    return (won, If(f"winner < {cells}", spike))


def _potentiated(c: Composer) -> tuple[Item, ...]:
    theta, fired = _theta(c), _fired(c)
    risen = f"s->{theta.name}[winner]"
    grown = op(
        "potentiate", Shape(*c.network.shape(1)), 1, w=_synapses(c), cell=Symbol("winner"),
        t=_memory(c, "x"), gain=GAIN, most=MOST,
    )  # fmt: skip
    post = _memory(c, "h1")
    told = (Set(f"{post.name}[winner]", "255", (post,)),) if _teaches(c) else ()
    if homeostasis.on(c.parameters):
        seen = f"{_spikes(c).name}[winner]"
        told = (*told, Set(seen, f"{seen} + 1", (_spikes(c),)))
    kept = Set(f"{fired.name}[winner]", "1", (fired,))
    return (
        Set(risen, f"{risen} + {RISE}", (theta,)), *((grown, kept) if _learn(c) else ()),
        *told,
    )  # fmt: skip


def _heard(c: Composer, learns: bool) -> Op:
    w, across = Part(_outputs(c), "winner"), Shape(1, c.network.n_out)
    if _teaches(c):
        t = _memory(c, "p") if learns else None
        return op("heard", across, 2, w=w, t=t, gain=TAUGHT, sum=_current(c))
    label = LABEL if learns else 0
    return op("vote", across, 2, w=w, label=label, more=int(learns), sum=_current(c))


def _taught(c: Composer) -> Stage:
    t = _memory(c, "p")
    grown = op(
        "potentiate", Shape(*c.network.shape(2)), 2, w=_outputs(c), cell=LABEL,
        t=_memory(c, "h1"), gain=TAUGHT, most=2**24,
    )  # fmt: skip
    told = Set(f"{t.name}[label]", "255", (t,))
    return Stage("update", (If("teaches", (told, grown)),), 2, "the teacher's spike")


def _presented(c: Composer, learns: bool) -> tuple[Item, ...]:
    """The sample, shown to cells at rest."""
    of_inputs, of_others = _learn(c) * ("x",), _teaches(c) * ("h1", "p")
    memories = (*of_inputs, *of_others) if learns else ()
    rest = (_potential(c), _current(c), *(_memory(c, of) for of in memories))
    rested = Stage("look", tuple(_zeroed(v) for v in rest), 1, "cells are at rest")
    ticks = int(c.parameters["ticks"])
    return showing.shown(c, rested, ticks, _tick(c, learns))


def _settled(c: Composer) -> tuple[Item, ...]:
    """When the sample is over: sums of synapses, thresholds, what was drawn."""
    fired, theta = _fired(c), _theta(c)
    scaled = op(
        "normalise", Shape(*c.network.shape(1)), 1, w=_synapses(c), cell=Symbol("cell"),
        shift=TOTAL, least=0,
    )  # fmt: skip
    spiked = If(f"{fired.name}[cell] != 0", (scaled,), uses=(fired,))
    cells = Repeat("cell", _cells(c), (spiked,))
    quieter = op(
        "normalise", Shape(*c.network.shape(2)), 2, w=_outputs(c), cell=LABEL,
        shift=LOUDEST, least=1 << LOUDEST,
    )  # fmt: skip
    samples = showing.count(c, "samples")
    number = f"s->{samples.name}[0]"
    faded = op("fade", Shape(1, theta.size), 1, v=theta, leak=FADES)
    over: tuple[Item, ...] = (
        *((cells,) if _learn(c) else ()), *((quieter,) if _teaches(c) else ()),
        Set(number, f"{number} + 1", (samples,)),
        If(f"{number} % {SLOW} == 0", (faded,), usual=False),
        *_regulated(c), *showing.end(c, _teaches(c)),
    )  # fmt: skip
    return (Stage("update", over, 2, "the sample is over"),)


def _regulated(c: Composer) -> tuple[Op, ...]:
    """Thresholds follow how often their cells spike."""
    if not homeostasis.on(c.parameters):
        return ()
    ticks, threshold = (int(c.parameters[key]) for key in ("ticks", "threshold"))
    return (
        homeostasis.settled(
            c, 1, _spikes(c), _rate(c), _theta(c), ticks=ticks, theta=threshold
        ),
    )  # fmt: skip


def _forgotten(c: Composer) -> tuple[Op, ...]:
    """What a step notes of cells that spike: nothing so far."""
    fired = (_fired(c),) if _learn(c) else ()
    counted = (_spikes(c),) if homeostasis.on(c.parameters) else ()
    return tuple(_zeroed(v) for v in (*fired, *counted))


def _program(c: Composer) -> Program:
    current, p = _current(c), c.outputs
    across = Shape(1, p.size)
    looked = (*showing.begin(c, False), *_presented(c, learns=False))
    noted = _forgotten(c)
    none = (Stage("credit", noted),) if noted else ()
    judged = op("most_current", across, 2, a=current, label=LABEL, p=p, into="*loss")
    step = (
        *showing.begin(c, _teaches(c)), *none, *_presented(c, learns=True),
        Stage("judge", (judged,), 2, "the loss is 1 where another class has more current"),
        *_settled(c),
    )  # fmt: skip
    told = op("most_current", across, a=current, label=0, p=p)
    rates = (_rate(c),) if homeostasis.on(c.parameters) else ()
    state = (
        _synapses(c), _outputs(c), _theta(c), *rates, showing.count(c, "counter"),
        showing.count(c, "samples"),
    )  # fmt: skip
    return Program(looked, told, step, results=(current,), state=state)


RULE = Declaration(
    name="stdp-wta",
    title="symmetric STDP with winner take all, in whole numbers",
    source="Hao et al. 2020, Neural Networks 121 (sym-STDP); Diehl, Cook 2015, "
    "doi 10.3389/fncom.2015.00099",
    equation="in every tick: V_j -= V_j >> 6, V_j += sum of W_ij of inputs that spike; the cell with "
    "the largest V_j - theta_j >= threshold alone spikes: V = 0, theta_j += 100, "
    "W_ij += (8 trace_i) >> 8; sums of W_ij are kept",
    parameters=PARAMETERS,
    rates=by_activation(others=Rate(1.0, 1.0)),
    program=_program,
    gates=frozenset(),
    activations=("identity",),
    outputs=("identity",),
    most=2,
    least=2,
    why="its cells are one layer",
    rated=False,
    conflict=homeostasis.conflict,
    hears=showing.hears,
    format="spikes",
)  # fmt: skip
