"""hil bench faults: learning over a line that lies, and through power cuts."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from hil import output

if TYPE_CHECKING:
    from hil.reliability import Share, Trials

HELP = (
    "run with faults and power cuts many times, and compare with the clean run's digest"
)
SEEDS = 20
KILLED_SEEDS = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench faults`."""
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N",
        help=f"seeds of each combination of faults ({SEEDS})",
    )  # fmt: skip
    parser.add_argument(
        "--kills", type=int, default=KILLED_SEEDS, metavar="N",
        help=f"runs in QEMU that are killed at random moments ({KILLED_SEEDS})",
    )  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The benchmark; exit code 1 when a digest differs."""
    from hil import reliability as tried

    out = output.of(given)
    ground = tried.Ground(tried.LESSON)
    seeds = range(1, given.seeds + 1)
    out.line("Faults on the line (host target)\n")
    out.line(
        "| faults | runs | digests equal | faults injected | frames sent, of needed | recovered |"
    )
    out.line("|---|---|---|---|---|---|")
    rows = {"faults": [], "cuts": [], "kills": []}  # type: dict[str, list[Trials]]
    singles: list[tuple[str, ...]] = [(kind,) for kind in tried.MORE]
    everything = (*tried.RATES, *tried.MORE)
    for kinds in [*tried.combinations(), *singles, everything]:
        found = tried.under_faults(ground, kinds, seeds)
        rows["faults"].append(found)
        out.line(
            f"| {found.trouble} | {found.runs} | {found.equal} | {found.injected:,} | "
            f"{found.sent / found.needed:.2f} | {found.recovered} |"
        )
    operations = ground.operations()
    out.line(f"\nPower cuts at every one of K = {operations} flash operations (host)\n")
    out.line("| what is left of the operation | K | cuts | digests equal |")
    out.line("|---|---|---|---|")
    for model in tried.MODELS:
        found = tried.under_cuts(ground, model, range(1, operations + 1))
        rows["cuts"].append(found)
        out.line(f"| {model} | {operations} | {found.recovered} | {found.equal} |")
    out.line("\nKilled at random moments in QEMU, flash kept (qemu-rv64gcv)\n")
    out.line("| run | kills | digests equal |")
    out.line("|---|---|---|")
    emulated = tried.Ground(tried.EMULATED)
    for found in tried.under_kills(
        emulated, range(1, given.kills + 1), tried.EMULATED_CUT
    ):
        rows["kills"].append(found)
        out.line(
            f"| {found.trouble} | {found.recovered} | {found.equal} of {found.runs} |"
        )
    out.line("\nThroughput (qemu-rv64gcv, emulated)\n")
    out.line("| faults | share of a clean line's |")
    out.line("|---|---|")
    left = list(tried.shares(emulated))
    for share in left:
        out.line(f"| {share.faults} | {share.clean / share.faulty:.0%} |")
    every = rows["faults"] + rows["cuts"] + rows["kills"]
    return _conclude(out, every, rows, left)


def _conclude(
    out: output.Output,
    every: Sequence[Trials],
    rows: dict[str, list[Trials]],
    left: Sequence[Share],
) -> int:
    runs, equal = sum(r.runs for r in every), sum(r.equal for r in every)
    out.line(f"\n{equal:,} of {runs:,} runs ended with the digest of the clean run")
    out.document(
        {
            "bench": "faults",
            **{name: [asdict(row) for row in found] for name, found in rows.items()},
            "throughput": [asdict(share) for share in left],
            "provenance": dict.fromkeys(rows, "counted") | {"throughput": "emulated"},
        }
    )  # fmt: skip
    return 0 if equal == runs else 1
