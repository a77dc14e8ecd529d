"""Predictive coding: hidden units move until they explain what is below and above them.

Every hidden unit has a value z and an error eps, how far its prediction mu from below is
from that value. The values settle for some iterations; then each layer learns from its
own error alone. Errors have the sign of e = p - t, which is minus that of the papers.
"""

from __future__ import annotations

from codegen import fronts, goals
from codegen.cformat import literal
from codegen.composer import Composer
from codegen.forms import program
from codegen.kernels.cost import Shape
from codegen.layers import dense
from codegen.parameters import Parameter, Parameters
from codegen.program import If, Item, Op, Program, Repeat, Set, Stage, Symbol, op
from codegen.rules import Declaration, Rate, by_activation
from codegen.tensors import Fill, Tensor
from codegen.updates import updates

GAMMA = Symbol("gamma")
"""How far values move, in this iteration."""

_PARAMETERS = (
    Parameter(
        "inference", "settle",
        "settle: all values move at once, in every iteration; z-il: each layer's once, "
        "by all of its error, which gives bp's weights",
        ("settle", "z-il"),
    ),
    Parameter("iterations", 4, "how often values move (settle)", most=256),
    Parameter(
        "gamma", 0.5,
        "how far they move at first; halved for the sample's sake when the energy rises "
        "(settle)",
        within=(1e-3, 1.0),
    ),
    Parameter(
        "variance", 10.0, "of the outputs, beside 1 of hidden units (settle)",
        within=(1e-3, 1e6),
    ),
    Parameter(
        "precision", "fixed",
        "fixed: variances stay as they are; learned: each unit has its own (settle)",
        ("fixed", "learned"),
    ),
    Parameter("precision_rate", 0.0001, "of variances (learned)", within=(0.0, 1.0)),
    Parameter("least_variance", 1.0, "of a unit (learned)", within=(1e-3, 1e6)),
    Parameter("most_variance", 100.0, "of a unit (learned)", within=(1e-3, 1e6)),
)  # fmt: skip


def _values(c: Composer, n: int) -> Tensor:
    """z of hidden layer n; h is phi(z)."""
    return c.tensor(f"z{n}", (c.network.layers[n],))


def _predicted(c: Composer, n: int) -> Tensor:
    """mu_n, what the layer below makes of it: of the output layer, the answer of what
    has settled."""
    return c.tensor(f"mu{n}", (c.network.layers[n],))


def _errors(c: Composer, n: int) -> Tensor:
    """eps_n, a layer's error in units of its variance."""
    return c.tensor(f"eps{n}", (c.network.layers[n],))


def _gaps(c: Composer, n: int) -> Tensor:
    """mu - z, and of the outputs e: what becomes eps when it is divided by a variance."""
    if n == c.depth:
        return c.error
    return c.tensor(f"gap{n}", (c.network.layers[n],)) if _learns(c) else _errors(c, n)


def _learns(c: Composer) -> bool:
    """Whether variances are learned."""
    return c.parameters["precision"] == "learned"


def _variances(c: Composer, n: int) -> Tensor:
    """Layer n's, a unit each."""
    least, most = _limits(c)
    first = float(c.parameters["variance"]) if n == c.depth else 1.0
    start = Fill(min(max(first, least), most))
    return c.learned(f"sigma{n}", (c.network.layers[n],), start, (least, most))


def _limits(c: Composer) -> tuple[float, float]:
    """Of variances."""
    return float(c.parameters["least_variance"]), float(c.parameters["most_variance"])


def _pull(c: Composer, n: int) -> Tensor:
    """u_n, what the layer above wants of hidden layer n."""
    return c.tensor(f"u{n}", (c.network.layers[n],))


def _energies(c: Composer) -> Tensor:
    """Of the answer, and after every iteration."""
    return c.tensor("energy", (int(c.parameters["iterations"]) + 1,))


def _across(c: Composer, n: int) -> Shape:
    return Shape(1, c.network.layers[n])


def _copy(c: Composer, n: int, v: Tensor, x: Tensor) -> Op:
    return op("copy", _across(c, n), n, v=v, x=x, purpose=x.name)


def _apart(c: Composer, n: int, x: Tensor, y: Tensor, d: Tensor) -> Op:
    """d = x - y."""
    across = _across(c, n)
    return op("difference", across, n, x=x, y=y, scale=1.0, d=d, purpose=d.name)


def _look(c: Composer, settles: bool) -> tuple[Item, ...]:
    """A forward pass that keeps each hidden layer's pre-activations: as its prediction,
    and where values settle as its values, of which those of layer 1 alone are still
    predicted later."""
    hidden = (
        Stage("look", _seen(c, n, settles), n, f"layer {n}, its pre-activations kept")
        for n in c.hidden
    )
    return (*fronts.front(c), *hidden, dense.forward(c, c.depth))


def _seen(c: Composer, n: int, settles: bool) -> tuple[Item, ...]:
    mu, z, h = _predicted(c, n), _values(c, n), c.result(n)
    a = z if settles and n > 1 else mu
    twice = (_copy(c, n, mu, z),) if settles and n == 1 else ()
    through = dense.activate(c, n, h)
    return (*dense.drive(c, n, a), *twice, _copy(c, n, a, h), *through)


def _asked(c: Composer, n: int, d: Tensor, says: str) -> tuple[Item, ...]:
    """u_n = (W_(n+1) d) * phi'(a_n), of the layer above's error d."""
    u = _pull(c, n)
    return (dense.backward(c, n, says, d=d, u=u), *dense.slope(c, n, u))


# settle


def _moved(c: Composer, n: int) -> Stage:
    """Hidden layer n's values move towards what its errors want, all layers from errors
    of the iteration before."""
    z, h = _values(c, n), c.result(n)
    says = f"layer {n} moves: u = (W_{n + 1} eps_{n + 1}) * phi', z += gamma (eps - u)"
    step = op(
        "settle", _across(c, n), n, eps=_errors(c, n), u=_pull(c, n), gamma=GAMMA,
        z=z, h=h,
    )  # fmt: skip
    return Stage(
        "credit",
        (*_asked(c, n, _errors(c, n + 1), says), step, *dense.activate(c, n, h)),
        n,
    )


def _compared(c: Composer, n: int) -> Stage:
    """Hidden layer n's errors anew: eps_n = mu_n - z_n."""
    mu, gap = _predicted(c, n), _gaps(c, n)
    anew = (dense.product(c, n, a=mu),) if n > 1 else ()
    return Stage(
        "credit",
        (*anew, _apart(c, n, mu, _values(c, n), gap), *_weighed(c, n)),
        n,
        f"layer {n}'s error: eps = (mu - z) / variance",
    )


def _weighed(c: Composer, n: int) -> tuple[Item, ...]:
    """Errors in units of their variance, which is 1 of hidden units unless it is
    learned."""
    across, gap, eps = _across(c, n), _gaps(c, n), _errors(c, n)
    divided: tuple[Op, ...] = ()
    if _learns(c):
        divided = (op("ratio", across, n, v=gap, w=_variances(c, n), x=eps),)
    elif n == c.depth:
        variance = float(c.parameters["variance"])
        divided = (op("convert", across, n, v=gap, scale=variance, x=eps),)
    return (*divided, dense.finite(eps, n, "eps"))


def _judged(c: Composer) -> Stage:
    """The outputs' errors anew."""
    n, mu = c.depth, _predicted(c, c.depth)
    again = goals.judged(c, mu, c.error, "const float settled", n, "settled")
    says = "the outputs' error: e = mu - t, eps = e / variance"
    return Stage(
        "credit", (dense.product(c, n, a=mu), *again, *_weighed(c, n)), n, says
    )


def _part(c: Composer, n: int, into: str) -> Op:
    """Twice layer n's part of the energy."""
    gap, eps = _gaps(c, n), _errors(c, n)
    return op("dot", _across(c, n), n, x=gap, y=eps, into=into, purpose="energy")


def _energy(c: Composer) -> tuple[Item, ...]:
    """Half the sum over the layers of their errors times their differences."""
    layers = range(1, c.depth + 1)
    parts = (_part(c, n, f"const float energy{n}") for n in layers)
    total = " + ".join(f"energy{n}" for n in layers)
    return (*parts, Set("energy[k + 1]", f"0.5f * ({total})", (_energies(c),)))


def _watched(c: Composer) -> Stage:
    """The energy after an iteration, which moves too far where that has risen."""
    halve = If(
        "energy[k + 1] > energy[k]", (Set("gamma", "0.5f * gamma"),),
        why="this sample's steps are too long", uses=(_energies(c),),
    )  # fmt: skip
    return Stage("credit", (*_energy(c), halve), says="the energy, which should fall")


def _unmoved(c: Composer) -> Stage:
    """Before the first iteration only the outputs have an error."""
    none = (
        op("fill", _across(c, n), n, v=_errors(c, n), value=0.0) for n in c.hidden
    )  # fmt: skip
    body = (
        *none,
        *_weighed(c, c.depth),
        _part(c, c.depth, "const float first"),
        Set("energy[0]", "0.5f * first", (_energies(c),)),
        Set("float gamma", literal(float(c.parameters["gamma"]))),
    )
    return Stage("credit", body, says="hidden values are as predicted")


def _delta(c: Composer, n: int) -> Stage:
    """d_n = variance eps_n, so that a learning rate means what it means to bp; of the
    outputs that is e, unless their variances are learned."""
    d, factor = c.delta(n), float(c.parameters["variance"])
    made = op("times", _across(c, n), n, v=_errors(c, n), factor=factor, x=d)
    body = (made, dense.finite(d, n, "delta"))
    return Stage("credit", body, n, f"{d.name} = variance eps_{n}")


def _adapted(c: Composer) -> tuple[Stage, ...]:
    """Variances learn, too."""
    if not _learns(c) or c.depth == 1:
        return ()
    least, most = _limits(c)
    rate = 0.5 * float(c.parameters["precision_rate"])
    body = tuple(
        op("adapt", _across(c, n), n, s=_variances(c, n), eps=_errors(c, n), rate=rate,
           least=least, most=most)
        for n in range(c.depth, 0, -1)
    )  # fmt: skip
    says = "variances move by half of eps^2 - 1 / variance"
    return (Stage("update", body, says=says),)


def _settled(c: Composer) -> tuple[Item, ...]:
    """From an error of the outputs to every layer's delta."""
    if c.depth == 1:
        return ()
    each = (
        *(_moved(c, n) for n in c.hidden), *(_compared(c, n) for n in c.hidden),
        _judged(c), _watched(c),
    )  # fmt: skip
    learning = c.depth + _learns(c)
    deltas = (_delta(c, n) for n in reversed(range(1, learning)))
    says = "all values move, then all errors are computed anew"
    rounds = Repeat("k", int(c.parameters["iterations"]), each, says)
    return (_unmoved(c), rounds, *deltas)


# z-il


def _at_once(c: Composer, n: int) -> Stage:
    """Hidden layer n's only iteration, with gamma 1: its error becomes the pull of the
    layer above, as exactly as its value can store it."""
    mu, z, d = _predicted(c, n), _values(c, n), c.delta(n)
    says = f"layer {n}: u = (W_{n + 1} d_{n + 1}) * phi', z = mu - u, d_{n} = mu - z"
    moved = (_apart(c, n, mu, _pull(c, n), z), _apart(c, n, mu, z, d))
    body = (*_asked(c, n, c.delta(n + 1), says), *moved, dense.finite(d, n, "delta"))
    return Stage("credit", body, n)


def _program(c: Composer) -> Program:
    settles = c.parameters["inference"] == "settle"
    given = (
        _settled(c) if settles else tuple(_at_once(c, n) for n in reversed(c.hidden))
    )
    step = (
        *_look(c, settles), goals.judge(c), *goals.leave_if_negligible(c), *given,
        updates(c, tuple(range(1, c.depth + 1))), *_adapted(c),
    )  # fmt: skip
    return program(c, step)


def _conflict(parameters: Parameters) -> str:
    if parameters["precision"] == "fixed":
        return ""
    if parameters["inference"] == "z-il":
        return (
            "precision 'learned' with inference 'z-il', in which variances cancel out: "
            "expected inference 'settle'"
        )
    least, most = (float(parameters[f"{end}_variance"]) for end in ("least", "most"))
    if least <= most:
        return ""
    return (
        f"least_variance {least:g} above most_variance {most:g}: expected the reverse"
    )


RULE = Declaration(
    name="pc",
    title="predictive coding",
    source="Whittington, Bogacz 2017; Casnici, Frenkel, Dauwels 2025, arXiv 2508.08762; "
    "z-il: Song, Lukasiewicz, Xu, Bogacz 2020",
    equation="eps_l = (mu_l - z_l) / variance_l, mu_l = b_l + phi(z_(l-1)) W_l; z_l += gamma "
    "(eps_l - (W_{l+1} eps_{l+1}) * phi'(z_l)); d_l = variance eps_l",
    parameters=_PARAMETERS,
    rates=by_activation(others=Rate(0.02, 0.01)),
    program=_program,
    outputs=("identity",),
    conflict=_conflict,
    floating="its errors are divided by variances, and its units settle by small steps",
)
