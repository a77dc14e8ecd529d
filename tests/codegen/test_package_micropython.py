"""The package for MicroPython: a module of C, with which a script learns.

With HIL_MICROPYTHON, a folder that has MicroPython's source, its unix port is built with
three packages (a minute), and the examples run in it. Without, what needs no MicroPython
is held."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from codegen.reference.learner import Learner
from codegen.spec import Spec
from tests.codegen.test_packages import FUSING, SPECS, expected, made, told, written

PACKAGES = {
    "net": ("--network", "64-10"),
    "wave": ("--data", "friedman", "--network", "10-8-1", "--parameter", "feedback=uniform"),
    "copy": ("--goal", "sample", "--network", "64-8-64", "--output", "sigmoid", "--rule", "bp"),
}  # fmt: skip
"""Labels, vectors of floats and constants, samples alone: all in one firmware."""


@pytest.fixture(scope="module")
def micropython(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The unix port with the packages, compiled with flags that would change the bits;
    and the folder of the packages."""
    source = os.environ.get("HIL_MICROPYTHON")
    if not source:
        pytest.skip("HIL_MICROPYTHON names no folder with MicroPython's source")
    modules, build = tmp_path_factory.mktemp("modules"), tmp_path_factory.mktemp("b")
    for name, more in PACKAGES.items():
        written(modules / name, "micropython", "--prefix", name, *more)
    left_out = [f"MICROPY_PY_{what}=0" for what in ("SSL", "BTREE", "FFI")]
    told(
        Path(source) / "ports" / "unix", "make", "-j2", "VARIANT=standard", *left_out,
        "FROZEN_MANIFEST=", f"USER_C_MODULES={modules}", f"BUILD={build}",
        f"CFLAGS_EXTRA={' '.join(FUSING[1:])}",
    )  # fmt: skip
    return build / "micropython", modules


@pytest.mark.parametrize("name", PACKAGES)
def test_a_network_learns_in_micropython(
    micropython: tuple[Path, Path], name: str
) -> None:
    program, modules = micropython
    said = told(modules, program, modules / name / "examples" / "learn.py")
    assert f"{expected(modules / name)}, equal to numpy's" in said


SESSION = """
import net, wave
from array import array
n, bar = net.Net(7), bytes([0, 16] * 32)
begun, first = n.weights(), n.digest()
print(n.step(bar, 3, 0.0625) > 0, n.digest() != first, len(n.infer(bar)), n.predict(bar))
n.load(begun)
print(n.digest() == first, net.Net(7).digest() == first, net.Net(8).digest() == first)
def refused(call, *given):
    try:
        call(*given)
    except (ValueError, TypeError) as error:
        print(type(error).__name__, error)
refused(n.step, bar[1:], 3, 0.0625)
refused(n.step, bar, 10, 0.0625)
refused(n.step, bar, -1, 0.0625)
refused(n.load, bar)
refused(n.predict, 3)
refused(wave.Net(1).infer, array("f", [float("nan")] * 10))
print(n.digest() == first)
"""
SAID = """\
True True 10 3
True True False
ValueError sample has 63 bytes: expected 64
ValueError label is 10: expected 0 to 9
ValueError label is -1: expected 0 to 9
ValueError weights has 64 bytes: expected 2600
TypeError object with buffer protocol required
ValueError x holds an infinity or a NaN
True
"""


def test_what_a_script_gives_is_checked_and_weights_come_back(
    micropython: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "session.py").write_text(SESSION)
    assert told(tmp_path, micropython[0], "session.py") == SAID


def standing_in(spec: Spec, name: str) -> ModuleType:
    """A module as the package's, in which the reference learns."""

    class Net:
        def __init__(self, seed: int) -> None:
            self.learner = Learner(spec, seed)

        def step(self, sample: Any, *more: Any) -> float:
            *target, eta = more
            one = target[0] if target else None
            if spec.goal == "vector":
                one = np.asarray(one, np.float32)
            return float(self.learner.step(self.read(sample), one, eta).loss)

        def predict(self, sample: Any) -> int:
            return int(self.learner.infer(self.read(sample)).argmax())

        def digest(self) -> int:
            return self.learner.digest()

        def read(self, sample: Any) -> np.ndarray:
            dtype = {"u8": np.uint8, "i16": np.int16, "f32": np.float32}
            return np.frombuffer(sample, dtype[spec.inputs.dtype])

    module = ModuleType(name)
    module.Net, module.INPUTS = Net, spec.sample_elements  # type: ignore[attr-defined]
    module.OUTPUTS = spec.network.n_out  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize("name", SPECS)
def test_the_script_reads_the_sensor_that_numpy_has_read(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this Python, with the reference in place of the module."""
    spec = SPECS[name]
    monkeypatch.setitem(sys.modules, "net", standing_in(spec, "net"))
    exec(made(spec, "micropython").files["examples/learn.py"], {})
    assert "equal to numpy's" in capsys.readouterr().out


def test_both_ways_of_building_name_every_source(tmp_path: Path) -> None:
    made(SPECS["labels"], "micropython", "digits").write(tmp_path)
    sources = {f"src/{path.name}" for path in (tmp_path / "src").glob("*.c")}
    assert sources == {"src/digits.c", "src/digits_const.c", "src/moddigits.c"}
    for file in ("micropython.mk", "micropython.cmake"):
        text = (tmp_path / file).read_text()
        assert set(re.findall(r"src/\w+\.c", text)) == sources, file
