"""The C decoder and the whole runtime under libFuzzer and sanitizers.

What must hold is written in docs/security.md and asserted in the harnesses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from _pytest.mark import ParameterSet

import emulation
import targets
from codegen.building import toolchain
from codegen.protocol import StepFlag
from codegen.rendering.render import FIRMWARE, render
from hil.device.device import Device
from hil.device.link.channel import Channel

from .conftest import (
    BRIEF,
    CORPUS,
    HARNESSES,
    NIGHTLY,
    PLANS,
    RUNTIMES,
    Finding,
    Harness,
)

Build = Callable[..., Harness]
LIMIT = 20.0
MOST = 100_000
"""Bytes of the committed corpus."""
CAMPAIGN = 100 * BRIEF
"""Executions in search of an input for a planted defect that the corpus misses.
A search depends on the order of files and on the compiler; a committed input
does not."""


def _daily(names: Iterable[str]) -> list[ParameterSet]:
    """A case each, those of NIGHTLY for the night."""
    return [
        pytest.param(name, marks=pytest.mark.full if name.endswith(NIGHTLY) else ())
        for name in names
    ]


@pytest.mark.parametrize("name", _daily(HARNESSES))
def test_the_committed_corpus_holds(built: Build, name: str, tmp_path: Path) -> None:
    harness = built(name)
    inputs = sorted(harness.corpus.iterdir())
    assert inputs
    harness.run(*inputs, folder=tmp_path)


def test_the_committed_corpus_is_small() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(sizes) < MOST


@pytest.mark.parametrize("name", _daily(HARNESSES))
def test_a_bounded_run_finds_nothing(
    built: Build, name: str, tmp_path: Path, record_property: Callable[..., None]
) -> None:
    total = int(os.environ.get("HIL_FUZZ_RUNS", BRIEF))
    ran = built(name).fuzz(total, tmp_path)
    record_property("fuzz", (name, ran.runs, ran.edges, ran.seconds, ran.memory))


# -- a real session -------------------------------------------------------------


class Recorded(Channel):
    """A channel that remembers what was sent."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.line = b""

    def send(self, data: bytes) -> None:
        """Queue `data`, and remember it."""
        self.line += data
        super().send(data)


def session(name: str) -> bytes:
    """What a host sends in a session in which every message occurs."""
    target, made = targets.load("host"), PLANS[name]
    image = toolchain.build(render(made), toolchain.find(target))
    network, inputs = made.spec.network, made.spec.inputs
    sample = bytes(range(network.n_in * inputs.size))
    if inputs.raster is not None:
        sample = np.uint16([(0, 1), (2, 0), (3, 2)]).tobytes()
    flags = StepFlag.DIGEST | StepFlag.TELEMETRY
    eta, vector = np.float32(0.1), np.arange(network.n_out, dtype=np.float32)
    told = (vector, -vector) if made.spec.goal == "vector" else (0, 1)
    machine = emulation.machine_for(target, image.path)
    with machine:
        machine.power_on()
        assert machine.url is not None
        with Recorded(machine.url) as channel:
            machine.run()
            device = Device(channel, made, target.limits)
            device.hello(image.digest, 0, LIMIT)
            assert list(device.echo([b"", b"\0\xff"])) == [b"", b"\0\xff"]
            device.init(7)
            for step, given in enumerate(told):
                device.post_steps(step, eta, [(given, sample)], flags)
                assert device.take_steps(LIMIT)
            if made.resident is not None:
                for first in (2, 4):
                    device.post_resident(first, eta, np.arange(2) * (first - 1), flags)
                    assert device.take_steps(LIMIT)
            if made.rehearsal:
                for step in range(6, 6 + made.rehearsal):
                    device.post_steps(step, eta, [(told[1], sample)], flags, step - 6)
                    assert device.take_steps(LIMIT)
                device.post_rehearsal(step + 1, eta, [0] * made.line.samples, flags)
                assert device.take_steps(LIMIT)
            weights = device.read(made.state[0])
            device.write(made.state[0], weights)
            device.init(0, step=9, keep=True)
            device.infer([sample] * 3)
            device.digest()
            assert device.ping().damaged == 0
            device.leave()
            return channel.line


@pytest.mark.parametrize("name", _daily(PLANS))
def test_a_real_session_holds(
    built: Build, host_cc: str, name: str, tmp_path: Path
) -> None:
    line = session(name)
    pieces = [line[at : at + 255] for at in range(0, len(line), 255)]
    given = tmp_path / "session"
    given.write_bytes(b"\0" + b"".join(b"\0" + bytes([len(p)]) + p for p in pieces))
    built(f"runtime-{name}").run(given, folder=tmp_path)
    kept = os.environ.get("HIL_FUZZ_CORPUS")
    if kept:
        folder = Path(kept) / f"runtime-{name}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"session-{name}").write_bytes(given.read_bytes())


# -- the harnesses bite ---------------------------------------------------------

FRAME, SESSION = "firmware/src/hil_frame.c", "firmware/src/hil_session.c"
LEARNER, STATE, STEPS, REHEARSAL, RESIDENT, PARTS = (
    f"firmware/src/network/hil_{name}.c"
    for name in ("learner", "state", "steps", "rehearsal", "resident", "parts")
)
GOAL, WORDS = "firmware/src/network/hil_goal.h", "firmware/src/hil_words.h"
DEFECTS = {
    "a body one byte too long": (
        FRAME, "d->size == d->capacity", "d->size > d->capacity"),
    "a CRC nobody looks at": (FRAME, "if (!whole ||", "if (!whole &&"),
    "damage nobody counts": (FRAME, "d->damaged++;", ";"),
    "a frame lost after one that is too long": (FRAME, "d->broken = false;", ";"),
    "words behind a tensor": (
        WORDS, "ask->count > words - ask->offset", "ask->count > words"),
    "scratch that can be written": (
        STATE, "|| ask->tensor >= NET_STATE_TENSORS", ""),
    "a place behind the resident set": (
        RESIDENT, "ask->first < HIL_RESIDENT &&", "ask->first <= HIL_RESIDENT ||"),
    "a slot behind the rehearsal buffer": (
        REHEARSAL, "if (slot >= HIL_REHEARSAL ||", "if (slot > HIL_REHEARSAL ||"),
    "a slot without a sample": (
        REHEARSAL, "!hil_learner.rehearsal.filled[slot]", "!filled"),
    "a sample kept without its target": (
        REHEARSAL, "memcpy(hil_learner.rehearsal.target[slot], target, HIL_TARGET_BYTES);",
        "(void)target;"),
    "a session anybody may use": (
        SESSION, "if (request->header.boot != session.boot)",
        "if (request->header.boot == ~session.boot)"),
    "a step learned twice": (
        STEPS, "if (ask->step == hil_learner.net.step)",
        "if (ask->step <= hil_learner.net.step)"),
    "a reply that outlives its session": (
        LEARNER, "hil_replies_forget(); /* they answered another session's steps */", ""),
    "a reply that outlives an INIT": (
        STATE, "hil_learner.run = init.run;\n    hil_replies_forget();",
        "hil_learner.run = init.run;"),
    "a label that is no output": (
        GOAL, "return hil_goal_of(target) < NET_OUTPUTS;",
        "return hil_goal_of(target) <= NET_OUTPUTS;"),
    "an answer to an answer": (
        SESSION, "if (request.header.kind & HIL_REPLY)", "if (false)"),
    "samples that are not all there": (
        STEPS, "request->size != count * SENT_BYTES",
        "request->size > count * SENT_BYTES"),
    "a reply longer than its buffer": (
        WORDS, "bytes > HIL_MAX_PAYLOAD - sizeof *ask", "false"),
    "a part behind the end of a sample": (
        PARTS, "request->size > SAMPLE_BYTES - offset", "offset == SAMPLE_BYTES"),
}  # fmt: skip
FOUND_BY = {FRAME: "frame", PARTS: "runtime-parts"}
"""A file with a defect -> the harness that must find it, unless it is the first runtime's."""


def _found_daily() -> list[ParameterSet]:
    """A case a defect; those of a harness of the night are sought at night."""
    return [
        pytest.param(name, marks=pytest.mark.full if file == PARTS else (), id=name)
        for name, (file, _, _) in DEFECTS.items()
    ]


@pytest.mark.parametrize("name", _found_daily())
def test_a_defect_is_found(built: Build, name: str, tmp_path: Path) -> None:
    file, right, wrong = DEFECTS[name]
    text = (FIRMWARE.parent / file).read_text("utf-8")
    assert right in text
    harness = built(FOUND_BY.get(file, RUNTIMES[0]), {file: text.replace(right, wrong)})
    try:
        harness.run(*sorted(harness.corpus.iterdir()), folder=tmp_path)
    except Finding:
        return
    harness.fuzz(CAMPAIGN, tmp_path)  # what it finds belongs in the corpus
    pytest.fail(f"neither the corpus nor {CAMPAIGN:,} executions find: {name}")
