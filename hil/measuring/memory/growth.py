"""How what each rule needs grows with depth, width, K and batch.

Depth L (hidden layers), width n and K are counted: plans of a family of networks
are made, and the order is read off their bytes by finite differences. The kit
learns one sample at a time, so the batch is modelled: what is kept past its
layer's forward, times B.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil

from codegen import rules
from codegen.planning.plan import plan
from codegen.planning.planned import Choice, Plan
from codegen.spec import Inputs, RuleChoice, Spec
from hil.errors import SpecError
from hil.lesson.lesson import Lesson
from hil.measuring.memory.rows import (
    INFERENCE,
    Network,
    inference,
    learning,
    lesson_for,
)
from targets import Target

INPUTS = 16
DEPTHS, WIDTHS = (4, 8, 12, 16), (256, 512, 768, 1024)
KS = (256, 512, 768, 1024)
"""So many that they fill what is left free between other tensors."""
SMALL = 0.02
"""A difference below this share of the next lower one is rounding."""
CLASSES = ("const", "state", "scratch", "tape")
SHARE = 0.1
"""Of the state: where a tape begins to matter."""


@dataclass(frozen=True)
class Growth:
    """Of one rule: an order in L and n for each class, "0" where there is nothing;
    the order in K, None without such a parameter; and the counted bytes."""

    rule: str
    orders: Mapping[str, str]
    k: Mapping[str, str] | None
    depths: Mapping[int, Mapping[str, int]]
    widths: Mapping[int, Mapping[str, int]]


def degree(values: Sequence[int]) -> int:
    """Degree of the polynomial through equally spaced `values`, 3 at most."""
    largest = max(abs(value) for value in values)
    for found in range(3):
        values = [b - a for a, b in itertools.pairwise(values)]
        if not values or max(abs(value) for value in values) <= SMALL * largest:
            return found
        largest = max(abs(value) for value in values)
    return 3


def _power(letter: str, exponent: int) -> str:
    return {0: "", 1: letter, 2: f"{letter}²", 3: f"{letter}³"}[exponent]


def order(depths: Sequence[int], widths: Sequence[int], far: Sequence[int]) -> str:
    """The order in L and n, such as "L n²", "n" or "L n + n²", from the bytes at each
    depth (least width), and at each width (least depth, and largest: `far`)."""
    if not any((*depths, *widths)):
        return "0"
    deep, wide = _power("L", degree(depths)), degree(widths)
    if not deep:
        return _power("n", wide) or "1"
    # what more layers add, width by width
    added = degree([b - a for a, b in zip(widths, far, strict=True)])
    product = f"{deep} {_power('n', added)}".strip()
    return product if added >= wide else f"{product} + {_power('n', wide)}"


def _roomy(target: Target) -> Target:
    """The target with as much RAM as it takes: only bytes are asked for."""
    assert target.memory is not None
    return replace(target, memory=replace(target.memory, ram=1 << 48))


def growths(lesson: Lesson) -> list[Growth]:
    """Of inference and every rule that takes the family, dense layers, the
    outputs and functions of the lesson's network."""
    found = [_growth(INFERENCE, lesson, lesson.experiment.rule, inference)]
    for name in rules.names():
        try:
            found.append(_growth(name, lesson, name, learning))
        except SpecError:
            continue
    return found


def _growth(
    name: str, lesson: Lesson, rule: str, count: Callable[[Plan], Network]
) -> Growth:
    asked = lesson_for(lesson, rule)

    @cache
    def bytes_of(depth: int, width: int) -> dict[str, int]:
        return _bytes(asked, asked.spec, (depth, width), count)

    depths = {depth: bytes_of(depth, WIDTHS[0]) for depth in DEPTHS}
    widths = {width: bytes_of(DEPTHS[0], width) for width in WIDTHS}
    far = {width: bytes_of(DEPTHS[-1], width) for width in WIDTHS}
    orders = {
        kind: order(
            [depths[depth][kind] for depth in DEPTHS],
            [widths[width][kind] for width in WIDTHS],
            [far[width][kind] for width in WIDTHS],
        )
        for kind in CLASSES
    }
    several = None if name == INFERENCE else _in_k(asked, count)
    return Growth(name, orders, several, depths, widths)


def _in_k(asked: Lesson, count: Callable[[Plan], Network]) -> dict[str, str] | None:
    """The order in the rule's parameter k, if it has one."""
    chosen = asked.spec.rule
    known = {p.name.lower(): p.name for p in rules.declaration(chosen.name).parameters}
    if "k" not in known:
        return None
    found = []
    for k in KS:
        parameters = {**chosen.parameters, known["k"]: k}
        spec = replace(asked.spec, rule=RuleChoice(chosen.name, parameters))
        found.append(_bytes(asked, spec, (DEPTHS[0], WIDTHS[0]), count))
    values = {kind: [entry[kind] for entry in found] for kind in CLASSES}
    return {
        kind: (_power("K", degree(counts)) or "1") if any(counts) else "0"
        for kind, counts in values.items()
    }


def _bytes(
    asked: Lesson, spec: Spec, size: tuple[int, int], count: Callable[[Plan], Network]
) -> dict[str, int]:
    depth, width = size
    widths = (INPUTS, *[width] * depth, spec.network.n_out)
    made = plan(
        replace(
            spec,
            network=replace(spec.network, layers=widths),
            inputs=Inputs() if spec.inputs.fixed else spec.inputs,
        ),
        _roomy(asked.target) if asked.target.memory else asked.target,
        vlen=asked.vlen or None,
        choice=Choice(dict.fromkeys(range(1, depth + 2), "dense")),
    )
    found = count(made)
    return {kind: getattr(found, kind) for kind in CLASSES}


def batch(network: Network, size: int) -> int:
    """Bytes of tape at batches of `size` samples, modelled."""
    return size * network.tape


def batch_that_matters(network: Network) -> int | None:
    """The least batch at which the tape would be a tenth of the state; None where
    there is no tape."""
    return ceil(SHARE * network.state / network.tape) if network.tape else None
