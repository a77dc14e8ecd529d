"""The learner in numpy: what a device must agree with, bit for bit."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from codegen import rules, streams
from codegen.constants import BUDGET_GAIN
from codegen.reference import dense, gates, random
from codegen.reference.arithmetic import F32, dot16, fma
from codegen.reference.digest import Digest
from codegen.reference.environment import require_sound
from codegen.reference.functions import ACTIVATIONS
from codegen.reference.outputs import OUTPUTS
from codegen.reference.perturbation import DISTRIBUTIONS, direction, slope
from codegen.reference.window import features
from codegen.spec import Network, Spec

_BUDGET_GAIN = np.float32(BUDGET_GAIN)
_DTYPES = {"u8": np.uint8, "i16": np.int16, "f32": np.float32}


class NonFinite(Exception):
    """A step met an infinity or a NaN in `tensor`, and changed nothing."""

    def __init__(self, tensor: str) -> None:
        super().__init__(f"tensor {tensor!r} holds an infinity or a NaN")
        self.tensor = tensor


@dataclass(frozen=True)
class Result:
    """What one step tells: outputs p [n_out] before it, and their loss."""

    p: F32
    loss: np.float32


class _Rule(Protocol):
    """A module of codegen.reference.rules. It may also have `initial(network,
    seed)`, the first values of the state that it adds to the weights."""

    def step(self, learner: Learner, x: F32, label: int, eta: np.float32) -> Result: ...


class Learner:
    """A network in training, in the contract's arithmetic (docs/arithmetic.md).

    `state` are the tensors a step changes, "W1" [n_in, n_out], "b1" [n_out],
    "W2", ..., what the rule adds, and "tau" [gated layers] behind a gate, in the order
    of the digest; `trace` the intermediates of the last step or inference: "x",
    "h1", ..., "p", and of a step "e", "d1", ...; `step_number` is that of the next
    step; `changed` tells of each layer that the last step has updated how many of
    its weights it wrote.
    """

    def __init__(self, spec: Spec, seed: int | None = None) -> None:
        """Initial weights from `seed`, by default the spec's.

        A stored feedback matrix is part of the image, so it is drawn from the
        spec's seed always; sign feedback is drawn from `seed` like the weights.
        Raises `SpecError` for a rule or a parameter that does not exist, and
        `ReferenceUnsound` where this process cannot compute it.
        """
        require_sound()
        self.spec = spec
        self.seed = spec.seed if seed is None else seed
        self.rule = rules.get(spec.rule)
        rules.require_gates(self.rule, spec)
        self.activation = ACTIVATIONS[spec.network.activation]
        self.output = OUTPUTS[spec.network.output]
        self._twin: _Rule = importlib.import_module(
            f"codegen.reference.rules.{self.rule.module}"
        )
        self.state = self._initial()
        self.trace: dict[str, F32] = {}
        self.changed: dict[int, int] = {}
        self.step_number = 0
        self._digest = Digest(sum(tensor.size for tensor in self.state.values()))

    @np.errstate(all="ignore")
    def step(
        self,
        sample: NDArray[np.generic],
        label: int,
        eta: np.float32 | float,
        signal: int = 0,
    ) -> Result:
        """Learn from one raw sample [elements] with learning rate `eta`. `signal` is
        what a device's counter told of this step, where a budget is held.

        Raises `NonFinite` before anything has changed (then `trace` shows how far
        the step came), and `ValueError` for a sample or label the network cannot
        have.
        """
        if not 0 <= label < self.spec.network.n_out:
            raise ValueError(
                f"label {label} is not in 0..{self.spec.network.n_out - 1}"
            )
        self.changed = {}
        result = self._twin.step(self, self._input(sample), label, np.float32(eta))
        if self.spec.gate.budget is not None and self.changed:
            self._hold_budget(signal)
        self.step_number += 1
        return result

    @np.errstate(all="ignore")
    def infer(self, sample: NDArray[np.generic]) -> F32:
        """Outputs p [n_out] for one raw sample [elements].

        Raises `NonFinite` and `ValueError` as `step` does.
        """
        a = self.forward(self._input(sample))
        self.trace["p"] = self.output.value(a)
        return self.trace["p"]

    def digest(self) -> int:
        """The 32-bit digest of the state."""
        return self._digest(self.state.values())

    def load(
        self, state: Mapping[str, NDArray[np.float32]], step_number: int = 0
    ) -> None:
        """Continue from these tensors, which are copied.

        Raises `ValueError` unless names, types and shapes are those of `state`.
        """
        if set(state) != set(self.state):
            raise ValueError(
                f"state of {', '.join(state)}: expected {', '.join(self.state)}"
            )
        for name, tensor in self.state.items():
            given = state[name]
            if given.shape != tensor.shape or given.dtype != tensor.dtype:
                raise ValueError(
                    f"tensor {name!r} is {given.dtype} {given.shape}: "
                    f"expected {tensor.dtype} {tensor.shape}"
                )
        self.state = {name: np.array(state[name], order="C") for name in self.state}
        self.step_number = step_number

    def snapshot(self) -> dict[str, F32]:
        """A copy of the state."""
        return {name: tensor.copy() for name, tensor in self.state.items()}

    # for the rules

    @property
    def depth(self) -> int:
        """Number of weight layers."""
        return self.spec.network.depth

    def begin(self, x: F32) -> None:
        """A new trace, which x enters."""
        self.trace = {"x": x}
        if self.spec.inputs.dtype == "f32":
            check_finite("x", x)

    def forward(self, x: F32) -> F32:
        """Pre-activations of the output layer; x and the h1, ... enter the trace."""
        self.begin(x)
        for layer in range(1, self.depth):
            self.hidden(layer)
        return self.top()

    def hidden(self, layer: int) -> F32:
        """h of one hidden layer, from its input in the trace."""
        a = self._layer(layer)
        check_finite(f"h{layer}", a)
        self.trace[f"h{layer}"] = self.activation.value(a)
        return self.trace[f"h{layer}"]

    def top(self) -> F32:
        """Pre-activations of the output layer, from its input in the trace."""
        return self.note("p", self._layer(self.depth))

    def judge(self, a: F32, label: int) -> Result:
        """Outputs, error and loss from the output layer's pre-activations."""
        judged = self.output.judged(a, label)
        self.trace["p"] = judged.p
        self.note("e", self.tempered(judged.e))
        return Result(judged.p, judged.loss)

    def tempered(self, e: F32) -> F32:
        """An error within its limit, where it has one."""
        limit = self.spec.clip.error
        return e if limit is None else dense.clipped(e, np.float32(limit))

    def ternary(self, e: F32, threshold: np.float32) -> F32:
        """1 where e is at least the threshold, -1 where it is at most minus that."""
        large = np.abs(e) >= threshold
        return np.where(large, np.sign(e), np.float32(0)).astype(np.float32)

    def negligible(self, e: F32) -> bool:
        """Whether the error gate lets nothing be learned from `e`."""
        gate = np.float32(self.spec.gate.error)
        return bool(gate > 0 and np.abs(e).max() < gate)

    def input_of(self, layer: int) -> F32:
        """What layer 1..L had as input, from the trace."""
        return self.trace[f"h{layer - 1}" if layer > 1 else "x"]

    def delta(self, layer: int, u: F32) -> F32:
        """The delta of hidden layer `layer`, u * phi', entered in the trace."""
        return self.note(f"d{layer}", self.slope(layer, u))

    def slope(self, layer: int, u: F32) -> F32:
        """u * phi' of hidden layer `layer`, from its h in the trace."""
        return self.activation.grad(self.trace[f"h{layer}"], u)

    def update(self, eta: np.float32) -> None:
        """Every layer's rank-1 update from the inputs and deltas in the trace."""
        for layer in range(self.depth, 0, -1):
            self.update_layer(layer, eta)

    def update_layer(self, layer: int, eta: np.float32) -> None:
        """One layer's rank-1 update, behind the gate and within its limits."""
        x = self.input_of(layer)
        d = self.trace[f"d{layer}" if layer < self.depth else "e"]
        w, b = self.state[f"W{layer}"], self.state[f"b{layer}"]
        if layer in self.spec.gated:
            self.changed[layer] = self._gated(layer, x, d, eta)
        else:
            dense.update(w, b, x, d, eta)
            self.changed[layer] = int(np.count_nonzero(x)) * d.size
        self.clip(w, b)

    def clip(self, *tensors: F32) -> None:
        """Weights within their limit, in place, where they have one."""
        limit = self.spec.clip.weights
        for tensor in tensors if limit is not None else ():
            tensor[...] = dense.clipped(tensor, np.float32(limit))

    # arithmetic, which a certificate does on intervals (codegen.reference.bounded)

    def affine(self, layer: int, b: F32, x: F32) -> F32:
        """x W + b of a layer's weights, `dense.forward`."""
        return dense.forward(self.state[f"W{layer}"], b, x)

    def backward(self, name: str, d: F32) -> F32:
        """d back through the state tensor `name`, `dense.backward`."""
        return dense.backward(self.state[name], d)

    def project(self, matrix: F32, e: F32) -> F32:
        """e through a matrix, `dense.feedback`."""
        return dense.feedback(matrix, e)

    def dot(self, x: F32, y: F32) -> np.float32:
        """`dot16`."""
        return np.float32(dot16(x, y))

    def numbers(self, name: str, values: Sequence[np.float32]) -> F32:
        """Numbers as a tensor of the trace; raises `NonFinite`."""
        return self.note(name, np.array(values, np.float32))

    def mean_along(self, along: Sequence[F32], slopes: F32) -> F32:
        """sum over k of fl(slope_k / K) u_k from +0 on, one fma each."""
        k, found = np.float32(len(along)), np.zeros_like(along[0])
        for u, jvp in zip(along, slopes, strict=True):
            found = fma(jvp / k, u, found)
        return found

    def drawn(self, k: int, layer: int, rows: int, n: int) -> F32:
        """Rows of direction k of this step for a layer, [rows, n]."""
        parameters = self.rule.parameters
        draw = DISTRIBUTIONS[str(parameters["perturbation"])]
        number = self.step_number * int(parameters["k"]) + k
        return draw(direction(self.seed, number), layer, rows, n)

    def derivative(self, layer: int, v: F32, t: F32 | None) -> F32:
        """Of a layer's pre-activations where its input moves along t, its weights
        and biases along v (`perturbation.slope`)."""
        return slope(self.state[f"W{layer}"], v, self.input_of(layer), t)

    def move(self, layer: int, c: np.float32, v: F32) -> None:
        """A layer's weights and biases along v, by c: one fma each."""
        w, b = self.state[f"W{layer}"], self.state[f"b{layer}"]
        w[...] = fma(c, v[:-1], w)
        b[...] = fma(c, v[-1], b)

    def finish(self, layer: int) -> None:
        """After a layer has moved: count, and keep it within its limits."""
        w, b = self.state[f"W{layer}"], self.state[f"b{layer}"]
        self.changed[layer] = w.size
        self.clip(w, b)

    def learn_readout(self, layer: int, e: F32, eta: np.float32) -> None:
        """A read-out's own rank-1 update, without biases."""
        readout = self.state[f"R{layer}"]
        dense.update(readout, None, self.trace[f"h{layer}"], e, eta)
        self.clip(readout)

    def judged(self, name: str, a: F32, label: int) -> F32:
        """The error of a hidden layer's read-out, from its pre-activations; both
        enter the trace as p and e of that `name`."""
        found = self.output.judged(self.note(f"p{name}", a), label)
        self.trace[f"p{name}"] = found.p
        return self.note(f"e{name}", self.tempered(found.e))

    def note(self, name: str, tensor: F32) -> F32:
        """Enter a tensor in the trace; raises `NonFinite`."""
        self.trace[name] = tensor
        check_finite(name, tensor)
        return tensor

    def _layer(self, layer: int) -> F32:
        return self.affine(layer, self.state[f"b{layer}"], self.input_of(layer))

    def _gated(self, layer: int, x: F32, d: F32, eta: np.float32) -> int:
        """The update of what passes; returns how many weights that wrote."""
        gate, tau = self.spec.gate, self.state["tau"]
        w, b = self.state[f"W{layer}"], self.state[f"b{layer}"]
        part, whole = gates.update(w, b, x, d, eta, tau[layer - 1], gate)
        if gate.active is not None:
            set_point = np.float32(gate.active)
            tau[layer - 1] = gates.controlled(tau[layer - 1], part, whole, set_point)
        return part * (1 if gate.masked else d.size)

    def _hold_budget(self, signal: int) -> None:
        """The controller of a budget: one signal, one threshold for all layers."""
        tau, budget = self.state["tau"], self.spec.gate.budget
        assert budget is not None
        one = np.float32(1)
        tau[:] = gates.controlled(tau[0], signal, budget, one, _BUDGET_GAIN)

    def _initial(self) -> dict[str, F32]:
        """Weights, then what the rule adds, then thresholds, all within limits."""
        network, gate = self.spec.network, self.spec.gate
        state = initial_state(network, self.seed)
        if hasattr(self._twin, "initial"):
            state |= self._twin.initial(network, self.seed)
        self.clip(*state.values())
        if gate.rows:
            threshold = np.float32(gate.threshold)
            state["tau"] = np.full(len(self.spec.gated), threshold, np.float32)
        return state

    def _input(self, sample: NDArray[np.generic]) -> F32:
        """x = fl(v / scale), or the features of a window."""
        inputs, shape = self.spec.inputs, (self.spec.sample_elements,)
        if sample.shape != shape or sample.dtype != _DTYPES[inputs.dtype]:
            raise ValueError(
                f"sample is {sample.dtype} {sample.shape}: "
                f"expected {inputs.dtype} {shape}"
            )
        if inputs.window is not None:
            return features(sample.astype(np.int16, copy=False), inputs.window)
        return sample.astype(np.float32) / np.float32(inputs.scale)


def check_finite(name: str, tensor: F32) -> None:
    """Raises `NonFinite` if `tensor` holds an infinity or a NaN."""
    if np.count_nonzero(np.isfinite(tensor)) < tensor.size:
        raise NonFinite(name)


def initial_state(network: Network, seed: int) -> dict[str, F32]:
    """Weights uniform within the Glorot limit (He's for hidden relu), biases 0.

    limit = sqrt(6 / (n_in + n_out)), for hidden relu layers sqrt(6 / n_in)
    (Glorot and Bengio 2010, eq. 16; He et al. 2015, eq. 10, as uniform
    distributions), rounded to binary32.
    """
    state: dict[str, F32] = {}
    for layer in range(1, network.depth + 1):
        n_in, n_out = network.shape(layer)
        he = network.activation == "relu" and layer < network.depth
        limit = np.float32(np.sqrt(6.0 / (n_in if he else n_in + n_out)))
        drawn = random.uniform(seed, streams.weights(layer), limit, n_in * n_out)
        state[f"W{layer}"] = drawn.reshape(n_in, n_out)
        state[f"b{layer}"] = np.zeros(n_out, dtype=np.float32)
    return state
