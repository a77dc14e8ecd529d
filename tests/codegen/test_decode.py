"""Instructions are read as the manual and as LLVM's disassembler read them."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import targets
from codegen.building import toolchain
from codegen.machine_code import decode, thumb
from codegen.machine_code.decode import MINSTRET, Class
from codegen.planning.plan import plan
from codegen.rendering.render import render
from codegen.spec import Network, Spec

KNOWN = (
    # word, xlen, class, operation, reads, writes (encodings of the manual)
    (0x00052503, 64, Class.LOAD, "load", ("x10",), ("x10",)),  # lw a0, 0(a0)
    (0x00052507, 64, Class.LOAD, "load", ("x10",), ("f10",)),  # flw fa0, 0(a0)
    (0x00B52023, 64, Class.STORE, "store", ("x10", "x11"), ()),  # sw a1, 0(a0)
    (0x02B50533, 64, Class.SCALAR, "mul", ("x10", "x11"), ("x10",)),  # mul a0, a0, a1
    (0x68C5F543, 64, Class.SCALAR, "fma", ("f11", "f12", "f13"), ("f10",)),  # fmadd.s
    (0x02056407, 64, Class.VECTOR_LOAD, "vle", ("x10",), ("v8",)),  # vle32.v v8, (a0)
    (0x02056427, 64, Class.VECTOR_STORE, "vse", ("x10", "v8"), ()),  # vse32.v v8, (a0)
    (0xB2855857, 64, Class.VECTOR, "vfma", ("f10", "v8", "v16"), ("v16",)),  # vfmacc.vf
    (0x0D357557, 64, Class.VECTOR_SET, "vset", ("x10",), ("x10",)),  # vsetvli, m8
    (0x6108, 64, Class.LOAD, "load", ("x10",), ("x10",)),  # c.ld a0, 0(a0)
    (0x6108, 32, Class.LOAD, "load", ("x10",), ("f10",)),  # c.flw fa0, 0(a0)
    (0x2001, 64, Class.SCALAR, "alu", (), ()),  # c.addiw zero (reserved), no jump
    (0x2001, 32, Class.SCALAR, "branch", (), ("x1",)),  # c.jal
    (0x8082, 64, Class.SCALAR, "branch", ("x1",), ()),  # ret
    (0x9502, 64, Class.SCALAR, "branch", ("x10",), ("x1",)),  # c.jalr a0
)


@pytest.mark.parametrize("word, xlen, kind, operation, reads, writes", KNOWN)
def test_an_instruction_is_what_the_manual_says(
    word: int,
    xlen: int,
    kind: Class,
    operation: str,
    reads: tuple[str, ...],
    writes: tuple[str, ...],
) -> None:
    found = decode.decode(word, xlen)
    assert (found.kind, found.operation) == (kind, operation)
    assert (sorted(found.reads), found.writes) == (sorted(reads), writes)
    assert found.size == (4 if word & 3 == 3 else 2)


@pytest.mark.parametrize("lmul, eighths", [(0, 8), (1, 16), (2, 32), (3, 64), (7, 4)])
def test_vsetvli_tells_sew_and_lmul(lmul: int, eighths: int) -> None:
    word = (0xD0 | lmul) << 20 | 0x57557  # vsetvli a0, a0, e32, m?, ta, ma
    assert decode.decode(word, 64).vtype == (32, eighths)


def test_calls_and_the_counter_are_seen() -> None:
    assert decode.decode(0x00050067 | 1 << 7, 64).links  # jalr ra, 0(a0)
    assert not decode.decode(0x00050067, 64).links  # jr a0
    assert decode.decode(0xB0202573, 64).csr == MINSTRET  # csrr a0, minstret


def listed_class(name: str) -> Class | None:
    """The class of a mnemonic, by its spelling."""
    if re.fullmatch(r"vset\w*", name):
        return Class.VECTOR_SET
    if re.fullmatch(r"vl(\d?r|[os]x?|ux|ox)?e(i)?\d+\S*\.v|vl\w*\.v", name):
        return Class.VECTOR_LOAD
    if re.fullmatch(r"vs(\dr|e\d+|se\d+|[uo]xei\d+|m)\.v", name):
        return Class.VECTOR_STORE
    if name.startswith("v"):
        return Class.VECTOR
    if re.fullmatch(r"f?l[bhwd]u?", name):
        return Class.LOAD
    if re.fullmatch(r"f?s[bhwd]", name):
        return Class.STORE
    return None if name.startswith(("<", "lr", "sc", "amo")) else Class.SCALAR


def thumb_class(name: str) -> Class | None:
    """The class of a mnemonic of Thumb, by its spelling."""
    if name.startswith((".", "<")):
        return None
    if re.match(r"v?(ldr|ldm|pop)|tb[bh]$", name):
        return Class.LOAD
    return Class.STORE if re.match(r"v?(str|stm|push)", name) else Class.SCALAR


@pytest.mark.parametrize(
    "target, class_of",
    [
        ("qemu-rv64gcv", listed_class),
        ("qemu-rv32imafc-zve32f", listed_class),
        ("mps2-an386", thumb_class),
    ],
)
def test_every_instruction_of_an_image_has_the_class_of_its_name(
    target: str, class_of: Callable[[str], Class | None]
) -> None:
    tools = ["llvm-objdump", *(f"llvm-objdump-{n}" for n in range(25, 16, -1))]
    objdump = next((path for tool in tools if (path := shutil.which(tool))), None)
    if objdump is None:
        pytest.skip("no llvm-objdump here to read the same code")
    machine = targets.load(target)
    files = render(plan(Spec(Network((33, 17, 10))), machine))
    image: Path = toolchain.build(files, toolchain.find(machine)).path
    arm = machine.isa.startswith("arm")
    flags = "--mcpu=cortex-m4" if arm else "--mattr=+m,+a,+f,+d,+c,+v"
    done = subprocess.run(
        [objdump, "-d", "--no-show-raw-insn", flags, str(image)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    known = dict(
        thumb.all_instructions(image)
        if arm
        else decode.all_instructions(image, machine.xlen)
    )
    compared = 0
    for line in done.stdout.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\s+(\S+)", line)
        if not match or (arm and int(match[1], 16) not in known):
            continue  # Arm has data among its code
        if (expected := class_of(match[2])) is not None:
            assert known[int(match[1], 16)].kind is expected, line
            compared += 1
    assert compared > 1000
