"""The learner in numpy: what a device must agree with, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.constants import BUDGET_GAIN
from codegen.reference import borders, fronts, gates, goals, integers, random, updates
from codegen.reference.arithmetic import F32
from codegen.reference.digest import Digest, words
from codegen.reference.environment import require_sound
from codegen.reference.faults import NonFinite
from codegen.reference.float32 import FLOAT32
from codegen.reference.layers import dense
from codegen.reference.machine import Machine
from codegen.reference.operations import Limits
from codegen.spec import Network, Spec

__all__ = ["Learner", "NonFinite", "Result"]

_BUDGET_GAIN = np.float32(BUDGET_GAIN)


@dataclass(frozen=True)
class Result:
    """What one step tells: outputs p [n_out] before it, and their loss."""

    p: F32
    loss: np.float32


class Learner(Machine[Any]):
    """A network in training, in the contract's arithmetic (docs/arithmetic.md).

    A machine that computes, with a state from the start: "W1" [n_in, n_out], "b1"
    [n_out], "W2", ..., what the rule adds, and "tau" [gated layers] behind a gate.
    """

    def __init__(self, spec: Spec, seed: int | None = None) -> None:
        """Initial weights from `seed`, by default the spec's.

        A stored feedback matrix is part of the image, so it is drawn from the
        spec's seed always; sign feedback is drawn from `seed` like the weights.
        Raises `SpecError` for a rule or a parameter that does not exist, and
        `ReferenceUnsound` where this process cannot compute it.
        """
        require_sound()
        self._border = borders.of(spec)
        self._carrying = fronts.carrying(spec.inputs)
        super().__init__(spec, self._border.arithmetic, seed)
        self.state = self._initial()
        self._digest = Digest(sum(map(words, self.state.values())))

    @np.errstate(all="ignore")
    def step(
        self,
        sample: NDArray[np.generic],
        target: goals.Given,
        eta: np.float32 | float,
        signal: int = 0,
    ) -> Result:
        """Learn from one raw sample [elements] with learning rate `eta`. `target` is
        a label, a vector f32 [n_out] or None, as the spec's goal is. `signal` is
        what a device's counter told of this step, where a budget is held.

        Raises `NonFinite` before anything has changed (then `trace` shows how far
        the step came), and `ValueError` for a sample or target the network cannot
        have.
        """
        x = self._input(sample)
        t = goals.target(self.spec, x, target)
        self.learn(x, self._border.target(t), np.float32(eta))
        if self._carrying is not None:
            self._carrying.advance(self.spec.inputs, self.state, sample)
        if self.spec.gate.budget is not None and self.changed:
            self._hold_budget(self.spec.gate.budget, signal)
        self.step_number += 1
        self.trace["p"] = self._border.told(self.trace["p"])
        return Result(self.trace["p"], self.loss)

    @np.errstate(all="ignore")
    def infer(self, sample: NDArray[np.generic]) -> F32:
        """Outputs p [n_out] for one raw sample [elements].

        Raises `NonFinite` and `ValueError` as `step` does.
        """
        a = self.look(self._input(sample))
        self.trace["p"] = self._border.outputs(self.spec.network.output, a)
        return self.trace["p"]

    def digest(self) -> int:
        """The 32-bit digest of the state."""
        return self._digest(self.state.values())

    def load(self, state: Mapping[str, NDArray[Any]], step_number: int = 0) -> None:
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
        for name, tensor in self.state.items():
            self.state[name] = np.empty_like(tensor, order="C")
            self.state[name][...] = state[name]
        self.step_number = step_number

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """A copy of the state."""
        return {name: np.array(tensor) for name, tensor in self.state.items()}

    def held(self) -> dict[str, Limits]:
        """Limits of the state that the rule holds itself, by name."""
        fixed = self.spec.numbers.integer and not self.spec.numbers.own
        if fixed or not hasattr(self.twin, "held"):
            return {}  # integers know their own
        found: dict[str, Limits] = self.twin.held(self.spec.network, self.parameters)
        return found

    def _hold_budget(self, budget: int, signal: int) -> None:
        """The controller of a budget: one signal, one threshold for all layers."""
        tau, one = self.state["tau"], np.float32(1)
        tau[:] = gates.controlled(tau[0], signal, budget, one, _BUDGET_GAIN)

    def _initial(self) -> dict[str, Any]:
        """Weights, then what the rule adds, then thresholds."""
        network, gate = self.spec.network, self.spec.gate
        if hasattr(self.twin, "state"):
            found: dict[str, Any] = self.twin.state(network, self.seed, self.parameters)
            return found
        state = _first(network, self._draw)
        if hasattr(self.twin, "initial"):
            state |= self.twin.initial(network, self._draw, self.parameters)
        if gate.rows:
            threshold = np.float32(gate.threshold)
            state["tau"] = np.full(len(self.spec.gated), threshold, np.float32)
        layers = range(1, self.depth + 1)
        if hasattr(self.twin, "learning"):
            layers = self.twin.learning(network)
        state |= updates.initial(self.spec, layers)
        return state | self.carried()

    def carried(self) -> dict[str, Any]:
        """State of the front's that goes on, as it is at first."""
        found = self._carrying
        return found.initial(self.spec.inputs) if found is not None else {}

    def _draw(self, stream: int, limit: float, shape: tuple[int, int]) -> Any:
        """First weights, in the spec's numbers, within its limit."""
        numbers, seed, clip = self.spec.numbers, self.seed, self.spec.clip.weights
        if numbers.integer:
            return integers.drawn(numbers, seed, stream, limit, shape, clip)
        found = random.uniform(seed, stream, np.float32(limit), shape[0] * shape[1])
        if clip is not None:
            found = FLOAT32.clipped(found, np.float32(clip))
        return found.reshape(shape)

    def _input(self, sample: NDArray[np.generic]) -> Any:
        """What the spec's front makes of a sample."""
        inputs, shape = self.spec.inputs, (self.spec.sample_elements,)
        if sample.shape != shape or sample.dtype != np.dtype(inputs.format.dtype):
            raise ValueError(
                f"sample is {sample.dtype} {sample.shape}: "
                f"expected {inputs.dtype} {shape}"
            )
        if self._carrying is not None:
            return self._border.carried(inputs, self.state, sample)
        return self._border.network_input(inputs, sample)


def _first(network: Network, draw: dense.Draw) -> dict[str, Any]:
    """First weights and biases of every layer."""
    state: dict[str, Any] = {}
    for layer in range(1, network.depth + 1):
        drawn = dense.initial(network, layer, draw)
        state[f"W{layer}"], state[f"b{layer}"] = drawn
    return state
