"""What the firmware makes of a flash that it finds: it goes on from a whole checkpoint
of its own network and seed, and from nothing else."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen import protocol
from codegen.protocol import CHECKPOINT, CHECKPOINT_LAST, NEVER, InitFlag, Status
from hil.learning.checkpoints import found_in
from tests.firmware.conftest import FLASH
from tests.firmware.process import Firmware

STEP = 1
"""Of the checkpoint that is found."""
Boot = Callable[..., Firmware]


@pytest.fixture
def flash(boot: Boot, tmp_path: Path) -> Path:
    """A flash with one checkpoint, of step 1."""
    firmware = boot()
    firmware.init()
    firmware.step(0)
    assert firmware.commit(STEP).status == Status.OK
    return tmp_path / FLASH


def change(flash: Path, **fields: Any) -> None:
    """Give the checkpoint in slot 0 these fields, and its header the CRC for them."""
    data = bytearray(flash.read_bytes())
    names = [field.name for field in CHECKPOINT.fields]
    values = dict(zip(names, CHECKPOINT.struct.unpack_from(data), strict=True))
    header = CHECKPOINT.pack(*{**values, **fields}.values())[:-4]
    data[: CHECKPOINT.size] = header + zlib.crc32(header).to_bytes(4, "little")
    flash.write_bytes(data)


def committed(firmware: Firmware) -> int:
    """The step that HELLO tells of."""
    assert protocol.HELLO.reply is not None
    fields, _ = protocol.HELLO.reply.unpack(firmware.hello().payload)
    return int(fields["committed_step"])


def resume(firmware: Firmware, seed: int = 1) -> Status:
    """Ask to go on from the newest checkpoint."""
    payload = struct.pack("<IIII", seed, NEVER, InitFlag.RESUME, 0)
    return Status(firmware.ask(protocol.INIT, payload).status)


def test_its_own_checkpoint_is_gone_on_from(boot: Boot, flash: Path) -> None:
    firmware = boot()
    assert committed(firmware) == STEP
    assert resume(firmware) == Status.OK
    assert firmware.step(STEP).status == Status.OK
    assert firmware.commit(STEP + 1).status == Status.OK
    found = found_in(firmware.made, flash.read_bytes())
    assert [(one.step, one.sequence, one.ours) for one in found] == [
        (STEP + 1, 2, True),
        (STEP, 1, True),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"identity": b"another network."},
        {"version": protocol.CHECKPOINT_VERSION + 1},
        {"size": 0, "state_crc": 0},
    ],
    ids=str,
)
def test_one_of_something_else_is_refused(
    boot: Boot, flash: Path, fields: dict[str, Any]
) -> None:
    change(flash, **fields)
    firmware = boot()
    assert committed(firmware) == NEVER
    assert resume(firmware) == Status.OTHER_CHECKPOINT
    assert firmware.step(STEP).status == Status.NOT_READY


def test_one_of_another_seed_is_refused(boot: Boot, flash: Path) -> None:
    assert resume(boot(), seed=2) == Status.OTHER_CHECKPOINT


def test_where_float_is_not_what_it_needs_nothing_is_gone_on_from(
    boot: Boot, flash: Path, disturbed: Callable[[str], Path]
) -> None:
    firmware = boot(disturbed("upward"))
    assert resume(firmware) == Status.FAULTED
    (fault,) = firmware.unsolicited
    assert protocol.FAULT.reply is not None
    told, _ = protocol.FAULT.reply.unpack(fault.payload)
    assert told["cause"] == protocol.Cause.ARITHMETIC
    assert firmware.step(STEP).status == Status.NOT_READY


def test_behind_the_last_number_a_commit_is_refused_and_learning_goes_on(
    boot: Boot, flash: Path
) -> None:
    change(flash, sequence=CHECKPOINT_LAST)
    firmware, before = boot(), flash.read_bytes()
    assert committed(firmware) == STEP
    assert resume(firmware) == Status.OK
    assert firmware.commit(STEP).status == Status.NO_STORAGE
    assert firmware.step(STEP).status == Status.OK
    assert flash.read_bytes() == before
