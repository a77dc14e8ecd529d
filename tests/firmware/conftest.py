"""The firmware under address and undefined-behaviour checks, for each of its tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import targets
from codegen.building import toolchain
from codegen.planning.plan import Plan
from codegen.protocol import Status
from codegen.rendering.render import render
from codegen.spec import Spec
from tests.firmware.process import SPECS, Firmware, Process, planned

CHECKS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
FLASH = "flash"
"""The flash's file in the test's folder."""


@pytest.fixture(scope="session", params=SPECS)
def image(request: pytest.FixtureRequest, host_cc: str) -> tuple[str, Spec]:
    """Image and spec."""
    host, spec = targets.load("host"), SPECS[request.param]
    files = render(planned(spec))
    built = toolchain.build(files, toolchain.find(host), extra=CHECKS)
    return str(built.path), spec


@pytest.fixture
def boot(image: tuple[str, Spec], tmp_path: Path) -> Iterator[Callable[..., Firmware]]:
    """Starts the firmware on the test's own flash, perhaps with a library that it
    loads before others, and greets it; it must be well, with the checks content, when
    the test is over."""
    started: list[Firmware] = []

    def start(preload: Path | None = None) -> Firmware:
        path, spec = image
        started.append(Firmware(path, planned(spec), tmp_path / FLASH, preload))
        assert started[-1].hello().status == Status.OK
        return started[-1]

    yield start
    for one in started:
        require_well(one)


@contextmanager
def initialised(path: str, made: Plan, flash: Path) -> Iterator[Firmware]:
    """Firmware in a session, initialised; it must be well when it is left."""
    one = Firmware(path, made, flash)
    try:
        assert one.hello().status == one.init().status == Status.OK
        yield one
    finally:
        require_well(one)


def require_well(one: Process) -> None:
    """It still answers, and the checks are content when it ends."""
    try:
        assert one.hello().status == Status.OK
        assert one.process.poll() is None
    finally:
        complaints = one.close()
    assert one.process.returncode == 0
    assert re.fullmatch(r"flash operations: \d+\n", complaints), complaints


@pytest.fixture
def firmware(boot: Callable[..., Firmware]) -> Firmware:
    """Firmware that has been initialised, too."""
    one = boot()
    assert one.init().status == Status.OK
    return one
