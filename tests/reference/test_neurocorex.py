"""The twin of NeuroCoreX's contract against loops of single synapses, and the bytes that
it refuses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.errors import SpecError
from codegen.reference import neurocorex as twin
from hil.errors import UsageError
from hil.neurocorex import READ_INPUTS, READ_RECURRENT, Network
from hil.neurocorex.network import Homeostasis, Stdp

CELLS = 16
Matrix = list[list[int]]


class Loops:
    """docs/spiking.md, synapse by synapse."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.inputs: Matrix = net.inputs.astype(int).tolist()
        self.recurrent: Matrix = net.recurrent.astype(int).tolist()
        self.v, self.rest = [0] * CELLS, [0] * CELLS
        self.theta = [round(1024 * theta) for theta in net.thresholds]
        self.since_input, self.since_spike = [255] * CELLS, [255] * CELLS
        self.spiked: set[int] = set()

    def step(self, lines: set[int]) -> list[int]:
        net, fired = self.net, set()
        for i in range(CELLS):
            current = net.gain * sum(self.inputs[i][k] for k in lines)
            current += sum(self.recurrent[i][k] for k in self.spiked if k != i)
            bias = round(net.bias * 1024) if i == net.biased else 0
            v = self.v[i] - round(net.leak * 1024) + bias + 1024 * current
            self.v[i] = min(max(v, -131072), 131071)
            if self.rest[i]:
                self.rest[i] -= 1
            elif self.v[i] >= self.theta[i]:
                fired.add(i)
                self.v[i], self.rest[i] = 0, int(net.refractory[i])
        if net.homeostasis is not None:
            rise, fall = net.homeostasis.words()
            for i in range(CELLS):
                moved = self.theta[i] + (rise if i in fired else 0) - fall
                self.theta[i] = min(max(moved, 1), 131071)
        self.learn(lines, fired)
        for k in range(CELLS):
            self.since_input[k] = 0 if k in lines else min(self.since_input[k] + 1, 255)
            self.since_spike[k] = 0 if k in fired else min(self.since_spike[k] + 1, 255)
        self.spiked = fired
        return [int(i in fired) for i in range(CELLS)]

    def learn(self, lines: set[int], fired: set[int]) -> None:
        net, s = self.net, self.net.stdp
        layers = (
            (self.inputs, net.plastic_inputs, self.since_input, lines, s.inputs_pre, s.inputs_post),
            (
                self.recurrent, net.plastic_recurrent, self.since_spike, fired,
                s.recurrent_pre, s.recurrent_post,
            ),
        )  # fmt: skip
        for weights, plastic, since, sources, pre, post in layers:
            pairs = [
                (i, k)
                for i in range(CELLS)
                for k in range(CELLS)
                if plastic[i][k] and (weights is self.inputs or i != k)
            ]
            for i, k in pairs:
                if i in fired and since[k] < pre:
                    weights[i][k] = min(max(weights[i][k] + s.up, -128), 127)
            for i, k in pairs:
                if k in sources and self.since_spike[i] < post:
                    weights[i][k] = min(max(weights[i][k] - s.down, -128), 127)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Some with weights that reach every limit."""
    window, change = st.sampled_from([0, 1, 3, 255]), st.integers(-128, 127)
    stdp = Stdp(
        draw(window),
        draw(window),
        draw(window),
        draw(window),
        draw(change),
        draw(change),
    )
    net = Network(
        CELLS, leak=draw(st.sampled_from([0, 0.25, 127])), gain=draw(st.sampled_from([0, 1, 255])),
        bias=draw(st.sampled_from([0, -3.5, 100])), biased=draw(st.integers(0, 30)), stdp=stdp,
        homeostasis=draw(st.sampled_from([None, Homeostasis(0.25, 1.5), Homeostasis(0.02, 2.5)])),
    )  # fmt: skip
    drawn = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    square = (CELLS, CELLS)
    net.inputs[:], net.recurrent[:] = drawn.integers(-128, 128, (2, *square))
    net.thresholds[:] = drawn.integers(-20, 128, CELLS)
    net.refractory[:] = drawn.integers(0, 4, CELLS)
    net.plastic_inputs[:], net.plastic_recurrent[:] = drawn.random((2, *square)) < 0.7
    return net


@given(
    networks(),
    st.lists(st.tuples(st.integers(0, 24), st.integers(0, CELLS - 1)), max_size=40),
)
@settings(max_examples=25)
def test_it_is_what_loops_of_single_synapses_give(
    net: Network, spikes: Sequence[tuple[int, int]]
) -> None:
    data = net.program() + net.events(spikes, 25) + READ_INPUTS + READ_RECURRENT
    answer, loops = twin.answered(data, CELLS), Loops(net)
    rows = [loops.step({k for at, k in spikes if at == step}) for step in range(25)]
    assert np.array_equal(answer.runs[0], rows)
    assert np.array_equal(answer.reads[0], loops.inputs)
    assert np.array_equal(answer.reads[1], loops.recurrent)


def test_each_of_their_events_has_a_step_to_itself_and_the_end_rests() -> None:
    net = Network(CELLS, gain=1)
    net.inputs[2, 5] = net.inputs[4, 6] = 100
    net.thresholds[:] = 60
    run = b"\x30" + bytes([2, 5, 0, 0, 6, 0, 3, 5, 0]) + b"\xff\xff\xff"
    first, second = twin.answered(net.program() + run + run, CELLS).runs
    assert np.argwhere(first).tolist() == [[2, 2], [3, 4], [7, 2]]
    assert np.array_equal(first, second)


def test_an_answer_is_a_marker_and_eight_cells_a_byte_lowest_bit_first() -> None:
    net = Network(CELLS)
    net.inputs[[0, 9], 3] = 100
    net.thresholds[:] = 60
    data = net.program() + net.events([(0, 3)], 2) + net.events([])
    assert twin.answered(data, CELLS).bytes == bytes([0xFF, 1, 2, 0, 0])


def test_weights_change_by_the_order_of_spikes_within_their_windows() -> None:
    """Source before target: up. Target before source: down. Together: neither."""
    net = Network(CELLS, stdp=Stdp(inputs_pre=2, inputs_post=2, up=5, down=3))
    net.thresholds[:] = 60
    net.inputs[0, :4] = [0, 100, 0, 0]
    net.plastic_inputs[:] = True
    run = net.events([(0, 0), (2, 1), (4, 2), (4, 3), (5, 3)])
    (learned,) = twin.answered(net.program() + run + READ_INPUTS, CELLS).reads
    assert learned[0, :4].tolist() == [5, 100, -3, -3]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x70", "byte 0 is 0x70: expected a command"),
        (b"\x50\x00\xf0", "byte 2 is 0xf0"),
        (
            b"\x20" + bytes(100),
            "end within parameters, which begin at byte 0: expected 192",
        ),
        (b"\x00" + bytes(256), "expected 257 bytes after it, there are 256"),
        (b"\x30\x00\x10\x00\xff\xff\xff", "the event at byte 1 is of input line 16"),
        (b"\x30\x00\x01\x00", "the bytes end within events"),
    ],
)
def test_bytes_that_are_none_of_theirs_are_refused_by_their_place(
    data: bytes, said: str
) -> None:
    with pytest.raises(SpecError, match="expected") as error:
        twin.answered(data, CELLS)
    assert said in str(error.value)


def test_potentials_are_18_bits_that_do_not_wrap() -> None:
    network = twin.Network(CELLS)
    network.leak[8], network.threshold[:] = 131071, 131071
    for _ in range(3):
        network.step(np.zeros(CELLS, bool))
    assert (network.potential == -131072).all()
    network.leak[8], network.inputs[:] = 0, 127
    assert network.step(np.ones(CELLS, bool)).all()


def test_thresholds_bring_cells_to_the_rate_that_is_asked_for() -> None:
    """At a drive, and at twice that; where they stay, cells spike twice as often then."""
    net = Network(CELLS, leak=0.5)
    dice = np.random.default_rng(3)
    net.inputs[:], net.thresholds[:] = dice.integers(0, 3, (CELLS, CELLS)), 20
    runs = b""
    for share in (0.3, 0.6):
        spikes = np.argwhere(dice.random((1500, CELLS)) < share).tolist()
        runs += net.events([(step, line) for step, line in spikes], 1500)

    def rates() -> list[np.ndarray]:
        told = twin.answered(net.program() + runs, CELLS).runs
        return [one[750:].mean(axis=0) for one in told]

    once, twice = rates()
    assert (twice > 1.7 * once).all() and twice.mean() > 0.3
    net.homeostasis = Homeostasis(0.1, 0.125)
    for found in rates():
        assert found.min() > 0.09 and found.max() < 0.12


@pytest.mark.parametrize(
    "rate, fall",
    [(0, 0.1), (0.6, 0.1), (0.1, 0), (0.01, 2), (0.1, float("nan")), (1e-310, 0.1)],
)
def test_homeostasis_that_no_words_say_is_refused(rate: float, fall: float) -> None:
    net = Network(CELLS, homeostasis=Homeostasis(rate, fall))
    with pytest.raises(UsageError, match=r"expected a rate above 0 and at most 0\.5, "):
        net.program()
