"""Kernels of cells that spike, in whole numbers: every one exact, nothing is rounded but by
shifts, which round down."""

from __future__ import annotations

from codegen.formats import BITS, F32, I8, U8, U16, Format
from codegen.kernels.kernel import Kernel

_N = "size_t n"
_N_IN_OUT = ("size_t n_in", "size_t n_out")
_ACTIVE = ("const uint16_t *active", "size_t count")


def _of_columns(name: str, c_type: str) -> tuple[Kernel, ...]:
    """What changes the synapses of one cell, column `cell` of weights of that type."""
    return (
        Kernel(f"{name}_potentiate", (
            f"{c_type} *w", "size_t cell", "const uint8_t *t", "uint32_t gain", "int32_t most",
            *_N_IN_OUT), """
The synapses of a cell that has spiked: W[i][cell] = min(W[i][cell] + ((gain t_i) >> 8),
most), gain below 256. `most` fits W, which has nothing below zero."""),
        Kernel(f"{name}_normalise", (
            f"{c_type} *w", "size_t cell", "uint32_t shift", "uint32_t least", *_N_IN_OUT), """
With the sum of column `cell`, where that is above `least`: W[i][cell] = floor(W[i][cell]
2^shift / sum). W is from 0 to 2^18 - 1, the sum less than 2^30; shift is 1 to 16."""),
    )  # fmt: skip


def _of_events(to: Format, spike: str, none: str) -> Kernel:
    """What makes a tick's spikes of a list of events."""
    given = (
        "const uint16_t *events",
        "size_t capacity",
        "size_t next",
        "uint32_t tick",
    )
    return Kernel(
        f"u16_events_to_{to.name}", (*given, f"{to.c_type} *s", _N), f"""
Spikes of a tick, of a list of (tick, address): {none}; then from number `next` on, while
there is an event and it is of this tick, {spike} where the address is below n.
Returns the number of the first event that is not of it.""",
        "size_t", "play", (U16, to),
    )  # fmt: skip


def _of_spikes(to: Format) -> tuple[Kernel, ...]:
    """What makes a tick's spikes of a sample that is spikes in time, 1 as numbers of format
    `to` have it."""
    s, one = f"{to.c_type} *s", "127" if to == I8 else "1"
    return (
        Kernel(f"bits_to_{to.name}", ("const uint32_t *v", s, _N), f"""
Spikes of bits: s_j = {one} where bit j & 31 of v_(j >> 5) is 1, else 0.""",
            "void", "spread", (BITS, to)),
        _of_events(to, f"s_address = {one}", "s_j = 0"),
    )  # fmt: skip


SPIKING = (
    *(kernel for to in (F32, I8, U8) for kernel in _of_spikes(to)),
    Kernel("u8_poisson", (
        "const uint8_t *v", "uint32_t chance", "uint32_t shift", "uint32_t first",
        "uint16_t *active", _N), """
Spikes of inputs, drawn: index i is on the list, ascending, where the lowest 8 bits of
mix(first + i) are less than (v_i chance) >> shift. Returns how many are. active has room
for n.""", "size_t"),
    _of_events(BITS, "bit `address` is 1", "no bit is 1"),
    Kernel("bits_active", ("const uint32_t *v", "uint16_t *active", _N), """
Inputs that spike: index i is on the list, ascending, where bit i & 31 of v_(i >> 5) is 1.
Returns how many are. active has room for n.""", "size_t"),
    Kernel("i16_integrate", (
        "const int16_t *w", *_ACTIVE, "uint32_t leak", "int32_t *v", *_N_IN_OUT), """
Potentials of a tick: v_j = v_j - (v_j >> leak), then v_j = v_j + W[active_k][j] for each
of the list's `count` inputs, modulo 2^32."""),
    Kernel("u8_spike_trace", (
        "uint8_t *t", "uint32_t leak", *_ACTIVE, "uint32_t more", _N), """
What is remembered of spikes: t_j = t_j - (t_j >> leak), then t_j = min(t_j + more, 255) for
each j of the list, which may be NULL where count is 0.""", ),
    Kernel("i32_winner", (
        "const int32_t *v", "const int32_t *theta", "int32_t least", _N), """
The j with the largest v_j - theta_j, modulo 2^32, the lowest of equals, if that is `least`
at least; else n.""", "size_t"),
    *_of_columns("i16", "int16_t"),
    *_of_columns("i32", "int32_t"),
    Kernel("i32_heard", (
        "int32_t *w", "const uint8_t *t", "uint32_t gain", "int32_t *sum", _N), """
A row of weights reaches its sums, and then learns: sum_j = sum_j + w_j, w_j = w_j + ((gain
t_j) >> 8), gain below 256; nothing learns with t == NULL."""),
    Kernel("i32_vote", ("int32_t *w", "uint32_t label", "int32_t more", "int32_t *sum", _N), """
A cell that has spiked votes for the class with most of its votes: with c the first j of
the largest w_j, sum_c = sum_c + 1 where w_c > 0. Then w_label = min(w_label + more, 2^24)."""),
    Kernel("i32_homeostat", (
        "const int32_t *count", "int32_t *a", "int32_t *theta", "int32_t share",
        "uint32_t pace", "int32_t rate", "int32_t factor", "uint32_t shift", "int32_t least",
        "int32_t most", _N), """
Slow thresholds after a sample in which cells have spiked count_j times: a_j = a_j + ((r_j -
a_j) >> pace), r_j = min(share count_j, 2^24); theta_j = theta_j + ((((a_j - rate) >> 1) factor)
>> shift), within least .. most. a_j, rate at most 2^24, factor 128."""),
    Kernel("i32_fade", ("int32_t *v", "uint32_t leak", _N), """
v_j = v_j - (v_j >> leak)."""),
    Kernel("i32_most_current", (
        "const int32_t *a", "uint32_t label", "float *p", _N), """
Outputs of sums: p_j = a_j as a float, rounded once. Returns 0 where the largest a_j, the
first of equals, is the label's, else 1.""", "float"),
    Kernel("u8_response", (
        "const uint8_t *w", "const uint8_t *x", "int32_t *sum", *_N_IN_OUT), """
What cells hear: sum_j = sum of W[i][j] over the i whose x_i is not zero.""", ),
    Kernel("i32_crossed", (
        "const int32_t *a", "const int32_t *theta", "int32_t threshold", "int32_t *above",
        "int32_t *count", _N), """
Which cells spike: above_j = a_j - (threshold + theta_j), count_j = 1 where that is 0 or more,
else 0.""", ),
    Kernel("u8_exchange", (
        "uint8_t *w", "size_t cell", "const uint8_t *x", "uint32_t grows", "uint32_t place",
        *_N_IN_OUT), """
Synapses of a cell grow, and their sum stays: W[i][cell] = min(W[i][cell] + grows, 255) where
x_i is not zero, by s in all; then, from i = place on, in turn, the last before the first, 1
is taken of each W[i][cell] above zero, s times; from 0 on where `place` is no row. Returns
whose turn is next.""",
        "uint32_t"),
    Kernel("u8_fill", ("uint8_t *v", "uint8_t value", _N), """
v_j = value."""),
)  # fmt: skip
"""By the rules of format `spikes`, and of what plays spikes in time."""
