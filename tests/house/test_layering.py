"""The rooms and who may call whom (DESIGN section 2)."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("targets", "codegen", "emulation", "hil")
MAY_IMPORT = {
    "targets": {"targets"},
    "codegen": {"codegen", "targets"},
    "emulation": {"emulation", "targets"},
    "hil": {"hil", "codegen", "emulation", "targets"},
}


def modules(room: str) -> list[Path]:
    """Every Python file of a room."""
    return sorted((ROOT / room).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Top-level names that a file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    assert modules(room)
    for path in modules(room):
        wrong = (set(imported(path)) & set(ROOMS)) - MAY_IMPORT[room]
        assert not wrong, f"{path.relative_to(ROOT)} imports {sorted(wrong)}"


def test_targets_needs_nothing_but_the_standard_library() -> None:
    allowed = set(sys.stdlib_module_names) | {"targets", "tomli"}
    for path in modules("targets"):
        foreign = set(imported(path)) - allowed
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


def parts_of_codegen(path: Path) -> set[str]:
    """What a file takes of codegen: "rules.get" for `from codegen.rules import get`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found |= {n.partition(".")[2] for n in names if n.startswith("codegen.")}
    return found


SHARED = {
    "constants", "delays", "errors", "frozen", "graph", "numbers", "raster", "reference", "reservoir", "spec",
    "streams", "tables", "window",
}  # fmt: skip
"""What the reference may start from (docs/arithmetic.md, section 10)."""
PARAMETERS = {"rules.get", "rules.require"}
"""And of a rule its name and its parameters, checked and with their defaults: the
machine hands them to the twin as values. Nothing of how the device computes."""


def test_the_reference_is_written_from_the_contract_alone() -> None:
    for path in modules("codegen/reference"):
        taken = parts_of_codegen(path)
        if path.name == "machine.py":
            assert taken >= PARAMETERS
            taken -= PARAMETERS
        foreign = {part for part in taken if part.partition(".")[0] not in SHARED}
        assert not foreign, f"{path.relative_to(ROOT)} takes {sorted(foreign)}"


def test_what_runs_on_a_device_takes_nothing_of_the_reference() -> None:
    """Else both sides could be wrong alike, and agree."""
    for path in modules("codegen"):
        if "reference" not in path.parts:
            rooms = {part.partition(".")[0] for part in parts_of_codegen(path)}
            assert "reference" not in rooms, path.relative_to(ROOT)


SHELVES = {
    "hil": {
        "errors": "",
        "checker": "",
        "house": "",
        "interrupts": "",
        "key_rules": "checker",
        "key_values": "checker",
        "keys": "checker key_values",
        "versions": "",
        "output": "errors",
        "documents": "checker errors",
        "experiment": "errors house key_rules key_values keys documents",
        "data": "errors house",
        "models": "errors data",
        "device": "errors documents",
        "flags": "errors key_values keys experiment device",
        "lesson": "errors key_values output documents experiment data models device",
        "desk": "errors experiment device lesson",
        "neurocorex": "errors experiment device desk",
        "records": "errors versions documents device lesson",
        "learning": "errors interrupts key_values output experiment data device lesson desk "
        "records",
        "inferring": "errors versions key_values documents experiment data models device lesson desk records "
        "learning",
        "sklearn": "data learning",
        "testing": "errors experiment device records",
        "pytest_plugin": "errors device lesson desk records learning testing",
        "live": "errors output experiment records learning",
        "sweep": "errors house interrupts key_values keys versions output documents experiment lesson "
        "records learning",
        "measuring": "errors house keys documents experiment data device lesson desk records "
        "learning",
        "reports": "errors versions documents experiment lesson records measuring",
        "claims": "errors lesson learning records",
        "demo": "errors keys documents experiment data device lesson records learning claims "
        "reports",
        "schemas": "checker key_rules keys documents experiment device records sweep demo",
        "verbs": "errors keys versions output documents experiment data models device flags "
        "lesson desk inferring neurocorex records learning live sweep measuring reports claims demo schemas",
        "cli": "errors keys versions output verbs",
        "__main__": "house cli",
        "__init__": "house experiment data device lesson neurocorex records learning pytest_plugin",
    },
    "codegen": {
        "__init__": "",
        "budget": "",
        "cformat": "",
        "constants": "",
        "formats": "",
        "protocol": "",
        "streams": "",
        "tables": "",
        "drawn": "constants",
        "errors": "budget",
        "front": "",
        "parameters": "errors",
        "quotient": "formats",
        "graph": "errors",
        "numbers": "errors formats tables",
        "tensors": "formats",
        "scaler": "errors front",
        "window": "constants errors front scaler",
        "homeostat": "errors parameters",
        "reservoir": "constants errors front homeostat scaler",
        "delays": "errors front homeostat",
        "raster": "errors formats front",
        "kernels": "cformat errors formats",
        "program": "errors formats kernels tensors",
        "lowering": "cformat errors formats graph kernels program tensors",
        "frozen": "errors front graph scaler",
        "spec": "errors formats front frozen numbers raster scaler window",
        "composer": "errors formats numbers spec streams tables tensors",
        "feedback": "composer drawn kernels parameters program spec streams tensors",
        "in_integers": "errors numbers parameters spec",
        "homeostasis": "composer errors formats kernels parameters program tensors",
        "fronts": "composer delays drawn formats frozen homeostasis kernels lowering numbers program quotient "
        "raster reservoir scaler spec streams tables tensors window",
        "layers": "composer fronts kernels program tensors",
        "goals": "cformat composer fronts kernels layers program spec tables tensors",
        "updates": "composer constants kernels layers program spec tensors",
        "perturbation": "cformat composer errors kernels layers numbers parameters program "
        "streams tables tensors",
        "settling": "composer fronts goals kernels layers parameters program tensors",
        "traces": "composer kernels parameters program tensors",
        "phases": "composer parameters program settling traces",
        "spiking": "composer errors fronts homeostasis kernels layers parameters program raster streams "
        "tensors traces",
        "showing": "composer formats fronts kernels parameters program raster spiking streams tensors",
        "forms": "composer fronts goals layers program updates",
        "class_heads": "cformat composer forms goals program tensors",
        "rules": "cformat class_heads composer errors feedback formats forms fronts goals homeostasis in_integers kernels layers "
        "numbers parameters perturbation phases program raster settling showing spec spiking streams tensors traces "
        "updates",
        "reference": "constants delays errors graph numbers raster reservoir rules spec streams "
        "tables window",
        "planning": "budget composer errors formats fronts goals graph kernels layers "
        "lowering program protocol rules spec tensors updates",
        "building": "errors",
        "machine_code": "building errors planning",
        "rendering": "building cformat constants errors formats fronts goals kernels planning "
        "program protocol raster streams tables tensors",
    },
}
"""Of a room, its shelves and the modules that stand on none, each with what it may
touch besides itself: what is listed before it, so that no arrow leads back up."""


def shelf(room: str, path: Path) -> str:
    """The shelf, or the module on none, that a file of a room is."""
    return path.relative_to(ROOT / room).with_suffix("").parts[0]


def touched(room: str, path: Path) -> set[str]:
    """Shelves of its own room that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".")
            names = [[*base, alias.name] for alias in node.names]
        found |= {name[1] for name in names if name[0] == room and len(name) > 1}
    return found


def arrows(room: str) -> dict[str, set[str]]:
    """What each shelf touches besides itself."""
    found: dict[str, set[str]] = {}
    for path in modules(room):
        name = shelf(room, path)
        found.setdefault(name, set()).update(touched(room, path) - {name})
    return found


@pytest.mark.parametrize("room", SHELVES)
def test_a_shelf_touches_what_it_may_and_no_more_is_allowed(room: str) -> None:
    for name, found in arrows(room).items():
        allowed = set(SHELVES[room][name].split())
        more, fewer = sorted(found - allowed), sorted(allowed - found)
        assert not more, f"{room}/{name} touches {more}, which SHELVES does not list"
        assert not fewer, f"{room}/{name} does not touch {fewer}: SHELVES lists them"


@pytest.mark.parametrize("room", SHELVES)
def test_every_module_stands_on_a_shelf_that_is_listed(room: str) -> None:
    assert set(arrows(room)) == set(SHELVES[room])


@pytest.mark.parametrize("room", SHELVES)
def test_no_arrow_between_shelves_leads_back_up(room: str) -> None:
    before: set[str] = set()
    for name, allowed in SHELVES[room].items():
        assert set(allowed.split()) <= before, f"{room}/{name}"
        before.add(name)


@pytest.mark.parametrize("room", SHELVES)
def test_the_map_in_the_documentation_has_every_shelf(room: str) -> None:
    page = (ROOT / "docs" / "design.md").read_text("utf-8")
    rooms = page.partition("### The rooms")[2].partition("\n### ")[0]
    for name in SHELVES[room]:
        if (ROOT / room / name).is_dir():
            assert f"{name}/" in rooms, f"{room}/{name}"


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_a_drawer(room: str) -> None:
    drawers = {"utils", "helpers", "common", "misc", "manager"}
    for path in modules(room):
        assert path.stem not in drawers, path.relative_to(ROOT)
