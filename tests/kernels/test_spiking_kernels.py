"""Scalar kernels of cells that spike, by their contracts, in plain integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from codegen.delays import Delays
from codegen.homeostat import Homeostat
from codegen.reference import random
from codegen.reference.fronts import delays
from codegen.spec import Inputs

Call = Callable[..., Any]
ONES = [("f32", 1.0), ("i8", 127), ("u8", 1)]
"""What a spike is, by the format of what is made of it."""
DTYPES = {"f32": "f4", "i8": "i1", "u8": "u1"}
SHAPES = [(1, 1), (7, 10), (64, 24), (33, 130)]


def drawn(seed: int, most: int, *shape: int, dtype: str = "u1") -> np.ndarray:
    """Whole numbers from 0 to most."""
    return np.random.default_rng(seed).integers(0, most + 1, shape).astype(dtype)


@pytest.mark.parametrize("n", [1, 17, 64, 300])
def test_inputs_spike_as_often_as_they_are_large(call: Call, n: int) -> None:
    v, active = drawn(1, 16, n), np.full(n + 1, 7, np.uint16)
    low = random.mix(np.arange(5, 5 + n, dtype=np.uint32)) & 255
    for chance, shift in ((8, 0), (16, 0), (12 * 4112, 16)):
        want = np.flatnonzero(low < (v.astype(np.int64) * chance) >> shift)
        count = call("u8_poisson", v, chance, shift, 5, active, n)
        assert active[:count].tolist() == want.tolist() and active[n] == 7


@pytest.mark.parametrize("n", [1, 17, 64, 300])
def test_an_input_spikes_with_the_probability_that_it_is(call: Call, n: int) -> None:
    """In whole numbers of 2^-24; next to each word's own too, and outside 0 to 1."""
    words = random.mix(np.arange(n, dtype=np.uint32) + np.uint32(2**32 - 3)) >> 8
    odd = [0, -0.0, -1, 1, 2.5, 1e-45, np.inf, -np.inf, np.nan]
    some = np.random.default_rng(6).choice([*odd, *[None] * 20], n)
    beside = (words + np.arange(n) % 3 - 1) * 2.0**-24  # a little less, the same, more
    v = np.where(some == None, beside, some).astype(np.float32)  # noqa: E711
    s = np.full(n + 1, 7, np.float32)
    call("f32_bernoulli", v, 2**32 - 3, s, n)
    want = words.astype(np.float64) < v.astype(np.float64) * 2**24
    assert s[:n].tolist() == want.tolist() and s[n] == 7


def test_an_input_spikes_once_and_the_earlier_the_larger_it_is(call: Call) -> None:
    v = np.float32([0, -1, 1, 2.5, 0.75, 0.74, 0.25, 1e-9, np.nan, np.inf])
    times = [None, None, 0, 0, 1, 1, 3, 4, None, 0]
    s = np.full((5, 11), 7, np.float32)
    for tick in range(5):
        call("f32_latency", v, float(tick), 4.0, s[tick], 10)
    assert s[:, :10].tolist() == [
        [float(t == tick) for t in times] for tick in range(5)
    ]
    assert (s[:, 10] == 7).all()


@pytest.mark.parametrize("to, one", ONES)
@pytest.mark.parametrize("n", [1, 31, 32, 33, 100])
def test_bits_become_spikes(call: Call, n: int, to: str, one: float) -> None:
    """Bits of a word from the lowest on; those behind the last are nobody's."""
    words = np.random.default_rng(4).integers(0, 2**32, 4, np.uint32)
    s = np.full(n + 1, 7, DTYPES[to])
    call(f"bits_to_{to}", words, s, n)
    want = [one * (int(words[j // 32]) >> j % 32 & 1) for j in range(n)]
    assert s[:n].tolist() == want and s[n] == 7


@pytest.mark.parametrize("n", [1, 31, 32, 33, 100])
def test_who_spikes_is_listed(call: Call, n: int) -> None:
    """Bits behind the last are nobody's, and the list ends with the last that spikes."""
    words = np.random.default_rng(7).integers(0, 2**32, 4, np.uint32)
    words[1] = 0
    active = np.full(n + 1, 7, np.uint16)
    count = call("bits_active", words, active, n)
    want = [j for j in range(n) if int(words[j // 32]) >> j % 32 & 1]
    assert active[:count].tolist() == want and active[n] == 7


def test_events_are_bits_too(call: Call) -> None:
    """Of a word that has been another tick's nothing is left."""
    events = np.uint16([(0, 2), (0, 33), (0, 2), (0, 40), (1, 0)])
    words = np.full(3, 2**32 - 1, np.uint32)
    assert call("u16_events_to_bits", events, 5, 0, 0, words, 40) == 4
    assert words.tolist() == [4, 2, 2**32 - 1]


@pytest.mark.parametrize("to, one", ONES)
def test_events_are_played_in_their_order_and_none_beside_the_spikes(
    call: Call, to: str, one: float
) -> None:
    """A tick ends before the first event of another; an address that is none is nobody's;
    what comes behind an event of an earlier tick is never played."""
    events = np.uint16([(0, 2), (0, 0), (2, 4), (2, 5), (2, 65535), (1, 1), (3, 3)])
    s, at, seen = np.full(6, 7, DTYPES[to]), 0, []
    for tick in range(4):
        at = call(f"u16_events_to_{to}", events, 7, at, tick, s, 5)
        assert s[5] == 7
        seen.append(np.flatnonzero(s[:5]).tolist())
        assert set(s[:5].tolist()) <= {0, one}
    assert seen == [[0, 2], [], [4], []] and at == 5


def test_cells_with_delays_go_on_from_any_state(call: Call) -> None:
    """A host may write what no cell comes to: a long rest, or potentials at their ends."""
    for slow in (None, Homeostat(0.1)):
        front, rng = Delays(3, 5, 200, slow), np.random.default_rng(5)
        inputs = Inputs("u8", 1.0, front=front)
        state = {
            name: rng.integers(0, 256, t.nbytes).astype(np.uint8).view(t.dtype)
            for name, t in delays.initial(inputs).items()
        }
        state["potential"][:20], state["tired"][10:30] = 2**31 - 1, 2**31 - 1
        state["rest"][::3] = rng.integers(0, 5, 67)
        if slow:  # which are within their limits
            state["theta0"][:], state["rate0"][:] = np.arange(200) * 300 - 3072, 0
        held = {name: np.array(tensor) for name, tensor in state.items()}
        for tick in range(8):
            x = np.array([tick == 1, 0, tick == 3], np.uint8)
            held |= {n: np.array(state[n]) for n in ("theta0", "rate0") if slow}
            spiked = went_on(call, front, held, x)
            delays.advance(inputs, state, x)
            if slow:
                assert spiked.tolist() == (state["rest"] == 2).tolist()
            for name in set(state) - {"theta0", "rate0"}:
                assert held[name].tolist() == state[name].tolist(), (tick, name)
        assert state["rest"].max() <= 2 and (slow is None or spiked.any())


def went_on(call: Call, front: Delays, held: dict[str, Any], x: np.ndarray) -> Any:
    """A tick of the kernel, in place; who has spiked, where that is told."""
    source, ages, loud, driven = delays._tables(front)
    late = (ages + 128 * (loud < 0)).astype(np.uint8)
    tables = source.astype(np.uint8), late, driven.astype(np.uint8)
    first = held["shown"], held["potential"], held["tired"]
    last = held["rest"], held["past"], held["trace"]
    if front.homeostat is None:
        return call("u8_delays", x, *tables, *first, *last, 3, 200)
    fired = np.full(200, 7, np.int32)
    theta = held["theta0"]
    call("u8_regulated_delays", x, *tables, *first, theta, *last, fired, 3, 200)
    return fired


def test_cells_of_a_liquid_spike_from_their_own_thresholds_on(call: Call) -> None:
    v, bias, theta = np.int32([4999, 4999, -50]), np.int32([31, 31, 0]), [874, 875, 0]
    spikes, count, fired = np.int16([1, 1, 1]), np.int16([5, 5, 5]), np.int32([7, 7, 7])
    call(
        "i32_regulated_liquid", v, bias, np.int32(theta), np.int32([625, 625, -9000]), 3, 9,
        4, spikes, count, fired, 3,
    )  # fmt: skip
    assert (v.tolist(), bias.tolist()) == ([0, 5000, -4096], [1054, 30, 0])
    assert (spikes.tolist(), count.tolist(), fired.tolist()) == (
        [9, 0, 0], [6, 5, 5], [8, 7, 7],
    )  # fmt: skip


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_potentials_leak_and_add_rows(call: Call, n_in: int, n_out: int) -> None:
    """Modulo 2^32: of potentials as a host may make them, some leave their word."""
    w = drawn(2, 1 << 14, n_in, n_out, dtype="i2")
    v = drawn(3, 2**32 - 1, n_out, dtype="u4").view("i4")
    active = np.flatnonzero(drawn(4, 1, n_in)).astype(np.uint16)
    want = v - (v >> 6) + w[active].sum(axis=0, dtype=np.int32)
    call("i16_integrate", w, active, active.size, 6, v, n_in, n_out)
    assert v.tolist() == want.tolist()
    t = drawn(5, 255, n_in)
    want = t - (t >> 4)
    want[active] = np.minimum(want[active].astype(int) + 128, 255)
    call("u8_spike_trace", t, 4, active, active.size, 128, n_in)
    assert t.tolist() == want.tolist()
    call("u8_spike_trace", t, 4, None, 0, 0, n_in)
    assert t.tolist() == (want - (want >> 4)).tolist()


def test_the_most_excited_cell_wins_and_the_first_of_equals(call: Call) -> None:
    v, theta = np.int32([3, 9, 5, 9, 1]), np.int32([0, 4, 0, 4, 0])
    for least, winner in ((5, 1), (4, 1), (6, 5), (-9, 1)):
        assert call("i32_winner", v, theta, least, 5) == winner
    assert call("i32_winner", v, np.int32([0, 4, 0, 3, 0]), 0, 5) == 3
    assert call("i32_winner", np.int32([-7]), np.int32([2]), -9, 1) == 0
    assert call("i32_winner", np.int32([-7]), np.int32([2]), -8, 1) == 1
    wraps = np.int32([-(2**31), 2**31 - 1]), np.int32([1, -1])
    assert call("i32_winner", *wraps, 2**31 - 1, 2) == 0


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
@pytest.mark.parametrize("weights, shift", [("i16", 14), ("i32", 16)])
def test_a_cells_synapses_grow_and_keep_their_sum(
    call: Call, n_in: int, n_out: int, weights: str, shift: int
) -> None:
    w = drawn(6, 4095, n_in, n_out, dtype=weights.replace("16", "2").replace("32", "4"))
    t, cell, want = drawn(7, 255, n_in), n_out // 2, w.astype(np.int64)
    want[:, cell] = np.minimum(want[:, cell] + ((255 * t.astype(int)) >> 8), 4095)
    call(f"{weights}_potentiate", w, cell, t, 255, 4095, n_in, n_out)
    assert w.tolist() == want.tolist()
    total = int(want[:, cell].sum())
    call(f"{weights}_normalise", w, cell, shift, total, n_in, n_out)
    assert w.tolist() == want.tolist()  # no more than least
    if n_in > 1:
        want[:, cell] = (want[:, cell] << shift) // total
        call(f"{weights}_normalise", w, cell, shift, total - 1, n_in, n_out)
        assert w.tolist() == want.tolist()


def test_many_large_synapses_are_shared_exactly(call: Call) -> None:
    """As many as a host may make of them: their sum is just below 2^30."""
    w = np.full((4096, 1), 2**18 - 1, np.int32)
    w[:5, 0] = 0, 1, 9, 2**17, 2**16
    want = (w.astype(np.int64) << 16) // w.sum(dtype=np.int64)
    call("i32_normalise", w, 0, 16, 1 << 16, 4096, 1)
    np.testing.assert_array_equal(w, want)
    assert want.max() == 16
    for shift, share in ((1, [0, 1, 0]), (2, [1, 2, 0])):
        w = np.array([[1], [2], [0]], np.int32)
        call("i32_normalise", w, 0, shift, 2, 3, 1)
        assert w[:, 0].tolist() == share


def test_slow_thresholds_follow_how_often_cells_spike(call: Call) -> None:
    count, a, theta = (
        np.int32([0, 3, 99]),
        np.int32([255, 999, 5]),
        np.int32([0, 50, 8990]),
    )
    call("i32_homeostat", count, a, theta, 1 << 20, 4, 100_000, 64, 12, -70, 9000, 3)
    assert a.tolist() == [239, 999 + ((3 << 20) - 999 >> 4), 5 + ((1 << 24) - 5 >> 4)]
    assert theta.tolist() == [-70, 50 + ((a[1] - 100_000 >> 1) * 64 >> 12), 9000]
    count, a, theta = np.float32([0, 4]), np.float32([0.5, 0]), np.float32([0.25, 2])
    call("f32_homeostat", count, a, theta, 0.25, 0.5, 0.125, 2, -1, 2.5, 2)
    assert (a.tolist(), theta.tolist()) == ([0.25, 0.5], [0.5, 2.5])
    call("f32_homeostat", count * 0, a, theta, 0.25, 1.0, 2, 2, -1, 2.5, 2)
    assert (a.tolist(), theta.tolist()) == ([0, 0], [-1, -1])
    above, spikes = np.empty(3, np.int32), np.empty(3, np.int32)
    call(
        "i32_crossed", np.int32([9, 10, 11]), np.int32([0, 0, 2]), 10, above, spikes, 3
    )
    assert (above.tolist(), spikes.tolist()) == ([-1, 0, -1], [0, 1, 0])


def test_inputs_of_integers_spike_too(call: Call) -> None:
    v, s = np.int8([0, -5, 1, 64, 127, 100, 33, 90]), np.empty(8, np.int8)
    call("i8_bernoulli", v, 2**32 - 3, s, 8)
    words = random.mix(np.arange(8, dtype=np.uint32) + np.uint32(2**32 - 3)) >> 25
    assert s.tolist() == [
        127 * (int(a) < b) for a, b in zip(words, v.tolist(), strict=True)
    ]
    times = [
        None,
        None,
        127 * 3 >> 7,
        64 * 3 >> 7,
        0,
        28 * 3 >> 7,
        95 * 3 >> 7,
        38 * 3 >> 7,
    ]
    for tick in range(4):
        call("i8_latency", v, tick, 3, s, 8)
        assert s.tolist() == [127 * (t == tick) for t in times]


def test_cells_of_integers_charge_spike_and_are_remembered(call: Call) -> None:
    most = (1 << 30) - 1
    u, s = np.int32([7, -7, 100, most, -most]), np.int8([0, 0, 127, 0, 0])
    a = np.int32([1, 1, 1, 2**31 - 1, -(2**31)])
    call("i32_charge", u, s, a, 11, 1, 5)
    assert u.tolist() == [4, -3, 45, most, -most]
    call("i32_charge", u, None, np.int32([1, 2, 3, -9, 0]), 11, 0, 5)
    assert u.tolist() == [5, -1, 48, most - 9, -most]
    call("i32_spike", u, 48, s, 5)
    assert s.tolist() == [0, 0, 127, 127, 0]
    t, x = np.int8([127, -127, 5, -5, 0]), np.int8([127, -127, 0, 1, -1])
    call("i8_trace", t, x, 5)
    assert t.tolist() == [127, -127, 2, -2, 0]
    total = np.int32([1, 1])
    call("i32_share", total, np.int32([9, -9]), 2, 2)
    assert total.tolist() == [3, -2]
    d = np.int8([127, -127, 127, 64, 127])
    call("i32_spike_grad", np.int32([64, 64, 64 + 64, 0, 9999]), 64, 7, d, 5)
    assert d.tolist() == [127, -127, 32, 16, 0]  # half a unit away a quarter


def test_outputs_hear_and_learn_or_are_voted_for(call: Call) -> None:
    w, t = np.int32([3, 0, 9, 9]), np.uint8([255, 3, 4, 0])
    total = np.int32([1, 1, 1, 1])
    call("i32_heard", w, None, 64, total, 4)
    assert (w.tolist(), total.tolist()) == ([3, 0, 9, 9], [4, 1, 10, 10])
    call("i32_heard", w, t, 64, total, 4)
    assert (w.tolist(), total.tolist()) == ([66, 0, 10, 9], [7, 1, 19, 19])
    votes = np.int32([0, 2, 2, 0])
    call("i32_vote", votes, 3, 1, total, 4)
    assert (votes.tolist(), total.tolist()) == ([0, 2, 2, 1], [7, 2, 19, 19])
    nobody = np.int32([0, 1 << 24, 0, 0]) * 0
    call("i32_vote", nobody, 0, 1, total, 4)
    assert (nobody.tolist(), total.tolist()) == ([1, 0, 0, 0], [7, 2, 19, 19])
    full = np.int32([1 << 24])
    call("i32_vote", full, 0, 1, total, 1)
    assert full.tolist() == [1 << 24]


def test_outputs_are_told_and_thresholds_fade(call: Call) -> None:
    a, p = np.int32([5, 16777217, 16777217, -3]), np.empty(4, np.float32)
    for label, loss in ((1, 0.0), (2, 1.0)):
        assert call("i32_most_current", a, label, p, 4) == loss
    assert p.tolist() == [5, 16777216, 16777216, -3]
    theta = np.int32([1023, 1024, 5000])
    call("i32_fade", theta, 10, 3)
    assert theta.tolist() == [1023, 1023, 4996]
    call("i32_fill", theta, -5, 2)
    assert theta.tolist() == [-5, -5, 4996]
    t = np.uint8([1, 2, 3])
    call("u8_fill", t, 0, 2)
    assert t.tolist() == [0, 0, 3]
