"""Dense layers as another program trained them, and the state of ours that they are."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hil.errors import DataError

if TYPE_CHECKING:
    from codegen.spec import Spec

FLOATS = ("float16", "float32", "float64")
"""What an element may be; float64 is rounded to the nearest float32."""


@dataclass(frozen=True)
class Layer:
    """Weights [inputs, outputs] and biases [outputs] of any floats; `name` of the
    weights in their file."""

    name: str
    weights: np.ndarray
    biases: np.ndarray


@dataclass(frozen=True)
class Dense:
    """Layers from input to output; the activation of every hidden one, and of the last
    (None: the file does not say)."""

    origin: str
    layers: tuple[Layer, ...]
    activation: str | None = None
    output: str | None = None

    @property
    def widths(self) -> tuple[int, ...]:
        """Of the network, from input to output."""
        return (
            self.layers[0].weights.shape[0],
            *(layer.weights.shape[1] for layer in self.layers),
        )

    def __str__(self) -> str:
        """As the flags that ask for such a network."""
        said = {"activation": self.activation, "output": self.output}
        flags = (f"--{name} {value}" for name, value in said.items() if value)
        return " ".join((f"--network {'-'.join(map(str, self.widths))}", *flags))


def dense(
    origin: str,
    layers: Sequence[Layer],
    activation: str | None = None,
    output: str | None = None,
) -> Dense:
    """The same, when these are layers that follow each other. Raises `DataError`."""
    if not layers:
        raise DataError(f"{origin} holds no dense layer")
    for layer in layers:
        _require_layer(origin, layer)
    for one, other in itertools.pairwise(layers):
        if one.weights.shape[1] != other.weights.shape[0]:
            raise DataError(
                f"{origin}: {one.name} gives {one.weights.shape[1]} outputs, but "
                f"{other.name} has {other.weights.shape[0]} inputs"
            )
    return Dense(origin, tuple(layers), activation if len(layers) > 1 else None, output)


def _require_layer(origin: str, layer: Layer) -> None:
    weights, biases = layer.weights, layer.biases
    for what, array in (("weights", weights), ("biases", biases)):
        if str(array.dtype) not in FLOATS:
            raise DataError(
                f"{origin}: {layer.name} has {what} of {array.dtype}: expected one of "
                f"{', '.join(FLOATS)}"
            )
    if weights.ndim != 2 or 0 in weights.shape or biases.shape != weights.shape[1:]:
        raise DataError(
            f"{origin}: {layer.name} has weights {list(weights.shape)} and biases "
            f"{list(biases.shape)}, as [inputs, outputs]: expected a dense layer"
        )


def state(found: Dense, spec: Spec) -> dict[str, np.ndarray]:
    """The state that a network of `spec` starts from: these weights, and of what the
    rule learns besides, the first values. Raises `DataError` for another network."""
    found = _with_two_outputs(found, spec)
    network = spec.network
    says = {"activation": (found.activation, network.activation),
            "output": (found.output, network.output)}  # fmt: skip
    unlike = any(theirs not in (None, ours) for theirs, ours in says.values())
    if found.widths != network.layers or unlike:
        raise DataError(
            f"{found.origin} is a network {_told(found)}: expected "
            f"{network}, {network.activation}, {network.output}",
            f"{found} asks for the file's own",
        )
    return {**_first(spec, found.origin), **_weights(found)}


def _told(found: Dense) -> str:
    widths = "-".join(map(str, found.widths))
    return ", ".join(filter(None, (widths, found.activation, found.output)))


def _first(spec: Spec, origin: str) -> dict[str, Any]:
    """The first values of a network's state."""
    from codegen.reference import Learner

    if spec.numbers.integer:
        raise DataError(
            f"{origin} holds floats, but the weights of format {spec.numbers.name} are "
            "integers",
            "--format f32 takes floats",
        )
    return Learner(spec).state


def _weights(found: Dense) -> dict[str, np.ndarray]:
    named = {}
    for number, layer in enumerate(found.layers, start=1):
        named[f"W{number}"] = _rounded(found.origin, layer.name, layer.weights)
        named[f"b{number}"] = _rounded(found.origin, layer.name, layer.biases)
    return named


def _rounded(origin: str, name: str, array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        made = np.ascontiguousarray(array, np.float32)
    if not np.isfinite(made).all():
        raise DataError(f"{origin}: {name} holds values that are not finite in float32")
    return made


def _with_two_outputs(found: Dense, spec: Spec) -> Dense:
    """Of one logistic output z, which tells two classes apart, the two that say the
    same: -z and z, or of a softmax, which sees their difference, -z / 2 and z / 2."""
    asked = spec.network
    apart: dict[str, float] = {"sigmoid": 1, "softmax": 0.5}
    if not (
        found.output == "sigmoid"
        and found.widths[-1] == 1
        and asked.n_out == 2
        and asked.output in apart
    ):
        return found
    *others, last = found.layers
    factor = apart[asked.output]
    factors = np.array([-factor, factor], last.weights.dtype)
    made = Layer(last.name, last.weights * factors, last.biases * factors)
    return Dense(found.origin, (*others, made), found.activation, asked.output)
