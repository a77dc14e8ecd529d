"""What a lesson needs in each format of numbers: what halves, and what stays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from textwrap import wrap
from typing import Any, TypeAlias

from codegen.numbers import NUMBERS
from codegen.planning.planned import Plan
from hil.errors import DescriptorError, HilError, OverBudget, SpecError
from hil.lesson.building import plan_for
from hil.lesson.lesson import Lesson
from hil.measuring.memory import report
from hil.measuring.memory.rows import Row, row_of

InFormats: TypeAlias = Sequence[tuple[str, Row]]
"""Names of formats, each with the bytes of the lesson's rule in it."""


def compare(lesson: Lesson) -> InFormats:
    """All formats, the usual one first; one that the lesson cannot have has its reason."""
    rule, own = lesson.experiment.rule, lesson.spec.numbers.own
    names = [name for name, one in NUMBERS.items() if one.own == own]
    return [(name, row_of(rule, _planned(lesson, name), lesson)) for name in names]


def _planned(lesson: Lesson, name: str) -> Plan | HilError:
    spec = replace(lesson.spec, format=name)
    experiment = replace(lesson.experiment, format=name)
    try:
        return plan_for(replace(lesson, spec=spec, experiment=experiment))
    except (DescriptorError, SpecError, OverBudget) as error:
        return error


@dataclass(frozen=True)
class Bytes:
    """Of one row; `ram` is that of the network with its stack, `image` of all."""

    state: int | None = None
    scratch: int | None = None
    stack: int | None = None
    code: int | None = None
    ram: int | None = None
    image: int | None = None


def _bytes(row: Row) -> Bytes:
    net, code, whole = row.network, row.code, row.whole
    if net is None:
        return Bytes()
    return Bytes(
        net.state, net.pending + net.scratch,
        None if code is None else code.stack.bytes,
        None if code is None else code.code,
        row.ram, None if whole is None else whole.ram,
    )  # fmt: skip


HEADS = (
    "state", "scratch", "stack", "code", "RAM", "whole image's RAM", "state's share",
    "RAM's share",
)  # fmt: skip
"""Shares are of the first format's that has figures."""


def _cells(found: InFormats) -> Iterator[tuple[str, list[str]]]:
    known = [(name, _bytes(row)) for name, row in found if row.network is not None]
    for name, its in known:
        first = known[0][1]
        shares = _share(its.state, first.state), _share(its.ram, first.ram)
        yield name, [*map(report.number, astuple(its)), *shares]


def _share(part: int | None, whole: int | None) -> str:
    return report.NONE if part is None or not whole else f"{part / whole:.3f}"


def _title(lesson: Lesson) -> str:
    return f"{lesson.experiment.rule} {report.title(lesson)}"


def lines(found: InFormats, lesson: Lesson) -> Iterator[str]:
    """The table for a terminal, then the formats that have no figures."""
    yield f"memory of {_title(lesson)}, in each format: bytes, counted"
    yield ""
    yield from report.aligned(HEADS, [*_cells(found)])
    for name, row in found:
        if row.refused is not None:
            yield from wrap(f"{name}  not here: {row.refused}", report.WIDTH)


def markdown(found: InFormats, lesson: Lesson) -> Iterator[str]:
    """The same table for a document."""
    yield f"| {_title(lesson)} | " + " | ".join(HEADS) + " |"
    yield "|---|" + "--:|" * len(HEADS)
    for name, cells in _cells(found):
        yield f"| {name} | " + " | ".join(cells) + " |"


def to_json(found: InFormats, lesson: Lesson) -> dict[str, Any]:
    """The document; docs/record.md says what each key means."""
    return {
        "target": lesson.target.name,
        "vlen": lesson.vlen,
        "network": list(lesson.spec.network.layers),
        "rule": lesson.experiment.rule,
        "formats": [
            {
                "format": name,
                "error": None if row.refused is None else str(row.refused),
                **asdict(_bytes(row)),
            }
            for name, row in found
        ],
        "provenance": {"formats": "counted"},
    }
