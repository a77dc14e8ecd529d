"""Checkpoints: what the device writes this side reads, and the other way round;
what is broken or of another network is never gone on from.

More than 400 lines because its tests share images and flashes.
"""

from __future__ import annotations

import dataclasses
import re
import shutil
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import emulation
import hil.measuring.reliability as tried
from codegen import protocol
from codegen.protocol import CHECKPOINT, CHECKPOINT_LAST
from codegen.rendering import render
from emulation.faults import Line
from hil import Experiment, run
from hil.cli import main
from hil.desk.attach import attach
from hil.device.link.frame import Decoder
from hil.errors import (
    DataError,
    EmulatorError,
    HilError,
    LineClosed,
    LinkError,
    NoCheckpoint,
    NothingCompared,
    Refused,
    UsageError,
)
from hil.learning import checkpoints, states
from hil.learning.progress import Progress
from hil.learning.session import Session
from hil.lesson import weights
from hil.lesson.building import build, plan_for
from hil.lesson.preparing import prepare
from hil.measuring.lying_device import Lie, LyingLine
from hil.records.record import FLASH, RunRecord
from targets import Flash

ASKED = Experiment(
    target="host", network="64-17-10", steps=60, commit=20, test=5, name="one"
)
PLAN = plan_for(prepare(ASKED))


@pytest.fixture(scope="module")
def clean(host_cc: str, tmp_path_factory: pytest.TempPathFactory) -> RunRecord:
    """A run that has left checkpoints of steps 20, 40 and 60."""
    return run(ASKED, out=tmp_path_factory.mktemp("clean"))


@pytest.fixture
def left(clean: RunRecord, tmp_path: Path) -> Path:
    """A copy of that run's folder, to be changed."""
    return Path(shutil.copytree(clean.folder, tmp_path / "left"))


def resumed(folder: Path, out: Path, **keys: Any) -> RunRecord:
    return run(ASKED.override({"steps": 80, **keys}), out=out, resume=folder)


def spoil(flash: Path, slot: int, at: int) -> None:
    """Change a bit of a slot."""
    with flash.open("r+b") as file:
        file.seek(slot * PLAN.slots.size + at)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 0x10]))


def test_this_side_reads_what_the_device_has_written(clean: RunRecord) -> None:
    found = checkpoints.whole(PLAN, clean.folder / FLASH)
    assert [(c.sequence, c.step, c.slot) for c in found] == [
        (3, 60, 2), (2, 40, 1), (1, 20, 0),
    ]  # fmt: skip
    assert f"{found[0].digest:08x}" == clean.digest


def test_a_resumed_run_ends_as_one_that_never_stopped(
    left: Path, tmp_path: Path
) -> None:
    whole = run(ASKED.override({"steps": 80}), out=tmp_path)
    record = resumed(left, tmp_path)
    assert (record.result, record.resumed_from, record.compared) == ("pass", 60, 20)
    assert record.digest == whole.digest


@pytest.mark.parametrize(
    "target", ["qemu-rv64gcv", "qemu-rv64gc", "qemu-rv32imafc-zve32f"]
)
def test_a_flash_may_be_moved_to_another_machine(
    clean: RunRecord, tmp_path: Path, qemu64: str, qemu32: str, target: str
) -> None:
    """State is the same to the bit everywhere, so what this side writes for one
    machine another goes on from."""
    lesson = prepare(ASKED.override({"target": target}))
    held = checkpoints.newest(PLAN, clean.folder / FLASH)
    (tmp_path / "from").mkdir()
    checkpoints.add(
        plan_for(lesson), tmp_path / "from" / FLASH,
        checkpoints.tensors(PLAN, held.state),
        step=held.step, seed=held.seed, digest=held.digest,
    )  # fmt: skip
    record = resumed(tmp_path / "from", tmp_path, target=target)
    whole = run(ASKED.override({"steps": 80}), out=tmp_path)
    assert (record.result, record.resumed_from) == ("pass", 60)
    assert record.digest == whole.digest


@pytest.mark.parametrize(
    "at", [0, 30, 52, PLAN.slots.state_at, PLAN.slots.state_at + 999]
)
def test_a_checkpoint_with_one_wrong_bit_is_not_gone_on_from(
    left: Path, tmp_path: Path, at: int
) -> None:
    spoil(left / FLASH, 2, at if at != 52 else 48)
    record = resumed(left, tmp_path)
    assert (record.result, record.resumed_from) == ("pass", 40)
    assert [c.step for c in checkpoints.whole(PLAN, left / FLASH)] == [40, 20]


def test_without_a_whole_checkpoint_nothing_is_resumed(
    left: Path, tmp_path: Path
) -> None:
    for slot in range(3):
        spoil(left / FLASH, slot, 5)
    with pytest.raises(NoCheckpoint, match="nothing to resume from") as refused:
        resumed(left, tmp_path)
    assert refused.value.exit_code == 5


OTHERS: tuple[dict[str, Any], ...] = (
    {"network": "64-18-10"}, {"network": "64-640-10"}, {"rule": "bp"},
    {"clip_weights": 4.0}, {"parameters": {"feedback": "uniform"}},
    {"activation": "relu"},
)  # fmt: skip


@pytest.mark.parametrize("keys", OTHERS, ids=str)
def test_a_checkpoint_of_something_else_is_refused_before_the_build(
    left: Path, tmp_path: Path, keys: dict[str, Any]
) -> None:
    with pytest.raises(DataError, match="is of another network, rule") as told:
        resumed(left, tmp_path / "out", **keys)
    assert told.value.exit_code == 2
    assert not (tmp_path / "out").exists()


def test_the_flash_that_a_run_names_is_looked_at_and_gone_on_from(
    left: Path, tmp_path: Path
) -> None:
    asked = ASKED.override({"steps": 80, "flash": str(left / FLASH)})
    with pytest.raises(DataError, match="is of another network, rule"):
        run(asked.override({"rule": "bp"}), out=tmp_path / "out", resume=True)
    assert not (tmp_path / "out").exists()
    assert run(asked, out=tmp_path, resume=True).resumed_from == 60


@pytest.mark.parametrize("keys", [*OTHERS, {"seed": 2}], ids=str)
def test_a_device_does_not_go_on_from_something_else(
    left: Path, tmp_path: Path, keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever this side has looked at: a board's flash it cannot see."""
    monkeypatch.setattr(checkpoints, "require_own", lambda plan, flash: None)
    other = "another network, rule, seed or version|nothing to resume from"
    with pytest.raises(LinkError, match=other):
        resumed(left, tmp_path, **keys)


def test_a_checkpoint_of_another_state_than_the_references_fails(
    left: Path, tmp_path: Path
) -> None:
    """The CRCs fit, so only the reference can tell."""
    held = checkpoints.newest(PLAN, left / FLASH)
    state = {n: t.copy() for n, t in checkpoints.tensors(PLAN, held.state).items()}
    state["W1"][3, 4] = np.nextafter(state["W1"][3, 4], np.float32(1))
    checkpoints.add(
        PLAN, left / FLASH, state, step=60, seed=held.seed, digest=held.digest
    )
    record = resumed(left, tmp_path)
    assert record.result == "fail" and record.divergence is not None
    assert (record.divergence["when"], record.divergence["step"]) == ("resume", 60)


def test_this_side_never_writes_over_the_only_whole_checkpoint(
    left: Path, tmp_path: Path
) -> None:
    """Where the newest header is whole and its state is not, with two slots."""
    two = dataclasses.replace(
        PLAN,
        target=dataclasses.replace(
            PLAN.target, flash=Flash(2 * PLAN.slots.size, 4096, 8)
        ),
    )
    flash, state = tmp_path / "two", checkpoints.tensors(PLAN, bytes(PLAN.slots.size))
    for step in (1, 2):
        checkpoints.add(two, flash, state, step=step, seed=1, digest=0)
    spoil(flash, 1, PLAN.slots.state_at)
    checkpoints.add(two, flash, state, step=3, seed=1, digest=0)
    assert [(c.slot, c.step) for c in checkpoints.whole(two, flash)] == [(1, 3), (0, 1)]
    flash.write_bytes(b"")
    with pytest.raises(DataError, match="has 0 bytes, but that of target host has"):
        checkpoints.add(two, flash, state, step=4, seed=1, digest=0)


def put(flash: Path, **fields: Any) -> None:
    """Give the newest checkpoint these fields and its header the CRC for them."""
    data = bytearray(flash.read_bytes())
    at = checkpoints.whole(PLAN, flash)[0].slot * PLAN.slots.size
    names = [field.name for field in CHECKPOINT.fields]
    values = dict(zip(names, CHECKPOINT.struct.unpack_from(data, at), strict=True))
    header = CHECKPOINT.pack(*{**values, **fields}.values())[:-4]
    header += zlib.crc32(header).to_bytes(4, "little")
    data[at : at + len(header)] = header
    flash.write_bytes(data)


def test_behind_the_last_sequence_number_nothing_is_written(
    left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Device and host take the checkpoint that has it, and refuse to write another."""
    put(left / FLASH, sequence=CHECKPOINT_LAST)
    file = str(tmp_path / "state.npz")
    assert main(["state", "save", str(left), file]) == 0
    assert "saved    step 60" in capsys.readouterr().out
    before = (left / FLASH).read_bytes()
    assert main(["state", "load", str(left), file]) == 2
    assert "takes no more checkpoints: the newest has the last sequence number" in (
        capsys.readouterr().err
    )
    assert (left / FLASH).read_bytes() == before
    assert resumed(left, tmp_path, commit=None).resumed_from == 60
    with pytest.raises(Refused, match="has used up its checkpoint numbers"):
        resumed(left, tmp_path)


def test_a_state_is_not_saved_from_behind_a_newer_one_of_another_network(
    left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run does not go on from there either."""
    put(left / FLASH, identity=b"another network.")
    with pytest.raises(DataError, match="is of another network, rule or version"):
        resumed(left, tmp_path)
    file = str(tmp_path / "state.npz")
    assert main(["state", "save", str(left), file]) == 2
    told = capsys.readouterr().err
    assert "the newest checkpoint in flash" in told and "--step 40" in told
    assert main(["state", "save", str(left), file, "--step", "40"]) == 0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut short", b"no zip"])
def test_an_npz_that_is_none_is_told_in_a_sentence(
    left: Path, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "broken.npz"
    file.write_bytes(content)
    assert main(["state", "diff", str(file), str(left)]) == 2
    assert "broken.npz' cannot be read" in capsys.readouterr().err


def test_wear_is_spread_over_the_slots(host_cc: str, tmp_path: Path) -> None:
    """One slot after the other, over several runs too."""
    flash = str(tmp_path / "flash")
    for seed in (1, 2, 1):
        run(ASKED.override({"flash": flash, "commit": 1, "seed": seed}), out=tmp_path)
    found = checkpoints.whole(PLAN, Path(flash))
    assert len(found) == 180
    assert Counter(c.slot for c in found) == Counter(range(180))
    assert sorted(c.sequence for c in found) == list(range(1, 181))


def test_a_run_that_is_not_resumed_starts_anew(left: Path, tmp_path: Path) -> None:
    keys = {"flash": str(left / FLASH)}
    record = run(ASKED.override(keys), out=tmp_path)
    assert (record.result, record.resumed_from, record.compared) == ("pass", None, 60)


def test_a_network_too_large_for_two_checkpoints_is_refused_in_a_sentence(
    tmp_path: Path, host_cc: str
) -> None:
    with pytest.raises(HilError, match="needs two checkpoints of") as refused:
        run(ASKED.override({"network": "64-20000-10"}), out=tmp_path)
    assert refused.value.exit_code == 2


MUTATIONS = {
    "the newest slot is written over": (
        "if (slot == store->kept) {", "slot = store->newest;\n    if (false) {",
        "told of a checkpoint",
    ),
    "what is programmed was not erased": (
        "if (!erase(slot) ||", "if ((false && !erase(slot)) ||",
        "flash: a program of what is not",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_store_that_is_not_safe_is_caught(
    name: str, host_cc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong, sentence = MUTATIONS[name]
    firmware = tmp_path / "firmware"
    shutil.copytree(render.FIRMWARE, firmware)
    store = firmware / "src" / "network" / "hil_store.c"
    text = store.read_text()
    assert right in text, "hil_store.c has changed: this mutation no longer applies"
    store.write_text(text.replace(right, wrong))
    monkeypatch.setattr(render, "FIRMWARE", firmware)
    with pytest.raises(HilError) as caught:
        ground = tried.Ground(tried.LESSON.override({"flash": str(tmp_path / "flash")}))
        tried.under_cuts(ground, "half", range(20, 60))
    told = " ".join([str(caught.value), *caught.value.hints])
    assert sentence in told


# -- the verbs


def test_state_goes_out_of_a_flash_and_into_it(
    left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(tmp_path / "state.npz")
    assert main(["state", "save", str(left), file, "--step", "40"]) == 0
    assert main(["state", "diff", file, str(left)]) == 1
    assert "tensors differ" in capsys.readouterr().out
    assert main(["state", "load", str(left), file, "--step", "40"]) == 0
    assert main(["state", "diff", file, str(left)]) == 0
    assert "equal to the bit" in capsys.readouterr().out
    record = resumed(left, tmp_path)
    whole = run(ASKED.override({"steps": 80}), out=tmp_path)
    assert (record.resumed_from, record.digest) == (40, whole.digest)


def test_resume_takes_the_latest_run_and_its_experiment(
    left: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(left.parent)
    assert main(["run", "--resume", "--steps", "80", "--out", out]) == 0
    told = capsys.readouterr().out
    assert "resume   step 60" in told and "from step 60 on" in told


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["run", "--resume", "--out", "nowhere"], "no run in 'nowhere' has a flash"),
        (["run", "--resume", "tests"], "'tests' is no run's folder"),
        (["state", "save", "tests", "x.npz"], "'tests' is no run's folder"),
        (
            ["run", "--faults", "drop=2"],
            "faults is 'drop=2': expected drop to be a probability",
        ),
        (["run", "--commit", "0"], "commit is 0: expected an integer from 1"),
        (
            ["run", "--unit", "/dev/null", "--faults", "cut=0.1"],
            "has no power switch",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], given: list[str], sentence: str
) -> None:
    assert main(given) == 2
    assert sentence in capsys.readouterr().err


ALONE = ASKED.override({"compare": "none", "window": 1})
"""Nobody is waited for: once the last step is told, only its checkpoint is to come."""


def test_the_last_checkpoint_is_written_when_nothing_else_is_in_flight(
    host_cc: str, tmp_path: Path
) -> None:
    record = run(ALONE, out=tmp_path)
    assert record.learned == 60
    assert checkpoints.newest(PLAN, record.folder / FLASH).step == 60


class LostAtCommit:
    """A line that is lost, once, with the request to write the last checkpoint, or with
    what answers it. The request is lost once more on the line that comes after it."""

    def __init__(self, inner: Line, with_answer: bool) -> None:
        self.lost = self._swallowed = 0
        self._inner = inner
        self._with_answer = with_answer
        self._asked, self._told = Decoder(), Decoder()
        self._loose = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def send(self, data: bytes) -> None:
        last = any(
            frame.kind == protocol.COMMIT.kind
            and int.from_bytes(frame.payload[:4], "little") == ASKED.steps
            for frame in self._asked.feed(data)
        )
        if last and self._swallowed < 2 and not self._with_answer:
            self._loose = self._swallowed == 0
            self._swallowed += 1
        else:
            self._inner.send(data)

    def pump(self, limit: float) -> bytes:
        if not self._loose:
            data = self._inner.pump(limit)
            assert protocol.COMMIT.reply is not None
            told = [
                protocol.COMMIT.reply.unpack(frame.payload)[0]["step"]
                for frame in self._told.feed(data)
                if frame.kind == protocol.COMMIT.kind | protocol.REPLY
            ]
            if ASKED.steps not in told or self.lost or not self._with_answer:
                return data
        self._loose = True
        raise LineClosed("the line is unplugged")

    def reopen(self, url: str) -> None:
        self._inner.reopen(url)
        self._loose = False
        self.lost += 1


@pytest.mark.parametrize("with_answer", [False, True])
def test_the_last_checkpoint_is_written_though_the_line_is_lost_with_it(
    host_cc: str, tmp_path: Path, with_answer: bool
) -> None:
    lines: list[LostAtCommit] = []

    def through(line: Line) -> Any:
        lines.append(LostAtCommit(line, with_answer))
        return lines[-1]

    session = Session(prepare(ALONE), tmp_path, Progress(), through=through)
    session.run()
    record = session.record
    assert isinstance(session.failure, NothingCompared) and record.learned == 60
    assert lines[0].lost == record.link["replugged"] == 1
    found = checkpoints.newest(PLAN, record.folder / FLASH)
    assert (found.step, found.sequence) == (60, 3)


def test_a_device_that_ends_by_itself_is_not_taken_for_a_power_cut(
    host_cc: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    firmware = tmp_path / "firmware"
    shutil.copytree(render.FIRMWARE, firmware)
    store = firmware / "src" / "network" / "hil_store.c"
    right = "    uint32_t slot = (store->newest + 1) % HIL_SLOTS;\n"
    assert right in store.read_text()
    store.write_text(
        store.read_text().replace(right, f"{right}    __builtin_trap();\n")
    )
    monkeypatch.setattr(render, "FIRMWARE", firmware)
    with pytest.raises(EmulatorError, match="has ended by itself") as caught:
        run(ASKED, out=tmp_path)
    assert caught.value.exit_code == 8


def test_a_run_that_is_complete_has_nothing_left_to_learn(
    left: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="nothing is left to learn"):
        resumed(left, tmp_path, steps=60)
    assert issubclass(NoCheckpoint, LinkError) and issubclass(Refused, LinkError)


def test_a_run_comes_back_to_its_own_checkpoints_only(
    host_cc: str, tmp_path: Path
) -> None:
    """An earlier run with the same network and seed has left others in the flash,
    which are newer than none; the rates are not in a checkpoint."""
    flash = str(tmp_path / "flash")
    run(ASKED.override({"flash": flash, "lr": 0.2, "commit": 4}), out=tmp_path)
    clean = run(ASKED, out=tmp_path)
    for seed in range(1, 9):
        keys = {"flash": flash, "faults": f"cut=0.3,seed={seed}"}
        record = run(ASKED.override(keys), out=tmp_path)
        assert record.result == "pass" and record.digest == clean.digest


@pytest.fixture
def unit(left: Path) -> Iterator[str]:
    """A board with that run's image, and its flash."""
    lesson = prepare(ASKED)
    image = build(plan_for(lesson)).image.path
    with emulation.machine_for(lesson.target, image, flash=left / FLASH) as machine:
        machine.power_on()
        machine.run()
        assert machine.url is not None
        yield machine.url


def test_a_board_goes_on_from_its_own_flash(
    unit: str, clean: RunRecord, tmp_path: Path
) -> None:
    asked = ASKED.override({"unit": unit, "steps": 80})
    record = run(asked, out=tmp_path, resume=True)
    whole = run(ASKED.override({"steps": 80}), out=tmp_path)
    assert (record.result, record.resumed_from) == ("pass", 60)
    assert record.digest == whole.digest != clean.digest


def test_state_goes_out_of_a_board_and_into_it(
    unit: str, left: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, again = str(tmp_path / "state.npz"), str(tmp_path / "again.npz")
    assert main(["state", "save", str(left), file, "--unit", unit]) == 0
    assert main(["state", "diff", file, str(left)]) == 0
    state = dict(np.load(file))
    state["b1"] = state["b1"] + np.float32(1)
    np.savez(file, **state)
    assert main(["state", "load", str(left), file, "--step", "7", "--unit", unit]) == 0
    assert "loaded   step 7" in capsys.readouterr().out
    assert main(["state", "save", str(left), again, "--unit", unit]) == 0
    assert "saved    step 7" in capsys.readouterr().out
    assert main(["state", "diff", file, again]) == 0


READ, WRITE = states.read_board, states.write_board


@pytest.mark.parametrize(
    ("moved", "lie", "sentence"),
    [
        (READ, Lie("read", "tail[0]", "a bit", 1), "came over the line has"),
        (READ, Lie("init", "digest", "a bit"), "says that its state has digest"),
        (WRITE, Lie("init", "digest", "a bit", 1), "says that its state has digest"),
        (WRITE, Lie("commit", "digest", "a bit"), "has written a checkpoint of digest"),
    ],
    ids=lambda value: str(value) if isinstance(value, Lie) else "",
)
def test_a_board_that_lies_about_its_state_is_refused(
    unit: str, left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    moved: Any, lie: Lie, sentence: str,
) -> None:  # fmt: skip
    file, plan = tmp_path / "w.npz", plan_for(prepare(ASKED))
    state = checkpoints.newest(plan, left / FLASH).state
    weights.save(str(file), checkpoints.tensors(plan, state))
    lying = partial(attach, through=lambda line: LyingLine(line, [lie]))
    monkeypatch.setattr(states, "attach", lying)
    with pytest.raises(LinkError, match=sentence):
        moved(
            states.RunFolder(left), unit, *((str(file), 30) if moved is WRITE else ())
        )


def test_a_run_with_faults_says_what_was_done_to_it(
    host_cc: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--target", "host", "--network", "64-17-10", "--steps", "80"]
    faults = ["--faults", "drop=0.1,duplicate=0.1,seed=2", "--out", str(tmp_path)]
    assert main(["run", *given, *faults]) == 0
    told = capsys.readouterr().out
    assert re.search(
        r"^line     \d+ drop, \d+ duplicate; \d+ frames, \d+ resent", told, re.M
    )
