"""The kinds of package that a library can become (codegen.rendering.package). Apart from
it, because the command line asks for their names alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """Where a kind of package has the header that programs include, and where the
    rest. `told`: whether it can tell the compiler's flags for the library alone; where
    it cannot, the C asks for its arithmetic by pragmas. `coarse`: whether who calls it
    may have floats of fewer bits, so that an example learns at a power of two."""

    header: str
    sources: str
    told: bool = True
    coarse: bool = False


KINDS = {
    "cmake": Kind("include", "src"),
    "make": Kind("include", "src"),
    "platformio": Kind("include", "src"),
    "arduino": Kind("src", "src", told=False),
    "zephyr": Kind("include", "src"),
    "esp-idf": Kind("include", "src"),
    "micropython": Kind("src", "src", told=False, coarse=True),
}
"""Every kind, by its name: a folder of templates/packages."""
