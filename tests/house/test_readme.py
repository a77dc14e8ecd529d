"""What README tells a user to type works as it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
COMMANDS = [
    line.split("#")[0].strip() for line in re.findall(r"^    (hil .*)$", README, re.M)
]


def test_the_two_commands_stand_in_the_readme_and_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text()
    for verb in ("demo", "test"):
        assert f"make {verb}" in README
        assert f"\n{verb}:" in makefile


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_works(
    command: str, tmp_path: Path, qemu64: str, request: pytest.FixtureRequest
) -> None:
    words = shlex.split(command)
    if any("mnist" in word for word in words):
        request.getfixturevalue("hil_data")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    hil = Path(sys.executable).parent / "hil"
    done = subprocess.run(
        [hil, *words[1:]], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_python_of_the_readme_works(
    tmp_path: Path, qemu64: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = re.search(r"^From Python:\n\n((?:    .*\n)+)", README, re.M)
    assert code is not None
    lines = [line[4:] for line in code[1].splitlines()]
    namespace: dict[str, object] = {}
    exec("\n".join(lines[:-1]) + f"\nshown = ({lines[-1]})", namespace)
    assert namespace["shown"][0] == "pass"  # type: ignore[index]
