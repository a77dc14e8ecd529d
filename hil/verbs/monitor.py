"""hil monitor: show what a device says, without saying anything oneself."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from hil import output
from hil.errors import LinkError, UsageError

if TYPE_CHECKING:
    from hil.device.link.frame import Frame
    from hil.device.units import Unit

HELP = "show the frames and the text on a port, or in a run's console.bin"
SHOWN = 64
CHUNK = 1 << 16
AGAIN = 0.2
"""Seconds between two attempts to open a port that has gone."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil monitor`."""
    parser.add_argument(
        "source", metavar="SOURCE", nargs="?",
        help="a port, a URL, a recording, or a run's folder",
    )  # fmt: skip
    parser.add_argument(
        "--unit", metavar="NAME|PORT", nargs="?", const="auto",
        help="a unit of the bench instead of SOURCE (without a value: the only one)",
    )  # fmt: skip
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="stop after S seconds (ports only)"
    )


def run(given: argparse.Namespace) -> int:
    """The verb: ends with the recording, after --seconds, or with Ctrl-C."""
    from hil.device.link.frame import Decoder

    if (given.source is None) == (given.unit is None):
        raise UsageError("hil monitor needs SOURCE or --unit, and not both")
    out = output.of(given)
    decoder = Decoder()
    frames: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for data, when in _read(given):
        stamp = f"{when}  " if when else ""
        for frame in decoder.feed(data):
            frames.append({"time": when, **_document(frame)})
            out.line(stamp + _line(frame))
        for text in _lines(decoder.loose()):
            texts.append({"time": when, "text": text})
            out.line(f"{stamp}text      {text}")
    out.line(f"{len(frames)} frames, {decoder.damaged} damaged")
    out.document(
        {
            "frames": frames,
            "texts": texts,
            "damaged": decoder.damaged,
            "stray": decoder.stray.hex(),
        }
    )
    return 0


def _read(given: argparse.Namespace) -> Iterator[tuple[bytes, str | None]]:
    """Bytes as they come, from a file or a port; and when, in UTC, from a port."""
    from pathlib import Path

    from hil.device.units import Unit, chosen
    from hil.records.record import CONSOLE

    if given.unit is not None:
        yield from _listen(chosen(given.unit, None), given.seconds)
        return
    source = given.source
    path = Path(source)
    if path.is_dir():
        path = path / CONSOLE
        if not path.is_file():
            raise UsageError(
                f"folder {source!r} has no {CONSOLE}: expected a run's folder"
            )
    if path.is_file():
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                yield data, None
        return
    if "://" not in source and not os.path.exists(source):
        raise UsageError(f"there is no port, recording or run folder {source!r}")
    yield from _listen(Unit(source, source), given.seconds)


def _listen(unit: Unit, seconds: float | None) -> Iterator[tuple[bytes, str]]:
    """What a unit says, also after its port has gone and come back."""
    from hil.desk import locks
    from hil.device.link.channel import Channel

    end = None if seconds is None else time.monotonic() + seconds
    with locks.held(unit), Channel(unit.url, levels=unit.levels) as channel:
        while (left := _left(end)) > 0:
            try:
                if data := channel.pump(min(left, 1.0)):
                    yield data, _now()
            except LinkError:
                _return_of(channel, unit, end)


def _return_of(channel: Any, unit: Unit, end: float | None) -> None:
    """Until the port is open again, or `end`. Any error of opening it will do: one
    that is plugged in is missing, then not permitted, then there."""
    while (left := _left(end)) > 0:
        try:
            channel.reopen(unit.url)
            return
        except LinkError:
            time.sleep(min(AGAIN, left))


def _left(end: float | None) -> float:
    return 1.0 if end is None else max(0.0, end - time.monotonic())


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _lines(loose: bytes) -> Iterator[str]:
    """Bytes that form no frame, for people: text as it is, the rest in hex."""
    from hil.device.link.frame import TEXT
    from hil.device.link.silence import hexdump

    for line in loose.splitlines():
        if line and set(line) <= TEXT:
            yield line.decode("ascii")
        elif line:
            yield hexdump(line, SHOWN)


def _document(frame: Frame) -> dict[str, Any]:
    from codegen.protocol import MESSAGES, REPLY

    kind, reply = frame.kind & ~REPLY, bool(frame.kind & REPLY)
    message = next((m for m in MESSAGES if m.kind == kind), None)
    fields: dict[str, Any] = {}
    if message is not None:
        layout = message.reply if reply or message.request is None else message.request
        fields = _fields(layout, frame.payload)
    return {
        "kind": f"{kind:#04x}" if message is None else message.name,
        "reply": reply,
        "status": frame.status,
        "seq": frame.seq,
        "boot": f"{frame.boot:08x}",
        "fields": fields,
        "payload": frame.payload.hex(),
    }


def _fields(layout: Any, payload: bytes) -> dict[str, Any]:
    """A payload's fields by name; none where it has not the form of its kind."""
    try:
        values, tail = layout.unpack(payload)
    except (AttributeError, ValueError):
        return {}
    shown = {name: _plain(value) for name, value in values.items()}
    return {**shown, **({"tail": tail.hex()} if tail else {})}


def _plain(value: object) -> object:
    """Text of a field of characters, hex of one of bytes."""
    if not isinstance(value, bytes):
        return value
    text = value.rstrip(b"\0")
    return (
        text.decode() if text.isascii() and text.decode().isprintable() else value.hex()
    )


def _line(frame: Frame) -> str:
    document = _document(frame)
    told = " ".join(f"{k}={_cut(str(v))}" for k, v in document["fields"].items())
    status = f" status {frame.status}" if document["reply"] else ""
    return (
        f"{document['kind']:9} seq {frame.seq:5} boot {document['boot']}{status}  "
        f"{told or _cut(document['payload'])}"
    )


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}... {len(text)} characters"
