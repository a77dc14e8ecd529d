"""The memory bill for people, as Markdown, and for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from hil.data.datasets import DENSE
from hil.lesson.lesson import Lesson
from hil.measuring.memory import answer
from hil.measuring.memory.growth import (
    CLASSES,
    DEPTHS,
    INPUTS,
    SHARE,
    WIDTHS,
    Growth,
    batch,
    batch_that_matters,
)
from hil.measuring.memory.rows import INFERENCE, Row
from hil.records.record import from_device

INDENT = 15 * " "
BATCHES = (1, 8, 32, 128)
NONE = "-"
WIDTH = 96
"""Columns of a terminal that lines keep to."""

LEGEND = (
    "tape     the part of scratch that learning keeps past a layer's forward",
    "stack    at most, below net_infer; for a rule, below net_step",
    "code     that net_infer, for a rule net_step, reaches; kernels in common count twice",
    "RAM      state, pending, scratch and stack; link and runtime are the same for all",
    "x inf.   RAM in that of inference; beside: the same without the state",
)

Column = tuple[str, Callable[[Row, "Row"], str]]


def number(value: int | None) -> str:
    """Bytes with their thousands apart."""
    return NONE if value is None else f"{value:,}"


def _ratio(value: int | None, to: int | None) -> str:
    return NONE if value is None or not to else f"{value / to:.3f}"


def _beside(row: Row) -> int | None:
    """RAM beside the weights that inference has too."""
    return (
        None if row.ram is None or row.network is None else row.ram - row.network.state
    )


def _columns(rows: Sequence[Row]) -> list[Column]:
    """Every class is a column; pending only where a layer is fused."""

    def network(name: str) -> Callable[[Row, Row], str]:
        return lambda row, base: number(getattr(row.network, name, None))

    pending = any(row.network and row.network.pending for row in rows)
    return [
        ("const", network("const")),
        ("state", network("state")),
        *([("pending", network("pending"))] if pending else []),
        ("scratch", network("scratch")),
        ("tape", network("tape")),
        ("stack", lambda row, base: number(row.code and row.code.stack.bytes)),
        ("code", lambda row, base: number(row.code and row.code.code)),
        ("RAM", lambda row, base: number(row.ram)),
        ("x inf.", lambda row, base: _ratio(row.ram, base.ram)),
        ("beside", lambda row, base: _ratio(_beside(row), _beside(base))),
    ]


def title(lesson: Lesson) -> str:
    """What the bill is of."""
    network, target = lesson.spec.network, lesson.target.name
    vlen = f", VLEN {lesson.vlen}" if lesson.vlen else ""
    kind = f"{network.activation}/{network.output}"
    inputs = lesson.spec.inputs
    told = inputs.window or inputs.front or inputs.frozen
    samples = f"{inputs}" if told else f"{inputs} samples"
    if lesson.dataset.name == DENSE:
        samples += " without zeros"
    return f"{network} {kind}, {samples}, on {target}{vlen}"


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[tuple[str, list[str]]]]:
    columns, base = _columns(rows), rows[0]
    heads = [head for head, _ in columns]
    lines = [(row.rule, [show(row, base) for _, show in columns]) for row in rows]
    return heads, lines


def aligned(
    heads: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]]
) -> Iterator[str]:
    """A table whose first column is text and whose others are numbers."""
    widths = [
        max(len(head), *(len(cells[place]) for _, cells in lines if cells))
        for place, head in enumerate(heads)
    ]
    first = max(len(name) for name, _ in lines)
    for name, cells in [("", heads), *lines]:
        row = "  ".join(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=False))
        yield f"{name:{first}}  {row}".rstrip()


def _has_figures(row: Row) -> bool:
    return row.network is not None


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Rules as rows, classes as columns; then the rules that have no figures."""
    heads, lines = _cells([row for row in rows if _has_figures(row)])
    yield from aligned(heads, lines)
    for row in rows:
        if row.refused is not None:
            said = "not here" if row.network is None else "refused"
            line = f"{row.rule}  {said}: {row.refused}"
            yield from wrap(line, WIDTH, subsequent_indent="    ")


def markdown(rows: Sequence[Row], lesson: Lesson) -> Iterator[str]:
    """The same table for a document."""
    heads, lines = _cells([row for row in rows if _has_figures(row)])
    yield f"| {title(lesson)} | " + " | ".join(heads) + " |"
    yield "|---|" + "--:|" * len(heads)
    for name, cells in lines:
        yield f"| {name} | " + " | ".join(cells) + " |"


def layers(row: Row, lesson: Lesson) -> Iterator[str]:
    """One rule's layers: before tensors share the arena."""
    assert row.network is not None
    heads = ("shape", "way", "const", "state", "pending", "scratch", "tape")
    planned = {
        layer.number: layer for layer in (row.built.plan.layers if row.built else ())
    }
    lines = []
    for share in row.network.layers:
        layer = planned.get(share.layer)
        shape = f"{layer.shape.n_in} x {layer.shape.n_out}" if layer else NONE
        figures = (share.const, share.state, share.pending, share.scratch, share.tape)
        cells = [shape, layer.way if layer else NONE, *map(number, figures)]
        lines.append(
            (f"  layer {share.layer}" if share.layer else "  no layer's", cells)
        )
    yield from aligned(heads, lines)


def largest(row: Row) -> str:
    """A row's largest tensors."""
    assert row.network is not None
    items = (f"{i.name} {i.bytes:,} ({i.kind})" for i in row.network.largest)
    return f"  {row.rule:12} {', '.join(items)}"


def image(row: Row, lesson: Lesson, watermark: int | None = None) -> Iterator[str]:
    """The whole image of a rule."""
    whole = row.whole
    if whole is None or row.built is None:
        return
    memory = row.built.plan.target.memory
    kind = from_device(lesson.board)
    used = f", {watermark:,} used ({kind})" if watermark is not None else ""
    room = f" of {memory.stack:,}" if memory else ""
    yield f"  {row.rule:12} RAM {whole.ram:,}, stack at most {whole.stack.bytes:,}{room}{used}"
    yield from wrap(
        str(whole.stack), WIDTH, initial_indent=INDENT, subsequent_indent=INDENT
    )


def orders(found: Sequence[Growth], n_out: int) -> Iterator[str]:
    """What grows how."""
    yield f"growth with depth L and width n of {INPUTS}-n-...-n-{n_out}, dense layers; counted at"
    yield f"L {', '.join(map(str, DEPTHS))} and n {', '.join(map(str, WIDTHS))}"
    lines = [
        (
            f"  {g.rule}",
            [f"O({g.orders[c]})" if g.orders[c] != "0" else NONE for c in CLASSES],
        )
        for g in found
    ]
    yield from aligned(CLASSES, lines)
    for growth in found:
        if growth.k is not None:
            inner = ", ".join(
                f"{c} O({growth.k[c]})" for c in CLASSES if growth.k[c] != "0"
            )
            yield f"  {growth.rule:12} in K: {inner}"


def finding(row: Row) -> str:
    """How much the tape is, and from which batch on it matters."""
    net = row.network
    assert net is not None
    if not net.tape:
        return f"  {row.rule:12} keeps no tape at any batch"
    ram = row.ram or net.state + net.pending + net.scratch
    at = batch_that_matters(net)
    return (
        f"  {row.rule:12} {net.tape:,} bytes at batch 1, {net.tape / ram:.2%} of its RAM; "
        f"{SHARE:.0%} of the state from batch {at:,} on"
    )


def lines(
    rows: Sequence[Row],
    found: Sequence[Growth] | None,
    lesson: Lesson,
    watermarks: Mapping[str, int],
) -> Iterator[str]:
    """Everything, for a terminal; `found` is how it grows, None where nobody asked."""
    known = [row for row in rows if _has_figures(row)]
    rules = [row for row in known if row.rule != INFERENCE]
    own = next((row for row in rules if row.rule == lesson.experiment.rule), None)
    asked = next(row for row in rows if row.rule == lesson.experiment.rule)
    if (fit := answer.fit_of(asked)) is not None:
        text = asked.built.image.text if asked.built else None
        yield answer.sentence(fit, lesson.target, text)
        yield ""
    if not known:
        return
    yield from wrap(f"memory of {title(lesson)}: bytes, counted", WIDTH)
    yield ""
    yield from table(rows)
    yield ""
    yield from LEGEND
    if own is not None:
        yield ""
        yield f"layers of {own.rule}, scratch before it is shared in the arena"
        yield from layers(own, lesson)
    yield ""
    yield "largest"
    for row in known:
        yield from wrap(largest(row), WIDTH, subsequent_indent=" " * 15)
    if any(row.whole for row in rules):
        yield ""
        yield "whole image, and the deepest chain of calls"
        for row in rules:
            yield from image(row, lesson, watermarks.get(row.rule))
    if found is None:
        return
    yield ""
    yield from orders(found, lesson.spec.network.n_out)
    yield ""
    yield "tape with the batch: modelled, what lives past its layer's forward times B"
    for row in rules:
        yield finding(row)


def to_json(
    rows: Sequence[Row],
    found: Sequence[Growth] | None,
    lesson: Lesson,
    watermarks: Mapping[str, int],
) -> dict[str, Any]:
    """The document; docs/record.md says what each key means."""
    base = rows[0]
    own = next(row for row in rows if row.rule == lesson.experiment.rule)
    fit = answer.fit_of(own)
    return {
        "fit": fit and answer.to_json(fit),
        "target": lesson.target.name,
        "vlen": lesson.vlen,
        "network": list(lesson.spec.network.layers),
        "rule": lesson.experiment.rule,
        "rules": [_entry(row, base, watermarks) for row in rows],
        "growth": None if found is None else [
            {"rule": g.rule, "orders": dict(g.orders), "k": g.k and dict(g.k),
             "depths": {str(d): dict(b) for d, b in g.depths.items()},
             "widths": {str(w): dict(b) for w, b in g.widths.items()}}
            for g in found
        ],
        "provenance": {
            "fit": "counted", "rules": "counted", "rules.batch": "modelled",
            **({} if found is None else {"growth": "counted"}),
            **({"rules.watermark": from_device(lesson.board)} if watermarks else {}),
        },
    }  # fmt: skip


def _entry(row: Row, base: Row, watermarks: Mapping[str, int]) -> dict[str, Any]:
    net, code, whole = row.network, row.code, row.whole
    entry: dict[str, Any] = {
        "rule": row.rule,
        "error": str(row.refused) if row.refused is not None else None,
        **{
            kind: getattr(net, kind) if net else None
            for kind in ("const", "state", "pending", "scratch", "tape")
        },
        "stack_bound": code and code.stack.bytes,
        "stack_chain": list(code.stack.chain) if code else None,
        "code": code and code.code,
        "code_shared": code and code.shared,
        "ram": row.ram,
        "ratio": row.ram / base.ram if row.ram and base.ram else None,
        "layers": [vars(share) for share in net.layers] if net else [],
        "largest": [vars(item) for item in net.largest] if net else [],
        "batch": {str(b): batch(net, b) for b in BATCHES} if net else {},
        "watermark": watermarks.get(row.rule),
        "image": None,
    }
    if whole is not None:
        entry["image"] = {
            "ram": whole.ram,
            "text": whole.text,
            "stack_bound": whole.stack.bytes,
            "stack_chain": list(whole.stack.chain),
            "trap_stack_bound": whole.traps and whole.traps.bytes,
        }
    return entry
