"""hil bench attacks: a device that lies, in every place of every message."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from hil import output

if TYPE_CHECKING:
    from hil.measuring.attacks import Outcome

HELP = "a device that lies, in every place of every message: is it ever believed?"
PAIRS = 40
ENDS = ("found", "refused", "harmless", "believed")
"""How a run under attack ends: numbers differ (exit code 1); another exit code; it
passes and claims what an honest run claims; or anything else."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench attacks`."""
    parser.add_argument(
        "--pairs", type=int, default=PAIRS, metavar="N",
        help=f"pairs of lies that are told together, in each scene (default: {PAIRS})",
    )  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The benchmark; exit code 1 when a lie was believed, or a run hung."""
    from hil.measuring import attacks as tried

    out = output.of(given)
    told = []
    for one in tried.attacks(given.pairs):
        if not one.told:
            continue  # the change has changed nothing
        told.append(one)
        if one.believed:
            lies = " and ".join(map(str, one.lies))
            out.line(f"BELIEVED in {one.scene}: {lies}: {one.verdict} {one.sentence}")
    places: dict[str, dict[str, Counter[str]]] = {}
    single = [one for one in told if len(one.lies) == 1]
    for one in single:
        (lie,) = one.lies
        places.setdefault(lie.message, {}).setdefault(lie.place, Counter())[
            _end(one)
        ] += 1
    out.line("| message | lies | found, refused, harmless, believed: of each place |")
    out.line("|---|---|---|")
    for message, found in places.items():
        number = sum(sum(ends.values()) for ends in found.values())
        cells = ", ".join(f"`{place}` {_counts(ends)}" for place, ends in found.items())
        out.line(f"| {message} | {number} | {cells} |")
    pairs = Counter(_end(one) for one in told if len(one.lies) == 2)
    out.line(f"| pairs | {sum(pairs.values())} | {_counts(pairs)} |")
    return _conclude(out, told, places, pairs)


def _end(one: Outcome) -> str:
    if one.believed:
        return "believed"
    return {"pass": "harmless", "fail": "found"}.get(one.verdict, "refused")


def _counts(ends: Mapping[str, int]) -> str:
    """The four counts, the last only where there is one."""
    counts = [str(ends.get(end, 0)) for end in ENDS]
    return "/".join(counts if ends.get("believed") else counts[:-1])


def _conclude(
    out: output.Output,
    told: Sequence[Outcome],
    places: Mapping[str, Mapping[str, Mapping[str, int]]],
    pairs: Mapping[str, int],
) -> int:
    believed = sum(one.believed for one in told)
    slowest = max(told, key=lambda one: one.seconds)
    out.line(
        f"\n{len(told):,} runs with a lying device: {believed} believed; the longest took "
        f"{slowest.seconds:.1f} s ({' and '.join(map(str, slowest.lies))})"
    )
    out.document(
        {
            "bench": "attacks",
            "runs": len(told),
            "believed": [asdict(one) for one in told if one.believed],
            "places": places,
            "pairs": pairs,
            "longest": slowest.seconds,
            "provenance": dict.fromkeys(("runs", "places", "pairs"), "counted")
            | {"longest": "emulated"},
        }
    )
    return 1 if believed else 0
