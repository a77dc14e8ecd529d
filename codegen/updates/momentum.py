"""Momentum: each weight keeps a velocity, which its gradient only nudges.

V[i][j] = mu V[i][j] + x_i d_j, W[i][j] -= eta V[i][j], biases likewise (Polyak 1964,
in the form of Sutskever et al. 2013 without look-ahead). A velocity decays whether its
input is zero or not, so every row is visited in every step.
"""

from __future__ import annotations

from codegen.composer import Composer
from codegen.layers import dense
from codegen.program import Item, op
from codegen.tensors import Tensor
from codegen.updates.base import ETA, Update


def _change(c: Composer, n: int) -> tuple[Item, ...]:
    v, vb = _velocities(c, n)
    made = op(
        "momentum_update", dense.shape(c, n), n,
        w=c.weights(n), b=c.biases(n), v=v, vb=vb, x=c.input(n), d=c.delta(n),
        eta=ETA, mu=float(c.spec.update.momentum),
    )  # fmt: skip
    return (made,)


def _velocities(c: Composer, n: int) -> tuple[Tensor, Tensor]:
    """Of layer n's weights and biases."""
    n_in, n_out = c.network.shape(n)
    return (
        c.tensor(f"V{n}", (n_in, n_out), "dynamic"),
        c.tensor(f"vb{n}", (n_out,), "dynamic"),
    )


UPDATE = Update(
    name="momentum",
    says="V[i][j] = mu V[i][j] + x_i d_j, W[i][j] -= eta V[i][j]",
    change=_change,
    ways=("dense",),
    gated=False,
)
