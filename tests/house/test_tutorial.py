"""What the tutorial tells a newcomer to type works as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hil.device.debuggers import ANY
from tests.conftest import require

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
LIMIT = 20.0


def written(name: str) -> str:
    """The file of that name as the page shows it."""
    found = re.search(rf"^    # {re.escape(name)}\n((?:    .*\n|\n)+)", PAGE, re.M)
    assert found is not None
    return textwrap.dedent(found[1])


def shown(beginning: str) -> list[str]:
    """The words of the command on the page that begins so, continued lines too."""
    found = re.search(rf"^    ({re.escape(beginning)}(?:.*\\\n)*.*)$", PAGE, re.M)
    assert found is not None
    return shlex.split(found[1].replace("\\\n", " "))


def run(folder: Path, *words: str, code: int = 0) -> str:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
    )
    assert done.returncode == code, done.stdout + done.stderr
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
    run(tmp_path, *shown("hil memory"))
    refused = re.search(r"`(hil build .* --ram \"8 KiB\")`", PAGE)
    assert refused is not None
    run(tmp_path, *shlex.split(refused[1]), code=3)
    pytest = (sys.executable, "-m", "pytest", "-q", "test_waves.py")
    run(tmp_path, *pytest, "--hil-target", "mps2-an386")


def test_the_tutorials_run_of_ones_own_works(tmp_path: Path, qemu64: str) -> None:
    run(tmp_path, *shown("hil run --network"))


def test_the_tutorials_stand_in_for_a_board_is_flashed_and_taught(
    tmp_path: Path, qemu_arm: str, free_port: Callable[[], int]
) -> None:
    require(shutil.which(ANY), ANY, "make system-packages")
    ports = {each: str(free_port()) for each in ("5555", "3333")}

    def free(text: str) -> str:
        return re.sub("5555|3333", lambda found: ports[found[0]], text)

    for name in ("make_data.py", "waves.toml"):
        (tmp_path / name).write_text(written(name), encoding="utf-8")
    run(tmp_path, sys.executable, "make_data.py")
    bench = re.search(r"^    \[units\.desk\]\n(?:    .*\n)+", PAGE, re.M)
    assert bench is not None
    (tmp_path / "bench.toml").write_text(free(textwrap.dedent(bench[0])))
    run(tmp_path, *shown("hil build --link-only"))
    board = [free(word) for word in shown("qemu-system-arm") if word != "&"]
    with subprocess.Popen(board, cwd=tmp_path, stderr=subprocess.PIPE) as machine:
        try:
            until_heard(int(ports["5555"]))
            said = run(tmp_path, *shown("hil flash"))
            assert "desk: flashed, and the new image has answered" in said
            told = run(tmp_path, *shown("hil run waves.toml --unit"), "--json", "-")
        finally:
            machine.kill()
    assert json.loads(told)["digest"] in PAGE


def until_heard(port: int) -> None:
    """Wait until somebody listens at a port of this computer."""
    until = time.monotonic() + LIMIT
    while True:
        with (
            suppress(ConnectionRefusedError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        assert time.monotonic() < until
