"""Models of one operator that exports of Keras hold here and there."""

from __future__ import annotations

from typing import Any

import numpy as np

from .building import Given, model
from .moved import FEW, IMAGE, KINDS, of, told
from .odd import activation

DTYPES = {"i8": np.int8, "u8": np.uint8, "i16": np.int16, "f32": np.float32}


def constant(kind: str, value: float) -> Given:
    """One constant of the scale that activations have."""
    one = activation(kind, (1,))
    return Given((1,), kind, one.scales, one.zero, 0, np.array([value], DTYPES[kind]))


def padded(kind: str) -> bytes:
    """PADV2 of an image by a number."""
    x, y = activation(kind, IMAGE), activation(kind, (1, 8, 8, 3))
    more = told([[0, 0], [1, 2], [2, 1], [0, 0]])
    return model("PADV2", 2, (x, more, constant(kind, 7)), y, "PadV2Options")


def apart(kind: str, x: tuple[int, ...], v: tuple[int, ...]) -> bytes:
    """SQUARED_DIFFERENCE with unlike scales."""
    given = (activation(kind, x, 0.05), activation(kind, v, 0.031))
    return model("SQUARED_DIFFERENCE", 2, given, activation(kind, x, 0.9))


def function(name: str, kind: str, version: int, **options: Any) -> bytes:
    """A function of one number; a root has no negative ones."""
    x = activation(kind, (3, 50))
    if name == "RSQRT" and kind == "i8":
        x = Given(x.shape, kind, x.scales, -128)
    table = "GeluOptions" if name == "GELU" else ""
    y = activation(kind, (3, 50), 0.03)
    return model(name, version, (x,), y, table, options)


def rows(kind: str) -> bytes:
    """L2_NORMALIZATION of rows."""
    zero = {"i8": 0, "u8": 128}.get(kind, 0)
    scales = () if kind == "f32" else (1 / 128,)
    x, y = activation(kind, (7, 9)), Given((7, 9), kind, scales, zero)
    return model("L2_NORMALIZATION", 2, (x,), y, "L2NormOptions")


def product(
    kind: str, x: tuple[int, ...], v: tuple[int, ...], y: tuple[int, ...], **told: bool
) -> bytes:
    """BATCH_MATMUL."""
    fine = 0.002 if kind == "i16" else 0.05
    given = (activation(kind, x, fine), activation(kind, v, fine))
    output = activation(kind, y, 0.9 if kind == "i8" else 0.02)
    version = 3 if kind == "i16" else 2
    return model("BATCH_MATMUL", version, given, output, "BatchMatMulOptions", told)


def cast(kind: str, to: str) -> bytes:
    """CAST of numbers that have no scale."""
    return model("CAST", 1, (Given((3, 50), kind),), Given((3, 50), to))


def looked_up(kind: str) -> bytes:
    """GATHER of rows whose places are computed, as an Embedding is written."""
    x = activation(kind, (200, 3))
    data = np.random.default_rng(2).integers(0, 100, x.shape).astype(DTYPES[kind])
    stored = Given(x.shape, kind, x.scales, x.zero, 0, data)
    places = Given((1, 5), "i32")
    return model("GATHER", 2, (stored, places), activation(kind, (1, 5, 3)))


def remembering(
    kind: str,
    batch: int = 2,
    memory: int = 4,
    rank: int = 2,
    biased: bool = True,
    fused: int = 1,
) -> bytes:
    """SVDF of 9 numbers with six filters."""
    draw = np.random.default_rng(2)
    floats, small = kind == "f32", "f32" if kind == "f32" else "i16"
    made = (
        (kind, draw.integers(-127, 128, (6, 9)), 0.006),
        (small, draw.integers(-3000, 3000, (6, memory)), 0.0003),
    )
    of_weights, of_time = (
        Given(
            data.shape, one, () if floats else (scale,), 0, 0,
            (data * scale).astype(np.float32) if floats else data.astype(DTYPES[one]),
        )
        for one, data, scale in made
    )  # fmt: skip
    b = draw.integers(-9000, 9000, 6 // rank)
    bias = (b * 1e-4).astype(np.float32) if floats else b.astype(np.int32)
    shape, one = (batch, 6 * memory), () if floats else (0.0004,)
    state = Given(shape, small, one, variable=True)
    given = [activation(kind, (batch, 9)), of_weights, of_time, state]
    if biased:
        given.insert(3, Given((6 // rank,), "f32" if floats else "i32", data=bias))
    places = range(5) if biased else (0, 1, 2, -1, 3)
    y = Given((batch, 6 // rank), kind, () if floats else (0.08,), -128 * (not floats))
    told = {"Rank": rank, "FusedActivationFunction": fused}
    return model("SVDF", 1 if floats else 3, given, y, "SVDFOptions", told, places)


BILINEAR = (
    ([10, 15], {}), ([7, 3], {"HalfPixelCenters": True}), ([11, 8], {"AlignCorners": True}),
)  # fmt: skip
MATRICES = (
    ((2, 3, 4), (2, 4, 5), (2, 3, 5), {}),
    ((2, 1, 4, 3), (3, 5, 4), (2, 3, 3, 5), {"AdjX": True, "AdjY": True}),
)
USUAL = {
    **{
        f"TILE-{kind}": of("TILE", kind, IMAGE, [[1, 2, 1, 3]], [(1, 10, 5, 9)])
        for kind in FEW
    },
    **{
        f"REVERSE_V2-{kind}": of("REVERSE_V2", kind, IMAGE, [[-3]], [IMAGE])
        for kind in KINDS
    },
    **{
        f"BROADCAST_TO-{kind}": of(
            "BROADCAST_TO", kind, (5, 1, 3), [[2, 5, 4, 3]], [(2, 5, 4, 3)], version=3
        )
        for kind in KINDS
    },
    **{f"PADV2-{kind}": padded(kind) for kind in KINDS},
    **{
        f"REDUCE_MIN-{kind}": of(
            "REDUCE_MIN", kind, IMAGE, [[1, 3]], [(1, 5)], table="ReducerOptions", version=2
        )
        for kind in KINDS
    },
    **{
        f"ARG_MIN-{kind}-{to}": model(
            "ARG_MIN", 2, (activation(kind, IMAGE), told(2)), Given((1, 5, 3), to),
            "ArgMinOptions", {"OutputType": number},
        )
        for kind in FEW
        for to, number in (("i32", 2), ("i64", 4))
    },
    "MEAN-u8": of("MEAN", "u8", IMAGE, [[1, 2]], [(1, 3)], table="ReducerOptions"),
    **{
        f"SQUARED_DIFFERENCE-{kind}": apart(kind, (1, 4, 5, 3), (5, 1))
        for kind in FEW
    },
    **{
        f"{name}-{kind}": function(name, kind, version)
        for name, version, kinds in (
            ("RSQRT", 2, ("i8",)), ("ELU", 1, FEW), ("RELU_N1_TO_1", 1, ("i8", "u8", "f32")),
        )
        for kind in kinds
    },
    **{
        f"GELU-{kind}-{nearly}": function("GELU", kind, 2, Approximate=nearly)
        for kind in ("i8", "u8", "f32")
        for nearly in (False, True)
    },
    **{f"L2_NORMALIZATION-{kind}": rows(kind) for kind in ("i8", "u8", "f32")},
    **{
        f"BATCH_MATMUL-{kind}-{n}": product(kind, x, v, y, **told)
        for kind in ("i8", "i16", "f32")
        for n, (x, v, y, told) in enumerate(MATRICES)
    },
    **{
        f"bilinear-{kind}-{n}": of(
            "RESIZE_BILINEAR", kind, IMAGE, [size], [(1, *size, 3)],
            table="ResizeBilinearOptions", version=3, **options,
        )
        for kind in ("i8", "i16", "f32")
        for n, (size, options) in enumerate(BILINEAR)
    },
    **{f"CAST-{kind}-f32": cast(kind, "f32") for kind in ("i8", "u8", "i16", "i32")},
    **{f"CAST-{kind}-i32": cast(kind, "i32") for kind in ("i8", "u8", "i16", "f32")},
    **{
        f"SVDF-{kind}-{memory}": remembering(kind, *more)
        for kind in FEW
        for memory, *more in ((4, 2, 4, 2, True), (1, 1, 1, 1, False))
    },
    "softmax-i8-i16": model(
        "SOFTMAX", 3, (Given((3, 50), "i8", (0.2,), 5),),
        Given((3, 50), "i16", (1 / 65536,), -32768), "SoftmaxOptions", {"Beta": 1.0},
    ),
    "requantize-i16-i32": model(
        "QUANTIZE", 2, (Given((3, 50), "i16", (1.5259e-05,), -32768),),
        Given((3, 50), "i32", (3.05185e-05,)), "",
    ),
    **{f"GATHER-{kind}-computed": looked_up(kind) for kind in FEW},
}  # fmt: skip
"""Files of one operator, by its name."""
COMPUTED = tuple(name for name in USUAL if name.endswith("computed"))
"""Those that TensorFlow Lite refuses some numbers of."""
NO_REFERENCE = tuple(name for name in USUAL if name.startswith("ELU"))
"""Those of which TensorFlow Lite has no reference kernels, but others."""
