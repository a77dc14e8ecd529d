"""A demo's two files: what is in the TOML, and the Python beside it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hil import documents
from hil.demo import page as pages
from hil.errors import UsageError
from hil.experiment import Experiment, known_key

GALLERY = Path(__file__).parent / "gallery"
KEYS = ("title", "about", "data", "experiment", "arms", "metrics")
OWN = ("about", "stream", "after", "freeze")
"""Keys of an arm that are no experiment's, or mean more here."""


@dataclass(frozen=True)
class ArmFile:
    """A table of `arms`. `stream`: which of the demo's it meets, None where there is
    one. It starts from what arm `after` has learned. `freeze`: the task that it
    learns last, "" for none at all: then it only predicts. `values` are keys of an
    experiment."""

    name: str
    about: str
    stream: str | None
    after: str | None
    freeze: str | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Demo:
    """A demo. `data` says whose its samples are, and on what terms; `metrics` what
    each of its figures means."""

    name: str
    title: str
    about: str
    data: str
    experiment: Experiment
    arms: tuple[ArmFile, ...]
    metrics: Mapping[str, str]
    path: Path

    @property
    def page(self) -> Path:
        """Its Python file."""
        return self.path.with_name(self.path.stem.replace("-", "_") + ".py")

    def module(self) -> ModuleType:
        """Its Python, imported. Raises `UsageError`."""
        if not self.page.is_file():
            raise UsageError(
                f"demo {self.name!r} has no {self.page.name!r} beside {str(self.path)!r}",
                "it makes the stream: docs/demos.md",
            )
        return pages.load(self.page)


def shipped() -> list[Demo]:
    """The demos of the package, by name."""
    return [load(path) for path in sorted(GALLERY.glob("*.toml"))]


def find(asked: str) -> Demo:
    """The demo of that name, or in the TOML file at that path. Raises `UsageError`."""
    path = GALLERY / f"{asked}.toml"
    if path.is_file() and "/" not in asked:
        return load(path)
    if asked.endswith(".toml"):
        return load(Path(asked))
    names = [found.stem for found in sorted(GALLERY.glob("*.toml"))]
    close = difflib.get_close_matches(asked, names, 1, 0.5)
    raise UsageError(
        f"there is no demo {asked!r}: expected one of {', '.join(names)}, or the path of "
        "a .toml file",
        *([f"did you mean {close[0]!r}?"] if close else []),
    )


def load(path: Path) -> Demo:
    """The demo in the TOML file at `path`. Raises `UsageError`."""
    origin = f"demo {str(path)!r}"
    table = documents.toml(documents.read(path, origin), origin)
    for key in table:
        if key not in KEYS:
            raise UsageError(f"{origin} has an unknown key {key!r}: {_expected(KEYS)}")
    for key in ("title", "arms"):
        if key not in table:
            raise UsageError(f"{origin} has no {key}")
    for key in ("title", "about", "data"):
        if not isinstance(table.get(key, ""), str):
            raise UsageError(f"{origin}: {key} is {table[key]!r}: expected a text")
    for key in ("experiment", "arms", "metrics"):
        if not isinstance(table.get(key, {}), dict):
            raise UsageError(f"{origin}: {key} is {table[key]!r}: expected a table")
    base = _values(f"{origin}, [experiment]", table.get("experiment", {}))
    arms = [_arm(origin, name, given) for name, given in table["arms"].items()]
    if not arms:
        raise UsageError(f"{origin} has no arm: expected a table [arms.NAME]")
    known: list[str] = []
    for arm in arms:
        if arm.after is not None and arm.after not in known:
            raise UsageError(
                f"{origin}: arm {arm.name!r} starts after {arm.after!r}, which is no arm "
                "above it"
            )
        known.append(arm.name)
    return Demo(
        path.stem,
        table["title"],
        table.get("about", "").strip(),
        table.get("data", ""),
        Experiment().override(base),
        tuple(arms),
        {name: str(said) for name, said in table.get("metrics", {}).items()},
        path.resolve(),
    )


def _arm(origin: str, name: str, given: object) -> ArmFile:
    where = f"{origin}, arm {name!r}"
    if not isinstance(given, dict):
        raise UsageError(f"{where} is {given!r}: expected a table [arms.{name}]")
    for key in OWN:
        if not isinstance(given.get(key, ""), str):
            raise UsageError(f"{where}: {key} is {given[key]!r}: expected a text")
    values = {key: value for key, value in given.items() if key not in OWN}
    return ArmFile(
        name,
        given.get("about", ""),
        given.get("stream"),
        given.get("after"),
        given.get("freeze"),
        _values(where, values),
    )


def _values(where: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Keys of an experiment; raises `UsageError` for others."""
    return {known_key(name, where).name: value for name, value in given.items()}


def _expected(known: tuple[str, ...]) -> str:
    return f"expected one of {', '.join(known)}"
