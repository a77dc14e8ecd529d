"""A certificate: what every value of a step stays within, whatever comes.

The twin of a rule is run once more, on a machine whose tensors are intervals. So a
rule needs nothing of its own to be certified (docs/certificate.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from codegen.reference import fronts, goals, integer_bounds, integers
from codegen.reference.integer_bounds import IntegerBounds
from codegen.reference.intervals import (
    LARGEST,
    Entry,
    Interval,
    Intervals,
    Unbounded,
    around,
)
from codegen.reference.learner import Learner
from codegen.reference.machine import Machine
from codegen.spec import Gate, Spec

RANGES: Mapping[str, tuple[float, float]] = {"u8": (0, 255), "i16": (-32768, 32767)}
"""All that a type of inputs can hold."""


@dataclass(frozen=True)
class Certificate:
    """What a step's values stay within, by induction in every step: `entries`, a
    hull over all labels. `failure` is the first operation that has no bound."""

    entries: tuple[Entry, ...]
    failure: Unbounded | None = None


def certify(
    spec: Spec,
    eta: np.float32,
    promised: tuple[float, float] | None = None,
    targets: tuple[float, float] | None = None,
) -> Certificate:
    """The certificate of `spec` with learning rates up to `eta` in magnitude.

    `promised`: bounds of a sample's raw elements, where they are floats; `targets`:
    of a target's elements, where it is a vector.
    """
    if spec.numbers.own:
        return _of_whole_numbers(spec)
    found: dict[tuple[str, str], Entry] = {}
    integer = spec.numbers.integer
    x: Any = admitted(spec, promised) if integer else admissible(spec, promised)
    state = _integer_state(spec) if integer else _state(spec)
    for t in _integer_targets(spec) if integer else _targets(spec, x, targets):
        entries, failure = _step(spec, state, x, t, eta)
        for entry in entries:
            key = entry.tensor, entry.operation
            old = found.get(key, entry)
            lo, hi = min(old.lo, entry.lo), max(old.hi, entry.hi)
            found[key] = Entry(*key, lo, hi)
        if failure is not None:
            return Certificate(tuple(found.values()), failure)
    return Certificate(tuple(found.values()))


def _of_whole_numbers(spec: Spec) -> Certificate:
    """Of a rule that limits its numbers itself, and says to what."""
    learner, entries = Learner(spec), list[Entry]()
    bounds = learner.twin.bounds  # type: ignore[attr-defined]
    for one in bounds(spec, learner.parameters):
        entries.append(Entry(one.tensor, one.made, one.least, one.most))
        if not -one.room <= one.least <= one.most <= one.room:
            most = max(-one.least, one.most)
            why = f"its magnitude may reach {most:,}, and it has room for {one.room:,}"
            return Certificate(tuple(entries), Unbounded(one.tensor, why))
    return Certificate(tuple(entries))


def admissible(spec: Spec, promised: tuple[float, float] | None) -> Interval:
    """x of every sample there can be: all that its type holds, or of floats what is
    `promised`."""
    inputs, n_in = spec.inputs, spec.network.n_in
    if promised is None and not inputs.finite:
        return Interval(-LARGEST, LARGEST, (n_in,))  # the device refuses others
    low, high = promised or RANGES.get(inputs.dtype, (-LARGEST, LARGEST))
    return fronts.of(inputs).bounds(inputs, n_in, low, high)


def _targets(
    spec: Spec, x: Interval, promised: tuple[float, float] | None
) -> Iterator[Interval]:
    """Targets that together stand for every one there can be."""
    n_out = spec.network.n_out
    if spec.goal == "sample":
        yield x
    elif spec.goal == "vector":
        yield Interval(*(promised or (-LARGEST, LARGEST)), (n_out,))
    else:
        for label in range(n_out):
            yield around(goals.one_hot(label, n_out))


@np.errstate(all="ignore")
def _step(
    spec: Spec, state: Mapping[str, Any], x: Any, t: Any, eta: np.float32
) -> tuple[list[Entry], Unbounded | None]:
    """One step from any state within `state`, with any sample in x and any target in
    t: the tensors it has bounded, and where that failed.

    Without its gates of rows: what they leave out stays within its bounds.
    """
    arithmetic: Any = IntegerBounds() if spec.numbers.integer else Intervals()
    free = replace(spec, gate=Gate(error=spec.gate.error))
    machine: Machine[Any] = Machine(free, arithmetic)
    machine.state = dict(state)
    try:
        machine.learn(x, t, eta)
    except Unbounded as unbounded:
        return arithmetic.entries, unbounded
    known = {entry.tensor for entry in arithmetic.entries}
    made = list(arithmetic.entries)
    for name in (name for name in machine.state if name not in known):
        arithmetic.witness(machine.state[name], name, "not changed")
    return made + arithmetic.entries[len(made) :], None


def admitted(spec: Spec, promised: tuple[float, float] | None) -> integer_bounds.Range:
    """x of every sample there can be, in integers."""
    inputs = spec.inputs
    low, high = promised or RANGES.get(inputs.dtype, (0, 1))
    found = integer_bounds.around(integers.input_ends(inputs, low, high))
    return replace(found, shape=(spec.network.n_in,))


def _integer_targets(spec: Spec) -> Iterator[integer_bounds.Range]:
    for label in range(spec.network.n_out):
        one_hot = goals.one_hot(label, spec.network.n_out)
        yield integer_bounds.around(integers.target(one_hot))


def _integer_state(spec: Spec) -> dict[str, integer_bounds.Range]:
    """Every tensor anywhere within its limit, but for what a front carries on."""
    learner = Learner(spec)
    state = {n: t for n, t in learner.state.items() if n not in _carried(learner)}
    return {name: integer_bounds.anywhere(tensor) for name, tensor in state.items()}


def _carried(learner: Learner) -> set[str]:
    """Names of what a front carries on: x has its bounds, whatever that is."""
    return set(learner.carried())


def _state(spec: Spec) -> dict[str, Interval]:
    """Weights and biases, and a rule's own tensors, anywhere within the limit; where
    there is none, as learning starts: what it does is found out. What a rule holds
    itself is anywhere within its own limits."""
    learner, limit = Learner(spec), spec.clip.weights
    others = {"tau"} | _carried(learner)
    first = {name: t for name, t in learner.state.items() if name not in others}
    if limit is None:
        found = {name: around(tensor, 0) for name, tensor in first.items()}
    else:
        most = float(np.float32(limit))
        found = {name: Interval(-most, most, t.shape) for name, t in first.items()}
    return found | {
        name: Interval(float(least), float(most), first[name].shape)
        for name, (least, most) in learner.held().items()
    }
