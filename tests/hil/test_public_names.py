"""What a user may import from `hil`, and that it tells a type checker its types."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hil

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", hil.__all__)
def test_a_public_name_is_there_and_shown(name: str) -> None:
    assert name in dir(hil)
    assert getattr(hil, name) is not None


def test_no_other_name_is() -> None:
    with pytest.raises(AttributeError, match="'hil' has no attribute 'nothing'"):
        hil.nothing  # noqa: B018


def test_importing_hil_imports_none_of_them() -> None:
    code = (
        "import sys, hil; dir(hil); print(*(m for m in sys.modules if m[:4] == 'hil.'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == []


@pytest.mark.parametrize("room", ["targets", "codegen", "emulation", "hil"])
def test_a_room_says_that_it_has_types(room: str) -> None:
    assert (ROOT / room / "py.typed").is_file()
