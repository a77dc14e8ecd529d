"""The wheel: complete, of one name, and deaf to others that happen to have our names."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from hil import house
from hil.cli import main

ROOT = Path(__file__).parents[2]
DECOY = "raise ImportError('a decoy')\n"
ALONE = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
COMMANDS = re.findall(
    r"^    (hil (?:run|data) .*examples/\S+\.csv.*?)(?:  .*)?$",
    (ROOT / "docs" / "commands.md").read_text("utf-8"), re.M,
)  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built of its sdist, as `make dist` does."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, ROOT],
        check=True, capture_output=True,
    )  # fmt: skip
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of a clean environment that has it."""
    venv = tmp_path_factory.mktemp("clean") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", wheel], check=True)
    return venv / "bin"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """What makes the wheel's tree."""
    spec = spec_from_file_location("wheel_hook", ROOT / ".ci" / "wheel.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def there(command: str) -> Iterator[str]:
    """Names of the repository's files, as the wheel has them."""
    listed = subprocess.run(
        shlex.split(command), cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in listed.stdout.split():
        yield name if name.startswith("hil/") else f"hil/{house.INSTALLED.name}/{name}"


def test_it_holds_every_file_and_takes_no_name_but_its_own(wheel: Path) -> None:
    packed = set(zipfile.ZipFile(wheel).namelist())
    rooms = "targets codegen emulation hil firmware examples"
    assert set(there(f"git ls-files {rooms}")) <= packed
    tops = {name.partition("/")[0] for name in packed}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"hil"}


def test_it_runs_where_others_have_the_names_of_our_rooms(
    installed: Path, tmp_path: Path, qemu64: str
) -> None:
    """And makes the very image that the checkout makes."""
    (site,) = installed.parent.glob("lib/python*/site-packages")
    for decoy in house.ROOMS:
        for folder in (tmp_path, site):
            (folder / decoy).mkdir()
            (folder / decoy / "__init__.py").write_text(DECOY)
    asked = ["run", "--steps", "20"]
    done = subprocess.run(
        [installed / "python", "-m", "hil", *asked],
        cwd=tmp_path, env=ALONE, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    ours = subprocess.run(
        [sys.executable, "-m", "hil", *asked, "--out", str(tmp_path / "ours")],
        cwd=ROOT, env=ALONE, capture_output=True, text=True,
    )  # fmt: skip
    told = re.search(r"PASS: 20 of 20 steps bit-exact.*", done.stdout)
    assert told is not None and told[0] in ours.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_with_an_example_works_from_an_empty_folder(
    installed: Path, tmp_path: Path, host_cc: str, command: str
) -> None:
    done = subprocess.run(
        [installed / "hil", *shlex.split(command)[1:]],
        cwd=tmp_path, env=ALONE, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_commands_with_examples() -> None:
    assert len(COMMANDS) == 3


def test_a_file_of_ones_own_comes_before_an_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["data", "examples/iris.csv"]) == 0
    assert "150 samples" in capsys.readouterr().out
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "iris.csv").write_text("a,y\n1,0\n2,1\n3,1\n")
    assert main(["data", "examples/iris.csv"]) == 0
    assert "3 samples" in capsys.readouterr().out
    assert main(["data", "examples/none.csv"]) == 2
    assert "'examples/none.csv'" in capsys.readouterr().err


# -- a checkout


@pytest.mark.parametrize("room", house.ROOMS)
def test_a_stranger_of_a_rooms_name_is_named_in_one_sentence(
    tmp_path: Path, room: str
) -> None:
    (tmp_path / room).mkdir()
    (tmp_path / room / "__init__.py").write_text(DECOY)
    environment = {**ALONE, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    said = f"{room} is imported from {tmp_path / room}, not from {ROOT}: expected"
    for script, code in (("-m hil targets", 2), ("-c 'import hil; hil.run'", 1)):
        done = subprocess.run(
            [sys.executable, *shlex.split(script)],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == code and said in done.stderr, done.stderr
        assert ("Traceback" in done.stderr) == (code == 1), "a program's own"


# -- how imports are moved


def test_imports_move_and_lines_stay(hook: ModuleType) -> None:
    text = (
        '"""Of codegen."""\nfrom codegen.spec import (\n    Spec,\n)\n'
        "if True:\n    import targets\n    import emulation as machine\n"
        "from hil import output\nimport re\nx = 'codegen.spec'\n"
    )
    moved = hook.moved(text, "here.py")
    assert moved.splitlines() == [
        '"""Of codegen."""', "from hil._rooms.codegen.spec import (", "    Spec,", ")",
        "if True:", "    from hil._rooms import targets",
        "    from hil._rooms import emulation as machine",
        "from hil import output", "import re", "x = 'codegen.spec'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        "import codegen.spec",
        "import targets, re",
        "from \\\n    codegen.spec import Spec",
        "importlib.import_module(f'codegen.rules.{name}')",
        "find_spec('targets')",
        "BOOT = 'import sys; from codegen.spec import Spec'",
    ],
)
def test_an_import_that_cannot_be_moved_ends_the_build(
    hook: ModuleType, line: str
) -> None:
    with pytest.raises(SyntaxError, match=r"here\.py, line 1: .* cannot be moved"):
        hook.moved(line + "\n", "here.py")
