"""A demo's two files: what is in the TOML, and the Python beside it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from hil import documents
from hil.demo import page as pages
from hil.errors import UsageError, did_you_mean
from hil.experiment import Experiment, beside, shown
from hil.keys import KEYS as EXPERIMENT_KEYS

GALLERY = Path(__file__).parent / "gallery"
TEXTS = ("title", "about", "data")
LISTS = ("reference",)
TABLES = ("experiment", "arms", "metrics")
KEYS = TEXTS + LISTS + TABLES
REQUIRED = ("title", "arms")
OWN = ("about", "stream", "after", "freeze")
"""Keys of an arm that an experiment does not have, or that mean more in an arm."""
NAME = re.compile(r"[\w-]+")
"""What an arm or a stream may be called: files are named after it."""
SET = {
    "name": "a run is called after its demo and its arm",
    "model": "the arms of a demo learn, and a model as it is does not",
    "data": "the function streams in the Python beside it gives the samples",
    "save": "what an arm has learned is kept for the arms that are `after` it",
    "holdout": "a part of a stream has test samples of its own",
}
"""Keys of an experiment that a demo sets itself, and what sets them."""
BROUGHT = "brought.tflite"
"""Placeholder for the model that an arm's stream may bring, until the stream is
made."""
_KNOWN = {key.name: key for key in EXPERIMENT_KEYS}


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
    each of its figures means; `reference` names those that no device gives."""

    name: str
    title: str
    about: str
    data: str
    experiment: Experiment
    arms: tuple[ArmFile, ...]
    metrics: Mapping[str, str]
    reference: tuple[str, ...]
    path: Path

    @property
    def page(self) -> Path:
        """Its Python file."""
        return page_of(self.path)

    def module(self) -> ModuleType:
        """Its Python, imported. Raises `UsageError`."""
        if not self.page.is_file():
            raise UsageError(
                f"demo {self.name!r} has no {self.page.name!r} beside {str(self.path)!r}",
                "it makes the stream: docs/demos.md",
            )
        return pages.load(self.page)


def page_of(path: Path) -> Path:
    """The Python file beside a demo's TOML."""
    return path.with_name(path.stem.replace("-", "_") + ".py")


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
    _require_form(origin, table)
    where, given = f"{origin}, [experiment]", table.get("experiment", {})
    base = laid_over(where, Experiment(), _values(where, given, path.parent))
    arms = [_arm(origin, name, one, path.parent) for name, one in table["arms"].items()]
    _require_arms(origin, arms, base)
    return Demo(
        path.stem,
        table["title"],
        table.get("about", "").strip(),
        table.get("data", ""),
        base,
        tuple(arms),
        table.get("metrics", {}),
        tuple(table.get("reference", ())),
        path.resolve(),
    )


def laid_over(
    where: str, experiment: Experiment, values: Mapping[str, Any]
) -> Experiment:
    """The experiment with these keys replaced. Raises `UsageError`, `where` begins its
    sentence."""
    try:
        return experiment.override(values)
    except UsageError as error:
        raise UsageError(f"{where}: {error}", *error.hints) from None


def _require_form(origin: str, table: Mapping[str, Any]) -> None:
    """Raise `UsageError` unless there is at the top what should be."""
    for key in table:
        if key not in KEYS:
            raise UsageError(
                f"{origin} has an unknown key {key!r}: expected one of {', '.join(KEYS)}",
                *did_you_mean(key, KEYS),
            )
    for key in REQUIRED:
        if key not in table:
            raise UsageError(f"{origin} has no {key}")
    for key in TEXTS:
        _require_text(origin, key, table.get(key, ""))
    for key in TABLES:
        if not isinstance(table.get(key, {}), dict):
            raise UsageError(
                f"{origin}: {key} is {shown(table[key])}: expected a table",
                f"[{key}] stands on a line of its own, its keys below it",
            )
    for name, meaning in table.get("metrics", {}).items():
        _require_text(f"{origin}, [metrics]", name, meaning)
    _require_named(origin, table.get("reference", []), table.get("metrics", {}))


def _require_named(origin: str, names: object, metrics: Mapping[str, Any]) -> None:
    """Raise `UsageError` unless these are names of figures."""
    if not isinstance(names, list) or any(name not in list(metrics) for name in names):
        raise UsageError(
            f"{origin}: reference is {shown(names)}: expected a list of names of [metrics]"
        )


def _require_text(where: str, key: str, value: object) -> None:
    if not isinstance(value, str):
        raise UsageError(f"{where}: {key} is {shown(value)}: expected a text")


def _require_arms(origin: str, arms: list[ArmFile], base: Experiment) -> None:
    """Raise `UsageError` for none, for values that keys do not take, and for an arm that
    starts after one that is not above it."""
    if not arms:
        raise UsageError(f"{origin} has no arm: expected a table [arms.NAME]")
    known: list[str] = []
    for arm in arms:
        where = f"{origin}, arm {arm.name!r}"
        laid_over(where, base, {"front": BROUGHT, **arm.values})
        if arm.after is not None and "init" in arm.values:
            raise UsageError(
                f"{where} has after and init: expected one of them, for both say what it "
                "starts from"
            )
        if arm.after is not None and arm.after not in known:
            raise UsageError(
                f"{origin}: arm {arm.name!r} starts after {arm.after!r}, which is no arm "
                "above it",
                *did_you_mean(arm.after, known),
            )
        known.append(arm.name)


def _arm(origin: str, name: str, given: object, folder: Path) -> ArmFile:
    where = f"{origin}, arm {name!r}"
    if not NAME.fullmatch(name):
        raise UsageError(f"{where}: expected a name of letters, digits, - and _")
    if not isinstance(given, dict):
        raise UsageError(f"{where} is {shown(given)}: expected a table [arms.{name}]")
    for key in OWN:
        _require_text(where, key, given.get(key, ""))
    values = {key: value for key, value in given.items() if key not in OWN}
    return ArmFile(
        name,
        given.get("about", ""),
        given.get("stream"),
        given.get("after"),
        given.get("freeze"),
        _values(where, values, folder, OWN),
    )


def _values(
    where: str, given: Mapping[str, Any], folder: Path, own: Iterable[str] = ()
) -> dict[str, Any]:
    """Keys of an experiment, paths among them as seen from the demo's folder. Raises
    `UsageError` for others, and for what a demo sets itself."""
    for name in given:
        if name in SET:
            raise UsageError(
                f"{where} has {name!r}, which a demo sets itself", SET[name]
            )
        if name not in _KNOWN:
            raise UsageError(
                f"{where} has an unknown key {name!r}",
                *did_you_mean(name.replace("-", "_"), (*own, *_KNOWN)),
            )
    return {
        name: beside(folder, value) if _KNOWN[name].names_path(value) else value
        for name, value in given.items()
    }
