"""How far an output must begin before an input that it is written over.

Kernels read an image row by row, or pixel by pixel, and write in the same order. So an
output may lie where its input lies, as long as no number is written to before all windows
that see it are computed. What is told here is a lead: the output begins at least so many
bytes before the input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from codegen import kernels
from codegen.graph.checks import dims
from codegen.graph.description import Operator
from codegen.kernels.cost import Shape
from codegen.lowering import floating, pixels, sixteen
from codegen.lowering.planes import Planes
from codegen.lowering.strips import SHORTEST, Strips
from codegen.lowering.windows import Windows, geometry, rows

PAIR = 2
"""Pixels that a scalar kernel computes together: it writes one when it has read both."""


def of_convolution(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Of CONV_2D: the lead by the number of the input."""
    _, high, wide, _ = dims(operator, 1)
    at = geometry(operator, (high, wide))
    if floating.floats(operator):
        return {}
    vlen = _lanes(operator, vlen)
    found = pixels.of_operator(operator, at, vlen) if vlen else None
    if isinstance(found, Strips):
        return _before(operator, of_strips(found))
    return _before(operator, of_planes(found) if found else lead(at.pixels, vlen))


def of_dense(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Of FULLY_CONNECTED, whose rows are pixels."""
    n_out, n_in = dims(operator, 1)
    count = operator.outputs[0].elements // n_out
    at = rows(count, n_in, n_out)
    if floating.floats(operator):
        return {}
    return _before(operator, lead(at, _lanes(operator, vlen)))


def of_depthwise(operator: Operator, vlen: int) -> Mapping[int, int]:
    """Of DEPTHWISE_CONV_2D, whose kernels have copied the rows that windows of a row see."""
    _, high, wide, _ = dims(operator, 1)
    at = geometry(operator, (high, wide))
    if floating.floats(operator):
        return {}
    vlen = _lanes(operator, vlen)
    whole = vlen > 0 or at.apart_h == 1
    return _before(operator, _copied(at, 2 if vlen else 1, whole))


def of_numbers(operator: Operator) -> Mapping[int, int]:
    """Of operators that compute number by number: an input as large as the output."""
    y = operator.outputs[0]
    whole = (one for one in operator.inputs if one and one.elements == y.elements)
    return {one.index: 0 for one in whole if one.data is None and one.type == y.type}


def lead(at: Windows, vlen: int) -> int:
    """Of kernels that read where the image lies."""
    return max(written - read for written, read in _steps(at, _together(at, vlen)))


def _together(at: Windows, vlen: int) -> int:
    """Pixels that a kernel reads before it writes the first of them, at most."""
    if not vlen:
        return PAIR
    shape = Shape(at.y_w, at.y_c)
    return kernels.best("i8_conv_2d_columns", (vlen,), shape).groups


def _steps(at: Windows, together: int) -> Iterator[tuple[int, int]]:
    """For each group of pixels that is computed together: the bytes that are written
    once it is done, and the bytes of the images that nobody reads any more when it
    begins. Two pixels of a group may be of two images."""
    row, line = at.y_w * at.y_c, at.x_w * at.x_c
    last = at.images * at.y_h * row
    for image in {0, max(0, at.images - 2), at.images - 1}:
        y, x = image * at.y_h * row, image * at.x_h * line
        for t in range(at.y_h):
            if at.inside:
                for column in {0, max(0, at.y_w - together), at.y_w - 1}:
                    end = y + t * row + (column + together) * at.y_c
                    seen = t * at.stride_h * line + column * at.stride_w * at.x_c
                    yield min(end, last), x + seen
            else:
                yield y + (t + 1) * row, x + max(0, t * at.stride_h - at.top) * line


def of_planes(found: Planes) -> int:
    """The same of a kernel that copies what some rows of windows see, and then writes these
    rows: the next ones begin with rows that nobody has copied for them. A larger output
    begins no later than lets both end at one place: that takes no more bytes, and leaves
    those before the input to others."""
    at = found.at
    row, line = at.y_w * at.y_c, at.x_w * at.x_c
    leads = [0, at.images * (at.y_h * row - at.x_h * line)]
    for image in {0, max(0, at.images - 2), at.images - 1}:
        y, x = image * at.y_h * row, image * at.x_h * line
        for t in range(found.rows, at.y_h, found.rows):
            leads.append(y + t * row - x - max(0, t * at.stride_h - at.top) * line)
        if image < at.images - 1:
            leads.append(y + at.y_h * row - x - at.x_h * line)
    return max(leads)


def of_strips(found: Strips) -> int:
    """The same of a kernel that copies what a strip of pixels sees, and then writes these
    pixels: the next strip begins within a row, all of which its windows see."""
    at = found.at
    row, line = at.y_w * at.y_c, at.x_w * at.x_c
    leads = [0, at.images * (at.y_h * row - at.x_h * line)]
    for image in {0, max(0, at.images - 2), at.images - 1}:
        y, x = image * at.y_h * row, image * at.x_h * line
        for done in range(SHORTEST, at.y_h * at.y_w, SHORTEST):
            t, column = divmod(done, at.y_w)
            seen = max(0, t * at.stride_h - at.top) * line
            if at.inside:
                seen += column * at.stride_w * at.x_c
            leads.append(y + done * at.y_c - x - seen)
        if image < at.images - 1:
            leads.append(y + at.y_h * row - x - at.x_h * line)
    return max(leads)


def _copied(at: Windows, together: int, whole: bool) -> int:
    """The lead of a kernel that has copied what `together` rows of windows see before it
    writes them. The next ones see that again, where it is kept as a `whole`; else they
    begin with rows that nobody has copied for them."""
    row, line = at.y_w * at.y_c, at.x_w * at.x_c
    found = [0]
    for image in {0, max(0, at.images - 2), at.images - 1}:
        y, x = image * at.y_h * row, image * at.x_h * line
        for t in range(0, at.y_h, together):
            last = min(t + together, at.y_h)
            seen = (last - 1) * at.stride_h - at.top + (at.k_h - 1) * at.apart_h + 1
            after = last * at.stride_h - at.top  # what the next rows begin with
            next_row = max(0, min(max(seen, after) if whole else after, at.x_h))
            if next_row < at.x_h or image < at.images - 1:
                found.append(y + last * row - x - next_row * line)
    return max(found)


def _lanes(operator: Operator, vlen: int) -> int:
    """Bits of registers, or 0 where vectors do not compute it."""
    return vlen if vlen and sixteen.in_lanes(operator) else 0


def _before(operator: Operator, lead: int) -> Mapping[int, int]:
    """In bytes, of a lead in numbers."""
    x = operator.inputs[0]
    assert x is not None
    return {x.index: sixteen.size(operator) * max(0, lead)}
