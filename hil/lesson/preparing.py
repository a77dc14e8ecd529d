"""Making a lesson of an experiment.

Everything an experiment leaves open is decided here, and everything that can
be refused without building is refused here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from codegen import goals, rules
from codegen.planning.line import LARGEST_PAYLOAD, SMALLEST_PAYLOAD
from codegen.spec import Clip, Gate, RuleChoice, Spec, UpdateChoice
from hil.data import datasets, paths, reservoirs, scalers, taken
from hil.data.datasets import Dataset
from hil.device import units
from hil.device.units import Unit
from hil.errors import DataError, UsageError
from hil.experiment import Experiment
from hil.key_values import MODEL, InMemory, options_of
from hil.lesson import (
    cores,
    frozen_front,
    given_spikes,
    in_order,
    model_head,
    rates,
    watched,
)
from hil.lesson.in_format import with_format
from hil.lesson.lesson import Lesson, pace, specialised
from hil.lesson.network import goal_of, network_of
from hil.lesson.tuned_file import Tuned
from hil.lesson.tuned_file import load as load_tuned
from hil.output import require_folder
from targets import Target
from targets import load as load_target

TESTED = 1000
"""Test samples inferred unless the experiment says otherwise, or holds out its own."""
THIN, THIN_ALONE = 32, 128
"""Steps that one reply of a resident run tells of unless the experiment says
otherwise: where all are compared, and where the device goes on alone."""
SAMPLES, SAMPLES_ALONE = 4, 32
"""Samples in one STEP frame unless the experiment says otherwise: where the reference
or an emulated device sets the pace, and at most where a native process goes on alone."""
ROOM = LARGEST_PAYLOAD - SMALLEST_PAYLOAD
"""Bytes of samples, and of results, in any frame, at most."""
ROOM_ALONE = 16 << 10
"""Bytes of samples, and of results, in a frame that long, at most."""
ERROR_GATE = 0.1
"""Threshold of `gate = "error"` unless the experiment has one."""
ACTIVE = 0.25
"""What a gate lets through unless a threshold or a budget says otherwise."""


@dataclass(frozen=True)
class _Extent:
    """How many steps, test samples, and samples in the image."""

    steps: int
    tested: int
    resident: int


def prepare(experiment: Experiment, dataset: Dataset | None = None) -> Lesson:
    """The lesson of `experiment`, with its data unless `dataset` is there. Raises `UsageError`, `DescriptorError`,
    `SpecError` or `DataError`, each naming what is wrong."""
    target = load_target(experiment.target)
    experiment = with_format(frozen_front.learning(experiment), target)
    unit = None
    if experiment.unit is not None:
        unit = units.chosen(experiment.unit, target.name)
        experiment = replace(experiment, unit=unit.name)
    experiment = replace(experiment, core=cores.deciding(experiment, target))
    vlen = target.vlen(cores.vlen_of(experiment))
    _require_counted(experiment, target)
    _require_possible_faults(experiment, target, unit)
    if experiment.icount:
        target = target.counted()
    if experiment.save is not None:
        require_folder("save", experiment.save)
    rules.get(RuleChoice(experiment.rule, experiment.parameters))
    if dataset is None:
        dataset = data_for(experiment)
        in_order.require(dataset)
    in_order.require_no_moment_again(experiment, dataset)
    experiment, dataset = given_spikes.agreed(experiment, dataset)
    spec = _spec(experiment, dataset, target)
    watched.require(experiment.watch_cells, spec)
    extent = _extent(experiment, dataset)
    effective = _settled(experiment, spec, dataset, extent, target, vlen)
    tuned = _tuned(experiment.tuned, spec, target, specialised(effective, vlen))
    return Lesson(
        effective, target, vlen, spec, dataset, extent.steps, extent.tested,
        extent.resident, tuned,
    )  # fmt: skip


def data_of(experiment: Experiment) -> Dataset:
    """The data that an experiment names, or brings. Raises `DataError`."""
    if isinstance(experiment.data, InMemory):
        return taken.dataset_of(**experiment.data.arrays)
    return datasets.load(experiment.data, _widths_of_samples(experiment))


def data_for(experiment: Experiment) -> Dataset:
    """The same, with what is held out, and the scaler of what is not. Raises
    `DataError`."""
    return fitted(data_of(experiment), experiment)


def fitted(dataset: Dataset, experiment: Experiment) -> Dataset:
    """Data as an experiment has them. Raises `DataError`."""
    if experiment.holdout is not None:
        dataset = datasets.hold_out(dataset, experiment.holdout)
    front, cut = experiment.front, experiment.cut
    raster, scaler = dataset.inputs.raster, experiment.scaler
    if raster is not None and (front or scaler):
        asked_for = f"front {front!r}" if front else f"scaler {scaler!r}"
        raise DataError(
            f"data {dataset.name!r} are {raster}, and there is a {asked_for}: expected "
            "neither front nor scaler, which take numbers"
        )
    if front is not None and front.endswith(MODEL):
        return frozen_front.behind(dataset, front, cut, experiment.scaler)
    if front is not None:
        asked = (*options_of(front), experiment.scaler, experiment.seed)
        return reservoirs.with_front(dataset, *asked)
    if experiment.scaler is None:
        return dataset
    return scalers.scaled(dataset, experiment.scaler)


def _widths_of_samples(experiment: Experiment) -> tuple[int, ...] | None:
    """The network's, for data that are as wide as it is; behind a model they say
    nothing of samples."""
    widths, front = experiment.widths, experiment.front or ""
    left_out = widths is not None and not widths[0]
    return None if left_out or front.endswith(MODEL) else widths


def _spec(experiment: Experiment, dataset: Dataset, target: Target) -> Spec:
    """What is to be learned. Raises `SpecError` for gates that the rule does not take."""
    spec = Spec(
        network_of(experiment, dataset),
        RuleChoice(experiment.rule, experiment.parameters),
        dataset.inputs,
        experiment.seed,
        _gate(experiment, target),
        Clip(experiment.clip_weights, experiment.clip_error),
        goal=goal_of(experiment, dataset),
        update=_update(experiment),
        format=experiment.format or "f32",
    )
    rules.require(rules.get(spec.rule), spec)
    return spec


def _extent(experiment: Experiment, dataset: Dataset) -> _Extent:
    return _Extent(
        _steps(experiment, dataset),
        tested(experiment, dataset),
        _resident(experiment, dataset),
    )


def _settled(
    experiment: Experiment,
    spec: Spec,
    dataset: Dataset,
    extent: _Extent,
    target: Target,
    vlen: int,
) -> Experiment:
    """The effective experiment: every key has the value that the run will have."""
    lr, decay, network = experiment.lr, experiment.lr_decay, spec.network
    rates.require(spec.rule, lr)
    return replace(
        _at_absolute_paths(experiment),
        name=experiment.name or f"{dataset.name}-{experiment.rule}",
        vlen=vlen or None,
        network=network.layers,
        activation=network.activation,
        output=network.output,
        steps=extent.steps,
        epochs=None,
        prefix=experiment.prefix and min(experiment.prefix, extent.steps),
        lr=_rate(spec) if lr is None else lr,
        lr_decay=rates.default_decay(network) if decay is None else decay,
        goal=None if spec.goal == "label" else spec.goal,
        active=spec.gate.active,
        error_gate=spec.gate.error or None,
        test=extent.tested,
        resident=extent.resident or None,
        thin=_thin(experiment) if extent.resident else None,
        rehearse=pace(experiment) - 1 or None,
        rehearse_what=_rehearsed(experiment),
        window=1 if experiment.icount or experiment.chunk else experiment.window,
        samples_per_frame=_samples(experiment, spec, target),
    )


def _rehearsed(experiment: Experiment) -> str | None:
    """What is kept of a sample; None where none is, or where there is no choice."""
    if not experiment.rehearsal or not (experiment.front or "").endswith(MODEL):
        return experiment.rehearse_what
    return experiment.rehearse_what or "features"


def _rate(spec: Spec) -> float:
    """A velocity adds up what 1 / (1 - momentum) steps learn."""
    usual = rates.default(spec.rule, spec.network, spec.numbers)
    return usual * (1 - spec.update.momentum)


def _at_absolute_paths(experiment: Experiment) -> Experiment:
    """The same, also for who is in another folder."""
    data = experiment.data
    named = isinstance(data, InMemory) or data in datasets.NAMES
    return replace(
        experiment,
        data=data if named else paths.absolute(str(data)),
        init=_initial(experiment.init),
        front=_front(experiment.front),
        save=experiment.save and _absolute(experiment.save),
        flash=experiment.flash and _absolute(experiment.flash),
        tuned=experiment.tuned and _absolute(experiment.tuned),
    )


def _front(named: str | None) -> str | None:
    """A model is a file, a reservoir is none."""
    return _absolute(named) if named is not None and named.endswith(MODEL) else named


def _initial(named: str | None) -> str | None:
    """Where initial weights lie: in a file, or in the model of the front."""
    return named if named in (None, model_head.NAME) else _absolute(str(named))


def _tuned(
    named: str | None, spec: Spec, target: Target, vlen: int | None
) -> Tuned | None:
    """The tuned file that is `named`, which must be for such a step."""
    if named is None:
        return None
    tuned = load_tuned(named)
    tuned.require(spec, target, vlen)
    return tuned


def _require_counted(experiment: Experiment, target: Target) -> None:
    """Raise `UsageError` where instructions cannot be counted, and should be."""
    if not experiment.icount:
        return
    if target.machine != "qemu" or experiment.unit:
        raise UsageError(
            f"icount needs an emulator, and {experiment.unit or target.name!r} is none"
        )
    if target.qemu is not None and not target.qemu.counts:
        raise UsageError(
            f"icount needs a counter of instructions, and target {target.name} has none"
        )


def _require_possible_faults(
    experiment: Experiment, target: Target, unit: Unit | None
) -> None:
    """Raise `UsageError` for checkpoints and faults that cannot be."""
    if experiment.commit is not None and target.flash is None and not experiment.unit:
        raise UsageError(
            f"commit is {experiment.commit}, but target {target.name} has no flash"
        )
    if experiment.flash is not None and experiment.unit is not None:
        raise UsageError(
            f"flash is {experiment.flash!r}, but unit {experiment.unit!r} has its own: "
            "expected one of them"
        )
    faults = experiment.line_faults
    if faults is None or not faults.cut:
        return
    if unit is not None and unit.power is None:
        raise UsageError(
            f"faults has a power cut, but unit {unit.name!r} has no power switch",
            "a key `power` in the bench is a command with {state} in it",
        )
    if experiment.instructions or experiment.cycles:
        raise UsageError(
            "faults has a power cut, but steps under a budget depend on counts that do "
            "not repeat after it"
        )


def _update(experiment: Experiment) -> UpdateChoice:
    if experiment.momentum is None:
        return UpdateChoice()
    return UpdateChoice("momentum", experiment.momentum)


def _gate(experiment: Experiment, target: Target) -> Gate:
    """The gate as the plan knows it."""
    kind = "none" if experiment.gate == "error" else experiment.gate
    budget = experiment.instructions or experiment.cycles
    active, tau = experiment.active, experiment.tau
    if kind == "none" and (active or tau or budget):
        what = "active" if active else "tau" if tau else "a budget of a step"
        raise UsageError(
            f"{what} is given, but no gate could hold it: expected gate element, row "
            "or block",
            "--gate row leaves whole rows of an update out",
        )
    if budget is not None:
        _require_counter(experiment, target)
    if kind != "none" and active is None and tau is None and budget is None:
        active = ACTIVE
    error = experiment.error_gate or (ERROR_GATE if experiment.gate == "error" else 0.0)
    return Gate(
        kind, Gate().threshold if tau is None else tau, active, error,
        "cycles" if experiment.cycles else "instructions", budget,
    )  # fmt: skip


def _require_counter(experiment: Experiment, target: Target) -> None:
    """A budget wants a counter that means something."""
    on_board = target.machine == "user" and experiment.unit
    uncounted = target.qemu is not None and not target.qemu.counts
    missing = uncounted and not experiment.unit
    if missing or not (target.emulated or on_board):
        raise UsageError(
            f"a budget of a step needs a counter, and target {target.name} has none"
        )
    if target.emulated and not (experiment.icount or experiment.unit):
        raise UsageError(
            "a budget of a step in an emulator means something only where instructions "
            "are counted exactly",
            "--icount counts them",
        )


def _absolute(path: str) -> str:
    return str(Path(path).resolve())


def _steps(experiment: Experiment, dataset: Dataset) -> int:
    there, each = len(dataset.train_x), pace(experiment)
    steps = experiment.steps or (experiment.epochs or 1) * there * each
    if dataset.tasks and steps > there * each:
        paced = f" and {each} steps a sample" if each > 1 else ""
        raise UsageError(
            f"{steps} steps are asked for, but data {dataset.name!r} is a stream of "
            f"{there} samples{paced}, and time does not come twice"
        )
    return steps


def _resident(experiment: Experiment, dataset: Dataset) -> int:
    wanted, there = experiment.resident or 0, len(dataset.train_x)
    return there if wanted == "all" else min(int(wanted), there)


def _thin(experiment: Experiment) -> int:
    """Counting gives a figure a frame, so each frame is one step then."""
    if experiment.icount:
        return 1
    return experiment.thin or (THIN_ALONE if _goes_on_alone(experiment) else THIN)


def _goes_on_alone(experiment: Experiment) -> bool:
    """Whether the device learns steps that no reference repeats."""
    return experiment.prefix is not None or experiment.compare == "none"


def _samples(experiment: Experiment, spec: Spec, target: Target) -> int:
    """Long frames cost the device RAM, and pay where the host sets the pace."""
    if experiment.icount or experiment.chunk:
        return 1
    if experiment.samples_per_frame is not None:
        return experiment.samples_per_frame
    given, result = goals.goal(spec).bytes(spec), 8 + 4 * spec.network.n_out
    each = max(given + spec.sample_bytes, result)
    usual = max(1, min(SAMPLES, ROOM // each))
    if target.machine != "native" or not _goes_on_alone(experiment) or experiment.ram:
        return usual
    return max(usual, min(SAMPLES_ALONE, ROOM_ALONE // each))


def tested(experiment: Experiment, dataset: Dataset) -> int:
    """How many test samples are classified: as many as `test` says, and there are."""
    there, all_held = (
        len(dataset.test_x),
        experiment.holdout and experiment.test is None,
    )
    if experiment.test == "all" or all_held:
        return there
    wanted = TESTED if experiment.test is None else experiment.test
    assert isinstance(wanted, int)
    return min(wanted, there)
