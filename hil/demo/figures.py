"""A demo's own figures, and the sentence that tells its outcome."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from hil.demo.arm import Arm
from hil.demo.file import Demo
from hil.demo.page import blamed, kind
from hil.demo.stream import Stream
from hil.errors import UsageError, did_you_mean
from hil.experiment import shown

Figures = dict[str, float | None]


def of(
    demo: Demo,
    module: ModuleType,
    arms: Mapping[str, Arm],
    streams: Mapping[str, Stream],
) -> tuple[Figures, str]:
    """The figures in the order of [metrics], and the verdict. Raises `UsageError`."""
    with blamed(demo.page):
        given = module.metrics(arms, streams)
    if not isinstance(given, Mapping):
        raise UsageError(
            f"demo {demo.name!r}: the function metrics gives {kind(given)}: expected the "
            "figures by name"
        )
    _require_names(demo, given)
    found = {name: _figure(demo, name, given[name]) for name in demo.metrics}
    with blamed(demo.page):
        verdict = module.verdict(found)
    if not isinstance(verdict, str) or not verdict.strip():
        raise UsageError(
            f"demo {demo.name!r}: the function verdict gives {kind(verdict)}: expected a "
            "sentence"
        )
    return found, verdict


def _require_names(demo: Demo, given: Mapping[Any, Any]) -> None:
    """Raise `UsageError` unless [metrics] says of each figure what it means."""
    told, made = set(demo.metrics), set(map(str, given))
    if apart := sorted(told ^ made):
        raise UsageError(
            f"demo {demo.name!r}: [metrics] and the function metrics do not name the same "
            f"figures: {', '.join(apart)}",
            *(
                hint
                for name in sorted(told - made)
                for hint in did_you_mean(name, made)
            ),
        )


def _figure(demo: Demo, name: str, value: Any) -> float | None:
    """A figure as demo.json can hold it; numpy's are among those of a page."""
    number = getattr(value, "item", lambda: value)()
    if number is None:
        return None
    right = isinstance(number, (int, float)) and not isinstance(number, bool)
    if not right or not math.isfinite(number):
        raise UsageError(
            f"demo {demo.name!r}: figure {name!r} is {shown(value)}, expected a number or "
            "None"
        )
    return number
