"""What a spec says of a front that does more than divide by a scale.

Windows, scalers and whatever else makes features of a sample declare themselves so:
the spec, plans and data ask a declaration, and know nothing of its kind. Most compute
floats and begin anew with every sample.
"""

from __future__ import annotations

from typing import Protocol


class Front(Protocol):
    """A frozen dataclass of plain values: what it says is part of a checkpoint's
    identity."""

    @property
    def made_by(self) -> str:
        """The module of `codegen.fronts`, and of `codegen.reference.fronts`."""

    @property
    def elements(self) -> int:
        """Elements of a sample as it travels."""

    @property
    def features(self) -> int:
        """What the network sees of it."""

    @property
    def integer(self) -> bool:
        """Whether it computes the input of a network of integers without a float on the
        way."""
        return False

    @property
    def carries(self) -> bool:
        """Whether it has a state that goes on from step to step."""
        return False

    @property
    def moments(self) -> bool:
        """Whether a sample is a moment, so that each comes once, and in its order."""
        return False

    @property
    def gives(self) -> str:
        """What it makes of a sample, as the end of a sentence: "a window of 6 axes has
        18 features"."""
