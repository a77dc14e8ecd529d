"""The example of a package (codegen.rendering.package): its samples in numpy, and the
digest that must come of them. The C is codegen/templates/packages/parts/learn.j2."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import median_low

import numpy as np

from codegen.reference.goals import Given
from codegen.reference.learner import Learner, NonFinite
from codegen.rendering.package import Example
from codegen.reservoir import Reservoir
from codegen.scaler import Scaler
from codegen.spec import Spec
from hil.errors import UsageError

STEPS = 200
KINDS = 4
"""Kinds of samples where they have no labels."""
WINDOW_FULL = 1000.0
"""A level of 255 in a window, whose readings have no scale."""
_MOST = {"u8": 255, "i16": 32767}
_DTYPES = {"u8": np.uint8, "i16": np.int16, "f32": np.float32}


def kinds(spec: Spec) -> int:
    """Kinds of samples: one for each label."""
    return spec.network.n_out if spec.goal == "label" else KINDS


def full(spec: Spec) -> float:
    """What a level of 255 becomes: where the network sees 1, as far as an element of a
    sample can hold that."""
    inputs = spec.inputs
    if inputs.window is not None:
        return WINDOW_FULL
    if inputs.frozen is not None:
        return float(_MOST.get(inputs.dtype, inputs.scale))
    scale = inputs.scale if inputs.scaler is None else _reach(inputs.scaler)
    if isinstance(inputs.front, Reservoir):
        scale = median_low(
            abs(offset) + divisor for offset, divisor in inputs.front.scaling
        )
    if inputs.dtype == "f32":
        return scale
    return float(np.clip(np.floor(scale), 1, _MOST[inputs.dtype]))


def _reach(scaler: Scaler) -> float:
    """What half of the elements reach, so that most of them tell kinds apart."""
    pairs = zip(scaler.offsets, scaler.divisors, strict=True)
    return median_low(abs(offset) + divisor for offset, divisor in pairs)


def samples(spec: Spec, count: int) -> Iterator[tuple[np.ndarray, int]]:
    """The first samples [elements] of the sensor's stub, each with its kind."""
    elements, noise = np.arange(spec.sample_elements), 1
    for t in range(count):
        kind = t % kinds(spec)
        drawn = np.empty(len(elements), np.uint32)
        for i in elements:
            noise = (noise * 1664525 + 1013904223) % 2**32
            drawn[i] = noise >> 26
        level = drawn + 192 * (elements % kinds(spec) == kind).astype(np.uint32)
        yield _sample(spec, level), kind


def _sample(spec: Spec, level: np.ndarray) -> np.ndarray:
    """Levels of 0 to 255 in the units of a sample."""
    dtype = _DTYPES[spec.inputs.dtype]
    if dtype == np.float32:
        return level.astype(dtype) * np.float32(full(spec) / 256)
    return (level * np.uint32(full(spec)) // np.uint32(255)).astype(dtype)


def given(spec: Spec, kind: int) -> Given:
    """What a step is told beside a sample of that kind."""
    if spec.goal == "label":
        return kind
    if spec.goal == "sample":
        return None
    return (np.arange(spec.network.n_out) % kinds(spec) == kind).astype(np.float32)


def example(spec: Spec, eta: float, coarse: bool = False) -> Example:
    """The example, learned by the reference; at the power of two next to `eta` where
    floats may be `coarse`.

    Raises `UsageError` where its values grow out of bounds, and for samples that are
    spikes in time.
    """
    if spec.inputs.raster is not None:
        raise UsageError(
            f"a package's example makes levels of a sensor, but a sample is {spec.inputs}: "
            "expected samples of numbers",
            "hil build without --package writes the library alone",
        )
    learner = Learner(spec)
    eta = 2.0 ** round(math.log2(eta)) if coarse else eta
    try:
        for sample, kind in samples(spec, STEPS):
            learner.step(sample, given(spec, kind), np.float32(eta))
    except NonFinite as error:
        raise UsageError(
            f"the example of a package learns at rate {eta:g}, and then {error}",
            "a smaller --lr is one that it can learn at",
        ) from error
    return Example(
        spec.seed, STEPS, kinds(spec), eta, full(spec), learner.digest()
    )  # fmt: skip
