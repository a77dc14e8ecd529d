"""What a program gives an open device, made ready to travel, or refused before it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from codegen.reference.goals import Given
from hil.data import labels, taken
from hil.errors import UsageError
from hil.lesson.lesson import Lesson


def array(name: str, given: Any) -> np.ndarray:
    """What is `given` for `name`. Raises `UsageError` for lists within it that differ in
    length."""
    try:
        return np.asarray(given)
    except ValueError:
        raise UsageError(
            f"{name} holds lists of several lengths: expected one"
        ) from None


def rows(lesson: Lesson, x: Any) -> np.ndarray:
    """Samples [n, ...] as they travel, [n, elements]. Raises `UsageError` and `DataError`."""
    values = array("x", x)
    if not values.size:
        raise UsageError(f"x is {list(values.shape)}: expected one sample at least")
    made = taken.samples_of(values, lesson.spec.inputs)
    wanted = lesson.spec.sample_elements
    if made.shape[1] != wanted:
        raise UsageError(
            f"x has {made.shape[1]} numbers a sample, but network "
            f"{lesson.spec.network} takes {wanted}"
        )
    return made


def given(lesson: Lesson, y: Any, count: int) -> list[Given]:
    """What each of `count` samples is learned from: of labels [n] or targets
    [n, outputs], None where the goal is the sample itself. Raises `UsageError`."""
    goal, outputs = lesson.spec.goal, lesson.spec.network.n_out
    if goal == "sample":
        if y is not None:
            raise UsageError("y is given, but goal is 'sample': expected x alone")
        return [None] * count
    if y is None:
        raise UsageError(f"y is missing: goal is {goal!r}")
    values = array("y", y)
    if len(np.atleast_1d(values)) != count:
        raise UsageError(f"x has {count} samples, but y has {len(values)}")
    if goal == "label":
        names = lesson.dataset.labels
        return list(map(int, labels.of(values, names, outputs)))
    return list(_targets(values, count, outputs))


def rate(lesson: Lesson, lr: float | None) -> np.float32:
    """A learning rate, None: the experiment's. Raises `UsageError`."""
    asked = lesson.experiment
    found = asked.lr if lr is None else asked.override({"lr": lr}).lr
    assert found is not None
    return np.float32(found)


def tensor(name: str, value: Any, now: Mapping[str, np.ndarray]) -> np.ndarray:
    """A tensor of the state, in shape and type of the one that is there `now`. Raises
    `UsageError`."""
    if name not in now:
        raise UsageError(
            f"set_weights() has {name!r}: expected " + ", ".join(map(repr, now))
        )
    made, known = array(f"set_weights(): {name}", value), now[name]
    if made.shape != known.shape or made.dtype.kind not in "biuf":
        raise UsageError(
            f"set_weights(): {name} is {made.dtype} {list(made.shape)}, expected "
            f"{known.dtype} {list(known.shape)}"
        )
    with np.errstate(over="ignore"):
        made = made.astype(known.dtype)
    if not np.isfinite(made).all():
        raise UsageError(f"set_weights(): {name} holds non-finite values")
    return made


def _targets(y: np.ndarray, count: int, outputs: int) -> np.ndarray:
    """Targets [n, outputs] as float32."""
    if y.dtype.kind not in "biuf" or y.size != count * outputs:
        raise UsageError(
            f"y is {y.dtype} {list(y.shape)}: expected numbers [{count}, {outputs}]"
        )
    with np.errstate(over="ignore"):
        made = y.astype(np.float32).reshape(count, outputs)
    if not np.isfinite(made).all():
        raise UsageError("y holds values that are not finite binary32 numbers")
    return made
