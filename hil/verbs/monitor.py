"""hil monitor: show what a device says, without saying anything oneself."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hil import output
from hil.errors import UsageError

if TYPE_CHECKING:
    from hil.link.frame import Frame

HELP = "show the frames and stray bytes on a port, or in a run's console.bin"
SHOWN = 64
CHUNK = 1 << 16


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil monitor`."""
    parser.add_argument(
        "source", metavar="SOURCE", help="a port, a URL, a recording, or a run's folder"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="stop after this long (ports only)"
    )


def run(given: argparse.Namespace) -> int:
    """The verb: ends with the recording, after --seconds, or with Ctrl-C."""
    from hil.link.frame import Decoder
    from hil.link.window import hexdump

    out = output.of(given)
    decoder = Decoder()
    frames: list[dict[str, Any]] = []
    seen = b""
    for data in _read(given.source, given.seconds):
        for frame in decoder.feed(data):
            frames.append(_document(frame))
            out.line(_line(frame))
        if decoder.stray != seen:
            seen = decoder.stray
            out.line(f"stray    {hexdump(seen, SHOWN)}")
    out.line(f"{len(frames)} frames, {decoder.damaged} damaged")
    out.document(
        {"frames": frames, "damaged": decoder.damaged, "stray": decoder.stray.hex()}
    )
    return 0


def _read(source: str, seconds: float | None) -> Iterator[bytes]:
    """Bytes as they come, from a file or a port."""
    from pathlib import Path

    from hil.record import CONSOLE

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
                yield data
        return
    if "://" not in source and not os.path.exists(source):
        raise UsageError(f"there is no port, recording or run folder {source!r}")
    yield from _listen(source, seconds)


def _listen(url: str, seconds: float | None) -> Iterator[bytes]:
    from hil.link.channel import Channel

    end = None if seconds is None else time.monotonic() + seconds
    with Channel(url) as channel:
        while end is None or time.monotonic() < end:
            left = 1.0 if end is None else max(0.0, end - time.monotonic())
            data = channel.pump(min(left, 1.0))
            if data:
                yield data


def _document(frame: Frame) -> dict[str, Any]:
    from codegen.protocol import REPLY

    kind = frame.kind & ~REPLY
    return {
        "kind": _name(kind),
        "reply": bool(frame.kind & REPLY),
        "status": frame.status,
        "seq": frame.seq,
        "boot": f"{frame.boot:08x}",
        "payload": frame.payload.hex(),
    }


def _name(kind: int) -> str:
    from codegen.protocol import MESSAGES

    return next((m.name for m in MESSAGES if m.kind == kind), f"{kind:#04x}")


def _line(frame: Frame) -> str:
    document = _document(frame)
    payload = document["payload"]
    cut = (
        payload
        if len(payload) <= SHOWN
        else f"{payload[:SHOWN]}... {len(payload) // 2} bytes"
    )
    status = f" status {frame.status}" if document["reply"] else ""
    return (
        f"{document['kind']:9} seq {frame.seq:5} boot {document['boot']}{status}  {cut}"
    )
