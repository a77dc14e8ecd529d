"""Cells that spike, in integers: the twin against plain integers, step after step."""

from __future__ import annotations

import math

import numpy as np
import pytest

from codegen import streams
from codegen.errors import SpecError
from codegen.reference import Learner, integers, random
from codegen.rules import declaration
from codegen.spec import Inputs, Network, RuleChoice, Spec


def whole_learner(number_format: str, **parameters: object) -> Learner:
    """Of integers, with weights so large that cells spike."""
    network = declaration("ottt").suited(Network((9, 12, 5)))
    choice = RuleChoice("ottt", {"ticks": 4, **parameters})
    made = Learner(Spec(network, choice, Inputs("u8", 16.0), 3, format=number_format))
    for name in ("W1", "W2"):
        made.state[name][...] = made.state[name].exact * 2
    return made


def rounded(value: int, shift: int) -> int:
    return (value + (1 << (shift - 1))) >> shift


def signs() -> list[list[int]]:
    """+-1 of each error and cell of the first hidden layer, by the contract."""
    words = random.u32(3, streams.SIGN_FEEDBACK, 0, 2)
    bits = [int(words[k >> 5]) >> (k & 31) & 1 for k in range(5 * 12)]
    return [[1 - 2 * bits[c * 12 + j] for j in range(12)] for c in range(5)]


def followed(
    count: list[int], rate: list[int], theta: list[int], first: int
) -> tuple[list[int], list[int]]:
    """Rates and what thresholds have risen by, after 4 ticks, where 0.3 is asked for."""
    wanted, shift = math.floor(0.3 * 2**24 + 0.5), 0
    while (units := 2 * 0.02 * first / wanted * 2**shift) < 64:
        shift += 1
    factor = math.floor(units + 0.5)
    rate = [a + ((n * 2**22 - a) >> 5) for n, a in zip(count, rate, strict=True)]
    moved = [
        t + ((((a - wanted) >> 1) * factor) >> shift)
        for a, t in zip(rate, theta, strict=True)
    ]
    return rate, [min(max(t, -3 * first // 4), 15 * first) for t in moved]


@pytest.mark.parametrize(
    "number_format, asked", [("i16", 0.0), ("i8", 0.0), ("i16", 0.3), ("i8", 0.3)]
)
def test_a_step_in_integers_is_that_of_plain_integers(
    number_format: str, asked: float
) -> None:
    """In lists of Python's numbers, from docs/integers.md alone; tables by their functions."""
    made = whole_learner(number_format, homeostasis=asked)
    w = [made.state[name].exact.tolist() for name in ("W1", "W2")]
    b = [[0] * 12, [0] * 5]
    point = [made.state[name].fraction for name in ("W1", "W2")]
    most = [made.state[name].most for name in ("W1", "W2")]
    rng, matrix = np.random.default_rng(9), signs()
    first, rate, theta = 1 << (point[0] + 7), [0] * 12, [0] * 12
    if asked:
        rate, theta = (
            [j << 20 for j in range(12)],
            [(j - 6) * first // 8 for j in range(12)],
        )
        made.state["rate1"][...], made.state["theta1"][...] = rate, theta
    for label in range(4):
        sample = rng.integers(0, 17, 9).astype(np.uint8)
        x = [min(v * 8, 127) for v in sample.tolist()]
        made.step(sample, label, 0.5)
        u, s, o, total = [0] * 12, [0] * 12, [0] * 5, [0] * 5
        traces, count = [[0] * 9, [0] * 12], [0] * 12
        for _ in range(4):
            for j in range(12):
                left = u[j] - (s[j] != 0) * first
                u[j] = (
                    (left >> 1)
                    + 128 * b[0][j]
                    + sum(a * r[j] for a, r in zip(x, w[0], strict=True))
                )
            s = [127 * (v >= first + t) for v, t in zip(u, theta, strict=True)]
            count = [n + (v > 0) for n, v in zip(count, s, strict=True)]
            for c in range(5):
                o[c] += 128 * b[1][c] + sum(
                    a * r[c] for a, r in zip(s, w[1], strict=True)
                )
                total[c] += o[c] >> 2
            k = [min(max(rounded(v, point[1] + 3), -128), 127) for v in o]
            e = [
                min(int(128 / (1 + math.exp(-v / 16)) + 0.5), 127) - 127 * (c == label)
                for c, v in enumerate(k)
            ]
            traces = [
                [(t >> 1) + ((v + 1) >> 1) for t, v in zip(*pair, strict=True)]
                for pair in zip(traces, (x, s), strict=True)
            ]
            d = []
            for j in range(12):
                heard = sum(e[c] * matrix[c][j] for c in range(5))
                heard = min(max(rounded(128 * heard, 9), -127), 127)
                apart = min(abs(u[j] - (first + theta[j])) >> (point[0] + 2), 255)
                d.append(rounded(heard * int(128 / (1 + apart / 16) ** 2 + 0.5), 7))
            for n, delta in enumerate((d, e)):
                shift = 8 + 2 + 14 - point[n]  # of a rate of 1 / 8, 128 2^-10
                for j, down in enumerate(delta):
                    for i, t in enumerate(traces[n]):
                        moved = w[n][i][j] + rounded(-128 * t * down, shift)
                        w[n][i][j] = min(max(moved, -most[n]), most[n])
                    moved = b[n][j] + rounded(-128 * 128 * down, shift)
                    b[n][j] = min(max(moved, -most[n]), most[n])
        assert made.trace["p"].tolist() == [v * 2.0 ** -(point[1] + 7) for v in total]
        for n in (0, 1):
            assert made.state[f"W{n + 1}"].tolist() == w[n]
            assert made.state[f"b{n + 1}"].tolist() == b[n]
        if asked:
            rate, theta = followed(count, rate, theta, first)
            assert made.state["rate1"].tolist() == rate
            assert made.state["theta1"].tolist() == theta


def test_inputs_of_integers_spike_as_their_encoding_says() -> None:
    made = whole_learner("i16", encoding="latency")
    x = integers.network_input(
        made.spec.inputs, np.uint8([0, 1, 8, 15, 16, 4, 12, 2, 9])
    )
    due = [None, 2, 1, 0, 0, 2, 0, 2, 1]
    for tick in range(4):
        spikes = made.arithmetic.latency(x, tick, 4).tolist()
        assert spikes == [127 * (t == tick) for t in due]
    drawn = [made.arithmetic.bernoulli(x, 3, 9 * n).exact > 0 for n in range(400)]
    assert np.mean(drawn, axis=0) == pytest.approx(x.exact / 128, abs=0.08)


@pytest.mark.parametrize("parameters, words", [
    ({"leak": 0.3}, r"ottt' in i16 has leak = 0.3, where a leak halves: expected 0.5"),
    ({"ticks": 6}, "ticks = 6, where a mean is a shift: expected a power of two"),
    ({"trace": "on"}, "trace = on: expected off"),
    ({"feedback": "uniform"}, "feedback 'uniform' of rule 'ottt' in i16"),
])  # fmt: skip
def test_what_integers_cannot_have_is_refused(
    parameters: dict[str, object], words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        whole_learner("i16", **parameters)
