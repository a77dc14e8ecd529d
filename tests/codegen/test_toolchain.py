"""Toolchains and images: found or refused, the same bytes every time."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

import targets
from codegen.building import image, toolchain
from codegen.building.isa import Isa
from codegen.errors import BuildError, CompilerMissing
from codegen.planning.plan import plan
from codegen.planning.resident import Resident
from codegen.rendering.render import render
from codegen.spec import Network, Spec

RV64 = targets.load("qemu-rv64gcv")
HOST = targets.load("host")
LINUX = targets.load("linux-riscv64-rvv")


def test_the_same_inputs_give_the_same_bytes_in_any_folder(tmp_path: Path) -> None:
    files = render(plan(Spec(Network((8, 5))), RV64))
    zig = toolchain.find(RV64)
    one, other = (
        toolchain.build(files, zig, root=tmp_path / folder)
        for folder in ("one", "a/longer/other")
    )
    assert one.path != other.path
    assert one.digest == other.digest
    assert one.path.read_bytes() == other.path.read_bytes()


@pytest.mark.parametrize(
    "target, compiler",
    [("qemu-rv64gcv", "zig"), ("qemu-rv64gcv", "clang"), ("mps2-an386", "zig"),
     ("host", "zig"), ("host", "gcc")],
)  # fmt: skip
def test_debug_information_names_no_folder_of_this_computer(
    tmp_path: Path, second_compiler: None, host_cc: str, target: str, compiler: str
) -> None:
    machine = targets.load(target)
    files = render(plan(Spec(Network((8, 5))), machine))
    found = toolchain.find(machine, compiler)
    one, other = (
        toolchain.build(
            files, found, root=tmp_path / folder, extra=toolchain.KEPT
        ).path.read_bytes()
        for folder in ("one", "a/longer/other")
    )
    assert b"net_step" in one and b"generated/net.c" in one
    assert str(tmp_path).encode() not in one
    assert one == other


def test_the_image_carries_its_own_digest(tmp_path: Path) -> None:
    files = render(plan(Spec(Network((8, 5))), RV64))
    made = toolchain.build(files, toolchain.find(RV64), root=tmp_path)
    assert bytes.fromhex(made.digest)[:16] in made.path.read_bytes()
    assert made.text is not None and made.ram is not None


@pytest.mark.parametrize("target", [RV64, HOST], ids=["rv64gcv", "host"])
def test_an_image_holds_the_resident_set_it_was_given(
    target: targets.Target, tmp_path: Path, host_cc: str
) -> None:
    """And the source differs too: zig gives an old object for the same text."""
    digests, sources = set(), set()
    for text in (
        b"eight samples of eight bytes each, ",
        b"and then eight others like them: ",
    ):
        samples = text.ljust(64, b".")
        resident = Resident(8, samples, bytes(16), 4)
        files = render(plan(Spec(Network((8, 5))), target, resident=resident))
        made = toolchain.build(files, toolchain.find(target), root=tmp_path)
        digests.add(made.digest)
        sources.add(files.files["image/hil_resident.S"])
        assert samples in made.path.read_bytes()
    assert len(digests) == len(sources) == 2


@pytest.mark.parametrize("name", ["clang", "gcc", "cc"])
def test_a_missing_compiler_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    target = HOST if name == "cc" else RV64
    with pytest.raises(CompilerMissing, match="is missing") as caught:
        toolchain.find(target, name)
    assert caught.value.exit_code == 3 and caught.value.hints


@pytest.mark.parametrize("name", ["clang", "gcc", "cc"])
def test_a_board_with_linux_is_built_for_by_zig_alone(name: str) -> None:
    with pytest.raises(CompilerMissing, match=r"expected one of zig$") as caught:
        toolchain.find(LINUX, name)
    assert str(caught.value).startswith(f"toolchain {name!r} cannot build for linux-")


@pytest.mark.parametrize("vlen", [None, 128, 256])
def test_only_the_library_may_use_vectors(vlen: int | None) -> None:
    for target in (RV64, LINUX):
        found = toolchain.find(target, vlen=vlen)
        library, runtime, link = (
            [flag for flag in flags if flag.startswith("-mcpu=")]
            for flags in (found.library, found.runtime, found.link)
        )
        known = "" if vlen is None else f"+zvl{vlen}b"
        assert library == [f"-mcpu={Isa.parse('rv64gcv').zig}{known}"]
        assert runtime == [f"-mcpu={Isa.parse('rv64gc').zig}"]
        assert link in ([], runtime)


def test_a_linux_image_is_one_static_program(tmp_path: Path) -> None:
    """With fused multiply-adds of the processor, and nothing of the C library's."""
    files = render(plan(Spec(Network((8, 5))), LINUX))
    made = toolchain.build(files, toolchain.find(LINUX), root=tmp_path)
    with made.path.open("rb") as file:
        elf = ELFFile(file)
        assert elf.get_machine_arch() == "RISC-V" and elf.elfclass == 64
        kinds = {segment["p_type"] for segment in elf.iter_segments()}
    assert not kinds & {"PT_INTERP", "PT_DYNAMIC"}
    assert not {"fmaf", "fma"} & image.symbols(made.path).keys()
    assert bytes.fromhex(made.digest)[:16] in made.path.read_bytes()


def test_an_unknown_toolchain_is_refused_with_the_list() -> None:
    with pytest.raises(CompilerMissing, match="expected one of zig, clang, gcc, cc"):
        toolchain.find(RV64, "msvc")


def test_a_compilers_complaint_is_the_sentence(tmp_path: Path) -> None:
    files = render(plan(Spec(Network((8, 5))), RV64))
    broken = replace(files, files={**files.files, "generated/net.c": "int x = ;\n"})
    with pytest.raises(BuildError, match=r"generated/net\.c.*expected expression"):
        toolchain.build(broken, toolchain.find(RV64), root=tmp_path)
    assert not list((tmp_path / "images").iterdir())


def test_a_heap_in_the_firmware_fails_the_build(tmp_path: Path) -> None:
    files = render(plan(Spec(Network((8, 5))), RV64))
    main = "firmware/src/main.c"
    heap = """void *malloc(unsigned long size);
void *malloc(unsigned long size) { return (void *)size; }
void *(*volatile keep)(unsigned long) = malloc;
"""
    text = files.files[main].replace(
        "    hil_port_init", "    keep(1);\n    hil_port_init"
    )
    broken = replace(files, files={**files.files, main: heap + text})
    with pytest.raises(BuildError, match="contains malloc"):
        toolchain.build(broken, toolchain.find(RV64), root=tmp_path)


@pytest.mark.parametrize(
    ("name", "march", "scalar"),
    [
        ("rv64gcv", "rv64imafdcv_zicsr_zifencei", "rv64imafdc_zicsr_zifencei"),
        (
            "rv32imafc_zve32f",
            "rv32imafc_zve32f_zicsr_zifencei",
            "rv32imafc_zicsr_zifencei",
        ),
    ],
)
def test_instruction_sets_are_spelled_for_compilers(
    name: str, march: str, scalar: str
) -> None:
    isa = Isa.parse(name)
    assert (isa.march, isa.scalar.march) == (march, scalar)
    assert isa.zig.startswith(f"generic_rv{isa.xlen}+m+a+f")


@pytest.mark.parametrize("name", ["mps2-an386", "mps2-an505", "mps3-an547"])
def test_a_core_with_dsp_instructions_is_told_so(name: str) -> None:
    """Kernels of integers ask for this macro; zig takes a core to have them and does not say so."""
    found = toolchain.find(targets.load(name))
    asked = (*found.compile, *found.library, "-dM", "-E", "-x", "c", "/dev/null")
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert "#define __ARM_FEATURE_SIMD32 1" in told.stdout


def test_an_instruction_set_of_another_family_is_refused() -> None:
    with pytest.raises(BuildError, match="'armv7' is unknown"):
        Isa.parse("armv7")


def test_a_file_that_is_no_elf_has_no_sizes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xcf\xfa\xed\xfe" * 4)
    assert image.sizes(tmp_path / "x") == (None, None)
