"""The arithmetic of i16 and i8, against plain integers and fractions."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from codegen import streams, tables
from codegen.errors import SpecError
from codegen.numbers import NUMBERS, SUM
from codegen.reference import integers, random
from codegen.reference.learner import Learner
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec

BITS = {"i16": (16, 5), "i8": (8, 2)}
"""Bits of a weight, and how many times its layer's initial range, as a power of two,
it can grow to."""
ETA = 0.046875
"""1.5 * 2^-5."""


def nearest(value: Fraction) -> int:
    """To nearest, ties up."""
    return math.floor(value + Fraction(1, 2))


def clamp(value: int, most: int) -> int:
    return max(-most, min(most, value))


def point(fmt: str, n_in: int, n_out: int) -> int:
    bits, room = BITS[fmt]
    limit, power = math.sqrt(6 / (n_in + n_out)), 0
    while 2.0 ** (power - 1) >= limit:
        power -= 1
    while 2.0**power < limit:
        power += 1
    return bits - 1 - room - power


def test_the_tables_are_numpys_functions_rounded() -> None:
    k = np.arange(-128, 129)
    tanh = np.clip(np.floor(128 * np.tanh(k[:-1] / 32) + 0.5), -127, 127)
    sigmoid = np.clip(np.floor(128 / (1 + np.exp(-k[:-1] / 16)) + 0.5), -127, 127)
    softplus = np.floor(256 * np.logaddexp(0, k / 16) + 0.5)
    assert tuple(tanh.astype(int).tolist()) == tables.TANH
    assert tuple(sigmoid.astype(int).tolist()) == tables.SIGMOID
    assert tuple(softplus.astype(int).tolist()) == tables.SOFTPLUS


def test_halves_are_rounded_up_and_sums_saturate() -> None:
    given = np.array([-3, -2, -1, 0, 1, 2, 3])
    assert integers.rounded(given, 1).tolist() == [-1, -1, 0, 0, 1, 1, 2]
    ends = integers.fixed(np.array([-300, 300, 127]), "i4", 7)
    assert integers.signal(ends).tolist() == [-127, 127, 127]


def test_sums_are_told_as_the_nearest_float() -> None:
    given = np.array([2**24 + 1, 2**24 + 3, -(2**30) - 65, 1, 0])
    told = integers.told(integers.fixed(given, "i4", 19))
    assert told.tolist() == (given / 2.0**19).astype(np.float32).tolist()


@pytest.mark.parametrize("fmt", list(BITS))
def test_a_step_of_bp_is_that_of_plain_integers(fmt: str) -> None:
    spec = Spec(Network((6, 5, 3)), RuleChoice("bp"), Inputs("u8", 16.0), 3, format=fmt)
    made = Learner(spec)
    before = {name: tensor.tolist() for name, tensor in made.snapshot().items()}
    f1, f2 = point(fmt, 6, 5), point(fmt, 5, 3)
    raw, label = [0, 3, 16, 7, 200, 1], 1
    result = made.step(np.array(raw, np.uint8), label, ETA)

    x = [clamp(8 * v, 127) for v in raw]
    a1 = [sum(x[i] * before["W1"][i][j] for i in range(6)) for j in range(5)]
    h = [
        clamp(
            nearest(
                128
                * Fraction(
                    math.tanh(
                        max(-128, min(127, nearest(Fraction(a, 2 ** (f1 + 2))))) / 32
                    )
                )
            ),
            127,
        )
        for a in a1
    ]
    a2 = [sum(h[i] * before["W2"][i][j] for i in range(5)) for j in range(3)]
    k = [max(-128, min(127, nearest(Fraction(a, 2 ** (f2 + 3))))) for a in a2]
    p = [min(127, nearest(Fraction(128 / (1 + math.exp(-v / 16))))) for v in k]
    e = [p[j] - (127 if j == label else 0) for j in range(3)]
    u = [
        clamp(
            nearest(Fraction(sum(before["W2"][i][j] * e[j] for j in range(3)), 2**f2)),
            127,
        )
        for i in range(5)
    ]
    d = [
        clamp(nearest(Fraction(u[i] * (2**14 - h[i] ** 2), 2**14)), 127)
        for i in range(5)
    ]

    def moved(w: int, y: int, delta: int, f: int) -> int:
        step = -Fraction(ETA) * Fraction(y * delta, 2**14) * 2**f
        return clamp(w + nearest(step), 2 ** (BITS[fmt][0] - 1) - 1)

    for name, source, delta, f in (("1", x, d, f1), ("2", h, e, f2)):
        w, b = made.state[f"W{name}"], made.state[f"b{name}"]
        rows = before[f"W{name}"]
        assert w.tolist() == [
            [moved(old, y, t, f) for old, t in zip(row, delta, strict=True)]
            for row, y in zip(rows, source, strict=True)
        ]
        assert b.tolist() == [moved(0, 128, t, f) for t in delta]
    assert result.p.tolist() == [float(Fraction(a, 2 ** (f2 + 7))) for a in a2]
    loss = sum(
        nearest(Fraction(256 * math.log1p(math.exp((-v if j == label else v) / 16))))
        for j, v in enumerate(k)
    )
    assert float(result.loss) == loss / 256


@pytest.mark.parametrize("fmt", list(BITS))
@pytest.mark.parametrize("shape", [(64, 10), (784, 128), (1200, 40), (40, 900)])
def test_no_sum_leaves_32_bits_whatever_weights_and_inputs_are(
    fmt: str, shape: tuple[int, int]
) -> None:
    n_in, n_out = shape
    most = NUMBERS[fmt].most(shape, math.sqrt(6 / (n_in + n_out)), None)
    assert 127 * n_in * most + 128 * most <= SUM
    assert 127 * n_out * most <= SUM
    assert SUM + 2**18 < 2**31  # what rounding by up to 19 bits adds


@pytest.mark.parametrize("fmt", list(BITS))
def test_a_step_of_fg_activity_is_that_of_plain_integers(fmt: str) -> None:
    """Directions of +-1/4, what moves along them in units of 1/128, and a derivative that
    is exact of these."""
    widths, rule = (6, 5, 4, 3), RuleChoice("fg-activity", {"k": 2})
    made = Learner(Spec(Network(widths), rule, Inputs("u8", 16.0), 3, format=fmt))
    before = {name: tensor.tolist() for name, tensor in made.snapshot().items()}
    made.step(np.array([0, 3, 16, 7, 200, 1], np.uint8), 1, ETA)
    e = made.trace["e"].tolist()
    found = []
    for k in range(2):
        seed = random.u32(3, streams.DIRECTIONS, k, 1)[0]
        words = [random.u32(int(seed), 110 + n, 0, 1)[0] for n in (1, 2)]
        u = [[1 - 2 * (int(w) >> j & 1) for j in range(5)] for w in words]
        t = [0] * 6
        for n in (1, 2, 3):
            f, w = point(fmt, *widths[n - 1 : n + 1]), before[f"W{n}"]
            moved = [
                Fraction(sum(t[i] * w[i][j] for i in range(len(t))), 2**f)
                for j in range(widths[n])
            ]
            if n == 3:
                t = [clamp(nearest(v), 127) for v in moved]
                continue
            there = [
                clamp(nearest(v + 32 * s), 127)
                for v, s in zip(moved, u[n - 1], strict=False)
            ]
            h = made.trace[f"h{n}"].tolist()
            t = [
                clamp(nearest(Fraction(v * (2**14 - g * g), 2**14)), 127)
                for v, g in zip(there, h, strict=True)
            ]
        found.append((sum(a * b for a, b in zip(e, t, strict=True)), u))
    assert made.trace["jvp"].tolist() == [jvp for jvp, _ in found]
    for n in (1, 2):
        mean = [
            Fraction(sum(jvp * u[n - 1][j] for jvp, u in found), 2)
            for j in range(widths[n])
        ]
        want = [clamp(nearest(4 * v * 128 / 2**14), 127) for v in mean]
        assert made.trace[f"d{n}"].tolist() == want


@pytest.mark.parametrize("fmt", list(BITS))
def test_a_step_of_fg_local_is_that_of_plain_integers(fmt: str) -> None:
    """Directions as of fg-activity, through a read-out whose sums are rounded once."""
    rule = RuleChoice("fg-local", {"k": 2})
    made = Learner(Spec(Network((6, 5, 3)), rule, Inputs("u8", 16.0), 3, format=fmt))
    r, f = made.snapshot()["R1"].tolist(), point(fmt, 5, 3)
    made.step(np.array([0, 3, 16, 7, 200, 1], np.uint8), 1, ETA)
    e, h = (made.trace[name].tolist() for name in ("e1", "h1"))
    found = []
    for k in range(2):
        seed = random.u32(3, streams.DIRECTIONS, k, 1)[0]
        word = int(random.u32(int(seed), 111, 0, 1)[0])
        u = [1 - 2 * (word >> j & 1) for j in range(5)]
        t = [
            nearest(Fraction(32 * s * (2**14 - g * g), 2**14))
            for s, g in zip(u, h, strict=True)
        ]
        moved = [sum(t[i] * r[i][c] for i in range(5)) for c in range(3)]
        follows = [clamp(nearest(Fraction(v, 2**f)), 127) for v in moved]
        found.append((sum(a * b for a, b in zip(e, follows, strict=True)), u))
    assert made.trace["jvp1"].tolist() == [jvp for jvp, _ in found]
    means = [Fraction(sum(jvp * u[j] for jvp, u in found), 2) for j in range(5)]
    want = [clamp(nearest(4 * v * 128 / 2**14), 127) for v in means]
    assert made.trace["d1"].tolist() == want and any(want)


@pytest.mark.parametrize("fmt", list(BITS))
def test_no_layer_of_a_few_hundred_inputs_is_refused(fmt: str) -> None:
    """64-32 begins within 1/4, a power of two, of which i8 holds a little less than 4
    times."""
    largest = 2 ** (BITS[fmt][0] - 1) - 1
    for n_in in range(1, 515):
        for n_out in range(1, 515 - n_in):
            shape, limit = (n_in, n_out), math.sqrt(6 / (n_in + n_out))
            assert NUMBERS[fmt].most(shape, limit, None) == largest


def test_a_layer_too_wide_for_its_sums_is_refused() -> None:
    wide = Spec(Network((30000, 20, 10)), format="i16")
    with pytest.raises(SpecError, match="30000 inputs and 20 outputs in i16: its sums"):
        Learner(wide)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"rule": RuleChoice("pc")}, "rule 'pc' has no form in i16: its errors are"),
        ({"rule": RuleChoice("fg-activity", {"k": 3})}, "'fg-activity' in i16 has k 3: a mean of"),
        ({"rule": RuleChoice("fg-activity", {"perturbation": "gaussian"})},
         "'fg-activity' in i16 has perturbation 'gaussian': a normal number"),
        ({"inputs": Inputs("f32", 1.0)}, "samples that come as f32 in i16: no float"),
        ({"gate": Gate("row")}, "gate 'row' in i16: rounding leaves out every change"),
        ({"clip": Clip(error=1.0)}, "clip_error in i16: an error is within -1 and 1"),
        ({"network": Network((8, 4, 2), "relu")}, "activation 'relu' in i16"),
        ({"network": Network((8, 4, 2), "identity")}, "activation 'identity' in i16: activ.*: expected tanh or hard-tanh"),
        ({"rule": RuleChoice("ottt")}, "activation 'tanh' makes no sense with rule 'ottt': expected identity"),
        ({"network": Network((8, 4, 2), output="softmax")}, "output 'softmax' in i16"),
        ({"rule": RuleChoice("dfa", {"feedback": "uniform"})}, "feedback 'uniform' of .*: expected signs, or what is not stored"),
        ({"network": Network((8, 4, 2), "hard-tanh"), "format": "f32"}, "'hard-tanh' is"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_in_integers_is_refused_with_its_reason(
    keys: dict[str, object], said: str
) -> None:
    given = {"network": Network((8, 4, 2)), "format": "i16", **keys}
    with pytest.raises(SpecError, match=said):
        Learner(Spec(**given))  # type: ignore[arg-type]


def test_a_weight_limit_holds_from_the_first_step_on() -> None:
    made = Learner(Spec(Network((8, 4, 2)), format="i16", clip=Clip(weights=0.25)))
    rng = np.random.default_rng(1)
    for _ in range(200):
        made.step(rng.integers(0, 16, 8).astype(np.uint8), 1, 0.5)
        for name, tensor in made.state.items():
            assert np.abs(tensor).max() * 2.0**-tensor.fraction <= 0.25, name


@pytest.mark.parametrize("fmt", list(BITS))
def test_what_a_step_changes_is_counted_and_not_what_rounding_leaves_out(
    fmt: str,
) -> None:
    spec = Spec(Network((33, 17, 5)), RuleChoice("bp"), Inputs("u8", 16.0), format=fmt)
    made, rng = Learner(spec), np.random.default_rng(1)
    shares = []
    for _ in range(40):
        before = made.snapshot()
        sample = rng.integers(0, 17, 33).astype(np.uint8)
        made.step(sample, int(rng.integers(5)), ETA)
        for layer in (1, 2):
            name = f"W{layer}"
            moved = np.count_nonzero(before[name] != np.asarray(made.state[name]))
            assert made.changed[layer] == moved
            shares.append(moved / before[name].size)
    assert 0 < float(np.mean(shares)) < {"i16": 0.95, "i8": 0.4}[fmt]
