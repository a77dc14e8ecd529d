"""Two generated libraries in one program, in C and in C++: every name has its
library's prefix, and header and objects of different builds do not link."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import targets
from codegen import rules
from codegen.building import toolchain
from codegen.errors import SpecError
from codegen.planning.plan import plan
from codegen.planning.planned import Plan
from codegen.reference.learner import Learner
from codegen.rendering import prefix
from codegen.rendering.render import library, render_network
from codegen.spec import Gate, Inputs, Network, RuleChoice, Spec
from hil.cli import main
from tests.conftest import require
from tests.kinds import OF_LAYERS

HERE = Path(__file__).parent
STRICT = (
    "-std=c11", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wpedantic",
    "-Wconversion", "-Wshadow", "-Werror",
)  # fmt: skip
STORED = RuleChoice("dfa", {"feedback": "uniform"})
"""A rule with constants, which are a source of their own."""
SPECS = {
    "digits": Spec(Network((17, 9, 5)), STORED, Inputs("u8", 255), seed=7),
    "wave": Spec(Network((12, 7, 3)), STORED, Inputs("i16", 1000), seed=8),
}


def planned(spec: Spec) -> Plan:
    return plan(spec, targets.load("host"))


def compiled(cc: str, folder: Path, name: str, *flags: str) -> list[Path]:
    """Objects of the library of that name, which lies in `folder`."""
    objects = []
    for source in sorted(folder.glob(f"{name}*.c")):
        objects.append(source.with_suffix(".o"))
        command = [cc, *STRICT, *flags, "-c", str(source), "-o", str(objects[-1])]
        subprocess.run(command, check=True)
    return objects


def defined(objects: list[Path]) -> set[str]:
    """What they give to others."""
    command = ["nm", "--extern-only", "--defined-only", "--format=posix"]
    done = subprocess.run(
        [*command, *map(str, objects)], check=True, capture_output=True, text=True
    )
    return {line.split()[0] for line in done.stdout.splitlines() if " " in line}


@pytest.fixture(scope="module")
def archives(host_cc: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder with both libraries' files, and an archive of each."""
    folder = tmp_path_factory.mktemp("both")
    for name, spec in SPECS.items():
        for file, text in render_network(planned(spec), name).items():
            assert not (folder / file).exists(), "a file of both"
            (folder / file).write_text(text)
        objects = compiled(host_cc, folder, name)
        archive = folder / f"lib{name}.a"
        subprocess.run(["ar", "rcs", str(archive), *map(str, objects)], check=True)
    return folder


@pytest.fixture(scope="module")
def taught() -> tuple[bytes, list[str]]:
    """Samples for both by turns, and what each prints of them."""
    generator = np.random.default_rng(5)
    learners = {name: Learner(spec) for name, spec in SPECS.items()}
    line, expected = b"", []
    for t in range(20):
        digit = generator.integers(0, 256, 17, dtype=np.uint8)
        window = generator.integers(-1000, 1000, 12, dtype=np.int16)
        for (_, learner), x in zip(learners.items(), (digit, window), strict=True):
            line += bytes([t % 3]) + x.tobytes()
            loss = learner.step(x, t % 3, np.float32(0.03)).loss
            expected.append(f"{loss.view(np.uint32):08x} {learner.digest():08x}")
    return line, expected


LANGUAGES = ["-std=c11", "-std=c++11", "-std=c++20"]


def compiler_of(language: str, family: str) -> str:
    """gcc or clang, for C or for C++."""
    found = toolchain.find(targets.load("host"), family).compile[0]
    if "++" in language:
        name = {"gcc": "g++", "clang": Path(found).name.replace("clang", "clang++")}
        return require(shutil.which(name[family]), name[family], ".ci/apt.sh")
    return found


@pytest.mark.parametrize("family", ["gcc", "clang"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_two_libraries_learn_side_by_side_in_one_program(
    second_compiler: None,
    archives: Path,
    taught: tuple[bytes, list[str]],
    tmp_path: Path,
    language: str,
    family: str,
) -> None:
    kind = "c++" if "++" in language else "c"
    program = tmp_path / "program"
    subprocess.run(
        [
            compiler_of(language, family), language, "-Wall", "-Wextra", "-Werror",
            "-pedantic", f"-I{archives}", "-x", kind, str(HERE / "two_networks.c"),
            "-x", "none", *(str(archives / f"lib{name}.a") for name in SPECS), "-lm",
            "-o", str(program),
        ],
        check=True,
    )  # fmt: skip
    line, expected = taught
    done = subprocess.run([program], input=line, capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == expected


def test_what_the_linker_sees_of_a_library_has_its_prefix(archives: Path) -> None:
    for name in SPECS:
        names = defined(sorted(archives.glob(f"{name}*.o")))
        assert {f"{name}_init", f"{name}_step", f"{name}_feedback1"} <= names
        assert not [one for one in names if not one.startswith(f"{name}_")]


def test_what_a_header_defines_has_its_prefix(archives: Path, host_cc: str) -> None:
    for name in SPECS:
        said = {}
        for file in (f"{name}.h", "stdint.h"):
            text = f"#include <stdbool.h>\n#include <stddef.h>\n#include <{file}>\n"
            done = subprocess.run(
                [host_cc, "-dM", "-E", f"-I{archives}", "-"],
                input=text, capture_output=True, text=True, check=True,
            )  # fmt: skip
            said[file] = set(done.stdout.splitlines())
        ours = said[f"{name}.h"] - said["stdint.h"]
        assert f"#define {name.upper()}_INPUTS {SPECS[name].network.n_in}" in "\n".join(
            ours
        )
        assert all(one.startswith(f"#define {name.upper()}_") for one in ours)


@pytest.mark.parametrize("rule", OF_LAYERS)
@pytest.mark.parametrize(
    "gate", [Gate(), Gate("row", budget=9000, counter="instructions")]
)
def test_no_rule_and_no_gate_leaves_a_name_without_its_prefix(
    rule: str, gate: Gate
) -> None:
    if gate.rows and "rows" not in rules.declaration(rule).gates:
        return
    network = rules.declaration(rule).suited(Network((8, 6, 4)))
    spec = Spec(network, RuleChoice(rule), gate=gate)
    made = plan(spec, targets.load("qemu-rv64gcv"))
    files = render_network(made, "digits")
    assert "digits_init(" in files["digits.c"]
    for name, text in files.items():
        assert "digits" in name
        assert all("DIGITS" in one for one in re.findall(r"#ifndef (\w+_H)\b", text))
        own = re.sub(r"[\w/]+\.[ch]\.j2|HIL_\w+", "", text)
        assert not re.findall(r"\b(?:net|NET|hil(?!_digits))_\w+|\bnet\.[ch]\b", own)


def test_the_default_prefix_changes_nothing() -> None:
    made = planned(SPECS["wave"])
    assert render_network(made, "net") == render_network(made)
    assert "net_init" in render_network(made)["net.h"]


@pytest.mark.parametrize("dropping", [(), ("-ffunction-sections", "-fdata-sections")])
@pytest.mark.parametrize("stale", ["net.h", "net.c", "net_const.c"])
def test_files_of_two_builds_do_not_link(
    tmp_path: Path, host_cc: str, stale: str, dropping: tuple[str, ...]
) -> None:
    """Be it the header, the code or the constants that are of another build, and
    with a linker that drops what nobody uses. Both builds have the same shapes."""
    spec = SPECS["digits"]
    builds = {"new": spec, "old": Spec(spec.network, STORED, spec.inputs, seed=9)}
    for build, one in builds.items():
        library(planned(one), "net").write(tmp_path / build)
    main_c, program = tmp_path / "main.c", tmp_path / "program"
    main_c.write_text(
        '#include "net.h"\n'
        "int main(void)\n{\n    static net_t net;\n    (void)net_outputs(&net);\n"
        "    return net_self_test();\n}\n"
    )

    def linked(wrong: str) -> subprocess.CompletedProcess[str]:
        folder = {
            file: tmp_path / ("old" if file == wrong else "new") / "generated"
            for file in ("net.h", "net.c", "net_const.c")
        }
        sources = [str(folder[file] / file) for file in ("net.c", "net_const.c")]
        drop = ["-Wl,--gc-sections"] if dropping else []
        return subprocess.run(
            [
                host_cc, "-std=c11", "-O0", "-ffp-contract=off", *dropping, *drop,
                f"-I{folder['net.h']}", str(main_c), *sources, "-lm", "-o", str(program),
            ],
            capture_output=True, text=True,
        )  # fmt: skip

    assert linked("").returncode == 0
    done = linked(stale)
    assert done.returncode != 0
    assert re.search(r"undefined.*net_build_[0-9a-f]{16}", done.stderr), done.stderr


@pytest.mark.parametrize(
    "given, why",
    [
        ("", "no C identifier"), ("9lives", "no C identifier"),
        ("my-net", "no C identifier"), ("netz\u00e9", "no C identifier"),
        ("a b", "no C identifier"), ("net\n", "no C identifier"),
        ("../net", "no C identifier"), ("int", "a keyword"), ("class", "a keyword"),
        ("_net", "reserved"), ("my__net", "reserved"), ("net_", "reserved"),
        ("hil", "the kernels' names"), ("hil_net", "the kernels' names"),
        ("string", "string.h is a header"), ("Math", "math.h is a header"),
        ("size", "size_t is a type"), ("uint8", "uint8_t is a type"),
        ("a" * (prefix.LONGEST + 1), f"expected at most {prefix.LONGEST}"),
    ],
)  # fmt: skip
def test_a_prefix_that_cannot_be_is_refused_with_the_reason(
    given: str, why: str
) -> None:
    with pytest.raises(SpecError, match=why) as caught:
        prefix.check(given)
    assert str(caught.value).startswith(f"prefix {given!r} ") and caught.value.hints
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "given", ["net", "a", "Digits2", "my_net", "n" * prefix.LONGEST]
)
def test_other_names_are_prefixes(given: str) -> None:
    assert prefix.check(given) == given


def test_hil_build_writes_the_library_under_its_prefix(
    tmp_path: Path, host_cc: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["build", "--target", "host", "--network", "64-10", "--out", str(tmp_path)]
    assert main([*given, "--prefix", "digits", "--json", "-"]) == 0
    told = json.loads(capsys.readouterr().out)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert told["prefix"] == "digits"
    assert {str(path.relative_to(tmp_path)) for path in files} == {
        *told["files"], "image.elf", "files.txt",
    }  # fmt: skip
    names = defined(compiled(host_cc, tmp_path / "generated", "digits"))
    assert names and all(one.startswith("digits_") for one in names)


@pytest.mark.parametrize(
    "more", [["--prefix", "class"], ["--prefix", "x", "--link-only"]]
)
def test_hil_build_refuses_a_prefix_before_anything_is_written(
    tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    given = ["build", "--target", "host", "--network", "64-10", "--out", str(folder)]
    assert main([*given, *more]) == 2
    assert "prefix" in capsys.readouterr().err
    assert not folder.exists()
