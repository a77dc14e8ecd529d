"""Direct random target projection."""

from __future__ import annotations

from codegen.memory import Scratch, Timeline, passing_scratch
from codegen.rules import Declaration, Parameters, Rate, by_activation, dfa
from codegen.spec import Network


def _scratch(network: Network, parameters: Parameters) -> tuple[Scratch, ...]:
    time = Timeline(network)
    found = list(passing_scratch(network))
    if network.depth > 1:
        alive = time.input, time.passing(network.depth - 1)
        found.append(Scratch("t", (network.n_out,), *alive))
    for n in range(1, network.depth):
        now = time.passing(n)
        found += dfa.signs(network, parameters, n, now)
    return tuple(found)


RULE = Declaration(
    name="drtp",
    title="direct random target projection",
    source="Frenkel, Lefebvre, Bol 2021, Frontiers in Neuroscience 15:629892",
    equation="d_L = e; d_l = -(B_l t) * phi'(a_l), t one-hot: hidden layers hear the label, "
    "not the error, and learn on the way forward",
    parameters=dfa.FEEDBACK,
    rates=by_activation(others=Rate(0.03, 0.02)),
    scratch=_scratch,
    calls=dfa.projections,
    const=dfa.stored,
    in_passing=True,
    gates=frozenset({"rows"}),
)
