"""Variants of the kernels of imported models, a part of the one table."""

from __future__ import annotations

from codegen.kernels import cost, float_cost
from codegen.kernels.rows import rows as _rows
from codegen.kernels.rows import vectors as _vectors
from codegen.kernels.variant import Variant

_MATH = ("math__scalar",)
_RESCALED = ("rescaled__scalar",)
_FILTERED = ("places__scalar", *_RESCALED)
_OF_16 = ("rescaled16__scalar",)
_COLUMNS_16 = ("window_rows16__rvv", "requantised16__rvv_m{}")
_COLUMNS = ("window_rows__rvv", "requantised__rvv_m{}")
_TAPS = (("bounded__scalar", "taps__scalar"), ("bounded__rvv_m{}", "taps__scalar"))
_POOLED = ("bounded__rvv_m{}", "places__scalar")

IMPORTED_ROWS: tuple[Variant, ...] = (
    *(
        row
        for first in ("", "shifted_")
        for row in (
            *_rows("fully_connected", f"i8_{first}fully_connected", (), cost.nothing,
                   (f"{first}pixels__scalar",)),
            *_rows("conv_2d", f"i8_{first}conv_2d", (), cost.nothing,
                   (f"{first}pixels__scalar", "places__scalar")),
            *_rows("conv_2d", f"i8_{first}conv_2d_eights", (), cost.nothing,
                   (f"{first}eights__scalar", "places__scalar")),
            *_rows("depthwise_conv_2d", f"i8_{first}depthwise_conv_2d", (), cost.nothing,
                   ("fixed__scalar", "planes__scalar", "rescaled__scalar")),
            *_vectors("conv_2d_columns", f"i8_{first}conv_2d_columns", (8,), float_cost.pixels,
                      _COLUMNS, groups=3),
            *_vectors("conv_2d_columns", f"i8_{first}conv_2d_columns", (2,), float_cost.pixels,
                      _COLUMNS, groups=8),
            *_vectors("conv_2d_planes", f"i8_{first}conv_2d_planes", (8,), cost.nothing, _COLUMNS,
                      groups=3),
            *_vectors("conv_2d_strips", f"i8_{first}conv_2d_strips", (8,), cost.nothing, _COLUMNS,
                      groups=3),
            *_vectors("depthwise_columns", f"i8_{first}depthwise_columns", (8,), cost.nothing,
                      _COLUMNS),
        )
    ),
    *_vectors("dense_runs", "i8_dense_runs", (8,), cost.nothing, ("requantised__rvv_m8",)),
    *_rows("average_pool_2d", "i8_average_pool_2d", (4,), cost.nothing, _FILTERED,
           ("places__scalar",)),
    *_rows("average_pool_2d", "i8_average_pool_2d_up", (), cost.nothing, _FILTERED),
    *_rows("max_pool_2d", "i8_max_pool_2d", (), cost.nothing, _FILTERED),
    *_rows("sum", "i8_sum", (4,), cost.nothing, _RESCALED),
    *_rows("turned", "i8_turned", (8,), cost.nothing),
    *_rows("fully_connected", "i16_fully_connected i16_narrow_fully_connected", (), cost.nothing,
           ("pixels16__scalar",)),
    *_rows("conv_2d", "i16_conv_2d i16_narrow_conv_2d", (), cost.nothing,
           ("pixels16__scalar", "places__scalar")),
    *_rows("conv_2d", "i16_conv_2d_eights", (), cost.nothing,
           ("eights16__scalar", "places__scalar")),
    *_rows("depthwise_conv_2d", "i16_depthwise_conv_2d", (), cost.nothing,
           ("fixed__scalar", "planes16__scalar", "sums16__scalar")),
    *(
        row
        for name in ("i16_conv_2d_columns", "i16_narrow_conv_2d_columns")
        for lmul, pixels in ((8, 3), (2, 8))
        for row in _vectors("conv_2d_columns", name, (lmul,), float_cost.pixels, _COLUMNS_16,
                            groups=pixels)
    ),
    *_vectors("conv_2d_planes", "i16_conv_2d_planes", (8,), cost.nothing, _COLUMNS_16, groups=3),
    *_vectors("conv_2d_strips", "i16_conv_2d_strips", (8,), cost.nothing, _COLUMNS_16, groups=3),
    *_vectors("depthwise_columns", "i16_depthwise_columns", (8,), cost.nothing, _COLUMNS_16),
    *(
        row
        for name in ("average_pool_2d", "max_pool_2d")
        for row in _rows(name, f"i16_{name}", (), cost.nothing, ("places__scalar", *_OF_16))
    ),
    *(
        row
        for name in ("sum", "product", "mean")
        for row in _rows(name, f"i16_{name}", (), cost.nothing, _OF_16)
    ),
    *_rows("bent", "i16_bent i16_requantize", (), cost.nothing, _OF_16),
    *_rows("i16_sigmoidal", "i16_logistic_table i16_tanh_table", (), cost.nothing,
           ("tables16__scalar", *_OF_16)),
    *_rows("i16_softmax", "i16_softmax", (), cost.nothing, ("tables16__scalar", *_OF_16)),
    *_rows("lstm", "i8_lstm", (), cost.nothing, ("gemmlowp16__scalar", *_RESCALED)),
    *_rows("svdf", "i8_svdf", (), cost.nothing, ("gemmlowp16__scalar", *_RESCALED)),
    *_rows("f32_svdf", "f32_svdf", (), cost.nothing, ("bounded__scalar",)),
    *_rows("f32_lstm", "f32_lstm", (), cost.nothing, ("bounded__scalar", *_MATH)),
    *_rows("product", "i8_product", (), cost.nothing, _RESCALED),
    *_rows("extreme", "i8_maximum i8_minimum i16_maximum i16_minimum f32_maximum f32_minimum", (), cost.nothing),
    *_rows("move", "i8_move i16_move f32_move", (), cost.nothing),
    *_rows("fill", "i8_fill i16_fill", (), cost.nothing),
    *_rows("lookup", "i8_lookup", (), cost.nothing),
    *_rows("ranked", "i16_ranked", (), cost.nothing),
    *_rows("mean", "i8_mean", (), cost.nothing, _RESCALED),
    *_rows("softmax", "i8_softmax", (), cost.nothing, ("gemmlowp__scalar", *_RESCALED)),
    *(
        row
        for name, widest, most in (("conv_2d_columns", 3, 8), ("depthwise_conv_2d", 2, 4))
        for row in (
            *_rows(f"f32_{name}", f"f32_{name}", (), cost.nothing, _TAPS[0]),
            *(
                one
                for lmul, pixels in ((8, widest), (4, 4), (2, most), (1, most))
                for one in _vectors(f"f32_{name}", f"f32_{name}", (lmul,),
                                    float_cost.float_pixels, _TAPS[1], groups=pixels)
            ),
        )
    ),
    *_vectors("f32_pool", "f32_average_pool_2d", (8, 2), cost.stream(5), _POOLED),
    *_vectors("f32_pool", "f32_max_pool_2d", (8, 2), cost.stream(6), _POOLED),
    *_vectors("f32_numbers", "f32_sum", (8,), cost.nothing, _TAPS[1][:1]),
    *_vectors("f32_numbers", "f32_product", (8,), cost.nothing, _TAPS[1][:1]),
    *_vectors("f32_bounded", "f32_bounded", (8,), cost.nothing, _TAPS[1][:1]),
    *(
        row
        for name in ("average_pool_2d", "max_pool_2d")
        for row in _rows(f"f32_{name}", f"f32_{name}", (), cost.nothing,
                         ("bounded__scalar", "places__scalar"))
    ),
    *(
        row
        for name in ("sum", "product", "bounded", "hard_swish", "quantize")
        for row in _rows(f"f32_{name}", f"f32_{name}", (), cost.nothing, ("bounded__scalar",))
    ),
    *(
        row
        for name in ("leaky_relu", "mean")
        for row in _rows(f"f32_{name}", f"f32_{name}", (), cost.nothing)
    ),
    *(
        row
        for name in ("softmax", "log_softmax")
        for row in _rows(f"f32_{name}", f"f32_{name}", (), cost.nothing, _MATH)
    ),
    *_rows("transpose_conv", "i8_transpose_conv", (), cost.nothing, _FILTERED),
    *_rows("transpose_conv", "f32_transpose_conv", (), cost.nothing,
           ("bounded__scalar", *_FILTERED)),
    *_rows("gather", "i8_gather i16_gather f32_gather", (), cost.nothing),
    *_rows("reduced", "i8_largest i16_largest f32_largest f32_total", (), cost.nothing),
    *_rows("reduced", "i8_smallest i16_smallest f32_smallest", (), cost.nothing),
    *_rows("arg_max", "i8_arg_max_i32 i8_arg_max_i64 f32_arg_max_i32 f32_arg_max_i64", (),
           cost.nothing),
    *_rows("arg_max", "i8_arg_min_i32 i8_arg_min_i64 f32_arg_min_i32 f32_arg_min_i64", (),
           cost.nothing),
    *_rows("squared_difference", "i8_squared_difference", (), cost.nothing, _RESCALED),
    *_rows("f32_pair", "f32_squared_difference", (), cost.nothing, ("bounded__scalar",)),
    *_rows("f32_elu", "f32_elu", (), cost.nothing, _MATH),
    *_rows("f32_gelu", "f32_gelu f32_gelu_by_tanh", (), cost.nothing, _MATH),
    *_rows("l2_normalize", "i8_l2_normalize", (), cost.nothing, ("gemmlowp__scalar", *_RESCALED)),
    *_rows("f32_l2_normalize", "f32_l2_normalize", (), cost.nothing, _MATH),
    *_rows("matmul", "i8_matmul", (), cost.nothing, _RESCALED),
    *_rows("matmul", "i16_matmul", (), cost.nothing, _OF_16),
    *_rows("matmul", "f32_matmul", (), cost.nothing),
    *_rows("bilinear", "i8_bilinear i16_bilinear", (), cost.nothing, _RESCALED),
    *_rows("f32_bilinear", "f32_bilinear", (), cost.nothing),
    *_rows("softmax", "i8_softmax_i16", (), cost.nothing, ("gemmlowp__scalar", *_RESCALED)),
    *_rows("requantize_wide", "i16_requantize_i32", (), cost.nothing, _RESCALED),
    *_rows("cast", "i8_cast_i32 i16_cast_i32 i32_cast_f32 f32_cast_i32", (), cost.nothing),
    *_rows("prelu", "i8_prelu", (), cost.nothing, _RESCALED),
    *_rows("f32_pair", "f32_prelu f32_quotient", (), cost.nothing, ("bounded__scalar",)),
    *(
        row
        for name in ("absolute", "negated", "squared", "root", "inverse_root", "power")
        for row in _rows("f32_unary", f"f32_{name}", (), cost.nothing, _MATH)
    ),
    *(
        row
        for name, more in (
            ("columns", ()),
            ("columns_freely", ("asymmetric__scalar",)),
            ("channel_columns", ("asymmetric__scalar",)),
        )
        for row in (
            *_rows("f32_hybrid_columns", f"f32_hybrid_{name}", (), cost.nothing,
                   (*more, *_TAPS[0])),
            *(
                one
                for lmul, pixels in ((8, 3), (2, 4))
                for one in _vectors("f32_hybrid_columns", f"f32_hybrid_{name}", (lmul,),
                                    float_cost.float_pixels, ("quantised__rvv", *_TAPS[1]),
                                    groups=pixels)
            ),
        )
    ),
    *_rows("f32_hybrid_depthwise", "f32_hybrid_depthwise", (), cost.nothing,
           ("asymmetric__scalar", "bounded__scalar", "places__scalar")),
    *_rows("f32_quantize", "f32_quantize_i16", (), cost.nothing, ("bounded__scalar",)),
    *_rows("dequantize", "i8_dequantize i16_dequantize", (), cost.nothing),
)  # fmt: skip
"""The first row of a kernel and architecture is its default."""
