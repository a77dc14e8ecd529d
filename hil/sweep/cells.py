"""What a sweep does: axes of values, and the cells of their product.

A sweep file is TOML. Its keys are those of an experiment, and each may have a
list of values: an axis. `[[experiment]]` tables add keys or replace those above
them; each table is a product of its own, and they follow one another. A file
without such tables is one product, so an experiment's file is a sweep of one.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from codegen import rules
from codegen.spec import RuleChoice
from hil import documents, house
from hil.errors import UsageError, did_you_mean
from hil.experiment import Experiment, beside, checked, known_key
from hil.key_values import number_or_word
from hil.keys import KEYS, Key
from targets import load as load_target

Axes = Mapping[str, Sequence[Any]]
"""Key -> its values; a rule's parameter has the key `parameters.NAME`."""

TABLES = "experiment"
PARAMETERS = "parameters"
SEED = "seed"


@dataclass(frozen=True)
class Cell:
    """One experiment of a sweep; `asked` are the keys that the sweep gives."""

    asked: Mapping[str, Any]

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment. Raises `UsageError`."""
        keys = {
            name: value for name, value in self.asked.items() if "." not in name
        }  # fmt: skip
        parameters = {
            name.partition(".")[2]: value
            for name, value in self.asked.items()
            if name.startswith(PARAMETERS + ".")
        }
        return Experiment(**keys, parameters=parameters)


def cells(tables: Sequence[Axes]) -> list[Cell]:
    """Every cell once, seeds innermost; checked as far as that goes without data.

    Raises `UsageError`, `SpecError` and `DescriptorError`.
    """
    found: dict[str, Cell] = {}
    for cell in (Cell(asked) for axes in tables for asked in _product(axes)):
        experiment = cell.experiment
        rules.get(RuleChoice(experiment.rule, experiment.parameters))
        load_target(experiment.target)
        found.setdefault(experiment.to_toml(), cell)
    return list(found.values())


def _product(axes: Axes) -> Iterator[dict[str, Any]]:
    names = sorted(axes, key=lambda name: name == SEED)  # stable: seeds last
    for values in itertools.product(*(axes[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def laid_over(base: Axes, axes: Axes) -> Axes:
    """`base` with these axes added or replaced; `steps` and `epochs` replace
    each other."""
    made = dict(base)
    for one, other in (("steps", "epochs"), ("epochs", "steps")):
        if one in axes and other not in axes:
            made.pop(other, None)
    return {**made, **axes}


def load(path: str | Path) -> list[Axes]:
    """The products of a sweep file. Raises `UsageError`."""
    path = house.found(Path(path))
    origin = f"sweep {str(path)!r}"
    values = documents.toml(documents.read(path, origin), origin)
    tables = values.pop(TABLES, [{}])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise UsageError(
            f"{origin}: {TABLES} is {type(tables).__name__}, expected [[{TABLES}]] tables"
        )
    if not tables:
        raise UsageError(f"{origin} has no table in {TABLES}: expected at least one")
    base = axes_of(values, origin, path.parent)
    return [
        laid_over(base, axes_of(table, f"{origin}, table {number}", path.parent))
        for number, table in enumerate(tables, 1)
    ]


def axes_of(
    values: Mapping[str, Any],
    origin: str = "the command line",
    folder: Path | None = None,
) -> Axes:
    """The axes in a table of keys; relative paths start at `folder`. Raises
    `UsageError`, `origin` begins its sentence."""
    axes: dict[str, Sequence[Any]] = {}
    for name, value in values.items():
        key = known_key(name, origin)
        if name == PARAMETERS:
            axes.update(_parameters(value, origin))
            continue
        given = value if _is_axis(key, value) else [value]
        if not given:
            raise UsageError(f"{origin}: {name} has no value: expected at least one")
        if folder is not None:
            given = [beside(folder, v) if key.names_path(v) else v for v in given]
        axes[name] = [_checked(key, one, origin) for one in given]
    return axes


def _checked(key: Key, value: Any, origin: str) -> Any:
    try:
        return checked(key, value)
    except UsageError as error:
        raise UsageError(f"{origin}: {error}", *error.hints) from None


def _is_axis(key: Key, value: Any) -> bool:
    """A list is an axis, but a network's may be its widths."""
    if not isinstance(value, list):
        return False
    return key.name != "network" or not all(isinstance(width, int) for width in value)


def _parameters(value: Any, origin: str) -> Axes:
    if not isinstance(value, dict):
        raise UsageError(f"{origin}: parameters is {value!r}: expected a table")
    axes = {
        f"{PARAMETERS}.{name}": given if isinstance(given, list) else [given]
        for name, given in value.items()
    }
    for name, given in axes.items():
        if not given or not all(isinstance(v, (str, int, float)) for v in given):
            raise UsageError(f"{origin}: {name} is {given!r}: expected plain values")
    return axes


def vary(text: str) -> Axes:
    """The axis that `--vary NAME=VALUE,...` means. Raises `UsageError`."""
    name, equals, listed = text.partition("=")
    values = [value.strip() for value in listed.split(",")]
    if not equals or not name or not all(values):
        raise UsageError(
            f"--vary is {text!r}: expected NAME=VALUE,VALUE,...",
            "for instance --vary rule=bp,dfa --vary seed=1-5",
        )
    name = _full_name(name)
    if name.startswith(PARAMETERS + "."):
        return {name: [number_or_word(value) for value in values]}
    key = known_key(name, "--vary")
    return axes_of(
        {name: [one for v in values for one in _from_text(key, v)]}, "--vary"
    )


def _full_name(name: str) -> str:
    plain = name.replace("-", "_")
    parameters = {
        p.name for r in rules.names() for p in rules.declaration(r).parameters
    }
    known = {key.name for key in KEYS} - {PARAMETERS}
    if plain in known:
        return plain
    bare = plain.removeprefix(PARAMETERS + ".")
    if bare in parameters:
        return f"{PARAMETERS}.{bare}"
    raise UsageError(
        f"--vary names {name!r}: expected a key of an experiment or a rule's parameter",
        *did_you_mean(bare, sorted(known | parameters)),
    )


def _from_text(key: Key, text: str) -> list[Any]:
    """What a flag's text means; for whole numbers "1-5" is a range."""
    if key.metavar is None:
        return [{"true": True, "false": False}.get(text, text)]
    first, dash, last = text.partition("-")
    if key.from_text is int and dash and first.isdigit() and last.isdigit():
        if int(last) < int(first):
            raise UsageError(f"--vary {key.name} is {text!r}: expected a rising range")
        return list(range(int(first), int(last) + 1))
    try:
        return [key.from_text(text)]
    except ValueError:
        return [text]  # the key says what it wants
