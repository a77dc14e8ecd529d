"""What a terminal gets: text, whatever a file or a device is called."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from hil.cli import main
from hil.output import plain, say

CLEAR = "\x1b[2J"
TURNED = "\u202e"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("plain: 3 %, ü, 字, ⣿", "plain: 3 %, ü, 字, ⣿"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        (f"a{CLEAR}b", "a\\x1b[2Jb"),
        ("a\x9bc\x07\x7f\r", "a\\x9bc\\x07\\x7f\\r"),
        (f"a{TURNED}b\u2028", "a\\u202eb\\u2028"),
        ("a\udcffb", "a\\udcffb"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(given: str, shown: str) -> None:
    stream = io.StringIO()
    say(given, stream)
    assert (plain(given), stream.getvalue()) == (shown, shown + "\n")


def test_a_stream_that_is_closed_is_no_failure() -> None:
    stream = io.StringIO()
    stream.close()
    say("nobody hears this", stream)


def test_names_of_files_and_runs_reach_the_terminal_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], host_cc: str
) -> None:
    """In lines of a run that passes, and in the sentence of one that does not."""
    place = tmp_path / f"out{CLEAR}{TURNED}"
    run = [
        "run",
        "--network",
        "64-4-10",
        "--target",
        "host",
        "--steps",
        "2",
        "--test",
        "0",
    ]
    assert main([*run, "--out", str(place)]) == 0
    assert main([*run, "--data", str(place)]) == 2
    told = "".join(capsys.readouterr())
    assert "out\\x1b[2J\\u202e" in told
    assert CLEAR not in told and TURNED not in told
