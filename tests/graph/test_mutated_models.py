"""Files changed at random, in a process with little memory."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_changed_file_is_read_or_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.graph.mutated_models", "--runs", "3000"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"3000 files: (\d+) read, (\d+) refused\n", done.stdout)
    assert found and int(found[1]) > 300 and int(found[2]) > 300
