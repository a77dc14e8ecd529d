"""Demonstrations: a stream, the devices that meet it, and the outcome.

A demo is a TOML file and, beside it, a Python file of the same name with two or
three functions (docs/demos.md); those that ship are in `gallery`.
"""

from hil.demo.arm import Arm
from hil.demo.checking import check
from hil.demo.file import Demo, find, load, shipped
from hil.demo.recomputed import again
from hil.demo.running import Outcome, run
from hil.demo.stream import Part, Stream

__all__ = [  # noqa: RUF022 (by importance)
    "Part", "Stream", "Arm", "run", "again", "check", "find", "load", "shipped", "Demo",
    "Outcome",
]  # fmt: skip
