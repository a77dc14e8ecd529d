"""The firmware's store and the host's, on the same flash images: both take the same
checkpoint for the newest, and both write the same bytes."""

from __future__ import annotations

import ctypes
import dataclasses
import subprocess
import zlib
from pathlib import Path

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import targets
from codegen.planning.checkpoint import identity
from codegen.planning.plan import plan
from codegen.protocol import (
    CHECKPOINT,
    CHECKPOINT_LAST,
    CHECKPOINT_MAGIC,
    CHECKPOINT_VERSION,
    NEVER,
)
from codegen.rendering.render import FIRMWARE, render
from codegen.spec import Network, Spec
from hil.learning import checkpoints
from hil.learning.checkpoints import Checkpoint
from targets import Flash

HERE = Path(__file__).parent
FLASH = Flash(4 * 512, 256, 8)
SPEC = Spec(Network((10, 7, 3)))
PLAN = plan(SPEC, dataclasses.replace(targets.load("host"), flash=FLASH))
SLOTS = PLAN.slots
ROOM = SLOTS.size - SLOTS.state_at
STATE = bytes(n % 251 for n in range(4 * sum(t.words for t in PLAN.state)))
OURS, OTHER = identity(PLAN.spec), b"another network."
QUICKLY = settings(max_examples=150, phases=set(Phase) - {Phase.explain})
ALWAYS = 2**32 - 1
"""Operations of a flash that does not fail."""


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> ctypes.CDLL:
    """The firmware's store as a library of this process."""
    folder = tmp_path_factory.mktemp("store")
    made = render(PLAN).files
    for name in ("hil_config.h", "hil_protocol.h"):
        (folder / name).write_text(made[f"image/{name}"])
    names = ("network/hil_store.c", "hil_frame.c")
    sources = [FIRMWARE / "src" / name for name in names]
    library = folder / "store.so"
    subprocess.run(
        [host_cc, "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
         f"-I{folder}", f"-I{FIRMWARE / 'include'}",
         *map(str, sources), str(HERE / "store_choices.c"), "-o", str(library)],
        check=True,
    )  # fmt: skip
    found = ctypes.CDLL(str(library))
    found.load.restype = found.commit.restype = ctypes.c_bool
    return found


def slot(
    sequence: int, *, version: int = CHECKPOINT_VERSION, of: bytes = OURS, run: int = 1,
    step: int = 5, state: bytes = STATE, size: int | None = None,
) -> bytes:  # fmt: skip
    """A slot whose CRCs are right, though `size` may lie."""
    told = len(state) if size is None else size
    fields = (
        CHECKPOINT_MAGIC, version, of, sequence, run, step, 1, 0, told,
        zlib.crc32(state),
    )  # fmt: skip
    header = CHECKPOINT.pack(*fields, 0)[:-4]
    header += zlib.crc32(header).to_bytes(4, "little")
    return (header.ljust(SLOTS.state_at, b"\xff") + state).ljust(SLOTS.size, b"\xff")


def flipped(data: bytes, at: int) -> bytes:
    """`data` with one bit that is another."""
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


sequences = st.one_of(
    st.sampled_from([0, 1, 2, 3, 2**31, CHECKPOINT_LAST - 1, CHECKPOINT_LAST]),
    st.integers(0, CHECKPOINT_LAST),
)
good = st.builds(
    slot,
    sequences,
    version=st.sampled_from([CHECKPOINT_VERSION] * 3 + [CHECKPOINT_VERSION + 1]),
    of=st.sampled_from([OURS, OURS, OTHER]),
    run=st.integers(1, 2),
    step=st.sampled_from([0, 5, 6, NEVER]),
    state=st.sampled_from([STATE, STATE, b"", STATE[:-4], STATE.ljust(ROOM)]),
)
header_damaged = st.builds(flipped, good, st.integers(0, CHECKPOINT.size - 1))
state_damaged = st.builds(
    flipped, good, st.integers(SLOTS.state_at, SLOTS.state_at + len(STATE) - 1)
)
too_large = st.builds(slot, sequences, size=st.sampled_from([ROOM + 1, 2**32 - 1]))
half_written = st.builds(lambda data, at: data[:at].ljust(SLOTS.size, b"\xff"),
                         good, st.integers(0, SLOTS.size))  # fmt: skip
nothing = st.sampled_from([b"\xff" * SLOTS.size, bytes(SLOTS.size)])
images = st.lists(
    st.one_of(good, good, header_damaged, state_damaged, too_large, half_written, nothing),
    min_size=SLOTS.count, max_size=SLOTS.count,
).map(b"".join)  # fmt: skip


def image(*slots: bytes) -> bytes:
    """A flash that begins with these slots and is erased behind them."""
    return b"".join(slots).ljust(FLASH.size, b"\xff")


def chosen(
    store: ctypes.CDLL, data: bytes, *, run: int = 0, last: int = NEVER,
    operations: int = ALWAYS,
) -> int | None:  # fmt: skip
    """The slot that the firmware takes."""
    flash = ctypes.create_string_buffer(data, len(data))
    header = ctypes.create_string_buffer(CHECKPOINT.size)
    found: int = store.choose(
        flash, ctypes.c_uint32(operations), ctypes.c_uint32(run), ctypes.c_uint32(last),
        header,
    )  # fmt: skip
    assert found < 0 or header.raw == data[found * SLOTS.size :][: CHECKPOINT.size]
    return None if found < 0 else found


def committed(
    store: ctypes.CDLL, data: bytes, operations: int = ALWAYS
) -> tuple[bool, bytes]:
    """Whether the firmware has written a checkpoint of step 7, and the flash then."""
    flash = ctypes.create_string_buffer(data, len(data))
    entry = CHECKPOINT.pack(0, 0, OURS, 0, 9, 7, 1, 0xD1, len(STATE), 0, 0)
    done = store.commit(flash, ctypes.c_uint32(operations), entry, STATE)
    return done, flash.raw


def written(data: bytes) -> tuple[Checkpoint | None, bytes]:
    """What this side writes instead."""
    flash = bytearray(data)
    found = checkpoints.put_into(PLAN, flash, STATE, run=9, step=7, seed=1, digest=0xD1)
    return found, bytes(flash)


@QUICKLY
@given(images, st.integers(0, 3), st.sampled_from([0, 4, 5, NEVER]))
@example(image(slot(CHECKPOINT_LAST), slot(CHECKPOINT_LAST - 1)), 0, NEVER)
@example(image(flipped(slot(7), SLOTS.state_at), slot(7)), 0, NEVER)
@example(image(slot(1), slot(2, version=2), slot(3, of=OTHER)), 0, NEVER)
def test_both_sides_take_the_same_checkpoint(
    store: ctypes.CDLL, data: bytes, run: int, last: int
) -> None:
    found = [
        one.slot
        for one in checkpoints.found_in(PLAN, data)
        if one.step <= last and run in (0, one.run)
    ]
    assert chosen(store, data, run=run, last=last) == (found[0] if found else None)


@QUICKLY
@given(images)
@example(image(slot(CHECKPOINT_LAST - 1)))
@example(image(slot(CHECKPOINT_LAST), slot(1)))
@example(image(slot(4), flipped(slot(5), SLOTS.state_at), slot(2), slot(3)))
@example(image(slot(2), flipped(slot(5), SLOTS.state_at), slot(4), slot(3)))
def test_both_sides_write_the_same_bytes_and_take_them_for_the_newest(
    store: ctypes.CDLL, data: bytes
) -> None:
    done, flash = committed(store, data)
    found, ours = written(data)
    assert (done, flash) == (found is not None, ours)
    if found is not None:
        assert chosen(store, flash) == found.slot
        assert checkpoints.found_in(PLAN, flash)[0] == found


def test_the_last_number_is_the_newest_and_nothing_is_written_after_it(
    store: ctypes.CDLL,
) -> None:
    last_but_one = image(slot(1), slot(CHECKPOINT_LAST - 1))
    done, full = committed(store, last_but_one)
    assert done and chosen(store, full) == 2
    assert checkpoints.found_in(PLAN, full)[0].sequence == CHECKPOINT_LAST
    assert committed(store, full) == (False, full)
    assert written(full) == (None, full)


def test_a_flash_that_fails_at_any_operation_keeps_the_checkpoint_before(
    store: ctypes.CDLL,
) -> None:
    # two blocks of 256 bytes, a sync, two chunks of the state, a sync, a header, a sync
    data, operations = image(slot(1), slot(2)), 2 + 1 + 2 + 1 + 1 + 1
    for bearable in range(operations):
        done, flash = committed(store, data, bearable)
        header_is_there = bearable == operations - 1
        assert (done, chosen(store, flash)) == (False, 2 if header_is_there else 1)
    assert committed(store, data, operations)[0]


def test_what_cannot_be_read_is_no_checkpoint(store: ctypes.CDLL) -> None:
    """Each header is read once, then the state in two chunks."""
    data, state = image(slot(2), slot(1)), ctypes.create_string_buffer(len(STATE))
    assert chosen(store, data, operations=0) is None
    assert chosen(store, data, operations=SLOTS.count + 1) is None
    assert chosen(store, data, operations=SLOTS.count + 2) == 0
    size = ctypes.c_uint32(len(STATE))
    assert not store.load(data, ctypes.c_uint32(0), state, size)
    assert store.load(data, ctypes.c_uint32(ALWAYS), state, size)
    assert state.raw == STATE
