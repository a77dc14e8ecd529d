"""The C of kernels: which files variants need, and what their templates may name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codegen import cformat
from codegen.errors import BuildError
from codegen.kernels.contracts import KERNELS
from codegen.kernels.imported import IMPORTED
from codegen.kernels.variant import FOLDER, Variant

if TYPE_CHECKING:
    import jinja2

HEADER = "hil_kernels.h"
"""Every kernel's prototype and contract, and HIL_ASSERT."""

OPERATORS_HEADER = "hil_operators.h"
"""What kernels of imported models are given besides numbers."""

VECTOR_HEADER = "hil_vector.h"
"""What every vector kernel needs."""


@dataclass(frozen=True)
class Source:
    """A file to render: `template` (below codegen/templates) with `context`."""

    file: str
    template: str
    context: dict[str, Any]


_TWINS = {
    "math": ("math__scalar",),
    "random": ("random__scalar",),
    "sum": ("sum__scalar",),
    "perturbation": ("random__scalar", "math__scalar"),
    "signs": ("random__rvv_m1",),
    "window": ("window__scalar",),
    "window_levels": ("fixed__scalar",),
    "fixed": ("fixed__scalar",),
    "fixed_update": ("fixed__rvv",),
    "rescaled": ("rescaled__scalar",),
    "eights": ("rescaled__scalar",),
    "pixels": ("rescaled__scalar", "fixed__scalar"),
    "shifted_eights": ("eights__scalar", "moved__scalar"),
    "shifted_pixels": ("pixels__scalar", "moved__scalar"),
    "rescaled16": ("rescaled__scalar",),
    "sums16": ("rescaled16__scalar",),
    "eights16": ("sums16__scalar",),
    "pixels16": ("sums16__scalar", "fixed__scalar"),
    "planes16": ("planes16__scalar",),
    "window_rows16": ("window_rows__rvv",),
    "requantised16": ("requantised__rvv_m{}",),
    "tables16": ("rescaled16__scalar",),
    "places": ("places__scalar",),
    "taps": ("places__scalar",),
    "planes": ("planes__scalar",),
    "bounded": ("bounded__scalar",),
    "quantised": ("asymmetric__scalar", "bounded__scalar"),
    "gemmlowp": ("gemmlowp__scalar",),
    "self_test": ("math__scalar",),
    "normal": ("perturbation__scalar", "math__rvv_m{}", "random__rvv_m{}"),
}
"""Headers of inline functions that each header of such a stem includes, {}
standing for its LMUL; a scalar one does not include itself."""


def _in_order(variants: Iterable[Variant]) -> list[Variant]:
    """Each once, in an order of their own."""
    return sorted(set(variants), key=lambda row: row.symbol)


def header_prototypes(variants: Iterable[Variant]) -> str:
    """The body of hil_kernels.h: each kernel's contract, then the prototypes."""
    rows = _in_order(variants)
    blocks = []
    for kernel in KERNELS.values():
        declared = [row.prototype for row in rows if row.kernel == kernel]
        if declared:
            blocks.append("\n".join([cformat.c_comment(kernel.contract), *declared]))
    return "\n\n".join(blocks)


def _context(template: str, what: str, lmul: int | None) -> dict[str, Any]:
    """What every template of this folder may name.

    `require(condition, sentence)` is how a template refuses what it cannot
    generate: it raises `BuildError`, or gives nothing.
    """

    def require(condition: bool, sentence: str) -> str:
        if not condition:
            raise BuildError(f"{what} cannot be generated: {sentence}")
        return ""

    return {
        "template": f"codegen/templates/{template}",
        "require": require,
        "lmul": lmul,
        "groups": 1,
    }


def _inlines(name: str) -> tuple[Source, ...]:
    """A header of inline functions, such as "math__rvv_m4", and those that it
    includes: a vector header's scalar twin, where it has one."""
    file = f"hil_{name}.h"
    shape, _, lmul = name.partition("_m")
    template = f"{FOLDER}/hil_{shape}.h.j2"
    made = Source(file, template, _context(template, file, int(lmul) if lmul else None))
    included = (other.format(lmul) for other in _TWINS.get(shape.split("__")[0], ()))
    more = (found for other in included if other != name for found in _inlines(other))
    return (made, *more)


def source(row: Variant) -> Source:
    """What makes the C file of one variant."""
    context = _context(row.template, row.symbol, row.lmul)
    context |= {
        "variant": row,
        "kernel": row.kernel,
        "symbol": row.symbol,
        "groups": row.groups,
        "c_type": row.kernel.formats[0].c_type,
    }
    return Source(row.file, row.template, context)


def sources(
    variants: Iterable[Variant], inlines: Iterable[str] = ()
) -> tuple[Source, ...]:
    """Everything that these variants need: a C file each, the headers of inline
    functions (a vector one includes its scalar twin), and the common headers;
    `inlines` names more of the second."""
    rows = _in_order(variants)
    template = f"{FOLDER}/{HEADER}.j2"
    header = _context(template, HEADER, None)
    header["prototypes"] = header_prototypes(rows)
    header["operators"] = any(row.kernel in IMPORTED for row in rows)
    found = {HEADER: Source(HEADER, template, header)}
    if header["operators"]:
        template = f"{FOLDER}/{OPERATORS_HEADER}.j2"
        context = _context(template, OPERATORS_HEADER, None)
        found[OPERATORS_HEADER] = Source(OPERATORS_HEADER, template, context)
    if any(row.arch == "rvv" for row in rows):
        template = f"{FOLDER}/{VECTOR_HEADER}.j2"
        context = _context(template, VECTOR_HEADER, None)
        found[VECTOR_HEADER] = Source(VECTOR_HEADER, template, context)
    found |= {row.file: source(row) for row in rows}
    for name in (*(name for row in rows for name in row.inlines), *inlines):
        found |= {made.file: made for made in _inlines(name)}
    return tuple(found[name] for name in sorted(found))


def render(
    environment: jinja2.Environment,
    variants: Iterable[Variant],
    inlines: Iterable[str] = (),
) -> dict[str, str]:
    """The C files and headers of these variants, and the headers of these
    `inlines`: file name -> text.

    `environment` is `codegen.rendering.render.environment()`: the templates see its
    `constants`, `streams` and `findings`. Raises `BuildError` when a template refuses.
    """
    return {
        made.file: environment.get_template(made.template).render(made.context)
        for made in sources(variants, inlines)
    }
