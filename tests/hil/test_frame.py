"""The host's frame codec: what a decoder promises about any bytes at all."""

from __future__ import annotations

import itertools
import zlib

from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from hil.device.link.frame import KEPT, LONGEST, Decoder, Frame, encode

FRAMES = st.builds(
    Frame,
    st.integers(0, 0xFF),
    st.integers(0, 0xFF),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=600),
)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """`data` cut at these places."""
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(st.lists(FRAMES, max_size=5), st.lists(st.integers(0, 10**6), max_size=20))
def test_frames_survive_any_cutting_of_the_stream(
    frames: list[Frame], cuts: list[int]
) -> None:
    decoder = Decoder()
    stream = b"".join(encode(*frame) for frame in frames)
    found = [frame for part in pieces(stream, cuts) for frame in decoder.feed(part)]
    assert found == frames
    assert decoder.damaged == 0
    assert decoder.stray == b""


@given(st.lists(st.binary(max_size=300), max_size=8), FRAMES)
def test_a_good_frame_is_seen_behind_any_noise(
    noise: list[bytes], frame: Frame
) -> None:
    decoder = Decoder()
    for part in noise:
        decoder.feed(part)
    assert frame in decoder.feed(encode(*frame))


@given(FRAMES, st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_never_gives_another_frame(
    frame: Frame, place: int, flip: int
) -> None:
    coded = bytearray(encode(*frame))
    inner = 1 + place % (len(coded) - 2)
    coded[inner] ^= flip
    decoder = Decoder()
    assert decoder.feed(bytes(coded)) == []
    assert decoder.damaged >= 1


def test_the_bytes_of_a_frame_are_those_of_the_document() -> None:
    body = bytes([0x08, 0, 0x34, 0x12, 1, 0, 0, 0]) + b"\0hi\0"
    expected = body + zlib.crc32(body).to_bytes(4, "little")
    assert encode(8, 0, 0x1234, 1, b"\0hi\0") == b"\0" + cobs.encode(expected) + b"\0"


def test_text_before_the_first_delimiter_is_stray_and_not_damage() -> None:
    decoder = Decoder()
    frame = Frame(0x81, 0, 7, 1, b"x")
    assert decoder.feed(b"OpenSBI v1.3\r\n" + encode(*frame)) == [frame]
    assert decoder.damaged == 0
    assert decoder.stray == b"OpenSBI v1.3\r\n"


def test_text_between_frames_is_damage_and_kept() -> None:
    decoder = Decoder()
    decoder.feed(encode(1, 0, 0, 0, b"") + b"printf!" + encode(1, 0, 1, 0, b""))
    assert decoder.damaged == 1
    assert decoder.stray == b"printf!"


def test_an_endless_line_without_delimiter_keeps_memory_bounded() -> None:
    decoder = Decoder()
    for _ in range(5):
        decoder.feed(b"a" * LONGEST)
    assert len(decoder.stray) == KEPT
    assert decoder.feed(b"\0" + encode(1, 0, 2, 3, b"ok")) == [Frame(1, 0, 2, 3, b"ok")]
