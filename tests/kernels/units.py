"""Kernels compiled together: a compiler takes longer to start than for one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from codegen import kernels
from codegen.kernels.imported import IMPORTED

_ELSEWHERE = {row.file for row in kernels.TABLE if row.kernel in IMPORTED}
"""Kernels of imported models, which tests/graph holds against their twin."""
_OWN = re.compile(
    r"^(?:(?:static|HIL_INLINE)\b[^;{]*?(\w+)\(|#define (\w+))", re.MULTILINE
)
"""A function or a macro that no other file of its unit may have too."""


def scalars(rendered: Path) -> list[Path]:
    """The scalar kernels of a folder that has every kernel, but for those that no check
    is for."""
    found = sorted(rendered.glob("*__scalar.c"))
    return [source for source in found if source.name not in _ELSEWHERE]


def units(sources: Iterable[Path], folder: Path) -> list[Path]:
    """Files in `folder` that include all sources, each once: as few files as there can
    be, where two sources of one file have no static name in common."""
    found: list[tuple[list[Path], set[str]]] = []
    for source in sources:
        own = {
            name for pair in _OWN.findall(source.read_text()) for name in pair if name
        }
        unit = next((unit for unit in found if not own & unit[1]), ([], set()))
        if not unit[0]:
            found.append(unit)
        unit[0].append(source)
        unit[1].update(own)
    return [_written(members, folder) for members, _ in found]


def _written(members: list[Path], folder: Path) -> Path:
    unit = folder / f"with_{members[0].name}"
    unit.write_text("".join(f'#include "{one.name}"\n' for one in members))
    return unit
