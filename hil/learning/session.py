"""One run, from experiment to record: the walk through the house.

plan -> build -> power on -> HELLO -> INIT -> lockstep -> test -> final digest
-> LEAVE -> record. One direction; but a device that has lost its power or its line
is taken back to where it can go on from, as often as it gets on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from codegen.reference import Learner
from emulation.faults import Line
from hil.data import arrays
from hil.desk.attach import Attached, Emulated, attach, greet
from hil.desk.flashing import make_sure
from hil.device.device import Device
from hil.errors import HilError, UsageError
from hil.experiment import Experiment, load
from hil.learning import cycles, ending, opening
from hil.learning.compare import digest_difference
from hil.learning.divergence import (
    Found,
    Snapshot,
    compare_state,
    digest_at,
    read_state,
)
from hil.learning.lifeline import Lifeline
from hil.learning.progress import Progress
from hil.learning.recorded import Recorded
from hil.learning.reference_process import ReferenceProcess, borrowed
from hil.learning.teaching import Teaching
from hil.lesson import weights
from hil.lesson.building import Built, build, plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import prepare
from hil.records import record as records
from hil.records.record import RunRecord
from hil.records.recording import take_counts
from targets import storage
from targets.signals import Hold, held
from targets.storage import Growing


def run(
    experiment: Experiment | str | Path | None = None,
    *,
    out: str | Path = "runs",
    progress: Progress | None = None,
    resume: Path | bool = False,
    **keys: Any,
) -> RunRecord:
    """Run an experiment (or the TOML file at a path; by default the embedded
    default) and return its record, which is also in a new folder in `out`. `keys` are
    keys of an experiment (`hil.keys`), and replace its own: `run(rule="bp", steps=200)`.

    A run whose numbers differ, or that compared nothing, returns too, with
    `result` "fail". Every other failure raises its `HilError` after the record
    has been written. `resume`: go on from the newest checkpoint of the device, or of
    an earlier run's folder.
    """
    if not isinstance(experiment, Experiment):
        experiment = Experiment() if experiment is None else load(experiment)
    if keys:
        experiment = experiment.changed(keys, "run()")
    lesson = prepare(experiment)
    session = carried_out(lesson, Path(out), progress or Progress(), resume)
    if session.failure is not None and session.record.result == "error":
        raise session.failure
    return session.record


def carried_out(
    lesson: Lesson,
    out: Path,
    progress: Progress,
    resume: Path | bool = False,
    reference: ReferenceProcess | None = None,
) -> Session:
    """A session that has been run, with a `reference` that is there already or one of
    its own. Ctrl-C and SIGTERM are heard in its midst: a folder, once made, gets its
    record."""
    with held() as hold:
        session = Session(lesson, out, progress, resume, reference=reference)
        session.run(hold)
    return session


class Session(Recorded):
    """A lesson on its way; `record` is complete when `run` has returned.

    `built` is an image that was made before, `reference` a process that is there, and
    stays when this is over; `cut` an operation of a native machine's flash at which it
    loses its power, and how, `through` what its line is seen through (`attach`).
    Raises `UsageError`, `SpecError` and `DataError`, and leaves no folder then.

    `failure` is what ended it, None when it passed. The reference learns in a
    process of its own; the learner here waits for its last state.
    """

    def __init__(
        self,
        lesson: Lesson,
        out: Path,
        progress: Progress,
        resume: Path | bool = False,
        *,
        built: Built | None = None,
        cut: tuple[int, str] | None = None,
        through: Callable[[Line], Line] | None = None,
        reference: ReferenceProcess | None = None,
    ) -> None:
        if resume:
            opening.require_resumable(lesson)
        self.resume = resume
        self._cut = cut
        self._line = through
        self.progress = progress
        self.found: Found | None = None
        self.reference = reference
        self._started = time.perf_counter()
        self._device: Device | None = None
        self._attached_to: Attached | None = None
        self._built = built
        self._flash: Path | None = None
        self._learner: Learner | None = None
        if lesson.experiment.compare != "none":
            self._learner = Learner(lesson.spec)
        began = time.perf_counter()
        self._planned = None if built else opening.planned(lesson, resume)
        taken = time.perf_counter() - began
        self.lesson, self.record = opening.in_new_folder(lesson, out)
        self.record.seconds["plan"] = taken

    def run(self, hold: Hold | None = None) -> None:
        """Learn the whole lesson, and hear signals that are held; whatever happens,
        write the record. Raises only what is no `HilError`, a defect of this program."""
        heard = hold.heard() if hold else nullcontext()
        with self.recorded(), heard, self.connected() as life:
            if self.found is None:
                self._learn(life)

    @property
    def done(self) -> str:
        """What is done so far, for people."""
        return f"{self.record.learned} steps"

    # -- the walk ---------------------------------------------------------

    @contextmanager
    def connected(self) -> Iterator[Lifeline]:
        """The device with its image, both sides at what they start from. In the end
        the device's state is compared, and it is taken leave of."""
        with ExitStack() as stack:
            if self.reference is not None:
                self.reference.anew(self.lesson.spec)
            elif self._learner is not None:  # first of all: it starts meanwhile
                with held():  # a process that runs is known
                    process = borrowed(self.lesson.spec)
                    self.reference = stack.enter_context(process)
            self._flash = opening.flash(self.lesson, self.resume, self.record.folder)
            self._built = self._built or self._build()
            life = stack.enter_context(self._attach(self._built))
            self._through(life, self._initialise)
            yield life
            self._through(life, self._conclude)
            self._through(life, self._show)
            self._leave(life.device)

    def _through(self, life: Lifeline, stage: Callable[[Lifeline], None]) -> None:
        """A stage, unless device and reference differ already."""
        if self.found is not None:
            return
        try:
            life.through(stage)
        finally:
            self.progress.learned()  # a device that was lost has learned again
        if self.found is None and life.difference is not None:
            self.found = Found(life.difference)

    def _build(self) -> Built:
        lesson, folder = self.lesson, self.record.folder
        if lesson.dataset.said:
            self.progress.stage("data", "; ".join(lesson.dataset.said))
        with self.record.stage("plan"):
            planned = self._planned or plan_for(lesson)
        self.progress.stage("plan", opening.planned_as(lesson, planned))
        with self.record.stage("build"):
            built = build(planned, lesson.experiment.toolchain)
        image = built.image
        self.record.image = {
            "build_digest": image.digest,
            "text": image.text,
            "ram": image.ram,
        }
        self.record.versions["toolchain"] = image.toolchain
        built.files.write(folder)
        storage.write(folder / records.IMAGE, image.path.read_bytes())
        taken = self.record.seconds["build"]
        self.progress.stage(
            "build", f"{image.digest[:8]}, {image.toolchain}, {taken:.2f} s"
        )
        return built

    @contextmanager
    def _attach(self, built: Built) -> Iterator[Lifeline]:
        """The device, powered."""
        lesson, path = self.lesson, built.image.path
        with ExitStack() as stack:
            log = Growing(self.record.folder / records.CONSOLE)
            stack.enter_context(log)
            with self.record.stage("power_on"):
                self._attached_to = stack.enter_context(
                    attach(
                        lesson,
                        path,
                        log,
                        emulated=Emulated(flash=self._flash, cut=self._cut),
                        ready=lambda unit: make_sure(unit, lesson, built),
                        through=self._line,
                    )
                )
            channel = self._attached_to.channel
            device = Device(channel, built.plan, lesson.target.limits, path)
            self._device = device
            yield Lifeline(
                lesson,
                built,
                self._attached_to,
                device,
                self.record.link,
                bool(self.resume),
            )

    @property
    def over(self) -> bool:
        """Whether its record is complete."""
        return "total" in self.record.seconds

    @property
    def keeps_checkpoints(self) -> bool:
        """Whether the device can write any."""
        built, flash = self._built, self._flash
        return built is not None and opening.checkpoints_held(self.lesson, built, flash)

    @property
    def machine_log(self) -> str:
        """What an emulator, or a native machine, said beside the line."""
        attached = self._attached_to
        return attached.machine.log() if attached and attached.machine else ""

    def _initialise(self, life: Lifeline) -> None:
        """Greet the device, and give both sides what they start from."""
        assert self._built is not None
        device = life.device
        with self.record.stage("hello"):
            told = greet(device, self.lesson, self._built)
        opening.show(told, self.record, self.progress)
        with self.record.stage("init"):
            life.initial = self._load_initial(device)
            step, digest = life.start(told)
        self._resumed = step, digest
        if self.resume:
            self.record.resumed_from = step
            self.progress.stage("resume", f"step {step}, digest {digest:08x}")
            if step >= self.lesson.steps:
                raise UsageError(
                    f"the checkpoint is of step {step}, and the run ends with step "
                    f"{self.lesson.steps}: nothing is left to learn",
                    "--steps makes it longer",
                )
        elif self._learner is not None:
            learner = self._learner
            seen = digest_difference(0, digest, learner.digest(), "init")
            if seen is not None:
                self.found = compare_state(device, learner, 0, "init") or Found(seen)
        if not self.resume:
            self.progress.stage(
                "init", f"seed {self.lesson.spec.seed}, digest {digest:08x}"
            )

    def _load_initial(self, device: Device) -> Snapshot:
        """Initial weights, in the reference too."""
        init, learner = self.lesson.experiment.init, self._learner
        if init is None:
            return Snapshot(0, learner.snapshot() if learner else {})
        snapshot = Snapshot(0, weights.load_for(init, device.plan))
        if learner is not None and self.reference is not None:
            learner.load(snapshot.state)
            self.reference.load(snapshot.state)
        return snapshot

    def _learn(self, life: Lifeline) -> None:
        """Learn, with the exams between; what is still compared then."""
        with self.teaching(life) as teaching:
            teaching.run()

    @contextmanager
    def teaching(self, life: Lifeline) -> Iterator[Teaching]:
        """What teaches the device; in the end this knows what it has come to."""
        assert self._built is not None
        begun = opening.begun(self.lesson, self._built, self._flash)
        teaching = Teaching(
            self.lesson, life, self.reference, self._learner, self._resumed,
            self.record, self.progress,
        )  # fmt: skip
        try:
            with teaching.under_way(begun, self._started):
                yield teaching
        finally:
            self.found, self._learner = teaching.found, teaching.learner

    def _conclude(self, life: Lifeline) -> None:
        """Final digest and weights."""
        device, learner = life.device, self._learner
        steps, save = self.lesson.end, self.lesson.experiment.save
        digest = digest_at(device, steps)
        self.record.digest = f"{digest:08x}"
        if learner is not None:
            seen = digest_difference(steps, digest, learner.digest(), "final")
            if seen is not None:
                found = compare_state(device, learner, steps, "final")
                self.found = found or Found(seen)
                return
            ending.warn_of_size(learner, self.progress)
            path = self.record.folder / records.FIRST_LAYER
            kept = {"before": life.initial.state["W1"], "after": learner.state["W1"]}
            arrays.write(path, kept, packed=True)
        if save is not None:
            path = weights.save(save, read_state(device, digest))
            self.progress.stage("save", str(path))

    def _show(self, life: Lifeline) -> None:
        """The cycles of a step, before learning and now, where the device keeps them."""
        learner = self._learner
        if learner is not None and cycles.kept(self.lesson, life.device.plan):
            self.found = cycles.show(life, self.lesson, learner, self.record.folder)

    def _leave(self, device: Device) -> None:
        """Say goodbye; after a difference the device may be past answering, and on
        a line that lies LEAVE's reply may be lost for good."""
        assert self._attached_to is not None
        try:
            with self.record.stage("leave"):
                if self.found is not None:
                    device.forget()  # the search may have been broken off
                device.leave()
                self._attached_to.require_end(self.lesson.target.limits.stop)
        except HilError:
            if self.found is None and self.lesson.experiment.faults is None:
                raise

    # -- the verdict ------------------------------------------------------

    def judge(self) -> None:
        """Raise `Divergence` where a difference was found, and `NothingCompared`."""
        ending.judge(self.record, self.found)

    def _finish(self) -> None:
        """Complete and write the record."""
        record, lesson = self.record, self.lesson
        record.steps = lesson.end
        ending.settle(record, self.failure)
        if self._device is not None:
            take_counts(record, self._device, lesson.experiment.icount)
        if self._attached_to is not None:
            ending.note_faults(record, self._attached_to.channel)
        ending.note_emulator(record, lesson)
        record.seconds["total"] = time.perf_counter() - self._started
        record.provenance = records.provenance(record.board)
        unwritten = ending.write(record)
        self.failure = self.failure or unwritten
