"""The forms of a step: what most rules leave to others.

A rule that fits one of these builds the operations of its credit alone. One that
owns its way to an answer builds its program itself, of the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from codegen import fronts, goals
from codegen.composer import Composer
from codegen.layers import dense
from codegen.program import Item, Program, Set, Stage
from codegen.updates import budget, flush, update, updates

Credit: TypeAlias = Callable[[Composer, int], tuple[Item, ...]]
"""What gives hidden layer n its delta."""


def look(c: Composer) -> tuple[Item, ...]:
    """From the sample to the pre-activations of the output layer."""
    layers = (dense.forward(c, n) for n in range(1, c.depth + 1))
    return (*fronts.front(c), *layers)


def program(
    c: Composer, step: Iterable[Item], looked: tuple[Item, ...] | None = None
) -> Program:
    """A step, within what every step begins and ends with. `looked` is the rule's own
    way from a sample to what outputs are made of; None: one forward pass."""
    fused = [n for n in range(1, c.depth + 1) if c.way(n) == "fused"]
    waiting = (item for n in fused for item in flush(c, n))
    return Program(
        look(c) if looked is None else looked, goals.goal(c.spec).outputs(c), (*step, *fronts.after(c), *budget(c)), _before(c), tuple(waiting), (c.sums(c.depth),)
    )  # fmt: skip


def at_the_end(
    c: Composer,
    credit: Credit | None = None,
    first: Iterable[Item] = (),
    layers: Iterable[int] | None = None,
    looked: tuple[Item, ...] | None = None,
    then: Iterable[Item] = (),
) -> Program:
    """Look, judge, give credit to each hidden layer from the top, and only then
    learn: no weight changes before every delta is there.

    `first` comes before the first credit; `layers` learn, by default all; `looked`: as
    in `program`; `then` comes last.
    """
    looked = look(c) if looked is None else looked
    learning = tuple(range(1, c.depth + 1) if layers is None else layers)
    given = (
        Stage("credit", credit(c, n), n) for n in reversed(c.hidden) if credit is not None
    )  # fmt: skip
    return program(
        c,
        (
            *looked, goals.judge(c), *goals.leave_if_negligible(c), *first, *given,
            updates(c, learning), *then,
        ),
        looked,
    )  # fmt: skip


def in_passing(
    c: Composer, turn: Credit, first: Iterable[Item] = (), judged: Iterable[Item] = ()
) -> Program:
    """Each hidden layer learns in its `turn`, as soon as it has been computed; the
    output layer last, by its own error. `first` comes before the first turn; `judged` replaces the output layer's update."""
    passing = (
        item
        for n in c.hidden
        for item in (dense.forward(c, n), Stage("credit", turn(c, n), n))
    )
    last = tuple(judged) or update(c, c.depth)
    return program(
        c,
        (
            *fronts.front(c), *first, *passing, dense.forward(c, c.depth),
            goals.judge(c), Stage("update", last, c.depth),
        ),
    )  # fmt: skip


def _before(c: Composer) -> tuple[Set, ...]:
    """What a step notes before it begins."""
    gate, found = c.spec.gate, list[Set]()
    if gate.budget is not None:
        found.append(Set("const uint32_t started", "(uint32_t)net_counter()"))
    if gate.rows:
        found.append(Set("net->threshold", "s->tau[0]", (c.thresholds(),)))
    return tuple(found)
