"""The kernel table, its names, and what is rendered from it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from codegen import cformat, kernels
from codegen.errors import BuildError
from codegen.formats import F32, FORMATS, I16, U8, Format, pointer
from codegen.kernels.imported import IMPORTED
from codegen.rendering.render import environment

SYMBOL = re.compile(
    r"hil_(u8|i8|i16|i32|f32|u16|u32|bits)_[a-z0-9_]+__(scalar|rvv(_[a-z]+)?_m[1248](x[2-8])?)"
)


@pytest.mark.parametrize("row", kernels.TABLE, ids=lambda row: row.symbol)
def test_names_follow_the_grammar(row: kernels.Variant) -> None:
    assert SYMBOL.fullmatch(row.symbol)
    assert row.symbol.count("__") == 1
    assert row.kernel.datatype in FORMATS


def test_every_symbol_is_there_once() -> None:
    symbols = [row.symbol for row in kernels.TABLE]
    assert len(set(symbols)) == len(symbols)


SCALAR = {
    "f32_block_max",
    "f32_controlled",
    "f32_target",
    "i8_target",
    "u32_words",
}
SCALAR |= {f"f32_class_{name}" for name in ("mean", "scatter", "discriminant")}
SCALAR |= {f"i32_{name}" for name in ("heard", "vote", "most_current")}
SCALAR |= {f"u16_events_to_{name}" for name in ("f32", "i8", "u8", "bits")}
VECTORS = {"i8_dense_runs", "i16_narrow_conv_2d_columns"} | {
    f"{first}_{name}"
    for first in ("i8", "i8_shifted", "i16")
    for name in (
        "conv_2d_columns",
        "conv_2d_planes",
        "conv_2d_strips",
        "depthwise_columns",
    )
}
"""Of weights that lie as vectors like them."""
SCALAR |= {kernel.name for kernel in IMPORTED} - VECTORS
SCALAR -= {"i8_average_pool_2d", "i8_sum", "i8_turned"}
SCALAR -= {
    f"f32_{name}"
    for name in (
        "conv_2d_columns",
        "depthwise_conv_2d",
        "average_pool_2d",
        "max_pool_2d",
        "sum",
        "product",
        "bounded",
        "hybrid_columns",
        "hybrid_columns_freely",
        "hybrid_channel_columns",
    )
}
"""A pass over a row of deltas, a formula, a few zeros, a column: vectors would gain
nothing, or little beside the forward pass over all columns. Those of covariances, of
what a few cells have heard, and most of imported models are plain C so far."""


@pytest.mark.parametrize("name", kernels.KERNELS)
@pytest.mark.parametrize("vector", [False, True])
def test_every_kernel_has_a_default_for_every_machine(name: str, vector: bool) -> None:
    if name in VECTORS and not vector:
        with pytest.raises(BuildError, match=f"no scalar kernel '{name}'"):
            kernels.variant(name, vector)
        return
    row = kernels.variant(name, vector)
    arch = "rvv" if vector and name not in SCALAR else "scalar"
    assert (row.kernel.name, row.arch) == (name, arch)


def test_an_unknown_kernel_is_named() -> None:
    with pytest.raises(BuildError, match="'f32_tang'"):
        kernels.variant("f32_tang", vector=True)


def test_a_kernel_is_found_by_its_operation_and_formats() -> None:
    found = {kernels.find(k.operation, *k.formats) for k in kernels.KERNELS.values()}
    assert found == set(kernels.KERNELS.values())
    assert kernels.find("dense_forward", F32).name == "f32_dense_forward"
    assert kernels.find("convert", I16, F32).name == "i16_to_f32"


def test_operands_say_which_kernel_is_meant() -> None:
    asked = kernels.for_operands
    assert asked("nonzero", {"v": U8, "w": F32, "x": F32}).name == "u8_nonzero"
    assert asked("nonzero", {"v": F32, "w": F32, "x": F32}).name == "f32_nonzero"
    assert asked("convert", {"v": F32, "x": F32}).name == "f32_scale"
    rows = {"rows": pointer(64), "x": F32, "a": F32}
    assert asked("listed_forward", rows).name == "f32_listed_forward"
    assert asked("controlled", {}).name == "f32_controlled"


@pytest.mark.parametrize(
    ("operation", "given", "says"),
    [
        ("dense_forwrd", {}, "no kernel for 'dense_forwrd': expected one of convert, "),
        ("dense_forward", {"w": U8}, "'dense_forward' of u8: expected f32, i16, i8$"),
        ("convert", {"v": U8, "x": U8}, "of u8 to u8: expected u8 to f32, i16 to f32, "),
        ("nonzero", {}, "of an unknown format: expected u8, i16, f32$"),
        ("dot", {"x": F32, "y": I16}, "given y of i16: expected elements of C type float$"),
        ("gate_rows", {"rows": F32, "x": F32}, "rows of f32: .* C type float \\*$"),
    ],
)  # fmt: skip
def test_operands_that_no_kernel_takes_are_named(
    operation: str, given: dict[str, Format], says: str
) -> None:
    with pytest.raises(BuildError, match=says):
        kernels.for_operands(operation, given)


@pytest.mark.parametrize(
    ("declared", "name", "element", "const"),
    [
        ("size_t n", "n", "", False),
        ("float *w", "w", "float", False),
        ("const uint8_t *v", "v", "uint8_t", True),
        ("float **rows", "rows", "float *", False),
        ("float *const *rows", "rows", "float *", True),
    ],
)
def test_a_parameter_says_what_it_points_at(
    declared: str, name: str, element: str, const: bool
) -> None:
    argument = kernels.Argument.parsed(declared)
    assert argument == kernels.Argument(name, element, const)


@pytest.mark.parametrize(("arch", "lmul"), [("rvv", 3), ("rvv", None), ("scalar", 4)])
def test_a_variant_has_a_possible_grouping(arch: str, lmul: int | None) -> None:
    with pytest.raises(BuildError, match="LMUL"):
        kernels.Variant(kernels.KERNELS["f32_tanh"], arch, "activation", lmul)


@pytest.mark.parametrize(
    ("name", "lmul"),
    [
        ("f32_nonzero", 8),
        ("f32_dense_backward", 2),
        ("f32_uniform", 8),
        ("u32_digest", 8),
    ],
)
def test_a_template_refuses_what_it_cannot_generate(name: str, lmul: int) -> None:
    row = replace(kernels.variant(name, vector=True), lmul=lmul)
    with pytest.raises(BuildError, match=f"rvv_m{lmul} cannot be generated: "):
        kernels.render(environment(), [row])


def test_a_file_holds_one_kernel_and_says_where_it_is_from(rendered: Path) -> None:
    for row in kernels.TABLE:
        text = (rendered / row.file).read_text()
        first = text.splitlines()[0]
        assert first.startswith("/* Generated by hil from codegen/templates/kernels/")
        assert row.template in first
        assert text.count(f"\nHIL_KERNEL\n{row.kernel.returns} hil_") == 1
        assert f" {row.symbol}(" in text


def test_generated_text_is_tidy(rendered: Path) -> None:
    for path in rendered.iterdir():
        text = path.read_text()
        assert text.endswith("}\n") or text.endswith("#endif\n"), path.name
        assert "\t" not in text and "\n\n\n" not in text, path.name
        for line in text.splitlines():
            assert line == line.rstrip() and len(line) <= 100, f"{path.name}: {line}"


def test_a_macro_means_one_thing_in_all_files(rendered: Path) -> None:
    """A program includes the files of all its kernels, one after another."""
    found: dict[str, set[str]] = {}
    for path in sorted(rendered.iterdir()):
        told = re.findall(r"^#define (\w+)(.*)", path.read_text(), re.M)
        for name, _ in told:
            meanings = "".join(meaning for other, meaning in told if other == name)
            found.setdefault(name, set()).add(meanings)
    assert [name for name, meanings in found.items() if len(meanings) > 1] == []


def test_only_what_is_needed_is_rendered() -> None:
    rows = [kernels.variant("f32_tanh", vector=True)]
    assert list(kernels.render(environment(), rows)) == [
        "hil_f32_tanh__rvv_m8.c",
        "hil_kernels.h",
        "hil_math__rvv_m8.h",
        "hil_math__scalar.h",
        "hil_vector.h",
    ]


def test_the_order_of_asking_does_not_matter() -> None:
    rows = [kernels.variant(name, name in VECTORS) for name in kernels.KERNELS]
    env = environment()
    assert kernels.render(env, rows) == kernels.render(env, rows[::-1] + rows)


def test_each_contract_stands_once_in_the_header(rendered: Path) -> None:
    header = (rendered / kernels.HEADER).read_text()
    for kernel in kernels.KERNELS.values():
        wanted = sum(
            other.summary == kernel.summary for other in kernels.KERNELS.values()
        )
        assert header.count(kernel.summary) == wanted
    for row in kernels.TABLE:
        assert header.count(f" {row.symbol}(") == 1


def test_fast_math_is_refused_with_the_flag_that_takes_it_back(
    rendered: Path, host_cc: str
) -> None:
    source = rendered / kernels.variant("f32_tanh", vector=False).file
    command = [host_cc, "-ffast-math", "-fsyntax-only", str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    cures = re.findall(r'#error ".* add (-\S+)"', done.stderr)
    subprocess.run([*command, *cures], check=True)


@pytest.mark.parametrize(
    ("value", "literal"),
    [(0.0, "0x0p+0f"), (-0.0, "-0x0p+0f"), (1.5, "0x1.8p+0f"), (-87.0, "-0x1.5cp+6f"),
     (2.0**-149, "0x1p-149f")],
)  # fmt: skip
def test_floats_are_written_exactly(value: float, literal: str) -> None:
    assert cformat.c_float(value) == literal
    assert float.fromhex(literal[:-1]) == value


@pytest.mark.parametrize("value", [0.1, 1e39, float("inf"), float("nan")])
def test_what_is_no_binary32_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match=r"binary32|finite"):
        cformat.c_float(value)


def test_words_and_comments() -> None:
    assert cformat.c_u32(99) == "0x00000063U"
    assert cformat.c_comment("one\ntwo") == "/* one\n * two */"
    with pytest.raises(ValueError, match="fit"):
        cformat.c_u32(2**32)
    with pytest.raises(ValueError, match="comment"):
        cformat.c_comment("a */ b")
