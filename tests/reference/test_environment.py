"""A process whose arithmetic somebody has changed is refused, not believed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codegen.errors import ReferenceUnsound
from codegen.reference import Learner
from codegen.reference.environment import require_sound
from codegen.reference.serving import Asked
from codegen.spec import Network, Spec
from hil.learning.reference_process import ReferenceProcess

ROOT = Path(__file__).parents[2]
SPEC = Spec(Network((4, 3)))
FLUSHED = "subnormal numbers become zero in this process"
ROUNDED = "sums are not rounded to nearest in this process"
HOW = {
    "results": FLUSHED, "operands": FLUSHED,
    "upward": ROUNDED, "downward": ROUNDED, "to zero": ROUNDED,
}  # fmt: skip
LIMIT = 60.0


def test_this_process_is_sound() -> None:
    require_sound()


@pytest.mark.parametrize(("how", "sentence"), HOW.items(), ids=HOW)
def test_a_reference_in_a_disturbed_process_is_refused(
    disturbed: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    sentence: str,
) -> None:
    """In its own process alone: this one is sound, and so is a device."""
    monkeypatch.setenv("LD_PRELOAD", str(disturbed(how)))
    with ReferenceProcess(SPEC) as process:
        monkeypatch.delenv("LD_PRELOAD")
        process.post([Asked(np.zeros(4, np.uint8), 0, np.float32(0.1), True, False)])
        with pytest.raises(ReferenceUnsound, match=sentence) as caught:
            process.take(LIMIT)
    assert caught.value.exit_code == 1 and caught.value.hints
    Learner(SPEC)


def test_a_run_in_a_disturbed_process_is_refused_before_it_begins(
    disturbed: Callable[[str], Path], tmp_path: Path
) -> None:
    """Both sides would flush alike, and agree on digests that are wrong."""
    command = [sys.executable, "-m", "hil", "run", "--target", "host", "--steps", "2"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "runs")],
        env={**os.environ, "LD_PRELOAD": str(disturbed("results"))},
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 1
    first, hint = done.stderr.splitlines()
    assert first.startswith(f"hil: {FLUSHED}") and "LD_PRELOAD" in hint
    assert not (tmp_path / "runs").exists()
