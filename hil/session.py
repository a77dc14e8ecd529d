"""One run, from experiment to record: the walk through the house.

plan -> build -> power on -> HELLO -> INIT -> lockstep -> test -> final digest
-> LEAVE -> record. One direction, no way back.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from shutil import copy

import numpy as np

from codegen.reference import Learner, NonFinite
from emulation import qemu
from hil import record as records
from hil import weights
from hil.attach import Attached, attach, greet
from hil.building import Built, build, plan_for
from hil.compare import Difference, difference, digest_difference
from hil.device import Device
from hil.divergence import Finder, Found, Snapshot, compare_state, write_state
from hil.errors import (
    DeviceFault,
    Divergence,
    HilError,
    LinkError,
    NothingCompared,
    UsageError,
    stopped,
)
from hil.experiment import Experiment, load
from hil.lesson import Lesson, prepare
from hil.lockstep import Learned, Lockstep
from hil.metrics import Metrics, Status
from hil.progress import Progress
from hil.record import RunRecord
from hil.reference_process import ReferenceProcess
from hil.replies import Greeting
from hil.undisturbed import undisturbed
from hil.versions import versions
from targets.signals import Hold, held

TEST_CHUNK = 100
"""Test samples inferred between two looks at the progress line."""


def run(
    experiment: Experiment | str | Path | None = None,
    *,
    out: str | Path = "runs",
    progress: Progress | None = None,
) -> RunRecord:
    """Run an experiment (or the TOML file at a path; by default the embedded
    default) and return its record, which is also in a new folder in `out`.

    A run whose numbers differ, or that compared nothing, returns too, with
    `result` "fail". Every other failure raises its `HilError` after the record
    has been written.
    """
    if not isinstance(experiment, Experiment):
        experiment = Experiment() if experiment is None else load(experiment)
    session = carried_out(prepare(experiment), Path(out), progress or Progress())
    if session.failure is not None and session.record.result == "error":
        raise session.failure
    return session.record


def carried_out(lesson: Lesson, out: Path, progress: Progress) -> Session:
    """A session that has been run. Ctrl-C and SIGTERM are heard in its midst: a
    folder, once made, gets its record."""
    with held() as hold:
        session = Session(lesson, out, progress)
        session.run(hold)
    return session


class Session:
    """A lesson on its way; `record` is complete when `run` has returned.

    `failure` is what ended it, None when it passed. The reference learns in a
    process of its own; the learner here waits for its last state.
    """

    def __init__(self, lesson: Lesson, out: Path, progress: Progress) -> None:
        self.lesson = lesson
        self.progress = progress
        self.failure: HilError | None = None
        self.found: Found | None = None
        self.reference: ReferenceProcess | None = None
        self._started = time.perf_counter()
        self._device: Device | None = None
        self._learner: Learner | None = None
        if lesson.experiment.compare != "none":
            self._learner = Learner(lesson.spec)
        try:
            folder = records.make_folder(out, lesson.experiment.name)
        except OSError as error:
            raise UsageError(
                f"run folder in {str(out)!r} cannot be made: {error.strerror}",
                "choose another place with --out",
            ) from error
        self.record = _new_record(lesson, folder)
        toml = lesson.experiment.to_toml()
        (folder / records.EXPERIMENT).write_text(toml, encoding="utf-8")

    def run(self, hold: Hold | None = None) -> None:
        """Walk, and hear signals that are held; whatever happens, write the record.
        Raises only what is no `HilError`, a defect of this program."""
        try:
            with hold.heard() if hold else nullcontext():
                self._walk()
                self._judge()
        except KeyboardInterrupt as signalled:
            self.failure = stopped(signalled, f" after {self.record.learned} steps")
        except HilError as error:
            self.failure = error
        except Exception as error:
            self.record.error = {"sentence": f"internal error: {error!r}", "hints": []}
            raise
        finally:
            with undisturbed():
                self._finish()

    # -- the walk ---------------------------------------------------------

    def _walk(self) -> None:
        with ExitStack() as stack:
            if self._learner is not None:  # first of all: it starts meanwhile
                with held():  # a process that runs is known
                    process = ReferenceProcess(self.lesson.spec)
                    self.reference = stack.enter_context(process)
            built = self._build()
            attached, device = stack.enter_context(self._attached(built))
            initial = self._initialise(device)
            if self.found is None:
                self._learn(device, initial)
            if self.found is None:
                self._test(device)
            if self.found is None:
                self._conclude(device)
            self._leave(device, attached)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.record.seconds[name] = time.perf_counter() - started

    def _build(self) -> Built:
        lesson, folder = self.lesson, self.record.folder
        with self._stage("plan"):
            planned = plan_for(lesson)
        spec = lesson.spec
        placed = (
            f", {lesson.resident:,} samples in the image" if lesson.resident else ""
        )
        self.progress.stage(
            "plan",
            f"{spec.rule.name} {spec.network}, {planned.ram:,} bytes of RAM{placed}",
        )
        with self._stage("build"):
            built = build(planned, lesson.experiment.toolchain)
        image = built.image
        self.record.image = {
            "build_digest": image.digest,
            "text": image.text,
            "ram": image.ram,
        }
        self.record.versions["toolchain"] = image.toolchain
        built.files.write(folder)
        copy(image.path, folder / image.path.name)
        taken = self.record.seconds["build"]
        self.progress.stage(
            "build", f"{image.digest[:8]}, {image.toolchain}, {taken:.2f} s"
        )
        return built

    @contextmanager
    def _attached(self, built: Built) -> Iterator[tuple[Attached, Device]]:
        """The device, greeted."""
        lesson, path = self.lesson, built.image.path
        with ExitStack() as stack:
            log = stack.enter_context((self.record.folder / records.CONSOLE).open("wb"))
            with self._stage("power_on"):
                attached = stack.enter_context(
                    attach(lesson.target, path, lesson.experiment, lesson.vlen, log)
                )
            device = Device(attached.channel, built.plan, lesson.target.limits)
            self._device = device
            with self._stage("hello"):
                told = greet(device, self.lesson, built)
            self._show(told)
            yield attached, device

    def _show(self, told: Greeting) -> None:
        self.record.device = {
            "isa": told.isa,
            "vlen": told.vlen,
            "harts": told.harts,
            "max_payload": told.max_payload,
            "window": told.window,
        }
        vlen = f" VLEN {told.vlen}" if told.vlen else ""
        self.progress.stage(
            "hello", f"{told.target} {told.isa}{vlen}, build {told.digest[:8]}"
        )

    def _initialise(self, device: Device) -> Snapshot:
        """Initial weights on both sides."""
        seed, init = self.lesson.spec.seed, self.lesson.experiment.init
        learner = self._learner
        snapshot = Snapshot(0, learner.snapshot() if learner else {})
        with self._stage("init"):
            if init is None:
                digest = device.init(seed)
            else:
                shapes = {t.name: t.shape for t in device.plan.state}
                snapshot = Snapshot(0, weights.load(init, shapes))
                weights.require_within(init, snapshot.state, self.lesson.spec.clip)
                if learner is not None and self.reference is not None:
                    learner.load(snapshot.state)
                    self.reference.load(snapshot.state)
                digest = write_state(device, seed, snapshot)
        if learner is not None:
            seen = digest_difference(0, digest, learner.digest(), "init")
            if seen is not None:
                self.found = compare_state(device, learner, 0, "init") or Found(seen)
        self.progress.stage("init", f"seed {seed}, digest {digest:08x}")
        return snapshot

    def _learn(self, device: Device, initial: Snapshot) -> None:
        lesson, record = self.lesson, self.record
        with Metrics(record.folder / records.METRICS) as metrics:

            def status() -> Status:
                return metrics.status(lesson.steps, device.counts.frames)

            def tell(done: Learned) -> None:
                if not metrics.steps:
                    record.seconds["first_step"] = time.perf_counter() - self._started
                metrics.add(done)
                self.progress.learning(status)

            lockstep = Lockstep(device, lesson, self.reference, initial, tell)
            try:
                with self._stage("learn"):
                    lockstep.run()
            finally:
                record.learned = lockstep.learned
                record.compared = lockstep.compared
                if lesson.experiment.prefix and lockstep.prefix_digest is not None:
                    record.prefix_digest = f"{lockstep.prefix_digest:08x}"
                record.accuracy["prequential"] = metrics.prequential
                record.health = metrics.health
                if lockstep.compared:
                    written = lockstep.written / lockstep.compared
                    record.weights_written_per_step = written
                self.progress.learned()
        if lockstep.difference is not None:
            self.progress.stage("differ", f"{lockstep.difference}; searching where")
            self.found = self._search(device, lockstep)
            return
        taken = record.seconds["learn"]
        record.speed["steps_per_second"] = record.learned / taken
        if self._learner is not None and self.reference is not None:
            self._learner.load(lockstep.final.state, lockstep.final.step)
            reference = lockstep.compared / self.reference.seconds
            record.speed["reference_steps_per_second"] = reference
            if lesson.prefix < lesson.steps:
                self._learner = None  # what follows is the device's alone
        counted = ""
        if lesson.experiment.icount:
            _take_counts(record, device, True)
            counted = f"{record.instructions_per_step:,.1f} instructions/step counted, "
        self.progress.stage(
            "learn",
            f"{record.learned} steps, {record.compared} compared, {counted}{taken:.1f} s",
        )

    def _search(self, device: Device, lockstep: Lockstep) -> Found:
        assert lockstep.difference is not None
        try:
            finder = Finder(device, self.lesson)
            return finder.find(lockstep.verified, lockstep.difference)
        except HilError as error:
            note = f"the search for its place ended: {error}"
            return Found(lockstep.difference.noted(note))

    def _test(self, device: Device) -> None:
        """Accuracy on the test part or the holdout, by inference on the device."""
        lesson, tested = self.lesson, self.lesson.tested
        if not tested:
            return
        right = 0
        with self._stage("test"):
            for first in range(0, tested, TEST_CHUNK):
                x = lesson.dataset.test_x[first : min(first + TEST_CHUNK, tested)]
                outputs = device.infer([sample.tobytes() for sample in x])
                labels = lesson.dataset.test_y[first : first + len(x)]
                right += int((outputs.argmax(axis=1) == labels).sum())
                self.found = self._differs(x, outputs)
                if self.found is not None:
                    return
        self.record.accuracy["test"] = right / tested
        self.record.accuracy["tested"] = tested
        part = self.record.accuracy["part"]
        self.progress.stage(part, f"{right} of {tested} right, {right / tested:.2%}")

    def _differs(self, x: np.ndarray, outputs: np.ndarray) -> Found | None:
        if self._learner is None:
            return None
        for sample, told in zip(x, outputs, strict=True):
            try:
                expected = self._learner.infer(sample)
            except NonFinite as error:
                note = f"the reference met a non-finite {error.tensor}"
                return Found(Difference(self.lesson.steps, "p", when="test", note=note))
            seen = difference(self.lesson.steps, "p", told, expected, "test")
            if seen is not None:
                return Found(seen, told, expected)
        return None

    def _conclude(self, device: Device) -> None:
        """Final digest and weights."""
        steps, save = self.lesson.steps, self.lesson.experiment.save
        step, digest = device.digest()
        if step != steps:
            raise LinkError(
                f"the device says its next step is {step}, but {steps} were learned"
            )
        self.record.digest = f"{digest:08x}"
        learner = self._learner
        if learner is not None:
            seen = digest_difference(steps, digest, learner.digest(), "final")
            if seen is not None:
                self.found = compare_state(device, learner, steps, "final") or Found(
                    seen
                )
                return
        if save is not None:
            state = {t.name: device.read(t) for t in device.plan.state}
            path = weights.save(save, state)
            self.progress.stage("save", str(path))

    def _leave(self, device: Device, attached: Attached) -> None:
        """Say goodbye; after a difference the device may be past answering."""
        try:
            with self._stage("leave"):
                device.leave()
                attached.require_end(self.lesson.target.limits.stop)
        except HilError:
            if self.found is None:
                raise

    # -- the verdict ------------------------------------------------------

    def _judge(self) -> None:
        if self.found is not None:
            seen = self.found.difference
            self.record.divergence = seen.to_json()
            path = self.found.save(self.record.folder)
            hints = () if path is None else (f"both tensors are in {path}",)
            raise Divergence(f"device and reference differ at {seen}", *hints)
        if not self.record.compared:
            raise NothingCompared(
                "nothing was compared, so this run proves nothing",
                "leave out --compare none",
            )

    def _finish(self) -> None:
        """Complete and write the record."""
        record, failure = self.record, self.failure
        if failure is not None:
            proved = isinstance(failure, (Divergence, NothingCompared))
            record.result = "fail" if proved else "error"
            record.exit_code = failure.exit_code
            record.error = {"sentence": str(failure), "hints": list(failure.hints)}
            if isinstance(failure, DeviceFault):
                record.error["step"] = failure.step
        elif record.error is None:
            record.result, record.exit_code = "pass", 0
        if self._device is not None:
            _take_counts(record, self._device, self.lesson.experiment.icount)
        if self.lesson.target.qemu is not None:
            with suppress(HilError):
                record.versions["qemu"] = qemu.version(self.lesson.target.qemu.binary)
        record.seconds["total"] = time.perf_counter() - self._started
        record.provenance = records.provenance(self.lesson.target.machine)
        record.write()


def _take_counts(record: RunRecord, device: Device, icount: bool) -> None:
    record.link = asdict(device.counts)
    if not device.telemetry:
        return
    last = device.telemetry[-1]
    for name in ("damaged", "overruns", "stack"):
        record.device[name] = getattr(last, name)
    if icount:
        counts = [entry.instructions for entry in device.telemetry]
        record.instructions_per_step = sum(counts) / len(counts)


def _new_record(lesson: Lesson, folder: Path) -> RunRecord:
    effective = lesson.experiment
    part = "test" if effective.holdout is None else "holdout"
    return RunRecord(
        folder=folder,
        target=lesson.target.name,
        vlen=lesson.vlen,
        rule=lesson.spec.rule.name,
        parameters=effective.parameters,
        network=lesson.spec.network.layers,
        activation=lesson.spec.network.activation,
        output=lesson.spec.network.output,
        data=effective.data,
        seed=lesson.spec.seed,
        steps=lesson.steps,
        accuracy={"test": None, "prequential": None, "tested": 0, "part": part},
        experiment=records.as_settings(effective),
        versions=versions(),
    )
