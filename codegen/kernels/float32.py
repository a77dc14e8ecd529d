"""Kernels of float32, and of the words that every format draws and folds: what each computes,
every operation in the order in which it is rounded."""

from __future__ import annotations

from codegen.formats import F32, I16, U8
from codegen.kernels.kernel import Kernel

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

PERTURBATION = ("uint32_t seed", "uint32_t stream", "uint32_t row")
STREAM = """
Words are numbers of the stream (seed, stream)."""
_JVP = (
    *PERTURBATION[:2], "const float *w", "const float *b", "const float *x",
    "const float *t", "float *a", "float *u", *_N_IN_OUT,
)  # fmt: skip
_JVP_NOTE = """
a as hil_f32_dense_forward. u is its derivative where x moves along t, or stays
with t == NULL, W along rows 0 .. n_in - 1 of V and b along row n_in:
u_j = V[n_in][j], then for i ascending u_j = fma(t_i, W[i][j], u_j), skipped where
t_i is zero, and u_j = fma(x_i, V[i][j], u_j), skipped where x_i is zero."""

_SCALED = "lo == 0 ? fl(v_j hi) : fma(v_j, hi, fl(v_j lo))"

FLOAT32: tuple[Kernel, ...] = (
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
    Kernel("f32_rademacher", (*PERTURBATION, "float c", "const float *x", "float *y", _N),
        f"""
y_j = fma(c, v_j, x_j), v a random vector of +-1. x may be y, or NULL for +0.
v_j is -1 where bit j & 31 of word row * ((n + 31) / 32) + (j >> 5) is set.{STREAM}"""),
    Kernel("f32_gaussian", (*PERTURBATION, "float c", "const float *x", "float *y", _N),
        f"""
y_j = fma(c, v_j, x_j), v a random vector of normal numbers, v_j made of word
row * n + j (docs/arithmetic.md). x may be y, or NULL for +0.{STREAM}"""),
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
