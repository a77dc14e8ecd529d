"""The wheel: complete, and deaf to folders that happen to have our names."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--wheel",
            "--outdir",
            str(out),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_it_holds_everything_that_is_not_python(wheel: Path) -> None:
    rooms = ("targets", "codegen", "emulation", "hil", "firmware")
    listed = subprocess.run(
        ["git", "ls-files", *rooms],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert set(listed.stdout.split()) <= set(zipfile.ZipFile(wheel).namelist())


def test_it_runs_from_a_folder_of_decoys(
    wheel: Path, tmp_path: Path, qemu64: str
) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    bin = tmp_path / "venv" / "bin"
    subprocess.run([bin / "pip", "install", "--quiet", str(wheel)], check=True)
    for decoy in ("targets", "codegen", "emulation", "hil"):
        (tmp_path / decoy).mkdir()
        (tmp_path / decoy / "__init__.py").write_text("raise ImportError('a decoy')\n")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [bin / "hil", "run", "--steps", "20"],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASS: 20 of 20 steps bit-exact" in done.stdout
