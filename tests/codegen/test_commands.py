"""Commands beside each other: all their output, their limits, and none left."""

from __future__ import annotations

import os
import select
import signal
import sys
from contextlib import closing
from pathlib import Path

import pytest

from codegen.building import commands

LIMIT = 60.0


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_they_run_at_once_and_each_tells_all_it_wrote(tmp_path: Path) -> None:
    """The first waits for what the second does: one after the other would hang."""
    os.mkfifo(tmp_path / "fifo")
    wanted = {
        "import sys; print(open('fifo').read()); sys.exit(3)": 3,
        "open('fifo', 'w').write('x' * 200_000)": 0,
    }
    given = [python(code) for code in wanted]
    ended = list(commands.run(given, tmp_path, LIMIT, at_once=2))
    assert {one.command[-1]: one.code for one in ended} == wanted
    (said,) = (one.output for one in ended if one.code == 3)
    assert said == "x" * 200_000 + "\n"


def test_no_more_than_so_many_run_at_once(tmp_path: Path) -> None:
    given = [python(f"open('{n}', 'x'); print({n})") for n in range(5)]
    seen = []
    with closing(commands.run(given, tmp_path, LIMIT)) as ending:
        for ended in ending:
            seen.append(ended.output.strip())
            assert len(list(tmp_path.iterdir())) == len(seen)
    assert seen == list("01234")


def test_one_that_does_not_end_is_killed_with_what_it_started(tmp_path: Path) -> None:
    started = "import os, signal; pid = os.fork(); pid and print(pid, flush=True)"
    hangs = python(f"{started}; signal.pause()")
    (ended,) = commands.run([hangs], tmp_path, 0.5)
    assert ended.code is None
    require_ended(int(ended.output))


def test_those_that_run_are_killed_when_nobody_waits_any_more(tmp_path: Path) -> None:
    hangs = python("import os, signal; open(str(os.getpid()), 'x'); signal.pause()")
    quick = python(
        "import os\nwhile not any(n.isdigit() for n in os.listdir('.')): pass"
    )
    with closing(commands.run([hangs, quick], tmp_path, LIMIT, at_once=2)) as ending:
        assert next(ending).code == 0
    (file,) = tmp_path.iterdir()
    require_ended(int(file.name))


def require_ended(pid: int) -> None:
    """A killed orphan may take a moment to be reaped."""
    if not hasattr(os, "pidfd_open"):
        pytest.skip("needs pidfd_open")
    try:
        ended = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([ended], [], [], LIMIT)[0], signal.SIGKILL
    finally:
        os.close(ended)
