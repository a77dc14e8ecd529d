"""A trap is reported with its cause, never a silent hang."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import targets
from codegen import render
from hil import Experiment, lesson, run
from hil.errors import DeviceFault


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
    monkeypatch.setattr(lesson, "load_target", lambda name: bare)
    with pytest.raises(DeviceFault, match="illegal instruction") as caught:
        run(Experiment(steps=5), out=tmp_path)
    assert caught.value.exit_code == 7
    assert record(tmp_path)["exit_code"] == 7


def test_a_wild_write_in_a_kernel_is_a_fault_that_names_its_step(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = render.render_network

    def wild(plan: object) -> dict[str, str]:
        files = right(plan)  # type: ignore[arg-type]
        update = "    /* W[i][j] -= eta x_i d_j"
        assert update in files["net.c"]
        files["net.c"] = files["net.c"].replace(
            update, f"    *(volatile float *)8 = *loss;\n{update}"
        )
        return files

    monkeypatch.setattr(render, "render_network", wild)
    with pytest.raises(DeviceFault, match="store access fault") as caught:
        run(Experiment(target="qemu-rv64gc", steps=5), out=tmp_path)
    assert "step 0" in str(caught.value)
    assert record(tmp_path)["exit_code"] == 7
