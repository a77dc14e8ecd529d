"""Sweeps of real runs: one table, resumed where they were left.

More than 400 lines because its tests share the lines of small sweeps.
"""

from __future__ import annotations

import csv
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hil import Experiment, run
from hil.cli import main
from hil.experiment import load
from hil.sweep import workers

pytestmark = pytest.mark.usefixtures("host_cc", "ctrl_c_is_heard")
ROOT = Path(__file__).parents[2]
SMALL = ("--target", "host", "--network", "64-9-10", "--steps", "40", "--test", "50")
LIMIT = 60


def sweep(folder: Path, *given: str, code: int = 0) -> dict[str, Any]:
    """The document of a sweep that ended with this exit code."""
    assert main(["sweep", "--out", str(folder), *SMALL, *given]) == code
    return document(folder)


def document(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "sweep.json").read_text())  # type: ignore[no-any-return]


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def runs(folder: Path) -> set[str]:
    return {str(path) for path in folder.glob("cells/*/*/run.json")}


def states(made: dict[str, Any]) -> list[str]:
    return [cell["state"] for cell in made["cells"]]


def test_a_table_holds_what_the_runs_say(folder: Path, tmp_path: Path) -> None:
    made = sweep(folder, "--vary", "rule=bp,dfa", "--vary", "seed=1-3")
    assert made["keys"] == ["rule"] and made["result"] == "pass"
    rows, cells = table(folder / "table.csv"), table(folder / "cells.csv")
    for row in rows:
        seeds = [
            run(
                Experiment(
                    target="host", network="64-9-10", steps=40, test=50,
                    rule=row["rule"], seed=seed,
                ),
                out=tmp_path,
            )
            for seed in (1, 2, 3)
        ]  # fmt: skip
        reached = [record.accuracy["test"] for record in seeds]
        assert (row["n"], row["missing"], row["seeds"]) == ("3", "0", "1 2 3")
        assert float(row["test_mean"]) == pytest.approx(statistics.mean(reached))
        assert float(row["test_std"]) == pytest.approx(statistics.stdev(reached))
        assert float(row["test_min"]) == min(reached)
        assert float(row["test_max"]) == max(reached)
        assert row["provenance"] == "emulated" and row["part"] == "test"
        told = [cell["digest"] for cell in cells if cell["rule"] == row["rule"]]
        assert told == [record.digest for record in seeds]
    text = (folder / "table.md").read_text()
    assert f"| bp | {100 * float(rows[0]['test_mean']):.2f} |" in text
    assert "240 of 240 steps compared with the reference, each bit-exact\n" in text


def test_what_has_passed_is_not_run_again(folder: Path) -> None:
    sweep(folder, "--vary", "seed=1-2")
    before = runs(folder)
    made = sweep(folder, "--vary", "seed=1-3", "--vary", "rule=dfa,bp")
    assert states(made) == ["kept", "kept", "passed"] + ["passed"] * 3
    assert before < runs(folder) and len(runs(folder)) == 6
    again = sweep(folder, "--vary", "seed=1-2", "--again")
    assert states(again) == ["passed", "passed"] and len(runs(folder)) == 8
    assert [c["digest"] for c in again["cells"]] == [
        c["digest"] for c in made["cells"][:2]
    ]


def test_a_changed_data_file_is_another_cell(folder: Path, tmp_path: Path) -> None:
    path, x = tmp_path / "own.npz", np.arange(40 * 64, dtype=np.uint8).reshape(40, 64)
    for first, expected in ((0, "passed"), (0, "kept"), (1, "passed")):
        np.savez(path, x=x, y=(np.arange(40) + first) % 10)
        made = sweep(folder, "--data", str(path))
        assert states(made) == [expected]


def test_a_failed_cell_is_shown_and_the_others_go_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    diverges = ("--activation", "identity", "--output", "identity")
    axes = ("--vary", "lr=1e20,0.001", "--vary", "seed=1-2", "--best", "lr")
    made = sweep(folder, *diverges, *axes, code=1)
    out, err = capsys.readouterr()
    assert states(made) == ["failed", "failed", "passed", "passed"]
    assert (made["result"], made["exit_code"]) == ("fail", 1)
    assert [(row["n"], row["missing"]) for row in made["rows"]] == [(0, 2), (2, 0)]
    assert made["cells"][0]["settings"]["exit_code"] == 7
    assert "non-finite" in made["cells"][0]["error"]["sentence"]
    assert err.startswith("hil: 2 of 4 cells did not pass") and "exit code 7" in out
    assert [one["value"] for one in made["best"]] == [0.001]
    assert states(sweep(folder, *diverges, *axes, code=1))[2:] == ["kept", "kept"]


def test_a_holdout_is_named_in_the_table(folder: Path) -> None:
    made = sweep(folder, "--holdout", "50", "--vary", "seed=1-2")
    assert made["rows"][0]["part"] == "holdout"
    assert "| holdout % |" in (folder / "table.md").read_text()


def test_a_second_target_confirms_every_prefix(qemu64: str, folder: Path) -> None:
    asked = ("--vary", "seed=1-2", "--prefix", "20", "--resident", "--confirm")
    made = sweep(folder, *asked, "qemu-rv64gc")
    for cell in made["cells"]:
        assert cell["confirmed_by"] == "qemu-rv64gc" and cell["compared"] == 20
        assert cell["confirmed_digest"] == cell["prefix_digest"] != cell["digest"]
    text = (folder / "table.md").read_text()
    assert (
        "40 of 80 steps compared with the reference, each bit-exact, the others" in text
    )
    assert "2 of 2 cells: the digest after the prefix confirmed by qemu-rv64gc" in text
    assert states(sweep(folder, *asked, "qemu-rv64gc")) == ["kept", "kept"]


def test_a_second_target_that_differs_fails_the_cell(folder: Path) -> None:
    """What is held against each other are the two records, also those kept."""
    asked = ("--prefix", "20", "--confirm", "host")
    (cell,) = sweep(folder, *asked)["cells"]
    digest = cell["prefix_digest"]
    for path in folder.glob("cells/*/*/run.json"):
        record = json.loads(path.read_text())
        if record["steps"] == 20:
            path.write_text(json.dumps({**record, "digest": "00c0ffee"}))
    (cell,) = sweep(folder, *asked, code=1)["cells"]
    sentence = f"after 20 steps host has digest {digest}, but host has 00c0ffee"
    assert cell["error"]["sentence"] == sentence and cell["test"] is None


def test_a_large_resident_set_is_not_kept_and_can_be_had_again(
    folder: Path, tmp_path: Path
) -> None:
    x = np.ones((1100, 1000), np.uint8)
    np.savez(
        tmp_path / "wide.npz",
        x=x,
        y=np.arange(1100) % 2,
        x_test=x[:9],
        y_test=np.zeros(9, int),
    )
    asked = (
        "--data",
        str(tmp_path / "wide.npz"),
        "--network",
        "1000-3-2",
        "--resident",
    )
    (cell,) = sweep(folder, *asked)["cells"]
    kept = Path(cell["folder"])
    assert not list(kept.rglob("*.elf")) and not list(kept.rglob("*.bin"))[1:]
    again = run(load(kept / "experiment.toml"), out=tmp_path / "again")
    assert again.digest == cell["digest"]
    assert again.image["build_digest"] == cell["build"]


def test_a_list_runs_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["sweep", "--list", "--out", str(folder), "--vary", "seed=1-3"]
    assert main([*given, "--vary", "rule=bp,dfa"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "[1/6] rule bp, seed 1" and len(lines) == 6
    assert not folder.exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--jobs", "0"], "--jobs is 0: expected at least 1"),
        (["--vary", "rule=bp,dfa", "--best", "lr"], "--best is 'lr': expected a key"),
        (["--vary", "seed=1-2", "--save", "w.npz"], "save is 'w.npz' in a sweep of 2"),
        (
            ["--vary", "seed=1-2", "--unit", "/dev/ttyS7", "--jobs", "2"],
            "unit is '/dev/ttyS7' in a sweep of 2 cells, and --jobs is 2: expected --jobs 1",
        ),
        (["--confirm", "host"], "an experiment has no prefix to confirm"),
        (["--confirm", "hots", "--prefix", "9"], "unknown target 'hots'"),
        (["absent.toml"], "sweep 'absent.toml' cannot be read"),
        (["--out", "/dev/null/x"], "of the sweep cannot be made"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused_before_it_starts(
    capsys: pytest.CaptureFixture[str], given: list[str], sentence: str
) -> None:
    assert main(["sweep", *given]) == 2
    out, err = capsys.readouterr()
    assert sentence in err.splitlines()[0] and out == ""


# -- ended in the middle ------------------------------------------------------

in_proc = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="processes are looked for in /proc"
)


@contextmanager
def started(folder: Path, *given: str) -> Iterator[subprocess.Popen[str]]:
    """A sweep as a command, its output unbuffered."""
    command = [sys.executable, "-m", "hil", "sweep", "--out", str(folder), *given]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(word):
            return
    raise AssertionError(f"no line begins with {word!r}")


def read_until_begun(process: subprocess.Popen[str], folder: Path, cells: int) -> None:
    """Read on until so many cells have a folder of their own, and so will have a record:
    one that is not begun when a signal comes never is."""
    until = time.monotonic() + LIMIT
    assert process.stdout is not None
    while sum(path.is_dir() for path in folder.glob("cells/*/*")) < cells:
        assert time.monotonic() < until and process.poll() is None
        select.select([process.stdout], [], [], 0.01)


def children(pid: int) -> list[int]:
    return [
        int(child)
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    ]


def below(pid: int) -> list[int]:
    return [each for child in children(pid) for each in (child, *below(child))]


def require_ended(pids: list[int]) -> None:
    for pid in pids:
        try:
            process = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        assert select.select([process], [], [], LIMIT)[0], f"{pid} lives on"
        os.close(process)


HOST = ("--target", "host", "--network", "64-9-10", "--jobs", "2")
LONG = (*HOST, "--vary", "steps=50,3000000")
"""One cell is soon over, the other never."""
LATER = (*HOST, "--vary", "steps=50,60")


@in_proc
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_in_the_middle_leaves_what_is_finished(
    folder: Path, number: signal.Signals, code: int
) -> None:
    with started(folder, *LONG) as process:
        read_until(process, "passed")
        read_until_begun(process, folder, 2)
        inside = below(process.pid)
        process.send_signal(number)
        _, err = process.communicate(timeout=LIMIT)
    assert process.returncode == code and "after 1 of 2 cells" in err, err
    assert "Traceback" not in err and inside
    require_ended(inside)
    made = document(folder)
    assert (made["result"], made["exit_code"]) == ("error", code)
    assert states(made) == ["passed", "missing"]
    ended = [json.loads(path.read_text()) for path in folder.glob("cells/*/*/run.json")]
    assert {record["exit_code"] for record in ended} == {0, code}
    assert [(row["n"], row["missing"]) for row in made["rows"]] == [(1, 0), (0, 1)]
    assert main(["sweep", "--out", str(folder), *LATER]) == 0
    assert states(document(folder)) == ["kept", "passed"]


NEVER = Experiment(target="host", network=(64, 10), epochs=90_000)
"""A cell that is never over."""


def test_a_worker_that_is_told_to_stop_before_it_has_begun_never_begins(
    folder: Path,
) -> None:
    """Task and stop are both in its pipe before it has started."""
    worker = workers._Worker()
    worker.give(workers.Task(NEVER.to_toml(), str(folder)))
    worker.stop(signal.SIGINT)
    try:
        assert worker._process.wait(LIMIT) == 0
        assert worker._process.stdout is not None
        assert worker._process.stdout.read() == b"", "nothing was settled"
    finally:
        worker.end(0.0)
    assert not runs(folder)


@in_proc
def test_ctrl_c_just_after_the_start_leaves_a_table_and_the_cells_to_do(
    folder: Path,
) -> None:
    with started(folder, *HOST, "--vary", "steps=50,60") as process:
        read_until(process, "sweep")
        while not (inside := children(process.pid)):
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=workers.END_LIMIT - 1)
    assert process.returncode == 130 and "of 2 cells" in err, err
    require_ended(inside)
    assert document(folder)["exit_code"] == 130
    assert main(["sweep", "--out", str(folder), *LATER]) == 0
    assert set(states(document(folder))) <= {"kept", "passed"}


def test_workers_that_do_not_end_have_one_deadline(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those who stand still are killed when the first one's time is up."""
    monkeypatch.setattr(workers, "END_LIMIT", 0.2)
    waited: list[float] = []
    wait = subprocess.Popen.wait

    def told(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        assert timeout is not None
        waited.append(timeout)
        return wait(process, timeout)

    crew = workers.Workers(3)
    for number in range(3):
        crew._give(number, workers.Task(NEVER.to_toml(), str(folder)))
    pids = [worker._process.pid for worker in crew._busy]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(subprocess.Popen, "wait", told)
    crew.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    patience = [limit for limit in waited if limit != workers.REAP_LIMIT]
    assert len(patience) == 3 and patience[0] <= 0.2
    assert patience[1:] == [0.0, 0.0]
    require_ended(pids)


@in_proc
def test_a_sweep_that_is_killed_leaves_no_process_and_goes_on_later(
    folder: Path,
) -> None:
    with started(folder, *LONG) as process:
        read_until(process, "passed")
        inside = below(process.pid)
        process.kill()
        process.communicate(timeout=LIMIT)
    assert inside
    require_ended(inside)
    assert not (folder / "sweep.json").exists()
    assert main(["sweep", "--out", str(folder), *LATER]) == 0
    assert states(document(folder)) == ["kept", "passed"]


@in_proc
def test_a_process_that_is_lost_costs_its_cell_alone(folder: Path) -> None:
    axes = ("--target", "host", "--vary", "epochs=900,1", "--jobs", "1")
    with started(folder, *axes) as process:
        read_until(process, "sweep")
        while not children(process.pid):
            pass
        (worker,) = children(process.pid)
        os.kill(worker, signal.SIGKILL)
        out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 1 and "1 of 2 cells did not pass" in err
    assert "the process of the cell was ended by SIGKILL" in out
    assert states(document(folder)) == ["failed", "passed"]


def test_a_process_that_falls_silent_costs_its_cell(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It shows that it lives every ten seconds, which is too seldom here."""
    monkeypatch.setattr(workers, "SILENCE_LIMIT", 0.5)
    cell = Experiment(target="host", network=(64, 10), epochs=900)
    with workers.Workers(1) as crew:
        ((_, outcome),) = crew.settle([workers.Task(cell.to_toml(), str(folder))])
    assert outcome.state == "failed" and outcome.error is not None
    assert "has said nothing for 0.5 s" in outcome.error["sentence"]
