"""Checkpoints as they lie in flash, read and written on this side.

This shares nothing with the firmware's store but the declaration of the header
(`codegen.protocol.CHECKPOINT`) and where the slots are (`codegen.checkpoint`):
each is the other's test. Flash is a file here, an emulator's or a dump.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from codegen.checkpoint import identity
from codegen.plan import Plan
from codegen.protocol import CHECKPOINT, CHECKPOINT_MAGIC, CHECKPOINT_VERSION
from hil.device import fresh_number
from hil.errors import DataError

CRC = 4
CHUNK = 1 << 16
ERASED = b"\xff"


@dataclass(frozen=True)
class Checkpoint:
    """One that is whole: `state` are the tensors' bytes in the plan's order."""

    slot: int
    sequence: int
    step: int
    seed: int
    digest: int
    state: bytes


def whole(plan: Plan, flash: Path) -> list[Checkpoint]:
    """All whole checkpoints of this plan's network, the newest first. Raises
    `DataError` when there is no such file."""
    return _whole(plan, _read(flash))


def _whole(plan: Plan, data: bytes | bytearray) -> list[Checkpoint]:
    slots, found = plan.slots, []
    for slot in range(slots.count):
        at = slot * slots.size
        values = _header(data[at : at + CHECKPOINT.size])
        if values is None or values["identity"] != identity(plan.spec):
            continue
        place = at + slots.state_at
        state = bytes(data[place : place + values["size"]])
        if zlib.crc32(state) == values["state_crc"] and len(state) == _bytes(plan):
            sequence, step = values["sequence"], values["step"]
            seed, digest = values["seed"], values["digest"]
            found.append(Checkpoint(slot, sequence, step, seed, digest, state))
    return sorted(found, key=lambda one: -one.sequence)


def newest(plan: Plan, flash: Path, step: int | None = None) -> Checkpoint:
    """The newest whole checkpoint, of this step if one is given. Raises `DataError`
    when there is none."""
    found = [one for one in whole(plan, flash) if step in (None, one.step)]
    if not found:
        which = "whole checkpoint" if step is None else f"checkpoint of step {step}"
        raise DataError(
            f"flash {str(flash)!r} has no {which} of network "
            f"{plan.spec.network} with rule {plan.rule.name}",
            "--commit N writes one every N steps",
        )
    return found[0]


def tensors(plan: Plan, state: bytes) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint's state, by name."""
    words = np.frombuffer(state, "<f4")
    return {
        t.name: words[t.offset // 4 : t.offset // 4 + t.words].reshape(t.shape)
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
    slots, chip = plan.slots, plan.target.flash
    if chip is None or not slots.count:
        raise DataError(f"target {plan.target.name} has no flash for two checkpoints")
    data = bytearray(_read(flash)) if flash.exists() else bytearray(chip.size)
    if len(data) != chip.size:
        raise DataError(
            f"flash {str(flash)!r} has {len(data):,} bytes, but that of target "
            f"{plan.target.name} has {chip.size:,}"
        )
    good = _whole(plan, data)
    headers = [
        _header(data[at : at + CHECKPOINT.size])
        for at in range(0, slots.count * slots.size, slots.size)
    ]
    last = max(range(slots.count), key=lambda slot: _sequence(headers[slot]))
    sequence = _sequence(headers[last])
    slot = (last + 1) % slots.count if sequence else 0
    if good and slot == good[0].slot:  # what is newer is broken
        slot = (slot + 1) % slots.count
    body = b"".join(
        np.ascontiguousarray(state[t.name], "<f4").tobytes() for t in plan.state
    )
    fields = (
        CHECKPOINT_MAGIC, CHECKPOINT_VERSION, identity(plan.spec), sequence + 1,
        fresh_number(), step, seed, digest, len(body), zlib.crc32(body),
    )  # fmt: skip
    checked = CHECKPOINT.pack(*fields, 0)[:-CRC]
    header = checked + zlib.crc32(checked).to_bytes(CRC, "little")
    at = slot * slots.size
    data[at : at + slots.size] = ERASED * slots.size
    data[at : at + len(header)] = header
    data[at + slots.state_at : at + slots.state_at + len(body)] = body
    _write(flash, data)
    return Checkpoint(slot, sequence + 1, step, seed, digest, body)


def copy(source: Path, to: Path) -> None:
    """Copy a flash; what is zero takes no room. Raises `DataError`."""
    _write(to, _read(source))


def _header(raw: bytes | bytearray) -> dict[str, Any] | None:
    """The fields of a header that was written whole."""
    if len(raw) < CHECKPOINT.size:
        return None
    values = dict(zip(_NAMES, CHECKPOINT.struct.unpack(raw), strict=True))
    fits = zlib.crc32(raw[:-CRC]) == values["crc"]
    known = (values["magic"], values["version"]) == (
        CHECKPOINT_MAGIC,
        CHECKPOINT_VERSION,
    )
    return values if fits and known else None


_NAMES = tuple(field.name for field in CHECKPOINT.fields)


def _sequence(header: dict[str, Any] | None) -> int:
    return int(header["sequence"]) if header else 0


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
    beside = flash.with_name(flash.name + ".new")
    try:
        with beside.open("wb") as file:
            file.truncate(len(data))
            for at in range(0, len(data), CHUNK):
                chunk = data[at : at + CHUNK]
                if chunk.count(0) < len(chunk):
                    file.seek(at)
                    file.write(chunk)
        os.replace(beside, flash)
    except OSError as error:
        raise DataError(
            f"flash {str(flash)!r} cannot be written: {error.strerror}"
        ) from None
