"""The live view: its pictures at all sizes, and the real command in a pty whose keys
are pressed."""

from __future__ import annotations

import fcntl
import io
import json
import math
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import tty
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from codegen.reference.health import Health
from hil import Experiment
from hil.learning.lockstep import LEAD
from hil.learning.metrics import Status
from hil.learning.progress import Begun, Progress
from hil.learning.session import Session
from hil.learning.steering import Steering
from hil.learning.telling import Learned
from hil.lesson.preparing import prepare
from hil.live.history import History
from hil.live.lines import Sight
from hil.live.picture import picture
from hil.live.plot import Curve, bar, plot, sparkline

STYLES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")
LINK = {
    "frames": 75, "resent": 2, "damaged": 1, "replayed": 0, "lost_telemetry": 0,
    "replugged": 0, "recovered": 0,
}  # fmt: skip


def sight(classes: int = 10, **changes: Any) -> Sight:
    """A run that learns to be right."""
    history, steps = History(classes), []
    for step in range(300):
        label = step % classes
        predicted = label if step >= 100 else (label + 1) % classes
        health = (
            Health([75.0, None], [1, 1], [1, 1], [1, 1], [0]) if step == 9 else None
        )
        steps.append(
            Learned(
                step, 0, 2.0 - step / 300, label, predicted, 0.5, 0.1, None, None, 1,
                int(label == predicted), None, health,
            )
        )  # fmt: skip
    for first in range(0, 300, 75):
        history.add(steps[first : first + 75])
    begun = Begun("emulated", classes, 96 * 1024, 128 * 1024, 1180, True)
    status = Status(300, 400, 1.0, 0.66, 1.0, None, LINK, 1012, 256)
    known = {"rate": 187.3, "keys": True, **changes}
    return Sight(begun, status, history, **known)


def drawn(shown: Sight, width: int, height: int) -> list[str]:
    """The rows of a picture, as rich writes them for a terminal so wide."""
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(picture(shown, width, height))
    return console.export_text().splitlines()


def test_a_large_terminal_has_every_panel() -> None:
    text = "\n".join(drawn(sight(), 80, 23))
    for part in (
        "accuracy last 100 100.0% all 66.7%", "loss 1.", "label ↓ predicted →",
        "300 of 400", "75%", "187 steps/s (emulated)", "frames 75", "resent 2",
        "96 KiB of 128 KiB RAM", "stack 1,012 of 1,180 bytes", "W1", "75°",
        "p pause  c checkpoint  q stop  ? help",
    ):  # fmt: skip
        assert part in text


def test_a_watched_cell_has_a_line_of_spikes_potential_and_trace() -> None:
    """Each between its least and its most, the latest step that told of them; and rates
    of all cells."""
    shown = sight()
    ticks = {
        "s1[7]": [0, 0, 1], "u1[7]": [0.25, 0.5, 1.0], "a1[7]": [0, 0, 255], "rate": [0.125],
    }  # fmt: skip
    told = Health([75.0, None], [1, 1], [1, 1], [1, 1], [], ticks)
    shown.history.add(
        [Learned(300, 0, 1.0, 1, 1, 0.5, 0.1, None, None, 1, 1, None, told)]
    )
    (row,) = [row for row in drawn(shown, 100, 30) if "cell 7" in row]
    assert "spikes ··│  potential ▁▃█ 0.25..1  trace ▁▁█ 0..255" in row
    for width in (100, 60):
        rows = drawn(shown, width, 30)
        assert any(row.startswith("cell 7  (reference) spikes ··│") for row in rows)
        assert any(row.startswith("rate    h1 0.125  spikes a tick") for row in rows)
        assert all(len(row) == width for row in rows)


def test_where_no_gradient_is_near_there_is_no_line_of_angles() -> None:
    """As of cells that learn by STDP, of which each layer tells nothing."""
    shown = sight()
    assert any(row.startswith("angle") for row in drawn(shown, 100, 30))
    shown.history.angles = [deque([None, None]), deque([None])]
    assert not any(row.startswith("angle") for row in drawn(shown, 100, 30))


def test_where_nothing_is_right_or_wrong_the_loss_alone_is_drawn() -> None:
    history = History(0)
    history.add(
        [Learned(n, 0, 2.0 - n / 99, None, None, None, 0.1, None, None, 1, 0) for n in range(99)]
    )  # fmt: skip
    begun = Begun("emulated", 0, 96 * 1024, 128 * 1024, 1180, True)
    status = Status(99, 400, 1.0, None, 0.0, None, LINK, 1012, 256)
    text = "\n".join(drawn(Sight(begun, status, history, 187.3, True), 80, 23))
    assert "loss 1." in text and "99 of 400" in text
    assert "accuracy" not in text and "predicted" not in text


def test_a_small_terminal_has_fewer_panels_and_every_row_its_width() -> None:
    narrow = "\n".join(drawn(sight(), 60, 23))
    assert "accuracy" in narrow and "loss" in narrow and "label" not in narrow
    assert "damaged 1" in narrow and "stack 1,012 of 1,180" in narrow
    assert len(drawn(sight(), 30, 20)) == 1
    for classes in (2, 10, 40):
        for width in (20, 44, 59, 60, 80, 100, 200):
            for height in (1, 3, 8, 15, 23, 60):
                found = picture(sight(classes, help=True), width, height)
                assert found.height <= height
                assert {sum(len(t) for t, _ in row) for row in found.rows} == {width}


def test_curves_are_shares_of_windows_whatever_comes_together() -> None:
    known = sight().history  # wrong up to step 100, then right
    assert known.recent.points[0] == 0.0 and len(known.recent.points) == 281
    assert known.recent.points[-150] == pytest.approx(0.51)  # after step 150
    assert known.whole.points[-1] == pytest.approx(2 / 3)
    assert known.loss.points[-1] == pytest.approx(2.0 - 249.5 / 300)
    seen = known.whole.points[-1]
    again = Learned(300, 0, 9.0, 1, 0, 0.5, 0.1, None, None, 1, 0, rehearsed=True)
    known.add([again] * 9)
    assert (known.whole.points[-1], known.confusion().sum()) == (seen, 300)
    history = History(2)
    told = [Learned(31, 0, math.nan, 1, 0, 0.5, 0.1, None, None, 32, 8)] * 4
    history.add(told)
    assert history.recent.points == [0.25] * 4 and history.loss.points == [0.0] * 4


def test_what_is_confused_is_counted_by_label_and_prediction() -> None:
    counts = sight(3).history.confusion()
    assert counts.tolist() == [[66, 34, 0], [0, 67, 33], [33, 0, 67]]
    listed = "\n".join(drawn(sight(40), 80, 23))
    assert "0 taken for 1" in listed


def test_curves_are_drawn_dot_by_dot() -> None:
    assert plot([[0.0, 1.0]], 1, 1, 0.0, 1.0) == [[("⡜", 0)]]
    assert plot([[0.0] * 4], 2, 2, 0.0, 1.0) == [[(" ", -1)] * 2, [("⣀", 0)] * 2]
    first = plot([[1.0, 1.0], [0.0, 0.0]], 1, 2, 0.0, 1.0)
    assert first == [[("⠉", 0)], [("⣀", 1)]]
    assert sparkline([0.0, 90.0, 180.0], 0.0, 180.0) == "▁▅█"
    assert bar(0.5, 3) == "█▌ "


def test_a_curve_of_any_length_stays_small_and_keeps_its_shape() -> None:
    curve = Curve()
    for first in range(0, 100_000, 1000):
        curve.add(np.arange(first, first + 1000.0))
    assert Curve.LENGTH / 2 <= len(curve.points) < Curve.LENGTH
    assert curve.points[0] == 63.5 and curve.points == sorted(curve.points)


class Pausing(Progress):
    """Pauses after `at` steps for as long as `rests` looks, and asks for a checkpoint
    in that time."""

    def __init__(self, at: int, rests: int) -> None:
        self.steering = _Steer(at, rests)

    def learning(self, done: Sequence[Learned], status: Callable[[], Status]) -> None:
        self.steering.told = done[-1].step + 1


class _Steer(Steering):
    def __init__(self, at: int, rests: int) -> None:
        self.told = 0
        self.at_rest: list[int] = []
        self._at, self._rests = at, rests
        self._asked = False

    def look(self) -> None:
        self.paused = self.told >= self._at and len(self.at_rest) < self._rests

    def rest(self) -> None:
        self.at_rest.append(self.told)
        self._asked = True

    def take_commit(self) -> bool:
        asked, self._asked = self._asked, False
        return asked


@pytest.mark.usefixtures("host_cc")
def test_a_pause_takes_what_is_on_its_way_and_sends_nothing(
    small: Experiment, folder: Path
) -> None:
    steering = Pausing(20, 50)
    steps = 4 * LEAD  # more than may be on the way before the first is told
    asked = small.override({"commit": 1000, "steps": steps})
    session = Session(prepare(asked), folder, steering)
    session.run()
    at_rest = steering.steering.at_rest
    assert len(at_rest) == 50 and len(set(at_rest[1:])) == 1
    assert 20 <= at_rest[1] < steps  # all that was sent is told, and no more came
    assert session.record.result == "pass" and session.record.compared == steps
    assert session._device is not None
    committed = [commit.step for commit in session._device.commits]
    assert committed == [at_rest[1], steps]


LIMIT = 90.0
"""Host seconds in which a terminal has shown what is waited for."""


class Terminal:
    """A pty of 80 columns and 24 rows, and the real command in it.

    `raw`: all that was written; `past`: how much of what was `seen` stands before
    something that was waited for.
    """

    def __init__(self, near: int, far: int, process: subprocess.Popen[bytes]) -> None:
        self.near, self.far, self.process = near, far, process
        self.raw = b""
        self.past = 0

    @property
    def seen(self) -> str:
        """What was written, without its colours."""
        return STYLES.sub(b"", self.raw).decode(errors="ignore")

    def until(self, text: str) -> None:
        """Read until this stands behind what was waited for before."""
        limit = time.monotonic() + LIMIT
        while (place := self.seen.find(text, self.past)) < 0:
            assert time.monotonic() < limit, (
                f"no {text!r} within {LIMIT:.0f} s; {self._last}"
            )
            ended = self.process.poll() is not None
            if self._ready(0.1):
                self.raw += os.read(self.near, 65536)
            else:
                assert not ended, f"it ended without {text!r}; {self._last}"
        self.past = place + len(text)

    def press(self, keys: bytes) -> None:
        os.write(self.near, keys)

    def end(self) -> str:
        """All that was written, when the command has ended."""
        limit = time.monotonic() + LIMIT
        while self.process.poll() is None or self._ready(0.0):
            assert time.monotonic() < limit, (
                f"still there after {LIMIT:.0f} s; {self._last}"
            )
            if self._ready(0.1):
                self.raw += os.read(self.near, 65536)
        return self.seen

    def _ready(self, wait: float) -> bool:
        return bool(select.select([self.near], [], [], wait)[0])

    @property
    def _last(self) -> str:
        return f"the last was {self.raw[-300:]!r}"

    @property
    def modes(self) -> list[Any]:
        return termios.tcgetattr(self.far)


@contextmanager
def terminal(
    folder: Path, kind: str, *given: str, sigint: signal.Handlers = signal.SIG_DFL
) -> Iterator[Terminal]:
    """`hil run` on the host in a terminal of this kind, which it controls; `sigint`
    is what it finds set for Ctrl-C."""
    near, far = os.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    path = os.pathsep.join(filter(None, sys.path))
    environment = {**os.environ, "TERM": kind, "PYTHONPATH": path}
    for name in ("LINES", "COLUMNS", "NO_COLOR"):
        environment.pop(name, None)

    def own() -> None:
        signal.signal(signal.SIGINT, sigint)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [
            sys.executable, "-m", "hil", "run", "--target", "host", "--network", "64-10",
            "--test", "0", "--out", str(folder), *given,
        ],
        stdin=far, stdout=far, stderr=far, env=environment,
        start_new_session=True, preexec_fn=own,
    )  # fmt: skip
    try:
        yield Terminal(near, far, process)
    finally:
        process.kill()
        process.wait()
        os.close(near)
        os.close(far)


@pytest.mark.usefixtures("host_cc")
@pytest.mark.parametrize("how", ["q", "ctrl-c", "term"])
def test_keys_pause_go_on_and_stop_and_the_terminal_is_as_before(
    folder: Path, how: str
) -> None:
    """Also where Ctrl-C is ignored, as in a job that a script starts behind itself."""
    sigint = signal.SIG_IGN if how == "q" else signal.SIG_DFL
    given = "xterm-256color", "--epochs", "10000"
    with terminal(folder, *given, sigint=sigint) as shown:
        before = shown.modes
        shown.until("p pause")
        if how == "q":
            shown.press(b"p")
            shown.until("PAUSED")
            shown.until("goes on")
            shown.press(b"c")
            shown.until("c needs --commit")
            shown.press(b"?")
            shown.until("p again goes on")
            shown.press(b"p?")
            shown.until("steps/s")
        shown.until("accuracy last 100")
        assert shown.modes != before
        if how == "term":
            shown.process.send_signal(signal.SIGTERM)
        else:
            shown.press(b"q" if how == "q" else b"\x03")
        said = shown.end()
        assert shown.process.returncode == (143 if how == "term" else 130)
        assert shown.modes == before
    assert "record " in said and b"\x1b[?25h" in shown.raw  # the cursor is back
    how_told = {"q": "stopped with key q", "ctrl-c": "interrupted by Ctrl-C"}
    assert f"hil: {how_told.get(how, 'terminated by SIGTERM')} after " in said
    (record,) = folder.glob("*/run.json")
    told = json.loads(record.read_text())
    assert told["exit_code"] == shown.process.returncode and told["compared"] > 0


@pytest.mark.usefixtures("host_cc")
def test_a_dumb_terminal_gets_plain_lines(folder: Path) -> None:
    with terminal(folder, "dumb", "--steps", "40") as shown:
        said = shown.end()
        assert shown.process.returncode == 0
    assert "40 steps, 40 compared" in said and b"\x1b" not in shown.raw


@pytest.mark.usefixtures("host_cc")
def test_nothing_typed_is_echoed_or_left_to_the_shell(folder: Path) -> None:
    """Neither while the image is built, nor while the device learns or is examined."""
    with terminal(folder, "xterm-256color", "--steps", "300", "--test", "300") as shown:
        before = shown.modes
        for stage in ("plan ", "label ", "learn "):
            shown.until(stage)
            shown.press(b"~x")
        said = shown.end()
        assert shown.process.returncode == 0 and "~" not in said
        assert shown.modes == before
        tty.setcbreak(shown.far, termios.TCSANOW)
        assert not select.select([shown.far], [], [], 0.0)[0]


@pytest.mark.usefixtures("host_cc")
def test_what_is_learned_again_in_an_exam_leaves_the_terminal_as_before(
    folder: Path,
) -> None:
    given = "--steps", "300", "--test", "300", "--faults", "cut=0.03,seed=1"
    with terminal(folder, "xterm-256color", *given) as shown:
        before = shown.modes
        shown.end()
        assert shown.process.returncode == 0
        assert shown.modes == before
    (record,) = folder.glob("*/run.json")
    assert json.loads(record.read_text())["link"]["recovered"] > 0
