"""One run of a model as it is, from experiment to record.

plan -> build -> power on -> HELLO -> INIT -> sample by sample in lockstep -> LEAVE ->
record. Nothing is learned, so a prediction before a sample is learned is a prediction,
and what is told of steps elsewhere is told of samples here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from zlib import crc32

import numpy as np

from codegen.graph.description import Tensor
from hil.device.device import Device
from hil.device.units import board_of
from hil.experiment import Experiment
from hil.inferring import image
from hil.inferring.evaluation import Evaluation
from hil.inferring.image import ModelBuilt
from hil.inferring.running import Computing, Inferred, computing
from hil.learning import ending, opening
from hil.learning.compare import Difference
from hil.learning.divergence import Found
from hil.learning.metrics import Metrics
from hil.learning.progress import LINE_EVERY, Progress
from hil.learning.recorded import Recorded
from hil.learning.telling import Learned
from hil.records import record as records
from hil.records.baselines import told as beside
from hil.records.record import RunRecord
from hil.records.recording import counts_told, take_counts
from hil.records.verdict import tested
from hil.versions import versions
from targets import storage
from targets.signals import Hold, held
from targets.storage import Growing

NONE = "none"
"""The rule of a record whose device learns nothing, its activation and its output."""


def carried_out(asked: Evaluation, out: Path, progress: Progress) -> ModelSession:
    """A run of a model, that is over. A folder, once made, gets its record."""
    with held() as hold:
        session = ModelSession(asked, out, progress)
        session.run(hold)
    return session


class ModelSession(Recorded):
    """A model on its way through test samples."""

    def __init__(self, asked: Evaluation, out: Path, progress: Progress) -> None:
        self.progress = progress
        self.found: Found | None = None
        self._started = time.perf_counter()
        self._device: Device | None = None
        self._right = 0
        self._digest = 0
        copy = (f"{asked.model.name}.tflite", asked.model.data)
        folder, effective = opening.new_folder(asked.experiment, out, {"model": copy})
        self.asked = replace(asked, model=replace(asked.model, experiment=effective))
        self.record = _record(self.asked, folder, effective)

    def run(self, hold: Hold | None = None) -> None:
        """Compute every sample, or up to the first difference, and hear signals that are
        held; whatever happens, write the record."""
        heard = hold.heard() if hold else nullcontext()
        with self.recorded(), heard, self._computing(self._build()) as device:
            with self.record.stage("infer"), Metrics(self._lines) as metrics:
                self._compute(device, metrics)
            self._tell(metrics)

    @property
    def done(self) -> str:
        """What is done so far, for people."""
        return f"{self.record.compared} samples"

    def judge(self) -> None:
        """Raise `Divergence` where a difference was found, and `NothingCompared`."""
        ending.judge(self.record, self.found)

    @property
    def _lines(self) -> Path:
        return self.record.folder / records.METRICS

    def _build(self) -> ModelBuilt:
        record, model = self.record, self.asked.model
        with record.stage("plan"):
            planned = image.plan_for(model)
        self.progress.stage(
            "plan",
            f"{planned.subject}, {planned.ram:,} bytes of RAM, {planned.flash:,} bytes of "
            "constants",
        )
        with record.stage("build"):
            built = image.build(planned, model)
        made = built.image
        record.image |= {
            "build_digest": made.digest,
            "text": made.text,
            "ram": made.ram,
        }
        record.versions["toolchain"] = made.toolchain
        built.files.write(record.folder)
        storage.write(record.folder / records.IMAGE, made.path.read_bytes())
        taken = record.seconds["build"]
        self.progress.stage(
            "build", f"{made.digest[:8]}, {made.toolchain}, {taken:.2f} s"
        )
        return built

    @contextmanager
    def _computing(self, built: ModelBuilt) -> Iterator[Computing]:
        with (
            Growing(self.record.folder / records.CONSOLE) as log,
            computing(self.asked.model, built, log) as device,
        ):
            self._device, self._line = device.device, device.attached.channel
            opening.show(device.greeting, self.record, self.progress)
            yield device

    def _compute(self, device: Computing, metrics: Metrics) -> None:
        """Sample by sample; the first that differs ends it."""
        last = time.monotonic()
        counted = 0
        for number, (sample, label) in enumerate(self.asked.samples):
            case = device.case([sample])
            if not case.equal:
                self.found = _difference(number, case)
                return
            self.record.compared += 1
            counted += case.instructions
            self._take(metrics, number, case, label)
            if time.monotonic() - last >= LINE_EVERY:
                last = time.monotonic()
                self.progress.stage("infer", f"{number + 1:,} of {self.record.steps:,}")
        if self.asked.experiment.icount:
            self.record.instructions_per_step = counted / self.record.compared

    def _take(
        self, metrics: Metrics, number: int, case: Inferred, label: int | None
    ) -> None:
        """Write the line of a sample."""
        outputs = _values(self.asked.model.graph.outputs[0], case.outputs[0])
        predicted = None if label is None else int(outputs.argmax())
        right = int(label is not None and predicted == label)
        self._right += right
        for told in case.outputs:
            self._digest = crc32(told.tobytes(), self._digest)
        counted = case.instructions if self.asked.experiment.icount else None
        metrics.add(
            Learned(
                number, 0, float("nan"), label, predicted,
                None if predicted is None else float(outputs[predicted]), 0.0,
                self._digest, counted, 1, right, outputs=outputs,
            )
        )  # fmt: skip

    def _tell(self, metrics: Metrics) -> None:
        """What the samples have come to, for the record and for whoever watches."""
        record = self.record
        assert self._device is not None
        take_counts(record, self._device, False)
        taken = record.seconds["infer"]
        record.digest = f"{self._digest:08x}"
        record.speed["samples_per_second"] = record.compared / taken
        self.progress.stage(
            "infer",
            f"{record.compared:,} samples compared, {counts_told(record)}{taken:.1f} s",
        )
        if not self.asked.classifies:
            said = "none, for the model's outputs are not the classes of the data"
            self.progress.stage("accuracy", said)
            return
        if self.found is not None:
            return
        accuracy, share = record.accuracy, self._right / record.compared
        accuracy |= {"test": share, "tested": record.compared}
        accuracy |= {"prequential": metrics.prequential, "baselines": metrics.baselines}
        record.metrics = metrics.summary([], ())
        self.progress.stage(
            accuracy["part"],
            f"{self._right} of {record.compared} right, {share:.2%}"
            f"{beside(metrics.baselines)}{tested(record)}",
        )

    def _finish(self) -> None:
        """Complete and write the record."""
        record = self.record
        ending.settle(record, self.failure)
        if self._device is not None:
            take_counts(record, self._device, False)
            ending.note_faults(record, self._line)
        ending.note_emulator(record, self.asked.model)
        record.seconds["total"] = time.perf_counter() - self._started
        record.provenance = records.provenance(record.board)
        unwritten = ending.write(record)
        self.failure = self.failure or unwritten


def _record(asked: Evaluation, folder: Path, effective: Experiment) -> RunRecord:
    """The record of a model's run that has not begun."""
    graph, model = asked.model.graph, asked.model
    return RunRecord(
        folder=folder,
        target=model.target.name,
        vlen=model.vlen,
        rule=NONE,
        parameters={},
        network=(asked.given.elements, graph.outputs[0].elements),
        format=asked.given.type,
        activation=NONE,
        output=NONE,
        data=str(effective.data),
        seed=effective.seed,
        steps=asked.tested,
        accuracy={
            "test": None,
            "prequential": None,
            "baselines": None,
            "tested": 0,
            "of": len(asked.dataset.test_x),
            "part": "test" if effective.holdout is None else "holdout",
            "initial": None,
            "matrix": None,
        },
        experiment=records.as_settings(effective),
        board=board_of(model.experiment.unit, model.target.name),
        versions=versions(),
    )


def _values(tensor: Tensor, told: np.ndarray) -> np.ndarray:
    """Numbers of an output, by its scale and zero point."""
    by = tensor.quantisation
    if tensor.type == "f32" or by is None or len(by.scales) != 1:
        return told.ravel().astype(np.float32)
    centred = told.ravel().astype(np.int64) - by.zeros[0]
    return (centred * by.scales[0]).astype(np.float32)


def _difference(number: int, case: Inferred) -> Found:
    """Where a sample's outputs differ first, and both tensors."""
    place, element = case.differs
    mine, other = case.outputs[place], case.expected[place]
    index = tuple(int(one) for one in np.unravel_index(element, mine.shape))
    found = Difference(number, f"out{place}", index, when="test")
    a, b = mine.ravel()[element], other.ravel()[element]
    if mine.dtype == np.float32:
        bits = int(a.view(np.uint32)), int(b.view(np.uint32))
        found = replace(found, device_bits=bits[0], reference_bits=bits[1])
    else:
        found = found.noted(f"the device has {a}, numpy {b}")
    return Found(found, mine, other)
