"""Every kernel rendered, and the scalar ones compiled for this computer."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import targets
from codegen import kernels
from codegen.building import toolchain
from codegen.rendering.render import environment
from tests.kernels.units import scalars, units


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
    """Every scalar kernel but those of imported models in a shared library, compiled for
    any computer of this kind, then with the vectors of this one."""
    library = tmp_path_factory.mktemp("library") / "kernels.so"
    sources = units(scalars(rendered), library.parent)
    flags = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off")
    if request.param != "portable":
        flags = toolchain.find(targets.load("host")).library
    command = [
        host_cc,
        *flags,
        "-shared",
        "-fPIC",
        "-I",
        rendered,
        *sources,
        "-o",
        library,
        "-lm",
    ]
    subprocess.run(command, check=True)
    return library


@pytest.fixture(scope="module")
def call(scalar_library: Path) -> Callable[..., Any]:
    """Calls a kernel by name; arrays go as pointers, None as NULL."""
    library = ctypes.CDLL(str(scalar_library))

    def call(name: str, *arguments: Any) -> Any:
        kernel = kernels.KERNELS[name]
        function = library[kernels.variant(name, vector=False).symbol]
        types = [parameter.rpartition(" ")[0] for parameter in kernel.parameters]
        function.argtypes = [
            ctypes.c_void_p if "*" in parameter else C_TYPES[c_type]
            for parameter, c_type in zip(kernel.parameters, types, strict=True)
        ]
        function.restype = C_TYPES[kernel.returns]
        return function(
            *(a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments)
        )

    return call


C_TYPES = {
    "void": None, "bool": ctypes.c_bool, "float": ctypes.c_float,
    "uint32_t": ctypes.c_uint32, "int32_t": ctypes.c_int32, "uint8_t": ctypes.c_uint8,
    "size_t": ctypes.c_size_t, "unsigned": ctypes.c_uint, "int16_t": ctypes.c_int16,
}  # fmt: skip
