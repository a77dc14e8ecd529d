"""The byte tables of docs/protocol.md, made from the declaration.

`python -m hil.device.protocol_tables` prints them; with a path it puts them between
the document's two markers. A test holds the two equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from codegen import protocol
from codegen.protocol import Layout, Message

BEGIN = "<!-- tables: python -m hil.device.protocol_tables docs/protocol.md -->"
END = "<!-- end of tables -->"
_TYPES = {"B": "u8", "H": "u16", "I": "u32", "Q": "u64", "f": "f32", "s": "bytes"}


def tables() -> str:
    """All messages, statuses and fault causes as Markdown."""
    lines = ["### Messages", "", "| kind | name | meaning |", "|---|---|---|"]
    lines += [
        f"| 0x{m.kind:02x} | {m.name.upper()} | {m.meaning} |"
        for m in protocol.MESSAGES
    ]
    for message in protocol.MESSAGES:
        lines += ["", *_message(message)]
    lines += [
        "",
        "A STEP reply whose status is OUT_OF_STEP has this payload instead:",
        "",
    ]
    lines += _layout(protocol.OUT_OF_STEP)
    lines += ["", "### Checkpoint", "", "In flash, at the start of a slot:", ""]
    lines += _layout(protocol.CHECKPOINT)
    lines += ["", "### Statuses", "", "| status | name | meaning |", "|---|---|---|"]
    lines += [
        f"| {status.value} | {status.name} | {text} |"
        for status, text in protocol.STATUS_TEXT.items()
    ]
    lines += ["", "### Fault causes", "", "| cause | meaning |", "|---|---|"]
    lines += [f"| {int(cause):#x} | {text} |" for cause, text in protocol.TRAPS.items()]
    return "\n".join(lines) + "\n"


def _message(message: Message) -> Iterator[str]:
    yield f"### {message.name.upper()}"
    for what, kind, layout in (
        ("Request", message.kind, message.request),
        (
            "Reply" if message.request else "Sent by the device",
            message.kind | (protocol.REPLY if message.request else 0),
            message.reply,
        ),
    ):
        if layout is not None:
            yield ""
            size = f"{layout.size} bytes" + (" and a tail" if layout.tail else "")
            yield f"{what}, kind 0x{kind:02x}, payload of {size}:"
            yield ""
            yield from _layout(layout)


def _layout(layout: Layout) -> Iterator[str]:
    if not layout.fields and not layout.tail:
        yield "(empty)"
        return
    yield "| offset | size | type | field | meaning |"
    yield "|---|---|---|---|---|"
    offset = 0
    for field in layout.fields:
        kind = _TYPES[field.code]
        yield f"| {offset} | {field.size} | {kind} | {field.name} | {field.meaning} |"
        offset += field.size
    if layout.tail:
        yield f"| {offset} | rest | | tail | {layout.tail} |"


def insert(document: str) -> str:
    """`document` with the tables between its markers brought up to date."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the document has no markers for the tables")
    return f"{before}{begin}\n\n{tables()}\n{end}{after}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        target = Path(sys.argv[1])
        target.write_text(insert(target.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(tables(), end="")
