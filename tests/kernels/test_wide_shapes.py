"""Scalar kernels where a type could be too narrow: on either side of 256, 1,024 and
65,536, against the reference, and the digest against plain integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from codegen.reference import gates, outputs, random
from codegen.reference.arithmetic import F32
from codegen.reference.digest import Digest
from codegen.reference.float32 import FLOAT32
from codegen.reference.goals import one_hot
from codegen.reference.layers import dense
from codegen.spec import Gate
from tests.reference.one_layer import rank_one
from tests.reference.test_digest import plain

Call = Callable[..., Any]
MOST = 65535
"""Inputs that a list may name (the kernels' own limit)."""
WIDTHS = (255, 257, 1023, 1025)
CLASSES = 300
OUTPUTS = {
    "sigmoid": "f32_sigmoid_bce",
    "softmax": "f32_softmax_ce",
    "identity": "f32_identity_mse",
}


def drawn(seed: int, *shape: int, zeros: float = 0.5) -> F32:
    """Normal numbers, some of them zero."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=shape).astype(np.float32)
    values[rng.random(shape) < zeros] = 0.0
    return values


def same(got: F32, want: F32) -> None:
    """Equal to the bit."""
    np.testing.assert_array_equal(got.view(np.uint32), want.view(np.uint32))


@pytest.mark.parametrize("words", [*WIDTHS, 65537, 70000])
def test_a_digest_counts_every_word(call: Call, words: int) -> None:
    """Of equal words, so that only their places tell them apart."""
    state = np.full(words, 1.5, np.float32)
    state[-1] = 2.5
    right = plain([state])
    assert Digest(words)([state]) == right
    assert call("u32_digest", state, words, 0) == right


@pytest.mark.parametrize("n", [*WIDTHS, MOST])
@pytest.mark.parametrize("name", ["u8", "i16", "f32"])
def test_a_list_names_every_row(call: Call, name: str, n: int) -> None:
    dtype = {"u8": np.uint8, "i16": np.int16, "f32": np.float32}[name]
    v = (np.arange(n) % 7).astype(dtype)
    rows, x, w = np.empty(n, np.uintp), np.empty(n, np.float32), np.zeros(3, np.float32)
    scale = () if name == "f32" else (5.0,)
    count = call(f"{name}_nonzero", v, *scale, w, 3, rows, x, n)
    there = np.flatnonzero(v)
    assert count == there.size
    np.testing.assert_array_equal(rows[:count], w.ctypes.data + 12 * there)
    same(x[:count], v[there].astype(np.float32) / np.float32(*scale or (1.0,)))


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("label", [255, 256, CLASSES - 1])
def test_an_error_is_the_labels_own(call: Call, output: str, label: int) -> None:
    a = drawn(label, CLASSES)
    want = outputs.OUTPUTS[output].judged(a.copy(), one_hot(label, a.size))
    p, e = np.empty_like(a), np.empty_like(a)
    loss = call(OUTPUTS[output], a, label, p, e, CLASSES)
    same(np.append(np.append(p, e), np.float32(loss)),
         np.append(np.append(want.p, want.e), want.loss))  # fmt: skip
    taught = p.copy()
    taught[label] -= np.float32(1)
    same(e, taught)


@pytest.mark.parametrize("shape", [(n, 3) for n in WIDTHS] + [(3, n) for n in WIDTHS])
def test_layers_are_as_wide_as_they_are(call: Call, shape: tuple[int, int]) -> None:
    n_in, n_out = shape
    w, b, x, d = drawn(1, n_in, n_out), drawn(2, n_out), drawn(3, n_in), drawn(4, n_out)
    a, u, eta = np.empty_like(b), np.empty_like(x), np.float32(0.03)
    call("f32_dense_forward", w, b, x, a, n_in, n_out)
    same(a, dense.forward(FLOAT32, w, b, x))
    call("f32_dense_backward", w, d, u, n_in, n_out)
    same(u, dense.backward(FLOAT32, w, d))
    call("f32_feedback_stored", w, x, a, n_in, n_out)
    same(a, dense.feedback(FLOAT32, w, x))
    words = np.empty(-(-n_in * n_out // 32), np.uint32)
    call("f32_feedback_signs", 5, 70000, 0.25, x, a, words, n_in, n_out)
    signs = random.feedback_signs(5, 70000, np.float32(0.25), n_in, n_out)
    same(a, dense.feedback(FLOAT32, signs, x))
    right, right_b = w.copy(), b.copy()
    rank_one(right, right_b, x, d, eta)
    call("f32_dense_update", w, b, x, d, eta, n_in, n_out)
    same(w, right)
    same(b, right_b)


@pytest.mark.parametrize("shape", [(n, 3) for n in WIDTHS] + [(3, n) for n in WIDTHS])
@pytest.mark.parametrize("kind", ["row", "element"])
def test_lists_and_masks_are_as_long_as_they_are(
    call: Call, shape: tuple[int, int], kind: str
) -> None:
    n_in, n_out = shape
    w, b, x, d = drawn(1, n_in, n_out), drawn(2, n_out), drawn(3, n_in), drawn(4, n_out)
    right, right_b, eta = w.copy(), b.copy(), np.float32(0.03)
    tau, gate = np.float32(0.02), Gate(kind)
    part, _ = gates.update(right, right_b, x, d, eta, tau, gate)
    rows, values = np.empty(n_in, np.uintp), np.empty(n_in, np.float32)
    a = np.empty_like(b)
    count = call("f32_nonzero", x, w, n_out, rows, values, n_in)
    call("f32_listed_forward", rows, values, count, b, a, n_out)
    same(a, dense.forward(FLOAT32, w, b, x))
    bound = call("f32_max_abs", d, n_out)
    kept = call("f32_gate_rows", rows, values, count, eta, bound, tau)
    if gate.masked:
        args = (rows, values, kept, b, d, np.abs(d), eta, tau, n_out)
        assert call("f32_listed_masked_update", *args) == part
    else:
        call("f32_listed_update", rows, values, kept, b, d, eta, n_out)
        assert kept == part
    same(w, right)
    same(b, right_b)


@pytest.mark.parametrize("n", [*WIDTHS, 65537])
def test_drawn_numbers_do_not_begin_again(call: Call, n: int) -> None:
    w = np.empty(n, np.float32)
    call("f32_uniform", 9, 70000, np.float32(0.5), w, n)
    same(w, random.uniform(9, 70000, np.float32(0.5), n))
