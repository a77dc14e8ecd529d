"""The start of a demo of one's own: two files, from templates."""

from __future__ import annotations

import os
from pathlib import Path

import jinja2

from hil import documents
from hil.data import datasets, paths
from hil.demo.file import NAME, page_of
from hil.errors import DataError, UsageError
from hil.experiment import as_toml
from targets import storage

TEMPLATES = Path(__file__).parent / "template"
HIDDEN = 32
"""Hidden units of the network that a new demo begins with."""


def new(asked: str, data: str | None = None) -> tuple[Path, Path]:
    """Write `asked`.toml and the Python beside it: two arms that meet the two halves of
    the samples in the file `data` (None: one that is still to come), and return their
    paths. Raises `UsageError` where there is a file already, `DataError` for data that
    no run would take, and `StorageError`."""
    path = Path(asked.removesuffix(".toml") + ".toml")
    if not NAME.fullmatch(path.stem):
        raise UsageError(
            f"--new is {asked!r}: expected a name of letters, digits, - and _"
        )
    written = path, page_of(path)
    for file in written:
        if file.exists():
            raise UsageError(f"--new: {str(file)!r} exists already")
    with storage.naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    placed = "mine.csv" if data is None else _placed(data, path.parent)
    told = {
        "name": path.stem, "page": written[1].name, "data": as_toml(placed),
        "title": as_toml(f"{paths.parted(placed)[0].name}: what comes later"),
        "network": data and _network(data),
    }  # fmt: skip
    for file in written:
        head = documents.schema_line("demo") if file == path else ""
        storage.write(file, head + _rendered(f"demo{file.suffix}.j2", told))
    return written


def _placed(data: str, folder: Path) -> str:
    """The path of data as seen from the folder of the demo; the column of the labels
    stays behind it."""
    path, column = paths.parted(data)
    placed = os.path.relpath(path.resolve(), folder.resolve())
    return placed if column is None else f"{placed}:{column}"


def _network(data: str) -> str:
    """A network as wide as the samples and their labels. Raises `DataError`."""
    found = datasets.whole(data)
    if not found.labelled:
        raise DataError(
            f"data {data!r} have numbers to learn: expected labels, for the figures of "
            "a new demo are accuracies",
            "y = y.astype(int) if they are classes (docs/data.md)",
        )
    return f"{found.features}-{HIDDEN}-{found.outputs}"


def _rendered(name: str, told: dict[str, str | None]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template(name).render(told)
