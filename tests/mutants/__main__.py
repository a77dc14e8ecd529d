"""Plant every defect of the list, one at a time, and see which test notices.

    python -m tests.mutants [--jobs N] [--only WORDS]

prints a table in Markdown. Exit code: 0 when every mutant was caught, 1 when one was
missed, 2 when the list does not fit the tree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Queue

from tests.mutants.catalogue import ROOT, Mutant, Stale, load
from tests.mutants.trial import Copy, Outcome, Unfit

MISSED = "**missed**"
HANGS = ", which hangs"
"""Said of a test that noticed by no check of its own: it ran into the limit."""


def row(mutant: Mutant, outcome: Outcome) -> str:
    """One line of the table; of which parameters, the line of progress tells."""
    by = MISSED if outcome.test is None else f"`{outcome.test.partition('[')[0]}`"
    by += HANGS if outcome.hung else ""
    return f"| {mutant.name} | `{mutant.file}` | {by} |"


def try_all(mutants: Sequence[Mutant], jobs: int) -> list[Outcome]:
    """What became of each, `jobs` at a time, each in a copy of its own.

    First the tests must pass where nothing is planted: a test that fails anyway
    catches nothing. Raises `Stale` and `Unfit`.
    """
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = Path(name)
        copies: Queue[Copy] = Queue()
        for number in range(jobs):
            copies.put(Copy(folder / str(number), cache=folder / "cache"))

        def attempt(mutant: Mutant | None) -> Outcome:
            copy = copies.get()
            try:
                if mutant is not None:
                    outcome = copy.attempt(mutant)
                else:
                    outcome = copy.run(fitting, Mutant.limit * len(fitting))
            finally:
                copies.put(copy)
            _tell(mutant, outcome)
            return outcome

        fitting = list(dict.fromkeys(test for m in mutants for test in m.tests))
        before = attempt(None)
        if before.caught:
            raise Unfit(f"{before.test} fails where nothing is planted: {before.said}")
        with ThreadPoolExecutor(jobs) as pool:
            return list(pool.map(attempt, mutants))


def _tell(mutant: Mutant | None, outcome: Outcome) -> None:
    """A line of progress: by what, and how, so that a person may judge it."""
    name = mutant.name if mutant else "nothing"
    how = f"{outcome.test}: {outcome.said}" if outcome.caught else "no test"
    print(f"{outcome.seconds:6.1f} s  {name}: {how}", file=sys.stderr, flush=True)


def chosen(words: str) -> list[Mutant]:
    """The mutants whose name or file has these words; raises `Stale`."""
    mutants = load()
    for mutant in mutants:
        mutant.require(ROOT)
    found = [m for m in mutants if words in m.name or words in m.file]
    if not found:
        raise Stale(f"no mutant has {words!r} in its name or its file")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutants", description=str(__doc__).splitlines()[0]
    )
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="in the name or the file"
    )
    asked = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        mutants = chosen(asked.only)
        outcomes = try_all(mutants, asked.jobs)
    except (Stale, Unfit) as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    print("| planted defect | in | caught by |\n|---|---|---|")
    for mutant, outcome in zip(mutants, outcomes, strict=True):
        print(row(mutant, outcome))
    missed = sum(not outcome.caught for outcome in outcomes)
    hung = sum(outcome.hung for outcome in outcomes)
    print(
        f"\n{len(mutants)} planted, {len(mutants) - missed} caught, {hung} of them by a test "
        f"that hangs, {missed} missed, in {time.monotonic() - started:.0f} s."
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
