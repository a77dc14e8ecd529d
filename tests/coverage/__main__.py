"""make coverage: lines, branches and conditions of the firmware and the host port, and
lines and branches of the host's link and verdict, by the tests that are for them.

Exit code 1: a test has failed, or a condition of the firmware is neither shown nor
exempt, or is exempt without need, or a branch of Python is neither taken nor exempt;
2: a tool is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence

from tests.coverage import branches, counting
from tests.coverage.conditions import Seen
from tests.coverage.exempt import Point, complaints, exemptions

FOLDER = counting.ROOT / "build" / "coverage"
STRICT = "firmware/src/"
"""Where every condition is shown or exempt; of the port the figure is told."""
TESTS = (
    "tests/firmware", "tests/fuzz", "tests/regression/test_checkpoints.py",
    "tests/regression/test_gates_bit_exact.py",
    "tests/regression/test_goals_bit_exact.py", "tests/graph/test_infer.py",
    "tests/graph/test_front.py::test_a_run_is_done_again_by_the_model_in_its_folder",
    "tests/regression/test_integers_bit_exact.py"
    "::test_a_board_without_float32_takes_i16_by_itself_and_says_so",
    *(f"tests/hil/test_{name}.py" for name in (
        "attacks", "busy_units", "channel", "compare", "cycles", "device", "divergence", "frame",
        "gate_keys", "given_data", "history", "long_frames", "metrics", "neurocorex", "open", "open_fed", "open_held", "prefix", "rehearsing",
        "remote_port", "replies", "resident", "scalers", "session", "ssh",
        "transparency", "units",
    )),
    "-k", "not (noise_changes or bounded_run or defect_is_found or another_machine"
    " or masked or busy_line or rv64 or riscv64 or grants or wear or controller"
    " or gated_and or parameters or one_digest or regression_is_equal)",
)  # fmt: skip
"""Those that show something of either."""


def main() -> int:
    """Count, and print the tables."""
    number = counting.llvm()
    if number is None:
        print(
            f"coverage: no clang >= {counting.OLDEST} with llvm-cov and llvm-profdata "
            f"of its version here: {counting.CURE}",
            file=sys.stderr,
        )
        return 2
    shutil.rmtree(FOLDER, ignore_errors=True)
    counted = counting.Counted(FOLDER, number)
    data, report = FOLDER / "python.data", FOLDER / "python.json"
    include = ",".join(branches.MODULES)
    under = ("-m", "coverage", "run", "--branch", f"--data-file={data}",
             f"--include={include}")  # fmt: skip
    done = counted.pytest(*TESTS, *sys.argv[1:], under=under, quiet=False)
    subprocess.run(
        [sys.executable, "-m", "coverage", "json", "-q", f"--data-file={data}",
         "-o", report],
        cwd=counting.ROOT, check=True,
    )  # fmt: skip
    seen, modules = counted.seen(), branches.read(report, counting.ROOT)
    print_conditions(seen, exemptions("condition"))
    print_branches(modules, exemptions("branch"))
    wrong = complaints(
        (p for p in seen.points() if p[0].file.startswith(STRICT)),
        exemptions("condition"),
    ) + complaints(
        (branch for module in modules for branch in module.branches),
        exemptions("branch"),
        may_be_shown=True,
    )
    print("\n" + "\n".join([*wrong, f"coverage: {len(wrong)} complaints"]))
    if done.returncode != 0:
        print("coverage: a test has failed, so the figures say little")
    return int(bool(wrong) or done.returncode != 0)


def print_conditions(seen: Seen, exempt: Iterable[Point]) -> None:
    """A line for each file of C, in Markdown."""
    print("\n| file | lines | branches | conditions shown | exempt |")
    print("|---|---|---|---|---|")
    for file in sorted({place.file for place in seen.conditions}):
        taken = [t for place, t in seen.conditions.items() if place.file == file]
        lines = [run for (name, _), run in seen.lines.items() if name == file]
        ways = sum(t.true + t.false for t in taken)
        shown = sum(t.shown for t in taken)
        spared = sum(point.file == file for point in exempt)
        print(
            f"| {file} | {sum(lines)} of {len(lines)} | {ways} of {2 * len(taken)} "
            f"| {shown} of {len(taken)} | {spared} |"
        )


def print_branches(modules: Sequence[branches.Module], exempt: Iterable[Point]) -> None:
    """A line for each module of Python."""
    print("\n| module | lines | branches taken | exempt |")
    print("|---|---|---|---|")
    for module in modules:
        taken = sum(shown for _, shown in module.branches)
        spared = sum(point.file == module.file for point in exempt)
        print(
            f"| {module.file} | {module.lines_executed} of {module.lines} "
            f"| {taken} of {len(module.branches)} | {spared} |"
        )


if __name__ == "__main__":
    os.chdir(counting.ROOT)
    sys.exit(main())
