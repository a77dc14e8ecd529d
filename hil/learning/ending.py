"""After a run: its record says how it ended, and is written whatever happens."""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from codegen import rules
from codegen.reference import Learner
from emulation import qemu
from emulation.faults import FaultyChannel, Line
from hil.errors import (
    DeviceFault,
    Divergence,
    HilError,
    NothingCompared,
    StorageError,
)
from hil.learning.divergence import Found
from hil.learning.progress import Progress
from hil.lesson.lesson import Wanted
from hil.records import record as records
from hil.records.record import RunRecord

EXPLODED = 1e6
"""No network that has learned something has a weight as large."""


def judge(record: RunRecord, found: Found | None) -> None:
    """Raise `Divergence` where a difference was found, which the record tells then, and
    `NothingCompared`."""
    if found is not None:
        seen = found.difference
        record.divergence = seen.to_json()
        path = found.save(record.folder)
        hints = () if path is None else (f"both tensors are in {path}",)
        raise Divergence(f"device and reference differ at {seen}", *hints)
    if not record.compared:
        raise NothingCompared(
            "nothing was compared, so this run proves nothing",
            "leave out --compare none",
        )


def settle(record: RunRecord, failure: HilError | None) -> None:
    """Result and exit code: `failure` is what ended the run, and without one it has
    passed, unless the record has an error already."""
    if failure is not None:
        proved = isinstance(failure, (Divergence, NothingCompared))
        record.result = "fail" if proved else "error"
        record.exit_code = failure.exit_code
        record.error = {"sentence": str(failure), "hints": list(failure.hints)}
        if isinstance(failure, DeviceFault):
            record.error["step"] = failure.step
    elif record.error is None:
        record.result, record.exit_code = "pass", 0


def note_faults(record: RunRecord, line: Line) -> None:
    """What --faults did to the line."""
    if isinstance(line, FaultyChannel):
        record.faults = line.counts


def note_emulator(record: RunRecord, ran: Wanted) -> None:
    """The version of QEMU, where it was used."""
    if ran.target.qemu is not None and ran.experiment.unit is None:
        with suppress(HilError):
            record.versions["qemu"] = qemu.version(ran.target.qemu.binary)


def write(record: RunRecord) -> StorageError | None:
    """Where there is no room for the record, it takes that of image and sources,
    which the experiment gives again. A run without its record has failed: by what
    comes back."""
    try:
        try:
            record.write()
        except StorageError:
            records.drop_copies(record.folder)
            record.write()
    except StorageError as error:
        if record.result == "pass":
            record.result, record.exit_code = "error", error.exit_code
            record.error = {"sentence": str(error), "hints": list(error.hints)}
        return error
    return None


def warn_of_size(learner: Learner, progress: Progress) -> None:
    """Warn where learning has run away though no value is infinite yet. Integers are
    not looked at: they have limits of their own. Nor are the weights of a rule without
    a learning rate: it computes them from counts, and they are large while samples are
    few."""
    if not rules.declaration(learner.spec.rule.name).rated:
        return
    floats = {n: w for n, w in learner.state.items() if w.dtype.kind == "f"}
    sizes = {name: float(np.abs(w).max(initial=0)) for name, w in floats.items()}
    name = max(sizes, key=lambda one: sizes[one], default="")
    if name and sizes[name] > EXPLODED:
        text = f"the largest weight, in {name}, is {sizes[name]:.2g}: learning has run away"
        progress.stage("weights", text)
        progress.stage(
            "hint",
            "a smaller learning rate (--lr) or --clip-weights keeps them small",
        )
