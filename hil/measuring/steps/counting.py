"""Counting: two boots that must agree to the instruction, one of them traced.

The first boot runs the image as it is shipped and takes each step's count from
the device's telemetry: minstret around net_step, interrupts masked, digest and
frames outside. The second runs the same code compiled with debug information,
and QEMU writes down what it executes. Every count must be the same in both,
and the trace must be as long as the count says. A target without a counter of
instructions is traced in both boots, and the traces are the counts.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.building import image, toolchain
from codegen.building.arm import CORES
from codegen.machine_code import debuginfo, thumb
from codegen.machine_code.debuginfo import DebugInfo, Function
from codegen.machine_code.decode import MINSTRET, Class, Instruction, all_instructions
from codegen.protocol import StepFlag
from emulation.qemu import QemuMachine
from emulation.trace import Watch
from hil.desk.attach import Emulated, attach, greet
from hil.device.device import Device
from hil.device.replies import StepResult
from hil.errors import EmulatorError
from hil.lesson.building import Built
from hil.lesson.lesson import Lesson
from hil.measuring.steps.phases import Call, Follower, Phase
from targets import Target

TRACED = 1_000_000
"""Instructions traced at most (about 80 bytes of log each), but for one step."""

STEP, FORWARD = "net_step", "net_infer"
COUNTER = "hil_port_instructions"
BESIDE_THE_LIBRARY = ("firmware/src/hil_memory.c", "firmware/src/network/hil_steps.c")
"""Sources whose code runs between the two reads of the counter, or may."""
FLAGS = StepFlag.TELEMETRY | StepFlag.ALONE


@dataclass(frozen=True)
class Part:
    """What some instructions are, by class, in mean over the traced steps."""

    classes: Mapping[Class, float]

    @property
    def total(self) -> float:
        """All of them."""
        return sum(self.classes.values())

    @property
    def vector(self) -> float:
        """Those of the vector extension."""
        return sum(n for kind, n in self.classes.items() if kind.is_vector)


@dataclass(frozen=True)
class Counted:
    """What the steps of one image cost.

    `steps` are the instructions of each counted step, from net_step's first to its
    return; `overhead` is what the device's own figure holds besides: the call and the
    reads of the counter. The first `traced` steps are split: `whole`, `phases` (in
    order of execution) and `forward`, net_infer on the same samples. `typical` are the
    instructions of one step in order, of the step nearest to the mean, and `order` says
    which phase each of them is of; `code` the bytes of all functions that ran in a
    step.
    """

    steps: tuple[int, ...]
    overhead: int
    traced: int
    whole: Part
    forward: Part
    phases: Mapping[Phase, Part]
    typical: tuple[tuple[int, Instruction], ...]
    order: tuple[Phase, ...]
    code: int
    image: Path
    results: tuple[StepResult, ...]
    digest: int

    @property
    def mean(self) -> float:
        """Instructions a step."""
        return sum(self.steps) / len(self.steps)


def count(
    lesson: Lesson,
    built: Built,
    compiler: toolchain.Toolchain,
    warm: int,
) -> Counted:
    """Count the steps of `lesson` after its first `warm`, on its target; all of them
    are traced where it has no counter.

    `compiler` is what made `built`. Raises `EmulatorError` when two boots, or
    counter and trace, do not agree, and whatever building and the link raise.
    """
    if not has_counter(lesson.target):
        return follow(lesson, built, compiler, warm, None, lesson.steps - warm)
    first = learn(lesson, built, warm)
    mean = sum(first.counts) / len(first.counts)
    traced = min(len(first.counts), max(1, int(TRACED / mean)))
    return follow(lesson, built, compiler, warm, first, traced)


def follow(
    lesson: Lesson,
    built: Built,
    compiler: toolchain.Toolchain,
    warm: int,
    first: Boot | None,
    traced: int,
    typical: int | None = None,
) -> Counted:
    """Boot again what the boot `first` has counted, or None where there is no counter,
    and trace the first `traced` steps; the rest is as in `count`. `typical` is the counted step that is to be
    the typical one, from 0, None for that nearest to the mean."""
    again = Built(
        built.plan,
        built.files,
        toolchain.build(built.files, compiler, extra=debuginfo.FLAGS),
    )
    if image.code(built.image.path) != image.code(again.image.path):
        raise EmulatorError(
            f"image {again.image.path.name} has other code with debug information than "
            "without: expected the same, so its trace tells nothing"
        )
    info = DebugInfo(again.image.path)
    code = instructions(again.image.path, lesson.target)
    traces = []
    for one in (again,) if first is not None else (built, again):
        boot, trace = _traced(lesson, one, warm, _ranges(info), traced)
        calls = Follower(info, code).calls(trace, (STEP, FORWARD))
        steps = [call for call in calls if call.function == STEP]
        inferred = [call for call in calls if call.function == FORWARD]
        _require_all(steps, inferred, traced)
        overhead = 0
        if first is None:
            boot = replace(boot, counts=tuple(step.instructions for step in steps))
        else:
            overhead = _overhead(boot, trace, steps, code)
        traces.append(_Trace(boot, steps, inferred, overhead))
    require_equal(first or traces[0].boot, traces[-1].boot)
    return _split(again, info, code, traces[-1], typical)


@dataclass(frozen=True)
class _Trace:
    """A boot that was traced: its steps and inferences, and what the device counts
    besides a step."""

    boot: Boot
    steps: list[Call]
    inferred: list[Call]
    overhead: int


def has_counter(target: Target) -> bool:
    """Whether its machine counts the instructions that it executes."""
    return target.qemu is not None and target.qemu.counts


def instructions(path: Path, target: Target) -> dict[int, Instruction]:
    """Address and meaning of all of them in an image for `target`."""
    if target.isa in CORES:
        return dict(thumb.all_instructions(path))
    return dict(all_instructions(path, target.xlen))


def _traced(
    lesson: Lesson,
    built: Built,
    warm: int,
    ranges: tuple[tuple[int, int], ...],
    traced: int,
) -> tuple[Boot, list[int]]:
    with tempfile.TemporaryDirectory(prefix="hil-") as folder:
        watch = Watch(Path(folder) / "executed", ranges)
        return learn(lesson, built, warm, watch, traced), watch.executed()


def _require_all(steps: Sequence[Call], inferred: Sequence[Call], traced: int) -> None:
    if (len(steps), len(inferred)) != (traced, traced):
        raise EmulatorError(
            f"the trace has {len(steps)} steps and {len(inferred)} inferences, expected "
            f"{traced} of each"
        )


@dataclass(frozen=True)
class Boot:
    """What one boot told of the counted steps."""

    counts: tuple[int, ...]
    results: tuple[StepResult, ...]
    digest: int


def _ranges(info: DebugInfo) -> tuple[tuple[int, int], ...]:
    """Addresses of all that can run between the two reads of the counter."""
    counter = info.function(COUNTER)
    found = [(counter.first, counter.end)]
    for unit, ranges in info.units.items():
        if unit.startswith("generated/") or unit in BESIDE_THE_LIBRARY:
            found += ranges
    return tuple(found)


def learn(
    lesson: Lesson,
    built: Built,
    warm: int,
    watch: Watch | None = None,
    traced: int = 0,
) -> Boot:
    """One boot, from INIT to LEAVE; with `watch`, the first `traced` steps after
    the `warm` ones are written down, and inference on their samples."""
    path = built.image.path
    with attach(lesson, path, emulated=Emulated(watch)) as attached:
        device = Device(attached.channel, built.plan, lesson.target.limits, path)
        greet(device, lesson, built)
        if (
            watch is not None
        ):  # nothing is lost, and a request done twice is traced twice
            device.again = lesson.target.limits.step
        device.init(lesson.spec.seed)
        counts: dict[int, int] = {}
        results = [_step(device, lesson, step, counts) for step in range(warm)]
        with _watched(attached.machine, watch):
            results += [
                _step(device, lesson, step, counts)
                for step in range(warm, warm + traced)
            ]
        results += [
            _step(device, lesson, step, counts)
            for step in range(warm + traced, lesson.steps)
        ]
        digest = device.digest()[1]
        _note_count(device, lesson.steps - 1, counts)  # it came before that reply
        if traced:
            samples = [lesson.sample(warm + n)[0].tobytes() for n in range(traced)]
            device.infer(samples[:1])  # whatever a step has put off is done now
            with _watched(attached.machine, watch):
                device.infer(samples)
        device.leave()
        attached.require_end(lesson.target.limits.stop)
    missing = set(range(lesson.steps)) - set(counts)
    if missing:
        raise EmulatorError(
            f"telemetry of step {min(missing)} is missing: expected one a step"
        )
    return Boot(
        tuple(counts[step] for step in range(warm, lesson.steps)),
        tuple(results[warm:]),
        digest,
    )


@contextmanager
def _watched(machine: object, watch: Watch | None) -> Iterator[None]:
    if watch is None:
        yield
        return
    assert isinstance(machine, QemuMachine)
    machine.watch(True)
    yield
    machine.watch(False)


def _step(
    device: Device, lesson: Lesson, step: int, counts: dict[int, int]
) -> StepResult:
    """One step; its reply comes after the telemetry of the step before it, whose
    instructions are put into `counts`."""
    sample, given = lesson.sample(step)
    device.post_steps(step, lesson.eta(step), [(given, sample.tobytes())], FLAGS)
    while True:
        for result in device.take_steps(device.limits.step):
            _note_count(device, step - 1, counts)
            return result


def _note_count(device: Device, step: int, counts: dict[int, int]) -> None:
    told = device.telemetry.after(step)
    if told is not None:
        counts[step] = told.instructions


def require_equal(first: Boot, second: Boot) -> None:
    """The repeatability that every count is quoted on."""
    for place, (one, other) in enumerate(
        zip(first.counts, second.counts, strict=True)
    ):  # fmt: skip
        if one != other:
            raise EmulatorError(
                f"counted step {place} took {one} instructions in one boot and {other} "
                "in another: expected the same"
            )
    if first.digest != second.digest:
        raise EmulatorError(
            f"two boots end with digests {first.digest:08x} and {second.digest:08x}: "
            "expected the same"
        )


def _split(
    built: Built,
    info: DebugInfo,
    code: Mapping[int, Instruction],
    trace: _Trace,
    place: int | None,
) -> Counted:
    """Take a trace apart, of which step `place` is the typical one (None: that nearest
    to the mean)."""
    steps, traced = trace.steps, len(trace.steps)
    mean = sum(trace.boot.counts[:traced]) / traced - trace.overhead
    nearest = min(steps, key=lambda call: abs(call.instructions - mean))
    typical = nearest if place is None else steps[place]
    ran = {info.function_at(address) for call in steps for address in call.executed}
    phases: dict[Phase, Counter[int]] = {}
    for call in steps:
        for phase, executed in call.phases.items():
            phases.setdefault(phase, Counter()).update(executed)
    forward = Counter(a for c in trace.inferred for a in c.executed)
    return Counted(
        tuple(counted - trace.overhead for counted in trace.boot.counts),
        trace.overhead,
        traced,
        _part(sum(phases.values(), Counter()), code, traced),
        _part(forward, code, traced),
        {phase: _part(executed, code, traced) for phase, executed in phases.items()},
        tuple((address, code[address]) for address in typical.executed),
        tuple(typical.order),
        sum(function.size for function in ran if isinstance(function, Function)),
        built.image.path,
        trace.boot.results,
        trace.boot.digest,
    )


def _overhead(
    boot: Boot,
    trace: Sequence[int],
    steps: Sequence[Call],
    code: Mapping[int, Instruction],
) -> int:
    """What the device counts besides net_step itself, the same each step.

    A read of minstret counts itself and not what follows: the difference of two
    is the number of instructions from the first read up to the second.
    """
    reads = [n for n, address in enumerate(trace) if code[address].csr == MINSTRET]
    if len(reads) != 2 * len(steps):
        raise EmulatorError(
            f"the counter was read {len(reads)} times in {len(steps)} steps: expected "
            "twice a step"
        )
    found = set()
    for number, step in enumerate(steps):
        first, last = reads[2 * number : 2 * number + 2]
        if not first < step.start < last or last - first != boot.counts[number]:
            raise EmulatorError(
                f"counted step {number} took {boot.counts[number]} instructions, but "
                f"{last - first} were traced: expected the same"
            )
        found.add(boot.counts[number] - step.instructions)
    if len(found) != 1:
        raise EmulatorError(
            f"the call of net_step took {sorted(found)} instructions: expected the same "
            "each time"
        )
    return found.pop()


def _part(
    executed: Mapping[int, int], code: Mapping[int, Instruction], over: int
) -> Part:
    classes: Counter[Class] = Counter()
    for address, times in executed.items():
        classes[code[address].kind] += times
    return Part({kind: classes[kind] / over for kind in Class})
