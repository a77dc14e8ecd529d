"""Kernels of integer networks: what each computes, exactly or rounded as it says."""

from __future__ import annotations

from codegen.formats import FORMATS, I8, I16
from codegen.kernels.float32 import PERTURBATION, STREAM
from codegen.kernels.kernel import Kernel

_N = "size_t n"
_N_IN_OUT = ("size_t n_in", "size_t n_out")


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
        *PERTURBATION, "int32_t c", "const int32_t *x", "int32_t *y", _N), f"""
y_j = x_j + c v_j, v the row of +-1 as hil_f32_rademacher has it, exact; x may be NULL.{STREAM}"""),
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

INTEGERS = (*_of_integers("i16"), *_of_integers("i8"), *_OF_SIGNALS)
