"""What is right without learning: guesses about the labels of a stream, as they come."""

from __future__ import annotations

from collections.abc import Mapping

NAMES = ("majority", "same_as_last")
"""The guesses, in the order in which a record and a line have them."""


class Baselines:
    """Two guesses about each label, made before it comes: the label that came most often
    so far (the smallest of several), and the one that came last. They know nothing of
    what comes later. About the first label there is no guess, and that is not right, so
    that a guess and a device are judged by the same samples."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self._most: int | None = None
        self._last: int | None = None

    def take(self, label: int) -> tuple[bool, bool]:
        """The next label: whether each guess about it was right."""
        right = label == self._most, label == self._last
        count = self._counts[label] = self._counts.get(label, 0) + 1
        most = self._most
        if most is None or (count, -label) > (self._counts[most], -most):
            self._most = label
        self._last = label
        return right


def told(shares: Mapping[str, float | None] | None) -> str:
    """The guesses' shares beside an accuracy, for people; empty where there are none."""
    known = {name: (shares or {}).get(name) for name in NAMES}
    parts = [
        f"{name.replace('_', ' ')} {share:.1%}"
        for name, share in known.items()
        if share is not None
    ]
    return f" ({', '.join(parts)})" if parts else ""
