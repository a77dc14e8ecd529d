"""The memory bill of an image without a network, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.machine_code import stack
from codegen.machine_code.stack import Bound
from hil.desk.link_only import LinkBuilt, LinkOnly
from hil.device import units
from hil.measuring.memory import answer
from hil.records.record import from_device


def bounds(wanted: LinkOnly, built: LinkBuilt) -> dict[str, Bound]:
    """Stacks of the image by name; none where nothing tells what calls what."""
    found = stack.read(built.image.path, wanted.target, wanted.vlen)
    if found is None:
        return {}
    roots = {"stack": stack.MAIN, "trap stack": stack.TRAPS}
    return {n: found.bound(r) for n, r in roots.items() if r in found.graph.nodes}


def _of(taken: int, there: int | None) -> str:
    """What of a memory is taken, and what is left of it."""
    return "" if there is None else f"of {there:,}: {there - taken:,} are left"


def _kind(wanted: LinkOnly) -> str:
    return from_device(units.board_of(wanted.experiment.unit, wanted.target.name))


def lines(wanted: LinkOnly, built: LinkBuilt, watermark: int | None) -> Iterator[str]:
    """Every figure, for a terminal."""
    plan, image, memory = built.plan, built.image, wanted.target.memory
    yield answer.sentence(answer.fit_alone(plan), wanted.target, image.text)
    yield ""
    yield f"image without a network on {plan.target.name}: bytes, counted"

    def row(name: str, size: int, meaning: str) -> str:
        return f"  {name:16} {size:12,}  {meaning}".rstrip()

    for item in sorted(plan.bill, key=lambda item: -item.bytes):
        yield row(item.name, item.bytes, item.kind)
    yield row("RAM", plan.ram, _of(plan.ram, memory.usable if memory else None))
    if image.text is not None:
        rom = memory.rom if memory else None
        yield row("code, constants", image.text, _of(image.text, rom))
    for name, bound in bounds(wanted, built).items():
        yield row(f"{name} used", bound.bytes, f"at most, by {bound}")
    if watermark is not None:
        yield row("stack used", watermark, f"so far ({_kind(wanted)})")
    line = plan.line
    yield f"line     {line.window} frames of {line.max_payload} bytes in flight"
    if not wanted.target.fma:
        yield "no network here; --network 64-24-10 bills one in i16, without floats"


def to_json(
    wanted: LinkOnly, built: LinkBuilt, watermark: int | None = None
) -> dict[str, Any]:
    """The document; docs/record.md says what each key means."""
    image, measured = (
        built.image,
        {} if watermark is None else {"watermark": _kind(wanted)},
    )
    counted = dict.fromkeys(("fit", "image", "bill", "stacks"), "counted")
    return {
        "fit": answer.to_json(answer.fit_alone(built.plan)),
        "target": wanted.target.name,
        "network": None,
        "rule": None,
        "toolchain": image.toolchain,
        "image": {"build_digest": image.digest, "text": image.text, "ram": image.ram},
        "stacks": {
            name: {"bound": bound.bytes, "chain": list(bound.chain)}
            for name, bound in bounds(wanted, built).items()
        },
        "bill": [
            {"name": item.name, "bytes": item.bytes, "kind": item.kind}
            for item in built.plan.bill
        ],
        "watermark": watermark,
        "provenance": {**counted, **measured},
    }
