"""hil build --package: a component of somebody's build system, whose example computes
what numpy has computed, or ends with an error."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import targets
from codegen.building.buildplan import BuildPlan
from codegen.planning.plan import plan
from codegen.rendering.package import package
from codegen.rendering.package_kinds import KINDS
from codegen.spec import Gate, Inputs, Network, RuleChoice, Spec
from codegen.window import Window
from hil import Experiment, run
from hil.cli import main
from hil.lesson.example import example, samples
from tests.conftest import require

STRICT = (
    "-std=c11", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
    "-Werror",
)  # fmt: skip
ARITHMETIC = ("-ffp-contract=off", "-fno-strict-aliasing")
FUSING = ["-O2", "-ffp-contract=fast"]
"""Flags of a user that would change the bits, were they not overruled."""
if os.uname().machine == "x86_64":
    FUSING.append("-mfma")


def made(spec: Spec, kind: str, prefix: str = "net") -> BuildPlan:
    """The package of `spec`."""
    shown = example(spec, 0.03, KINDS[kind].coarse)
    return package(plan(spec, targets.load("host")), kind, shown, "1.2.3", prefix)


def written(folder: Path, kind: str, *more: str) -> Path:
    """The package that the command writes, small and of the usual digits."""
    given = ("build", "--package", kind, "--network", "64-10", "--out", str(folder))
    assert main([*given, *more]) == 0
    return folder


def told(folder: Path, *command: str | Path) -> str:
    """What a command prints that succeeds in a folder."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> str:
    """A tool of this environment, or of this computer."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return require(shutil.which(name, path=path), name, "make setup")


def cmake(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Configure and build in folder/build, with ninja."""
    ninja = f"-DCMAKE_MAKE_PROGRAM={tool('ninja')}"
    given = ("-S", ".", "-B", "build", "-G", "Ninja", ninja, *flags)
    told(folder, tool("cmake"), *given)
    return subprocess.run(
        (tool("cmake"), "--build", "build"), cwd=folder, capture_output=True, text=True
    )


def expected(folder: Path) -> str:
    """The digest that a package's README promises."""
    found = re.search(
        r"`([0-9a-f]{8})` is what numpy", (folder / "README.md").read_text()
    )
    assert found is not None
    return found[1]


def test_the_example_of_a_makefile_computes_what_a_device_does(
    tmp_path: Path, host_cc: str
) -> None:
    """The samples of its sensor, learned by our firmware in a run of its own."""
    folder = written(tmp_path / "made", "make")
    said = told(folder, "make", "check", f"CFLAGS={' '.join(FUSING)}")
    data = tmp_path / "samples.npz"
    x, y = zip(*samples(Spec(Network((64, 10))), 200), strict=True)
    np.savez(
        data, x=np.array(x), y=y, x_test=x[:1], y_test=y[:1], scale=16.0,
        task_names=["a stream, in its order"], task_ends=[200], task_tests=[[0, 1]],
    )  # fmt: skip
    record = run(
        Experiment(
            target="host", network="64-10", data=str(data), steps=200, lr_decay=1.0
        ),
        out=tmp_path / "runs",
    )
    assert record.result == "pass"
    digest = record.digest
    assert f"digest  {digest}, equal to numpy's\n" in said
    assert digest == expected(folder)


def test_cmake_builds_the_library_and_its_test_passes(
    tmp_path: Path, host_cc: str
) -> None:
    folder = written(tmp_path, "cmake")
    done = cmake(folder, f"-DCMAKE_C_FLAGS={' '.join(FUSING)}")
    assert done.returncode == 0, done.stdout
    told(folder, tool("ctest"), "--test-dir", "build")
    said = told(folder, folder / "build" / "learn")
    assert f"digest  {expected(folder)}, equal to numpy's\n" in said


def test_what_cmake_installs_is_found_by_another_project(
    tmp_path: Path, host_cc: str
) -> None:
    folder, prefix = written(tmp_path / "made", "cmake"), tmp_path / "prefix"
    done = cmake(folder, f"-DCMAKE_INSTALL_PREFIX={prefix}")
    assert done.returncode == 0, done.stdout
    told(folder, tool("cmake"), "--install", "build")
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(other C)\n"
        "find_package(net REQUIRED)\nadd_executable(other other.c)\n"
        "target_link_libraries(other net::net)\n"
    )
    (tmp_path / "other.c").write_text(
        "#include <net.h>\nstatic net_t one;\n"
        "int main(void)\n{\n    return net_init(&one, 1);\n}\n"
    )
    done = cmake(tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    assert done.returncode == 0, done.stdout
    told(tmp_path, tmp_path / "build" / "other")


def test_two_packages_are_parts_of_one_cmake_project(
    tmp_path: Path, host_cc: str
) -> None:
    """With a program whose own flags would change the bits."""
    for name, layers in (("digits", "64-10"), ("small", "64-5-10")):
        written(tmp_path / name, "cmake", "--prefix", name, "--network", layers)
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(both C)\n"
        "add_subdirectory(digits)\nadd_subdirectory(small)\n"
        "add_executable(both both.c)\n"
        "target_compile_options(both PRIVATE -ffast-math)\n"
        "target_link_libraries(both digits::digits small::small)\n"
    )
    (tmp_path / "both.c").write_text(
        "#include <stdio.h>\n#include <digits.h>\n#include <small.h>\n"
        "static digits_t one;\nstatic small_t two;\n"
        "int main(void)\n{\n    const int bad = digits_init(&one, 1) | small_init(&two, 1);\n"
        '    printf("%08x %08x\\n", digits_digest(&one), small_digest(&two));\n'
        "    return bad;\n}\n"
    )
    done = cmake(tmp_path)
    assert done.returncode == 0, done.stdout
    one, two = told(tmp_path, tmp_path / "build" / "both").split()
    assert one != two


@pytest.mark.parametrize("kind", ["cmake", "make"])
def test_flags_that_change_the_bits_are_refused_by_name(
    tmp_path: Path, host_cc: str, kind: str
) -> None:
    folder = written(tmp_path, kind)
    if kind == "cmake":
        done = cmake(folder, "-DCMAKE_C_FLAGS=-ffast-math")
        assert done.returncode != 0 and "add -fno-fast-math" in done.stdout
    else:
        done = subprocess.run(
            ["make", "CFLAGS=-O2 -ffast-math"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        assert done.returncode != 0 and "add -fno-fast-math" in done.stderr


@pytest.mark.parametrize("changed", ["ETA", "SEED", "EXPECTED"])
def test_an_example_that_computes_anything_else_ends_with_an_error(
    tmp_path: Path, host_cc: str, changed: str
) -> None:
    folder = written(tmp_path, "make")
    source = folder / "examples" / "learn.c"
    source.write_text(re.sub(f"(define {changed}) .*", r"\1 7u", source.read_text()))
    done = subprocess.run(["make", "check"], cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0 and "NOT EQUAL" in done.stdout


STORED = RuleChoice("dfa", {"feedback": "uniform"})
SPECS = {
    "labels": Spec(Network((17, 9, 5)), STORED, Inputs("u8", 255), seed=7),
    "one label": Spec(Network((3, 1)), RuleChoice("bp"), Inputs("u8", 0.5)),
    "many steps": Spec(Network((12, 7, 3)), RuleChoice("bp"), Inputs("i16", 32768)),
    "floats": Spec(Network((12, 7, 3)), RuleChoice("drtp"), Inputs("f32", 3)),
    "vector": Spec(
        Network((10, 8, 2), output="identity"), STORED, Inputs("f32", 1), goal="vector"
    ),
    "sample": Spec(Network((16, 4, 16)), RuleChoice("bp"), Inputs("u8", 16), goal="sample"),
    "window": Spec(
        Network((9, 6, 4)), RuleChoice("dfa"),
        Inputs("i16", 1, Window(16, 3, (0.0,) * 9, (500.0,) * 9)),
    ),
    "rows": Spec(Network((17, 9, 5)), RuleChoice("dfa"), gate=Gate("row", active=0.5)),
}  # fmt: skip
"""What an example must be written for: every format, goal and front, constants."""


@pytest.mark.parametrize("name", SPECS)
def test_the_example_is_written_for_what_the_network_learns(
    tmp_path: Path, host_cc: str, name: str
) -> None:
    files = made(SPECS[name], "make")
    files.write(tmp_path)
    learn = [*STRICT, *ARITHMETIC, "-Iinclude", "examples/learn.c", *files.library]
    told(tmp_path, host_cc, *learn, "-lm", "-o", "learn")
    said = told(tmp_path, tmp_path / "learn")
    assert f"{expected(tmp_path)}, equal to numpy's" in said
    assert ("right" in said) == (SPECS[name].goal == "label")


def test_the_readme_counts_what_the_compiler_finds(
    tmp_path: Path, host_cc: str
) -> None:
    made(SPECS["rows"], "make", "rows").write(tmp_path)
    page = (tmp_path / "README.md").read_text()
    (size,) = re.findall(r"^\| rows_t: one network \| ([\d,]+) ", page, re.M)
    size = size.replace(",", "")
    text = f'#include "rows.h"\n_Static_assert(sizeof(rows_t) == {size}, "counted");\n'
    (tmp_path / "size.c").write_text(text)
    told(tmp_path, host_cc, "-std=c11", "-Iinclude", "-fsyntax-only", "size.c")


@pytest.mark.parametrize("kind", KINDS)
def test_a_package_compiles_for_machines_with_shorter_pointers(
    tmp_path: Path, kind: str
) -> None:
    """A Cortex-M, and a network that keeps lists of pointers in its arena."""
    files = made(SPECS["rows"], kind)
    files.write(tmp_path)
    place = KINDS[kind].header
    clang = (
        sys.executable,
        "-m",
        "ziglang",
        "cc",
        "-target",
        "thumb-freestanding-eabihf",
    )
    for source in files.library:
        told(
            tmp_path, *clang, "-mcpu=cortex_m4", "-std=c11", *ARITHMETIC, f"-I{place}",
            "-c", source, "-o", "object.o",
        )  # fmt: skip


@pytest.mark.full
def test_an_example_computes_the_same_where_pointers_are_shorter(
    tmp_path: Path,
) -> None:
    """On 32-bit Arm, in QEMU's user mode; the pinned compiler builds its C library
    once, which takes a minute."""
    qemu = require(shutil.which("qemu-arm"), "qemu-arm", "make system-packages")
    files = made(SPECS["rows"], "make")
    files.write(tmp_path)
    clang = (sys.executable, "-m", "ziglang", "cc", "-target", "arm-linux-musleabihf")
    told(
        tmp_path, *clang, "-mcpu=cortex_a7", "-static", "-std=c11", *ARITHMETIC,
        "-Iinclude", "examples/learn.c", *files.library, "-lm", "-o", "learn",
    )  # fmt: skip
    assert f"{expected(tmp_path)}, equal to numpy's" in told(tmp_path, qemu, "learn")


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_of_a_package_have_its_prefix(kind: str) -> None:
    files = made(SPECS["labels"], kind, "digits").files
    assert f"{KINDS[kind].header}/digits.h" in files
    assert files == made(SPECS["labels"], kind, "digits").files
    for name, text in files.items():
        assert "NAME" not in name
        own = re.sub(r"[\w/.]+\.j2", "", text)
        assert not re.findall(r"\b(?:net|NET)[_.:]\w+", own), name


def test_nothing_but_sources_ends_in_c(tmp_path: Path) -> None:
    """Build systems compile every .c that they find."""
    files = made(SPECS["labels"], "make")
    assert {n for n in files.files if n.endswith(".c")} == {
        *files.library, "examples/learn.c",
    }  # fmt: skip


@pytest.mark.parametrize(
    "more, why",
    [
        (["--link-only"], "--package is of a network's library"),
        (["--init", "w.npz"], "begins with those of its seed"),
        (["--lr", "1e30", "--output", "identity"], "a smaller --lr"),
        (["--prefix", "class"], "keyword of C"),
        (
            ["--gate", "row", "--instructions", "9000", "--icount", "--target",
             "qemu-rv64gcv"],
            "budget of a step",
        ),
    ],
)  # fmt: skip
def test_what_a_package_cannot_be_is_refused_before_anything_is_written(
    tmp_path: Path, more: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    given = ["build", "--package", "make", "--network", "64-10", "--out", str(folder)]
    assert main([*given, *more]) == 2
    assert why in capsys.readouterr().err
    assert not folder.exists()
