"""Every kernel rendered, and the scalar ones compiled for this computer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import targets
from codegen import kernels, toolchain
from codegen.render import environment


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every variant and header of the table."""
    folder = tmp_path_factory.mktemp("kernels")
    for name, text in kernels.render(environment(), kernels.TABLE).items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="session", params=["portable", "as the host target's"])
def scalar_library(
    rendered: Path,
    host_cc: str,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Path:
    """Every scalar kernel in a shared library, compiled for any computer of
    this kind, then with the vectors of this one."""
    library = tmp_path_factory.mktemp("library") / "kernels.so"
    sources = sorted(rendered.glob("*__scalar.c"))
    flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
    if request.param != "portable":
        flags = toolchain.find(targets.load("host")).library
    command = [host_cc, *flags, "-shared", "-fPIC", *sources, "-o", library, "-lm"]
    subprocess.run(command, check=True)
    return library
