"""The lines under the panels: steps, line, memory, angles, keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hil.learning.metrics import Status
from hil.learning.progress import Begun
from hil.live.block import Part, whole
from hil.live.history import History
from hil.live.panels import DIM, LOSS, RECENT, angles, progress, rates, ticks
from hil.live.plot import bar
from hil.records.baselines import told

LINK = ("frames", "resent", "damaged", "lost_telemetry", "replugged", "recovered")
"""Counts of the line that are shown; all but the first are troubles."""
CELLS = 4
"""Watched cells that have a line, the first of them."""
HELP = (
    "p  pause: nothing new is sent; p again goes on",
    "c  checkpoint now (in a run with --commit or --resume)",
    "q  stop: the record is written, exit code 130",
    "?  hide this",
)


@dataclass(frozen=True)
class Sight:
    """All that one picture shows. `rate`: steps per second of the latest while;
    `keys`: whether there is a keyboard; `said`: what the latest key has done."""

    begun: Begun
    status: Status
    history: History
    rate: float | None
    keys: bool
    paused: bool = False
    help: bool = False
    said: str = ""


def lines(sight: Sight, width: int) -> list[list[Part]]:
    """What always is below the panels; a line that does not fit loses its end."""
    rows = [_steps(sight, width), _link(sight, width), _memory(sight, width)]
    if (
        beside := told(sight.status.baselines)
    ) and sight.status.prequential is not None:
        rows.append(
            [
                ("right   ", DIM),
                (f"{sight.status.prequential:.1%} before learned", RECENT),
                (beside, DIM),
            ]
        )
    if any(angle is not None for layer in sight.history.angles for angle in layer):
        rows.append(angles(sight.history, width))
    if sight.history.rates:
        rows.append(rates(sight.history.rates, width))
    shown = list(sight.history.ticks.items())[:CELLS]
    rows += [ticks(cell, told, width) for cell, told in shown]
    if sight.keys:
        rows += [[(text, "")] for text in HELP] if sight.help else [_keys(sight)]
    return rows


def _steps(sight: Sight, width: int) -> list[Part]:
    status, begun = sight.status, sight.begun
    told = f"{status.step:,} of {status.steps:,} "
    if begun.tasks:
        told += f"({begun.tasks[sight.history.task]}) "
    if sight.paused:
        pace = [("  PAUSED", "bold yellow")]
    elif sight.rate is None:
        pace = [(f"  {begun.kind}", DIM)]
    else:
        pace = [(f"  {sight.rate:,.0f} steps/s", "bold"), (f" ({begun.kind})", DIM)]
        if sight.rate > 0:
            left = (status.steps - status.step) / sight.rate
            pace.append((f"  {_clock(left)} left", DIM))
    counted = status.instructions
    if counted is not None:
        pace.append((f"  {counted:,} instr/step (counted)", DIM))
    taken = 8 + len(told) + 5 + sum(len(text) for text, _ in pace)
    room = max(8, min(40, width - taken))
    bars = progress(status.step, status.steps, room)
    return whole([("steps   ", DIM), (told, ""), *bars, *pace], width)


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _link(sight: Sight, width: int) -> list[Part]:
    """All counts where they fit, else those that are not zero."""
    counts = {name: sight.status.link[name] for name in LINK}
    for gap in ("  ", " "):
        parts = [("link    ", DIM), *_counts(counts, gap)]
        if sum(len(text) for text, _ in parts) <= width:
            return parts
    some = {name: count for name, count in counts.items() if count}
    none: list[Part] = [("nothing lost", RECENT)] if len(some) < 2 else []
    return [("link    ", DIM), *_counts(some, "  "), *none]


def _counts(counts: Mapping[str, int], gap: str) -> list[Part]:
    parts: list[Part] = []
    for name, count in counts.items():
        trouble = bool(count) and name != LINK[0]
        parts.append((name.replace("_", " ") + " ", "yellow" if trouble else DIM))
        parts.append((f"{count:,}{gap}", "bold yellow" if trouble else ""))
    return parts


def _memory(sight: Sight, width: int) -> list[Part]:
    begun, status = sight.begun, sight.status
    parts: list[Part] = [("memory  ", DIM)]
    if begun.ram is not None and begun.ram_of:
        share = begun.ram / begun.ram_of
        full = LOSS if share > 0.9 else "yellow" if share > 0.7 else RECENT
        if width >= 72:
            parts.append((bar(share, 16), f"{full} on grey23"))
            parts.append((f" {_size(begun.ram)} of {_size(begun.ram_of)} RAM  ", ""))
        else:
            parts.append((f"{share:.0%} of {_size(begun.ram_of)} RAM  ", ""))
    elif begun.ram is not None:
        parts.append((f"{_size(begun.ram)} RAM  ", ""))
    if status.stack:
        deep = begun.stack_bound is not None and status.stack > begun.stack_bound
        parts.append((f"stack {status.stack:,}", LOSS if deep else ""))
        if begun.stack_bound is not None:
            parts.append((f" of {begun.stack_bound:,}", DIM))
        parts.append((" bytes", DIM))
    return parts


def _size(count: int) -> str:
    """Bytes as a person reads them."""
    for unit, size in (("MiB", 2**20), ("KiB", 2**10)):
        if count >= 10 * size:
            return f"{count / size:,.0f} {unit}"
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def _keys(sight: Sight) -> list[Part]:
    write = sight.begun.checkpoints
    parts: list[Part] = [
        ("p ", "bold"), ("goes on  " if sight.paused else "pause  ", DIM),
        ("c ", "bold" if write else DIM),
        ("checkpoint  " if write else "(no checkpoints)  ", DIM),
        ("q ", "bold"), ("stop  ", DIM), ("? ", "bold"), ("help", DIM),
    ]  # fmt: skip
    return [*parts, (f"  {sight.said}", "yellow")] if sight.said else parts
