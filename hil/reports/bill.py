"""The memory bill of a run: planned once more from its experiment, and read from its
image where that lies in its folder. Nothing is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.render import render
from hil import record as records
from hil.building import plan_for
from hil.errors import HilError
from hil.experiment import load
from hil.lesson import prepare
from hil.memory.rows import Row, of_image
from hil.replay import IMAGE
from hil.reports import look
from hil.reports.look import Picture
from hil.reports.runs import Run

KIND = "counted"
PARTS = ("state", "pending", "scratch", "tape", "stack")
"""What RAM is made of; here scratch is what is no tape."""
MEANING = (
    "state: what learning changes; scratch: what does not outlive a step; tape: "
    "activations kept past the forward pass to learn from; stack: at most. Link and "
    "runtime are the same for all."
)
NOT_RERUN = ("save", "flash", "faults", "init")
"""Keys that name what may be gone by now, and do not change the plan."""


@dataclass(frozen=True)
class Bill:
    """Of these runs: inference alone and the rule, or why there is none."""

    runs: tuple[Run, ...]
    rows: tuple[Row, ...] = ()
    missing: str = ""

    @property
    def stack_known(self) -> bool:
        """Whether the image tells what calls what."""
        return all(row.code is not None for row in self.rows)


def parts(row: Row) -> dict[str, int | None]:
    """Bytes of each of `PARTS`; None where nothing tells."""
    net = row.network
    assert net is not None
    stack = row.code.stack.bytes if row.code else None
    return {
        "state": net.state, "pending": net.pending, "scratch": net.scratch - net.tape,
        "tape": net.tape, "stack": stack,
    }  # fmt: skip


def total(row: Row) -> int:
    """Bytes of all parts that are known."""
    return sum(value or 0 for value in parts(row).values())


def bills(runs: Sequence[Run]) -> list[Bill]:
    """A bill for all runs that have the same one, in their order."""
    made: dict[object, list[Run]] = {}
    found: dict[object, Bill] = {}
    of_build: dict[object, Bill] = {}
    for run in runs:
        build = run.get("image.build_digest") or run
        one = of_build[build] = of_build.get(build) or _bill(run)
        key = one.missing or tuple(tuple(parts(row).items()) for row in one.rows)
        made.setdefault(key, []).append(run)
        found.setdefault(key, one)
    return [Bill(tuple(made[key]), b.rows, b.missing) for key, b in found.items()]


def _bill(run: Run) -> Bill:
    try:
        asked = load(run.folder / records.EXPERIMENT)
        lesson = prepare(asked.override(dict.fromkeys(NOT_RERUN)))
        plan = plan_for(lesson)
        differs = render(plan).differs_from(run.folder)
        rows = of_image(plan, run.folder / IMAGE, lesson.vlen)
    except HilError as error:
        return Bill((run,), (), f"It cannot be planned again: {error}.")
    if differs is not None and run.get("image.build_digest") is not None:
        return Bill(
            (run,), (), f"This version of hil generates another {differs} than the "
            "run's, so that its bill would be of another image.",
        )  # fmt: skip
    return Bill((run,), rows)


def picture(bill: Bill, number: int) -> Picture | None:
    """Bars of RAM: all of it, and what is beside the weights."""
    if not bill.rows:
        return None
    used = [p for p in PARTS if any(parts(row)[p] for row in bill.rows)]
    with look.styled():
        figure, (whole, beside) = look.canvas(height=2.5, rows=2)
        for axes, shown in ((whole, used), (beside, [p for p in used if p != "state"])):
            for row in bill.rows:
                left = 0
                for part in shown:
                    size = parts(row)[part] or 0
                    axes.barh(
                        row.rule, size, left=left, height=0.62,
                        color=look.colour(PARTS.index(part)), edgecolor=look.PAPER,
                        linewidth=0.6,
                        label=part if axes is whole and row is bill.rows[0] else None,
                    )  # fmt: skip
                    left += size
                axes.annotate(
                    f"{left:,}", (left, row.rule), (4, 0), textcoords="offset points",
                    va="center", fontsize=look.LETTERS - 1,
                )  # fmt: skip
            axes.invert_yaxis()
            axes.grid(False, axis="y")
            axes.margins(x=0.16)
            axes.xaxis.set_major_locator(look.few_ticks())
            axes.xaxis.set_major_formatter("{x:,.0f}")
            axes.tick_params(axis="y", length=0)
        whole.set_title("bytes of RAM", loc="left", color=look.MUTED)
        beside.set_title("of these, beside the state", loc="left", color=look.MUTED)
        figure.legend(loc="outside lower left", ncols=len(used), handlelength=1.0)
    what = "" if bill.stack_known else " The stack is not known of this image."
    return Picture(f"memory-{number}", "RAM: learning and inference",
                   MEANING + what, (KIND,), figure)  # fmt: skip
