"""hil state: learned state in and out of flash, and two of them compared."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from hil import output

if TYPE_CHECKING:
    from hil.learning.compare import Row

HELP = "save, load or compare learned state: checkpoints in flash, weights in .npz"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil state`."""
    known = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    verbs = {
        "save": "the newest checkpoint of a run's flash, or of a board, into an .npz",
        "load": "an .npz as the newest checkpoint, for `hil run --resume` to go on from",
        "diff": "two states, tensor by tensor; exit code 1 where they differ",
    }
    made = {
        name: known.add_parser(name, help=text, description=text)
        for name, text in verbs.items()
    }
    for name in ("save", "load"):
        made[name].add_argument("run", metavar="RUN", help="folder of the run")
        made[name].add_argument("file", metavar="FILE.npz")
        made[name].add_argument(
            "--unit", metavar="NAME|PORT", nargs="?", const="auto",
            help="a board that runs this run's image (without a value: the one that fits)",
        )  # fmt: skip
    made["save"].add_argument(
        "--step", type=int, metavar="N", help="the checkpoint of this step"
    )
    made["load"].add_argument(
        "--step", type=int, metavar="N", default=0,
        help="number of the next step (default: 0)",
    )  # fmt: skip
    for name in ("first", "second"):
        made["diff"].add_argument(
            name, metavar=name.upper(), help="an .npz, or the folder of a run"
        )
    for verb in made.values():
        output.add_arguments(verb)


def run(given: argparse.Namespace) -> int:
    """The verb."""
    return {"save": _save, "load": _load, "diff": _diff}[given.what](given)


def _save(given: argparse.Namespace) -> int:
    from pathlib import Path

    from hil.learning import states
    from hil.lesson import weights

    out = output.of(given)
    output.require_folder("FILE.npz", given.file)
    if given.unit:
        held = states.read_board(states.RunFolder(Path(given.run)), given.unit)
    else:
        held = states.saved(given.run, given.step)
    path = weights.save(given.file, held.state)
    out.line(f"saved    step {held.step}, {len(held.state)} tensors, to {path}")
    out.document({"step": held.step, "file": str(path)})
    return 0


def _load(given: argparse.Namespace) -> int:
    from pathlib import Path

    from hil.learning import states

    out = output.of(given)
    folder = states.RunFolder(Path(given.run))
    if given.unit:
        digest = states.write_board(folder, given.unit, given.file, given.step)
        where = given.unit
    else:
        written = states.store(folder, given.file, given.step)
        digest, where = written.digest, f"{folder.flash}, slot {written.slot}"
    out.line(f"loaded   step {given.step}, digest {digest:08x}, into {where}")
    out.line(f"         `hil run --resume {given.run}` goes on from there, and differs")
    out.line("         from the reference unless that comes to the same state itself")
    out.document({"step": given.step, "digest": f"{digest:08x}"})
    return 0


def _diff(given: argparse.Namespace) -> int:
    from hil.learning import states

    out = output.of(given)
    one, other = states.saved(given.first), states.saved(given.second)
    rows = states.parted(one.state, other.state)
    differing = [row for row in rows if row.differing]
    for row in rows:
        out.line(f"{row.tensor:6} {row.elements:>9,}  {_told(row)}")
    verdict = f"{len(differing)} of {len(rows)} tensors differ"
    out.line(verdict if differing else f"all {len(rows)} tensors are equal to the bit")
    out.document({"equal": not differing, "tensors": [_document(row) for row in rows]})
    return 1 if differing else 0


def _told(row: Row) -> str:
    first = row.first
    if first is None:
        return "equal"
    place = ", ".join(map(str, first.index))
    apart = "" if first.ulp is None else f", {first.ulp:,} ulp apart"
    return (
        f"{row.differing:,} differ, first [{place}]: {first.device_bits:08x} and "
        f"{first.reference_bits:08x}{apart}"
    )


def _document(row: Row) -> dict[str, object]:
    first = row.first
    return {
        "tensor": row.tensor,
        "elements": row.elements,
        "differing": row.differing,
        "index": None if first is None else list(first.index),
        "bits": None
        if first is None
        else [f"{first.device_bits:08x}", f"{first.reference_bits:08x}"],
        "ulp": None if first is None else first.ulp,
    }
