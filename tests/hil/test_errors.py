"""The exception tree: what is drawn is what there is."""

from __future__ import annotations

import re

import hil.errors
from hil.errors import HilError


def every() -> list[type[HilError]]:
    found = (getattr(hil.errors, name) for name in hil.errors.__all__)
    return [cls for cls in found if issubclass(cls, HilError)]


def test_the_diagram_names_every_error_with_its_exit_code() -> None:
    drawn = dict(re.findall(r"(\w+)\s+(\d+)   ", hil.errors.__doc__ or ""))
    assert drawn == {cls.__name__: str(cls.exit_code) for cls in every()}


def test_only_our_own_errors_are_subclasses_of_the_root() -> None:
    def below(cls: type[HilError]) -> set[type[HilError]]:
        return {cls}.union(*(below(sub) for sub in cls.__subclasses__()))

    assert below(HilError) == set(every())
