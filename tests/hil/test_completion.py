"""hil completion: real shells complete verbs, flags and values by its scripts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import targets
from codegen import rules

HIL = Path(sys.executable).parent / "hil"


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the scripts, each named for its shell."""
    folder = tmp_path_factory.mktemp("completion")
    for shell in ("bash", "zsh", "fish"):
        with (folder / f"hil.{shell}").open("w") as file:
            subprocess.run([HIL, "completion", shell], stdout=file, check=True)
    return folder


def said(command: list[str | Path], text: str, **more: str) -> str:
    """What a shell says to these lines."""
    done = subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=60, env={**more}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


BASH = """\
source "{script}"
COMP_WORDS=({line})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_shtab_hil
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


def by_bash(scripts: Path, line: str) -> set[str]:
    text = BASH.format(script=scripts / "hil.bash", line=line)
    return set(said(["bash", "--norc", "-s"], text).split())


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hil comp", {"compare", "completion"}),
        ("hil bench li", {"link", "list", "live"}),
        ("hil run --ta", {"--target", "--tau"}),
        ("hil run --health 5 --comp", {"--compare"}),
        ("hil build --health", set()),
        ("hil run --target qemu-", {t for t in targets.names() if t.startswith("qemu-")}),
        ("hil sweep --rule f", {r for r in rules.names() if r.startswith("f")}),
        ("hil build --package plat", {"platformio"}),
        ("hil schema exp", {"experiment"}),
        ("hil demo dr", {"drift"}),
    ],
)  # fmt: skip
def test_bash_completes(scripts: Path, line: str, words: set[str]) -> None:
    assert by_bash(scripts, line) == words


ZSH = """\
zmodload zsh/zpty
zpty shell "zsh -f"
zpty -w shell 'hil() {{ print "ASKED $*" }}; autoload -Uz compinit; compinit -D -u'
zpty -w shell 'eval "$(<{script})"; print RE""ADY'
zpty -r -m shell said '*READY*'
zpty -w shell $'{line}\\t'
zpty -r -m shell said $'*\\nASKED*\\n*'
print -r -- ${{said##*ASKED}}
"""


@pytest.mark.parametrize(
    ("line", "whole"),
    [
        ("hil compl", "completion"),
        ("hil run --tar", "run --target"),
        ("hil run --target netd", "run --target netduinoplus2"),
        ("hil bench step --warm 3 --tri", "bench step --warm 3 --tri"),
    ],
)
def test_zsh_completes(scripts: Path, tmp_path: Path, line: str, whole: str) -> None:
    zsh = shutil.which("zsh") or pytest.skip("zsh is not installed")
    text = ZSH.format(script=scripts / "hil.zsh", line=line)
    path = f"{Path(zsh).parent}:/usr/bin:/bin"
    found = said([zsh, "-f", "-s"], text, PATH=path, HOME=str(tmp_path), TERM="xterm")
    assert found.split() == whole.split()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hil compl", {"completion"}),
        ("hil run --ta", {"--target", "--tau"}),
        ("hil run --target qemu-rv64", {"qemu-rv64gc", "qemu-rv64gcv"}),
    ],
)
def test_fish_completes(
    scripts: Path, tmp_path: Path, line: str, words: set[str]
) -> None:
    fish = shutil.which("fish") or pytest.skip("fish is not installed")
    text = f'source "{scripts}/hil.fish"\ncomplete -C "{line}"\n'
    found = said([fish, "--no-config"], text, HOME=str(tmp_path))
    assert {row.split("\t")[0] for row in found.splitlines()} == words
