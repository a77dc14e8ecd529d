"""A device in a Python program whose samples come piece by piece, as a sensor has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from codegen import protocol
from emulation.faults import Line, PassThrough
from hil import OpenDevice
from hil.device.link.frame import Decoder
from hil.errors import DataError, UsageError
from tests.hil.conftest import DIGITS

pytestmark = pytest.mark.usefixtures("host_cc")

X, Y = DIGITS.train_x, DIGITS.train_y
ROWS = X.reshape(-1, 8, 8)
PAGE = Path(__file__).parents[2] / "docs" / "python.md"
CHUNK = 24
"""Three rows of a digit."""


class Watched(PassThrough):
    """A line on which every request is seen."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._heard = Decoder()
        self.asked: list[tuple[int, int]] = []

    def send(self, data: bytes) -> None:
        """Note kind and bytes of a request's payload."""
        frames = self._heard.feed(data)
        self.asked += [(frame.kind, len(frame.payload)) for frame in frames]
        super().send(data)


def taught(opens: Callable[..., OpenDevice], *order: int) -> str | None:
    """The digest after these samples, each sent whole."""
    with opens() as device:
        device.partial_fit(X[list(order)], Y[list(order)])
    return device.record.digest


def test_rows_travel_as_they_come_and_teach_what_the_whole_does(
    opens: Callable[..., OpenDevice],
) -> None:
    lines: list[Watched] = []

    def through(line: Line) -> Watched:
        lines.append(Watched(line))
        return lines[-1]

    with opens(chunk=CHUNK, through=through) as device:
        asked = lines[0].asked
        for rows, label in zip(ROWS[:6], Y[:6], strict=True):
            asked.clear()
            assert [device.feed(row) for row in rows] == list(range(56, -1, -8))
            assert asked == [(protocol.PART.kind, 16)] * 8
            told = device.learn(label)
            assert asked[8:] == [(protocol.STEP.kind, 14)] and told.label == label
    assert (device.record.result, device.record.compared) == ("pass", 6)
    assert device.record.digest == taught(opens, *range(6))


def test_what_is_asked_between_leaves_the_sample_that_comes(
    opens: Callable[..., OpenDevice],
) -> None:
    with opens(chunk=CHUNK) as device:
        assert device.feed(ROWS[0, :3]) == 40
        device.predict(X[5:7])
        device.weights()
        assert device.feed(ROWS[0, 3]) == 32
        device.partial_fit(X[2:4], Y[2:4])
        assert device.feed(ROWS[0, 4:]) == 0
        device.learn(Y[0])
        device.feed(ROWS[7, :2])
        assert device.feed(ROWS[1], anew=True) == 0
        device.set_weights({"b1": device.weights()["b1"]})
        device.learn(Y[1])
    assert device.record.result == "pass"
    assert device.record.digest == taught(opens, 2, 3, 0, 1)


def test_a_device_that_loses_its_power_is_sent_what_had_come(
    opens: Callable[..., OpenDevice],
) -> None:
    """Also where it comes back at the very step whose sample had come."""
    faults = "cut=0.05,duplicate=0.05,reorder=0.05,seed=1"
    with opens(chunk=CHUNK, faults=faults, commit=1) as device:
        for rows, label in zip(ROWS[:12], Y[:12], strict=True):
            for row in rows:
                device.feed(row)
            device.learn(label)
    assert device.record.result == "pass" and device.record.link["recovered"]
    assert device.record.digest == taught(opens, *range(12))


SPIKES = np.random.default_rng(8).random((8, 4, 33)) < 0.2
EVENTS = np.full((8, 60, 2), -1)
for listed, seen in zip(EVENTS, SPIKES, strict=True):
    listed[: seen.sum()] = np.argwhere(seen)


@pytest.mark.parametrize(
    "kind", [pytest.param("raster", marks=pytest.mark.full), "events"]
)
def test_ticks_of_spikes_come_one_after_another(tmp_path: Path, kind: str) -> None:
    x = SPIKES if kind == "raster" else EVENTS
    path = tmp_path / "spikes.npz"
    np.savez(path, x=x, y=np.arange(8) % 3, **{kind: [4, 33]})
    asked: dict[str, Any] = {
        "target": "host", "data": str(path), "rule": "ottt", "network": "33-9-3",
        "format": "i8", "out": tmp_path,
    }  # fmt: skip
    with hil.open(chunk=20, **asked) as device:
        for sample, label in enumerate(np.arange(8) % 3):
            for tick, spikes in enumerate(SPIKES[sample]):
                at = np.flatnonzero(spikes)
                pairs = np.stack([np.full_like(at, tick), at], axis=1)
                device.feed(spikes if kind == "raster" else pairs)
            device.learn(label)
    assert (device.record.result, device.record.compared) == ("pass", 8)
    again = hil.run(device.record.folder / "experiment.toml", out=tmp_path, chunk=None)
    assert again.digest == device.record.digest


def test_pieces_that_do_not_fit_are_refused_and_not_taken(
    opens: Callable[..., OpenDevice],
) -> None:
    with opens(chunk=CHUNK) as device:
        for call, kind, says in (
            (lambda: device.learn(1), UsageError, "after 0 of the 64 numbers"),
            (lambda: device.feed([]), UsageError, r"float64 \[0\]: expected numbers"),
            (lambda: device.feed(np.zeros(65)), UsageError, "has 65 numbers, and 64 of the 64"),
            (lambda: device.feed(["a"]), UsageError, r"<U1 \[1\]: expected numbers"),
            (lambda: device.feed([[1], 2]), UsageError, r"feed\(\) holds lists of several"),
            (lambda: device.feed([1.5]), DataError, "that are not all uint8"),
            (lambda: device.feed([300]), DataError, "that are not all uint8"),
        ):  # fmt: skip
            with pytest.raises(kind, match=says):
                call()
        device.feed(ROWS[0])
        with pytest.raises(UsageError, match="has 1 numbers, and 0 of the 64"):
            device.feed(3)
        with pytest.raises(DataError):
            device.learn(77)
        device.learn(Y[0])
    assert device.record.digest == taught(opens, 0)
    for call in (lambda: device.feed(ROWS[0]), lambda: device.learn(Y[0])):
        with pytest.raises(UsageError, match="has ended"):
            call()
    with opens() as whole:
        for call in (lambda: whole.feed(ROWS[0]), lambda: whole.learn(Y[0])):
            with pytest.raises(UsageError, match="takes samples whole") as told:
                call()
            assert "chunk=64" in told.value.hints[0]


def test_the_lines_of_the_page_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    section = PAGE.read_text("utf-8").partition("## A sample as it happens")[2]
    code = re.search(r"\n\n((?:    .*\n)+)", section)
    assert code is not None
    known: dict[str, Any] = {}
    exec("\n".join(line[4:] for line in code[1].splitlines()), known)
    assert (known["device"].record.result, known["device"].record.compared) == (
        "pass",
        20,
    )
