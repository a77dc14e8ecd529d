"""Command lines of tools whose hardware is not here, word by word."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import targets
from hil import Experiment
from hil.desk.loaders import loader_for
from hil.desk.loaders.base import run_tool
from hil.desk.loaders.esptool import EsptoolLoader
from hil.desk.loaders.openocd import OpenocdLoader
from hil.desk.loaders.picotool import PicotoolLoader
from hil.desk.loaders.pyocd import PyocdLoader
from hil.device.units import Unit
from hil.errors import FlashError
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare
from tests.conftest import require


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


def esptool(port: str, baud: str | None = None) -> EsptoolLoader:
    unit = Unit("desk", port, "host", "esptool", chip="esp32c3", baud=baud)
    return EsptoolLoader(unit, targets.load("host"))


def test_esptool_makes_an_image_writes_it_and_resets() -> None:
    loader, made = esptool("/dev/ttyACM0", "460800"), Path("made.bin")
    assert loader.converting(Path("image.elf"), made) == [
        "esptool", "--chip", "esp32c3", "elf2image", "--flash-mode", "dio",
        "--output", "made.bin", "image.elf",
    ]  # fmt: skip
    assert loader.words("write-flash", "0x0", "made.bin") == [
        "esptool", "--chip", "esp32c3", "--port", "/dev/ttyACM0", "--baud", "460800",
        "--after", "hard-reset", "write-flash", "0x0", "made.bin",
    ]  # fmt: skip
    assert esptool("/dev/ttyACM0").words("read-mac") == [
        "esptool", "--chip", "esp32c3", "--port", "/dev/ttyACM0",
        "--after", "hard-reset", "read-mac",
    ]  # fmt: skip


@pytest.fixture
def esptool_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the environment that runs this is not activated."""
    folders = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    monkeypatch.setenv("PATH", folders)
    require(shutil.which("esptool"), "esptool", "pip install 'esptool>=5'")


def test_esptool_itself_takes_these_commands_up_to_the_port(
    tmp_path: Path, esptool_installed: None
) -> None:
    """Its own reading of what it made of an image in an ESP32-C3's two RAMs."""
    source, elf = tmp_path / "image.s", tmp_path / "image.elf"
    source.write_text(".globl _start\n_start: j _start\n.data\n.word 1\n")
    layout = tmp_path / "link.ld"
    layout.write_text(
        "SECTIONS { . = 0x40380000; .text : { *(.text) }\n"
        " . = 0x3fc90000; .data : { *(.data) } }\n"
    )
    subprocess.run(
        [sys.executable, "-m", "ziglang", "cc", "-target", "riscv32-freestanding",
         "-nostdlib", "-T", layout, "-o", elf, source],
        check=True,
    )  # fmt: skip
    loader, made = esptool(str(tmp_path / "no-port")), tmp_path / "image.bin"
    run_tool(loader.converting(elf, made))
    said = run_tool(["esptool", "image-info", str(made)])
    for fact in (
        "type: ESP32-C3",
        "Entry point: 0x40380000",
        "mode: DIO",
        "Checksum: ",
    ):
        assert fact in said
    assert loader.version().startswith("esptool v")
    with pytest.raises(FlashError, match="'esptool' failed with exit code 2") as caught:
        loader.program(elf)
    assert any("Could not open" in hint for hint in caught.value.hints)


def test_picotool_loads_verifies_and_executes_what_it_picks() -> None:
    unit = Unit("desk", "/dev/null", "host", "picotool", probe="E663A8")
    loader = PicotoolLoader(unit, targets.load("host"))
    assert loader.words(Path("image.elf")) == [
        "picotool", "load", "-v", "-x", "image.elf", "-t", "elf", "--ser", "E663A8",
        "-f",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["openocd", "pyocd", "esptool", "picotool"])
def test_a_tool_that_is_not_here_is_named(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    unit = Unit("desk", "/dev/null", "host", name, config="b.cfg", chip="x")
    with pytest.raises(FlashError, match=f"'{name}' does not start"):
        loader_for(unit, targets.load("host")).program(image("qemu-rv64gc"))
