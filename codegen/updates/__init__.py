"""Updates: what is done with a layer's input and its delta.

An update is a module here, named as in `codegen.spec.UPDATES`, and its numpy twin in
`codegen.reference.updates`.
"""

from __future__ import annotations

from codegen.composer import Composer
from codegen.program import Item, Stage
from codegen.spec import Spec
from codegen.updates import momentum, rank_one
from codegen.updates.base import Update, limit

_UPDATES = {"rank-1": rank_one.UPDATE, "momentum": momentum.UPDATE}


def chosen(spec: Spec) -> Update:
    """The spec's."""
    return _UPDATES[spec.update.name]


def update(c: Composer, n: int) -> tuple[Item, ...]:
    """Layer n learns from its input and its delta, within the limits of its weights."""
    listed = n in c.spec.gated or c.way(n) == "listed"
    return (*chosen(c.spec).change(c, n), *limit(c, n, listed))


def updates(c: Composer, layers: tuple[int, ...]) -> Stage:
    """Those layers, from the last on: when every delta is there."""
    says = f"{chosen(c.spec).says}: only now, when every delta is there"
    body = (item for n in reversed(layers) for item in update(c, n))
    return Stage("update", tuple(body), says=says)


def flush(c: Composer, n: int) -> tuple[Item, ...]:
    """What layer n's update has left pending."""
    return chosen(c.spec).flush(c, n)


def budget(c: Composer) -> tuple[Item, ...]:
    """The controller that holds a step within its budget, where it has one."""
    says = (
        "the controller: what this step has taken moves the threshold, which is one "
        "for all layers"
    )
    held = rank_one.budget(c)
    return (Stage("update", held, says=says),) if held else ()
