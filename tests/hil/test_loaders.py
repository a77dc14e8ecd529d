"""Command lines of tools whose hardware is not here, word by word."""

from __future__ import annotations

from pathlib import Path

import pytest

import targets
from hil import Experiment
from hil.building import build, plan_for
from hil.errors import FlashError
from hil.lesson import prepare
from hil.loaders import loader_for
from hil.loaders.openocd import OpenocdLoader
from hil.loaders.pyocd import PyocdLoader
from hil.units import Unit


def image(target: str) -> Path:
    return build(
        plan_for(prepare(Experiment(target=target, network=(64, 10))))
    ).image.path


def openocd(target: str, probe: str | None = None) -> OpenocdLoader:
    unit = Unit("desk", "/dev/null", target, "openocd", config="b.cfg", probe=probe)
    made = loader_for(unit, targets.load(target))
    assert isinstance(made, OpenocdLoader)
    return made


def test_openocd_programs_flash_verifies_and_resets() -> None:
    path, loader = image("netduinoplus2"), openocd("netduinoplus2", "0669FF")
    assert loader.words(loader.loading(path)) == [
        "openocd", "-f", "b.cfg", "-c", "adapter serial 0669FF",
        "-c", f"program {{{path}}} verify reset exit",
    ]  # fmt: skip


def test_openocd_runs_what_lies_in_ram() -> None:
    path, loader = image("qemu-rv64gc"), openocd("qemu-rv64gc")
    assert loader.words(loader.loading(path)) == [
        "openocd", "-f", "b.cfg", "-c", "init", "-c", "reset halt",
        "-c", f"load_image {{{path}}}", "-c", f"verify_image {{{path}}}",
        "-c", "resume 0x80000000", "-c", "shutdown",
    ]  # fmt: skip


def test_pyocd_picks_its_probe() -> None:
    unit = Unit("desk", "/dev/null", "netduinoplus2", "pyocd", chip="stm32f405rgtx")
    loader = PyocdLoader(unit, targets.load("netduinoplus2"))
    common = ["--no-wait", "--target", "stm32f405rgtx"]
    assert loader.words("load") == ["pyocd", "load", *common]
    picky = Unit(**{**vars(unit), "probe": "0240"})
    loader = PyocdLoader(picky, targets.load("netduinoplus2"))
    assert loader.words("reset") == ["pyocd", "reset", *common, "--probe", "0240"]


@pytest.mark.parametrize("name", ["openocd", "pyocd"])
def test_a_tool_that_is_not_here_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    unit = Unit("desk", "/dev/null", "host", name, config="b.cfg", chip="x")
    with pytest.raises(FlashError, match=f"'{name}' does not start"):
        loader_for(unit, targets.load("host")).reset()
