"""What every test may need: the tools, and what to do without them.

A tool that is missing is an error where CI is set, and a skip with the reason
elsewhere.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from hil.learning.reference_process import kept

pytest_plugins = ["pytester", "hil.pytest_plugin"]
"""The second is there as an entry point too once the project is installed anew."""

settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unhurried")
"""How long an example takes is the machine's affair. In CI hypothesis says so itself."""


def require(found: str | None, what: str, how: str) -> str:
    """`found`, or an error in CI, a skip elsewhere."""
    if found is None:
        reason = f"{what} is missing: {how}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
def ctrl_c_is_heard() -> Iterator[None]:
    """SIGINT as a program at a terminal finds it, here and in what is started here.
    A job in the background (of a shell, nohup, some CI) finds it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def free_port() -> Iterator[Callable[[], int]]:
    """Gives numbers of ports on which nobody listens, and which the system gives to
    nobody else while the test lasts: who asks for one by its number may listen there."""
    with ExitStack() as stack:

        def kept_free() -> int:
            port = stack.enter_context(socket.socket())
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            port.bind(("127.0.0.1", 0))
            return int(port.getsockname()[1])

        yield kept_free


@pytest.fixture(scope="session", autouse=True)
def one_reference() -> Iterator[None]:
    """Runs in here share a process of the reference, as the cells of a sweep do: each
    would spend a fifth of its time on the start of numpy."""
    with kept():
        yield


@pytest.fixture(scope="session")
def host_cc() -> str:
    """The C compiler of this computer."""
    return require(shutil.which("cc"), "cc", "make system-packages")


@pytest.fixture(scope="session")
def qemu64() -> str:
    """QEMU for 64-bit RISC-V."""
    name = "qemu-system-riscv64"
    return require(shutil.which(name), name, "make system-packages")


@pytest.fixture(scope="session")
def qemu32() -> str:
    """QEMU for 32-bit RISC-V."""
    name = "qemu-system-riscv32"
    return require(shutil.which(name), name, "make system-packages")


@pytest.fixture(scope="session")
def qemu_arm() -> str:
    """QEMU for Arm."""
    name = "qemu-system-arm"
    return require(shutil.which(name), name, "make system-packages")


@pytest.fixture(scope="session")
def qemu_user() -> str:
    """QEMU's user mode for 64-bit RISC-V."""
    name = "qemu-riscv64"
    return require(shutil.which(name), name, "make system-packages")


@pytest.fixture(scope="session")
def disturbed(
    host_cc: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """A shared object for LD_PRELOAD that changes the arithmetic of its process:
    rounds "upward", "downward" or "to zero", or makes zero of subnormal "results"
    or "operands"."""
    source = Path(__file__).parent / "disturb.c"

    @cache
    def built(how: str) -> Path:
        name = how.upper().replace(" ", "_")
        made = tmp_path_factory.mktemp("disturbed") / f"{name}.so"
        flags = ["-shared", "-fPIC", f"-DDISTURBED={name}", str(source)]
        subprocess.run([host_cc, *flags, "-o", str(made), "-lm"], check=True)
        return made

    return built


@pytest.fixture(scope="session")
def hil_data() -> Path:
    """The folder of real data sets."""
    folder = os.environ.get("HIL_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("HIL_DATA does not name a folder with mnist/ in it")
    return Path(folder)


@pytest.fixture(scope="session")
def second_compiler() -> None:
    """A clang for RISC-V besides the pinned one, and a gcc for the host."""
    import targets
    from codegen.building import toolchain
    from codegen.errors import CompilerMissing

    for target, name in (("qemu-rv64gcv", "clang"), ("host", "gcc")):
        try:
            toolchain.find(targets.load(target), name)
        except CompilerMissing as error:
            require(None, f"toolchain {name}", str(error))
