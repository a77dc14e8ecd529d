"""State of elements narrower than a word: in RAM, on the line, in flash and files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import codegen.reference.rules as twins
from codegen import rules
from codegen.formats import FORMATS
from codegen.planning.plan import plan
from codegen.spec import Network, RuleChoice, Spec
from codegen.tensors import Tensor
from hil import Experiment, run
from hil.lesson import weights
from targets import load

RULE = '''
from codegen.formats import I16, U8
from codegen.forms import at_the_end
from codegen.program import Set, Stage
from codegen.rules import Declaration, Rate


def program(c):
    """The output layer learns, and two tensors that are no weights count steps."""
    ticks = c.tensor("ticks", (2, 3), "dynamic", format=U8)
    debts = c.tensor("debts", (3,), "dynamic", format=I16)
    counted = Stage("update", (
        Set("s->ticks[1][net->step % 3]", "(uint8_t)(s->ticks[1][net->step % 3] + 37U)", (ticks,)),
        Set("s->debts[2]", "(int16_t)(s->debts[2] - 3)", (debts,)),
    ))
    return at_the_end(c, layers=(c.depth,), first=(counted,))


RULE = Declaration(
    "counting", "for a test", "nobody", "none", (),
    lambda activation, parameters: Rate(0.01, 0.01), program,
)
'''
TWIN = """
import numpy as np


def initial(network, draw, parameters):
    return {"ticks": np.zeros((2, 3), np.uint8), "debts": np.zeros(3, np.int16)}


def step(machine, x, t, eta):
    machine.judge(machine.forward(x), t)
    machine.state["ticks"][1, machine.step_number % 3] += np.uint8(37)
    machine.state["debts"][2] -= 3
    machine.update_layer(machine.depth, eta)
"""
ASKED = Experiment(rule="counting", network="64-7-10", steps=24, test=5)


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One more rule beside the others, with its twin: here, and in the process that
    computes the reference."""
    hook = []
    for package, text in ((rules, RULE), (twins, TWIN)):
        folder = tmp_path / package.__name__
        folder.mkdir()
        (folder / "counting.py").write_text(text)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
        name = package.__name__
        hook.append(f"import {name}; {name}.__path__.append({str(folder)!r})")
    (tmp_path / "sitecustomize.py").write_text("\n".join(hook))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(rules.__file__).parents[2]}")
    yield
    for package in (rules, twins):
        sys.modules.pop(f"{package.__name__}.counting", None)


def test_narrow_tensors_lie_packed_and_end_with_their_word(counting: None) -> None:
    made = plan(Spec(Network((64, 7, 10)), RuleChoice("counting")), load("host"))
    narrow = [t for t in made.state if t.format.bits < 32]
    assert [(t.name, t.nbytes, t.words) for t in narrow] == [
        ("ticks", 6, 2), ("debts", 6, 2),
    ]  # fmt: skip
    ends = [t.offset + 4 * t.words for t in made.state]
    assert [t.offset for t in made.state] == [0, *ends[:-1]]


@pytest.mark.parametrize("name", [n for n in FORMATS if n != "f32"])
def test_what_is_packed_comes_back(name: str) -> None:
    one = Tensor("one", (3, 5), FORMATS[name], "dynamic")
    values = np.arange(-7, 8).astype(one.format.dtype).reshape(3, 5)
    data = one.packed(values)
    assert len(data) == 4 * one.words and not any(data[one.nbytes :])
    np.testing.assert_array_equal(one.unpacked(data), values)


@pytest.mark.parametrize(
    "target, keys",
    [("host", {}), ("qemu-rv64gcv", {"debug": True}), ("netduinoplus2", {})],
)
def test_narrow_state_is_equal_in_every_step_and_in_what_is_saved(
    counting: None, tmp_path: Path, qemu64: str, qemu_arm: str, target: str,
    keys: dict[str, object],
) -> None:  # fmt: skip
    saved = tmp_path / "saved.npz"
    record = run(
        ASKED.override({"target": target, "save": str(saved), **keys}), out=tmp_path
    )
    assert (record.result, record.compared) == ("pass", 24)
    state = weights.read(str(saved))
    assert state["ticks"].dtype == np.uint8 and state["debts"].dtype == np.int16
    np.testing.assert_array_equal(state["ticks"], [[0, 0, 0], [8 * 37 % 256] * 3])
    np.testing.assert_array_equal(state["debts"], [0, 0, -72])


def test_narrow_state_goes_on_from_a_file_and_from_flash(
    counting: None, tmp_path: Path, host_cc: str
) -> None:
    saved, asked = str(tmp_path / "saved.npz"), ASKED.override({"target": "host"})
    run(asked.override({"save": saved}), out=tmp_path)
    assert run(asked.override({"init": saved}), out=tmp_path).result == "pass"
    clean = run(asked.override({"commit": 3}), out=tmp_path)
    for seed in (1, 2):
        faults = f"cut=0.2,seed={seed}"
        record = run(asked.override({"commit": 3, "faults": faults}), out=tmp_path)
        assert record.result == "pass" and record.digest == clean.digest
