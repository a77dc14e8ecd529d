"""hil claim: what the literature says, put to a device."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hil import output
from hil.flags import add_keys, keys_of

if TYPE_CHECKING:
    from hil.claims import Tried
    from hil.output import Output

HELP = "put a claim of the literature to a device: list the claims, or try one"
HEEDED = (
    "seed",
    "format",
    "target",
    "unit",
    "vlen",
    "toolchain",
    "debug",
    "icount",
    "console",
)
"""Keys of an experiment that say on what it is tried, and by which drawn numbers."""
DOES_NOT_HOLD = 1
"""Exit code of a claim that the device's figures do not bear out."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil claim`."""
    from hil.keys import KEYS

    parser.add_argument(
        "claim", nargs="?", metavar="CLAIM", help="name of a claim (default: list them)"
    )
    parser.add_argument(
        "--out", default="runs", metavar="DIR",
        help="folder in which the run makes its own (default: runs)",
    )  # fmt: skip
    add_keys(parser, *(key.name for key in KEYS if key.name not in HEEDED))


def run(given: argparse.Namespace) -> int:
    """The verb: 0 where the claim holds, 1 where it does not, else what a run ends with."""
    from hil import claims
    from hil.learning.progress import Progress

    out = output.of(given)
    if given.claim is None:
        return _list(out)
    claim = claims.find(given.claim)
    out.line(f"claim    {claim.TITLE}")
    out.line(f"source   {claim.SOURCE}")
    tried = claim.tried(_keys(given), Path(given.out), Progress())
    code = 0 if tried.holds else DOES_NOT_HOLD
    _show(given.claim, tried, out)
    out.document(
        {"claim": given.claim, "exit_code": code, "holds": tried.holds,
         "source": claim.SOURCE, "rows": [asdict(row) for row in tried.rows],
         "notes": list(tried.notes), "folder": str(tried.record.folder),
         "provenance": {"rows": tried.record.provenance["accuracy"]}}
    )  # fmt: skip
    return code


def _keys(given: argparse.Namespace) -> dict[str, Any]:
    """On what it is tried: a unit's target is the unit's."""
    from hil.device.units import chosen

    keys = keys_of(given)
    if keys.get("unit") is None:
        return keys
    unit = chosen(keys["unit"], keys.get("target"))
    target = {"target": unit.target} if unit.target else {}
    return {**keys, **target, "unit": unit.name}


def _list(out: Output) -> int:
    from hil import claims

    found = {name: claims.find(name) for name in claims.names()}
    for name, claim in found.items():
        out.line(f"{name:13} {claim.TITLE}")
    out.line()
    out.line("`hil claim NAME` tries one on a device")
    out.document(
        {"claims": [{"name": name, "title": claim.TITLE, "source": claim.SOURCE}
                    for name, claim in found.items()]}
    )  # fmt: skip
    return 0


def _show(name: str, tried: Tried, out: Output) -> None:
    """A line for each row, and the outcome."""
    record = tried.record
    out.line(f"{'':18}{'published':>18}{'the device':>12}  agrees")
    for row in tried.rows:
        said = "yes" if row.agrees else "NO"
        out.line(f"{row.name:18}{row.published:>18}{row.gave:>+12.4f}  {said}")
    out.line(f"{'':18}({record.provenance['accuracy']}, {record.target})")
    for note in tried.notes:
        out.line(f"note     {note}")
    out.line(f"record   {record.folder}")
    came = "holds" if tried.holds else "does NOT hold"
    steps = "step" if record.compared == 1 else "steps"
    out.line(
        f"CLAIM: {name} {came} on {record.target}; {record.compared} {steps} bit-exact, with "
        "all that was told of them"
    )
