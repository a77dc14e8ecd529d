"""What the page says in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hil.records.verdict import computed, in_integers
from hil.reports.provenance import Number
from hil.reports.runs import Collected, Run
from hil.reports.tables import NONE, Cell, Table

PILLS = {"pass": "bit-exact", "fail": "not bit-exact", "error": "error"}


@dataclass(frozen=True)
class Verdict:
    """The verdict on a run. `state` is pass, fail or error; `pill` two words for it;
    `hints` say what to do; `difference` is the first, if there was one."""

    run: Run
    state: str
    pill: str
    sentence: str
    hints: tuple[str, ...] = ()
    difference: Table | None = None


def title(collected: Collected) -> str:
    """The heading of the page."""
    if collected.demo is not None:
        told = collected.demo.document
        return str(told.get("title") or f"Demo {told.get('demo')}")
    runs = collected.runs
    if len(runs) == 1:
        how = "learned" if _computed(runs[0]) is None else "by a model"
        return f"{_of_data(runs[0])}, {how} on {_machine(runs[0])}"
    names = dict.fromkeys(_of_data(run) for run in runs)
    return f"{', '.join(names)}: {len(runs)} runs side by side"


def lede(collected: Collected) -> str:
    """The outcome of a demo; then what learned, by what, on what, in one sentence for
    all that share it."""
    came = str(collected.demo.document.get("verdict") or "") if collected.demo else ""
    shared: dict[str, list[Run]] = {}
    for run in collected.runs:
        shared.setdefault(_learned(run), []).append(run)
    told = [f"{came[:1].upper()}{came[1:]}."] if came else []
    if len(shared) > 2:
        told.append("Settings, and in what they differ, stand under To repeat it.")
        return " ".join(told)
    for sentence, runs in shared.items():
        seeds = list(dict.fromkeys(str(run.get("seed")) for run in runs))
        which = "seed" if len(seeds) == 1 else "seeds"
        who = ", ".join(run.label for run in runs) + ": " if len(shared) > 1 else ""
        told.append(f"{who}{sentence}, {which} {', '.join(seeds)}.")
    return " ".join(told)


def _computed(run: Run) -> str | None:
    """The name of the model that it has computed as it is."""
    return computed(run.get("experiment") or {})


def _learned(run: Run) -> str:
    network = "-".join(map(str, run.get("network") or ()))
    where = f"on the board {run.unit!r}" if run.unit else f"on {_machine(run)}"
    if (model := _computed(run)) is not None:
        return f"Model {model} ({network}) computes samples {where}, and learns nothing"
    return (
        f"Network {network} ({run.get('activation')}/{run.get('output')}) learns by "
        f"{run.get('rule')}{in_integers(run.get('format') or 'f32')} {where}"
    )


def _of_data(run: Run) -> str:
    name = str(run.get("data"))
    return name.replace("\\", "/").rpartition("/")[2].removesuffix(".npz")


def _machine(run: Run) -> str:
    vlen = run.get("vlen")
    board = run.get("board")
    return (
        f"{run.get('target')}"
        + (f" (VLEN {vlen})" if vlen else "")
        + (f", {board}" if board else "")
    )


def verdict(run: Run) -> Verdict:
    """Pass, fail or error, and why."""
    state = str(run.get("result"))
    error = run.get("error") or {}
    hints = tuple(map(str, error.get("hints") or ()))
    found = _difference(run)
    if state == "pass":
        return Verdict(run, state, _pill(run), _passed(run), hints)
    sentence = str(error.get("sentence") or "It did not pass, and does not say why.")
    pill = PILLS.get(state, state)
    if state == "fail" and found is None:
        pill = "not compared" if not run.get("compared") else "failed"
    return Verdict(run, state, pill, sentence, hints, found)


def _pill(run: Run) -> str:
    if not run.get("compared"):
        return "not compared"
    return PILLS["pass"]


def _passed(run: Run) -> str:
    compared, learned = run.get("compared") or 0, run.get("learned") or 0
    first = run.get("resumed_from") or 0
    if not compared:
        return f"{learned:,} steps learned; the device went on alone, nothing was compared."
    all_of = compared >= learned - first
    digest = run.get("digest") if all_of else run.get("prefix_digest")
    held = f"; state digest {digest}" if digest else ""
    rest = "" if all_of else f" of {learned:,}; the others were not compared"
    if _computed(run) is not None:
        return (
            f"Device and numpy agree to the bit in all outputs of {compared:,} samples."
        )
    return f"Device and numpy agree to the bit in {compared:,} steps{rest}{held}."


def _difference(run: Run) -> Table | None:
    """The first difference: both values."""
    found: dict[str, Any] | None = run.get("divergence")
    if not found:
        return None
    index = ", ".join(map(str, found.get("index") or ()))
    place = f"step {found['step']} ({found['when']}), {found['tensor']}"
    rows: list[tuple[Cell, ...]] = []
    for side in ("device", "reference"):
        kind = run.kind(f"divergence.{side}")
        rows.append(
            (side, *(_value(found.get(key), kind) for key in (side, f"{side}_bits")))
        )
    ulp = found.get("ulp")
    apart = Number(ulp, f"{ulp:,} ulp", run.kind("divergence.ulp")) if ulp is not None else None  # fmt: skip
    rows.append(("apart", apart, None))
    return Table(
        f"difference-{run.place + 1}",
        f"First difference: {place}" + (f"[{index}]" if index else ""),
        ("", "value", "bits"),
        tuple(rows),
        note=str(found.get("note") or ""),
    )


def _value(value: Any, kind: str) -> Number | str:
    if value is None:
        return NONE
    text = f"{value:.9g}" if isinstance(value, float) else str(value)
    return Number(value, text, kind)
