"""The baseline: what small cases cost when somebody last agreed to it.

A TOML file of cases, each an experiment and what was counted of it. Whoever
changes the generated code recounts; a figure that has grown by more than 1 %
fails, and accepting it is a change of the file that a reviewer sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from codegen.building import toolchain
from hil import documents
from hil.errors import UsageError
from hil.experiment import Experiment, as_toml
from hil.keys import KEYS
from hil.lesson.building import build, plan_for
from hil.measuring.steps.bench import lesson_for
from hil.measuring.steps.counting import count
from targets import storage

ALLOWED = 0.01
"""Growth that is let pass."""

FIGURES = ("instructions", "forward", "code")
"""Instructions of a step and of inference alone, bytes of code a step runs."""

HEAD = """\
# What a learning step of small cases costs, counted: CI fails where a figure grows by more than 1 %.
# instructions: a step's mean; forward: inference alone; code: bytes of the functions that a step runs.
# To accept what the code at hand costs:
#
#     hil bench step --baseline {path} --update
"""


@dataclass(frozen=True)
class Case:
    """An experiment, and what was `counted` of it (empty: not yet)."""

    name: str
    keys: Mapping[str, Any]
    warm: int
    counted: Mapping[str, float]

    @property
    def experiment(self) -> Experiment:
        """Raises `UsageError` for a key or a value that there is not."""
        known = {key.name for key in KEYS}
        for name in self.keys:
            if name not in known:
                raise UsageError(
                    f"baseline case {self.name!r} has an unknown key {name!r}"
                )
        return Experiment(**self.keys)


@dataclass(frozen=True)
class Baseline:
    """Cases, and the compiler that their figures were counted with."""

    toolchain: str
    cases: tuple[Case, ...]

    def updated(self, counted: Sequence[Case]) -> Baseline:
        """With these cases, of the compiler at hand."""
        case = counted[0].experiment
        compiler = toolchain.find(lesson_for(case).target, case.toolchain)
        return Baseline(compiler.version, tuple(counted))


@dataclass(frozen=True)
class Change:
    """A figure before and now."""

    case: str
    figure: str
    before: float
    now: float

    @property
    def grown(self) -> bool:
        """Whether by more than is allowed."""
        return self.now > self.before * (1 + ALLOWED)

    @property
    def sentence(self) -> str:
        """For people."""
        return (
            f"{self.figure} of {self.case}: {self.before:,.1f} to {self.now:,.1f} "
            f"({self.now / self.before - 1:+.1%})"
        )


def load(path: Path) -> Baseline:
    """The baseline in a file. Raises `UsageError`."""
    origin = f"baseline {str(path)!r}"
    document = documents.toml(documents.read(path, origin), origin)
    try:
        cases = tuple(
            Case(
                str(one["name"]), dict(one["experiment"]), int(one["warm"]),
                dict(one.get("counted", {})),
            )
            for one in document["case"]
        )  # fmt: skip
        return Baseline(str(document.get("toolchain", "")), cases)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(
            f"{origin} cannot be read: {error!r}",
            "expected [[case]] with name, warm and experiment, as in tests/baseline",
        ) from None


def save(path: Path, baseline: Baseline) -> None:
    """Write it, in the order of its cases."""
    lines = [HEAD.format(path=path.as_posix()), f'toolchain = "{baseline.toolchain}"']
    for case in baseline.cases:
        lines += ["", "[[case]]", f'name = "{case.name}"', f"warm = {case.warm}"]
        lines += [f"experiment = {_inline(case.keys)}"]
        lines += [f"counted = {_inline(case.counted)}"]
    storage.write(path, "\n".join(lines) + "\n")


def _inline(table: Mapping[str, Any]) -> str:
    rows = (f"{name} = {as_toml(value)}" for name, value in table.items())
    return "{ " + ", ".join(rows) + " }"


def recount(case: Case) -> Case:
    """The same case as the code at hand costs it. Raises what counting raises."""
    lesson = lesson_for(case.experiment, case.warm)
    plan = plan_for(lesson)
    compiler = toolchain.find(lesson.target, lesson.experiment.toolchain, plan.vlen)
    found = count(
        lesson, build(plan, lesson.experiment.toolchain), compiler, case.warm
    )  # fmt: skip
    figures = (round(found.mean, 1), round(found.forward.total, 1), found.code)
    return replace(case, counted=dict(zip(FIGURES, figures, strict=True)))


def changes(before: Case, now: Case) -> list[Change]:
    """Every figure that both have and that is another now."""
    return [
        Change(before.name, figure, before.counted[figure], now.counted[figure])
        for figure in FIGURES
        if figure in before.counted and before.counted[figure] != now.counted[figure]
    ]


def text(before: Case, now: Case) -> str:
    """A line for people: what is counted now, and how it has changed."""
    parts = []
    for figure in FIGURES:
        value, known = now.counted[figure], before.counted.get(figure)
        change = f" ({value / known - 1:+.1%})" if known and known != value else ""
        parts.append(f"{figure} {value:,}{change}")
    return "  ".join(parts)
