"""Attacks on the verdict: whatever a device says, a run passes only on the truth.

Each trial is a whole run with a real device, which lies in one or two places
(`hil.measuring.lying_device`). It may pass only where all that the run claims is what
an honest run claims; it ends within the target's limits, with an exit code and one sentence.
`hil bench attacks` prints the table of docs/reliability.md.
"""

from __future__ import annotations

import json
import random
import signal
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from codegen import protocol
from codegen.protocol import Message
from codegen.reference import Learner
from emulation.faults import Line
from hil.errors import Divergence, Interrupted, Terminated
from hil.experiment import Experiment
from hil.learning.progress import Progress
from hil.learning.reference_process import ReferenceProcess
from hil.learning.session import Session
from hil.lesson import weights
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.measuring.lying_device import HEADER_SIZES, Lie, LyingLine, places, said_alone
from hil.records import record as records
from hil.records.record import RunRecord

WAIT = 1.0
"""Seconds of each of the target's limits, in place of its own: a lie that silences the
device costs one of them, or two."""
HANG = 60 * WAIT
"""Seconds after which a trial hangs: a flood takes ten of them on a busy computer."""

SEED = 1
"""Of every choice among lies."""

UNCLAIMED = {
    "folder": "where it is written down",
    "started": "when",
    "seconds": "how long it took, by the host's clock",
    "speed": "the same",
    "versions": "what it was made with",
    "link": "what the line did, of which lies are a part",
    "device.damaged": "the device alone counts its damaged pieces: shown, never judged",
    "device.overruns": "the same of bytes that its ring has lost",
    "device.stack": "the same of its stack, which the build has bounded",
}
"""What a record says that an attack may change: the run asserts none of it."""

UNJUDGED = {
    "hello.protocol_min": "a range of versions that the host's is still in",
    "hello.protocol_max": "the same",
    "hello.reset_cause": "why a board has started: no claim of a run",
    "hello.step": "where the device stood before INIT, which sets that",
    "hello.committed_step": "whether it has a checkpoint: what it resumes is judged",
    "init.digest": "of weights that --init replaces at once; any other is judged",
    "commit.sequence": "a number in the flash: what a checkpoint holds, its digest tells",
    "telemetry": "the device alone knows it: shown, and in a host run no claim",
}
"""Fields of a reply, or all of a message, that may be lied about in a run that passes,
each with the reason. In any other field of a payload a lie must be found."""

LESSON = Experiment(
    target="host", network="64-3-10", steps=16, test=8, samples_per_frame=2, window=2,
    name="attack",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A run, `asked`, in which a device may lie. `cut`: the device loses its power as
    it begins to write its second of four checkpoints; `given`: it begins with weights
    of a file. The lies are about the messages that no scene before this one has, and
    `also` about these."""

    name: str
    asked: Experiment
    cut: bool = False
    given: bool = False
    also: tuple[str, ...] = ()


SCENES = (
    Scene("samples on the line", LESSON, given=True),
    Scene("resident", LESSON.override({"resident": "all", "thin": 4})),
    Scene("rehearsal", LESSON.override({"rehearsal": 4})),
    Scene(
        "checkpoints",
        LESSON.override({"commit": 4, "samples_per_frame": 1}),
        cut=True,
        also=("hello", "init", "step"),
    ),
    Scene("prefix", LESSON.override({"prefix": 6}), also=("infer", "read", "digest")),
    Scene("parts", LESSON.override({"chunk": 40, "samples_per_frame": 1})),
)
"""Together they contain every message of a run."""


@dataclass(frozen=True)
class Outcome:
    """How a trial has ended. `verdict`: "pass" or what else the record says, "hang", or
    "crash"; `code` and `sentence` are the run's. `same`: it claims what an honest run
    claims. `told`: frames that were not the device's own words."""

    scene: str
    lies: tuple[Lie, ...]
    told: int
    verdict: str
    code: int
    sentence: str
    same: bool
    seconds: float

    @property
    def believed(self) -> bool:
        """Whether a lie was taken for the truth, or was too much for the host."""
        if self.verdict == "pass":
            missed = self.told and not all(map(self._may_pass, self.lies))
            return bool(missed) or not self.same
        return self.verdict in ("hang", "crash") or "\n" in self.sentence

    def _may_pass(self, lie: Lie) -> bool:
        """Whether an honest run's claims can be made in spite of it: nobody looks at
        its place, or at the frame that another lie was told in too."""
        beside = len(self.lies) > 1 or lie.place in (*HEADER_SIZES, "payload", "frame")
        named = {lie.message, f"{lie.message}.{lie.place}"}
        return beside or not named.isdisjoint(UNJUDGED)


class Hang(BaseException):
    """A trial takes too long; nothing may catch it on its way."""


@contextmanager
def _ended_after(limit: float) -> Iterator[None]:
    """Raise `Hang` in here after `limit` seconds. In the main thread only."""

    def strike(_: int, __: FrameType | None) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Ground:
    """A scene with its image and its reference, in which one may lie, and what an
    honest run claims there. Raises `Divergence` when that does not pass."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._stack = ExitStack()
        made = tempfile.TemporaryDirectory(prefix="hil-")
        self._folder = Path(self._stack.enter_context(made))
        asked = scene.asked
        if scene.given:
            state = Learner(prepare(asked).spec).snapshot()
            start = weights.save(str(self._folder / "start.npz"), state)
            asked = asked.override({"init": str(start), "save": str(self._saved)})
        lesson = prepare(asked)
        limits = dict.fromkeys(vars(lesson.target.limits), WAIT) | {
            "watchdog": WAIT / 2
        }
        limits |= {"boot": 2 * WAIT}  # a busy computer starts a process late
        hasty = replace(lesson.target.limits, **limits)
        self._lesson: Lesson = replace(
            lesson, target=replace(lesson.target, limits=hasty)
        )
        self._built: Built = build(plan_for(self._lesson))
        self._reference = self._begun()
        self._cut = (self._operations() // 4 + 1, "nothing") if scene.cut else None
        record, line = self._run(())
        if record.result != "pass":
            raise Divergence(f"the honest run has not passed: {record.error}")
        self.heard = dict(line.heard)
        self._claims = self._claimed(record)

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *_: object) -> None:
        self._reference.close()
        self._stack.close()

    @property
    def _saved(self) -> Path:
        return self._folder / "learned.npz"

    def lies(self, known: Collection[str] = ()) -> Iterator[Lie]:
        """Every lie that may be told in this scene, but for messages that are `known`:
        in each place of each message each change, in all frames and in one of them."""
        dice = random.Random(SEED)
        for message in protocol.MESSAGES:
            name, frames = message.name, self._frames(message)
            if not frames or (name in known and name not in self.scene.also):
                continue
            for place, changes in places(message):
                for change in changes:
                    yield Lie(name, place, change)
                    if len(frames) > 1:
                        yield Lie(name, place, change, dice.choice(frames))

    def _frames(self, message: Message) -> Sequence[int]:
        """Frames of a message in an honest run, or of those behind which it is said,
        each by the first that it tells of."""
        name = protocol.STEP.name if said_alone(message) else message.name
        return self.heard.get(name, ())

    def trial(self, lies: Sequence[Lie], seed: int = 1) -> Outcome:
        """One run with these lies."""
        began, verdict, same, told = time.perf_counter(), "", False, 0
        code, sentence = 0, ""
        try:
            with _ended_after(HANG):
                record, line = self._run(lies, seed)
            verdict, told = record.result, line.told
            code, sentence = record.exit_code, (record.error or {}).get("sentence", "")
            same = verdict == "pass" and self._claimed(record) == self._claims
        except Hang:
            verdict = "hang"
        except (Interrupted, Terminated):
            raise
        except Exception as error:
            verdict, sentence = "crash", repr(error)
        if verdict in ("hang", "crash") or code == 7 or not self._reference.alive:
            self._reference.close()
            self._reference = self._begun()
        taken = time.perf_counter() - began
        return Outcome(
            self.scene.name, tuple(lies), told, verdict, code, sentence, same, taken
        )

    def _begun(self) -> ReferenceProcess:
        return ReferenceProcess(self._lesson.spec)

    def _operations(self) -> int:
        """Flash operations of a run."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            session = self._session(Path(folder), lambda line: line, None)
            session.run()
            return int(session.machine_log.split("flash operations:")[1].split()[0])

    def _session(self, folder: Path, through: Any, cut: Any) -> Session:
        return Session(
            self._lesson, folder, Progress(), built=self._built, cut=cut,
            through=through, reference=self._reference,
        )  # fmt: skip

    def _run(self, lies: Sequence[Lie], seed: int = 1) -> tuple[RunRecord, LyingLine]:
        lines: list[LyingLine] = []

        def through(line: Line) -> Line:
            lines.append(LyingLine(line, lies, seed))
            return lines[-1]

        self._saved.unlink(missing_ok=True)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            session = self._session(Path(folder), through, self._cut)
            session.run()
            record = session.record
            if isinstance(session.failure, (Interrupted, Terminated)):
                raise session.failure
            steps = record.folder / records.METRICS
            self._steps = steps.read_text() if steps.exists() else ""
        return record, lines[0]

    def _claimed(self, record: RunRecord) -> Mapping[str, Any]:
        """All that a run that has passed asserts: its record, its steps, its weights."""
        claims = json.loads(json.dumps(record.to_json()))
        for path in UNCLAIMED:
            part, _, name = path.partition(".")
            (claims[part] if name else claims).pop(name or part, None)
        claims["steps told"] = self._steps
        if self._saved.exists():
            state = weights.read(str(self._saved))
            claims["weights"] = {n: t.tobytes() for n, t in sorted(state.items())}
        return claims


def attacks(pairs: int) -> Iterator[Outcome]:
    """Every lie of every scene, and `pairs` of lies told together in each."""
    known: set[str] = set()
    for scene in SCENES:
        with Ground(scene) as ground:
            lies = list(ground.lies(known))
            known |= {lie.message for lie in lies}
            dice = random.Random(SEED)
            for told in [
                *([lie] for lie in lies),
                *(dice.sample(lies, 2) for _ in range(pairs)),
            ]:
                yield ground.trial(told)
