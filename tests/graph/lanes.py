"""Models of one dense layer or convolution, by how vectors compute them: of two images or of
rows that fill lanes."""

from __future__ import annotations

from .building import Given, Part, model, written
from .odd import BIASES, WEIGHTS, activation, bias, dense, weights


def of_two_images(
    x: tuple[int, ...],
    w: tuple[int, ...],
    y: tuple[int, ...],
    kind: str = "i8",
    **options: int,
) -> bytes:
    """CONV_2D of two images [h, w, c]; weights without a sign have a zero point of 0."""
    seen, outputs = (
        activation(kind, (2, *x), 0.003 if kind == "i16" else 0.05),
        (2, *y, w[0]),
    )
    of = weights(w, 0, WEIGHTS.get(kind, "i8"), 0)
    given = (seen, of, bias(w[0], BIASES.get(kind, "i32"), of.scales, seen))
    told = activation(kind, outputs, 2 if w[1] > 1 else 0.02)
    version = {"i8": 3, "u8": 2, "i16": 4}[kind]
    return model("CONV_2D", version, given, told, "Conv2DOptions", options)


def two_sums() -> bytes:
    """Two dense layers of 16 bits: 30 bits do not hold all sums of the first."""
    shapes = ((1, 600), (1, 8), (1, 5))
    made = [activation("i16", shape, 0.01) for shape in shapes]
    for n_in, n_out, x in ((600, 8, made[0]), (8, 5, made[1])):
        one = weights((n_out, n_in), 0)
        w = Given(one.shape, one.type, one.scales[:1], data=one.data)
        made += [w, bias(n_out, "i64", w.scales, x)]
    options = "FullyConnectedOptions"
    parts = (
        Part("FULLY_CONNECTED", (0, 3, 4), (1,), 4, options),
        Part("FULLY_CONNECTED", (1, 5, 6), (2,), 4, options),
    )
    return written(made, parts, (0,), (2,))


LANES = {
    "dense-u8-wide": dense("u8", zero=255, shape=(3, 34, 150)),
    "dense-i16-wide": dense("i16", shape=(3, 34, 150)),
    "dense-i16-narrow-wide": dense("i16", bias_type="i32", shape=(3, 34, 150)),
    # Of one place, larger than the images; rows that do not fit planes together, for which strips
    # have no room; and an odd number of channels, in strips that end within a row.
    "conv-i8-two": of_two_images((3, 1, 2), (33, 1, 1, 2), (1, 1), Padding=1, StrideH=3, StrideW=2),
    "conv-i8-planes": of_two_images((12, 24, 34), (2, 3, 2, 34), (6, 24), Padding=0, StrideH=2, StrideW=1),
    "conv-u8-planes": of_two_images((12, 24, 34), (2, 3, 2, 34), (6, 24), "u8", Padding=0, StrideH=2, StrideW=1),
    "conv-i16-planes": of_two_images((12, 24, 34), (2, 3, 2, 34), (6, 24), "i16", Padding=0, StrideH=2, StrideW=1),
    "conv-i8-strips": of_two_images((17, 27, 5), (7, 1, 1, 5), (9, 9), Padding=1, StrideH=2, StrideW=3),
}  # fmt: skip
"""By what is odd in them."""
