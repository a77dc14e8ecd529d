"""Dense layers follow the contract's loops, written here with libm's fmaf."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from codegen.reference.float32 import FLOAT32
from codegen.reference.layers import dense
from tests.reference.one_layer import rank_one

Fmaf = Callable[[float, float, float], float]

SHAPES = [(1, 1), (7, 17), (17, 7), (33, 65), (64, 10), (40, 128)]
ETA = np.float32(0.03)


def layer(shape: tuple[int, int], zeros: float = 0.0) -> tuple[np.ndarray, ...]:
    """w, b, x, d; that share of x is zero, of either sign."""
    rng = np.random.default_rng(shape[0])
    n_in, n_out = shape
    x = rng.normal(size=n_in)
    x[rng.random(n_in) < zeros] = rng.choice([0.0, -0.0])
    arrays = rng.normal(size=shape), rng.normal(size=n_out), x, rng.normal(size=n_out)
    return tuple(a.astype(np.float32) for a in arrays)


def same(x: np.ndarray, y: np.ndarray | list) -> bool:
    return x.tobytes() == np.array(y, dtype=np.float32).tobytes()


@pytest.mark.parametrize("zeros", [0.0, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_forward(shape: tuple[int, int], zeros: float, fmaf: Fmaf) -> None:
    w, b, x, _ = layer(shape, zeros)
    a = b.tolist()
    for x_i, row in zip(x.tolist(), w.tolist(), strict=True):
        if x_i != 0:
            a = [fmaf(x_i, w_ij, a_j) for w_ij, a_j in zip(row, a, strict=True)]
    assert same(dense.forward(FLOAT32, w, b, x), a)


@pytest.mark.parametrize("zeros", [0.0, 0.5])
@pytest.mark.parametrize("shape", SHAPES)
def test_update(shape: tuple[int, int], zeros: float, fmaf: Fmaf) -> None:
    w, b, x, d = layer(shape, zeros)
    rows = []
    for x_i, row in zip(x, w.tolist(), strict=True):
        s = float(-(ETA * x_i))
        pairs = zip(row, d.tolist(), strict=True)
        rows.append([fmaf(s, d_j, w_ij) for w_ij, d_j in pairs] if x_i else row)
    minus_eta = float(-ETA)
    biases = [
        fmaf(minus_eta, d_j, b_j)
        for b_j, d_j in zip(b.tolist(), d.tolist(), strict=True)
    ]
    rank_one(w, b, x, d, ETA)
    assert same(w, rows)
    assert same(b, biases)


@pytest.mark.parametrize("shape", SHAPES)
def test_feedback(shape: tuple[int, int], fmaf: Fmaf) -> None:
    matrix, _, e, _ = layer(shape, 0.3)
    u = [0.0] * shape[1]
    for e_c, row in zip(e.tolist(), matrix.tolist(), strict=True):
        u = [fmaf(e_c, m, u_j) for m, u_j in zip(row, u, strict=True)]
    assert same(dense.feedback(FLOAT32, matrix, e), u)


def test_an_infinite_weight_under_a_zero_input_stays_out() -> None:
    w = np.array([[np.inf], [2.0]], dtype=np.float32)
    x = np.array([-0.0, 3.0], dtype=np.float32)
    assert dense.forward(FLOAT32, w, np.ones(1, dtype=np.float32), x) == 7


def test_no_input_leaves_the_bias_with_its_signs() -> None:
    b = np.array([-0.0, 1.0], dtype=np.float32)
    a = dense.forward(
        FLOAT32, np.ones((3, 2), dtype=np.float32), b, np.zeros(3, np.float32)
    )
    assert same(a, b)


def test_an_update_leaves_rows_of_zero_input_with_their_signs() -> None:
    w = np.full((2, 1), -0.0, dtype=np.float32)
    x = np.array([0.0, 1.0], dtype=np.float32)
    d = np.zeros(1, dtype=np.float32)
    rank_one(w, np.zeros(1, dtype=np.float32), x, d, ETA)
    assert np.signbit(w[:, 0]).tolist() == [True, True]
    rank_one(w, np.zeros(1, dtype=np.float32), x, -d, ETA)
    assert np.signbit(w[:, 0]).tolist() == [True, False]
