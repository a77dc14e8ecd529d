"""Whatever a host writes into a state: what learning keeps is learned from alike on device
and twin, without undefined behaviour; what it does not keep is refused, and changes nothing.

One image in `make test`, every rule in every format it has in `make test-all`."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import targets
from codegen import protocol, rules
from codegen.building import toolchain
from codegen.delays import Delays
from codegen.homeostat import Homeostat
from codegen.numbers import NUMBERS
from codegen.planning.planned import Plan
from codegen.protocol import InitFlag, Status, StepFlag
from codegen.reference import Learner, NonFinite
from codegen.rendering.render import render
from codegen.spec import Inputs, Network, RuleChoice, Spec
from codegen.tensors import WORD, Tensor
from hil.learning import checkpoints
from tests.firmware.conftest import CHECKS, FLASH, initialised
from tests.firmware.process import Firmware, planned, words

STEPS, ROUNDS = 3, 12
"""Learned from each state; states."""
KEPT = struct.Struct("<fI")
"""What a reply says of a step before its outputs: loss, digest."""
SLOW = {"homeostasis": 0.01}
DELAYED = {
    "": Inputs("u8", 1.0, front=Delays(3, 1, 11)),
    ", slow": Inputs("u8", 1.0, front=Delays(3, 1, 11, homeostat=Homeostat(0.1))),
}


def spiking(rule: str, layers: tuple[int, ...], **parameters: Any) -> Spec:
    network = Network(layers, "identity", "identity")
    return Spec(network, RuleChoice(rule, parameters), format="spikes")


def learning(rule: str, form: str, layers: tuple[int, ...], inputs: Inputs) -> Spec:
    network = rules.declaration(rule).suited(Network(layers))
    return Spec(network, RuleChoice(rule), inputs, format=form)


FEW = {
    "spikes": spiking("stdp-wta", (9, 12, 4), labels="votes", ticks=20, **SLOW),
    "i16": learning("local", "i16", (700, 9, 4), Inputs("i16", 1000.0)),
}
"""The sums of 700 inputs leave weights less than 16 bits hold."""


def others() -> Iterator[tuple[str, Spec]]:
    """Every rule in every format that it has."""
    for name, parameters in (
        ("stdp-wta", {"ticks": 20}), ("stdp-wta", {"ticks": 20, "threshold": 65536, **SLOW}),
        ("stdp-detector", {}), ("stdp-detector", SLOW), ("stdp-wta", {"cells": "still"}),
    ):  # fmt: skip
        layers = (9, 12, 4) if name == "stdp-wta" else (9, 4)
        yield f"{name} {parameters}", spiking(name, layers, **parameters)
    for form, numbers in NUMBERS.items():
        for name in rules.taught(numbers) if not numbers.own else ():
            spec = learning(name, form, (7, 9, 5, 4), Inputs("u8", 16.0))
            yield f"{form} {name}", spec
        for what, inputs in DELAYED.items() if not numbers.own else ():
            yield f"{form} delays{what}", learning("readout", form, (11, 4), inputs)


@dataclass(frozen=True)
class Made:
    """An image under the checks, and what it was made of."""

    path: str
    plan: Plan
    flash: Path


def built(spec: Spec, folder: Path) -> Made:
    plan = planned(spec)
    found = toolchain.build(
        render(plan), toolchain.find(targets.load("host")), extra=CHECKS
    )
    return Made(str(found.path), plan, folder / FLASH)


@pytest.fixture(
    scope="module", params=["spikes", pytest.param("i16", marks=pytest.mark.full)]
)
def made(request: pytest.FixtureRequest, host_cc: str, tmp_path_factory: Any) -> Made:
    return built(FEW[request.param], tmp_path_factory.mktemp("flash"))


@pytest.fixture
def firmware(made: Made) -> Iterator[Firmware]:
    with initialised(made.path, made.plan, made.flash) as one:
        yield one


def ends(tensor: Tensor) -> list[float]:
    """Values of a tensor that are the first or the last of something."""
    if tensor.format.floating:
        return [-3e38, -1.0, -1e-40, 0.0, 1e-40, 1.0, 3e38]
    most = np.iinfo(tensor.format.dtype)
    least, largest = tensor.held or (0, 1)
    found = [most.min, most.max, -1, 0, 1, least, largest, least - 1, largest + 1]
    return [value for value in found if most.min <= value <= most.max]


def some(tensor: Tensor, dice: np.random.Generator, kept: bool) -> np.ndarray:
    """Values of all that a tensor's type holds, or of what learning keeps."""
    low, high = tensor.held or (-np.inf, np.inf)
    known = [value for value in ends(tensor) if low <= value <= high or not kept]
    drawn = dice.choice(np.array(known), tensor.shape)
    return np.full(tensor.shape, drawn.flat[0]) if dice.random() < 0.3 else drawn


def within(tensor: Tensor, values: np.ndarray) -> bool:
    low, high = tensor.held or (-np.inf, np.inf)
    return bool((low <= values).all() and (values <= high).all())


def write(one: Firmware, tensor: Tensor, values: np.ndarray) -> list[Status]:
    """Every frame's answer."""
    data = tensor.packed(values.astype(tensor.format.dtype))
    most = (one.made.line.max_payload - 8) // WORD
    pieces = range(0, tensor.words, most)
    return [
        Status(one.ask(protocol.WRITE, words(tensor.index, len(part) // WORD, at, part)).status)
        for at in pieces
        for part in (data[WORD * at : WORD * (at + most)],)
    ]  # fmt: skip


def learn_alike(one: Firmware, twin: Learner, dice: np.random.Generator) -> None:
    """Some steps of samples at their ends; a fault of one is one of the other."""
    inputs, n_out = one.made.spec.inputs, one.made.spec.network.n_out
    most = np.iinfo(inputs.format.dtype)
    for step in range(STEPS):
        sample = dice.choice([most.min, most.max], one.made.spec.sample_elements)
        sample = sample.astype(inputs.format.dtype)
        label, eta = int(dice.integers(n_out)), np.float32(0.5)
        fields = struct.pack("<IBBHf", step, StepFlag.DIGEST, 1, 0, eta)
        body = fields + struct.pack("<H", label) + sample.tobytes()
        reply = one.ask(protocol.STEP, body)
        try:
            twin.step(sample, label, eta)
        except NonFinite:
            assert reply.status == Status.FAULTED
            return
        assert reply.status == Status.OK
        _, tail = protocol.STEP.reply.unpack(reply.payload)  # type: ignore[union-attr]
        assert KEPT.unpack_from(tail)[1] == twin.digest(), step


def attack(one: Firmware, rounds: int) -> None:
    """States of every kind, one after the other."""
    dice, refused = np.random.default_rng(5), 0
    for number in range(rounds):
        one.init()
        twin = Learner(one.made.spec)
        for tensor in one.made.state:
            before, values = one.state(), some(tensor, dice, kept=number % 3 > 0)
            said = set(write(one, tensor, values))
            if within(tensor, values):
                assert said == {Status.OK}
                twin.state[tensor.name][...] = values.astype(tensor.format.dtype)
            elif tensor.words * WORD < one.made.line.max_payload:  # in one frame
                assert said == {Status.BAD_PAYLOAD} and one.state() == before
            else:
                assert Status.BAD_PAYLOAD in said
                one.init(flags=InitFlag.KEEP_STATE)
                write(one, tensor, np.array(twin.state[tensor.name]))
            refused += Status.BAD_PAYLOAD in said
        one.init(flags=InitFlag.KEEP_STATE)
        learn_alike(one, twin, dice)
    assert refused or not any(tensor.held for tensor in one.made.state)


def test_what_learning_keeps_is_learned_from_alike_and_what_it_does_not_is_refused(
    firmware: Firmware,
) -> None:
    attack(firmware, ROUNDS)


def test_every_element_of_a_frame_is_looked_at(firmware: Firmware) -> None:
    """The first, the last, and each side of the limits alone."""
    for tensor in (one for one in firmware.made.state if one.held):
        least, most = tensor.held or (0, 0)
        kept = np.zeros(tensor.size, tensor.format.dtype)
        for place in (0, tensor.size - 1):
            for end, beyond in ((least, least - 1), (most, most + 1)):
                values = kept.copy()
                values[place] = end
                assert set(write(firmware, tensor, values)) == {Status.OK}
                if beyond <= np.iinfo(tensor.format.dtype).max:
                    values[place] = beyond
                    assert Status.BAD_PAYLOAD in write(firmware, tensor, values)


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_checkpoint_that_somebody_has_changed_is_not_gone_on_from(
    made: Made, beyond: int
) -> None:
    """Its CRCs are right: who can write flash can compute them."""
    for tensor in (one for one in made.plan.state if one.held):
        state = Learner(made.plan.spec).snapshot()
        state[tensor.name].flat[-1] = (tensor.held or (0, 0))[0] - beyond
        checkpoints.add(made.plan, made.flash, state, step=9, seed=1, digest=0)
        with initialised(made.path, made.plan, made.flash) as one:
            resume = struct.pack("<IIII", 1, protocol.NEVER, InitFlag.RESUME, 0)
            said = Status.OTHER_CHECKPOINT if beyond else Status.OK
            assert one.ask(protocol.INIT, resume).status == said
            assert one.step(9).status == (Status.NOT_READY if beyond else Status.OK)
            assert one.init().status == Status.OK


@pytest.mark.full
@pytest.mark.parametrize("spec", [pytest.param(s, id=name) for name, s in others()])
def test_every_rule_in_every_format_goes_on_alike(
    host_cc: str, tmp_path: Path, spec: Spec
) -> None:
    made = built(spec, tmp_path)
    with initialised(made.path, made.plan, made.flash) as one:
        attack(one, 3 * ROUNDS)
