"""Every scalar kernel, compiled for this computer, gives the reference's bits.

More than 400 lines because every scalar kernel has its test in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from codegen import streams
from codegen.formats import FORMATS
from codegen.quotient import factors
from codegen.reference import functions, outputs, random
from codegen.reference.arithmetic import F32, fma
from codegen.reference.digest import Digest
from codegen.reference.float32 import FLOAT32
from codegen.reference.fronts import scaler
from codegen.reference.goals import one_hot
from codegen.reference.layers import dense
from codegen.scaler import Scaler
from codegen.spec import Inputs
from tests.reference.one_layer import rank_one

SIZES = (1, 7, 16, 17, 33, 65)
SHAPES = [(1, 1), (7, 10), (17, 16), (5, 17), (33, 31), (64, 65), (9, 130)]
OUTPUTS = {
    "sigmoid": "f32_sigmoid_bce",
    "softmax": "f32_softmax_ce",
    "identity": "f32_identity_mse",
}
SPECIAL = np.float32(
    [0.0, -0.0, 1e-45, -1e-45, 1.1754942e-38, 1.1754944e-38, 1.0, -1.0, 0.5, 88.0, -87.0,
     -87.00001, 9.125, 9.0109, -104.0, 3.4028235e38, -3.4028235e38, np.inf, -np.inf, np.nan]
)  # fmt: skip
FINITE = SPECIAL[np.isfinite(SPECIAL)]

Call = Callable[..., Any]


@pytest.fixture(scope="module", autouse=True)
def _silent_numpy() -> Any:
    with np.errstate(all="ignore"):
        yield


def same(got: F32, want: F32) -> None:
    """Equal to the bit; the bits of a NaN are nobody's."""
    assert got.shape == want.shape
    differ = np.flatnonzero(
        (got.view(np.uint32) != want.view(np.uint32))
        & ~(np.isnan(got) & np.isnan(want))
    )
    assert not differ.size, (
        f"element {differ[0]} of {got.size} is {float(got.flat[differ[0]]).hex()}, "
        f"reference {float(want.flat[differ[0]]).hex()}; {differ.size} differ"
    )


def drawn(seed: int, *shape: int, zeros: float = 0.2) -> F32:
    """Numbers like those of a network, some of them zero, some extreme."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape).astype(np.float32)
    values[rng.random(shape) < zeros] = 0.0
    odd = rng.random(shape) < 0.1
    values[odd] = rng.choice(FINITE, size=int(odd.sum()))
    return values


floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


def vectors(n: int | st.SearchStrategy[int]) -> st.SearchStrategy[F32]:
    """Finite float32 arrays."""
    return arrays(np.float32, n, elements=floats)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("name", "dtype"), [("u8_to_f32", np.uint8), ("i16_to_f32", np.int16)]
)
def test_integers_are_divided_once(call: Call, name: str, dtype: Any, n: int) -> None:
    limits = np.iinfo(dtype)
    v = np.random.default_rng(n).integers(
        limits.min, limits.max, n, dtype, endpoint=True
    )
    x = np.empty(n, np.float32)
    call(name, v, 255.0, x, n)
    same(x, v.astype(np.float32) / np.float32(255.0))


def whole(dtype: Any) -> Any:
    """Every number of an integer type."""
    limits = np.iinfo(dtype)
    return np.arange(limits.min, limits.max + 1, dtype=np.int64).astype(dtype)


@pytest.mark.parametrize("scale", [1.0, 3.0, 7.3, 16.0, 255.0, 32768.0, 1e-3, 1e20])
@pytest.mark.parametrize("kind", ["u8", "i16"])
def test_factors_give_the_quotient_of_every_integer(
    call: Call, kind: str, scale: float
) -> None:
    v = whole(FORMATS[kind].dtype)
    by = factors(scale, FORMATS[kind])
    assert by is not None
    x = np.empty(v.size, np.float32)
    call(f"{kind}_scaled", v, by.hi, by.lo, x, v.size)
    same(x, v.astype(np.float32) / np.float32(scale))


@given(v=vectors(st.integers(1, 40)))
def test_floats_are_multiplied_by_a_power_of_two(call: Call, v: F32) -> None:
    by = factors(2.0**-7, FORMATS["f32"])
    assert by is not None
    x = np.empty_like(v)
    call("f32_scaled", v, by.hi, by.lo, x, v.size)
    same(x, v / np.float32(2.0**-7))


@given(v=vectors(st.integers(1, 40)))
def test_floats_are_divided_once(call: Call, v: F32) -> None:
    x = np.empty_like(v)
    call("f32_scale", v, 3.0, x, v.size)
    same(x, v / np.float32(3.0))


@given(data=st.data(), dtype=st.sampled_from((np.uint8, np.int16, np.float32)))
def test_each_element_has_an_offset_and_a_divisor(
    call: Call, data: Any, dtype: Any
) -> None:
    n = data.draw(st.integers(1, 40))
    v = data.draw(arrays(dtype, n, elements=floats if dtype == np.float32 else None))
    offsets = tuple(data.draw(vectors(n)).clip(-(2**20), 2**20).tolist())
    divisors = tuple(np.abs(data.draw(vectors(n))).clip(2**-20, 2**20).tolist())
    kind = {np.uint8: "u8", np.int16: "i16", np.float32: "f32"}[dtype]
    inputs = Inputs(kind, 1.0, scaler=Scaler(offsets, divisors))
    x = np.empty(n, np.float32)
    call(f"{kind}_rescale", v, np.float32(offsets), np.float32(divisors), x, n)
    same(x, scaler.network_input(inputs, v))


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_forward(call: Call, n_in: int, n_out: int) -> None:
    w, b, x = drawn(1, n_in, n_out), drawn(2, n_out), drawn(3, n_in)
    a = np.empty(n_out, np.float32)
    call("f32_dense_forward", w, b, x, a, n_in, n_out)
    same(a, dense.forward(FLOAT32, w, b, x))


def test_forward_skips_zeros_of_both_signs(call: Call) -> None:
    x = np.float32([0.0, -0.0, 1.0])
    w = np.float32([[np.inf], [np.nan], [-0.0]])
    a = np.empty(1, np.float32)
    call("f32_dense_forward", w, np.float32([-0.0]), x, a, 3, 1)
    same(a, np.float32([-0.0]))


@settings(max_examples=100)
@given(data=st.data(), n_in=st.integers(1, 9), n_out=st.integers(1, 33))
def test_forward_of_any_numbers(call: Call, data: Any, n_in: int, n_out: int) -> None:
    w, b, x = (data.draw(vectors(n)) for n in (n_in * n_out, n_out, n_in))
    a = np.empty(n_out, np.float32)
    call("f32_dense_forward", w, b, x, a, n_in, n_out)
    with np.errstate(all="ignore"):
        same(a, dense.forward(FLOAT32, w.reshape(n_in, n_out), b, x))


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
def test_activations(call: Call, name: str) -> None:
    sweep = np.linspace(-100, 100, 40_001, dtype=np.float32)
    fine = np.linspace(-1.5, 1.5, 40_001, dtype=np.float32)
    h = np.concatenate(
        [SPECIAL, sweep, fine, np.geomspace(1e-45, 1, 5000, dtype=np.float32)]
    )
    h = h[np.isfinite(h)]
    want = functions.ACTIVATIONS[name].value(h.copy())
    assert call(f"f32_{name}", h, h.size) is True
    same(h, want)
    for value in SPECIAL[~np.isfinite(SPECIAL)]:
        h[-1] = value
        assert call(f"f32_{name}", h.copy(), h.size) is False


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "relu"])
def test_derivatives(call: Call, name: str) -> None:
    h = np.concatenate([FINITE, drawn(5, 5000)])
    d = drawn(6, h.size)
    want = functions.ACTIVATIONS[name].grad(h, d.copy())
    finite = call(f"f32_{name}_grad", h, d, h.size)
    assert finite == np.isfinite(want).all()
    same(d, want)


@pytest.mark.parametrize("n", SIZES)
def test_what_is_not_finite_is_found_anywhere(call: Call, n: int) -> None:
    v = np.full(n, FINITE.max(), np.float32)
    v[::2] = -1e-45
    assert call("f32_all_finite", v, n) is True
    for index in range(n):
        for value in SPECIAL[~np.isfinite(SPECIAL)]:
            bad = v.copy()
            bad[index] = value
            assert call("f32_all_finite", bad, n) is False


@pytest.mark.parametrize(("n_err", "n"), SHAPES)
def test_stored_feedback(call: Call, n_err: int, n: int) -> None:
    matrix, e = drawn(7, n_err, n), drawn(8, n_err)
    u = np.empty(n, np.float32)
    call("f32_feedback_stored", matrix, e, u, n_err, n)
    same(u, dense.feedback(FLOAT32, matrix, e))


@pytest.mark.parametrize(("n_err", "n"), SHAPES)
@pytest.mark.parametrize("first_word", [0, 3, 2**32 - 2])
def test_sign_feedback(call: Call, n_err: int, n: int, first_word: int) -> None:
    scale = np.float32(0.3)
    matrix = random.feedback_signs(17, first_word, scale, n_err, n)
    e = drawn(9, n_err)
    u = np.empty(n, np.float32)
    words = np.empty(-(-n_err * n // 32), np.uint32)
    call("f32_feedback_signs", 17, first_word, scale, e, u, words, n_err, n)
    same(u, dense.feedback(FLOAT32, matrix, e))
    call("u32_words", 17, streams.SIGN_FEEDBACK, first_word, words, words.size)
    u[:] = np.nan
    call("f32_feedback_words", scale, e, u, words, n_err, n)
    same(u, dense.feedback(FLOAT32, matrix, e))


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_backward(call: Call, n_in: int, n_out: int) -> None:
    w, d = drawn(10, n_in, n_out), drawn(11, n_out)
    u = np.empty(n_in, np.float32)
    call("f32_dense_backward", w, d, u, n_in, n_out)
    same(u, dense.backward(FLOAT32, w, d))


@settings(max_examples=100)
@given(data=st.data(), n_in=st.integers(1, 3), n_out=st.integers(1, 40))
def test_backward_of_any_numbers(call: Call, data: Any, n_in: int, n_out: int) -> None:
    w, d = data.draw(vectors(n_in * n_out)), data.draw(vectors(n_out))
    u = np.empty(n_in, np.float32)
    call("f32_dense_backward", w, d, u, n_in, n_out)
    with np.errstate(all="ignore"):
        same(u, dense.backward(FLOAT32, w.reshape(n_in, n_out), d))


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_update(call: Call, n_in: int, n_out: int) -> None:
    w, b, x, d = (
        drawn(12, n_in, n_out),
        drawn(13, n_out),
        drawn(14, n_in),
        drawn(15, n_out),
    )
    eta = np.float32(0.03)
    want_w, want_b = w.copy(), b.copy()
    rank_one(want_w, want_b, x, d, eta)
    call("f32_dense_update", w, b, x, d, eta, n_in, n_out)
    same(w, want_w)
    same(b, want_b)


@settings(max_examples=100)
@given(data=st.data(), n_in=st.integers(1, 5), n_out=st.integers(1, 20), eta=floats)
def test_update_of_any_numbers(
    call: Call, data: Any, n_in: int, n_out: int, eta: float
) -> None:
    w, b, x, d = (data.draw(vectors(n)) for n in (n_in * n_out, n_out, n_in, n_out))
    want_w, want_b = w.copy().reshape(n_in, n_out), b.copy()
    with np.errstate(all="ignore"):
        rank_one(want_w, want_b, x, d, np.float32(eta))
        call("f32_dense_update", w, b, x, d, eta, n_in, n_out)
        same(w, want_w.ravel())
        same(b, want_b)


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("spread", [0.1, 3.0, 60.0])
def test_outputs_and_losses(call: Call, output: str, n: int, spread: float) -> None:
    a = (drawn(16, n).clip(-2, 2) * np.float32(spread)).astype(np.float32)
    for label in {0, n // 2, n - 1}:
        want = outputs.OUTPUTS[output].judged(a.copy(), one_hot(label, a.size))
        p, e = np.empty(n, np.float32), np.empty(n, np.float32)
        loss = call(OUTPUTS[output], a, label, p, e, n)
        same(p, want.p)
        same(e, want.e)
        same(np.float32([loss]), np.float32([want.loss]))

        in_place = a.copy()
        assert call(OUTPUTS[output], in_place, label, in_place, e, n) == loss
        same(in_place, want.p)
        same(e, want.e)


@pytest.mark.parametrize("output", OUTPUTS)
def test_inference_needs_no_error_vector(call: Call, output: str) -> None:
    a = drawn(17, 33)
    p = np.empty_like(a)
    assert call(OUTPUTS[output], a, 999, p, None, 33) == 0.0
    same(p, outputs.OUTPUTS[output].value(a.copy()))


@pytest.mark.parametrize("n", SIZES)
def test_a_label_as_a_target(call: Call, n: int) -> None:
    for label in {0, n // 2, n - 1}:
        t = drawn(20, n)
        call("f32_target", t, label, -1.0, n)
        same(t, -one_hot(label, n) + np.float32(0))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("limit", [0.5, 30.0])
def test_a_mean_moves_to_a_sample_of_its_class(
    call: Call, n: int, limit: float
) -> None:
    for label in (0, 2):
        w, x = drawn(21, n * 3).reshape(n, 3), drawn(22, n)
        b, t, counts = drawn(23, 3), one_hot(label, 3), np.full(3, 4, np.float32)
        found = w.copy()
        square = call("f32_class_mean", found, x, label, 0.2, limit, n, 3)
        FLOAT32.averaged(w, b, counts, x, t, np.float32(limit), np.float32(-1e30))
        same(found, w)
        assert np.float32(-0.5) * np.float32(square) == b[label]


@pytest.mark.parametrize("n", [1, 2, 7, 16, 33])
@pytest.mark.parametrize("limit", [0.5, 30.0])
def test_a_covariance_moves_to_a_sample(call: Call, n: int, limit: float) -> None:
    triangle = n * (n + 1) // 2
    s, m, x = drawn(24, triangle), drawn(25, n * 3).reshape(n, 3), drawn(26, n)
    found, d = s.copy(), np.empty_like(x)
    each = float(np.float32(1) / np.float32(9))
    call("f32_class_scatter", found, m, x, d, 2, 0.75, each, limit, n, 3)
    counts, total = np.float32([0, 0, 3]), np.float32([8])
    FLOAT32.scattered(s, m, counts, total, x, one_hot(2, 3), np.float32(limit))
    same(found, s)


@pytest.mark.parametrize("n", [1, 2, 7, 16, 33])
@pytest.mark.parametrize("spread", [0.0, 1.0])
@pytest.mark.parametrize("limit", [2.0, 3e38])
def test_weights_are_made_of_means_and_a_covariance(
    call: Call, n: int, spread: float, limit: float
) -> None:
    """Without any variance, too, and of a class without samples."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(2 * n, n)) * spread
    s = (x.T @ x / len(x)).astype(np.float32)[np.tril_indices(n)]
    m = rng.normal(size=(n, 3)).astype(np.float32)
    counts, unseen = np.float32([4, 0, 1]), np.float32(-1e30)
    lower, w, b = np.empty_like(s), np.empty_like(m), np.empty(3, np.float32)
    numbers = (0.01, limit, float(unseen), n, 3)
    call("f32_class_discriminant", s, m, counts, lower, w, b, *numbers)
    found = FLOAT32.discriminant(
        s, m, counts, np.float32(0.01), np.float32(limit), unseen
    )
    same(w, found[0])
    same(b, found[1])
    assert b[1] == unseen


VECTORS = {"sigmoid": "f32_sigmoid_bce_vector", "identity": "f32_identity_mse_vector"}


@pytest.mark.parametrize("output", VECTORS)
@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("spread", [0.1, 3.0, 60.0])
def test_outputs_held_against_a_vector(
    call: Call, output: str, n: int, spread: float
) -> None:
    a = (drawn(16, n).clip(-2, 2) * np.float32(spread)).astype(np.float32)
    t = np.random.default_rng(n).random(n, np.float32)
    t[::5], t[::7] = 0, 1
    want = outputs.OUTPUTS[output].judged(a.copy(), t)
    p, e = np.empty(n, np.float32), np.empty(n, np.float32)
    loss = call(VECTORS[output], a, t, p, e, n)
    same(p, want.p)
    same(e, want.e)
    same(np.float32([loss]), np.float32([want.loss]))

    in_place = a.copy()
    assert call(VECTORS[output], in_place, t, in_place, e, n) == loss
    same(in_place, want.p)
    same(e, want.e)
    assert call(VECTORS[output], a, None, p, None, n) == 0.0
    same(p, want.p)


@pytest.mark.parametrize("output", VECTORS)
def test_each_rounding_of_a_loss_is_the_references(call: Call, output: str) -> None:
    """Of one output at a time: in a sum the last bit of a term may be lost."""
    rng = np.random.default_rng(3)
    p, e = np.empty(1, np.float32), np.empty(1, np.float32)
    for a, t in rng.random((200, 2, 1), np.float32):
        want = outputs.OUTPUTS[output].judged(a * np.float32(3), t)
        loss = call(VECTORS[output], a * np.float32(3), t, p, e, 1)
        same(np.float32([loss]), np.float32([want.loss]))


@pytest.mark.parametrize("output", VECTORS)
@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_in_outputs_or_target_is_told(
    call: Call, output: str, wrong: float
) -> None:
    for index in (0, 16, 32):
        a, t, e = drawn(17, 33), np.zeros(33, np.float32), np.empty(33, np.float32)
        t[index] = wrong
        assert np.isnan(call(VECTORS[output], a, t, e.copy(), e, 33))
        t[index], a[index] = 0, wrong
        assert np.isnan(call(VECTORS[output], a, t, e.copy(), e, 33))
        assert np.isnan(call(VECTORS[output], a, None, e, None, 33))


@pytest.mark.parametrize("n", SIZES)
def test_vectors_are_filled_copied_scaled_and_held_apart(call: Call, n: int) -> None:
    x, y, found = drawn(20, n), drawn(21, n), np.empty(n, np.float32)
    call("f32_fill", found, -0.0, n)
    same(found, np.full(n, -0.0, np.float32))
    call("f32_copy", x, found, n)
    same(found, x)
    call("f32_times", x, 0.7, found, n)
    same(found, np.float32(0.7) * x)
    call("f32_difference", x, y, 0.7, found, n)
    same(found, np.float32(0.7) * (x - y))
    call("f32_ratio", x, y, found, n)
    same(found, x / y)


@pytest.mark.parametrize("n", SIZES)
def test_units_of_predictive_coding_move_along_their_errors(call: Call, n: int) -> None:
    eps, u, z = drawn(22, n), drawn(23, n), drawn(24, n)
    want, h = fma(np.float32(0.7), eps - u, z), np.empty(n, np.float32)
    call("f32_settle", eps, u, 0.7, z, h, n)
    same(z, want)
    same(h, want)


@pytest.mark.parametrize("n", SIZES)
def test_variances_move_and_stay_within_their_limits(call: Call, n: int) -> None:
    eps, s = drawn(25, n), np.abs(drawn(26, n, zeros=0)) + np.float32(0.5)
    rate, one = np.float32(0.03), np.float32(1)
    moved = fma(rate, eps * eps - one / s, s)
    call("f32_adapt", s, eps, 0.03, 0.5, 90.0, n)
    same(s, np.clip(moved, np.float32(0.5), np.float32(90)))


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_an_update_with_momentum(
    call: Call, n_in: int, n_out: int, biases: bool
) -> None:
    """By its equations: velocities decay where the input is zero, too."""
    w, v = drawn(12, n_in, n_out), drawn(18, n_in, n_out)
    b, vb = drawn(13, n_out), drawn(19, n_out)
    x, d = drawn(14, n_in), drawn(15, n_out)
    eta, mu = np.float32(0.03), np.float32(0.9)
    want_v = fma(mu, v, x[:, None] * d)
    want_w, want_vb = fma(-eta, want_v, w), fma(mu, vb, d)
    want_b = fma(-eta, want_vb, b)
    of_biases = (b, vb) if biases else (None, None)
    args = (w, of_biases[0], v, of_biases[1], x, d, eta, mu, n_in, n_out)
    call("f32_momentum_update", *args)
    same(w, want_w)
    same(v, want_v)
    if biases:
        same(b, want_b)
        same(vb, want_vb)


@pytest.mark.parametrize("n", SIZES)
def test_settling_units_leak_towards_what_drives_them(call: Call, n: int) -> None:
    a, u, t = drawn(20, n), drawn(21, n), drawn(22, n)
    a, u = np.clip(a, -1e3, 1e3), np.clip(u, -1e3, 1e3)
    dt, strength = np.float32(0.7), np.float32(0.3)
    for above in (u, None):
        s = drawn(23, n)
        v = a if above is None else fma(strength, above, a)
        want = fma(dt, functions.sigmoid(v) - s, s)
        assert call("f32_leaky_sigmoid", s, a, above, 0.3, 0.7, n) is True
        same(s, want)
    for goal, nudge in ((t, np.float32(-1.5)), (None, np.float32(0))):
        s = drawn(23, n)
        q = (a + u) - s
        q = q if goal is None else fma(nudge, goal - s, q)
        want = np.clip(fma(dt, q, s), 0, 1)
        assert call("f32_leaky_clip", s, a, u, goal, nudge, 0.7, n) is True
        same(s, want + np.float32(0))  # no zero is negative
    s = drawn(24, n)
    want = fma(dt, t - s, s)
    call("f32_leak", s, t, 0.7, n)
    same(s, want)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("value", SPECIAL[~np.isfinite(SPECIAL)])
def test_a_drive_that_is_not_finite_is_seen(
    call: Call, n: int, value: np.float32
) -> None:
    for index in range(n):
        s, a, u = (np.zeros(n, np.float32) for _ in range(3))
        (a if index % 2 else u)[index] = value
        assert call("f32_leaky_sigmoid", s.copy(), a, u, 1.0, 0.5, n) is False
        assert call("f32_leaky_clip", s.copy(), a, u, None, 0.0, 0.5, n) is False


@pytest.mark.parametrize("n", SIZES)
def test_cells_leak_spike_and_are_remembered(call: Call, n: int) -> None:
    u, b, d = (np.clip(drawn(place, n), -1e3, 1e3) for place in (32, 33, 34))
    theta, leak = np.float32(0.9), np.float32(0.7)
    u[0] = theta  # which is enough
    s, v = np.full(n, 9, np.float32), np.empty(n, np.float32)
    assert call("f32_spike", u, 0.9, s, n) is True
    same(s, (u >= theta).astype(np.float32))
    call("f32_membrane", u, s, b, 0.7, 0.9, v, n)
    same(v, fma(leak, np.where(s == 1, u - theta, u), b))
    call("f32_membrane", u, None, b, 1.0, 0.9, v, n)
    same(v, u + b)
    t = drawn(35, n)
    want = fma(leak, t, s)
    call("f32_trace", t, 0.7, s, n)
    same(t, want)
    q = np.float32(1) + np.float32(2) * np.abs(u - theta)  # doubling is exact
    want = d * (np.float32(1) / (q * q))
    assert call("f32_spike_grad", u, 0.9, d, n) is True
    same(d, want)


@pytest.mark.parametrize("value", SPECIAL[~np.isfinite(SPECIAL)])
def test_a_potential_and_a_delta_that_are_not_finite_are_seen(
    call: Call, value: np.float32
) -> None:
    for index in range(17):
        u, s = np.zeros(17, np.float32), np.zeros(17, np.float32)
        u[index] = value
        assert call("f32_spike", u, 1.0, s, 17) is False
        assert call("f32_spike_grad", s, 1.0, u, 17) is False


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_an_update_away_and_towards(call: Call, n_in: int, n_out: int) -> None:
    """Either is left out where its factor is zero."""
    w, eta = drawn(27, n_in, n_out), np.float32(0.03)
    x, y = drawn(28, n_in, zeros=0.5), drawn(29, n_in, zeros=0.5)
    d, c = drawn(30, n_out), drawn(31, n_out)
    want = w.copy()
    for i in range(n_in):
        if x[i] != 0:
            want[i] = fma(-(eta * x[i]), d, want[i])
        if y[i] != 0:
            want[i] = fma(eta * y[i], c, want[i])
    call("f32_contrast_update", w, x, d, y, c, eta, n_in, n_out)
    same(w, want)


def softly(w: F32, g: F32, most: np.float32) -> F32:
    """What a change of g makes of w, within most."""
    share = w * (np.float32(1) / most)
    moved = fma(g, np.where(g > 0, 1 - share, 1 + share), w)
    below = np.where(moved < most, moved, most)
    return np.where(below > -most, below, -most)


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_an_update_within_soft_bounds(call: Call, n_in: int, n_out: int) -> None:
    """Rows of zeros stay as they are; large changes end at the bound."""
    eta, most, other = map(np.float32, (0.3, 0.7, 1.5))
    w, b = drawn(32, n_in, n_out), drawn(33, n_out)
    x, d = drawn(34, n_in, zeros=0.4), drawn(35, n_out)
    want = softly(w, -(eta * x)[:, None] * d, most)
    want[x == 0] = w[x == 0]
    want_b = softly(b, -eta * d, other)
    call("f32_bounded_update", w, b, x, d, eta, most, other, n_in, n_out)
    same(w, want)
    same(b, want_b)


@pytest.mark.parametrize("n", SIZES)
def test_weights_by_a_sigmoidal_contrast(call: Call, n: int) -> None:
    """From none at the one end to twice what they were born as at the other."""
    v, s = np.clip(drawn(36, n), -1, 1), drawn(37, n)
    v[0], w = -1 if n % 2 else 1, np.empty(n, np.float32)
    own = np.where(s < 0, -v, v)
    with np.errstate(divide="ignore", over="ignore"):
        ratio = (1 - own) / (1 + own)
        cube = (ratio * ratio) * ratio
        want = s * (2 / (1 + cube * cube))
    call("f32_sigmoidal", v, s, w, n)
    same(w, want)
    assert np.all(np.abs(w) <= 2 * np.abs(s))


@settings(max_examples=100)
@given(
    seed=st.integers(0, 2**32 - 1),
    stream=st.integers(0, 2**32 - 1),
    n=st.integers(1, 50),
)
def test_uniform_numbers(call: Call, seed: int, stream: int, n: int) -> None:
    limit = np.float32(0.17)
    w = np.empty(n, np.float32)
    call("f32_uniform", seed, stream, limit, w, n)
    same(w, random.uniform(seed, stream, limit, n))


@given(v=vectors(st.integers(2, 50)), data=st.data())
def test_partial_digests_add_up_to_the_whole(call: Call, v: F32, data: Any) -> None:
    cut = data.draw(st.integers(1, v.size - 1))
    head, tail = v[:cut].copy(), v[cut:].copy()
    whole = call("u32_digest", v, v.size, 0)
    parts = call("u32_digest", head, cut, 0) + call(
        "u32_digest", tail, v.size - cut, cut
    )
    assert whole == parts % 2**32 == Digest(v.size)([v])


def pointers(w: F32, rows: np.ndarray) -> np.ndarray:
    """Addresses of these rows of w."""
    return np.uintp(w.ctypes.data + rows * w.strides[0])


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize(
    ("name", "dtype"), [("u8", np.uint8), ("i16", np.int16), ("f32", np.float32)]
)
def test_a_list_has_what_is_not_zero_in_order(
    call: Call, name: str, dtype: Any, n: int
) -> None:
    rng = np.random.default_rng(n)
    v = (rng.integers(0, 100, n) * (rng.random(n) < 0.5)).astype(dtype)
    w, x, rows = (
        np.zeros((n, 3), np.float32),
        np.empty(n, np.float32),
        np.empty(n, np.uintp),
    )
    scale = () if name == "f32" else (7.0,)
    count = call(f"{name}_nonzero", v, *scale, w, 3, rows, x, n)
    index = np.flatnonzero(v)
    assert count == index.size
    same(x[:count], v[index].astype(np.float32) / np.float32(*scale or (1.0,)))
    assert (rows[:count] == pointers(w, index)).all()


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_listed_is_dense(call: Call, n_in: int, n_out: int) -> None:
    w, b, x = drawn(1, n_in, n_out), drawn(2, n_out), drawn(3, n_in)
    d, eta = drawn(15, n_out), np.float32(0.03)
    index = np.flatnonzero(x)
    rows, values, a = pointers(w, index), x[index].copy(), np.empty(n_out, np.float32)
    call("f32_listed_forward", rows, values, index.size, b, a, n_out)
    same(a, dense.forward(FLOAT32, w, b, x))
    want_w, want_b = w.copy(), b.copy()
    rank_one(want_w, want_b, x, d, eta)
    call("f32_listed_update", rows, values, index.size, b, d, eta, n_out)
    same(w, want_w)
    same(b, want_b)


@pytest.mark.parametrize(("n_in", "n_out"), SHAPES)
def test_fused_is_update_and_then_forward(call: Call, n_in: int, n_out: int) -> None:
    w, b, d = drawn(1, n_in, n_out), drawn(2, n_out), drawn(15, n_out)
    before, x, eta = drawn(14, n_in, zeros=0), drawn(3, n_in), np.float32(0.03)
    before[before == 0] = 1
    want_w, want_b = w.copy(), b.copy()
    rank_one(want_w, want_b, before, d, eta)

    s, a = np.empty(n_in, np.float32), np.empty(n_out, np.float32)
    assert call("f32_rates", before, eta, s, n_in) == (s != 0).all()
    with np.errstate(all="ignore"):
        same(s, -(eta * before))
    s[s == 0] = 1
    late = w.copy()
    call("f32_bias_update", b, d, eta, n_out)
    same(b, want_b)
    call("f32_dense_fused", w, s, d, b, x, a, n_in, n_out)
    call("f32_rank_one", late, s, d, n_in, n_out)
    same(w, late)
    same(a, dense.forward(FLOAT32, w, b, x))
    tiny = s == 1
    same(w[~tiny], want_w[~tiny])
