"""hil neurocorex: a file of NeuroCoreX's bytes through a device that understands them."""

from __future__ import annotations

import argparse

from hil import output
from hil.errors import DataError, UsageError
from hil.flags import add_machine, experiment_of

HELP = "program, run and read back a network that spikes, by the bytes of NeuroCoreX's UART"
TAKEN = "target unit vlen toolchain icount console faults ram"
"""Keys of an experiment that say where it runs, and how it is reached."""
MOST = 1 << 22
"""Bytes of a file at most."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `hil neurocorex`."""
    parser.description = (
        f"{HELP}. An image is built that understands them. Every byte of FILE goes over the "
        "line to the device. Its spikes, and weights that are read back, must equal the "
        "numpy twin's to the bit."
    )
    parser.set_defaults(experiment=None)
    parser.add_argument(
        "file", metavar="FILE", nargs="?", help="the bytes, as their UART gets them"
    )
    parser.add_argument(
        "--plain", action="store_true",
        help="no FILE: make a unit's line a plain UART, for programs of one's own, until a "
        "reset",
    )  # fmt: skip
    parser.add_argument(
        "--cells", type=int, default=96, metavar="N",
        help="cells, and input lines: a multiple of 8 from 16 to 248 (default 96, as theirs)",
    )  # fmt: skip
    parser.add_argument(
        "--outputs", metavar="FILE",
        help="write what the device told: an .npz with run0 [steps, cells], ... and "
        "weights0 [to, from], ...",
    )  # fmt: skip
    add_machine(parser, TAKEN.split())


def run(given: argparse.Namespace) -> int:
    """The verb. Outputs are written before a difference is told."""
    from pathlib import Path

    from hil.data import arrays
    from hil.neurocorex import image, report, running

    out = output.of(given)
    _require_one(given)
    if given.plain:
        placed = image.prepare(experiment_of(given))
        url = running.made_plain(placed, image.build(placed, given.cells))
        out.line(f"plain    {url}: NeuroCoreX's bytes, without frames, until a reset")
        out.document({"neurocorex": {"plain": url}})
        return 0
    if given.outputs:
        output.require_folder("--outputs", given.outputs)
    placed, data = image.prepare(experiment_of(given)), _read(given.file)
    answer = running.expected(data, given.cells)
    built = image.build(placed, given.cells)
    for line in report.before(built):
        out.line(line)
    done = running.carried_out(placed, built, data, answer)
    if given.outputs:
        arrays.write(Path(given.outputs), report.outputs(done.told, answer))
        out.line(f"written  {given.outputs}")
    for line in report.after(placed, done):
        out.line(line)
    out.document({"neurocorex": report.document(placed, built, done)})
    error = running.difference(done)
    if error is None:
        return 0
    output.tell(error)
    return error.exit_code


def _require_one(given: argparse.Namespace) -> None:
    """Raise `UsageError` unless it is a file, or a unit's plain line, that is wanted."""
    if given.plain and given.file is not None:
        raise UsageError(
            f"--plain with file {given.file!r}: expected one of both",
            "what is written to the unit's port goes to the device afterwards",
        )
    if given.plain and given.unit is None:
        raise UsageError("--plain needs --unit: an emulator ends with this command")
    if not given.plain and given.file is None:
        raise UsageError("there is no FILE: expected a file of NeuroCoreX's bytes")


def _read(path: str) -> bytes:
    """The bytes. Raises `DataError`."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise DataError(f"file {path!r} cannot be read: {error.strerror}") from error
    if len(data) > MOST:
        raise DataError(
            f"file {path!r} is longer than {MOST:,} bytes, which is the most"
        )
    return data
