"""How the figures of a report were obtained: none goes onto the page without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.errors import UsageError
from hil.records.record import KINDS

MEANING = {
    "reference": "computed by numpy, which holds the same bits as the device",
    "counted": "counted exactly: steps, bytes, frames, instructions under icount",
    "modelled": "from a published model of a machine, named beside it",
    "emulated": "from an emulated device; its host time is never a device's speed",
    "measured": "from a board, named beside it",
}


@dataclass(frozen=True)
class Number:
    """A figure and how it was obtained; `text` is how a person reads it.

    Raises `UsageError` without a known kind.
    """

    value: Any
    text: str
    kind: str

    def __post_init__(self) -> None:
        require((self.kind,), f"figure {self.text!r}")


def require(kinds: tuple[str, ...], what: str) -> None:
    """Raise `UsageError` unless there are kinds, all of them known."""
    for kind in kinds or ("",):
        if kind not in KINDS:
            raise UsageError(
                f"{what} has {f'provenance {kind!r}' if kind else 'no provenance'}: "
                f"expected one of {', '.join(KINDS)}"
            )


def kind_of(document: Mapping[str, Any], path: str) -> str:
    """The kind of the figure at the dotted `path` of a record: the longest name in
    its provenance that leads there. Raises `UsageError`."""
    known: Mapping[str, str] = document.get("provenance") or {}
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        kind = known.get(".".join(parts[:length]))
        if kind is not None:
            require((kind,), f"figure {path!r}")
            return kind
    raise UsageError(f"figure {path!r} has no provenance: the report cannot show it")
