"""Models of one operator, of those that move numbers, reduce axes or are functions of one
number, and that no model of the data has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .building import Given, model
from .odd import activation

KINDS = ("i8", "u8", "i16", "f32")
FEW = ("i8", "f32")
FLOATS = ("NEG", "SQUARE", "SQRT", "RSQRT")


def told(numbers: Any) -> Given:
    """A constant that says how."""
    data = np.array(numbers, np.int32)
    return Given(data.shape, "i32", data=data)


def of(
    name: str,
    kind: str,
    shape: tuple[int, ...],
    numbers: Sequence[Any],
    outputs: Sequence[tuple[int, ...]],
    table: str = "",
    version: int = 1,
    first: bool = True,
    **options: Any,
) -> bytes:
    """An operator of one tensor, with one scale on both sides, and of constants, which
    stand before it unless it is the `first`."""
    constants = tuple(map(told, numbers))
    x, made = activation(kind, shape), [activation(kind, one) for one in outputs]
    given = (x, *constants) if first else (*constants, x)
    return model(name, version, given, made, table, options)


def unary(name: str, kind: str, table: str = "", version: int = 1) -> bytes:
    """A function of one number, the scale of its output another."""
    y = activation(kind, (3, 50), 0.4 if name == "EXP" else 0.07)
    return model(name, version, (activation(kind, (3, 50)),), y, table)


def prelu(kind: str, alpha: tuple[int, ...]) -> bytes:
    """An alpha for each channel, or for each of them all."""
    draw = np.random.default_rng(2)
    if kind == "f32":
        slope = Given(alpha, kind, data=draw.normal(0, 1, alpha).astype(np.float32))
    else:
        dtype = np.int8 if kind == "i8" else np.uint8
        data = draw.integers(0, 127, alpha).astype(dtype)
        slope = Given(alpha, kind, (0.013,), 5, 0, data)
    x, y = activation(kind, (1, 4, 5, 3)), activation(kind, (1, 4, 5, 3), 0.07)
    return model("PRELU", 1, (x, slope), y)


def largest_at(kind: str, to: str, axis: int, shape: tuple[int, ...]) -> bytes:
    """ARG_MAX of an image."""
    types = {"i32": 2, "i64": 4}
    x = activation(kind, (1, 5, 5, 3))
    options = {"OutputType": types[to]}
    return model(
        "ARG_MAX", 2, (x, told(axis)), Given(shape, to), "ArgMaxOptions", options
    )


IMAGE = (1, 5, 5, 3)
NEAREST = "ResizeNearestNeighborOptions"
MOVED = {
    **{
        f"{name}-{kind}-{n}": of(name, kind, *rest, **options)
        for n, (name, *rest, options) in enumerate(
            (
                ("SPLIT", (2, 6, 3), [1], [(2, 2, 3)] * 3,
                 {"table": "SplitOptions", "first": False, "NumSplits": 3}),
                ("SPLIT_V", (2, 6, 3), [[1, -1, 2], -2], [(2, n, 3) for n in (1, 3, 2)],
                 {"table": "SplitVOptions", "NumSplits": 3}),
                ("UNPACK", (2, 6, 3), [], [(2, 6)] * 3,
                 {"table": "UnpackOptions", "Axis": -1, "Num": 3}),
                ("SLICE", IMAGE, [[0, 1, 2, 0], [1, -1, 2, 2]], [(1, 4, 2, 2)],
                 {"table": "SliceOptions"}),
                ("GATHER", IMAGE, [[[4, 0], [2, 2]]], [(1, 5, 2, 2, 3)],
                 {"table": "GatherOptions", "Axis": 2, "version": 2}),
                ("SPACE_TO_BATCH_ND", IMAGE, [[2, 3], [[0, 1], [2, 2]]], [(6, 3, 3, 3)],
                 {"table": "SpaceToBatchNDOptions"}),
                ("SPACE_TO_BATCH_ND", (2, 5, 3), [[4], [[5, 2]]], [(8, 3, 3)],
                 {"table": "SpaceToBatchNDOptions"}),
                ("BATCH_TO_SPACE_ND", (12, 3, 2, 3), [[2, 3], [[1, 2], [4, 0]]], [(2, 3, 2, 3)],
                 {"table": "BatchToSpaceNDOptions"}),
            )
        )
        for kind in (FEW if n % 2 else KINDS)
    },
    **{
        f"{name}-{kind}": of(name, kind, *shapes, table=f"{table}Options", BlockSize=2)
        for kind in FEW
        for name, table, *shapes in (
            ("DEPTH_TO_SPACE", "DepthToSpace", (1, 2, 3, 12), [], [(1, 4, 6, 3)]),
            ("SPACE_TO_DEPTH", "SpaceToDepth", (1, 4, 6, 3), [], [(1, 2, 3, 12)]),
        )
    },
    **{
        f"nearest-{kind}-{n}": of(
            "RESIZE_NEAREST_NEIGHBOR", kind, IMAGE, [size], [(1, *size, 3)], table=NEAREST,
            version=3, **options,
        )
        for kind in FEW
        for n, (size, options) in enumerate(
            (
                ([10, 15], {}), ([7, 3], {"HalfPixelCenters": True}),
                ([11, 8], {"AlignCorners": True}),
            )
        )
    },
    **{
        f"REDUCE_MAX-{kind}-{n}": of(
            "REDUCE_MAX", kind, IMAGE, [axes], [shape], table="ReducerOptions", version=2
        )
        for kind in KINDS
        for n, (axes, shape) in enumerate((([1, 2], (1, 3)), ([1, 3], (1, 5))))
    },
    **{
        f"{name}-f32-{n}": of(name, "f32", IMAGE, [axes], [shape], table="ReducerOptions")
        for name in ("SUM", "MEAN")
        for n, (axes, shape) in enumerate((([1, 2], (1, 3)), ([1, 3], (1, 5))))
    },
    **{
        f"ARG_MAX-{kind}-{to}": largest_at(kind, to, axis, shape)
        for kind in FEW
        for to, axis, shape in (("i32", -1, (1, 5, 5)), ("i64", 1, (1, 5, 3)))
    },
    **{
        f"prelu-{kind}-{n}": prelu(kind, alpha)
        for kind in ("i8", "u8", "f32")
        for n, alpha in enumerate(((1, 1, 3), (4, 1, 3)))
    },
    "DIV-f32": model(
        "DIV", 1, (activation("f32", (1, 4, 5, 3)), activation("f32", (1, 1, 5, 3))),
        activation("f32", (1, 4, 5, 3)), "DivOptions", {"FusedActivationFunction": 1},
    ),
    **{f"{name}-f32": unary(name, "f32") for name in FLOATS},
    **{
        f"{name}-{kind}": unary(name, kind, version=2 if kind == "i8" else 1)
        for name in ("ABS", "EXP")
        for kind in ("i8", "f32")
    },
}  # fmt: skip
"""Files of one operator, by its name."""
