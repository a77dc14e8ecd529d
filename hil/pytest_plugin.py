"""The pytest plugin: a firmware regression of one's own (docs/pytest.md).

    pytest --hil-target host,qemu-rv64gcv      the tests once for each target
    pytest --hil-unit /dev/ttyUSB0             the same files on a board

pytest loads this module for everyone who has hil installed, so it imports nothing
but pytest; what a fixture needs is imported when the first test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hil.testing.reports import TARGET, JunitByTarget, leave, told

if TYPE_CHECKING:
    from hil.device.device import Device
    from hil.lesson.lesson import Lesson
    from hil.records.record import RunRecord
    from targets import Target

HilRun = Callable[..., "RunRecord"]
"""What `hil_run` is: keys of an experiment in, the record of its run out."""

NAMES = ("hil", __name__)
"""What this plugin is called by its entry point, and by `-p`."""
DEFAULT = "qemu-rv64gcv"


def pytest_plugin_registered(plugin: object, manager: Any) -> None:
    """One module under two names would be an error of pytest's: the entry point may
    be there, and `-p` or `pytest_plugins` too."""
    if getattr(plugin, "__name__", None) == __name__:
        for name in NAMES:
            if name != manager.get_name(plugin):
                manager.set_blocked(name)


# -- the command line -----------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags; --hil-vlen and the like are keys of `hil.keys`."""
    group = parser.getgroup("hil", "hil: learning on a device")
    add = group.addoption
    add(
        "--hil-target", action="append", default=[], metavar="NAME[,NAME...]",
        help=f"targets (see `hil targets`), repeatable (default: {DEFAULT})",
    )  # fmt: skip
    add(
        "--hil-unit", metavar="NAME|PORT",
        help="this very board: a name of bench.toml (which says its target), or a port",
    )  # fmt: skip
    add("--hil-vlen", type=int, metavar="BITS", help="VLEN of targets with vectors")
    add(
        "--hil-out", metavar="DIR", help="where run folders go (default: a temp folder)"
    )
    add("--hil-junit", metavar="DIR", help="write DIR/junit-TARGET.xml for each target")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot be before any test runs."""
    config.addinivalue_line(
        "markers", "hil(**keys): keys of the experiment of hil_device and hil_run"
    )
    given = config.option
    if given.hil_target or given.hil_unit is not None or given.hil_vlen is not None:
        _require_possible(config)
    for flag, folder in (("out", given.hil_out), ("junit", given.hil_junit)):
        try:
            if folder is not None:
                Path(folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise pytest.UsageError(
                f"--hil-{flag} is {folder!r}: no such folder can be made: {error.strerror}"
            ) from None
    if given.hil_junit is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(
            JunitByTarget(config, _names(config)), "hil-junit"
        )


def _names(config: pytest.Config) -> list[str]:
    given = [
        part.strip() for text in config.option.hil_target for part in text.split(",")
    ]
    return list(dict.fromkeys(given)) or [DEFAULT]


def _require_possible(config: pytest.Config) -> None:
    """Raise `pytest.UsageError` with the sentence of `hil`'s own command line."""
    import targets

    unit, vlen = config.option.hil_unit, config.option.hil_vlen
    try:
        if unit is not None:
            _take_target(config)
        chosen = [targets.load(name) for name in _names(config)]
        able = [target for target in chosen if target.vector] or chosen
        for target in able if vlen is not None else ():
            target.vlen(vlen)
    except targets.HilError as error:
        hints = [f"  hint: {hint}" for hint in error.hints]
        raise pytest.UsageError("\n".join([str(error), *hints])) from None
    if unit is not None and len(chosen) > 1:
        raise pytest.UsageError(
            f"--hil-unit {unit!r} is one board, but --hil-target names {len(chosen)} "
            "targets: expected one"
        )
    workers = len(getattr(config.option, "tx", None) or ())
    if unit is not None and workers > 1:
        raise pytest.UsageError(
            f"--hil-unit {unit!r} is one board, and {workers} workers would want it at "
            "once: expected -n 0"
        )


def _take_target(config: pytest.Config) -> None:
    """A unit of the bench has its own target, which must be the one asked for."""
    from hil.device.units import chosen

    asked: list[str | None] = [None]
    if config.option.hil_target:
        asked = [*_names(config)]
    of = chosen(config.option.hil_unit, asked[0] if len(asked) == 1 else None).target
    if of and len(asked) == 1:
        config.option.hil_target = [of]


# -- one test a target ----------------------------------------------------


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that uses a fixture of ours comes once for each target, unless it names
    its targets itself."""
    own = [
        mark.kwargs.get("argnames", mark.args[0] if mark.args else "")
        for mark in metafunc.definition.iter_markers("parametrize")
    ]
    named = {
        name.strip()
        for names in own
        for name in (names.split(",") if isinstance(names, str) else names)
    }
    if TARGET in metafunc.fixturenames and TARGET not in named:
        metafunc.parametrize(TARGET, _names(metafunc.config), indirect=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every report says its target, for junit and across xdist's processes."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        if TARGET in params:
            item.user_properties.append((TARGET, str(params[TARGET])))


@pytest.fixture(scope="session")
def hil_target(request: pytest.FixtureRequest) -> Target:
    """The target that the test runs on."""
    import targets

    ours = _names(request.config)[0]
    name, unit = getattr(request, "param", ours), request.config.option.hil_unit
    if unit is not None and name != ours:
        pytest.skip(f"unit {unit!r} is a {ours}, and this test wants a {name}")
    return targets.load(name)


# -- devices and runs -----------------------------------------------------


@pytest.fixture
def hil_lesson(request: pytest.FixtureRequest, hil_target: Target) -> Lesson:
    """The experiment of the test's `hil` marker, with its samples at hand."""
    from hil.lesson.preparing import prepare
    from hil.testing.experiment import experiment_of

    return prepare(experiment_of(request.node, hil_target, {}))


@pytest.fixture
def hil_device(
    request: pytest.FixtureRequest,
    hil_lesson: Lesson,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Device]:
    """A greeted device with the image of `hil_lesson`: an emulator, or --hil-unit,
    which is flashed when it has a loader, and otherwise must run that image."""
    from hil.desk.attach import attach, greet
    from hil.desk.flashing import make_sure
    from hil.device.device import Device
    from hil.lesson.building import build, plan_for
    from hil.records import record as records
    from hil.testing.experiment import tools_or_skip

    lesson, asked = hil_lesson, hil_lesson.experiment
    with ExitStack() as stack:
        with tools_or_skip():
            built = build(plan_for(lesson), asked.toolchain)
            folder = records.make_folder(_out(request, tmp_path_factory), asked.name)
            leave(request.node, folder)
            asked.write(folder / records.EXPERIMENT)
            log = (folder / records.CONSOLE).open("wb", buffering=0)
            attached = stack.enter_context(
                attach(
                    lesson,
                    built.image.path,
                    stack.enter_context(log),
                    ready=lambda unit: make_sure(unit, lesson, built),
                )
            )
            limits, image = lesson.target.limits, built.image.path
            device = Device(attached.channel, built.plan, limits, image)
            greet(device, lesson, built)
        yield device


@pytest.fixture
def hil_run(
    request: pytest.FixtureRequest,
    hil_target: Target,
    tmp_path_factory: pytest.TempPathFactory,
) -> HilRun:
    """Runs the experiment of the `hil` marker with the keys it is called with laid
    over it, as `hil run` would; it returns the record, whatever the numbers say, and
    raises every other failure."""
    from hil.errors import Interrupted
    from hil.learning.progress import Progress
    from hil.learning.session import carried_out
    from hil.lesson.preparing import prepare
    from hil.testing.experiment import experiment_of, tools_or_skip

    def run(**keys: Any) -> RunRecord:
        lesson = prepare(experiment_of(request.node, hil_target, keys))
        session = carried_out(lesson, _out(request, tmp_path_factory), Progress())
        record, failure = session.record, session.failure
        leave(request.node, record.folder, record)
        if isinstance(failure, Interrupted):
            raise KeyboardInterrupt  # it ends pytest, not just this test
        with tools_or_skip():
            if failure is not None and record.result == "error":
                raise failure
        return record

    return run


def _out(request: pytest.FixtureRequest, temp: pytest.TempPathFactory) -> Path:
    asked = request.config.option.hil_out
    return temp.mktemp("hil") if asked is None else Path(asked)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure says which folder has the run, and what its console had last."""
    report = yield
    error = None if call.excinfo is None else call.excinfo.value
    if report.failed and error is not None and (text := told(item, error)):
        report.sections.append(("hil", text))
    return report
