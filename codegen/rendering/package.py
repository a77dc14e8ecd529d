"""A generated library as a component of somebody's build system: its files in the
folders that are usual there, a manifest, an example and a README.

Each kind of package is a folder of templates/packages. Every file in it is rendered
to the place that it has there; NAME in a file's name is the library's prefix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from codegen.building.buildplan import BuildPlan
from codegen.planning import bill
from codegen.planning.planned import Plan
from codegen.rendering.package_kinds import KINDS
from codegen.rendering.prefix import DEFAULT, renamed
from codegen.rendering.render import (
    TEMPLATES,
    context,
    environment,
    render_network,
    tidy,
)
from codegen.tensors import WORD

FOLDER = TEMPLATES / "packages"
SUFFIX = ".j2"
C_SUFFIXES = (".c", ".h", ".ino")


@dataclass(frozen=True)
class Example:
    """What the example of a package learns, and what must come of it.

    `steps` samples of a sensor's stub, each of one of `kinds`, at learning rate `eta`,
    from the weights of `seed`; a level of 255 is `full` in the units of a sample.
    `digest` is the reference's after the last of them."""

    seed: int
    steps: int
    kinds: int
    eta: float
    full: float
    digest: int


def package(
    plan: Plan, kind: str, example: Example, version: str, prefix: str = DEFAULT
) -> BuildPlan:
    """The package of that `kind`; `version` is of whoever generates it.

    Raises `SpecError` for a prefix that cannot be.
    """
    values = {
        **context(plan, portable=True),
        "name": prefix,
        "example": example,
        "version": version,
        "kind_of_package": kind,
        "memory": memory_of(plan, prefix),
        "unflagged": not KINDS[kind].told,
    }
    library = _library(plan, kind, prefix)
    values["sources"] = [n for n in library if n.endswith(".c")]
    files = {**library, **dict(_rendered(kind, values, prefix))}
    return BuildPlan(
        name=f"{prefix}-{kind}",
        files=dict(sorted(files.items())),
        library=tuple(name for name in library if name.endswith(".c")),
        runtime=(),
        linker_script=None,
    )


def _library(plan: Plan, kind: str, prefix: str) -> dict[str, str]:
    """The library's files where this kind of package has them."""
    files = _headers(render_network(plan, prefix, portable=True))
    place, header = KINDS[kind], f"{prefix}.h"
    if not place.told:
        first, rest = files[f"{prefix}.c"].split("\n", 1)
        pragmas = environment().get_template("packages/parts/pragmas.j2").render()
        files[f"{prefix}.c"] = f"{first}\n{pragmas}\n{rest}"
    return {
        f"{place.header if name == header else place.sources}/{name}": text
        for name, text in files.items()
    }


def _headers(files: Mapping[str, str]) -> dict[str, str]:
    """The same library, in which what a source includes is a header by its name, too:
    many build systems compile every .c that they find."""
    parts = {
        name: f"{PurePosixPath(name).stem}.h"
        for name in files
        if any(f'#include "{name}"' in text for text in files.values())
    }
    made = {}
    for name, text in files.items():
        for old, new in parts.items():
            text = text.replace(f'#include "{old}"', f'#include "{new}"')
        made[parts.get(name, name)] = text
    assert len(made) == len(files), "a kernel and a header of one name"
    return made


def _rendered(
    kind: str, values: Mapping[str, object], prefix: str
) -> Iterator[tuple[str, str]]:
    """The files of this kind's folder, by where they go."""
    env, folder = environment(), FOLDER / kind
    for path in sorted(folder.rglob(f"*{SUFFIX}")):
        name = path.relative_to(folder).as_posix().removesuffix(SUFFIX)
        text = env.get_template(path.relative_to(TEMPLATES).as_posix()).render(values)
        if name.endswith(C_SUFFIXES):
            (text,) = renamed({"": tidy(text)}, prefix).values()
        yield name.replace("NAME", prefix), text


def memory_of(plan: Plan, prefix: str) -> tuple[tuple[str, int, str], ...]:
    """What takes memory in a program that has the library, its bytes, and where it
    lies: all but the code."""
    net = bill.structures(plan).net
    state = sum(t.words for t in plan.state) * WORD
    rows = [
        ("weights, and whatever else a step changes", state, f"in {prefix}_t"),
        ("scratch of a call, and counters", net - state, f"in {prefix}_t"),
        (f"{prefix}_t: one network", net, "RAM, for each"),
    ]
    constants = sum(t.words for t in plan.consts) * WORD
    if constants:
        rows.append(("constants", constants, "flash, once"))
    return tuple(rows)
