"""Errors of planning and building (the whole tree: hil/errors.py)."""

from __future__ import annotations

from targets.errors import HilError


class SpecError(HilError):
    """The network, rule or one of their parameters is not possible."""

    exit_code = 2


class BuildError(HilError):
    """The image could not be built."""

    exit_code = 3


class OverBudget(BuildError):
    """The plan needs more memory than there is; refused before compiling."""


class CompilerMissing(BuildError):
    """The toolchain asked for is not on this machine."""
