"""Runs tests whose C programs count what they do: the tools, and the environment in
which cc and clang are tests/coverage/counting-cc."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from tests.coverage.conditions import Seen, read

ROOT = Path(__file__).parents[2]
OLDEST = 18
"""The first clang that knows MC/DC."""
NUMBERS = ("", *(f"-{n}" for n in range(25, OLDEST - 1, -1)))
CURE = "CI=1 make system-packages"


def llvm() -> str | None:
    """What the names of clang, llvm-cov and llvm-profdata end with, such as "-19";
    None where no three of one version are here."""
    for number in NUMBERS:
        names = [f"{tool}{number}" for tool in ("clang", "llvm-cov", "llvm-profdata")]
        if all(map(shutil.which, names)) and _major(names[0]) >= OLDEST:
            return number
    return None


def _major(clang: str) -> int:
    told = subprocess.run([clang, "-dumpversion"], capture_output=True, text=True)
    found = re.match(r"\d+", told.stdout)
    return int(found[0]) if found else 0


class Counted:
    """A folder for programs that count and for what they have counted."""

    def __init__(self, folder: Path, number: str) -> None:
        self.folder, self.number = folder, number
        for name in ("programs", "profiles", "bin"):
            (folder / name).mkdir(parents=True)
        for name in ("cc", "clang"):
            (folder / "bin" / name).symlink_to(Path(__file__).with_name("counting-cc"))

    @property
    def environment(self) -> dict[str, str]:
        """For whatever builds and runs such programs; their images are no others'."""
        return os.environ | {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HIL_COUNTED": str(self.folder),
            "HIL_CLANG": shutil.which(f"clang{self.number}") or "",
            # %m tells programs apart by their sizes alone: two may have the same
            "LLVM_PROFILE_FILE": str(self.folder / "profiles" / "%m-%p.profraw"),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            # the pinned compiler's own is no image, and takes minutes to make
            "ZIG_GLOBAL_CACHE_DIR": str(user_cache_path("zig")),
        }

    def pytest(
        self, *arguments: str, under: Sequence[str] = (), quiet: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run these tests on such programs, pytest itself under another module."""
        command = [
            sys.executable, *under, "-m", "pytest", "-q", "-p", "no:cacheprovider",
            f"--basetemp={self.folder / 'tests'}", *arguments,
        ]  # fmt: skip
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=quiet, text=True
        )

    def seen(self) -> Seen:
        """What the programs have shown so far."""
        programs = sorted((self.folder / "programs").iterdir())
        return read(programs, self.folder / "profiles", self.number, ROOT)


BRIEFLY: Sequence[str] = (
    "tests/firmware/test_found_in_flash.py", "tests/firmware/test_frame_codec.py",
    "tests/firmware/test_given_events.py", "tests/firmware/test_goals.py",
    "tests/firmware/test_inference_frames.py",
    "tests/firmware/test_late_frames.py", "tests/firmware/test_lif_frames.py",
    "tests/firmware/test_parts.py",
    "tests/firmware/test_runtime_under_sanitizers.py", "tests/firmware/test_store.py",
    "tests/firmware/test_written_states.py", "tests/fuzz/test_harnesses.py", "-k",
    "not (goes_on_alike or noise_changes or bounded_run or defect_is_found or real_session or small)",
)  # fmt: skip
"""Tests that show every condition of firmware/src: the committed corpus, and what is
said to the firmware frame by frame."""
