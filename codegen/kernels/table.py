"""The one table of kernels' variants: build, tests, `hil kernels` and benchmarks read it.

Variants of one kernel give the same bits. docs/kernels.md says how to add a variant.
"""

from __future__ import annotations

from typing import Any

from codegen.kernels import cost, fixed_cost, float_cost
from codegen.kernels.contracts import KERNELS
from codegen.kernels.imported_rows import IMPORTED_ROWS
from codegen.kernels.rows import rows as _rows
from codegen.kernels.rows import vectors as _vectors
from codegen.kernels.variant import Variant


def _integer(
    family: str, operation: str, lmuls: tuple[int, ...], model: cost.Model,
    rvv: tuple[str, ...] = ("fixed__rvv",), **more: Any,
) -> tuple[Variant, ...]:  # fmt: skip
    """Vector rows of an operation on weights of 16 bits, and on those of 8."""
    names = (f"{weights}_{operation}" for weights in ("i16", "i8"))
    found = (_vectors(family, name, lmuls, model, rvv, **more) for name in names)
    return tuple(row for rows in found for row in rows)


_MATH = (("math__scalar",), ("math__rvv_m{}",))
_FOUND = (("math__scalar", "finite__scalar"), _MATH[1])
_RANDOM = (("random__scalar",), ("random__rvv_m{}",))
_SUM = (("math__scalar", "sum__scalar"), ("math__scalar", "sum__rvv_m{}"))
_LOSS = (("math__scalar", "sum__scalar"), ("math__rvv_m{}", "sum__rvv_m{}"))
_FEW = (_LOSS[0], ("math__rvv_m4", "math__rvv_m{}", "sum__rvv_m4"))
_GRADS = "f32_tanh_grad f32_sigmoid_grad f32_relu_grad"
_ROWS = ((), ("rows__rvv_m{}",))
_COLUMNS = ("columns__scalar",)
_ROWS_UPDATED = (_COLUMNS, (*_ROWS[1], "rows__rvv_m8"))
_RADEMACHER = (("perturbation__scalar",), ("signs__rvv_m{}",))
_GAUSSIAN = (("perturbation__scalar",), ("normal__rvv_m{}",))
_WINDOW = (("window__scalar",), ("window__scalar",))
_WINDOW_LEVELS = (("window_levels__scalar",), ("window_levels__scalar",))
_FIXED = (("fixed__scalar",), ("fixed__rvv",))
_FIXED_UPDATE = (*_FIXED[1], "fixed_update__rvv_m{}")
_ROWS_8 = ((), ("rows__rvv_m8",))

FEWEST_CYCLES = (
    "fewest cycles, and not instructions, where two groups of LMUL 8 would be half full: "
    "`hil tune --for cycles` tries it"
)
NARROW = (
    "fewest cycles, and not instructions, where a row is narrow enough for indexed loads: "
    "`hil tune --for cycles` tries it"
)
NO_DIVISION = (
    "fewest cycles, and not instructions, because it does not divide: `hil tune --for cycles` "
    "tries it"
)
TWIN = (
    "what the vector rows are held against: a machine without vectors makes its signs in "
    "every step, for little"
)
"""Why a row stays that the plan, which counts instructions first, does not choose."""

TABLE: tuple[Variant, ...] = (
    *_rows("convert", "u8_scaled i16_scaled f32_scaled", (8, 4, 2, 1), cost.stream(5)),
    *_rows("convert", "f32_scale", (8, 4, 2, 1), cost.stream(4)),
    *_rows("convert", "u8_to_f32 i16_to_f32", (8,), cost.stream(4)),
    *_rows("rescale", "u8_rescale i16_rescale f32_rescale", (8, 4, 2, 1), cost.stream(7)),
    *_rows("window_features", "i16_window_features", (8, 4, 2, 1), float_cost.window_features,
           *_WINDOW),
    *_rows("window_features", "i16_window_levels", (8, 4, 2, 1), float_cost.window_features,
           *_WINDOW_LEVELS),
    *_rows("dense_forward", "f32_dense_forward", (8, 4, 2, 1), float_cost.dense_forward, _COLUMNS,
           _ROWS_8[1]),
    *_vectors("dense_forward", "f32_dense_forward", (8,), float_cost.dense_forward, _ROWS_8[1], groups=2),
    *_vectors("dense_forward", "f32_dense_forward", (4,), float_cost.dense_forward, _ROWS_8[1],
              groups=2, stays=FEWEST_CYCLES),
    *_vectors("dense_forward", "f32_dense_forward", (4,), float_cost.dense_forward, _ROWS_8[1], groups=4),
    *_vectors("dense_forward", "f32_dense_forward", (8,),
              float_cost.ahead(float_cost.dense_forward), _ROWS_8[1], form="assembly"),
    *_vectors("dense_forward", "f32_dense_forward", (4, 2, 1), float_cost.ahead(float_cost.dense_forward),
              _ROWS_8[1], form="assembly", stays=NARROW),
    *_vectors("dense_forward", "f32_dense_forward", (8,), float_cost.indexed, _ROWS_8[1], form="indexed"),
    *_rows("nonzero", "u8_nonzero_scaled i16_nonzero_scaled", (8, 4, 2), float_cost.nonzero),
    *_vectors("nonzero", "u8_nonzero_scaled", (8,), float_cost.nonzero_bytes, form="bytes"),
    *_rows("nonzero", "u8_nonzero i16_nonzero", (8,), float_cost.nonzero),
    *_rows("nonzero", "f32_nonzero", (4, 2), float_cost.packed),
    *_rows("listed_forward", "f32_listed_forward", (8, 4), float_cost.listed_forward, _COLUMNS),
    *_vectors("listed_forward", "f32_listed_forward", (8,), float_cost.listed_forward, groups=2),
    *_vectors("listed_forward", "f32_listed_forward", (4,), float_cost.listed_forward,
              groups=2, stays=FEWEST_CYCLES),
    *_rows("listed_update", "f32_listed_update", (8, 4), float_cost.listed_update, _COLUMNS, _ROWS[1]),
    *_vectors("listed_update", "f32_listed_update", (8,), float_cost.listed_update, _ROWS[1], groups=2),
    *_vectors("listed_update", "f32_listed_update", (4,), float_cost.listed_update, _ROWS[1],
              groups=2, stays=FEWEST_CYCLES),
    *_rows("dense_fused", "f32_dense_fused", (8, 4, 2, 1), float_cost.dense_fused, *_ROWS_8),
    *_vectors("dense_fused", "f32_dense_fused", (8, 4, 2, 1), float_cost.ahead(float_cost.dense_fused),
              _ROWS_8[1], form="assembly"),
    *_rows("rank_one", "f32_rank_one", (8, 4, 2, 1), cost.stream(5)),
    *_rows("rates", "f32_rates", (8, 4, 2, 1), cost.stream(5), *_ROWS),
    *_rows("add_scaled", "f32_bias_update", (8, 4, 2, 1), cost.stream(5), *_ROWS),
    *_rows("activation", "f32_tanh f32_sigmoid", (8, 4, 2, 1), cost.divided(48), *_FOUND, apart=True),
    *_vectors("activation", "f32_tanh", (8, 4), cost.stream(60), _MATH[1], form="reciprocal",
              stays=NO_DIVISION, apart=True),
    *_rows("activation", "f32_relu", (8, 4, 2, 1), cost.stream(12), *_FOUND),
    *_rows("gradient", _GRADS, (8, 4, 2, 1), cost.stream(15), *_FOUND),
    *_rows("all_finite", "f32_all_finite", (8, 4, 2, 1), cost.stream(5), ("math__scalar",)),
    *_rows("feedback_stored", "f32_feedback_stored", (8, 4, 2, 1), float_cost.feedback_stored),
    *_rows(
        "feedback_signs", "f32_feedback_signs", (8, 4, 2, 1), float_cost.feedback_signs,
        (*_COLUMNS, "random__scalar"), ("random__rvv_m1",),
    ),
    *_vectors("feedback_signs", "f32_feedback_signs", (8, 4, 2, 1), float_cost.feedback_words,
              ("random__rvv_m2", "random__rvv_m4", "random__rvv_m8"), form="words"),
    Variant(KERNELS["f32_feedback_words"], "scalar", "feedback_words", None, _COLUMNS,
            float_cost.scalar(float_cost.sign_rows), stays=TWIN),
    *_vectors("feedback_words", "f32_feedback_words", (8, 4, 2, 1), float_cost.sign_rows),
    *_rows("dense_backward", "f32_dense_backward", (8, 4), float_cost.dense_backward,
           _SUM[0], ("sum__rvv_m4",)),
    *_vectors("dense_backward", "f32_dense_backward", (8,), float_cost.backward_columns,
              form="columns"),
    *_rows("dense_update", "f32_dense_update", (8, 4, 2, 1), float_cost.dense_update,
           *_ROWS_UPDATED),
    *_vectors("dense_update", "f32_dense_update", (8,), float_cost.dense_update, _ROWS[1], groups=2),
    *_vectors("dense_update", "f32_dense_update", (4,), float_cost.dense_update, _ROWS_UPDATED[1],
              groups=2, stays=FEWEST_CYCLES),
    *_vectors("dense_update", "f32_dense_update", (8, 4, 2), float_cost.columns, _ROWS[1],
              form="columns"),
    *_rows("momentum_update", "f32_momentum_update", (8, 4, 2, 1), float_cost.momentum_update),
    *_rows("sigmoid_bce", "f32_sigmoid_bce", (4, 2, 1), cost.few(106), *_FEW),
    *_rows("softmax_ce", "f32_softmax_ce", (4, 2, 1), cost.few(116), *_FEW),
    *_rows("identity_mse", "f32_identity_mse", (4,), cost.stream(50), *_SUM),
    *_rows("sigmoid_bce_vector", "f32_sigmoid_bce_vector", (4,), cost.stream(118), *_LOSS),
    *_rows("identity_mse_vector", "f32_identity_mse_vector", (4,), cost.stream(52), *_LOSS),
    *_rows("ternary", "f32_ternary", (8, 4, 2, 1), cost.stream(7)),
    *_rows("clip", "f32_clip", (8, 4, 2, 1), cost.stream(4)),
    *_rows("max_abs", "f32_max_abs", (8, 4, 2, 1), cost.stream(3)),
    *_rows("block_max", "f32_block_max", (), cost.stream(4)),
    *_rows("gate_rows", "f32_gate_rows", (4, 2), float_cost.packed),
    *_rows("listed_masked_update", "f32_listed_masked_update", (4, 2), float_cost.listed_masked,
           *_ROWS),
    *_rows("controlled", "f32_controlled", (), cost.nothing, ("math__scalar",)),
    *_rows("target", "f32_target", (), cost.nothing),
    *_rows("class_mean", "f32_class_mean", (), cost.nothing),
    *_rows("class_scatter", "f32_class_scatter", (), cost.nothing),
    *_rows("class_discriminant", "f32_class_discriminant", (), cost.nothing),
    *_rows("fill", "f32_fill", (8, 4, 2, 1), cost.stream(2)),
    *_rows("copy", "f32_copy", (8, 4, 2, 1), cost.stream(3)),
    *_rows("difference", "f32_difference", (8, 4, 2, 1), cost.stream(5)),
    *_rows("times", "f32_times", (8, 4, 2, 1), cost.stream(4)),
    *_rows("ratio", "f32_ratio", (8, 4, 2, 1), cost.stream(5)),
    *_rows("adapt", "f32_adapt", (8, 4, 2, 1), cost.stream(12)),
    *_rows("settle", "f32_settle", (8, 4, 2, 1), cost.stream(10)),
    *_rows("leak", "f32_leak", (8, 4, 2, 1), cost.stream(5)),
    *_rows("leaky_sigmoid", "f32_leaky_sigmoid", (4, 2, 1), cost.stream(54), *_MATH, apart=True),
    *_rows("leaky_clip", "f32_leaky_clip", (4, 2, 1), cost.stream(16), *_MATH),
    *_rows("membrane", "f32_membrane", (8, 4, 2, 1), cost.stream(6)),
    *_rows("gathered", "f32_gathered", (4,), float_cost.gathered),
    *_rows("spike", "f32_spike", (8, 4, 2, 1), cost.stream(8), *_MATH),
    *_rows("bernoulli", "f32_bernoulli", (8,), cost.stream(17), *_RANDOM),
    *_rows("latency", "f32_latency", (8,), cost.stream(9)),
    *_rows("spread", "bits_to_f32", (8,), cost.stream(4)),
    *_rows("events", "u16_events_to_f32 u16_events_to_i8 u16_events_to_u8 u16_events_to_bits", (), cost.stream(3)),
    *_rows("trace", "f32_trace", (8, 4, 2, 1), cost.stream(4)),
    *_rows("homeostat", "f32_homeostat", (4,), cost.stream(12)),
    *_rows("spike_grad", "f32_spike_grad", (8, 4, 2, 1), cost.divided(12), *_MATH),
    *_rows("contrast_update", "f32_contrast_update", (8, 4, 2, 1), float_cost.contrast_update),
    *_rows("bounded_update", "f32_bounded_update", (4, 2, 1), float_cost.bounded_update),
    *_rows("sigmoidal", "f32_sigmoidal", (8, 4, 2, 1), cost.stream(15)),
    *_rows("dot", "f32_dot", (4,), cost.stream(4), *_SUM),
    *_rows("perturb", "f32_rademacher", (8, 4, 2, 1), cost.stream(6), *_RADEMACHER),
    *_rows("perturb", "f32_gaussian", (2, 1), cost.stream(50), *_GAUSSIAN),
    *_rows("jvp", "f32_jvp_rademacher", (4, 2, 1), float_cost.jvp_signs, *_RADEMACHER),
    *_rows("jvp", "f32_jvp_gaussian", (2, 1), float_cost.jvp_normal, *_GAUSSIAN),
    *_rows("uniform", "f32_uniform", (4, 2, 1), cost.stream(20), *_RANDOM),
    *_rows("fixed_convert", "u8_to_i8 i16_to_i8", (8, 4), cost.stream(6), *_FIXED),
    *_rows("fixed_dense_forward", "i16_dense_forward i8_dense_forward", (), float_cost.dense_forward,
           _FIXED[0], framed=True),
    *_integer("fixed_sums", "dense_forward", (8, 4), fixed_cost.sums),
    *_integer("fixed_sums", "dense_forward", (8,), fixed_cost.sums, groups=2),
    *_vectors("fixed_sums", "i16_dense_forward", (8,), fixed_cost.sums_of_columns, _FIXED[1],
              form="columns"),
    *_vectors("fixed_sums", "i8_dense_forward", (8,), fixed_cost.narrow_sums_of_columns,
              _FIXED[1], form="columns"),
    *_rows("fixed_backward", "i16_dense_backward i8_dense_backward", (8,),
           fixed_cost.backward, *_FIXED),
    *_integer("fixed_backward", "dense_backward", (8, 4), fixed_cost.backward_of_columns,
              form="columns"),
    *_rows("fixed_update", "i16_dense_update i8_dense_update", (8, 4, 2),
           fixed_cost.update, _FIXED[0], _FIXED_UPDATE, framed=True),
    *_integer("fixed_update", "dense_update", (8, 4), fixed_cost.update_of_columns,
              _FIXED_UPDATE, form="columns"),
    *_rows("fixed_feedback_stored", "i16_feedback_stored i8_feedback_stored", (),
           float_cost.feedback_stored),
    *_integer("fixed_sums", "feedback_stored", (8, 4), fixed_cost.sums),
    *_rows("fixed_uniform", "i16_uniform i8_uniform", (4,), cost.stream(20),
           (*_FIXED[0], *_RANDOM[0]), (*_FIXED[1], *_RANDOM[1])),
    *_rows("fixed_level", "u8_level i16_level", (8,), cost.stream(9), *_FIXED),
    *_rows("fixed_level", "u8_own_level i16_own_level", (4,), cost.stream(11), *_FIXED),
    *_rows("fixed_gathered", "i16_gathered", (8,), float_cost.gathered),
    *_rows("fixed_liquid", "i32_liquid i32_regulated_liquid", (4,), cost.stream(24)),
    *_rows("fill", "i32_fill u8_fill", (8,), cost.stream(2)),
    *_rows("fixed_bernoulli", "i8_bernoulli", (4,), cost.stream(16), *_RANDOM),
    *_rows("fixed_latency", "i8_latency", (4,), cost.stream(10)),
    *_rows("spread", "bits_to_i8 bits_to_u8", (8,), cost.stream(4)),
    *_rows("fixed_charge", "i32_charge", (4,), cost.stream(10), *_FIXED),
    *_rows("fixed_spike", "i32_spike", (4,), cost.stream(4)),
    *_rows("fixed_perturb", "i32_rademacher", (8,), cost.stream(6), _RANDOM[0], _RADEMACHER[1]),
    *_rows("fixed_dot", "i8_dot", (2,), cost.stream(4)),
    *_rows("fixed_share", "i32_share", (8,), cost.stream(4)),
    *_rows("fixed_trace", "i8_trace", (8,), cost.stream(5)),
    *_rows("fixed_spike_grad", "i32_spike_grad", (4,), cost.stream(12), *_FIXED),
    *_rows("delays", "u8_delays u8_regulated_delays", (4,), float_cost.delays),
    *_rows("fixed_activation", "i32_tanh i32_hard_tanh", (8, 4), cost.stream(6), *_FIXED),
    *_rows("fixed_gradient", "i8_tanh_grad", (8, 4, 2), cost.stream(9), *_FIXED),
    *_rows("fixed_feedback_signs", "i8_feedback_signs", (8, 4), fixed_cost.signs,
           (*_FIXED[0], *_RANDOM[0]), (*_FIXED[1], *_RANDOM[1]), framed=True),
    *_rows("fixed_ternary", "i8_ternary", (4, 2, 1), cost.stream(6)),
    *_rows("fixed_target", "i8_target", (), cost.nothing),
    *_rows("fixed_max_abs", "i8_max_abs", (4,), cost.stream(4), (), _FIXED[1]),
    *_rows("fixed_sigmoid_bce", "i32_sigmoid_bce", (8, 4), cost.stream(20), *_FIXED),
    *_rows("poisson", "u8_poisson", (4,), cost.stream(16), *_RANDOM),
    *_rows("active", "bits_active", (8,), cost.stream(4)),
    *_rows("integrate", "i16_integrate", (8,), float_cost.listed_forward),
    *_rows("spike_trace", "u8_spike_trace", (2,), cost.stream(4)),
    *_rows("winner", "i32_winner", (4,), cost.stream(8)),
    *_rows("potentiate", "i16_potentiate", (2,), cost.stream(7)),
    *_rows("potentiate", "i32_potentiate", (4,), cost.stream(7)),
    *_rows("normalise", "i16_normalise i32_normalise", (4,), cost.stream(24)),
    *_rows("heard", "i32_heard", (), cost.nothing),
    *_rows("vote", "i32_vote", (), cost.nothing),
    *_rows("response", "u8_response", (4,), float_cost.listed_forward),
    *_rows("crossed", "i32_crossed", (4,), cost.stream(9)),
    *_rows("exchange", "u8_exchange", (2,), cost.stream(24)),
    *_rows("fade", "i32_fade", (8,), cost.stream(4)),
    *_rows("fixed_homeostat", "i32_homeostat", (4,), cost.stream(16)),
    *_rows("most_current", "i32_most_current", (), cost.nothing, _FIXED[0]),
    *_rows("words", "u32_words", (), cost.stream(12), ("random__scalar",)),
    *_rows("digest", "u32_digest", (4, 2, 1), cost.stream(15), *_RANDOM),
    *IMPORTED_ROWS,
)  # fmt: skip
"""Every variant. The first row of a kernel and architecture is its default."""
