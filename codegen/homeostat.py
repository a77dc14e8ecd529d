"""Homeostasis of a front's cells, as a spec says it: what `codegen.homeostasis` does for
rules whose cells spike, for cells whose state would go on from sample to sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from codegen.errors import SpecError
from codegen.parameters import Parameters

LEAST = 2.0**-13
"""Share of the ticks that a cell can be asked for."""


@dataclass(frozen=True)
class Homeostat:
    """Each cell is to spike in the share `homeostasis` of the ticks. Its rate is taken over
    2^`astrocyte` samples; where that is twice what is asked for, a sample moves its
    threshold by the share `follow` of what it is at first. Raises `SpecError`."""

    homeostasis: float
    astrocyte: int = 5
    follow: float = 0.02

    def __post_init__(self) -> None:
        for what, value, least, most in (
            ("homeostasis", self.homeostasis, LEAST, 0.5),
            ("astrocyte", self.astrocyte, 1, 12), ("follow", self.follow, 0.0, 1.0),
        ):  # fmt: skip
            if not least <= value <= most:
                none = "0, or " if what == "homeostasis" else ""
                raise SpecError(
                    f"{what}={value:g} of a front: expected {none}{least:.4g} to {most:g}"
                )

    @property
    def parameters(self) -> Parameters:
        """By the names that parameters of rules have."""
        return {
            "homeostasis": self.homeostasis, "astrocyte": self.astrocyte,
            "gain": self.follow,
        }  # fmt: skip


OF_SAMPLES: Mapping[str, Any] = {"homeostasis": 0.0, "astrocyte": 5, "follow": 0.02}
"""What a user may say of cells that a sample has spike for many ticks."""
OF_TICKS: Mapping[str, Any] = {"homeostasis": 0.0, "astrocyte": 8, "follow": 0.01}
"""And of cells that have a tick a sample."""


def asked(said: Mapping[str, Any], usual: Mapping[str, Any]) -> Homeostat | None:
    """What those of the `usual` options ask for that are `said`, if anything. Raises
    `SpecError`, also for one that would say nothing."""
    options = {**usual, **{name: said[name] for name in usual if name in said}}
    if options["homeostasis"]:
        return Homeostat(**options)
    for name in usual:
        if name in said and name != "homeostasis":
            raise SpecError(
                f"{name}={said[name]:g} of a front without homeostasis, and so it would "
                f"say nothing: expected homeostasis above 0, or no {name}"
            )
    return None
