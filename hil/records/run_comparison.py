"""What differs between two runs: by their records and their lines a step.

Nothing is run again. Two runs have learned the same when their state digests agree
after every step of which both know one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from hil.errors import UsageError
from hil.records import record as records
from hil.records import run_files

SECTIONS = {
    "settings": ("experiment", "target", "board", "vlen", "steps", "seed", "resumed_from"),
    "made with": (
        "versions", "image.build_digest", "device.isa", "device.vlen", "device.harts",
    ),
    "sizes": ("image", "device.stack"),
    "counts": (
        "learned", "compared", "instructions_per_step", "cycles_per_step",
        "weights_written_per_step", "link", "faults", "device",
    ),
    "time": ("speed", "seconds"),
}  # fmt: skip
"""Sections of a comparison, and the keys of run.json in each; the longest name that
fits decides, and what has no section is a result."""
RESULTS = "results"
ORDER = ("settings", "made with", RESULTS, "counts", "sizes", "time")
LEFT_OUT = ("schema", "folder", "started", "provenance")
REPEATED = (
    "rule", "parameters", "network", "format", "activation", "output", "data", "target", "seed",
    "steps", "experiment.vlen",
)  # fmt: skip
"""Keys that repeat another: those of run.json that its `experiment` always has, and
`experiment.vlen`, for run.json has the VLEN also where an experiment names none."""


class Told(NamedTuple):
    """What the device told of a step: the digest of the state after it, its loss, and
    the class it predicted (or, where that was not told, whether it was right)."""

    digest: str | None
    loss: float | None
    outcome: int | bool | None


@dataclass(frozen=True)
class Run:
    """A run's folder, its record, and what each step has told, by number."""

    folder: Path
    document: Mapping[str, Any]
    steps: Mapping[int, Told]


@dataclass(frozen=True)
class Row:
    """One key of two records; `kinds` are how figures were obtained, null for what
    is none."""

    section: str
    name: str
    values: tuple[Any, Any]
    kinds: tuple[str | None, str | None]

    @property
    def equal(self) -> bool:
        """Whether both runs have the same."""
        return bool(self.values[0] == self.values[1])


@dataclass(frozen=True)
class Parting:
    """How far two runs agree in one thing that steps tell: `common` steps that both
    have, `first` the first in which they differ, None where they do not."""

    what: str
    common: int
    first: int | None
    values: tuple[Any, Any] = (None, None)


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side. `final`: whether the final digests are equal, None where
    they are not of the same step, or one is missing."""

    runs: tuple[Run, Run]
    rows: Sequence[Row]
    partings: Sequence[Parting]
    final: bool | None

    @property
    def compared(self) -> int:
        """Steps after which both states are known."""
        return self.partings[0].common

    @property
    def agree(self) -> bool:
        """Whether the learned states are equal wherever both are known, which is
        somewhere."""
        parted = self.partings[0].first is not None or self.final is False
        return not parted and bool(self.compared or self.final)

    def to_json(self) -> dict[str, Any]:
        """The document of `hil compare --json` (docs/record.md)."""
        return {
            "runs": [str(run.folder) for run in self.runs],
            "agree": self.agree,
            "final": self.final,
            "steps": [asdict(parting) for parting in self.partings],
            "rows": [{**asdict(row), "equal": row.equal} for row in self.rows],
            "provenance": {"steps": "counted"},
        }


def read(folder: Path) -> Run:
    """The run in `folder`. Raises `UsageError` where there is none."""
    document = run_files.document(folder / records.FILE)
    return Run(folder, document, {t["step"]: _told(t) for t in run_files.steps(folder)})


def _told(line: Mapping[str, Any]) -> Told:
    predicted = line.get("predicted")
    outcome = line["correct"] if predicted is None else predicted
    return Told(line["digest"], line["loss"], outcome)


def compare(first: Run, second: Run) -> Comparison:
    """Two runs side by side, equal rows among them."""
    runs = (first, second)
    a, b = first.document, second.document
    known = a["digest"] is not None and b["digest"] is not None
    same_step = a["learned"] == b["learned"]
    final = a["digest"] == b["digest"] if known and same_step else None
    partings = [
        _parting("digest", runs),
        _parting("loss", runs),
        _parting("outcome", runs),
    ]
    return Comparison(runs, _rows(runs), partings, final)


def _parting(what: str, runs: tuple[Run, Run]) -> Parting:
    """Where the two differ first. A digest counts where both have one."""
    a, b = runs[0].steps, runs[1].steps
    common, first, values = 0, None, (None, None)
    for step in sorted(a.keys() & b.keys()):
        seen = getattr(a[step], what), getattr(b[step], what)
        if what == "digest" and None in seen:
            continue
        common += 1
        if first is None and seen[0] != seen[1]:
            first, values = step, seen
    return Parting(what, common, first, values)


def _rows(runs: tuple[Run, Run]) -> list[Row]:
    """Every key that one of the two records has, section by section."""
    flat = [dict(_flat(run.document)) for run in runs]
    figures = [frozenset(records.figures(run.document)) for run in runs]
    rows = [
        Row(
            _section(name),
            name.removeprefix("experiment."),
            (flat[0].get(name), flat[1].get(name)),
            (_kind(runs[0], name, figures[0]), _kind(runs[1], name, figures[1])),
        )
        for name in dict.fromkeys([*flat[0], *flat[1]])
    ]
    return sorted(rows, key=lambda row: ORDER.index(row.section))


def _flat(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in document.items():
        name = prefix + key
        if name in LEFT_OUT or name in REPEATED:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, name + ".")
        else:
            yield name, value


def _section(name: str) -> str:
    fits = [
        (len(key), section)
        for section, keys in SECTIONS.items()
        for key in keys
        if name == key or name.startswith(key + ".")
    ]
    return max(fits)[1] if fits else RESULTS


def _kind(run: Run, name: str, figures: frozenset[str]) -> str | None:
    """How a figure, or a digest of the device's state, was obtained."""
    if name not in figures and name not in ("digest", "prefix_digest"):
        return None
    known, parts = run.document["provenance"], name.split(".")
    tried = (".".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((known[each] for each in tried if each in known), None)


def arms(folder: Path) -> dict[str, Path]:
    """The folders of a demo's runs by arm; that of a run itself as its only arm "".
    Raises `UsageError`."""
    path = folder / records.DEMO
    if not path.is_file():
        return {"": folder}
    told = run_files.document(path)["arms"]
    return {arm: folder / Path(run["folder"]).name for arm, run in told.items()}


def compared(first: Path, second: Path) -> dict[str, Comparison]:
    """Two runs (as arm ""), or every arm that two demos have in common. Raises
    `UsageError`."""
    both = arms(first), arms(second)
    common = [arm for arm in both[0] if arm in both[1]]
    if not common:
        names = " and ".join(repr(str(folder)) for folder in (first, second))
        raise UsageError(
            f"{names} have no arm in common: expected two runs, or two runs of one demo",
            *(
                f"{folder} has {', '.join(arm or 'one run' for arm in there)}"
                for folder, there in zip((first, second), both, strict=True)
            ),
        )
    return {arm: compare(*(read(there[arm]) for there in both)) for arm in common}
