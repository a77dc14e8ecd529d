"""The memory bill of a run: planned once more from its experiment, and read from its
image where that lies in its folder. Nothing is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.planning.planned import Plan
from codegen.rendering.render import render
from hil.errors import HilError, UsageError
from hil.experiment import load
from hil.lesson.building import plan_for
from hil.lesson.preparing import prepare
from hil.measuring.memory.rows import Row, of_image
from hil.records import record as records
from hil.records.record import IMAGE
from hil.records.verdict import computed
from hil.reports import look
from hil.reports.look import Picture
from hil.reports.runs import Run

KIND = "counted"
PARTS = ("state", "pending", "scratch", "tape", "rehearsal", "stack")
"""What RAM is made of; here scratch is what is no tape."""
MEANING = (
    "state: what learning changes; scratch: what does not outlive a step; tape: "
    "activations kept past the forward pass to learn from; rehearsal: samples kept to "
    "learn from again; stack: at most. Link and "
    "runtime are the same for all."
)
NOT_RERUN = ("save", "flash", "faults", "init")
"""Keys that name what may be gone by now, and do not change the plan."""


@dataclass(frozen=True)
class Use:
    """Bytes of each of `PARTS` that inference alone, or a rule, needs; None where
    nothing tells."""

    name: str
    parts: Mapping[str, int | None]

    @property
    def total(self) -> int:
        """Bytes of all parts that are known."""
        return sum(size or 0 for size in self.parts.values())


@dataclass(frozen=True)
class Bill:
    """Of these runs: inference alone and the rule, or why there is none."""

    runs: tuple[Run, ...]
    uses: tuple[Use, ...] = ()
    missing: str = ""

    @property
    def stack_known(self) -> bool:
        """Whether the image tells what calls what."""
        return all(use.parts["stack"] is not None for use in self.uses)


def _use(row: Row, rehearsal: int) -> Use:
    net = row.network
    assert net is not None
    sizes = (
        net.state, net.pending, net.scratch - net.tape, net.tape, rehearsal,
        row.code.stack.bytes if row.code else None,
    )  # fmt: skip
    return Use(row.rule, dict(zip(PARTS, sizes, strict=True)))


def bills(runs: Sequence[Run]) -> list[Bill]:
    """A bill for all runs that have the same one, in their order."""
    made: dict[object, list[Run]] = {}
    found: dict[object, Bill] = {}
    of_build: dict[object, Bill] = {}
    for run in runs:
        build = run.get("image.build_digest") or run
        one = of_build[build] = of_build.get(build) or _bill(run)
        key = one.missing or repr(one.uses)
        made.setdefault(key, []).append(run)
        found.setdefault(key, one)
    return [Bill(tuple(made[key]), b.uses, b.missing) for key, b in found.items()]


def _bill(run: Run) -> Bill:
    if computed(run.get("experiment") or {}) is not None:
        said = (
            "It learns nothing; `hil import MODEL.tflite --target NAME` has a model's."
        )
        return Bill((run,), (), said)
    try:
        asked = load(run.folder / records.EXPERIMENT)
        lesson = prepare(asked.override(dict.fromkeys(NOT_RERUN)))
        plan = plan_for(lesson)
        differs = render(plan).differs_from(run.folder)
        rows = _read(plan, run.folder / IMAGE, lesson.vlen)
    except HilError as error:
        return Bill((run,), (), f"It cannot be planned again: {error}.")
    if differs is not None and run.get("image.build_digest") is not None:
        return Bill(
            (run,), (), f"This version of hil generates another {differs} than the "
            "run's, so that its bill would be of another image.",
        )  # fmt: skip
    kept = sum(item.bytes for item in plan.bill if item.kind == "rehearsal")
    alone, learning = rows
    return Bill((run,), (_use(alone, 0), _use(learning, kept)))


def _read(plan: Plan, image: Path, vlen: int) -> tuple[Row, Row]:
    """The rows of an image that may be no image: a run's folder may hold anything.
    Raises `UsageError`."""
    try:
        return of_image(plan, image, vlen)
    except HilError:
        raise
    except Exception as error:  # whatever elftools makes of such bytes
        raise UsageError(
            f"{str(image)!r} is no image that can be read ({type(error).__name__})"
        ) from error


def picture(bill: Bill, number: int) -> Picture | None:
    """Bars of RAM: all of it, and what is beside the weights."""
    if not bill.uses:
        return None
    used = [p for p in PARTS if any(use.parts[p] for use in bill.uses)]
    with look.styled():
        figure, (whole, beside) = look.canvas(height=2.5, rows=2)
        for axes, shown in ((whole, used), (beside, [p for p in used if p != "state"])):
            for use in bill.uses:
                left = 0
                for part in shown:
                    size = use.parts[part] or 0
                    axes.barh(
                        use.name, size, left=left, height=0.62,
                        color=look.colour(PARTS.index(part)), edgecolor=look.PAPER,
                        linewidth=0.6,
                        label=part if axes is whole and use is bill.uses[0] else None,
                    )  # fmt: skip
                    left += size
                axes.annotate(
                    f"{left:,}", (left, use.name), (4, 0), textcoords="offset points",
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
