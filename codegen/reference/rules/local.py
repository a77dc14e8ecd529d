"""Local losses: a read-out a layer, whose error is the layer's alone.

e_l = output(h_l R_l) - t; d_l = (R_l e_l) * phi'(a_l), with the read-out before
its own update R_l -= eta h_l^T e_l, which has no bias. Each layer is updated as
soon as it has been computed (Nokland and Eidnes 2019, arXiv 1901.06656).
"""

from __future__ import annotations

import numpy as np

from codegen import streams
from codegen.reference import random
from codegen.reference.arithmetic import F32
from codegen.reference.learner import Learner, Result
from codegen.spec import Network


def initial(network: Network, seed: int) -> dict[str, F32]:
    """R_l [n_l, outputs], uniform within Glorot's limit."""
    found = {}
    for layer in range(1, network.depth):
        shape = (network.layers[layer], network.n_out)
        limit = np.float32(np.sqrt(6.0 / sum(shape)))
        drawn = random.uniform(seed, streams.readout(layer), limit, shape[0] * shape[1])
        found[f"R{layer}"] = drawn.reshape(shape)
    return found


def step(learner: Learner, x: F32, label: int, eta: np.float32) -> Result:
    """One step; raises `NonFinite`, and then layers below have changed."""
    learner.begin(x)
    for layer in range(1, learner.depth):
        e = local_error(learner, layer, label)
        if learner.negligible(e):
            continue
        learner.delta(layer, learner.backward(f"R{layer}", e))
        learner.update_layer(layer, eta)
        learner.learn_readout(layer, e, eta)
    return judged(learner, label, eta)


def local_error(learner: Learner, layer: int, label: int) -> F32:
    """The error of a hidden layer's read-out, and the layer itself before."""
    h = learner.hidden(layer)
    a = learner.project(learner.state[f"R{layer}"], h)
    return learner.judged(str(layer), a, label)


def judged(learner: Learner, label: int, eta: np.float32) -> Result:
    """The output layer, whose read-out it is itself."""
    result = learner.judge(learner.top(), label)
    if not learner.negligible(learner.trace["e"]):
        learner.update_layer(learner.depth, eta)
    return result
