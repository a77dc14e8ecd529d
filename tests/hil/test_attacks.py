"""A device that lies: no run passes on a lie, none hangs, each ends in one sentence.

`hil bench attacks` tells every lie there is; here each comparison that a run makes has
the lie that only it can find, and of all lies a few stand for the others.
"""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from codegen import protocol
from codegen.reference import Learner
from hil.device.device import Device
from hil.device.link.channel import Channel
from hil.errors import DeviceFault
from hil.experiment import Experiment
from hil.learning.divergence import Snapshot
from hil.learning.lockstep import Lockstep
from hil.learning.reference_process import ReferenceProcess
from hil.measuring.attacks import SCENES, Ground, Outcome
from hil.measuring.lying_device import Lie, LyingLine, places, said_alone

LIMIT = 20.0
MOST = 10_000_000
"""Bytes that a flood may cost the host."""


@pytest.fixture(scope="module")
def at(host_cc: str) -> Iterator[Callable[[str], Ground]]:
    """The ground of a scene, which is made once."""
    known: dict[str, Ground] = {}
    with ExitStack() as stack:

        def ground(name: str) -> Ground:
            if name not in known:
                (scene,) = (scene for scene in SCENES if scene.name == name)
                known[name] = stack.enter_context(Ground(scene))
            return known[name]

        yield ground


LINE, RESIDENT, PREFIX = "samples on the line", "resident", "prefix"
CUT = "checkpoints"
FOUND = [
    (LINE, Lie("init", "digest", "a bit"), 1, "(init), digest"),
    (LINE, Lie("step", "flags", "bit 0"), 1, "asked for it, and has not told it"),
    (LINE, Lie("step", "tail[0]", "a bit", 6), 1, "(step), loss"),
    (LINE, Lie("step", "tail[1]", "a bit", 6), 1, "digest"),
    (LINE, Lie("step", "tail[2]", "a bit", 6), 1, "(step), p[0]"),
    (LINE, Lie("step", "step", "plus 1", 6), 5, "field step is"),
    (LINE, Lie("step", "flags", "bit 3", 6), 5, "field flags is"),
    (LINE, Lie("step", "reserved", "bit 0", 6), 5, "field reserved is"),
    (LINE, Lie("infer", "tail[-1]", "a bit", 3), 1, "(test), p[9]"),
    (LINE, Lie("infer", "status", "plus 1", 3), 5, "nobody keeps such a reply"),
    (LINE, Lie("digest", "digest", "a bit"), 1, "(final), digest"),
    (LINE, Lie("digest", "step", "plus 1"), 5, "next step is 17, but 16 were learned"),
    (LINE, Lie("read", "tail[-1]", "a bit", 0), 5, "state that came over the line has"),
    (LINE, Lie("read", "offset", "plus 1", 0), 5, "field offset is 1, expected 0"),
    (LINE, Lie("write", "count", "plus 1", 0), 5, "field count is"),
    (LINE, Lie("hello", "isa", "a bit"), 6, "1 cores of"),
    (RESIDENT, Lie("step_resident", "fold", "a bit", 4), 1, "fold"),
    (RESIDENT, Lie("step_resident", "right", "plus 1", 4), 1, "were predicted right"),
    (RESIDENT, Lie("step_resident", "flags", "bit 0"), 1, "has not told it"),
    (CUT, Lie("commit", "digest", "a bit", 2), 1, "(commit), digest"),
    (CUT, Lie("commit", "digest", "a bit", 3), 1, "step 16 (commit), digest"),
    (CUT, Lie("commit", "step", "plus 1", 2), 5, "field step is 13, expected 12"),
    (CUT, Lie("commit", "step", "max"), 5, "field step is 4294967295, expected 4"),
    (CUT, Lie("init", "digest", "a bit", 1), 5, "but it had 332fff6d there"),
    (CUT, Lie("init", "step", "zero", 1), 5, "it had told of a checkpoint of step 4"),
    (CUT, Lie("init", "run", "a bit", 1), 5, "the device went on from step 4 of run"),
    (CUT, Lie("init", "step", "max", 1), 5, "the device went on from step 4294967295"),
    (CUT, Lie("step", "tail[0]", "a bit", 8), 1, "step 4 (again)"),
    (PREFIX, Lie("digest", "digest", "a bit", 0), 5, "the device says that its state"),
    (PREFIX, Lie("digest", "digest", "a bit", 1), 1, "(final), digest"),
    (PREFIX, Lie("infer", "tail[0]", "a bit", 3), 1, "(test), p["),
]
"""Scene, lie, exit code and a part of the sentence."""


@pytest.mark.parametrize(
    ("scene", "lie", "code", "sentence"), FOUND, ids=[str(lie) for _, lie, *_ in FOUND]
)
def test_what_a_run_compares_finds_its_lie(
    at: Callable[[str], Ground], scene: str, lie: Lie, code: int, sentence: str
) -> None:
    found = at(scene).trial([lie])
    assert (found.told > 0, found.code) == (True, code), found
    assert sentence in found.sentence


@pytest.mark.parametrize(
    ("scene", "lie", "sentence"),
    [
        (LINE, Lie("step", "tail[0]", "a bit", 6), "step 6 (step), loss"),
        (CUT, Lie("step", "tail[0]", "a bit", 8), "step 4 (again)"),
    ],
)
def test_frames_that_are_sent_again_leave_a_lie_where_it_is(
    at: Callable[[str], Ground], monkeypatch: pytest.MonkeyPatch,
    scene: str, lie: Lie, sentence: str,
) -> None:  # fmt: skip
    """As a busy computer does it, though more often: nobody waits for an answer."""
    ground = at(scene)
    monkeypatch.setattr("hil.device.exchange.AGAIN", 0.0)
    found = ground.trial([lie])
    assert sentence in found.sentence, found


@pytest.mark.parametrize(
    ("place", "change", "codes", "sentence"),
    [
        ("frame", "flood", (1, 7), "non-finite"),
        ("step", "zero", (7,), "stopped in step 0"),
        ("step", "max", (7,), "stopped outside a step"),
        ("cause", "zero", (7,), "instruction address misaligned"),
    ],
)
def test_a_fault_that_never_was_ends_the_run_and_nobody_waits_for_its_step(
    at: Callable[[str], Ground],
    place: str,
    change: str,
    codes: tuple[int, ...],
    sentence: str,
) -> None:
    found = at(LINE).trial([Lie("fault", place, change, 10)])
    assert found.code in codes and sentence in found.sentence


def test_nobody_waits_for_a_step_that_the_reference_is_not_asked_for(
    board: Callable[[Experiment], Any], small: Experiment
) -> None:
    """The device has learned the ten steps of a leg, and says that the eleventh has
    stopped it."""
    one = board(small.override({"samples_per_frame": 1}))
    lesson, lie = one.lesson, Lie("fault", "step", "plus 1", 9)
    start = Snapshot(0, Learner(lesson.spec).snapshot())
    with Channel(one.url) as channel, ReferenceProcess(lesson.spec) as reference:
        line = LyingLine(channel, [lie])
        device = Device(line, one.built.plan, lesson.target.limits)
        device.hello(one.built.image.digest, 0, LIMIT)
        device.init(lesson.spec.seed)
        lockstep = Lockstep(device, lesson, reference, start, lambda done: None)
        lockstep.until = 10
        with pytest.raises(DeviceFault, match="stopped in step 10") as caught:
            lockstep.run()
    assert "no such step was under way" in caught.value.hints[0]


@pytest.mark.parametrize("message", ["telemetry", "step", "infer", "fault"])
def test_a_flood_ends_and_is_not_kept(
    at: Callable[[str], Ground], message: str
) -> None:
    """Nothing but copies of a frame, as fast as the host takes them."""
    change = "flood" if message == "fault" else "drowned"
    ground = at(LINE)
    tracemalloc.start()
    found = ground.trial([Lie(message, "frame", change, 0)])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.verdict in ("error", "fail") and most < MOST, most


def test_a_fault_of_another_session_is_not_this_ones(
    at: Callable[[str], Ground],
) -> None:
    found = at(LINE).trial([Lie("fault", "boot", "a bit")])
    assert found.told > 0 and (found.verdict, found.same) == ("pass", True)


def test_lies_that_nobody_believes_cost_nothing(at: Callable[[str], Ground]) -> None:
    """A frame that comes twice, or from another session, or is lost once."""
    for lie in (
        Lie("step", "frame", "twice"),
        Lie("infer", "boot", "a bit", 3),
        Lie("step", "seq", "a bit", 4),
        Lie("telemetry", "frame", "twice"),
        Lie("step", "frame", "dropped", 4),
    ):
        found = at(LINE).trial([lie])
        assert found.told > 0 and (found.verdict, found.same) == ("pass", True), found


def sampled(of: protocol.Message | None = None) -> list[tuple[str, Lie]]:
    """One lie in each place of each message, or of this one, where that message is first
    said. PART's are for the night."""
    dice, found = random.Random(1), []
    first = {
        "step_resident": RESIDENT,
        "rehearse": "rehearsal",
        "commit": CUT,
        "part": "parts",
    }
    unsaid = (protocol.ECHO, protocol.PING)
    for message in protocol.MESSAGES if of is None else (of,):
        if message in unsaid or (of is None and message is protocol.PART):
            continue
        for place, changes in places(message):
            which = None if said_alone(message) else 0
            lie = Lie(message.name, place, dice.choice(changes), which)
            found.append((first.get(message.name, LINE), lie))
    return found


def believed(at: Callable[[str], Ground], lies: list[tuple[str, Lie]]) -> list[Outcome]:
    found = (at(scene).trial([lie]) for scene, lie in lies)
    return [one for one in found if one.believed]


@pytest.mark.full
def test_no_lie_about_parts_is_believed(at: Callable[[str], Ground]) -> None:
    lies = sampled(protocol.PART)
    assert len(lies) == 8
    assert believed(at, lies) == []


@pytest.mark.parametrize("part", range(4))
def test_no_lie_is_believed(at: Callable[[str], Ground], part: int) -> None:
    lies = sampled()[part::4]
    assert len(lies) > 20
    assert believed(at, lies) == []
