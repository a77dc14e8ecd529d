"""hil schema: what a file may hold, for editors and for other programs."""

from __future__ import annotations

import argparse
import json

from hil import output
from hil.errors import UsageError, did_you_mean

HELP = "print the JSON Schema of a kind of file, for an editor or a program"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil schema`."""
    parser.description = (
        f"{HELP}. It is made from what checks such files, and is of draft 2020-12."
    )
    parser.add_argument(
        "kind",
        nargs="?",
        metavar="KIND",
        help="experiment, sweep, demo, bench, target, record, demo-record or step "
        "(default: list them)",
    )


def run(given: argparse.Namespace) -> int:
    """The verb."""
    from hil import documents
    from hil.schemas.kinds import KINDS

    out = output.of(given)
    if given.kind is None:
        for name, kind in KINDS.items():
            out.line(f"{name:12} {kind.about}")
        out.line(f"as files in {documents.SCHEMAS}")
        files = {name: str(documents.SCHEMAS / f"{name}.json") for name in KINDS}
        out.document({"schemas": files})
        return 0
    if given.kind not in KINDS:
        raise UsageError(
            f"there is no schema {given.kind!r}: expected one of {', '.join(KINDS)}",
            *did_you_mean(given.kind, KINDS),
        )
    schema = KINDS[given.kind].schema(given.kind)
    out.line(json.dumps(schema, indent=2))
    out.document({"kind": given.kind, "json_schema": schema})
    return 0
