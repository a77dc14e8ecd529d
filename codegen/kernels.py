"""The one table of kernels: build, tests, `hil kernels` and benchmarks read it.

A `Kernel` is what is computed, exactly: a C prototype and a contract. A
`Variant` is one way to compute it: a template for an architecture, with its
parameters. Variants of one kernel give the same bits. docs/kernels.md has the
grammar of the names and says how to add a variant.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jinja2

from codegen import cformat, cost
from codegen.cost import Cost, Shape
from codegen.errors import BuildError
from codegen.formats import FORMATS

ARCHES = ("scalar", "rvv")
LMULS = (1, 2, 4, 8)
FOLDER = "kernels"
"""Folder of these templates below codegen/templates."""

HEADER = "hil_kernels.h"
"""Every kernel's prototype and contract, and HIL_ASSERT."""

VECTOR_HEADER = "hil_vector.h"
"""What every vector kernel needs."""


@dataclass(frozen=True)
class Argument:
    """A parameter of a kernel: what a `pointer` points at is read if it is `const`,
    else it may be written."""

    name: str
    pointer: bool
    const: bool

    @classmethod
    def parsed(cls, declared: str) -> Argument:
        """Of a C declaration such as "const float *x"."""
        pointer = "*" in declared
        const = "*const *" in declared
        const = const or declared.startswith("const ")
        return cls(declared.split()[-1].lstrip("*"), pointer, pointer and const)


@dataclass(frozen=True)
class Kernel:
    """What is computed. `name` is `<datatype>_<operation>`; `contract` says
    every operation in the order in which it is rounded."""

    name: str
    parameters: tuple[str, ...]
    contract: str
    returns: str = "void"

    @cached_property
    def arguments(self) -> tuple[Argument, ...]:
        """Its parameters, taken apart."""
        return tuple(Argument.parsed(text) for text in self.parameters)

    @property
    def pointers(self) -> tuple[Argument, ...]:
        """Those that point at memory."""
        return tuple(found for found in self.arguments if found.pointer)

    @property
    def datatype(self) -> str:
        """Type of the elements it reads, a key of `codegen.formats.FORMATS`."""
        return self.name.partition("_")[0]

    @property
    def operation(self) -> str:
        """The name without the type."""
        return self.name.partition("_")[2]

    @property
    def summary(self) -> str:
        """First line of the contract."""
        return self.contract.strip().splitlines()[0]

    def prototype(self, symbol: str) -> str:
        """C declaration of a function of this kernel, broken between parameters."""
        whole = (text.replace(" ", "\0") for text in self.parameters)
        line = f"HIL_KERNEL\0{self.returns}\0{symbol}({', '.join(whole)});"
        return textwrap.fill(line, 79, subsequent_indent="    ").replace("\0", " ")


@dataclass(frozen=True)
class Variant:
    """One implementation of a kernel.

    `family` names the template, which may serve several kernels; `lmul` is
    the vector register grouping of arch "rvv", `groups` how many such groups of
    columns it keeps in registers at once, `form` what else tells it from others;
    `inlines` are the headers of inline functions it includes, hil_<this>.h.
    `model` estimates what it costs (`codegen.cost`).
    """

    kernel: Kernel
    arch: str
    family: str
    lmul: int | None = None
    inlines: tuple[str, ...] = ()
    model: cost.Model = cost.nothing
    groups: int = 1
    form: str = ""

    def __post_init__(self) -> None:
        if self.arch not in ARCHES:
            raise BuildError(
                f"kernel {self.kernel.name!r} for architecture {self.arch!r}: "
                f"expected one of {', '.join(ARCHES)}"
            )
        if self.lmul not in (LMULS if self.arch == "rvv" else (None,)):
            raise BuildError(
                f"kernel {self.kernel.name!r} with LMUL {self.lmul!r}: expected "
                "1, 2, 4 or 8 for rvv, none for scalar"
            )

    @property
    def suffix(self) -> str:
        """What follows the double underscore: "scalar", "rvv_m4", "rvv_m8x2" for
        two groups, "rvv_columns_m8" for the form "columns"."""
        if self.lmul is None:
            return self.arch
        form = f"_{self.form}" if self.form else ""
        groups = f"x{self.groups}" if self.groups > 1 else ""
        return f"{self.arch}{form}_m{self.lmul}{groups}"

    @property
    def symbol(self) -> str:
        """Name of the C function."""
        return f"hil_{self.kernel.name}__{self.suffix}"

    @property
    def file(self) -> str:
        """File that holds the function, and nothing else."""
        return f"{self.symbol}.c"

    @property
    def template(self) -> str:
        """Its template, below codegen/templates."""
        form = f"_{self.form}" if self.form else ""
        return f"{FOLDER}/{self.family}{form}__{self.arch}.c.j2"

    @property
    def prototype(self) -> str:
        """C declaration."""
        return self.kernel.prototype(self.symbol)

    def cost(self, shape: Shape, vlen: int) -> Cost:
        """What one call is estimated to cost at that VLEN (in bits)."""
        return self.model(shape, cost.Machine(vlen, self.lmul or 1, self.groups))


@dataclass(frozen=True)
class Source:
    """A file to render: `template` (below codegen/templates) with `context`."""

    file: str
    template: str
    context: dict[str, Any]


_TWINS = {
    "math": ("math__scalar",),
    "random": ("random__scalar",),
    "sum": ("sum__scalar",),
    "perturbation": ("random__scalar", "math__scalar"),
    "signs": ("random__rvv_m1",),
    "window": ("window__scalar",),
    "self_test": ("math__scalar",),
    "normal": ("perturbation__scalar", "math__rvv_m{}", "random__rvv_m{}"),
}
"""Headers of inline functions that each header of such a stem includes, {}
standing for its LMUL; a scalar one does not include itself."""

_N = "size_t n"
_N_IN_OUT = ("size_t n_in", "size_t n_out")
_OUTPUT = ("const float *a", "uint32_t label", "float *p", "float *e", _N)
_OUTPUT_NOTE = """
p may be a. With e == NULL only p is computed, label is ignored and the result
is 0. t is 1 at label, 0 elsewhere. Returns NaN when some a_j is infinite or NaN;
what p and e hold is then of no use."""
_VECTOR_OUTPUT = ("const float *a", "const float *t", "float *p", "float *e", _N)
_VECTOR_OUTPUT_NOTE = """
p may be a. With e == NULL only p is computed, t is ignored and the result is 0.
Returns NaN when some a_j or t_j is infinite or NaN; what p and e hold is then of
no use."""
_LIST = ("float *const *rows", "const float *x", "size_t count")
_LIST_NOTE = """
The list of what is not zero, indices ascending: rows_k = w + stride * index_k,
x_k the value. Returns the number of entries. rows and x have room for n."""
_FINITE = """
Returns false when some argument is infinite or NaN; h is then of no use."""
_DELTA = """
Returns false when some result is infinite or NaN."""

_PERTURBATION = ("uint32_t seed", "uint32_t stream", "uint32_t row")
_STREAM = """
Words are numbers of the stream (seed, stream)."""
_JVP = (
    *_PERTURBATION[:2], "const float *w", "const float *b", "const float *x",
    "const float *t", "float *a", "float *u", *_N_IN_OUT,
)  # fmt: skip
_JVP_NOTE = """
a as hil_f32_dense_forward. u is its derivative where x moves along t, or stays
with t == NULL, W along rows 0 .. n_in - 1 of V and b along row n_in:
u_j = V[n_in][j], then for i ascending u_j = fma(t_i, W[i][j], u_j), skipped where
t_i is zero, and u_j = fma(x_i, V[i][j], u_j), skipped where x_i is zero."""

_KERNELS = (
    Kernel("u8_to_f32", ("const uint8_t *v", "float scale", "float *x", _N), """
x_j = fl(v_j / scale), one rounded division."""),
    Kernel("i16_to_f32", ("const int16_t *v", "float scale", "float *x", _N), """
x_j = fl(v_j / scale), one rounded division."""),
    Kernel("f32_scale", ("const float *v", "float scale", "float *x", _N), """
x_j = fl(v_j / scale), one rounded division."""),
    Kernel("i16_window_features", (
        "const int16_t *v", "const float *offset", "const float *divisor", "float *x",
        "size_t rows", "size_t axes"), """
Features of a window of `rows` rows, 2 to WINDOW_ROWS, of `axes` numbers. Of axis a,
with n = rows, r ascending, all integers exact: S = sum v_ra, V = n sum v_ra^2 - S^2,
D = sum |v_ra - v_(r-1)a|. f_(3a) = S / n; f_(3a+1) = sqrt(fl(V)) / n, fl(V) = fma(V >> 24,
2^24, V & 0xffffff); f_(3a+2) = fl(D) / (n - 1), each operation rounded once.
x_k = (f_k - offset_k) / divisor_k, likewise."""),
    Kernel("f32_dense_forward", (
        "const float *w", "const float *b", "const float *x", "float *a", *_N_IN_OUT), """
Dense layer: a_j = b_j, then a_j = fma(x_i, W[i][j], a_j) for i ascending.
Rows whose x_i is zero of either sign are skipped. W is [n_in][n_out]."""),
    Kernel("u8_nonzero", (
        "const uint8_t *v", "float scale", "float *w", "size_t stride", "float **rows",
        "float *x", _N), f"""
A sample's elements that are not zero, x_k = fl(v_i / scale).{_LIST_NOTE}""", "size_t"),
    Kernel("i16_nonzero", (
        "const int16_t *v", "float scale", "float *w", "size_t stride", "float **rows",
        "float *x", _N), f"""
A sample's elements that are not zero, x_k = fl(v_i / scale).{_LIST_NOTE}""", "size_t"),
    Kernel("f32_nonzero", (
        "const float *v", "float *w", "size_t stride", "float **rows", "float *x", _N), f"""
A vector's elements that are not zero, x_k = v_i.{_LIST_NOTE}""", "size_t"),
    Kernel("f32_listed_forward", (
        *_LIST, "const float *b", "float *a", "size_t n_out"), """
Dense layer on a list: a_j = b_j, then a_j = fma(x_k, rows_k[j], a_j) for k
ascending."""),
    Kernel("f32_listed_update", (
        "float *const *rows", "float *x", "size_t count", "float *b", "const float *d",
        "float eta", "size_t n_out"), """
Rank-1 update on a list: rows_k[j] = fma(s_k, d_j, rows_k[j]), s_k = -(eta * x_k)
rounded, which is left in x. b_j = fma(-eta, d_j, b_j). No row is there twice."""),
    Kernel("f32_dense_fused", (
        "float *w", "const float *s", "const float *d", "const float *b",
        "const float *x", "float *a", *_N_IN_OUT), """
One step's update and the next one's forward in a single pass over W:
W[i][j] = fma(s_i, d_j, W[i][j]) for every i, and with the new W a_j = b_j, then
a_j = fma(x_i, W[i][j], a_j) for i ascending, skipping x_i that is zero."""),
    Kernel("f32_rank_one", (
        "float *w", "const float *s", "const float *d", *_N_IN_OUT), """
Rank-1 update without a test: W[i][j] = fma(s_i, d_j, W[i][j]) for every i."""),
    Kernel("f32_rates", ("const float *x", "float eta", "float *s", _N), """
Rates of a rank-1 update's rows: s_i = -(eta * x_i) rounded. Returns whether no s_i is zero.""", "bool"),
    Kernel("f32_bias_update", ("float *b", "const float *d", "float eta", _N), """
Update of biases alone: b_j = fma(-eta, d_j, b_j)."""),
    Kernel("f32_tanh", ("float *h", _N), """
h_j = tanh(h_j) by the project's polynomial.""" + _FINITE, "bool"),
    Kernel("f32_sigmoid", ("float *h", _N), """
h_j = 1 / (1 + exp(-h_j)) by the project's polynomial.""" + _FINITE, "bool"),
    Kernel("f32_relu", ("float *h", _N), """
h_j = h_j > 0 ? h_j : +0.""" + _FINITE, "bool"),
    Kernel("f32_tanh_grad", ("const float *h", "float *d", _N), """
d_j = d_j * fma(-h_j, h_j, 1), where h_j is tanh's result.""" + _DELTA, "bool"),
    Kernel("f32_sigmoid_grad", ("const float *h", "float *d", _N), """
d_j = d_j * (h_j * (1 - h_j)), where h_j is sigmoid's result.""" + _DELTA, "bool"),
    Kernel("f32_relu_grad", ("const float *h", "float *d", _N), """
d_j = h_j > 0 ? d_j : +0, where h_j is relu's result.""" + _DELTA, "bool"),
    Kernel("f32_all_finite", ("const float *v", _N), """
True when no v_j is infinite or NaN.""", "bool"),
    Kernel("f32_feedback_stored", (
        "const float *feedback", "const float *e", "float *u", "size_t n_err", _N), """
Feedback projection: u_j = +0, then u_j = fma(e_c, B[c][j], u_j) for c
ascending; no row is skipped. B is [n_err][n]."""),
    Kernel("f32_feedback_signs", (
        "uint32_t seed", "uint32_t first_word", "float scale",
        "const float *e", "float *u", "uint32_t *words", "size_t n_err", _N), """
As hil_f32_feedback_stored, with B made of random signs instead of memory.
Element k = c * n + j is -scale where bit k & 31 of word k >> 5 is set, else
scale; that word is number first_word + (k >> 5) of the sign feedback stream.
words has room for (n_err * n + 31) / 32 of them."""),
    Kernel("f32_dense_backward", (
        "const float *w", "const float *d", "float *u", *_N_IN_OUT), """
Transposed product: u_i = dot16(W[i], d), a dot product in a fixed order.
Up to 16 terms: sequential, p = fma(W[i][j], d_j, p) from +0. More: 16 sums
p_k over j = k mod 16, then p_k += p_(k+8), p_(k+4), p_(k+2), p_(k+1)."""),
    Kernel("f32_dense_update", (
        "float *w", "float *b", "const float *x", "const float *d", "float eta", *_N_IN_OUT), """
Rank-1 update: W[i][j] = fma(s_i, d_j, W[i][j]), s_i = -(eta * x_i) rounded.
Rows whose x_i is zero of either sign are not touched.
b_j = fma(-eta, d_j, b_j); b may be NULL where there are no biases."""),
    Kernel("f32_momentum_update", (
        "float *w", "float *b", "float *v", "float *vb", "const float *x", "const float *d",
        "float eta", "float mu", *_N_IN_OUT), """
Update with momentum of every row, zero inputs too: V[i][j] = fma(mu, V[i][j],
fl(x_i * d_j)), then W[i][j] = fma(-eta, V[i][j], W[i][j]); vb_j = fma(mu, vb_j, d_j),
b_j = fma(-eta, vb_j, b_j). b and vb may be NULL where there are no biases."""),
    Kernel("f32_sigmoid_bce", _OUTPUT, f"""
Sigmoid outputs with binary cross-entropy: p_j = sigmoid(a_j), e_j = p_j - t_j.
Returns sum16 of (t_j ? r - a_j : r) + log(1 + z), with r = relu(a_j),
z = exp(-|a_j|).{_OUTPUT_NOTE}""", "float"),
    Kernel("f32_softmax_ce", _OUTPUT, f"""
Softmax outputs with cross-entropy: p_j = E_j / s, e_j = p_j - t_j.
E_j = exp(a_j - max a), s = sum16(E). Returns log(s) - (a_label - max a).{_OUTPUT_NOTE}""",
        "float"),
    Kernel("f32_identity_mse", _OUTPUT, f"""
Linear outputs with half the squared error: p_j = a_j, e_j = p_j - t_j.
Returns 0.5 * dot16(e, e).{_OUTPUT_NOTE}""", "float"),
    Kernel("f32_sigmoid_bce_vector", _VECTOR_OUTPUT, f"""
Sigmoid outputs with binary cross-entropy against a vector t in [0, 1]:
p_j = sigmoid(a_j), e_j = p_j - t_j. Returns sum16 of (r - fl(a_j * t_j)) + log(1 + z),
with r = relu(a_j), z = exp(-|a_j|).{_VECTOR_OUTPUT_NOTE}""", "float"),
    Kernel("f32_identity_mse_vector", _VECTOR_OUTPUT, f"""
Linear outputs with half the squared error against a vector t: p_j = a_j,
e_j = p_j - t_j. Returns 0.5 * dot16(e, e).{_VECTOR_OUTPUT_NOTE}""", "float"),
    Kernel("f32_target", ("float *t", "uint32_t label", "float value", _N), """
t_j = value where j is the label, else +0."""),
    Kernel("f32_ternary", ("const float *e", "float *q", "float threshold", _N), """
q_j = 1 where e_j >= threshold, -1 where e_j <= -threshold, else +0."""),
    Kernel("f32_clip", ("float *v", "float limit", _N), """
v_j = v_j < limit ? v_j : limit, then v_j = v_j > -limit ? v_j : -limit; limit > 0."""),
    Kernel("f32_max_abs", ("const float *v", _N), """
The largest |v_j|. No v_j is NaN.""", "float"),
    Kernel("f32_block_max", ("const float *v", "float *m", "size_t block", _N), """
m_j is the largest |v_k| of the block of `block` elements, from index 0 on, that
has element j; the last block may be shorter. No v_j is NaN."""),
    Kernel("f32_gate_rows", (
        "float **rows", "float *x", "size_t count", "float eta", "float bound",
        "float tau"), """
The row gate: of a list only the entries k stay, in order, for which
fl(|s_k| * bound) >= tau, with s_k = -(eta * x_k) rounded. Returns how many.
With bound = max |d| no element of a row that goes could have passed alone.""", "size_t"),
    Kernel("f32_listed_masked_update", (
        "float *const *rows", "float *x", "size_t count", "float *b", "const float *d",
        "const float *m", "float eta", "float tau", "size_t n_out"), """
As hil_f32_listed_update, but rows_k[j] changes only where fl(|s_k| * m_j) >= tau.
Returns how many elements changed. Biases are not gated.""", "size_t"),
    Kernel("f32_controlled", (
        "float tau", "size_t part", "size_t whole", "float set_point", "float gain"), """
A controller's next threshold: tau * exp(gain * (part / whole - set_point)), each
operation rounded once, part and whole first; within TAU_MIN .. TAU_MAX.""", "float"),
    Kernel("f32_dot", ("const float *x", "const float *y", _N), """
dot16(x, y), the dot product in a fixed order (see hil_f32_dense_backward).""", "float"),
    Kernel("f32_rademacher", (*_PERTURBATION, "float c", "const float *x", "float *y", _N),
        f"""
y_j = fma(c, v_j, x_j), v a random vector of +-1. x may be y, or NULL for +0.
v_j is -1 where bit j & 31 of word row * ((n + 31) / 32) + (j >> 5) is set.{_STREAM}"""),
    Kernel("f32_gaussian", (*_PERTURBATION, "float c", "const float *x", "float *y", _N),
        f"""
y_j = fma(c, v_j, x_j), v a random vector of normal numbers, v_j made of word
row * n + j (docs/arithmetic.md). x may be y, or NULL for +0.{_STREAM}"""),
    Kernel("f32_jvp_rademacher", _JVP, f"""
A dense layer, and its derivative along a random direction V of +-1.{_JVP_NOTE}
hil_f32_rademacher says what V's rows are."""),
    Kernel("f32_jvp_gaussian", _JVP, f"""
A dense layer, and its derivative along a random direction V of normal numbers.{_JVP_NOTE}
hil_f32_gaussian says what V's rows are."""),
    Kernel("f32_uniform", (
        "uint32_t seed", "uint32_t stream", "float limit", "float *w", _N), """
w_k = fl((2 u_k - 1) * limit), u_k the uniform number k of the stream in [0, 1).""",
    ),
    Kernel("u32_digest", ("const uint32_t *bits", _N, "uint32_t first"), """
Partial state digest: sum of mix(bits_i ^ 0x9e3779b9 * (first + i + 1)),
modulo 2^32. `bits` may point at words of any type.""", "uint32_t"),
)  # fmt: skip

KERNELS: dict[str, Kernel] = {kernel.name: kernel for kernel in _KERNELS}
"""Every kernel by name."""


def _rows(
    family: str,
    names: str,
    lmuls: tuple[int, ...],
    model: cost.Model,
    scalar: tuple[str, ...] = (),
    rvv: tuple[str, ...] = (),
    **more: Any,
) -> tuple[Variant, ...]:
    """Rows of one family: of each kernel the scalar one, then the vector ones,
    default first. `scalar` and `rvv` are their headers of inline functions, {}
    standing for LMUL."""
    return tuple(
        row
        for kernel in (KERNELS[name] for name in names.split())
        for row in (
            Variant(kernel, "scalar", family, None, scalar, cost.scalar(model)),
            *_vectors(family, kernel.name, lmuls, model, rvv, **more),
        )
    )


def _vectors(
    family: str,
    name: str,
    lmuls: tuple[int, ...],
    model: cost.Model,
    rvv: tuple[str, ...] = (),
    **more: Any,
) -> tuple[Variant, ...]:
    """The vector rows of one kernel alone."""
    return tuple(
        Variant(
            KERNELS[name], "rvv", family, lmul,
            tuple(h.format(lmul) for h in rvv), model, **more,
        )
        for lmul in lmuls
    )  # fmt: skip


_MATH = (("math__scalar",), ("math__rvv_m{}",))
_RANDOM = (("random__scalar",), ("random__rvv_m{}",))
_SUM = (("math__scalar", "sum__scalar"), ("math__scalar", "sum__rvv_m{}"))
_LOSS = (("math__scalar", "sum__scalar"), ("math__rvv_m{}", "sum__rvv_m{}"))
_GRADS = "f32_tanh_grad f32_sigmoid_grad f32_relu_grad"
_ROWS = ((), ("rows__rvv_m{}",))
_RADEMACHER = (("perturbation__scalar",), ("signs__rvv_m{}",))
_GAUSSIAN = (("perturbation__scalar",), ("normal__rvv_m{}",))
_WINDOW = (("window__scalar",), ("window__scalar",))
_ROWS_8 = ((), ("rows__rvv_m8",))

TABLE: tuple[Variant, ...] = (
    *_rows("convert", "u8_to_f32 i16_to_f32 f32_scale", (8, 4, 2, 1), cost.stream(4)),
    *_rows("window_features", "i16_window_features", (8, 4, 2, 1), cost.window_features,
           *_WINDOW),
    *_rows("dense_forward", "f32_dense_forward", (8, 4, 2, 1), cost.dense_forward, *_ROWS_8),
    *_vectors("dense_forward", "f32_dense_forward", (8, 4), cost.dense_forward, _ROWS_8[1],
              groups=2),
    *_rows("nonzero", "u8_nonzero i16_nonzero", (8, 4, 2), cost.nonzero),
    *_rows("nonzero", "f32_nonzero", (4, 2), cost.packed),
    *_rows("listed_forward", "f32_listed_forward", (8, 4), cost.listed_forward),
    *_vectors("listed_forward", "f32_listed_forward", (8, 4), cost.listed_forward, groups=2),
    *_rows("listed_update", "f32_listed_update", (8, 4), cost.listed_update, *_ROWS),
    *_vectors("listed_update", "f32_listed_update", (8, 4), cost.listed_update, _ROWS[1],
              groups=2),
    *_rows("dense_fused", "f32_dense_fused", (8, 4, 2, 1), cost.dense_fused, *_ROWS_8),
    *_rows("rank_one", "f32_rank_one", (8, 4, 2, 1), cost.stream(5)),
    *_rows("rates", "f32_rates", (8, 4, 2, 1), cost.stream(5), *_ROWS),
    *_rows("add_scaled", "f32_bias_update", (8, 4, 2, 1), cost.stream(5), *_ROWS),
    *_rows("activation", "f32_tanh f32_sigmoid", (8, 4, 2, 1), cost.stream(48), *_MATH),
    *_rows("activation", "f32_relu", (8, 4, 2, 1), cost.stream(12), *_MATH),
    *_rows("gradient", _GRADS, (8, 4, 2, 1), cost.stream(15), *_MATH),
    *_rows("all_finite", "f32_all_finite", (8, 4, 2, 1), cost.stream(5), ("math__scalar",)),
    *_rows("feedback_stored", "f32_feedback_stored", (8, 4, 2, 1), cost.feedback_stored),
    *_rows(
        "feedback_signs", "f32_feedback_signs", (8, 4, 2, 1), cost.feedback_signs,
        ("math__scalar", "random__scalar"), ("random__rvv_m1",),
    ),
    *_vectors("feedback_signs", "f32_feedback_signs", (8, 4, 2, 1), cost.feedback_words,
              ("random__rvv_m8",), form="words"),
    *_rows("dense_backward", "f32_dense_backward", (8, 4), cost.dense_backward,
           _SUM[0], ("sum__rvv_m4",)),
    *_vectors("dense_backward", "f32_dense_backward", (8,), cost.backward_columns,
              form="columns"),
    *_rows("dense_update", "f32_dense_update", (8, 4, 2, 1), cost.dense_update, *_ROWS),
    *_vectors("dense_update", "f32_dense_update", (8, 4), cost.dense_update, _ROWS[1], groups=2),
    *_vectors("dense_update", "f32_dense_update", (8, 4, 2), cost.columns, _ROWS[1],
              form="columns"),
    *_rows("momentum_update", "f32_momentum_update", (8, 4, 2, 1), cost.momentum_update),
    *_rows("sigmoid_bce", "f32_sigmoid_bce", (4,), cost.stream(106), *_LOSS),
    *_rows("softmax_ce", "f32_softmax_ce", (4,), cost.stream(116), *_LOSS),
    *_rows("identity_mse", "f32_identity_mse", (4,), cost.stream(50), *_SUM),
    *_rows("sigmoid_bce_vector", "f32_sigmoid_bce_vector", (4,), cost.stream(118), *_LOSS),
    *_rows("identity_mse_vector", "f32_identity_mse_vector", (4,), cost.stream(52), *_LOSS),
    *_rows("ternary", "f32_ternary", (8, 4, 2, 1), cost.stream(7)),
    *_rows("clip", "f32_clip", (8, 4, 2, 1), cost.stream(4)),
    *_rows("max_abs", "f32_max_abs", (8, 4, 2, 1), cost.stream(3)),
    *_rows("block_max", "f32_block_max", (), cost.stream(4)),
    *_rows("gate_rows", "f32_gate_rows", (4, 2), cost.packed),
    *_rows("listed_masked_update", "f32_listed_masked_update", (4, 2), cost.listed_masked,
           *_ROWS),
    *_rows("controlled", "f32_controlled", (), cost.nothing, ("math__scalar",)),
    *_rows("target", "f32_target", (), cost.nothing),
    *_rows("dot", "f32_dot", (4,), cost.stream(4), *_SUM),
    *_rows("perturb", "f32_rademacher", (8, 4, 2, 1), cost.stream(6), *_RADEMACHER),
    *_rows("perturb", "f32_gaussian", (2, 1), cost.stream(50), *_GAUSSIAN),
    *_rows("jvp", "f32_jvp_rademacher", (4, 2, 1), cost.jvp_signs, *_RADEMACHER),
    *_rows("jvp", "f32_jvp_gaussian", (2, 1), cost.jvp_normal, *_GAUSSIAN),
    *_rows("uniform", "f32_uniform", (4, 2, 1), cost.stream(20), *_RANDOM),
    *_rows("digest", "u32_digest", (4, 2, 1), cost.stream(15), *_RANDOM),
)  # fmt: skip
"""Every variant. The first row of a kernel and architecture is its default."""


def named(name: str) -> Kernel:
    """The kernel of that name, such as "f32_dot"; raises `BuildError` when there is
    none."""
    if name not in KERNELS:
        raise BuildError(f"no kernel {name!r}: expected one of {', '.join(KERNELS)}")
    return KERNELS[name]


def variant(kernel_name: str, vector: bool) -> Variant:
    """The default variant of a kernel, for a machine with or without vectors.

    A kernel without a vector variant is scalar everywhere. Raises `BuildError` when
    there is none.
    """
    arch = "rvv" if vector else "scalar"
    for wanted in dict.fromkeys((arch, "scalar")):
        for row in TABLE:
            if row.kernel.name == kernel_name and row.arch == wanted:
                return row
    raise BuildError(
        f"no {arch} kernel {kernel_name!r}: expected one of {', '.join(KERNELS)}"
    )


def estimates(
    kernel_name: str, vlens: tuple[int, ...], shape: Shape
) -> dict[Variant, Cost]:
    """What each variant is estimated to cost, in mean over `vlens` (empty: a
    machine without vectors).

    Raises `BuildError` when there is no variant.
    """
    default = variant(kernel_name, bool(vlens))
    rows = [r for r in TABLE if r.kernel == default.kernel and r.arch == default.arch]
    return {
        row: cost.mean([row.cost(shape, vlen) for vlen in vlens or (cost.WORD,)])
        for row in rows
    }


def best(kernel_name: str, vlens: tuple[int, ...], shape: Shape) -> Variant:
    """The variant whose estimate is the least, in mean over `vlens`. Within 3 %
    of the least count of instructions, modelled cycles decide
    (docs/tuning.md).

    Raises `BuildError` when there is none.
    """
    return cost.cheapest(estimates(kernel_name, vlens, shape))


def _in_order(variants: Iterable[Variant]) -> list[Variant]:
    """Each once, in an order of their own."""
    return sorted(set(variants), key=lambda row: row.symbol)


def header_prototypes(variants: Iterable[Variant]) -> str:
    """The body of hil_kernels.h: each kernel's contract, then the prototypes."""
    rows = _in_order(variants)
    blocks = []
    for kernel in KERNELS.values():
        declared = [row.prototype for row in rows if row.kernel == kernel]
        if declared:
            blocks.append("\n".join([cformat.c_comment(kernel.contract), *declared]))
    return "\n\n".join(blocks)


def _context(template: str, what: str, lmul: int | None) -> dict[str, Any]:
    """What every template of this folder may name.

    `require(condition, sentence)` is how a template refuses what it cannot
    generate: it raises `BuildError`, or gives nothing.
    """

    def require(condition: bool, sentence: str) -> str:
        if not condition:
            raise BuildError(f"{what} cannot be generated: {sentence}")
        return ""

    return {
        "template": f"codegen/templates/{template}",
        "require": require,
        "lmul": lmul,
        "groups": 1,
    }


def _inlines(name: str) -> tuple[Source, ...]:
    """A header of inline functions, such as "math__rvv_m4", and those that it
    includes: a vector header's scalar twin, where it has one."""
    file = f"hil_{name}.h"
    shape, _, lmul = name.partition("_m")
    template = f"{FOLDER}/hil_{shape}.h.j2"
    made = Source(file, template, _context(template, file, int(lmul) if lmul else None))
    included = (other.format(lmul) for other in _TWINS.get(shape.split("__")[0], ()))
    more = (found for other in included if other != name for found in _inlines(other))
    return (made, *more)


def source(row: Variant) -> Source:
    """What makes the C file of one variant."""
    context = _context(row.template, row.symbol, row.lmul)
    context |= {
        "variant": row,
        "kernel": row.kernel,
        "symbol": row.symbol,
        "groups": row.groups,
        "c_type": FORMATS[row.kernel.datatype].c_type,
    }
    return Source(row.file, row.template, context)


def sources(
    variants: Iterable[Variant], inlines: Iterable[str] = ()
) -> tuple[Source, ...]:
    """Everything that these variants need: a C file each, the headers of inline
    functions (a vector one includes its scalar twin), and the common headers;
    `inlines` names more of the second."""
    rows = _in_order(variants)
    template = f"{FOLDER}/{HEADER}.j2"
    header = _context(template, HEADER, None)
    header["prototypes"] = header_prototypes(rows)
    found = {HEADER: Source(HEADER, template, header)}
    if any(row.arch == "rvv" for row in rows):
        template = f"{FOLDER}/{VECTOR_HEADER}.j2"
        context = _context(template, VECTOR_HEADER, None)
        found[VECTOR_HEADER] = Source(VECTOR_HEADER, template, context)
    found |= {row.file: source(row) for row in rows}
    for name in (*(name for row in rows for name in row.inlines), *inlines):
        found |= {made.file: made for made in _inlines(name)}
    return tuple(found[name] for name in sorted(found))


def render(
    environment: jinja2.Environment,
    variants: Iterable[Variant],
    inlines: Iterable[str] = (),
) -> dict[str, str]:
    """The C files and headers of these variants, and the headers of these
    `inlines`: file name -> text.

    `environment` is `codegen.rendering.render.environment()`: the templates see its
    `constants`, `streams` and `findings`. Raises `BuildError` when a template refuses.
    """
    return {
        made.file: environment.get_template(made.template).render(made.context)
        for made in sources(variants, inlines)
    }
