"""Where the parts of hil lie: in a checkout beside this package, in a wheel below it,
so that an installed hil takes no name but its own (docs/design.md, section 2)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
INSTALLED = PACKAGE / "_rooms"
"""What a wheel has (.ci/wheel.py)."""
HOME = INSTALLED if INSTALLED.is_dir() else PACKAGE.parent
"""The folder of the rooms, of the firmware and of the examples."""
ROOMS = ("targets", "codegen", "emulation")
EXAMPLES = "examples"
MEND = (
    "rename it, run hil from another folder, or install hil from its wheel, which takes "
    "no such names"
)


def strangers() -> dict[str, str]:
    """Rooms of a checkout whose names lead elsewhere, and where to: another package, or
    a folder, of that name comes first. In a wheel no other has their names."""
    if HOME == INSTALLED:
        return {}
    found = {room: _origin(room) for room in ROOMS}
    return {room: at for room, at in found.items() if Path(at) != HOME / room}


def _origin(room: str) -> str:
    """The folder, or the file, that is imported by this name."""
    spec = find_spec(room)
    if spec is None:
        return "nowhere"
    if spec.origin is None:  # a folder without __init__.py
        return str(Path(next(iter(spec.submodule_search_locations or ["?"]))))
    origin = Path(spec.origin).resolve()
    return str(origin.parent if origin.name == "__init__.py" else origin)


def require_own() -> None:
    """Raise `ImportError`, in one sentence, where a room's name leads elsewhere."""
    for room, origin in strangers().items():
        raise ImportError(
            f"{room} is imported from {origin}, not from {HOME}: expected hil's own "
            "package of that name"
        )


def found(path: Path) -> Path:
    """A path; one below examples/ that is not there is that of the examples that come
    with hil."""
    known = path.parts[:1] == (EXAMPLES,) and not path.exists()
    return HOME / path if known and (HOME / path).exists() else path
