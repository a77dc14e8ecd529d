"""Checkpoints as they lie in flash, read and written on this side.

This shares nothing with the firmware's store but the declaration of the header
(`codegen.protocol.CHECKPOINT`) and where the slots are (`codegen.planning.checkpoint`):
each is the other's test. Flash is a file here, an emulator's or a dump.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codegen.planning.checkpoint import Slots, identity
from codegen.planning.planned import Plan
from codegen.protocol import (
    CHECKPOINT,
    CHECKPOINT_LAST,
    CHECKPOINT_MAGIC,
    CHECKPOINT_VERSION,
)
from codegen.tensors import WORD
from hil.device.exchange import fresh_number
from hil.errors import DataError
from hil.lesson import weights
from targets import storage

CRC = 4
CHUNK = 1 << 16
ERASED = b"\xff"


@dataclass(frozen=True)
class Checkpoint:
    """One that is whole: `state` are the tensors' bytes in the plan's order.
    `ours`: of the plan's network, in this version; another is never gone on from."""

    slot: int
    sequence: int
    run: int
    step: int
    seed: int
    digest: int
    state: bytes
    ours: bool


def whole(plan: Plan, flash: Path) -> list[Checkpoint]:
    """All whole checkpoints, whatever they are of, the newest first. Raises
    `DataError` when there is no such file."""
    return found_in(plan, _read(flash))


def found_in(plan: Plan, data: bytes | bytearray) -> list[Checkpoint]:
    """The same in the bytes of a flash."""
    found = []
    for slot, values in _written(plan, data):
        place = slot * plan.slots.size + plan.slots.state_at
        state = bytes(data[place : place + values["size"]])
        if zlib.crc32(state) == values["state_crc"]:
            names = ("sequence", "run", "step", "seed", "digest")
            ours = (values["version"], values["identity"], len(state)) == (
                CHECKPOINT_VERSION,
                identity(plan.spec),
                _bytes(plan),
            )
            found.append(
                Checkpoint(
                    slot, **{n: values[n] for n in names}, state=state, ours=ours
                )
            )
    return found


def newest(plan: Plan, flash: Path, step: int | None = None) -> Checkpoint:
    """The newest whole checkpoint, which must be of this network, as it must for the
    device; or the newest of this network and of this step. Raises `DataError`."""
    found = whole(plan, flash)
    ours = [one for one in found if one.ours and step in (None, one.step)]
    of = f"of network {plan.spec.network} with rule {plan.rule.name}"
    if not ours:
        which = "whole checkpoint" if step is None else f"checkpoint of step {step}"
        raise DataError(
            f"flash {str(flash)!r} has no {which} {of}",
            "--commit N writes one every N steps",
        )
    if step is None and not found[0].ours:
        raise DataError(
            f"the newest checkpoint in flash {str(flash)!r}, of step {found[0].step}, "
            f"is of another network, rule or version: expected one {of}",
            f"--step {ours[0].step} takes the newest of this network",
        )
    return ours[0]


def require_own(plan: Plan, flash: Path) -> None:
    """Raise `DataError` where the newest checkpoint is of another network, whose slots
    may lie elsewhere, or holds what learning would not keep to: the device would not go
    on from it. What is damaged is the device's to find."""
    if not flash.exists():
        return
    data, size = _read(flash), plan.slots.size
    starts = range(0, len(data), size) if size else ()
    found = [v for at in starts if (v := _fields(data[at : at + CHECKPOINT.size]))]
    known = CHECKPOINT_VERSION, identity(plan.spec)
    newest = max(found, key=lambda values: values["sequence"], default=None)
    if newest is not None and (newest["version"], newest["identity"]) != known:
        raise DataError(
            f"the newest checkpoint in flash {str(flash)!r}, of step {newest['step']}, "
            "is of another network, rule or version: expected one of network "
            f"{plan.spec.network} with rule {plan.rule.name}",
            "without --resume the run learns from the start",
        )
    for one in (one for one in found_in(plan, data)[:1] if one.ours):
        origin = f"the checkpoint of step {one.step} in flash {str(flash)!r}"
        weights.require_within(origin, tensors(plan, one.state), plan)


def tensors(plan: Plan, state: bytes) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint's state, by name."""
    return {
        t.name: t.unpacked(state[t.offset : t.offset + WORD * t.words])
        for t in plan.state
    }


def add(
    plan: Plan,
    flash: Path,
    state: Mapping[str, np.ndarray],
    *,
    step: int,
    seed: int,
    digest: int,
) -> Checkpoint:
    """Write `state` as the newest checkpoint, as the device would, into a file that
    is made where there is none. Raises `DataError`."""
    chip = plan.target.flash
    if chip is None or not plan.slots.count:
        raise DataError(f"target {plan.target.name} has no flash for two checkpoints")
    data = bytearray(_read(flash)) if flash.exists() else bytearray(chip.size)
    if len(data) != chip.size:
        raise DataError(
            f"flash {str(flash)!r} has {len(data):,} bytes, but that of target "
            f"{plan.target.name} has {chip.size:,}"
        )
    body = b"".join(t.packed(state[t.name]) for t in plan.state)
    found = put_into(
        plan, data, body, run=fresh_number(), step=step, seed=seed, digest=digest
    )
    if found is None:
        raise DataError(
            f"flash {str(flash)!r} takes no more checkpoints: the newest has the last "
            f"sequence number, {CHECKPOINT_LAST:#x}",
            "erase the flash (an emulator's: delete the file) to begin at 1 again",
        )
    _write(flash, data)
    return found


def put_into(
    plan: Plan, data: bytearray, state: bytes, *, run: int, step: int, seed: int,
    digest: int,
) -> Checkpoint | None:  # fmt: skip
    """Write a checkpoint into the bytes of a flash, as the device would; None where
    its sequence numbers have come to their end."""
    slots, written, good = plan.slots, _written(plan, data), found_in(plan, data)
    last, sequence = (
        (written[0][0], written[0][1]["sequence"]) if written else (slots.count - 1, 0)
    )
    if sequence == CHECKPOINT_LAST:
        return None
    slot = (last + 1) % slots.count
    if good and slot == good[0].slot:  # what is newer is broken
        slot = (slot + 1) % slots.count
    sequence += 1
    fields = (
        CHECKPOINT_MAGIC, CHECKPOINT_VERSION, identity(plan.spec), sequence,
        run, step, seed, digest, len(state), zlib.crc32(state),
    )  # fmt: skip
    checked = CHECKPOINT.pack(*fields, 0)[:-CRC]
    header = checked + zlib.crc32(checked).to_bytes(CRC, "little")
    at = slot * slots.size
    data[at : at + slots.size] = ERASED * slots.size
    data[at : at + len(header)] = header
    data[at + slots.state_at : at + slots.state_at + len(state)] = state
    return Checkpoint(slot, sequence, run, step, seed, digest, state, ours=True)


def copy(source: Path, to: Path) -> None:
    """Copy a flash; what is zero takes no room. Raises `DataError` and
    `StorageError`."""
    _write(to, _read(source))


def _written(plan: Plan, data: bytes | bytearray) -> list[tuple[int, dict[str, Any]]]:
    """Slots whose headers were written whole, and what those say, the newest first;
    of equal numbers, which no writer makes, the first slot's counts as newer."""
    slots = plan.slots
    starts = [slot * slots.size for slot in range(slots.count)]
    headers = [_header(slots, data[at : at + CHECKPOINT.size]) for at in starts]
    found = [(slot, values) for slot, values in enumerate(headers) if values]
    return sorted(found, key=lambda one: -one[1]["sequence"])


def _header(slots: Slots, raw: bytes | bytearray) -> dict[str, Any] | None:
    """The fields of a header that was written whole, in whatever version, if its
    state has room in a slot."""
    values = _fields(raw)
    fits = values is not None and values["size"] <= slots.size - slots.state_at
    return values if fits else None


def _fields(raw: bytes | bytearray) -> dict[str, Any] | None:
    """The fields of a header that was written whole."""
    if len(raw) < CHECKPOINT.size:
        return None
    values = dict(zip(_NAMES, CHECKPOINT.struct.unpack(raw), strict=True))
    written = (
        values["magic"] == CHECKPOINT_MAGIC
        and values["sequence"] != 0
        and values["crc"] == zlib.crc32(raw[:-CRC])
    )
    return values if written else None


_NAMES = tuple(field.name for field in CHECKPOINT.fields)


def _bytes(plan: Plan) -> int:
    return 4 * sum(t.words for t in plan.state)


def _read(flash: Path) -> bytes:
    try:
        return flash.read_bytes()
    except OSError as error:
        raise DataError(
            f"flash {str(flash)!r} cannot be read: {error.strerror}"
        ) from None


def _write(flash: Path, data: bytes | bytearray) -> None:
    with storage.whole(flash, sync=True) as file:
        file.truncate(len(data))
        for at in range(0, len(data), CHUNK):
            chunk = data[at : at + CHUNK]
            if chunk.count(0) < len(chunk):
                file.seek(at)
                file.write(chunk)
