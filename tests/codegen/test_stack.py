"""Stack bounds: what they count, and what has none."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import targets
from codegen.building import toolchain
from codegen.errors import BuildError
from codegen.machine_code import callgraph, stack
from codegen.machine_code.stack import Stack
from codegen.planning.plan import plan
from codegen.rendering.render import render
from codegen.spec import Network, RuleChoice, Spec
from hil.lesson import building

RV64, RV32 = targets.load("qemu-rv64gcv"), targets.load("qemu-rv32imafc-zve32f")
SPEC = Spec(Network((16, 24, 10)))


def linked(
    folder: Path,
    source: str,
    target: targets.Target,
    *flags: str,
    compiler: str = "zig",
) -> Path:
    """`source` as an ELF at a fixed address; its functions are kept apart."""
    made = toolchain.find(target, compiler)
    (folder / "it.c").write_text(source)
    for command in (
        [*made.compile, *made.library, *flags, "-c", "it.c", "-o", "it.o"],
        [*made.link[: made.link.index("--gc-sections")],
         "-Ttext=0x80000000", "-e", "main", "it.o", "-o", "it.elf"],
    ):  # fmt: skip
        subprocess.run(command, cwd=folder, check=True)
    return folder / "it.elf"


CHAIN = """\
#define APART __attribute__((noinline))
void use(volatile char *room);
APART void use(volatile char *room) { room[1] = 1; }
int leaf(int n);
APART int leaf(int n) { volatile char room[400]; use(room); return room[1] + n; }
int tail(int n);
APART int tail(int n) { return leaf(n + 1); }
int big(int n);
APART int big(int n) { volatile char room[5000]; use(room); return tail(n) + room[1]; }
int main(void) { return big(1) + leaf(2); }
"""


@pytest.mark.parametrize("target", [RV64, RV32], ids=["rv64", "rv32"])
def test_frames_of_a_chain_add_up(tmp_path: Path, target: targets.Target) -> None:
    """A frame beyond 2 KB needs more than one instruction; a tail call leaves its
    caller's frame behind."""
    graph = callgraph.read(linked(tmp_path, CHAIN, target), target.xlen, 0)
    frames = {name: node.frame for name, node in graph.nodes.items()}
    bound = Stack(graph).bound("main")
    assert 5000 < frames["big"] < 5100 and 400 < frames["leaf"] < 450
    assert (frames["tail"], graph.nodes["tail"].calls) == (0, {"leaf": 0})
    assert bound.chain == ("main", "big", "tail", "leaf")
    assert bound.bytes == frames["main"] + frames["big"] + frames["leaf"]


def test_the_compiler_says_the_same(tmp_path: Path, second_compiler: None) -> None:
    """clang's own figures, of every function of a whole image without vectors."""
    target = targets.load("qemu-rv64gc")
    files = render(plan(replace(SPEC, rule=RuleChoice("bp")), target))
    made = toolchain.find(target, "clang")
    files.write(tmp_path)
    (tmp_path / "build.c").write_text(
        "#include <stdint.h>\nextern const uint8_t hil_build_digest[16];\n"
        "const uint8_t hil_build_digest[16] = { 0 };\n"
    )
    told: dict[str, int] = {}
    objects = []
    for name in (*files.library, *files.runtime, "build.c"):
        objects.append(name.replace("/", "_") + ".o")
        command = [*made.compile, *made.runtime, *files.includes, "-fstack-usage"]
        subprocess.run(
            [*command, "-c", name, "-o", objects[-1]], cwd=tmp_path, check=True
        )
    for notes in tmp_path.glob("*.su"):
        for line in notes.read_text().splitlines():
            place, size, kind = line.split("\t")
            assert kind == "static"
            told[place.rpartition(":")[2]] = int(size)
    assert files.linker_script
    subprocess.run(
        [*made.link, "-T", files.linker_script, *objects, "-o", "image.elf"],
        cwd=tmp_path, check=True,
    )  # fmt: skip
    nodes = callgraph.read(tmp_path / "image.elf", 64, 0).nodes
    both = told.keys() & nodes.keys()
    assert len(both) > 25
    assert {n: nodes[n].frame for n in both} == {n: told[n] for n in both}


SPILLS = """\
#include <riscv_vector.h>
void other(void);
__attribute__((noinline)) void other(void) { __asm__ volatile("" ::: "memory"); }
void spill(const float *from, float *to);
__attribute__((noinline)) void spill(const float *from, float *to)
{
    const size_t vl = __riscv_vsetvlmax_e32m8();
    const vfloat32m8_t one = __riscv_vle32_v_f32m8(from, vl);
    const vfloat32m8_t two = __riscv_vle32_v_f32m8(from + vl, vl);
    other();
    __riscv_vse32_v_f32m8(to, __riscv_vfadd_vv_f32m8(one, two, vl), vl);
    __riscv_vse32_v_f32m8(to + vl, __riscv_vfmul_vv_f32m8(one, two, vl), vl);
}
int main(void)
{
    static float memory[4096];
    spill(memory, memory + 2048);
    return 0;
}
"""


@pytest.mark.parametrize("compiler", ["zig", "clang"])
@pytest.mark.parametrize("target", [RV64, RV32], ids=["rv64", "rv32"])
def test_spilled_vectors_count_at_the_vlen_they_have(
    tmp_path: Path, target: targets.Target, compiler: str, second_compiler: None
) -> None:
    """Two groups of eight registers live across a call."""
    path = linked(tmp_path, SPILLS, target, compiler=compiler)
    at = {
        vlen: callgraph.read(path, target.xlen, vlen).nodes["spill"].frame
        for vlen in (128, 256, 1024)
    }
    assert at[256] - at[128] == 16 * (256 - 128) // 8
    assert at[1024] - at[128] == 16 * (1024 - 128) // 8
    assert at[1024] >= 16 * 1024 // 8


def test_recursion_is_refused_with_its_circle(tmp_path: Path) -> None:
    source = """\
int odd(int n);
__attribute__((noinline)) int even(int n) { return n ? odd(n - 1) + 1 : 1; }
__attribute__((noinline)) int odd(int n) { return n ? even(n - 1) + 2 : 0; }
int main(void) { return even(9); }
""".replace(
        "__attribute__((noinline)) int even",
        "int even(int n);\n__attribute__((noinline)) int even",
    )
    graph = callgraph.read(linked(tmp_path, source, RV64), 64, 128)
    with pytest.raises(
        BuildError, match="even > odd > even: firmware must not recurse"
    ):
        Stack(graph).bound("main")


def test_a_frame_of_no_fixed_size_is_refused(tmp_path: Path) -> None:
    source = """\
void use(char *room);
__attribute__((noinline)) void use(char *room) { __asm__ volatile("" :: "r"(room)); }
void vary(int n);
__attribute__((noinline)) void vary(int n) { char room[n]; use(room); }
int main(void) { vary(9); return 0; }
"""
    path = linked(tmp_path, source, RV64)
    with pytest.raises(
        BuildError, match=r"vary moves the stack pointer .* cannot be told"
    ):
        callgraph.read(path, 64, 128)


def test_a_pointer_may_call_whatever_the_data_hold(tmp_path: Path) -> None:
    source = """\
#define APART __attribute__((noinline)) static
void use(volatile char *room);
__attribute__((noinline)) void use(volatile char *room) { room[1] = 1; }
APART void small(void) { volatile char room[100]; use(room); use(room); }
APART void large(void) { volatile char room[900]; use(room); use(room); }
static void (*const volatile table[])(void) = { small, large };
int main(void) { table[0](); return 0; }
"""
    graph = callgraph.read(linked(tmp_path, source, RV64), 64, 128)
    assert graph.pointed == {"small", "large"}
    assert Stack(graph).bound("main").chain[1] == "large"


def test_a_number_of_a_network_is_no_address(tmp_path: Path) -> None:
    source = """\
void small(void);
__attribute__((noinline)) void small(void) { }
void large(void);
__attribute__((noinline)) void large(void) { }
static void (*const volatile net_b0[])(void) = { small };
static void (*const volatile table[])(void) = { large };
int main(void) { table[0](); return net_b0[0] != 0; }
"""
    graph = callgraph.read(linked(tmp_path, source, RV64), 64, 128)
    assert graph.pointed == {"large"}


def test_handlers_of_the_runtime_are_the_ones_a_pointer_may_hold() -> None:
    """By their table, in every image; and nothing else is."""
    for name in ("qemu-rv64gcv", "qemu-rv32imafc-zve32f", "host"):
        target = targets.load(name)
        files = render(plan(SPEC, target))
        tables = ("hil_session.c", "network/hil_learner.c")
        rows = [
            row
            for table in tables
            for row in re.findall(
                r"\{ HIL_(\w+), .*, (\w*on_\w+) \}",
                files.files[f"firmware/src/{table}"],
            )
        ]
        absent = ("STEP_RESIDENT", "REHEARSE", "PART")
        handlers = {h for kind, h in rows if kind not in absent}
        assert len(handlers) == 11
        image = toolchain.build(files, toolchain.find(target))
        found = stack.read(image.path, target, 128)
        assert found is not None and found.graph.pointed == handlers


def test_a_program_with_a_libc_has_no_bound() -> None:
    """Its calls through pointers are not the firmware's: no figure, and no guess."""
    linux = targets.load("linux-riscv64-rvv")
    image = building.build(plan(SPEC, linux)).image
    assert stack.read(image.path, linux, 256) is None


def test_the_trap_stack_has_a_bound_of_its_own() -> None:
    image = building.build(plan(SPEC, RV64)).image
    found = stack.read(image.path, RV64, 256)
    assert found is not None
    traps = found.bound(stack.TRAPS)
    assert traps.chain[:3] == ("trap_entry", "core_exception", "hil_runtime_fault")
    assert 128 <= traps.bytes <= 1024
    assert not set(traps.chain) & {"main", "net_step"}


def test_a_stack_that_could_overflow_fails_the_build_naming_the_chain() -> None:
    assert RV64.memory is not None
    small = replace(RV64, memory=replace(RV64.memory, stack=512))
    planned = plan(SPEC, small)
    with pytest.raises(BuildError, match="stack of target qemu-rv64gcv has 512") as e:
        building.build(planned)
    assert re.search(
        r"by main > hil_runtime_serve > hil_\w+_on_\w+ > \w+", str(e.value)
    )
    assert e.value.exit_code == 3
