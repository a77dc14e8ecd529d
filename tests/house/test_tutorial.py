"""What the tutorial tells a newcomer to type works as it stands there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def written(name: str) -> str:
    """The file of that name as the page shows it."""
    found = re.search(rf"^    # {re.escape(name)}\n((?:    .*\n|\n)+)", PAGE, re.M)
    assert found is not None
    return textwrap.dedent(found[1])


def run(folder: Path, *words: str) -> str:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tutorials_data_experiment_and_regression_work(
    tmp_path: Path, qemu_arm: str, host_cc: str
) -> None:
    for name in ("make_data.py", "waves.toml", "test_waves.py"):
        (tmp_path / name).write_text(written(name), encoding="utf-8")
    run(tmp_path, sys.executable, "make_data.py")
    digests = set()
    for target in ("host", "mps2-an386"):
        told = run(
            tmp_path, "hil", "run", "waves.toml", "--target", target, "--json", "-"
        )
        digests.add(json.loads(told)["digest"])
    assert len(digests) == 1 and digests.pop() in PAGE
    runs = sorted(map(str, (tmp_path / "runs").glob("*-waves*")))
    assert "EQUAL: the learned states agree" in run(tmp_path, "hil", "compare", *runs)
    run(tmp_path, "hil", "report", *runs)
    memory = re.search(r"^    (hil memory .*)$", PAGE, re.M)
    assert memory is not None
    run(tmp_path, *memory[1].split())
    pytest = (sys.executable, "-m", "pytest", "-q", "test_waves.py")
    run(tmp_path, *pytest, "--hil-target", "mps2-an386")
