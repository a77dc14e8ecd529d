"""Everything that can be wrong in a demo, found before anything is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from codegen.building import toolchain
from hil.data import arrays, taken
from hil.data.arrays import Given
from hil.data.dataset import Dataset
from hil.demo import figures, guessed
from hil.demo.file import NAME, ArmFile, Demo, laid_over
from hil.demo.page import blamed, kind
from hil.demo.stream import Stream
from hil.device import units
from hil.errors import (
    CompilerMissing,
    DataError,
    DescriptorError,
    OverBudget,
    SpecError,
    UsageError,
    did_you_mean,
)
from hil.experiment import Experiment
from hil.lesson import weights
from hil.lesson.building import plan_for
from hil.lesson.lesson import Lesson
from hil.lesson.preparing import fitted, prepare


@dataclass(frozen=True, eq=False)
class Met:
    """A stream that arms meet, as a data file has it and as a lesson does."""

    stream: Stream
    arrays: Mapping[str, np.ndarray]
    dataset: Dataset


@dataclass(frozen=True, eq=False)
class Ready:
    """A demo of which nothing is wrong, and what it comes to with a seed, and with the
    keys that were `given`: its streams, and the lesson of each arm."""

    demo: Demo
    module: ModuleType
    seed: int
    given: Mapping[str, Any]
    met: Mapping[str, Met]
    lessons: Mapping[str, Lesson]

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams by name."""
        return {name: met.stream for name, met in self.met.items()}

    def stream_of(self, arm: ArmFile) -> str:
        """The name of the stream that an arm meets."""
        return arm.stream or next(iter(self.met))

    def write(self, folder: Path) -> None:
        """Each stream as a data file in `folder`. Raises `StorageError`."""
        for name, met in self.met.items():
            arrays.write(folder / f"{name}.npz", met.arrays, packed=True)

    def lesson(self, arm: ArmFile, folder: Path) -> Lesson:
        """The lesson of an arm, with its files in `folder`."""
        lesson = self.lessons[arm.name]
        kept = any(other.after == arm.name for other in self.demo.arms)
        own: dict[str, Any] = {"data": str(folder / f"{self.stream_of(arm)}.npz")}
        if arm.after is not None:
            own["init"] = str(folder / learned(arm.after))
        if kept:
            own["save"] = str(folder / learned(arm.name))
        return replace(lesson, experiment=replace(lesson.experiment, **own))


def learned(arm: str) -> str:
    """The file of the weights that an arm has learned."""
    return f"learned-{arm}.npz"


def check(demo: Demo, values: Mapping[str, Any]) -> Ready:
    """The demo with these keys of an experiment laid over its own.

    Its two files are read, its streams made, each arm prepared and planned, and its
    figures tried on records that devices which guess would leave. Raises `UsageError`
    where anything is wrong, `OverBudget` for an arm that needs more memory than there
    is, `CompilerMissing`, and `DataError` where data are missing.
    """
    ready = prepared(demo, values)
    for arm in demo.arms:
        with _of_arm(demo, arm):
            _require_start(arm, ready.lessons)
            _require_image(ready.lessons[arm.name])
    _try_figures(ready)
    return ready


def prepared(demo: Demo, values: Mapping[str, Any]) -> Ready:
    """The same for whoever builds nothing, figures untried. Raises `UsageError` and
    `DataError`."""
    module = demo.module()
    asked = laid_over(f"demo {demo.name!r}", demo.experiment, values)
    met = _met(demo, module, asked.seed)
    lessons: dict[str, Lesson] = {}
    for arm in demo.arms:
        with _of_arm(demo, arm):
            stream = met[arm.stream or next(iter(met))]
            lessons[arm.name] = _lesson(demo, arm, asked, values, stream)
    return Ready(demo, module, asked.seed, _given(asked, values), met, lessons)


def _given(asked: Experiment, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller gave, as the experiment holds it; of its parameters those alone."""
    given = {name: getattr(asked, name) for name in values}
    if "parameters" in given:
        told = given["parameters"]
        given["parameters"] = {name: told[name] for name in values["parameters"]}
    return given


def _met(demo: Demo, module: ModuleType, seed: int) -> dict[str, Met]:
    """The streams by name."""
    with blamed(demo.page):
        streams = module.streams(seed)
    if not isinstance(streams, Mapping) or not streams:
        raise UsageError(
            f"demo {demo.name!r}: the function streams gives {kind(streams)}: expected "
            "the streams by name, as in {'mine': Stream(parts)}"
        )
    met = {}
    for name, stream in streams.items():
        origin = f"demo {demo.name!r}, stream {name!r}"
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise UsageError(f"{origin}: expected a name of letters, digits, - and _")
        if not isinstance(stream, Stream):
            raise UsageError(f"{origin} is {kind(stream)}: expected a Stream")
        made = stream.arrays(origin)
        met[name] = Met(stream, made, taken.from_arrays(name, Given(origin, made)))
    for arm in demo.arms:
        _require_stream(demo, arm, met)
    return met


def _require_stream(demo: Demo, arm: ArmFile, met: Mapping[str, Met]) -> None:
    """Raise `UsageError` unless it is known which stream an arm meets."""
    there = ", ".join(met)
    if arm.stream is None and len(met) > 1:
        raise UsageError(
            f"demo {demo.name!r}: arm {arm.name!r} has no stream, and there are {there}: "
            "expected one of them"
        )
    if arm.stream is not None and arm.stream not in met:
        raise UsageError(
            f"demo {demo.name!r}: arm {arm.name!r} meets stream {arm.stream!r}, but "
            f"there is {there}",
            *did_you_mean(arm.stream, met),
        )


@contextmanager
def _of_arm(demo: Demo, arm: ArmFile) -> Iterator[None]:
    """What is refused in here is refused of this arm."""
    where = f"demo {demo.name!r}, arm {arm.name!r}"
    try:
        yield
    except OverBudget as error:
        raise OverBudget(f"{where}: {error}", *error.hints, fit=error.fit) from None
    except CompilerMissing as error:
        raise CompilerMissing(f"{where}: {error}", *error.hints) from None
    except (UsageError, SpecError, DescriptorError) as error:
        raise UsageError(f"{where}: {error}", *error.hints) from None


def _lesson(
    demo: Demo,
    arm: ArmFile,
    asked: Experiment,
    values: Mapping[str, Any],
    met: Met,
) -> Lesson:
    """The run of one arm: the demo's keys, then its own, then the caller's."""
    name, dataset = f"{demo.name}-{arm.name}", met.dataset
    own = {**_front(met.stream), **arm.values, **values}
    given = {**own, "name": name, "data": name}
    parameters = (each.get("parameters", {}) for each in (arm.values, values))
    given["parameters"] = {k: v for table in parameters for k, v in table.items()}
    experiment = asked.override(given)
    if experiment.unit is not None:
        unit = units.chosen(experiment.unit, None)
        experiment = replace(experiment, target=unit.target or experiment.target)
    if experiment.compare == "none":
        raise UsageError(
            "compare is 'none': expected what a demo promises, each step compared"
        )
    _require_front(met.stream, experiment)
    dataset = fitted(dataset, experiment)
    lesson = prepare(experiment, dataset)
    if arm.freeze is None:
        return lesson
    return prepare(replace(experiment, freeze=_frozen_from(arm, lesson)), dataset)


def _front(stream: Stream) -> dict[str, Any]:
    """The model through which samples go, unless the caller names another."""
    return {} if stream.front is None else {"front": str(stream.front)}


def _require_front(stream: Stream, experiment: Experiment) -> None:
    """Raise `DataError` where the model that a stream names is not there."""
    named = str(stream.front)
    if experiment.front == named and not Path(named).is_file():
        raise DataError(
            f"samples go through the model {named!r}, which is not there",
            "--front MODEL.tflite names it where it lies elsewhere",
            "docs/demos.md says what makes it",
        )


def _frozen_from(arm: ArmFile, lesson: Lesson) -> int:
    """The step from which an arm learns no more."""
    if not arm.freeze:
        return 0
    names = [task.name for task in lesson.dataset.tasks]
    if arm.freeze not in names:
        raise UsageError(
            f"it learns last in task {arm.freeze!r}, but its stream has "
            + ", ".join(names),
            *did_you_mean(arm.freeze, names),
        )
    return lesson.ends[names.index(arm.freeze)]


def _require_start(arm: ArmFile, lessons: Mapping[str, Lesson]) -> None:
    """Raise `UsageError` where an arm cannot start from what another has learned, and
    `DataError` where it cannot from a file."""
    lesson = lessons[arm.name]
    if lesson.experiment.init is not None:
        weights.load_for(lesson.experiment.init, plan_for(lesson))
    if arm.after is None:
        return
    other = lessons[arm.after]
    if _state(lesson) != _state(other):
        raise UsageError(
            f"it starts from what {arm.after!r} has learned, but learns "
            f"{lesson.spec.network} by {lesson.spec.rule.name}, and {arm.after!r} "
            f"{other.spec.network} by {other.spec.rule.name}: expected the same tensors"
        )


def _state(lesson: Lesson) -> dict[str, tuple[int, ...]]:
    return {tensor.name: tensor.shape for tensor in plan_for(lesson).state}


def _require_image(lesson: Lesson) -> None:
    """Raise `OverBudget` where there is not enough memory, and `CompilerMissing`."""
    planned, asked = plan_for(lesson), lesson.experiment
    toolchain.find(planned.target, asked.toolchain, planned.vlen, planned.debug)


def _try_figures(ready: Ready) -> None:
    """Raise `UsageError` where the page's figures fail on records that runs could have."""
    try:
        for arms in guessed.made_up(ready.lessons):
            figures.of(ready.demo, ready.module, arms, ready.streams)
    except UsageError as error:
        raise UsageError(
            str(error),
            *error.hints,
            "this was tried on made-up records, before anything was built",
        ) from error
