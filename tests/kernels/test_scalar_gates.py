"""The scalar kernels of gates, limits and random directions give the reference's
bits."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from codegen import streams
from codegen.reference import gates, perturbation
from codegen.reference.arithmetic import F32, dot16
from codegen.reference.float32 import FLOAT32
from codegen.reference.layers import dense
from codegen.spec import Gate
from tests.reference.one_layer import rank_one

Call = Callable[..., Any]
SHAPES = [(1, 1), (7, 10), (17, 16), (5, 17), (33, 31), (64, 65), (9, 130)]
ETA = np.float32(0.03)
F_MAX = np.float32(np.inf)


def drawn(seed: int, *shape: int) -> F32:
    """Normal numbers, a fifth of them zero."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape).astype(np.float32)
    values[rng.random(shape) < 0.2] = 0.0
    return values


def same(got: F32, want: F32) -> None:
    """Equal to the bit."""
    np.testing.assert_array_equal(got.view(np.uint32), want.view(np.uint32))


def listed(w: F32, x: F32) -> tuple[Any, F32, int]:
    """Pointers to the rows of `w` whose input is not zero, and those inputs."""
    places = np.flatnonzero(x)
    pointers = w.ctypes.data + places.astype(np.uint64) * w.strides[0]
    values = np.zeros(x.size, np.float32)
    values[: places.size] = x[places]
    return np.append(pointers, np.uint64(0)).astype(np.uint64), values, places.size


@pytest.mark.parametrize("threshold", [0.25, 1.0])
def test_a_ternary_error_is_its_sign_where_it_is_large(
    call: Call, threshold: float
) -> None:
    e = np.append(drawn(1, 40), np.float32([0.25, -0.25, 1, -1, -0.0]))
    e = e.astype(np.float32)
    q = np.empty_like(e)
    call("f32_ternary", e, q, threshold, e.size)
    large = np.abs(e) >= threshold
    same(q, np.where(large, np.sign(e), 0).astype(np.float32))


def test_clipping_is_two_comparisons_and_a_nan_becomes_the_limit(call: Call) -> None:
    v = np.append(drawn(2, 30) * 3, [np.inf, -np.inf, np.nan, 1.5, -1.5, -0.0])
    v = v.astype(np.float32)
    want = FLOAT32.clipped(v, np.float32(1.5))
    call("f32_clip", v, 1.5, v.size)
    same(v, want)
    assert v[32] == 1.5


@pytest.mark.parametrize("n", [1, 7, 16, 17, 65])
def test_the_largest_magnitude_and_a_dot_product(call: Call, n: int) -> None:
    x, y = drawn(n, n), drawn(n + 1, n)
    assert call("f32_max_abs", x, n) == np.abs(x).max()
    same(np.float32([call("f32_dot", x, y, n)]), np.float32([dot16(x, y)]))


@pytest.mark.parametrize("kind", ["row", "element", "block"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_gated_update_is_the_references(
    call: Call, shape: tuple[int, int], kind: str
) -> None:
    n_in, n_out = shape
    w, b, x, d = drawn(1, n_in, n_out), drawn(2, n_out), drawn(3, n_in), drawn(4, n_out)
    gate, tau = Gate(kind), np.float32(0.02)
    want_w, want_b = w.copy(), b.copy()
    want = gates.update(want_w, want_b, x, d, ETA, tau, gate)

    rows, values, count = listed(w, x)
    bound = call("f32_max_abs", d, n_out)
    kept = call("f32_gate_rows", rows, values, count, ETA, bound, tau)
    if gate.masked:
        m = np.empty_like(d)
        call("f32_block_max", d, m, gate.block, n_out)
        args = (rows, values, kept, b, d, m, ETA, tau, n_out)
        part, whole = call("f32_listed_masked_update", *args), w.size
    else:
        call("f32_listed_update", rows, values, kept, b, d, ETA, n_out)
        part, whole = kept, n_in
    same(w, want_w)
    same(b, want_b)
    assert (part, whole) == want


def gated(
    call: Call, w: F32, x: F32, d: F32, tau: np.float32, kind: str
) -> tuple[F32, int]:
    """`w` after the kernels of a gated update, and what passed."""
    n_out, gate, b = d.size, Gate(kind), np.zeros(d.size, np.float32)
    rows, values, count = listed(w, x)
    bound = call("f32_max_abs", d, n_out)
    kept = call("f32_gate_rows", rows, values, count, ETA, bound, tau)
    if not gate.masked:
        call("f32_listed_update", rows, values, kept, b, d, ETA, n_out)
        return w, kept
    m = np.empty_like(d)
    call("f32_block_max", d, m, gate.block, n_out)
    args = (rows, values, kept, b, d, m, ETA, tau, n_out)
    return w, call("f32_listed_masked_update", *args)


@pytest.mark.parametrize("kind", ["row", "element", "block"])
def test_what_is_just_as_large_as_the_threshold_passes(call: Call, kind: str) -> None:
    """And what is one unit in the last place smaller does not."""
    w, x, d = drawn(1, 17, 19), drawn(3, 17), drawn(4, 19)
    row, column = int(np.flatnonzero(x)[5]), int(np.argmax(np.abs(d)))
    tie = np.abs(-(ETA * x[row])) * np.abs(d[column])
    at, passed_at = gated(call, w.copy(), x, d, tie, kind)
    above, passed_above = gated(call, w.copy(), x, d, np.nextafter(tie, F_MAX), kind)
    assert at[row, column] != w[row, column]
    same(above[row], w[row])
    assert passed_at > passed_above


@pytest.mark.parametrize("kind", ["row", "element", "block"])
@pytest.mark.parametrize("tau", [1e-9, 1e-4, 1e3])
def test_extreme_inputs_and_deltas_pass_as_in_the_reference(
    call: Call, tau: float, kind: str
) -> None:
    """Zeros of both signs, numbers below the normal ones, and products that
    underflow or are infinite."""
    x = np.float32([0.0, -0.0, 1e-45, -1e-40, 1e-20, -1.0, 1e20, -3e38, 65504.0])
    d = np.float32([0.0, -0.0, 1e-42, -1e-30, 1e-4, -2.0, 1e30, 7.0, -7.0, 1e-9, 3.0])
    w, threshold = drawn(5, x.size, d.size), np.float32(tau)
    right, b = w.copy(), np.zeros(d.size, np.float32)
    with np.errstate(all="ignore"):
        part, _ = gates.update(right, b, x, d, ETA, threshold, Gate(kind))
    got, passed = gated(call, w, x, d, threshold, kind)
    same(got, right)
    assert passed == part


@pytest.mark.parametrize("kind", ["row", "element", "block"])
def test_a_delta_of_zeros_lets_nothing_pass(call: Call, kind: str) -> None:
    w, d = drawn(1, 9, 10), np.zeros(10, np.float32)
    got, passed = gated(call, w.copy(), drawn(3, 9), d, np.float32(1e-9), kind)
    same(got, w)
    assert passed == 0


@pytest.mark.parametrize("part, whole", [(0, 10), (3, 10), (10, 10), (70000, 3)])
@pytest.mark.parametrize("tau", [1e-9, 1e-4, 999.0])
def test_a_controller_moves_a_threshold_as_the_reference_does(
    call: Call, tau: float, part: int, whole: int
) -> None:
    gain = np.float32(0.4)
    want = gates.controlled(np.float32(tau), part, whole, np.float32(0.25), gain)
    got = call("f32_controlled", np.float32(tau), part, whole, 0.25, gain)
    assert np.float32(got) == want


@pytest.mark.parametrize("name", perturbation.DISTRIBUTIONS)
@pytest.mark.parametrize("n", [1, 31, 32, 33, 64, 100])
def test_a_row_of_a_direction_is_added(call: Call, name: str, n: int) -> None:
    v = perturbation.DISTRIBUTIONS[name](77, 2, 5, n)
    x, stream = drawn(n, n), streams.perturbation(2)
    for row in (0, 4):
        y = np.empty_like(x)
        call(f"f32_{name}", 77, stream, row, 0.3, x, y, n)
        same(y, perturbation.fma(np.float32(0.3), v[row], x))
        call(f"f32_{name}", 77, stream, row, 1.0, None, y, n)
        same(y, v[row])


@pytest.mark.parametrize("name", perturbation.DISTRIBUTIONS)
@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_layer_and_its_derivative_come_in_one_pass(
    call: Call, shape: tuple[int, int], moving: bool, name: str
) -> None:
    n_in, n_out = shape
    w, b, x = drawn(1, n_in, n_out), drawn(2, n_out), drawn(3, n_in)
    t = drawn(4, n_in) if moving else None
    v = perturbation.DISTRIBUTIONS[name](9, 3, n_in + 1, n_out)
    a, u = np.empty(n_out, np.float32), np.empty(n_out, np.float32)
    stream = streams.perturbation(3)
    call(f"f32_jvp_{name}", 9, stream, w, b, x, t, a, u, n_in, n_out)
    same(a, dense.forward(FLOAT32, w, b, x))
    same(u, dense.derivative(FLOAT32, w, v, x, t))


def test_an_update_without_biases_leaves_them_out(call: Call) -> None:
    w, x, d = drawn(1, 9, 10), drawn(2, 9), drawn(3, 10)
    want = w.copy()
    rank_one(want, np.zeros(10, np.float32), x, d, ETA)
    call("f32_dense_update", w, ctypes.c_void_p(None), x, d, ETA, 9, 10)
    same(w, want)
