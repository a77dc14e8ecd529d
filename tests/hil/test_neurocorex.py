"""hil neurocorex: a stream of bytes through a device, from a file and from Python."""

from __future__ import annotations

import doctest
import json
import runpy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

import emulation
from codegen import protocol
from codegen.errors import OverBudget, SpecError
from codegen.planning.lif import lif_plan
from codegen.reference.neurocorex import Network as Twin
from hil import neurocorex
from hil.cli import main
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.device.link.frame import Decoder
from hil.errors import DataError, LinkError, UsageError
from hil.experiment import Experiment
from hil.measuring.lying_device import Lie, Line, LyingLine
from hil.neurocorex import READ_INPUTS, READ_RECURRENT, Network, image
from hil.neurocorex.network import Stdp
from targets import load

CELLS = 16
LIMIT = 20.0
"""Seconds that a line may be silent."""
PAGE = Path(__file__).parents[2] / "docs" / "spiking.md"
EXAMPLE = Path(__file__).parents[2] / "examples" / "neurocorex.py"


def learner() -> Network:
    """A network that spikes, and learns in both layers."""
    net = Network(
        CELLS, leak=0.5, gain=2, stdp=Stdp(5, 6, 7, 4, 3, 2), bias=1.5, biased=3
    )
    drawn = np.random.default_rng(1)
    net.inputs[:], net.recurrent[:] = drawn.integers(-60, 90, (2, CELLS, CELLS))
    net.thresholds[:] = drawn.integers(20, 110, CELLS)
    net.refractory[:] = drawn.integers(0, 4, CELLS)
    net.plastic_inputs[:], net.plastic_recurrent[:] = (
        drawn.random((2, CELLS, CELLS)) < 0.7
    )
    return net


def stream() -> bytes:
    """Its program, a run, and its weights."""
    drawn = np.random.default_rng(2).integers(0, (60, CELLS), (80, 2))
    spikes = [(int(step), int(line)) for step, line in drawn]
    net = learner()
    return net.program() + net.events(spikes, 70) + READ_INPUTS + READ_RECURRENT


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "stream.bin"
    path.write_bytes(stream())
    return path


def command(file: Path, *more: str) -> int:
    return main(["neurocorex", str(file), "--cells", str(CELLS), *more])


def test_a_file_is_run_compared_and_written(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = tmp_path / "told.npz"
    assert command(file, "--target", "host", "--outputs", str(told), "--json", "-") == 0
    seen, expected = capsys.readouterr(), neurocorex.simulate(stream(), CELLS)
    assert "run 0: 70 steps" in seen.err and "PASS: 653 bytes" in seen.err
    document = json.loads(seen.out)["neurocorex"]
    assert document["equal"] and document["runs"][0]["steps"] == 70
    assert document["runs"][0]["spikes"] == expected.runs[0].sum(axis=0).tolist()
    with np.load(told) as made:
        assert sorted(made) == ["run0", "weights0", "weights1"]
        assert np.array_equal(made["run0"], expected.runs[0])
        assert np.array_equal(made["weights1"], expected.reads[1])
    assert (expected.reads[0] != learner().inputs).any()  # it has learned


@pytest.mark.parametrize("target", ["microbit", "qemu-rv32imac", "qemu-rv64gcv"])
def test_other_machines_give_the_same_bits(
    target: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(file, "--target", target) == 0
    assert "PASS" in capsys.readouterr().out


def test_a_faulty_line_changes_nothing(file: Path) -> None:
    faults = "drop=0.05,duplicate=0.3,reorder=0.1,seed=3"
    assert command(file, "--target", "host", "--faults", faults) == 0


def test_a_units_line_is_made_plain_for_others(
    host_cc: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who opens the port afterwards writes their bytes, and reads theirs: also where
    the device is so slow that all else is sent to it again."""
    monkeypatch.setattr("hil.device.exchange.AGAIN", 0.0)
    placed = image.prepare(Experiment(target="host"))
    built, expected = image.build(placed, CELLS), neurocorex.simulate(stream(), CELLS)
    with emulation.machine_for(
        placed.target, built.image.path, console="pty"
    ) as machine:
        machine.power_on()
        machine.run()
        assert machine.url is not None
        plain = ("--plain", "--unit", machine.url, "--target", "host")
        assert main(["neurocorex", "--cells", str(CELLS), *plain]) == 0
        assert "without frames, until a reset" in capsys.readouterr().out
        with Channel(machine.url) as line:
            line.send(stream())
            told = line.flush(LIMIT)
            while len(told) < len(expected.bytes):
                told += line.pump(LIMIT)
    assert told == expected.bytes


class LosesInfer(LyingLine):
    """A line that loses the first INFER, and is known for its noise by then."""

    def __init__(self, inner: Line) -> None:
        super().__init__(inner, ())
        self._lost = False

    def send(self, data: bytes) -> None:
        (frame,) = Decoder().feed(data)
        if self._lost or frame.kind != protocol.INFER.kind:
            super().send(data)
        self._lost |= frame.kind == protocol.INFER.kind

    def pump(self, limit: float) -> bytes:
        data = super().pump(limit)
        return data and b"\0\xff\xfe\xfd\0" + data


@contextmanager
def through(disturbed: Callable[[Line], Line]) -> Iterator[Device]:
    """A device of this network, ready, at the other end of a line that is disturbed."""
    placed = image.prepare(Experiment(target="host"))
    built = image.build(placed, CELLS)
    with emulation.machine_for(placed.target, built.image.path) as machine:
        machine.power_on()
        machine.run()
        assert machine.url is not None
        with Channel(machine.url) as channel:
            device = Device(disturbed(channel), built.plan, placed.target.limits)
            device.hello(built.image.digest, 0, LIMIT)
            device.init(0)
            yield device


def test_a_line_that_was_made_plain_twice_is_told(host_cc: str) -> None:
    said = "the line is plain, but it loses bytes"
    with through(LosesInfer) as device, pytest.raises(LinkError, match=said):
        device.plain()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "there is no FILE"),
        (["--plain"], "--plain needs --unit"),
        (["--plain", "stream.bin"], "expected one of both"),
    ],
)
def test_a_file_or_a_plain_line_is_asked_for(
    given: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["neurocorex", *given]) == 2
    assert said in capsys.readouterr().err


def test_a_difference_is_told_with_its_place(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin is made one that does not learn."""
    monkeypatch.setattr(Twin, "_learn", lambda *_: None)
    assert command(file, "--target", "host") == 1
    seen = capsys.readouterr()
    assert "device and numpy differ first in run 0, step " in seen.err
    assert "FAIL" in seen.out


def test_an_answer_without_an_end_is_given_up(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A device that always has more to tell."""

    def babble(*_: object) -> Iterator[bytes]:
        for _ in range(1000):
            yield bytes(100)
        pytest.fail("it was listened to for 100,000 bytes")

    monkeypatch.setattr(Device, "stream", babble)
    assert command(file, "--target", "host") == 1
    assert "device and numpy differ: the device told " in capsys.readouterr().err


def test_a_device_that_took_more_than_it_was_given_is_not_believed(
    host_cc: str,
) -> None:
    def lying(channel: Line) -> Line:
        return LyingLine(channel, [Lie("infer", "tail[0]", "max")])

    said = "it has taken 65535 of"
    with through(lying) as device, pytest.raises(LinkError, match=said):
        list(device.stream(stream()))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x90", "byte 0 is 0x90"),
        (b"", "nothing answers these bytes"),
        (b"\x40" + bytes(6) + b"\x30\xff\xff\xff", "nothing answers these bytes"),
        (b"\x00" + bytes(12), "the bytes end within weights of the inputs"),
        (b"\x30" + b"\xfe\xff\xff" * 4000 + b"\xff\xff\xff", "1,020,001 steps"),
    ],
)
def test_a_file_of_other_bytes_is_refused_in_a_sentence(
    data: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(data)
    assert command(path, "--target", "host") == 2
    assert said in capsys.readouterr().err
    assert command(tmp_path / "none.bin", "--target", "host") == 2


def test_a_network_that_does_not_fit_is_refused_before_it_is_built() -> None:
    assert lif_plan(64, load("microbit")).ram <= 16384
    with pytest.raises(OverBudget, match="a network of 96 cells needs"):
        lif_plan(96, load("microbit"))
    for cells in (8, 90, 256):
        with pytest.raises(SpecError, match=f"the number of cells is {cells}"):
            neurocorex.simulate(b"", cells)


def test_events_are_at_their_steps_however_far_apart() -> None:
    net = Network(CELLS, gain=1)
    net.inputs[0, 0], net.thresholds[:] = 100, 60
    for steps in ([0, 254, 255, 600], [3, 900]):
        for theirs in (False, True):
            data = net.program() + net.events(
                [(s, 0) for s in steps], 1000, theirs=theirs
            )
            (run,) = neurocorex.simulate(data, CELLS).runs
            assert np.flatnonzero(run[:, 0]).tolist() == steps
            assert len(run) == 1000


def test_the_example_learns_a_sequence() -> None:
    made = runpy.run_path(str(EXAMPLE))
    answer, length = neurocorex.simulate(made["stream"]()), made["LENGTH"]
    assert np.argwhere(answer.runs[0]).tolist() == [[0, 0]]
    assert np.argwhere(answer.runs[-1]).tolist() == [[k, k] for k in range(length)]


def test_what_no_byte_can_say_is_refused() -> None:
    net = Network(CELLS)
    net.inputs[0, 0] = 128
    with pytest.raises(UsageError, match="a weight of inputs is 128"):
        net.program()
    net.inputs[0, 0] = 0.5
    with pytest.raises(
        UsageError, match=r"a weight of inputs is 0\.5: expected an integer"
    ):
        net.program()
    net.inputs[0, 0], net.thresholds[1] = 0, 128
    with pytest.raises(UsageError, match="a word of thresholds is 131072"):
        net.program()
    with pytest.raises(UsageError, match="an input line is 16"):
        net.events([(0, 16)])
    with pytest.raises(UsageError, match="two spikes are in step 4"):
        net.events([(4, 1), (4, 2)], theirs=True)
    with pytest.raises(UsageError, match="a window of STDP is 256"):
        Network(CELLS, stdp=Stdp(256)).program()
    with pytest.raises(DataError, match="expected a command"):
        neurocorex.simulate(b"\xaa", CELLS)


def test_the_example_of_the_documentation_is_true() -> None:
    found = doctest.DocTestParser().get_doctest(
        PAGE.read_text("utf-8"), {}, "spiking.md", str(PAGE), 0
    )
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0
