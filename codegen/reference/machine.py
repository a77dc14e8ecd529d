"""The machine that a rule's twin drives: a state, a trace, and one step after another.

It says what the tensors of a step are called, which must be finite, and where limits
apply. How a tensor is computed it leaves to its arithmetic, so that a certificate
drives the same machine on intervals (docs/arithmetic.md, section 6).
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Generic, Protocol

import numpy as np

from codegen.reference import fronts, updates
from codegen.reference.layers import dense
from codegen.reference.operations import Arithmetic, Judged, T
from codegen.rules import get as rule_of
from codegen.rules import require as require_suited
from codegen.spec import Spec


class Twin(Protocol):
    """A module of codegen.reference.rules. It may also have `initial(network,
    draw, parameters)`, the first values of the state that it adds to the weights, and
    `learning(network)`, the layers that it updates, where those are not all; or
    `state(network, seed, parameters)`, all of the state, where that is not weights and
    biases of every layer;
    `held(network, parameters)`, the limits of state that it holds itself, by name, and of a rule in whole numbers of its own `bounds(spec, parameters)`, what a step from there stays within; `feedforward(network)` and `promises(machine, trace)`, what
    `codegen.reference.health` asks for; and of a rule that owns its way to an answer
    `look(machine, x)`, which gives what the outputs are made of."""

    def step(self, machine: Machine[Any], x: Any, t: Any, eta: np.float32) -> None: ...


class Machine(Generic[T]):
    """A network in training, in one arithmetic.

    `state` are the tensors a step changes, by name, in the order of the digest;
    `trace` the intermediates of the last step or inference: "x", "h1", ..., "p", and
    of a step "e", "d1", ...; `loss` is the last step's; `changed` tells of each
    layer that the last step has updated how many of its weights it wrote;
    `step_number` is that of the next step. Layers are counted from 1.
    """

    def __init__(
        self, spec: Spec, arithmetic: Arithmetic[T], seed: int | None = None
    ) -> None:
        """Without a state: whoever makes a machine fills it.

        Raises `SpecError` for a rule or a parameter that does not exist, and a gate
        that makes no sense with the rule.
        """
        self.spec = spec
        self.arithmetic = arithmetic
        self.seed = spec.seed if seed is None else seed
        rule = rule_of(spec.rule)
        require_suited(rule, spec)
        self.parameters: Mapping[str, str | float] = rule.parameters
        self.twin: Twin = importlib.import_module(f".rules.{rule.module}", __package__)
        self.state: dict[str, T] = {}
        self.trace: dict[str, T] = {}
        self.changed: dict[int, int] = {}
        self.loss = np.float32(0)
        self.step_number = 0

    @property
    def depth(self) -> int:
        """Number of weight layers."""
        return self.spec.network.depth

    def learn(self, x: T, t: T, eta: np.float32) -> None:
        """One step of the rule from the network's input and its target."""
        self.changed = {}
        self.twin.step(self, x, t, eta)

    def look(self, x: T) -> T:
        """What outputs are made of, as an inference comes to it: pre-activations of the
        output layer after one forward pass, unless the rule says otherwise."""
        if hasattr(self.twin, "look"):
            found: T = self.twin.look(self, x)
            return found
        return self.forward(x)

    # what enters the trace

    def name(self, name: str, tensor: T, made: str) -> None:
        """Enter a tensor that need not be finite, or is looked at under another name."""
        self.trace[name] = tensor
        self.arithmetic.witness(tensor, name, made)

    def note(self, name: str, tensor: T, made: str) -> T:
        """Enter a tensor that `made` has made; raises `NonFinite`."""
        self.trace[name] = tensor
        self.arithmetic.witness(tensor, name, made, name)
        return tensor

    def begin(self, x: T) -> None:
        """A new trace, which x enters."""
        self.trace = {"x": x}
        inputs = self.spec.inputs
        fault = "" if inputs.finite else "x"
        self.arithmetic.witness(x, "x", fronts.of(inputs).MADE, fault)

    def forward(self, x: T) -> T:
        """Pre-activations of the output layer; x and the h1, ... enter the trace."""
        self.begin(x)
        for layer in range(1, self.depth):
            self.hidden(layer)
        return self.top()

    def hidden(self, layer: int) -> T:
        """h of one hidden layer, from its input in the trace."""
        return self.activated(layer, self.driven(layer))

    def driven(self, layer: int) -> T:
        """Pre-activations of a layer, from its input in the trace."""
        return self.affine(layer, self.state[f"b{layer}"], self.input_of(layer))

    def activated(self, layer: int, a: T) -> T:
        """h of one hidden layer, entered in the trace, from its pre-activations."""
        name, kind = f"h{layer}", self.spec.network.activation
        self.arithmetic.witness(a, f"a{layer}", "forward", name)
        self.trace[name] = self.arithmetic.value(kind, a)
        self.arithmetic.witness(self.trace[name], name, kind)
        return self.trace[name]

    def top(self) -> T:
        """Pre-activations of the output layer, from its input in the trace."""
        a = self.trace["p"] = self.driven(self.depth)
        self.arithmetic.witness(a, f"a{self.depth}", "forward", "p")
        return a

    def judge(self, a: T, t: T) -> None:
        """Outputs, error and loss from the output layer's pre-activations."""
        self.loss = self._judged("p", "e", a, t).loss

    def judge_again(self, name: str, a: T, t: T) -> None:
        """The error of the outputs once more, of other pre-activations, which enter the
        trace as `name`; the step's outputs and its loss stay."""
        self.trace[name] = a
        self.arithmetic.witness(a, name, "forward", name)
        self._judged(name, "e", a, t)

    def judge_readout(self, layer: int, a: T, t: T) -> T:
        """The error of a hidden layer's read-out, from its pre-activations; both
        enter the trace as p and e of that layer."""
        self.trace[f"p{layer}"] = a
        self.arithmetic.witness(a, f"r{layer}", "read-out", f"p{layer}")
        self._judged(f"p{layer}", f"e{layer}", a, t)
        return self.trace[f"e{layer}"]

    def _judged(self, p: str, e: str, a: T, t: T) -> Judged[T]:
        """Outputs and error, entered in the trace by these names."""
        kind = self.spec.network.output
        if self.spec.goal == "vector":  # what is not finite in t, is so in e
            self.arithmetic.witness(t, "target", "as given", e)
        judged = self.arithmetic.judged(kind, a, t)
        self.trace[p] = judged.p
        self.arithmetic.witness(judged.p, p, kind)
        self.note(e, self._tempered(judged.e), "p - t")
        return judged

    def _tempered(self, e: T) -> T:
        """An error within its limit, where it has one."""
        limit = self.spec.clip.error
        return e if limit is None else self.arithmetic.clipped(e, np.float32(limit))

    def delta(self, layer: int, u: T) -> T:
        """The delta of a hidden layer, u * phi', entered in the trace."""
        return self.note(f"d{layer}", self.slope(layer, u), "delta")

    def tangent(self, layer: int, u: T) -> T:
        """How h of a hidden layer moves where its pre-activations move along u:
        u * phi', entered in the trace."""
        return self.note(f"t{layer}", self.slope(layer, u), "tangent")

    # what a rule looks at

    def negligible(self, e: T) -> bool:
        """Whether the error gate lets nothing be learned from `e`."""
        gate = np.float32(self.spec.gate.error)
        return bool(gate > 0) and self.arithmetic.negligible(e, gate)

    def input_of(self, layer: int) -> T:
        """What a layer had as input, from the trace."""
        return self.trace[f"h{layer - 1}" if layer > 1 else "x"]

    def delta_of(self, layer: int) -> T:
        """A layer's delta, from the trace."""
        return self.trace[f"d{layer}" if layer < self.depth else "e"]

    # what it computes

    def slope(self, layer: int, u: T) -> T:
        """u * phi' of a hidden layer, from its h in the trace."""
        h = self.trace[f"h{layer}"]
        return self.arithmetic.slope(self.spec.network.activation, h, u)

    def affine(self, layer: int, b: T, x: T) -> T:
        """x W + b of a layer's weights, `dense.forward`."""
        return dense.forward(self.arithmetic, self.state[f"W{layer}"], b, x)

    def backward(self, name: str, d: T) -> T:
        """d back through the state tensor `name`, `dense.backward`."""
        return dense.backward(self.arithmetic, self.state[name], d)

    def project(self, matrix: T, e: T) -> T:
        """e through a matrix, `dense.feedback`."""
        return dense.feedback(self.arithmetic, matrix, e)

    def derivative(self, layer: int, v: T, t: T | None) -> T:
        """Of a layer's pre-activations where its input moves along t, its weights
        and biases along v (`dense.derivative`)."""
        w, x = self.state[f"W{layer}"], self.input_of(layer)
        return dense.derivative(self.arithmetic, w, v, x, t)

    def drawn(self, k: int, layer: int, rows: int, n: int) -> T:
        """Rows of direction k of this step for a layer, [rows, n]."""
        number = self.step_number * int(self.parameters["k"]) + k
        kind = str(self.parameters["perturbation"])
        return self.arithmetic.drawn(kind, (self.seed, number), layer, (rows, n))

    def jvp(self, name: str, slopes: Sequence[T]) -> T:
        """Derivatives along the directions so far, entered in the trace."""
        return self.note(name, self.arithmetic.stacked(slopes), "derivative")

    # what it changes

    def update(self, eta: np.float32) -> None:
        """Every layer's update from the inputs and deltas in the trace."""
        for layer in range(self.depth, 0, -1):
            self.update_layer(layer, eta)

    def update_layer(self, layer: int, eta: np.float32) -> None:
        """One layer's update, behind its gate and within its limits."""
        updates.of(self.spec, layer)(self, layer, eta)

    def settle(self, name: str, after: T) -> None:
        """A state tensor after an update, within its limit where it has one."""
        limit = self.spec.clip.weights
        self.state[name] = self.arithmetic.settled(
            name, self.state[name], after, None if limit is None else np.float32(limit)
        )
