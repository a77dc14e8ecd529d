"""An experiment: everything that fixes a run, as one value.

It comes from a TOML file, from flags or from Python, and goes back to TOML; the
keys are those of `hil.keys`. What it leaves out is decided in `hil.lesson.preparing`,
with the data at hand; `Lesson.experiment` is the effective experiment.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emulation.faults import Faults
from hil import documents, house
from hil.errors import UsageError, did_you_mean
from hil.key_rules import CLASHES
from hil.key_values import InMemory
from hil.keys import KEYS, Key
from targets import storage

LONGEST = 200
"""Characters of a refused value that are told."""
_BY_NAME = {key.name: key for key in KEYS}


@dataclass(frozen=True)
class Experiment:
    """What to teach, to whom, and how; the meaning of each is in `hil.keys`.

    The default is the embedded one: the 8x8 digits, direct feedback alignment,
    64-128-64-10, QEMU with vectors. Raises `UsageError` for a value that its
    key does not take.
    """

    name: str = ""
    target: str = "qemu-rv64gcv"
    unit: str | None = None
    vlen: int | None = None
    rule: str = "dfa"
    parameters: Mapping[str, Any] = field(default_factory=dict)
    network: tuple[int, ...] | str | None = None
    format: str | None = None
    activation: str | None = None
    output: str | None = None
    data: str | InMemory = "digits"
    scaler: str | None = None
    model: str | None = None
    front: str | None = None
    cut: str | None = None
    steps: int | None = None
    epochs: int | None = None
    lr: float | None = None
    lr_decay: float | None = None
    freeze: int | None = None
    seed: int = 1
    schedule: str = "auto"
    tuned: str | None = None
    core: str | None = None
    gate: str = "none"
    active: float | None = None
    tau: float | None = None
    error_gate: float | None = None
    goal: str | None = None
    momentum: float | None = None
    clip_weights: float | None = None
    clip_error: float | None = None
    health: int | None = None
    answers: bool = False
    watch_cells: tuple[int, ...] | None = None
    agnostic: bool = False
    icount: bool = False
    compare: str | int = "every"
    prefix: int | None = None
    holdout: int | None = None
    test: str | int | None = None
    resident: str | int | None = None
    thin: int | None = None
    rehearsal: int | None = None
    rehearse: int | None = None
    rehearse_what: str | None = None
    window: int = 4
    samples_per_frame: int | None = None
    chunk: int | None = None
    commit: int | None = None
    flash: str | None = None
    faults: str | None = None
    ram: int | None = None
    instructions: int | None = None
    cycles: int | None = None
    debug: bool = False
    init: str | None = None
    save: str | None = None
    toolchain: str | None = None
    console: str = "socket"

    def __post_init__(self) -> None:
        for key in KEYS:
            value = getattr(self, key.name)
            if value is None or (key.name == "name" and value == ""):
                continue
            object.__setattr__(self, key.name, checked(key, value))
        for clash in CLASHES:
            if clash.of(vars(self)):
                raise UsageError(clash.why.format_map(vars(self)), *clash.hints)

    @property
    def line_faults(self) -> Faults | None:
        """`faults`, taken apart."""
        return None if self.faults is None else Faults.parse(self.faults)

    @property
    def widths(self) -> tuple[int, ...] | None:
        """Widths of the network's layers, None where the data decides; the first is 0
        where that alone is the data's."""
        assert not isinstance(self.network, str)
        return self.network

    def changed(self, values: Mapping[str, Any], origin: str) -> Experiment:
        """`override` by a caller's keywords; `origin` begins the sentence about an
        unknown one. Raises `UsageError`."""
        return self.override({known_key(n, origin).name: v for n, v in values.items()})

    def override(self, values: Mapping[str, Any]) -> Experiment:
        """With these keys replaced; `steps` and `epochs` replace each other,
        `parameters` are merged."""
        made = dict(values)
        if "steps" in made and "epochs" not in made:
            made["epochs"] = None
        if "epochs" in made and "steps" not in made:
            made["steps"] = None
        if isinstance(made.get("parameters"), Mapping):
            made["parameters"] = {**self.parameters, **made["parameters"]}
        return replace(self, **made)

    def to_toml(self) -> str:
        """The experiment as a TOML file; `from_toml` gives it back. Raises `UsageError`
        for data in memory, which a run writes into its folder."""
        if isinstance(self.data, InMemory):
            raise UsageError(
                "data are arrays: a TOML file can only name a file of them"
            )
        tables: dict[str, dict[str, Any]] = {"": {}, "parameters": {**self.parameters}}
        for key in KEYS:
            value = getattr(self, key.name)
            if key.name != "parameters" and value not in (None, ""):
                tables.setdefault(key.table, {})[key.name] = value
        lines = []
        for table, values in tables.items():
            lines += ["", f"[{table}]"] if table and values else []
            lines += [f"{name} = {as_toml(value)}" for name, value in values.items()]
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> Path:
        """Write it as a TOML file. Raises `StorageError`, and `UsageError` as `to_toml`."""
        return storage.write(path, documents.schema_line("experiment") + self.to_toml())


def checked(key: Key, value: Any) -> Any:
    """`value` as the field of `key` holds it; raises `UsageError`."""
    try:
        return key.parse(plain(value))
    except ValueError as error:
        raise UsageError(f"{key.name} is {shown(value)}: expected {error}") from None


def shown(value: Any) -> str:
    """A value in one line of bounded length, for there may be much in an array."""
    text = " ".join(repr(value).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def plain(value: Any) -> Any:
    """A scalar of numpy, or such scalars in a sequence or a table, as Python's own; of
    an array its numbers, if it is a row of them."""
    if isinstance(value, dict):
        return {name: _scalar(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_scalar, value))
    return value.tolist() if getattr(value, "ndim", 0) == 1 else _scalar(value)


def _scalar(value: Any) -> Any:
    return value.item() if getattr(value, "shape", None) == () else value


def known_key(name: str, origin: str) -> Key:
    """The key of that name; raises `UsageError`, `origin` begins its sentence."""
    if name not in _BY_NAME:
        hints = did_you_mean(name.replace("-", "_"), _BY_NAME)
        raise UsageError(f"{origin} has an unknown key {name!r}", *hints)
    return _BY_NAME[name]


def from_toml(text: str, origin: str, folder: Path | None = None) -> Experiment:
    """The experiment in `text`; `origin` names it in errors, and relative
    paths in it start at `folder`. Raises `UsageError`."""
    values = _flat(documents.toml(text, f"experiment {origin!r}"), origin)
    for name, value in values.items():
        if folder is not None and _BY_NAME[name].names_path(value):
            values[name] = beside(folder, value)
    try:
        return Experiment(**values)
    except UsageError as error:
        raise UsageError(f"experiment {origin!r}: {error}", *error.hints) from None


def _flat(values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Every key by its name alone, whatever table it stands in. Raises
    `UsageError` for an unknown one, and for one in the wrong place."""
    tables = {key.table for key in KEYS if key.table}
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if name not in tables:
            flat[_known("", name, origin)] = value
        elif not isinstance(value, dict):
            raise UsageError(
                f"experiment {origin!r}: {name} is {value!r}: expected a table",
                f"[{name}] stands on a line of its own, its keys below it",
            )
        else:
            for inner, set_to in value.items():
                flat[_known(name, inner, origin)] = set_to
    return flat


def _known(table: str, name: str, origin: str) -> str:
    """`name`, when there is such a key in this table ("" for the top)."""
    place = f"[{table}] " if table else ""
    elsewhere = _BY_NAME.get(name)
    if elsewhere is not None and elsewhere.table == table:
        return name
    if elsewhere is not None:
        there = f"[{elsewhere.table}]" if elsewhere.table else "the top of the file"
        raise UsageError(
            f"experiment {origin!r} has {place}{name} in the wrong place: expected it "
            f"in {there}",
            f"write {there} on a line of its own, and {name} = ... below it"
            if elsewhere.table
            else "keys of the top stand above the first table",
        )
    here = [key.name for key in KEYS if key.table == table]
    raise UsageError(
        f"experiment {origin!r} has an unknown key {place}{name!r}",
        *did_you_mean(name.replace("-", "_"), here),
    )


def load(path: str | Path) -> Experiment:
    """The experiment in the TOML file at `path`. Raises `UsageError`."""
    path = house.found(Path(path))
    text = documents.read(path, f"experiment {str(path)!r}")
    return from_toml(text, str(path), path.parent)


def names(path: str | Path | None, key: str) -> bool:
    """Whether there is a TOML file at `path`, and it has the key of this name at its
    top. Raises `UsageError`."""
    if not path:
        return False
    origin = f"experiment {str(path)!r}"
    return key in documents.toml(
        documents.read(house.found(Path(path)), origin), origin
    )


def beside(folder: Path, value: str) -> str:
    """A path as seen from the experiment's folder; a bare name that is no file
    (such as "digits") stays a name."""
    path = folder / value
    named = bool(Path(value).suffix) or "/" in value or path.is_file()
    return str(path) if named and not Path(value).is_absolute() else value


def as_toml(value: Any) -> str:
    """A plain value as TOML: its strings and numbers are JSON's, but for the
    characters that JSON leaves alone and TOML does not."""
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    return json.dumps(value).replace("\x7f", "\\u007f")
