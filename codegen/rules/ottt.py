"""Online training through time: a spiking network learns in every tick, while it
spikes, and keeps nothing of the ticks before but one trace an input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from codegen import feedback, goals, homeostasis, spiking
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.forms import program
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.program import Item, Program, Repeat, Set, Stage, Symbol, op
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Tensor
from codegen.updates.rank_one import plain

ETA = Symbol("eta_tick")
"""The learning rate of one tick."""
KINDS = ("signs", "uniform", "weights", "none")


def _remembered(c: Composer, n: int) -> Tensor:
    """The trace of layer n's inputs: of the current, or of spikes."""
    return c.signal("ax" if n == 1 else f"ah{n - 1}", (c.network.layers[n - 1],))


def _layers(c: Composer) -> range:
    return range(1, c.depth + 1)


def _judged(c: Composer) -> Stage:
    """The error of this tick, of the outputs' potentials."""
    u = spiking.potential(c, c.depth)
    if c.numbers.integer:  # which stay as they are
        judged = goals.judged(c, u, c.error, "", purpose="tick")
        return Stage("judge", judged, says="e of this tick")
    q = c.tensor("q", (c.network.n_out,))
    copied = op("copy", Shape(1, q.size), c.depth, v=u, x=q, purpose="q")
    judged = goals.judged(c, q, c.error, "const float passing", purpose="tick")
    return Stage("judge", (copied, *judged), says="e of this tick")


def _remember(c: Composer) -> Stage:
    made = tuple(
        item
        for n in _layers(c)
        for t in (_remembered(c, n),)
        for item in (spiking.remembered(c, t, n), *spiking.remembrance(c, n, t))
    )
    return Stage("credit", made, says="what learning remembers of the inputs")


def _credit(c: Composer, n: int) -> Stage:
    """d_n = (B_n e) psi(u_n), or with the weights above for B."""
    d = c.delta(n)
    if c.parameters["feedback"] == "weights":
        down = dense.backward(c, n, f"d_{n} = (W_{n + 1} d_{n + 1}) * psi(u_{n})")
    else:
        down = feedback.project(c, n, c.error, says=f"d_{n} = (B_{n} e) * psi(u_{n})")
    return Stage("credit", (down, spiking.slope(c, n, d)), n)


def _learn(c: Composer) -> tuple[Item, ...]:
    """Of this tick: every delta, and then every layer's update."""
    hidden = c.hidden if c.parameters["feedback"] != "none" else range(0)
    learned = tuple(
        item
        for n in (c.depth, *reversed(hidden))
        for item in plain(
            c, c.weights(n), c.biases(n), _remembered(c, n), c.delta(n), n, **_rate(c)
        )
    )
    says = "W[i][j] -= eta / ticks trace_i d_j, b_j -= eta / ticks d_j"
    credits = (_credit(c, n) for n in reversed(hidden))
    return (*credits, Stage("update", learned, says=says))


def _rate(c: Composer) -> dict[str, Any]:
    """The learning rate of one tick."""
    if c.numbers.integer:
        return {"shift": spiking.ticks(c).bit_length() - 1}
    return {"eta": ETA}


def _program(c: Composer) -> Program:
    begin, answer = spiking.begin(c), spiking.answer(c)
    count, tick = spiking.ticks(c), spiking.tick(c)
    says = "the network spikes"
    looked = (*begin, Repeat("cycle", count, tick, says), *answer)
    each = Set(f"const float {ETA.text}", f"eta / {literal(float(count))}")
    rate = () if c.numbers.integer else (each,)
    forgotten = tuple(spiking.filled(_remembered(c, n)) for n in _layers(c))
    learning = (
        *tick, *spiking.counted(c), _judged(c), _remember(c),
        *goals.unless_negligible(c, c.error, _learn(c)),
    )  # fmt: skip
    step = (
        *begin, Stage("credit", (*rate, *forgotten, *spiking.uncounted(c))),
        Repeat("cycle", count, learning, f"{says}, and learns from every tick"),
        *answer, goals.judge(c), *spiking.regulated(c),
    )  # fmt: skip
    return program(c, step, looked)


_SIGNS, _SCALE = feedback.PARAMETERS
RULE = Declaration(
    name="ottt",
    title="online training through time of a spiking network",
    source="Xiao et al. 2022, arXiv 2210.04195 (OTTT-O)",
    equation="in every tick: u_l = leak (u_l - theta s_l) + b_l + s_(l-1) W_l, s_l = u_l >= theta; "
    "d_l = (B_l e) / (1 + 2 |u_l - theta|)^2; W_l -= eta / ticks a_(l-1) d_l, a_l = leak a_l + s_l",
    parameters=(
        replace(
            _SIGNS,
            meaning=f"{_SIGNS.meaning}; weights: those above, transposed; none: hidden layers "
            "stay random (a control)",
            choices=KINDS,
        ),
        _SCALE,
        *spiking.PARAMETERS,
    ),
    rates=by_activation(others=Rate(0.1, 0.03)),
    program=_program,
    gates=frozenset({"error"}),
    activations=("identity",),
    outputs=("sigmoid",),
    phases=spiking.phases,
    conflict=homeostasis.conflict,
    integers=spiking.in_integers,
    hears=spiking.hears,
)  # fmt: skip
