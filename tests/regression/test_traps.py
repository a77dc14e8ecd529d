"""A trap is reported with its cause, never a silent hang."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import targets
from hil import Experiment, run
from hil.errors import DeviceFault
from hil.lesson import preparing
from tests.regression.mistakes import spoil


def record(folder: Path) -> dict[str, object]:
    """The only record in `folder`."""
    (path,) = folder.glob("*/run.json")
    return dict(json.loads(path.read_text()))


def test_a_vector_image_on_a_core_without_vectors_says_so(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = targets.load("qemu-rv64gcv")
    assert target.qemu is not None
    bare = replace(target, qemu=replace(target.qemu, cpu="rv64,v=false,vlen={vlen}"))
    monkeypatch.setattr(preparing, "load_target", lambda name: bare)
    with pytest.raises(DeviceFault, match="illegal instruction") as caught:
        run(Experiment(steps=5), out=tmp_path)
    assert caught.value.exit_code == 7
    assert record(tmp_path)["exit_code"] == 7


def test_a_wild_write_in_a_kernel_is_a_fault_that_names_its_step(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, "*(volatile float *)8 = *loss;")
    with pytest.raises(DeviceFault, match="store access fault") as caught:
        run(Experiment(target="qemu-rv64gc", steps=5), out=tmp_path)
    assert "step 0" in str(caught.value)
    assert record(tmp_path)["exit_code"] == 7
