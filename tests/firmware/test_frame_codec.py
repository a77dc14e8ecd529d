"""The C codec against the host's, on the same bytes, under sanitizers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.rendering.render import FIRMWARE, render_protocol
from hil.device.link.frame import Decoder, Frame, encode

HERE = Path(__file__).parent
CAPACITY = 600
"""Bytes of the C decoder's buffer: header, payload and CRC."""

frames = st.builds(
    Frame,
    kind=st.integers(0, 255),
    status=st.integers(0, 255),
    seq=st.integers(0, 0xFFFF),
    boot=st.integers(0, 0xFFFFFFFF),
    payload=st.one_of(
        st.binary(max_size=CAPACITY - 12),
        st.integers(0, CAPACITY - 12).map(lambda n: b"\xff" * n),
        st.integers(0, CAPACITY - 12).map(lambda n: b"\0" * n),
        st.sampled_from([253, 254, 255, 508]).map(lambda n: b"a" * n),
    ),
)


@pytest.fixture(scope="session")
def codec(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Path:
    """The codec as a program, with address and undefined-behaviour checks."""
    folder = tmp_path_factory.mktemp("codec")
    (folder / "hil_protocol.h").write_text(render_protocol())
    program = folder / "codec"
    subprocess.run(
        [host_cc, "-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
         "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
         f"-I{folder}", f"-I{FIRMWARE / 'include'}",
         str(FIRMWARE / "src" / "hil_frame.c"), str(HERE / "echo_frames.c"),
         "-o", str(program)],
        check=True,
    )  # fmt: skip
    return program


def through_c(codec: Path, line: bytes) -> tuple[list[Frame], int]:
    """What the C side understood of `line`, and how much it called damaged."""
    done = subprocess.run([codec], input=line, capture_output=True, check=True)
    return Decoder().feed(done.stdout), int(done.stderr)


@settings(max_examples=60)
@given(st.lists(frames, min_size=1, max_size=20))
def test_c_understands_and_repeats_what_python_encodes(
    codec: Path, sent: list[Frame]
) -> None:
    line = b"".join(encode(*frame) for frame in sent)
    assert through_c(codec, line) == (sent, 0)


@settings(max_examples=60)
@given(st.lists(st.one_of(frames, st.binary(max_size=80)), max_size=20))
def test_both_sides_find_the_same_frames_among_noise(
    codec: Path, pieces: list[Frame | bytes]
) -> None:
    line = b"\0" + b"".join(p if isinstance(p, bytes) else encode(*p) for p in pieces)
    decoder = Decoder()
    found = decoder.feed(line + b"\0")
    assert through_c(codec, line + b"\0") == (found, decoder.damaged)


@settings(max_examples=60)
@given(frames, st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_never_becomes_another_frame(
    codec: Path, frame: Frame, place: int, bit: int
) -> None:
    line = bytearray(encode(*frame))
    line[place % len(line)] ^= 1 << bit
    good = encode(1, 0, 2, 3, b"behind")
    found, _ = through_c(codec, bytes(line) + good)
    assert Frame(1, 0, 2, 3, b"behind") in found
    assert set(found) <= {frame, Frame(1, 0, 2, 3, b"behind")}


def test_a_frame_longer_than_the_buffer_is_damage_and_the_next_one_is_seen(
    codec: Path,
) -> None:
    line = encode(1, 0, 0, 0, b"x" * CAPACITY) + encode(2, 0, 0, 0, b"short")
    assert through_c(codec, line) == ([Frame(2, 0, 0, 0, b"short")], 1)
