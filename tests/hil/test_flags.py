"""A verb shows the flags that it heeds, in groups and with their defaults."""

from __future__ import annotations

import argparse
import ast
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from codegen import rules
from hil import output
from hil.cli import main, parser
from hil.experiment import Experiment
from hil.flags import GROUPS
from hil.keys import KEYS
from hil.verbs import bench
from tests.graph.odd import ODD

NAMES = {key.name for key in KEYS}


def verbs(
    of: argparse.ArgumentParser, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    """Every verb that has none below it."""
    below = [a for a in of._actions if isinstance(a, argparse._SubParsersAction)]
    for action in below:
        for name, verb in action.choices.items():
            yield from verbs(verb, (*path, name))
    if not below:
        yield path, of


VERBS = dict(verbs(parser()))


def shown(verb: tuple[str, ...]) -> set[str]:
    """The keys of an experiment that a verb has flags for."""
    flags = {flag for a in VERBS[verb]._actions for flag in a.option_strings}
    given = {key.name for key in KEYS if key.flag in flags and _is_key(verb, key.flag)}
    return given | ({"parameters"} if "--parameter" in flags else set())


def _is_key(verb: tuple[str, ...], flag: str) -> bool:
    """Whether the flag is of the groups of keys, not one of the verb's own."""
    groups = [g for g in VERBS[verb]._action_groups if g.title in (*GROUPS, "machine")]
    return any(flag in a.option_strings for g in groups for a in g._group_actions)


def test_every_key_is_in_one_group() -> None:
    listed = [name for names in GROUPS.values() for name in names.split()]
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_default_is_shown(verb: tuple[str, ...]) -> None:
    for action in VERBS[verb]._actions:
        if action.option_strings and action.default not in (
            None,
            False,
            [],
            "==SUPPRESS==",
        ):
            assert "default" in (action.help or ""), action.option_strings


def test_defaults_of_keys_are_those_of_an_experiment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for said in ("(`hil rules` lists them) (default: dfa)", "none compares nothing (default: every)"):  # fmt: skip
        assert said in text
    assert [title for title in GROUPS if f" {title}: " in text] == list(GROUPS)


# -- the flags of a verb itself: its module, or what it calls there, reads each


def module_of(verb: tuple[str, ...]) -> ModuleType:
    if verb[0] == "bench":
        return bench.BENCHES[verb[1]]
    return sys.modules[f"hil.verbs.{verb[0]}"]


def read_in(module: ModuleType) -> set[str]:
    """Attributes that a module reads of what it was given, and names it asks for."""
    tree = ast.parse(inspect.getsource(module))
    found = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        and node.value.id == "given"
    }  # fmt: skip
    text = ast.unparse(tree)
    if "experiment_of(" in text:
        found.add("experiment")
    if "getattr(given, key) for key in units.KEYS" in text:
        from hil.device.units import KEYS as OF_A_UNIT

        found.update(OF_A_UNIT)
    return found


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_verb_reads_each_of_its_own_flags(verb: tuple[str, ...]) -> None:
    of_all = argparse.ArgumentParser()
    output.add_arguments(of_all)
    everywhere = {action.dest for action in of_all._actions}
    keys = {
        action.dest
        for group in VERBS[verb]._action_groups
        if group.title in (*GROUPS, "machine")
        for action in group._group_actions
    }
    own = {action.dest for action in VERBS[verb]._actions} - everywhere - keys
    read = read_in(module_of(verb))
    assert own <= read, f"hil {' '.join(verb)} shows and does not read {own - read}"


# -- the keys of an experiment: something that the verb calls reads each

ALL_ALIKE = {"_settled", "_at_absolute_paths"}
"""Functions that pass every key on, whatever it is: none of them heeds one."""
Heeded = Callable[..., set[str]]


@pytest.fixture
def heeded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host_cc: str) -> Heeded:
    """Runs commands; returns the keys that the code read meanwhile, but for the code of
    the experiment itself."""
    read: set[str] = set()

    def get(self: Experiment, name: str) -> object:
        code = sys._getframe(1).f_code
        place = Path(code.co_filename).name
        own = place in ("experiment.py", "dataclasses.py", "<string>")
        if not own and code.co_name not in ALL_ALIKE:
            read.add(name)
        return object.__getattribute__(self, name)

    monkeypatch.chdir(tmp_path)
    Path("relu.tflite").write_bytes(ODD["RELU-i8-0.03"])
    np.savez("cases.npz", in0=np.zeros((1, 3, 50), np.int8))
    Path("rest.bin").write_bytes(b"\x50\x00")
    monkeypatch.setattr(Experiment, "__getattribute__", get)

    def run(*commands: str) -> set[str]:
        for command in commands:
            assert main(command.split()) == 0, command
        return read & NAMES

    return run


SMALL = "--network 64-8-10 --target host"
RUN = f"run {SMALL} --steps 12 --test 2 --out runs"
READ_AS_SHAPES = {"network", "faults"}
"""Keys that are read by a property of the experiment: widths, line_faults."""
VERBS_THAT_RUN = {
    ("build",): (
        f"build {SMALL} --resident 9 --commit 3",
        f"build {SMALL} --package make --out made",
    ),
    ("claim",): ("claim kinase-2x2 --target host",),
    ("certify",): (f"certify {SMALL} --clip-weights 2",),
    ("infer",): ("infer --model relu.tflite --inputs cases.npz --target host",),
    ("neurocorex",): ("neurocorex rest.bin --cells 16 --target host",),
    ("kernels",): (f"kernels --explain {SMALL}",),
    ("memory",): (f"memory {SMALL} --rule readout --measure",),
    ("run",): (
        f"{RUN} --commit 5 --flash flash.bin --epochs 1".replace("--steps 12 ", ""),
        f"{RUN} --rehearsal 4 --health 4",
        f"{RUN} --resident 9 --thin 3",
        f"{RUN} --faults drop=0.01",
    ),
    ("bench", "peers"): ("bench peers --network 64-8-10 --steps 9",),
    ("bench", "targets"): (
        "bench targets --only host --rules readout --network 64-8-10 --steps 9",
        "bench targets --only host --rules readout --network 64-8-10 --epochs 1",
    ),
}


@pytest.mark.parametrize("verb", VERBS_THAT_RUN, ids=" ".join)
def test_a_verb_heeds_every_key_that_it_has_a_flag_for(
    verb: tuple[str, ...], heeded: Heeded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all rules hil memory has two: for each further one an image is built and read in the
    same way."""
    if verb == ("memory",):
        monkeypatch.setattr(rules, "names", lambda: ["dfa", "readout"])
    read = heeded(*VERBS_THAT_RUN[verb]) | READ_AS_SHAPES
    assert shown(verb) <= read, f"shown and not heeded: {shown(verb) - read}"


@pytest.mark.full
@pytest.mark.parametrize(
    ("verb", "command"),
    [
        (("bench", "step"), "bench step --network 64-8-10 --steps 4 --warm 1"),
        (("tune",), "tune --network 64-8-10 --steps 4 --warm 1 --tries 2"),
        (("bench", "link"), "bench link --network 64-8-10 --epochs 1"),
        (("bench", "model"), "bench model relu.tflite"),
    ],
)  # fmt: skip
def test_a_verb_that_measures_in_qemu_heeds_every_key(
    verb: tuple[str, ...], command: str, heeded: Heeded, qemu64: str
) -> None:
    read = heeded(command) | READ_AS_SHAPES
    assert shown(verb) <= read, f"shown and not heeded: {shown(verb) - read}"


@pytest.mark.parametrize(
    ("verb", "like"),
    [
        (("sweep",), ("run",)),
        (("demo",), ("run",)),
        (("bench", "live"), ("run",)),
        (("bench", "gates"), ("run",)),
        (("replay",), ("run",)),
        (("flash",), ("build",)),
    ],
)
def test_a_verb_that_does_what_another_does_shows_no_more(
    verb: tuple[str, ...], like: tuple[str, ...]
) -> None:
    """A cell of a sweep, an arm of a demo and so on are runs; what is flashed was built."""
    assert shown(verb) and shown(verb) <= shown(like)


def test_no_verb_with_keys_is_left_out() -> None:
    held = {*VERBS_THAT_RUN, ("bench", "step"), ("bench", "link"), ("tune",)}
    held |= {("sweep",), ("demo",), ("bench", "live"), ("bench", "gates")}
    held |= {("replay",), ("flash",), ("bench", "model")}
    assert {verb for verb in VERBS if shown(verb)} == held


def test_a_key_that_a_verb_does_not_heed_is_refused_with_the_verb_that_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["build", "--health", "5"]) == 2
    said = capsys.readouterr().err
    assert "hil build has no '--health'" in said and "`hil run --health`" in said
