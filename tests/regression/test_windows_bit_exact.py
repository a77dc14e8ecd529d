"""The claim holds where the device computes its features itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

import targets
from codegen.building import toolchain
from codegen.machine_code import decode
from codegen.planning.plan import plan
from codegen.planning.planned import Choice
from codegen.planning.ways import WAYS
from codegen.reference import Learner
from codegen.rendering.render import render, render_network
from codegen.spec import Inputs, Network, RuleChoice, Spec
from codegen.window import Window
from hil import Experiment, run
from hil.data import hapt, windows

TARGETS = ("host", "qemu-rv64gcv", "qemu-rv32imafc-zve32f", "netduinoplus2")
INTEGERS = ("qemu-rv64gcv", "qemu-rv32imac", "microbit")


@pytest.fixture(scope="module")
def stream(hil_data: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """60 windows of two people, and 20 of a third, as an .npz."""
    if not (hil_data / "hapt").is_dir():
        pytest.skip("HIL_DATA has no hapt/ in it")
    found = hapt.load()
    learned = np.flatnonzero(found.users <= 2)[::9][:60]
    tested = np.flatnonzero(found.users == 3)[::9][:20]
    made = windows.standardised(found.windows[learned], hapt.ROWS, hapt.AXES)
    path = tmp_path_factory.mktemp("hapt") / "people.npz"
    np.savez(
        path, x=found.windows[learned], y=found.labels[learned],
        x_test=found.windows[tested], y_test=found.labels[tested],
        **windows.arrays(made),
    )  # type: ignore[arg-type]  # fmt: skip
    return str(path)


def test_every_machine_makes_the_same_of_real_windows(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, stream: str
) -> None:
    asked = Experiment(data=stream, network="18-17-6", steps=60, test=20)
    digests = set()
    for target in TARGETS:
        record = run(asked.override({"target": target}), out=tmp_path)
        assert (record.result, record.compared) == ("pass", 60), target
        digests.add(record.digest)
    assert len(digests) == 1


def test_integers_learn_from_windows_without_an_fpu(
    tmp_path: Path, qemu64: str, qemu32: str, qemu_arm: str, stream: str
) -> None:
    """A board with 16 KB has room for one sample on the line."""
    asked = Experiment(
        data=stream, network="18-17-6", format="i16", steps=40, test=10, window=1,
        samples_per_frame=1,
    )  # fmt: skip
    digests = set()
    for target in INTEGERS:
        record = run(asked.override({"target": target}), out=tmp_path)
        assert (record.result, record.compared) == ("pass", 40), target
        digests.add(record.digest)
    assert len(digests) == 1


def test_windows_may_lie_in_the_image(tmp_path: Path, qemu64: str, stream: str) -> None:
    asked = Experiment(data=stream, network="18-17-6", steps=60, test=0, target="host")
    want = run(asked, out=tmp_path).digest
    there = asked.override({"target": "qemu-rv64gcv", "resident": 40, "debug": True})
    record = run(there, out=tmp_path)
    assert (record.result, record.digest) == ("pass", want)


@pytest.mark.parametrize("vlen", [None, 128])
def test_no_vector_register_is_spilled(vlen: int | None) -> None:
    window = Window(128, 6, (1.0,) * 18, (2.0,) * 18)
    spec = Spec(Network((18, 32, 6)), inputs=Inputs("i16", 1.0, window))
    target = targets.load("qemu-rv64gcv")
    made = plan(spec, target, vlen=vlen)
    built = toolchain.build(render(made), toolchain.find(target, vlen=vlen))
    code = decode.all_instructions(built.path, target.xlen)
    assert not [hex(at) for at, one in code if one.operation in ("vlr", "vsr")]


@pytest.mark.parametrize("way", WAYS)
def test_the_library_takes_raw_windows(tmp_path: Path, host_cc: str, way: str) -> None:
    """Compiled by itself, as in somebody's own program; however layer 1 is computed."""
    window = Window(5, 2, (10.0,) * 6, (900.0,) * 6)
    spec = Spec(
        Network((6, 7, 3)), RuleChoice("bp"), Inputs("i16", 1.0, window), seed=7
    )
    for name, text in render_network(
        plan(spec, targets.load("host"), choice=Choice({1: way}))
    ).items():
        (tmp_path / name).write_text(text)
    main = Path(__file__).parents[1] / "codegen" / "learn_from_stdin.c"
    strict = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion",
              "-Wshadow", "-Werror", "-ffp-contract=off")  # fmt: skip
    program = tmp_path / "learn"
    subprocess.run(
        [host_cc, *strict, f"-I{tmp_path}", *tmp_path.glob("net*.c"), main, "-o",
         program, "-lm"],
        check=True,
    )  # fmt: skip
    samples = (
        np.random.default_rng(2).integers(-32768, 32768, (20, 10)).astype(np.int16)
    )
    line = b"".join(bytes([k % 3]) + s.tobytes() for k, s in enumerate(samples))
    printed = subprocess.run([program], input=line, capture_output=True, check=True)
    learner, expected = Learner(spec), []
    for k, sample in enumerate(samples):
        loss = learner.step(sample, k % 3, np.float32(0.03)).loss
        expected.append(f"{loss.view(np.uint32):08x} {learner.digest():08x}")
    assert printed.stdout.decode().split() == " ".join(expected).split()
