"""What kernels compute: prototypes and contracts, and how to ask for one.

A `Kernel` is an operation on formats, exactly: a C prototype and a contract that says
every operation in the order in which it is rounded. docs/kernels.md has the grammar of
the names. More than 400 lines because every kernel has its contract in one table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from codegen.errors import BuildError
from codegen.formats import F32, FORMATS, I8, I16, U8, Format
from codegen.kernels.imported import IMPORTED
from codegen.kernels.kernel import Kernel
from codegen.kernels.spiking import SPIKING

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

_SETTLES = """Returns
false when some v_j is infinite or NaN; s is then of no use."""

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

_SCALED = "lo == 0 ? fl(v_j hi) : fma(v_j, hi, fl(v_j lo))"

_KERNELS = (
    Kernel("u8_to_f32", ("const uint8_t *v", "float scale", "float *x", _N), """
x_j = fl(v_j / scale), one rounded division.""", "void", "convert", (U8, F32)),
    Kernel("i16_to_f32", ("const int16_t *v", "float scale", "float *x", _N), """
x_j = fl(v_j / scale), one rounded division.""", "void", "convert", (I16, F32)),
    Kernel("f32_scale", ("const float *v", "float scale", "float *x", _N), """
x_j = fl(v_j / scale), one rounded division.""", "void", "convert", (F32, F32)),
    *(
        Kernel(f"{f.name}_scaled", (
            f"const {f.c_type} *v", "float hi", "float lo", "float *x", _N), f"""
x_j = {_SCALED}; v_j as a float is exact.""", "void", "scaled", (f, F32))
        for f in (U8, I16, F32)
    ),
    *(
        Kernel(f"{f.name}_rescale", (
            f"const {f.c_type} *v", "const float *offset", "const float *divisor",
            "float *x", _N), """
x_j = fl(fl(v_j - offset_j) / divisor_j); v_j as a float is exact.""")
        for f in (U8, I16, F32)
    ),
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
    *(
        Kernel(f"{f.name}_nonzero_scaled", (
            f"const {f.c_type} *v", "float hi", "float lo", "float *w", "size_t stride",
            "float **rows", "float *x", _N), f"""
A sample's elements that are not zero, x_k = {_SCALED.replace("_j", "_i")}.{_LIST_NOTE}""",
            "size_t")
        for f in (U8, I16)
    ),
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
    Kernel("f32_feedback_words", (
        "float scale", "const float *e", "float *u", "const uint32_t *words",
        "size_t n_err", _N), """
As hil_f32_feedback_signs, whose words have been made before, by
hil_u32_words."""),
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
    Kernel("f32_fill", ("float *v", "float value", _N), """
v_j = value."""),
    Kernel("f32_copy", ("const float *v", "float *x", _N), """
x_j = v_j."""),
    Kernel("f32_difference", ("const float *x", "const float *y", "float scale", "float *d", _N), """
d_j = scale * (x_j - y_j), each operation rounded once."""),
    Kernel("f32_times", ("const float *v", "float factor", "float *x", _N), """
x_j = factor * v_j, rounded once."""),
    Kernel("f32_ratio", ("const float *v", "const float *w", "float *x", _N), """
x_j = v_j / w_j, rounded once."""),
    Kernel("f32_adapt", (
        "float *s", "const float *eps", "float rate", "float least", "float most", _N), """
Variances of predictive coding: s_j = fma(rate, fl(eps_j * eps_j) - fl(1 / s_j), s_j), the
difference rounded; then s_j = s_j < most ? s_j : most, s_j = s_j > least ? s_j : least."""),
    Kernel("f32_settle", (
        "const float *eps", "const float *u", "float gamma", "float *z", "float *h", _N), """
Units of predictive coding move along their errors: z_j = fma(gamma, eps_j - u_j, z_j),
the difference rounded, and h_j = z_j."""),
    Kernel("f32_leak", ("float *s", "const float *t", "float rate", _N), """
A leaky integrator: s_j = fma(rate, t_j - s_j, s_j), the difference rounded."""),
    Kernel("f32_leaky_sigmoid", (
        "float *s", "const float *a", "const float *u", "float feedback", "float rate", _N), f"""
Units that settle: s_j = fma(rate, sigmoid(v_j) - s_j, s_j), the difference rounded,
v_j = fma(feedback, u_j, a_j), or a_j with u == NULL. {_SETTLES}""", "bool"),
    Kernel("f32_leaky_clip", (
        "float *s", "const float *a", "const float *u", "const float *t", "float nudge",
        "float rate", _N), f"""
Units that settle within 0 and 1: q_j = v_j - s_j, v_j = a_j + u_j, or a_j with u ==
NULL; unless t == NULL, q_j = fma(nudge, t_j - s_j, q_j); y_j = fma(rate, q_j, s_j); s_j =
y_j > 0 ? y_j : +0, then s_j < 1 ? s_j : 1. {_SETTLES}""", "bool"),
    Kernel("f32_gathered", (
        "const float *w", "const uint8_t *source", "const float *r", "const float *b",
        "float *a", *_N_IN_OUT), """
What cells hear of others, n_in of them each: a_j = b_j, then for k ascending a_j =
fma(W[k][j], r_i, a_j), i = source[k][j]. Tables are [n_in][n_out]; r and a are apart."""),
    Kernel("f32_membrane", (
        "const float *u", "const float *s", "const float *b", "float leak", "float theta",
        "float *v", _N), """
What a tick leaves of potentials, soft reset and biases with it: v_j = fma(leak, r_j, b_j),
r_j = fma(-theta, s_j, u_j), or u_j with s == NULL."""),
    Kernel("f32_spike", ("const float *u", "float theta", "float *s", _N), """
s_j = 1 where u_j >= theta, else +0. Returns whether every u_j is finite; where one is not,
s is of no use.""", "bool"),
    Kernel("f32_bernoulli", ("const float *v", "uint32_t first", "float *s", _N), """
s_i = 1 where (mix(first + i) >> 8) 2^-24, in [0, 1), is less than v_i, else +0: never where
v_i is 0 or less or no number, always where it is 1 or more."""),
    Kernel("f32_latency", ("const float *v", "float tick", "float last", "float *s", _N), """
One spike an input, the earlier the larger it is: with y_i = (1 - v_i) * last, each operation
rounded, s_i = 1 where v_i > 0, y_i < tick + 1 and, but for tick 0, y_i >= tick; else +0."""),
    Kernel("f32_trace", ("float *t", "float leak", "const float *x", _N), """
What is remembered of x: t_j = fma(leak, t_j, x_j)."""),
    Kernel("f32_spike_grad", ("const float *u", "float theta", "float *d", _N), """
The slope that is taken for a spike's: d_j = d_j * (1 / (q_j * q_j)), q_j = fma(2, |u_j -
theta|, 1), each operation rounded. Returns whether every d_j is finite.""", "bool"),
    Kernel("f32_homeostat", (
        "const float *count", "float *a", "float *theta", "float share", "float pace",
        "float rate", "float gain", "float least", "float most", _N), """
Slow thresholds after a sample in which cells have spiked count_j times: a_j = fma(pace, r_j -
a_j, a_j), r_j = share * count_j and the difference rounded; theta_j = fma(gain, a_j - rate,
theta_j), then theta_j < most ? theta_j : most, and theta_j > least ? theta_j : least."""),
    Kernel("f32_contrast_update", (
        "float *w", "const float *x", "const float *d", "const float *y", "const float *c",
        "float eta", *_N_IN_OUT), """
Two rank-1 updates, one away from (x, d), one towards (y, c), in a single pass over W:
W[i][j] = fma(-(eta * x_i), d_j, W[i][j]) unless x_i is zero, then
W[i][j] = fma(eta * y_i, c_j, W[i][j]) unless y_i is zero, the products with eta rounded."""),
    Kernel("f32_bounded_update", (
        "float *w", "float *b", "const float *x", "const float *d", "float eta", "float most",
        "float most_b", *_N_IN_OUT), """
Rank-1 update with soft bounds: g = s_i * d_j, s_i = -(eta * x_i), q = W[i][j] * (1 / most),
y = fma(g, g > 0 ? 1 - q : 1 + q, W[i][j]), each operation rounded once; W[i][j] = y < most ?
y : most, then W[i][j] > -most ? W[i][j] : -most. Rows whose x_i is zero of either sign are
not touched. b_j likewise, g = -eta * d_j, within most_b."""),
    Kernel("f32_sigmoidal", ("const float *v", "const float *s", "float *w", _N), """
Weights of linear ones v by a sigmoidal contrast, s what they were born as: u = s_j < 0 ?
-v_j : v_j, q = (1 - u) / (1 + u), c = (q * q) * q, w_j = s_j * (2 / (1 + c * c)), each
operation rounded once. |v_j| <= 1; where u is -1, q is infinite and w_j a zero."""),
    Kernel("f32_target", ("float *t", "uint32_t label", "float value", _N), """
t_j = value where j is the label, else +0."""),
    Kernel("f32_class_mean", (
        "float *w", "const float *x", "uint32_t label", "float share", "float limit",
        *_N_IN_OUT), """
A class's mean moves to a sample: with m_i = W[i][label], m_i = fma(share, x_i - m_i, m_i),
the difference rounded, within limit as hil_f32_clip is. Returns the square of the mean:
q = fma(m_i, m_i, q) from +0 on, i ascending.""", "float"),
    Kernel("f32_class_scatter", (
        "float *s", "const float *m", "const float *x", "float *d", "uint32_t label",
        "float weight", "float share", "float limit", *_N_IN_OUT), """
The covariance within classes moves to a sample: d_i = x_i - M[i][label], g_i = weight * d_i,
S_ij = fma(share, g_i * d_j - S_ij, S_ij), each operation rounded, within limit as
hil_f32_clip is. S has its lower triangle alone, row by row."""),
    Kernel("f32_class_discriminant", (
        "const float *s", "const float *m", "const float *counts", "float *l", "float *w",
        "float *b", "float shrinkage", "float limit", "float unseen", *_N_IN_OUT), """
Weights and offsets of classes by their means M and the lower triangle S of a covariance:
v = v + S_ii from +0 on, i ascending; r = shrinkage * (v / n_in), r > 1e-6 ? r : 1e-6; a_ij
= (1 - shrinkage) * S_ij, a_ii = fma(1 - shrinkage, S_ii, r). L, row by row: with a =
fma(-L_ik, L_jk, a) from a_ij on, k ascending below j, L_ij = a / L_jj, L_ii = sqrt(a >
1e-12 ? a : 1e-12). W = M; for i ascending W[i] = fma(-L_ik, W[k], W[i]) for k ascending
below i, W[i] / L_ii; for i descending W[i] = fma(-L_ki, W[k], W[i]) for k descending to i +
1, W[i] / L_ii. Then W within limit as hil_f32_clip is, q_c = fma(M[i][c], W[i][c], q_c)
from +0 on, i ascending, b_c = q_c > 0 ? -0.5 * q_c : +0, but unseen where counts_c is zero
or q_c is not below -2 * unseen."""),
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
    Kernel("u32_words", (
        "uint32_t seed", "uint32_t stream", "uint32_t first", "uint32_t *words", _N), """
words_k = random word number first + k of the stream."""),
    Kernel("u32_digest", ("const uint32_t *bits", _N, "uint32_t first"), """
Partial state digest: sum of mix(bits_i ^ 0x9e3779b9 * (first + i + 1)),
modulo 2^32. `bits` may point at words of any type.""", "uint32_t"),
)  # fmt: skip


def _of_integers(name: str) -> tuple[Kernel, ...]:
    """The kernels that integer weights of that format have."""
    c_type = FORMATS[name].c_type
    w, b = f"const {c_type} *w", f"const {c_type} *b"
    return (
        Kernel(
            f"{name}_dense_forward",
            (w, b, "const int8_t *x", "int32_t *a", *_N_IN_OUT),
            """
Dense layer: a_j = 128 b_j + sum of x_i W[i][j], exact. W is [n_in][n_out].""",
        ),
        Kernel(
            f"{name}_dense_backward",
            (w, "const int8_t *d", "unsigned fraction", "int8_t *u", *_N_IN_OUT),
            """
Transposed product: u_i = signal(rounded(sum of W[i][j] d_j, fraction)), the sum exact.
rounded is to nearest, ties up; signal saturates to -127 .. 127.""",
        ),
        Kernel(
            f"{name}_dense_update",
            (
                f"{c_type} *w",
                f"{c_type} *b",
                "const int8_t *x",
                "const int8_t *d",
                "float eta",
                "unsigned fraction",
                "int32_t most",
                *_N_IN_OUT,
            ),
            """
Rank-1 update: W[i][j] = within(W[i][j] + rounded(-(m x_i) d_j, s), most), the products
exact; m is made of the 8 leading bits of eta, s of its exponent and of fraction.
b_j likewise, with 128 for x_i; b may be NULL where there are no biases.""",
        ),
        Kernel(
            f"{name}_feedback_stored",
            (
                f"const {c_type} *feedback",
                "const int8_t *e",
                "int32_t *u",
                "size_t n_err",
                _N,
            ),
            """
u_j = sum of e_c B[c][j], exact. B is [n_err][n].""",
        ),
        Kernel(
            f"{name}_uniform",
            (
                "uint32_t seed",
                "uint32_t stream",
                "int32_t limit",
                "int32_t most",
                f"{c_type} *w",
                _N,
            ),
            """
w_k = within(rounded((v_k - 2^15) limit, 15), most), v_k the upper half of word k of the
stream.""",
        ),
    )


_OF_SIGNALS = (
    *(
        Kernel(f"{name}_to_i8", (
            f"const {FORMATS[name].c_type} *v", "int32_t factor", "unsigned shift",
            "int8_t *x", _N), """
x_j = signal(rounded(v_j factor, shift)), the product exact.""",
            "void", "convert", (FORMATS[name], I8))
        for name in ("u8", "i16")
    ),
    *(
        Kernel(f"{name}_level", (
            f"const {FORMATS[name].c_type} *v", "const int32_t *offset",
            "const int32_t *factor", "unsigned shift", "int8_t *x", _N), """
x_j = signal(rounded(v_j factor_j - offset_j, shift)), exact before it is rounded.""",
            "void", "level", (FORMATS[name], I8))
        for name in ("u8", "i16")
    ),
    *(
        Kernel(f"{name}_own_level", (
            f"const {FORMATS[name].c_type} *v", "const int32_t *offset",
            "const int32_t *factor", "const int32_t *shift", "int8_t *x", _N), """
x_j = signal(rounded(v_j factor_j - offset_j, shift_j)), exact before it is rounded.""",
            "void", "own_level", (FORMATS[name], I8))
        for name in ("u8", "i16")
    ),
    Kernel("i16_window_levels", (
        "const int16_t *v", "const int32_t *centre", "const int32_t *factor",
        "const int32_t *shift", "int8_t *x", "size_t rows", "size_t axes"), """
Features of a window of `rows` rows, 2 to WINDOW_ROWS, of `axes` numbers, in integers. Of
axis a, with S, V and D as hil_i16_window_features has them, F_(3a) = S, F_(3a+1) = sqrt(V)
to nearest, F_(3a+2) = D. With p = max(shift_k - 22, 0) and y_k = F_k - centre_k, rounded by
p bits and within 2^17, x_k = signal(rounded(y_k factor_k, shift_k - p)).""",
        "void", "window_levels", (I16, I8)),
    Kernel("i16_gathered", (
        "const int16_t *s", "const uint8_t *source", "const int32_t *b", "int32_t *a",
        *_N_IN_OUT), """
What cells hear of spikes: a_j = b_j + sum of s_i over the n_in sources i = source[k][j],
exact. source is [n_in][n_out]."""),
    Kernel("i32_liquid", (
        "int32_t *v", "int32_t *bias", "const int32_t *a", "unsigned leak", "int16_t excite",
        "int16_t inhibit", "int16_t *s", "int16_t *count", _N), """
A tick of cells that spike and adapt: t_j = t_j - ((t_j + 31) >> 5), t the biases; v_j = v_j
- (v_j >> leak) + a_j, at least -4096; where v_j >= 4096 + t_j: a spike, v_j = 0, t_j = t_j +
1024, count_j = count_j + 1, s_j = excite, or -inhibit of every fifth cell, j mod 5 = 4; else
s_j = 0."""),
    Kernel("u8_delays", (
        "const uint8_t *x", "const uint8_t *source", "const uint8_t *delay",
        "const uint8_t *driven", "uint8_t *shown", "int32_t *v", "int32_t *bias",
        "uint8_t *rest", "uint32_t *past", "uint8_t *trace", *_N_IN_OUT), """
A tick of cells with delays, n_in stimuli, n_out cells of 16 sources each; all are computed
from earlier ticks. shown_c = 3 where x_c is not zero. bias_j -= (bias_j + 63) >> 6; I = sum
of 3000 driven[c][j] where shown_c > 0, and of +-1500 for k < 16 where bit d of past_i is
set, i = source[k][j], d the low bits of delay[k][j], minus where that has 128. Where rest_j >
0: rest_j = min(rest_j, 2) - 1, else v_j = v_j - (v_j >> 4) + I, at least -4096, and where v_j
>= 4096 + bias_j: a spike, v_j = 0, rest_j = 2, bias_j += 1024; sums of v and bias wrap. trace_j
-= (trace_j + 2^s - 1) >> s, s = 2 + j mod 4; a spike adds 96, up to 255. past_j = 2 past_j +
spike. At last shown_c -= 1 where shown_c > 0."""),
    Kernel("i32_regulated_liquid", (
        "int32_t *v", "int32_t *bias", "const int32_t *theta", "const int32_t *a",
        "unsigned leak", "int16_t excite", "int16_t inhibit", "int16_t *s", "int16_t *count",
        "int32_t *fired", _N), """
A tick of such cells whose thresholds have risen by theta_j: as hil_i32_liquid has it, with a
spike where v_j >= 4096 + t_j + theta_j, sums of which wrap; a spike adds 1 to fired_j, too."""),
    Kernel("u8_regulated_delays", (
        "const uint8_t *x", "const uint8_t *source", "const uint8_t *delay",
        "const uint8_t *driven", "uint8_t *shown", "int32_t *v", "int32_t *bias",
        "const int32_t *theta", "uint8_t *rest", "uint32_t *past", "uint8_t *trace",
        "int32_t *fired", *_N_IN_OUT), """
A tick of such cells whose thresholds have risen by theta_j: as hil_u8_delays has it, with a
spike where v_j >= 4096 + bias_j + theta_j; fired_j = 1 of a cell that spikes, else 0."""),
    Kernel("i32_fill", ("int32_t *v", "int32_t value", _N), """
v_j = value."""),
    Kernel("i8_bernoulli", ("const int8_t *v", "uint32_t first", "int8_t *s", _N), """
s_i = 127 where the upper 7 bits of mix(first + i) are less than v_i, else 0: never where v_i
is 0 or less."""),
    Kernel("i8_latency", ("const int8_t *v", "int32_t tick", "int32_t last", "int8_t *s", _N), """
One spike an input, the earlier the larger it is: s_i = 127 where v_i > 0 and ((128 - v_i)
last) >> 7 is the tick, else 0; last up to 2^16."""),
    Kernel("i32_charge", (
        "int32_t *u", "const int8_t *s", "const int32_t *a", "int32_t theta", "unsigned leak",
        _N), """
A tick of cells: u_j = within((r_j >> leak) + within(a_j, m), m), m = 2^30 - 1; r_j = u_j, less
theta where s_j is not zero, which fits 32 bits; s may be NULL."""),
    Kernel("i32_spike", ("const int32_t *u", "int32_t theta", "int8_t *s", _N), """
s_j = 127 where u_j >= theta, else 0."""),
    Kernel("i32_rademacher", (
        *_PERTURBATION, "int32_t c", "const int32_t *x", "int32_t *y", _N), f"""
y_j = x_j + c v_j, v the row of +-1 as hil_f32_rademacher has it, exact; x may be NULL.{_STREAM}"""),
    Kernel("i8_dot", ("const int8_t *x", "const int8_t *y", _N), """
The sum of x_j y_j, exact.""", "int32_t"),
    Kernel("i32_share", ("int32_t *total", "const int32_t *u", "unsigned shift", _N), """
total_j = total_j + (u_j >> shift)."""),
    Kernel("i8_trace", ("int8_t *t", "const int8_t *x", _N), """
What is remembered of x, halving: t_j = (t_j >> 1) + ((x_j + 1) >> 1)."""),
    Kernel("i32_spike_grad", (
        "const int32_t *u", "int32_t theta", "unsigned fraction", "int8_t *d", _N), """
The slope that is taken for a spike's: d_j = rounded(d_j table[k_j], 7), k_j = |u_j - theta|
>> (fraction - 5), at most 255: 1 / (1 + 2 q)^2 in 32 steps a unit."""),
    Kernel("i32_tanh", ("const int32_t *a", "unsigned fraction", "int8_t *h", _N), """
h_j = table[rounded(a_j, fraction - 5)], the index within -128 .. 127: tanh in 32 steps a
unit."""),
    Kernel("i32_hard_tanh", ("const int32_t *a", "unsigned fraction", "int8_t *h", _N), """
h_j = signal(rounded(a_j, fraction - 7)): clipped lines."""),
    Kernel("i8_tanh_grad", ("const int8_t *h", "int8_t *d", _N), """
d_j = signal(rounded(d_j (2^14 - h_j h_j), 14))."""),
    Kernel("i8_feedback_signs", (
        "uint32_t seed", "uint32_t first_word", "int32_t factor", "unsigned shift",
        "const int8_t *e", "int8_t *u", "size_t n_err", _N), """
u_j = signal(rounded(factor * sum of +-e_c, shift)), the sum exact. The sign of element
k = c * n + j is bit k & 31 of word first_word + (k >> 5) of the sign feedback stream, a
set bit is minus."""),
    Kernel("i8_ternary", ("const int8_t *e", "int8_t *q", "int32_t threshold", _N), """
q_j = 127 where e_j >= threshold, -127 where e_j <= -threshold, else 0."""),
    Kernel("i8_target", ("int8_t *t", "uint32_t label", "int32_t value", _N), """
t_j = value where j is the label, else 0."""),
    Kernel("i8_max_abs", ("const int8_t *v", _N), """
The largest magnitude of a v_j.""", "int32_t"),
    Kernel("i32_sigmoid_bce", (
        "const int32_t *a", "uint32_t label", "unsigned fraction", "float *p", "int8_t *e",
        _N), """
Outputs of sums with `fraction` bits below the point: p_j = a_j 2^-fraction, told as a
float that is rounded once; with k_j = rounded(a_j, fraction - 4) within -128 .. 127, e_j =
sigmoid(k_j / 16) - t_j by a table, t 127 at the label. Returns the loss, a sum of table
entries log(1 + exp(+-k_j / 16)) in 1 / 256, minus at the label. p or e may be NULL.""",
        "float"),
)  # fmt: skip
"""What integer networks have whatever their weights are."""

KERNELS: dict[str, Kernel] = {
    kernel.name: kernel
    for kernel in (
        *_KERNELS,
        *_of_integers("i16"),
        *_of_integers("i8"),
        *_OF_SIGNALS,
        *SPIKING,
        *IMPORTED,
    )
}
"""Every kernel by name."""


def named(name: str) -> Kernel:
    """The kernel of that name, such as "f32_dot"; raises `BuildError` when there is
    none."""
    if name not in KERNELS:
        raise BuildError(f"no kernel {name!r}: expected one of {', '.join(KERNELS)}")
    return KERNELS[name]


def of_operation(operation: str) -> tuple[Kernel, ...]:
    """The kernels of an operation, one for each formats it is there for; raises
    `BuildError` when there are none."""
    found = tuple(k for k in KERNELS.values() if k.operation == operation)
    if not found:
        known = dict.fromkeys(kernel.operation for kernel in KERNELS.values())
        raise BuildError(
            f"no kernel for {operation!r}: expected one of {', '.join(known)}"
        )
    return found


def find(operation: str, *formats: Format) -> Kernel:
    """The kernel of an operation on these formats: `find("dense_forward", F32)`, and
    of a conversion both: `find("convert", U8, F32)`.

    Raises `BuildError` when there is none.
    """
    there = of_operation(operation)
    for kernel in there:
        if kernel.formats == formats:
            return kernel
    raise _unsuited(operation, formats, there)


def for_operands(operation: str, given: Mapping[str, Format]) -> Kernel:
    """The kernel of an operation on operands of these formats, by the names of its
    parameters. Where no operand tells a format, there must be one kernel alone.

    Raises `BuildError` when there is none, or an operand is not of the type that its
    parameter points at.
    """
    there = of_operation(operation)
    asked = {kernel: kernel.formats_of(given) for kernel in there}
    fitting = [k for k, formats in asked.items() if formats in (k.formats, ())]
    if len(fitting) != 1:
        raise _unsuited(operation, asked[there[0]], there)
    for argument in fitting[0].pointers:
        found = given.get(argument.name)
        if found is not None and found.c_type != argument.element:
            raise BuildError(
                f"kernel {fitting[0].name!r} is given {argument.name} of {found.name}: "
                f"expected elements of C type {argument.element}"
            )
    return fitting[0]


def _unsuited(
    operation: str, formats: Iterable[Format], there: Iterable[Kernel]
) -> BuildError:
    asked = _listed(formats) or "an unknown format"
    known = ", ".join(_listed(kernel.formats) for kernel in there)
    return BuildError(f"no kernel for {operation!r} of {asked}: expected {known}")


def _listed(formats: Iterable[Format]) -> str:
    return " to ".join(format.name for format in formats)
