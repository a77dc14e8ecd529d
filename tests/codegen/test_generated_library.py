"""The generated C stands alone: compiled by the host's compiler without our
runtime, it learns what the reference learns."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

import targets
from codegen import rules
from codegen.building import toolchain
from codegen.machine_code import decode
from codegen.planning.plan import plan
from codegen.reference.learner import Learner
from codegen.rendering.render import render, render_network
from codegen.spec import Gate, Inputs, Network, RuleChoice, Spec
from tests.kinds import OF_LAYERS, WITHOUT_RANK_ONE

HERE = Path(__file__).parent
STRICT = (
    "-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
    "-Wshadow", "-Werror", "-ffp-contract=off",
)  # fmt: skip


def library(spec: Spec, folder: Path) -> None:
    """Render the scalar library of `spec` into `folder`."""
    for name, text in render_network(plan(spec, targets.load("host"))).items():
        (folder / name).write_text(text)


@pytest.mark.parametrize("rule, parameters", [
    *((name, {}) for name in OF_LAYERS),
    ("dfa", {"feedback": "uniform"}), ("dfa", {"error": "ternary"}),
    ("drtp", {"feedback": "uniform"}), ("fg-weight", {"k": 3, "perturbation": "gaussian"}),
    ("pc", {"inference": "z-il"}), ("pc", {"iterations": 9, "gamma": 1.0}), ("pc", {"precision": "learned", "precision_rate": 0.2}),
    ("fg-activity", {"k": 3}), ("fg-local", {"k": 2, "perturbation": "gaussian"}),
])  # fmt: skip
def test_it_compiles_alone_and_learns_as_the_reference_does(
    tmp_path: Path, host_cc: str, rule: str, parameters: dict[str, object]
) -> None:
    network = rules.declaration(rule).suited(Network((17, 33, 7, 5)))
    spec = Spec(network, RuleChoice(rule, parameters), Inputs("u8", 255), seed=7)
    library(spec, tmp_path)
    sources = [*map(str, tmp_path.glob("net*.c")), str(HERE / "learn_from_stdin.c")]
    program = tmp_path / "learn"
    subprocess.run(
        [host_cc, *STRICT, f"-I{tmp_path}", *sources, "-o", str(program), "-lm"],
        check=True,
    )
    generator = np.random.default_rng(3)
    samples = generator.integers(0, 256, (50, 17), dtype=np.uint8)
    labels = generator.integers(0, 5, 50)
    line = b"".join(
        bytes([y]) + x.tobytes() for x, y in zip(samples, labels, strict=True)
    )
    printed = subprocess.run([program], input=line, capture_output=True, check=True)

    learner, expected = Learner(spec), []
    for x, y in zip(samples, labels, strict=True):
        loss = learner.step(x, int(y), np.float32(0.03)).loss
        expected.append(f"{loss.view(np.uint32):08x} {learner.digest():08x}")
    assert printed.stdout.decode().split("\n")[:-1] == expected


def test_a_non_finite_input_is_refused_and_names_its_tensor(
    tmp_path: Path, host_cc: str
) -> None:
    spec = Spec(Network((3, 2)), RuleChoice("bp"), Inputs("f32", 1))
    library(spec, tmp_path)
    sources = [*map(str, tmp_path.glob("net*.c")), str(HERE / "learn_from_stdin.c")]
    program = tmp_path / "learn"
    subprocess.run(
        [host_cc, *STRICT, f"-I{tmp_path}", *sources, "-o", str(program), "-lm"],
        check=True,
    )
    sample = b"\0" + np.array([1, np.inf, 0], np.float32).tobytes()
    done = subprocess.run([program], input=sample, capture_output=True)
    names = [t.name for t in plan(spec, targets.load("host")).tensors]
    assert done.returncode == 1
    assert done.stdout.decode() == f"tensor {names.index('x')}\n"


def test_generated_files_say_so_in_their_first_line() -> None:
    files = render_network(plan(Spec(Network((8, 4))), targets.load("qemu-rv64gcv")))
    for name, text in files.items():
        assert "enerated" in text.splitlines()[0], name


@pytest.mark.parametrize("rule", OF_LAYERS)
@pytest.mark.parametrize("schedule", ["sequential", "fused"])
@pytest.mark.parametrize("dtype", ["u8", "f32"])
@pytest.mark.parametrize("kind", ["none", "row", "block"])
def test_the_network_is_tidy(rule: str, schedule: str, dtype: str, kind: str) -> None:
    gate = Gate(kind, active=0.5) if kind != "none" else Gate()
    network = rules.declaration(rule).suited(Network((8, 6, 6, 4)))
    spec = Spec(network, RuleChoice(rule), Inputs(dtype, 1), gate=gate)
    schedule = "auto" if rule in WITHOUT_RANK_ONE or gate.rows else schedule
    if gate.rows and "rows" not in rules.declaration(rule).gates:
        return
    target = targets.load("qemu-rv64gcv")
    made = plan(spec, target, schedule=schedule, density=0.5)
    for name in ("net.h", "net.c"):
        text = render_network(made)[name]
        assert "\n\n\n" not in text and "\t" not in text
        for line in text.splitlines():
            assert line == line.rstrip(), line
            assert not re.search(r";  +[^ /]", line), line  # one statement a line


def test_equal_inputs_give_equal_digests_and_other_inputs_others() -> None:
    host = targets.load("host")
    one, same, other = (
        render(plan(Spec(Network(layers)), host)) for layers in ((8, 4), (8, 4), (8, 5))
    )
    assert one.digest("zig") == same.digest("zig")
    assert one.digest("zig") != other.digest("zig") != one.digest("gcc")


def test_layers_of_one_shape_that_walk_a_list_share_code_and_keep_their_list() -> None:
    """`rows` is a size of one kernel, and a list of pointers of another."""
    spec = Spec(Network((64, 256, 256, 256, 10)), RuleChoice("readout"))
    made = plan(spec, targets.load("qemu-rv64gc"), density=0.5)
    text = render_network(made)["net.c"]
    assert "hil_f32_listed_forward__scalar(rows, x, count, b, a, 256);" in text


SHAPES = [
    ((64, 64, 10), "auto"),
    ((784, 128, 10), "auto"),
    ((200, 100, 100, 10), "fused"),
]
VLENS = (None, 128, 256, 1024)
KEPT_IN_REGISTERS = [
    pytest.param(
        rule, *shape, vlen, marks=() if (i + j + 2 * k) % 9 == 0 else pytest.mark.full
    )
    for i, rule in enumerate(OF_LAYERS)
    for j, shape in enumerate(SHAPES)
    for k, vlen in enumerate(VLENS)
]
"""Each rule with one or two meetings of a shape and a VLEN in `make test`, and each
meeting with two rules: the widths decide what is spilled, not the rule."""


@pytest.mark.parametrize("rule, layers, schedule, vlen", KEPT_IN_REGISTERS)
def test_no_vector_register_is_spilled(
    tmp_path: Path,
    rule: str,
    layers: tuple[int, ...],
    schedule: str,
    vlen: int | None,
) -> None:
    """Registers are spilled whole, and nothing else here moves whole registers."""
    if rule in WITHOUT_RANK_ONE:  # it has no rank-1 update that could wait
        schedule = "auto"
    target = targets.load("qemu-rv64gcv")
    spec = Spec(rules.declaration(rule).suited(Network(layers)), RuleChoice(rule))
    density = 1.0 if schedule == "fused" else 0.3
    made = plan(spec, target, vlen=vlen, schedule=schedule, density=density)
    built = toolchain.build(render(made), toolchain.find(target, vlen=vlen))
    code = decode.all_instructions(built.path, target.xlen)
    moved = [hex(at) for at, one in code if one.operation in ("vlr", "vsr")]
    assert not moved
