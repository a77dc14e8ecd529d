"""Errors of planning and building (the whole tree: hil/errors.py)."""

from __future__ import annotations

from codegen.budget import Fit
from targets.errors import HilError


class SpecError(HilError):
    """The network, rule or one of their parameters is not possible."""

    exit_code = 2


class ModelError(HilError):
    """A model file is damaged, or holds what is not supported."""

    exit_code = 2


class BuildError(HilError):
    """The image could not be built."""

    exit_code = 3


class OverBudget(BuildError):
    """The image needs more memory than there is. It is refused before compiling, but
    for its stack, whose need only the compiled code tells. `fit` has the figures;
    None where it is not RAM that is short."""

    def __init__(self, sentence: str, *hints: str, fit: Fit | None = None) -> None:
        super().__init__(sentence, *hints)
        self.fit = fit


class CompilerMissing(BuildError):
    """The toolchain asked for is not on this machine."""


class ReferenceUnsound(HilError):
    """This process does not compute as the reference needs it: nothing it says counts,
    so nothing can be compared."""

    exit_code = 1
