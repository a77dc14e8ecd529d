"""A stream's tasks: stretches of time in which the world stays as it is.

Data with tasks is learned in the order in which it comes, once; after each task the
device is examined in every task's test part (Lopez-Paz and Ranzato 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hil.errors import DataError

NAMES, ENDS, TESTS = ARRAYS = ("task_names", "task_ends", "task_tests")
"""Arrays of an .npz that has tasks."""
MOST = 2**31
"""No sample of a stream has a larger number."""
LONGEST = 100
"""Characters of a task's name at most."""


@dataclass(frozen=True)
class Task:
    """Steps up to `end` (from where the task before ended), and test samples
    `test_first` .. `test_end` - 1, none where these are equal. Two tasks may be
    tested with the same samples, and the last ones may have no samples of their own:
    they are only tested."""

    name: str
    end: int
    test_first: int
    test_end: int


def arrays(tasks: Sequence[Task]) -> dict[str, np.ndarray]:
    """The arrays that say the same in an .npz."""
    return {
        NAMES: np.array([task.name for task in tasks]),
        ENDS: np.array([task.end for task in tasks]),
        TESTS: np.array([(task.test_first, task.test_end) for task in tasks]),
    }


def from_arrays(
    origin: str, found: Mapping[str, np.ndarray], samples: int, tested: int
) -> tuple[Task, ...]:
    """The tasks of data with so many training and test samples; none where it names
    none. Raises `DataError`, `origin` begins its sentence."""
    given = [name for name in ARRAYS if name in found]
    if not given:
        return ()
    if len(given) < len(ARRAYS):
        missing = ", ".join(name for name in ARRAYS if name not in given)
        raise DataError(f"{origin} has {', '.join(given)}, but not {missing}")
    names, ends, tests = (found[name] for name in ARRAYS)
    count = len(names) if names.ndim == 1 else 0
    if not count or names.dtype.kind != "U" or len(set(names.tolist())) < count:
        raise DataError(f"{origin}: {NAMES} is no list of texts that differ")
    if ends.shape != (count,) or ends.dtype.kind not in "iu":
        raise DataError(f"{origin}: {ENDS} is no list of {count} integers")
    if tests.shape != (count, 2) or tests.dtype.kind not in "iu":
        raise DataError(f"{origin}: {TESTS} is no list of {count} pairs of integers")
    if not all(name.isprintable() and len(name) <= LONGEST for name in names.tolist()):
        raise DataError(
            f"{origin}: {NAMES} has a name that is longer than {LONGEST} characters, or "
            "does not stand in one line"
        )
    if any(values.min() < 0 or values.max() > MOST for values in (ends, tests)):
        raise DataError(f"{origin}: {ENDS} and {TESTS} are expected from 0 to {MOST:,}")
    in_file = ends[: 1 + int(np.argmax(ends == samples))]
    if not np.all(np.diff(in_file, prepend=0) > 0) or not np.all(
        ends[len(in_file) - 1 :] == samples
    ):
        raise DataError(
            f"{origin}: {ENDS} is {ends.tolist()}: expected ascending numbers up to "
            f"{samples}, the samples there are"
        )
    first, end = tests[:, 0], tests[:, 1]
    if not np.all((first >= 0) & (first <= end) & (end <= tested)):
        raise DataError(
            f"{origin}: {TESTS} is {tests.tolist()}: expected ranges within the {tested} "
            "test samples"
        )
    return tuple(
        Task(str(name), int(stop), int(a), int(b))
        for name, stop, (a, b) in zip(names, ends, tests, strict=True)
    )
