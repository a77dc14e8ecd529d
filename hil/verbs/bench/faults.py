"""hil bench faults: learning over a line that lies, and through power cuts."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from hil import output
from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.measuring.reliability import Ground, Noisy, Share, Trials

HELP = (
    "run with faults and power cuts many times, and compare with the clean run's digest"
)
SEEDS = 20
KILLED_SEEDS = 3


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil bench faults`."""
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N",
        help=f"seeds of each combination of faults (default: {SEEDS})",
    )  # fmt: skip
    parser.add_argument(
        "--kills", type=int, default=KILLED_SEEDS, metavar="N",
        help=f"runs in QEMU that are killed at random moments (default: {KILLED_SEEDS})",
    )  # fmt: skip
    parser.add_argument(
        "--rates", action="store_true",
        help="instead of all that: throughput over the rate of damaged bytes",
    )  # fmt: skip
    parser.add_argument(
        "--chunk", type=int, metavar="BYTES",
        help="samples in parts of at most so many bytes: each kind of faults, those of the "
        "combinations together, and power cuts (no kills in QEMU)",
    )  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """The benchmark; exit code 1 when a digest differs."""
    from hil.measuring import reliability as tried

    out, chunk = output.of(given), given.chunk
    if given.rates:
        if chunk is not None:
            raise UsageError(f"--rates and --chunk {chunk}: expected one of them")
        return _rates(out, given.seeds)
    ground = tried.Ground(tried.LESSON if chunk is None else tried.in_parts(chunk))
    alone: list[tuple[str, ...]] = [(kind,) for kind in tried.MORE]
    together = tried.combinations()
    if chunk is not None:
        alone, together = [(kind,) for kind in tried.RATES] + alone, [(*tried.RATES,)]
    kinds = [*together, *alone, (*tried.RATES, *tried.MORE)]
    faults = _faults(out, ground, kinds, range(1, given.seeds + 1))
    rows = {"faults": faults, "cuts": _cuts(out, ground), "kills": []}
    if chunk is not None:
        return _conclude(out, rows, [])
    emulated = tried.Ground(tried.EMULATED)
    rows["kills"] = _kills(out, emulated, given.kills)
    return _conclude(out, rows, _shares(out, emulated))


def _faults(
    out: output.Output,
    ground: Ground,
    kinds: Sequence[Sequence[str]],
    seeds: Iterable[int],
) -> list[Trials]:
    from hil.measuring import reliability as tried

    out.line("Faults on the line (host target)\n")
    out.line(
        "| faults | runs | digests equal | faults injected | frames sent, of needed | recovered |"
    )
    out.line("|---|---|---|---|---|---|")
    rows: list[Trials] = []
    for these in kinds:
        found = tried.under_faults(ground, these, seeds)
        rows.append(found)
        out.line(
            f"| {found.trouble} | {found.runs} | {found.equal} | {found.injected:,} | "
            f"{found.sent / found.needed:.2f} | {found.recovered} |"
        )
    return rows


def _cuts(out: output.Output, ground: Ground) -> list[Trials]:
    from hil.measuring import reliability as tried

    operations = ground.operations()
    out.line(f"\nPower cuts at every one of K = {operations} flash operations (host)\n")
    out.line("| what is left of the operation | K | cuts | digests equal |")
    out.line("|---|---|---|---|")
    rows: list[Trials] = []
    for model in tried.MODELS:
        found = tried.under_cuts(ground, model, range(1, operations + 1))
        rows.append(found)
        out.line(f"| {model} | {operations} | {found.recovered} | {found.equal} |")
    return rows


def _kills(out: output.Output, ground: Ground, runs: int) -> list[Trials]:
    from hil.measuring import reliability as tried

    out.line("\nKilled at random moments in QEMU, flash kept (qemu-rv64gcv)\n")
    out.line("| run | kills | digests equal |")
    out.line("|---|---|---|")
    rows: list[Trials] = []
    for found in tried.under_kills(ground, range(1, runs + 1), tried.EMULATED_CUT):
        rows.append(found)
        out.line(
            f"| {found.trouble} | {found.recovered} | {found.equal} of {found.runs} |"
        )
    return rows


def _shares(out: output.Output, ground: Ground) -> list[Share]:
    from hil.measuring import reliability as tried

    out.line("\nThroughput (qemu-rv64gcv, emulated)\n")
    out.line("| faults | share of a clean line's |")
    out.line("|---|---|")
    left = list(tried.shares(ground))
    for share in left:
        out.line(f"| {share.faults} | {share.clean / share.faulty:.0%} |")
    return left


def _rates(out: output.Output, seeds: int) -> int:
    """Throughput over the rate of damaged bytes; exit code 1 when a digest differs."""
    from hil.measuring import reliability as tried

    ground = tried.Ground(tried.NOISY)
    out.line("Damaged bytes (host target)\n")
    out.line(
        "| damaged, of all bytes | runs | digests equal | gave up | frames sent, of needed "
        "| steps a second, of a clean line's |"
    )
    out.line("|---|---|---|---|---|---|")
    found: list[Noisy] = []
    clean = tried.quiet(ground, seeds)
    for rate in tried.NOISE:
        row = tried.under_noise(ground, rate, range(1, seeds + 1), clean)
        found.append(row)
        sent = "" if row.sent is None else f"{row.sent:.2f}"
        pace = "" if row.seconds is None else f"{row.clean / row.seconds:.1%}"
        out.line(
            f"| {rate:g} | {row.runs} | {row.equal} | {row.gave_up} | {sent} | {pace} |"
        )
    for row in found:
        if row.said:
            out.line(f"\nat {row.rate:g} it gave up so: {row.said}")
    kinds = {"runs": "counted", "equal": "counted", "gave_up": "counted"}
    kinds |= {"sent": "counted", "seconds": "emulated", "clean": "emulated"}
    rows = [asdict(row) for row in found]
    out.document({"bench": "faults", "rates": rows, "provenance": kinds})
    return 0 if all(row.equal + row.gave_up == row.runs for row in found) else 1


def _conclude(
    out: output.Output, rows: dict[str, list[Trials]], left: Sequence[Share]
) -> int:
    every = [row for found in rows.values() for row in found]
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
