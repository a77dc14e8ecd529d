"""Imported models as one program: of this computer, under address and undefined-behaviour
checks, or of one with vectors, in QEMU's user mode."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import targets
from codegen import kernels
from codegen.building import toolchain
from codegen.graph.description import Graph
from codegen.planning.imported import GraphPlan, graph_plan
from codegen.rendering.imported import render_model
from codegen.rendering.render import environment
from tests.kernels.units import units

from .building import Array

FLAGS = (
    "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-DHIL_DEBUG",
    "-fno-strict-aliasing", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
)  # fmt: skip
CONSTANTS = "constants"
_INCLUDED = re.compile(
    r'#define HIL_KERNEL static\n|#include "hil_(?:\w+\.c|self_test\.h)"\n'
)
"""Lines by which a model has kernels of its own."""
HALVING = Path(__file__).parent / "halving.h"
MAIN = """
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool halves;

static void taken(void *data, size_t words)
{
    if (fread(data, 4, words, stdin) != words) {
        exit(0);
    }
}

#define RUN(low, up)                                                       \\
    if (strcmp(argv[1], #low) == 0) {                                      \\
        static low##_t net;                                                \\
        size_t words;                                                      \\
        for (;;) {                                                         \\
            for (size_t k = 0; k < up##_TENSORS; k++) {                    \\
                void *const data = low##_tensor(&net, k, &words);          \\
                if (k == up##_INPUTS) {                                    \\
                    low##_infer(&net);                                     \\
                }                                                          \\
                if (k < up##_INPUTS) {                                     \\
                    taken(data, words);                                    \\
                } else {                                                   \\
                    fwrite(data, 4, words, stdout);                        \\
                }                                                          \\
            }                                                              \\
        }                                                                  \\
    }

int main(int argc, char **argv)
{
    halves = argc > 2;
"""


@dataclass(frozen=True)
class Machine:
    """What the program is for: commands without files, of which constants take what is
    `plain`, since they are only read."""

    target: str
    compile: tuple[str, ...]
    plain: tuple[str, ...]
    link: tuple[str, ...]


def this_computer(compiler: str) -> Machine:
    """With all checks."""
    compile = (compiler, *FLAGS)
    return Machine("host", compile, (compiler, "-O0"), compile)


def of_32_bits(compiler: str) -> Machine:
    """What is planned for a core of 32 bits, on this computer."""
    return replace(this_computer(compiler), target="mps2-an386")


def with_dsp() -> Machine:
    """A core of 32 bits with the instructions of Cortex-M4, which QEMU's user mode has.
    Not those of NEON, which a Cortex-M4 has not: they take tiny numbers for zero."""
    zig = (sys.executable, "-m", "ziglang", "cc")
    common = (*zig, "-target", "arm-linux-musleabihf", "-mcpu=cortex_a7", "-mthumb")
    strict = ("-std=c11", "-Wall", "-Wextra", "-Werror", "-DHIL_DEBUG", "-O2")
    compile = (*common, "-Xclang", "-target-feature", "-Xclang", "-neon", *strict)
    return Machine("mps2-an386", compile, compile, (*common, "-static"))


def with_vectors() -> Machine:
    """64-bit RISC-V with vectors of any length, which may halve (halving.h)."""
    name = "linux-riscv64-rvv"
    chain = toolchain.find(targets.load(name))
    more = ("-DHIL_DEBUG", "-O2", "-include", str(HALVING))
    compile = (*chain.compile, *chain.library, *more)
    return Machine(name, compile, compile, chain.link)


@dataclass(frozen=True)
class Programs:
    """All of them in one `path`, each by its plan; `runner` runs it, on a machine that
    `halves` (halving.h)."""

    path: Path
    plans: Mapping[str, GraphPlan]
    runner: tuple[str, ...] = ()
    halves: bool = False

    def run(self, name: str, cases: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """The outputs of each case; what a model keeps begins at 0."""
        plan = self.plans[name]
        empty = [np.zeros(one.shape, one.format.dtype) for one in plan.states]
        asked = (*plan.inputs, *plan.states)
        given = b"".join(
            tensor.packed(array)
            for case in cases
            for tensor, array in zip(asked, (*case, *empty), strict=True)
        )
        more = ["halves"] * self.halves
        done = subprocess.run(
            [*self.runner, self.path, _prefix([*self.plans].index(name)), *more],
            input=given, capture_output=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        told = np.frombuffer(done.stdout, np.uint8).reshape(len(cases), -1)
        return [_outputs(plan, row) for row in told]


def _outputs(plan: GraphPlan, row: Array) -> list[Array]:
    found, at = [], 0
    for tensor, told in zip(plan.outputs, plan.graph.outputs, strict=True):
        data = row[at : at + 4 * tensor.words].tobytes()
        found.append(tensor.unpacked(data[: tensor.nbytes]).reshape(told.shape))
        at += 4 * tensor.words
    return found


def _prefix(number: int) -> str:
    return f"m{number}"


def compiled(graphs: Mapping[str, Graph], folder: Path, machine: Machine) -> Programs:
    """A program of all these, made in `folder`; each kernel is compiled once."""
    target = targets.load(machine.target)
    plans = {name: graph_plan(name, graph, target) for name, graph in graphs.items()}
    main = [MAIN]
    for number, plan in enumerate(plans.values()):
        prefix = _prefix(number)
        for name, text in render_model(plan, prefix).items():
            if name.startswith(prefix):
                (folder / name).write_text(_with_kernels_apart(text, prefix))
        main.insert(0, f'#include "{prefix}.h"\n')
        main.append(f"    RUN({prefix}, {prefix.upper()})\n")
    (folder / "main.c").write_text("".join([*main, "    return 2;\n}\n"]))
    sources = [*_kernels(folder, plans.values()), *_batches(folder, len(plans))]
    names = ["main", *sources, _constants(folder, len(plans))]

    def made(name: str) -> None:
        command = machine.plain if name == CONSTANTS else machine.compile
        files = ("-c", f"{name}.c", "-o", f"{name}.o")
        subprocess.run([*command, *files], cwd=folder, check=True)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(made, names))
    objects = [f"{name}.o" for name in names]
    linking = [*machine.link, *objects, "-o", "program", "-lm"]
    subprocess.run(linking, cwd=folder, check=True)
    return Programs(folder / "program", plans)


def _with_kernels_apart(text: str, prefix: str) -> str:
    """A file of a model that calls kernels of all models, and includes none; nobody asks
    for its self test."""
    common = text.replace(f"hil_{prefix}_", "hil_").replace("hil_self_test()", "0")
    return _INCLUDED.sub("", common)


def _kernels(folder: Path, plans: Iterable[GraphPlan]) -> list[str]:
    """Sources of all kernels that the models choose."""
    rows = dict.fromkeys(row for plan in plans for row in plan.variants)
    files = kernels.render(environment(), rows)
    for name, text in files.items():
        (folder / name).write_text(text)
    sources = (folder / name for name in sorted(files) if name.endswith(".c"))
    return [one.stem for one in units(sources, folder)]


def _batches(folder: Path, count: int) -> list[str]:
    """Sources that include those of all models, one for each processor: prefixes keep
    their names apart."""
    parts = os.cpu_count() or 1
    for part in range(parts):
        each = (f'#include "{_prefix(n)}.c"\n' for n in range(part, count, parts))
        (folder / f"batch{part}.c").write_text("".join(each) or "typedef int none;\n")
    return [f"batch{part}" for part in range(parts)]


def _constants(folder: Path, count: int) -> str:
    """A source of all constants."""
    each = (f'#include "{_prefix(n)}_const.c"\n' for n in range(count))
    (folder / f"{CONSTANTS}.c").write_text("".join(each))
    return CONSTANTS
