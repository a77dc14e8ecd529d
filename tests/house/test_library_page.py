"""What docs/library.md and docs/packages.md show works as it stands there: their files,
their commands in their order, and what these print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from codegen.rendering.self_test import FINDINGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
PACKAGES = (ROOT / "docs" / "packages.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", [PAGE, PACKAGES], ids=["library", "packages"])
def test_a_page_works_as_it_stands(tmp_path: Path, host_cc: str, page: str) -> None:
    for name, body in re.findall(
        r"^    # (\S+\.\w+)\n((?:    .*\n|\n)+?)(?=    \$|    # \S+\.\w+\n|\S)",
        page,
        re.M,
    ):
        (tmp_path / name).write_text(textwrap.dedent(body))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    sessions = re.findall(r"^    \$ (.*)\n((?:    (?!\$).*\n)*)", page, re.M)
    assert len(sessions) > 5
    for command, shown in sessions:
        done = subprocess.run(
            command, shell=True, cwd=tmp_path, env={**os.environ, "PATH": path},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if shown:
            assert done.stdout == textwrap.dedent(shown)


def test_the_page_has_every_finding_of_the_self_test() -> None:
    rows = re.findall(r"^\| (-\d+) \| `NET_BAD_(\w+)` \| (.*) \| (.*) \|$", PAGE, re.M)
    assert rows == [
        (str(one.code), one.name, one.meaning, one.cure) for one in FINDINGS
    ]


def test_the_readme_compiles_as_the_page_does() -> None:
    """But for the name of the program."""
    (command,) = re.findall(r"^    (cc .*)$", README, re.M)
    assert f"    $ {command} -o learn\n" in PAGE
