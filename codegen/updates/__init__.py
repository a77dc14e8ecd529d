"""Updates: what is done with a layer's input and its delta."""

from __future__ import annotations

from codegen.composer import Composer
from codegen.program import Item, Stage
from codegen.updates import rank_one


def update(c: Composer, n: int) -> tuple[Item, ...]:
    """Layer n learns from its input and its delta."""
    return rank_one.update(c, n)


def updates(c: Composer, layers: tuple[int, ...]) -> Stage:
    """Those layers, from the last on: when every delta is there."""
    says = "W[i][j] -= eta x_i d_j, b_j -= eta d_j: only now, when every delta is there"
    body = (item for n in reversed(layers) for item in update(c, n))
    return Stage("update", tuple(body), says=says)


def flush(c: Composer, n: int) -> tuple[Item, ...]:
    """What layer n's update has left pending."""
    return rank_one.flush(c, n)


def budget(c: Composer) -> tuple[Item, ...]:
    """The controller that holds a step within its budget, where it has one."""
    says = (
        "the controller: what this step has taken moves the threshold, which is one "
        "for all layers"
    )
    held = rank_one.budget(c)
    return (Stage("update", held, says=says),) if held else ()
