"""Images of two data sets, in an order that the seed chooses."""

from __future__ import annotations

from collections.abc import Mapping

from hil.data import datasets
from hil.demo import Arm, Part, Stream

LEARNED, TESTED = 2000, 1000
NAMES = ("mnist", "fashion")
RULES = ("dfa", "bp", "inference")


def streams(seed: int) -> dict[str, Stream]:
    """Images of the training parts; the first ones of the test parts test."""
    return {name: _stream(name, seed) for name in NAMES}


def _stream(name: str, seed: int) -> Stream:
    data = datasets.load(name)
    some = datasets.order(seed, 0, len(data.train_x))[:LEARNED]
    tests = data.test_x[:TESTED], data.test_y[:TESTED]
    part = Part(name, data.train_x[some], data.train_y[some], tests)
    return Stream([part], scale=data.inputs.scale)


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies in the tests, after the last image was learned."""
    return {
        f"{name}_{rule}": arms[f"{name}-{rule}"].test(name, after=name)
        for name in NAMES
        for rule in RULES
    }


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    return "; ".join(
        f"after {LEARNED:,} images of {name} DFA is at {metrics[f'{name}_dfa']:.1%}, "
        f"backpropagation at {metrics[f'{name}_bp']:.1%}, and without learning it is "
        f"{metrics[f'{name}_inference']:.1%}"
        for name in NAMES
    )
