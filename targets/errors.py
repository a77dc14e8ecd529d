"""The root of the exception tree (drawn whole in hil/errors.py), the errors of
target descriptors, and that of the host's storage, which every room writes to."""

from __future__ import annotations


class HilError(Exception):
    """Any failure a user can be told about.

    `str(error)` is one sentence that names the culprit and what was expected;
    `hints` say what to do and are shown after it; `exit_code` is what the
    command line ends with (README, "Exit codes").
    """

    exit_code = 1

    def __init__(self, sentence: str, *hints: str) -> None:
        super().__init__(sentence)
        self.hints = hints


class DescriptorError(HilError):
    """A target descriptor, or the choice of a target, is wrong."""

    exit_code = 2


class StorageError(HilError):
    """The host cannot keep what is to be written: a full disk, a file that cannot be
    written, too few descriptors."""

    exit_code = 9
