"""The generated library under flags of other people's builds: each gives the same
bits, is refused when it is compiled, or is told of by net_init. None is silently
wrong."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import targets
from codegen.building import toolchain
from codegen.planning.plan import plan
from codegen.reference.learner import Learner
from codegen.rendering.render import render_network
from codegen.rendering.self_test import FINDINGS
from codegen.spec import Inputs, Network, RuleChoice, Spec

HERE = Path(__file__).parent
SPEC = Spec(Network((17, 33, 5)), RuleChoice("bp"), Inputs("u8", 253), seed=7)
"""Wide enough for partial sums, and a scale that is no power of two."""
ETA = 0.03
COMPILERS = ("gcc", "clang")
FUSED = ("-mfma",)
"""With fused multiply-adds of the processor, without which nothing is contracted."""
README = ("-std=c11", "-O2", "-ffp-contract=off")

SAME = {
    "as README has it": (),
    "-O0": ("-O0",),
    "-O1": ("-O1",),
    "-O3": ("-O3",),
    "-Os": ("-Os",),
    "-flto": ("-flto",),
    "-fno-strict-aliasing": ("-fno-strict-aliasing",),
    "-frounding-math": ("-frounding-math",),
    "-fno-trapping-math": ("-fno-trapping-math",),
    "-fno-math-errno": ("-fno-math-errno",),
}
"""Flags that change no arithmetic, and so no bits."""

DANGEROUS = {
    "-std=gnu11": ("-std=gnu11",),
    "-ffast-math": ("-ffast-math",),
    "-Ofast": ("-Ofast",),
    "-funsafe-math-optimizations": ("-funsafe-math-optimizations",),
    "-fassociative-math": (
        "-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math",
    ),
    "-freciprocal-math": ("-freciprocal-math",),
    "-ffinite-math-only": ("-ffinite-math-only",),
    "-fno-honor-nans": ("-fno-honor-nans",),
    "-fno-honor-infinities": ("-fno-honor-infinities",),
    "-fno-signed-zeros": ("-fno-signed-zeros",),
    "-fapprox-func": ("-fapprox-func",),
    "-mrecip": ("-mrecip",),
    "-ffp-contract=fast": ("-ffp-contract=fast",),
    "-ffp-contract=on": ("-ffp-contract=on",),
}  # fmt: skip
"""Flags that may change it."""

MACROS = (
    "-Wno-builtin-macro-redefined", "-U__FAST_MATH__", "-U__ASSOCIATIVE_MATH__",
    "-U__RECIPROCAL_MATH__", "-U__NO_SIGNED_ZEROS__", "-U__FINITE_MATH_ONLY__",
    "-D__FINITE_MATH_ONLY__=0",
)  # fmt: skip
"""A compiler that tells nothing of its flags, as clang and older gcc."""

FOUND = {
    "-funsafe-math-optimizations": "ORDER",
    "-fassociative-math": "ORDER",
    "-freciprocal-math": "DIVISION",
    "-ffinite-math-only": "SPECIALS",
    "-fno-honor-nans": "SPECIALS",
    "-fno-honor-infinities": "SPECIALS",
    "-fno-signed-zeros": "SPECIALS",
    "-ffp-contract=fast": "CONTRACTION",
}
"""Flags -> what the self test alone finds in the code they make."""


@dataclass(frozen=True)
class Library:
    """A generated library and, by compiler, the object of a program that uses it."""

    folder: Path
    programs: dict[str, tuple[str, Path]]

    def built(self, compiler: str, *flags: str, more: str = "") -> Path | str:
        """The program with the library as these flags make it, or what the
        compiler says against it. They are no flags of the linker's: that would
        change the process, too. `more`: a source that is linked before libm."""
        cc, main = self.programs[compiler]
        made, program = self.folder / f"{compiler}-net.o", self.folder / compiler
        command = [
            cc,
            *README,
            *flags,
            "-c",
            str(self.folder / "net.c"),
            "-o",
            str(made),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            return done.stderr
        whole = ["-flto"] if "-flto" in flags else []
        objects = [str(main), str(made), more, "-o", str(program), "-lm"]
        objects = [word for word in objects if word]
        subprocess.run([cc, *whole, *objects], check=True, timeout=60)
        return program


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, second_compiler: None) -> Library:
    folder, host = tmp_path_factory.mktemp("library"), targets.load("host")
    for name, text in render_network(plan(SPEC, host)).items():
        (folder / name).write_text(text)
    programs = {}
    for compiler in COMPILERS:
        cc, main = toolchain.find(host, compiler).compile[0], folder / f"{compiler}.o"
        source = str(HERE / "learn_from_stdin.c")
        subprocess.run(
            [cc, *README, f"-I{folder}", "-c", source, "-o", str(main)], check=True
        )
        programs[compiler] = cc, main
    return Library(folder, programs)


@pytest.fixture(scope="module")
def lesson() -> tuple[bytes, list[str]]:
    """Samples for the program, and what it is to print."""
    generator, learner = np.random.default_rng(3), Learner(SPEC)
    samples = generator.integers(0, 256, (40, 17), dtype=np.uint8)
    line, expected = b"", []
    for x in samples:
        y = int(x[0]) % 5
        line += bytes([y]) + x.tobytes()
        loss = learner.step(x, y, np.float32(ETA)).loss
        expected.append(f"{loss.view(np.uint32):08x} {learner.digest():08x}")
    return line, expected


def printed(program: Path, line: bytes, preload: Path | None = None) -> list[str]:
    """What the program says, with a shared object that comes before it."""
    env = {**os.environ, **({"LD_PRELOAD": str(preload)} if preload else {})}
    done = subprocess.run(
        [program], input=line, env=env, capture_output=True, timeout=60
    )
    return done.stdout.decode().splitlines()


def require_told(lines: list[str], name: str | None = None) -> None:
    """net_init has told a finding, of that name, and for who disregards it every
    step is refused."""
    status, refused = lines
    codes = [one.code for one in FINDINGS if name in (None, one.name)]
    assert int(status.removeprefix("net_init ")) in codes
    assert refused.startswith("tensor ")


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("flags", [*SAME, "no -mfma"])
def test_flags_that_change_no_arithmetic_are_welcome(
    library: Library, lesson: tuple[bytes, list[str]], compiler: str, flags: str
) -> None:
    given = (*FUSED, *SAME[flags]) if flags in SAME else ()
    made = library.built(compiler, *given)
    assert isinstance(made, Path), made
    assert printed(made, lesson[0]) == lesson[1]


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("flags", DANGEROUS)
def test_no_flags_are_silently_wrong(
    library: Library, lesson: tuple[bytes, list[str]], compiler: str, flags: str
) -> None:
    """The same bits, or a complaint that names the flag, or net_init tells."""
    made = library.built(compiler, *FUSED, *DANGEROUS[flags])
    if isinstance(made, str):
        assert re.search("#error|unrecognized command-line option", made), made
        assert flags.removeprefix("-f") in made
    elif (lines := printed(made, lesson[0])) != lesson[1]:
        require_told(lines)


@pytest.mark.parametrize(
    "flags, compiler",
    [
        (flags, compiler)
        for flags in FOUND
        for compiler in COMPILERS
        if not (compiler == "gcc" and "honor" in flags)  # which has no such flag
    ],
)
def test_the_self_test_finds_what_no_macro_tells(
    library: Library, lesson: tuple[bytes, list[str]], compiler: str, flags: str
) -> None:
    made = library.built(compiler, *FUSED, *DANGEROUS[flags], *MACROS)
    assert isinstance(made, Path), made
    require_told(printed(made, lesson[0]), FOUND[flags])


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the x87 is a part of x86")
@pytest.mark.parametrize("more", [(), FUSED])
def test_32_bit_x86_computes_with_sse_or_is_refused(
    library: Library, lesson: tuple[bytes, list[str]], tmp_path: Path, more: tuple[str]
) -> None:
    cc, program = library.programs["gcc"][0], tmp_path / "program"
    sources = [str(library.folder / "net.c"), str(HERE / "learn_from_stdin.c")]

    def refusal(*flags: str) -> str:
        given = (*README, "-m32", *flags, f"-I{library.folder}")
        command = [cc, *given, *sources, "-lm", "-o", str(program)]
        return subprocess.run(command, capture_output=True, text=True).stderr

    assert "FLT_EVAL_METHOD" in refusal("-ffreestanding", *more)
    if refusal("-msse2", "-mfpmath=sse", *more):
        pytest.skip("no C library for -m32 here: apt-get install gcc-multilib")
    assert printed(program, lesson[0]) == lesson[1]


@pytest.mark.parametrize("sum", ["x * y + z", "(float)((double)x * y + z)"])
def test_a_libm_without_a_true_fmaf_is_told_of(
    library: Library, lesson: tuple[bytes, list[str]], tmp_path: Path, sum: str
) -> None:
    """As some small machines have it: rounded after the product, or to double first."""
    source = tmp_path / "fmaf.c"
    source.write_text(
        f"float fmaf(float x, float y, float z)\n{{\n    return {sum};\n}}\n"
    )
    made = library.built("gcc", "-fno-builtin-fmaf", more=str(source))
    assert isinstance(made, Path), made
    require_told(printed(made, lesson[0]), "FMA")


@pytest.mark.parametrize(
    "process, name",
    [
        ("upward", "ROUNDING"), ("downward", "ROUNDING"), ("to zero", "ROUNDING"),
        ("results", "SUBNORMALS"), ("operands", "SUBNORMALS"),
    ],
)  # fmt: skip
def test_a_process_with_other_arithmetic_is_told_of(
    library: Library,
    lesson: tuple[bytes, list[str]],
    disturbed: Callable[[str], Path],
    process: str,
    name: str,
) -> None:
    """Another rounding, or subnormal results or operands that become zero, as a
    library brings it that was linked with -ffast-math."""
    made = library.built("gcc")
    assert isinstance(made, Path), made
    require_told(printed(made, lesson[0], disturbed(process)), name)


@pytest.mark.parametrize(
    "method, fit", [(0, True), (16, True), (1, False), (2, False), (-1, False)]
)
def test_float_is_computed_as_float_or_refused(
    library: Library, tmp_path: Path, method: int, fit: bool
) -> None:
    """16 says that _Float16 is computed as float, which leaves float alone."""
    said = tmp_path / "said.h"
    said.write_text(
        f"#include <float.h>\n#undef FLT_EVAL_METHOD\n#define FLT_EVAL_METHOD {method}\n"
    )
    cc, source = library.programs["gcc"][0], str(library.folder / "net.c")
    command = [cc, *README, "-fsyntax-only", "-include", str(said), source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode == 0) == fit
    if not fit:
        assert "FLT_EVAL_METHOD" in done.stderr and "-mfpmath=sse" in done.stderr
