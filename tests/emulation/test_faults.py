"""A faulty line does what it was asked to, counts it, and repeats it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulation.faults import ABSENCES, KINDS, Faults, FaultyChannel
from hil.device.link.channel import Channel
from hil.errors import LineClosed

PIECES = [b"\0" + bytes([1 + n % 200, 201 + n // 200]) * 10 + b"\0" for n in range(400)]
LAST = b"that was all"
LIMIT = 20.0


class Clock:
    """In the place of the line's: it goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


class Far:
    """The far end of a line, and the faulty near one."""

    def __init__(self, faults: str) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        url = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self.channel = Channel(url)
        self.line = FaultyChannel(self.channel, Faults.parse(faults), LineClosed)
        self.socket = self._server.accept()[0]

    def close(self) -> None:
        self.channel.close()
        self.socket.close()
        self._server.close()

    def carried(self) -> bytes:
        """What arrives of all pieces, each sent when the one before has gone."""
        for piece in PIECES:
            self.line.send(piece)
            self.line.pump(0)
        while self.line._out.next() is not None:
            self.line.pump(0.01)
        self.channel.send(LAST)
        self.channel.flush(LIMIT)
        arrived = bytearray()
        while not arrived.endswith(LAST):
            arrived += self.socket.recv(1 << 16)
        return bytes(arrived[: -len(LAST)])

    def returned(self) -> bytes:
        """What comes in of all pieces that the far end sends."""
        self.socket.sendall(b"".join(PIECES))
        self.socket.shutdown(socket.SHUT_WR)
        received = bytearray()
        try:
            while True:
                received += self.line.pump(0.05)
        except LineClosed:
            return bytes(received)


@pytest.fixture
def far(request: pytest.FixtureRequest) -> Iterator[Far]:
    made = Far(request.param)
    yield made
    made.close()


def faulty(faults: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("far", [faults], indirect=True)


@faulty("seed=1")
def test_without_faults_every_byte_passes(far: Far) -> None:
    assert far.carried() == b"".join(PIECES) == far.returned()
    assert not any(sum(way.values()) for way in far.line.counts.values())


@faulty("drop=0.2,seed=3")
def test_what_is_dropped_is_missing_and_counted(far: Far) -> None:
    arrived = far.carried()
    left = [piece for piece in PIECES if piece in arrived]
    assert b"".join(left) == arrived
    assert 40 < far.line.counts["to_device"]["drop"] < 120
    lost = sum(map(len, PIECES)) - len(arrived)
    assert lost == 22 * far.line.counts["to_device"]["drop"]


@faulty("duplicate=0.2,seed=3")
def test_what_is_duplicated_comes_twice_in_a_row(far: Far) -> None:
    arrived = far.carried()
    twice = [piece for piece in PIECES if piece + piece in arrived]
    assert len(arrived) == sum(map(len, PIECES)) + 22 * len(twice)
    assert len(twice) == far.line.counts["to_device"]["duplicate"]


@faulty("reorder=0.2,seed=3")
def test_what_is_reordered_is_all_there(far: Far) -> None:
    arrived = far.carried()
    found = [arrived[at : at + 22] for at in range(0, len(arrived), 22)]
    assert found != PIECES and sorted(found) == sorted(PIECES)
    assert far.line.counts["to_device"]["reorder"] > 40


@faulty("delay=0.02,seed=3")
def test_what_is_delayed_holds_up_what_follows(far: Far) -> None:
    assert far.carried() == b"".join(PIECES)
    assert far.line.counts["to_device"]["delay"] > 0


@faulty("flip=0.01,seed=3")
def test_what_is_flipped_differs_in_one_bit(far: Far) -> None:
    arrived = far.carried()
    pairs = zip(arrived, b"".join(PIECES), strict=True)
    changed = [a ^ b for a, b in pairs if a != b]
    assert 40 < len(changed) < 160
    assert all(bits & (bits - 1) == 0 for bits in changed)


@faulty("truncate=0.2,seed=3")
def test_what_is_truncated_has_lost_its_end(far: Far) -> None:
    arrived = far.carried()
    assert 22 * 280 < len(arrived) < 22 * 400
    assert far.line.counts["to_device"]["truncate"] > 40


@faulty("noise=0.2,seed=3")
def test_noise_comes_between_pieces(far: Far) -> None:
    arrived = far.carried()
    at = 0
    for piece in PIECES:
        at = arrived.index(piece[1:], at)
    assert len(arrived) > sum(map(len, PIECES))


@faulty("drop=0.1,flip=0.002,seed=3")
def test_faults_befall_what_comes_in_too(far: Far) -> None:
    assert far.returned() != b"".join(PIECES)
    assert far.line.counts["to_host"]["drop"] > 10
    assert far.line.counts["to_device"]["drop"] == 0


def test_the_same_seed_makes_the_same_choices() -> None:
    arrived = []
    for seed in (3, 3, 4):
        made = Far(
            f"drop=0.1,flip=0.002,duplicate=0.1,truncate=0.1,noise=0.1,seed={seed}"
        )
        arrived.append(made.carried())
        made.close()
    assert arrived[0] == arrived[1] != arrived[2]


@faulty("unplug=0.5,seed=2")
def test_an_unplugged_line_is_not_there_for_a_while(
    far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("emulation.faults.time", clock)
    while not far.line.counts["to_device"]["unplug"]:
        far.line.send(PIECES[0])
    with pytest.raises(LineClosed, match="is unplugged"):
        far.line.pump(0)
    shortest, longest = ABSENCES
    clock.now = 0.9 * shortest
    with pytest.raises(LineClosed, match="is unplugged"):
        far.line.reopen(far.line.url)
    clock.now = longest
    far.line.reopen(far.line.url)
    far.line.pump(0)


def test_a_cut_comes_within_its_time() -> None:
    cuts = []
    made = Far("seed=1")
    line = FaultyChannel(
        made.channel, Faults(cut=0.5, seed=5), LineClosed, lambda: cuts.append(1)
    )
    end = time.monotonic() + LIMIT
    while not cuts and time.monotonic() < end:
        line.send(PIECES[0])
        line.pump(0.01)
    made.close()
    assert len(cuts) == 1 and line.counts["to_device"]["cut"] >= 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("drop", "faults such as drop=0.01,seed=7, of drop, flip"),
        ("lose=0.1", "faults such as drop=0.01,seed=7, of drop, flip"),
        ("drop=0.9", "drop to be a probability from 0 to 0.5"),
        ("drop=often", "drop to be a probability from 0 to 0.5"),
        ("seed=1.5", "seed to be an integer from 0 to 4294967295"),
        ("", "faults such as drop=0.01"),
    ],
)
def test_what_is_no_fault_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        Faults.parse(text)


@given(
    st.dictionaries(st.sampled_from(KINDS), st.floats(0, 0.5)),
    st.integers(0, 2**32 - 1),
)
def test_faults_come_back_from_their_text(rates: dict[str, float], seed: int) -> None:
    text = ",".join(
        [*(f"{kind}={rate!r}" for kind, rate in rates.items()), f"seed={seed}"]
    )
    assert Faults.parse(text) == Faults(**rates, seed=seed)
