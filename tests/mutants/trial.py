"""A copy of the tree, in which a defect is planted and the fitting tests are run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalogue import ROOMS, ROOT, Mutant

COPIED = (
    *ROOMS,
    "tests",
    "docs",
    "examples",
    "pyproject.toml",
    "README.md",
    "Makefile",
)
GRACE = 5.0
"""Seconds that tests have to end after they were told to."""
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - (.*))?$", re.MULTILINE)
NOT_C = re.compile(r"BuildError: .* failed on |CalledProcessError: Command '\['\S*cc'")
STARTED = re.compile(r"^(\S+\.py::.+?) *$", re.MULTILINE)


class Unfit(Exception):
    """Tests that could not be run, so that they say nothing about a mutant."""


@dataclass(frozen=True)
class Outcome:
    """What became of the tests: which failed first (None: none did) and what it
    said; `seconds` is what they took. `hung`: it did not fail, it was ended."""

    test: str | None
    said: str
    seconds: float
    hung: bool = False

    @property
    def caught(self) -> bool:
        """Whether a test has noticed."""
        return self.test is not None


class Copy:
    """The tree once more, in a folder of its own; the tree itself is only read.

    Python finds the project's modules in the copy alone, in child processes too:
    PYTHONPATH and the working folder come before the virtual environment, and
    `prove` looks where they are from. Images are built into a cache of the copy's.
    """

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        """Copy the tree into `folder`, which must not exist."""
        self.root = folder / "tree"
        self._scratch = folder / "scratch"
        self._cache = cache or folder / "cache"
        for name in COPIED:
            source, target = ROOT / name, self.root / name
            if source.is_dir():
                shutil.copytree(source, target, symlinks=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        self.prove()

    @property
    def environment(self) -> dict[str, str]:
        """Of everything that is run in the copy."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        return kept | {
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "HIL_CACHE": str(self._cache),
            "COLUMNS": "500",
        }

    def prove(self) -> None:
        """Raises `Unfit` unless the project's modules are the copy's."""
        code = "".join(
            f"import {room}; print({room}.__file__)\n"
            for room in ROOMS
            if room != "firmware"
        )
        found = subprocess.run(
            [sys.executable, "-c", code], cwd=self.root, env=self.environment,
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        for line in found.stdout.splitlines():
            if not Path(line).is_relative_to(self.root):
                raise Unfit(f"{line} was imported, which is not in {self.root}")

    @contextmanager
    def planted(self, mutant: Mutant) -> Iterator[None]:
        """The copy with the defect in it, and as it was afterwards.

        Times of change differ by a second, for Python knows what it has compiled by
        size and second."""
        path = self.root / mutant.file
        right, times = path.read_bytes(), path.stat()
        path.write_text(mutant.applied(right.decode("utf-8")), "utf-8")
        os.utime(path, (times.st_atime, times.st_mtime + 1))
        try:
            yield
        finally:
            path.write_bytes(right)
            os.utime(path, (times.st_atime, times.st_mtime))

    def attempt(self, mutant: Mutant) -> Outcome:
        """Plant, run the fitting tests, mend; raises `Stale`, and `Unfit` also where
        a defect in C is none, since no compiler takes it."""
        with self.planted(mutant):
            outcome = self.run(mutant.tests, mutant.limit)
        if Path(mutant.file).suffix != ".py" and NOT_C.search(outcome.said):
            raise Unfit(f"{mutant.name!r} does not compile: {outcome.said}")
        return outcome

    def run(self, tests: Sequence[str], limit: float = Mutant.limit) -> Outcome:
        """Run tests in the copy up to the first that fails; raises `Unfit` where
        they could not be run."""
        command = [
            sys.executable, "-m", "pytest", "-x", "-v", "-p", "no:cacheprovider",
            "--basetemp", str(self._scratch), *tests,
        ]  # fmt: skip
        log = self.root.parent / "log"
        started = time.monotonic()
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
            try:
                code = process.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _end(process)
        took = time.monotonic() - started
        said = log.read_text("utf-8", "replace")
        return _judged(code, said, took, limit)


def _judged(code: int | None, said: str, took: float, limit: float) -> Outcome:
    """From pytest's exit code (None: it was ended) and what it has printed."""
    if code is None:
        begun = STARTED.findall(said)
        test = begun[-1] if begun else "collection"
        return Outcome(test, f"still running after {limit:g} s", took, hung=True)
    first = FAILED.search(said)
    if code == 0:
        return Outcome(None, "", took)
    if code not in (1, 2) or first is None:
        raise Unfit(f"the tests could not be run:\n{said[-2000:]}")
    return Outcome(first[1], first[2] or "", took)


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and all of its group, which is its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
