"""Plain C of an integer step: the same bits, or no figure."""

from __future__ import annotations

import dataclasses

import pytest

from codegen.building import toolchain
from codegen.planning.plan import plan
from codegen.spec import Inputs, Network, Spec
from codegen.window import Window
from hil.errors import Divergence, UsageError
from hil.experiment import Experiment
from hil.lesson.building import plan_for
from hil.measuring.steps import plain
from hil.measuring.steps.bench import lesson_for
from hil.measuring.steps.reference import twin

WARM = 3
ASKED = Experiment(network=(64, 17, 10), target="mps2-an385", format="i8", steps=1)


def test_plain_c_of_integers_has_their_very_bits(
    qemu_arm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of the state: another learning rate shows in the digest alone."""
    first = plain.settings(0)[:1]
    monkeypatch.setattr(plain, "settings", lambda vlen, thumb: first)
    monkeypatch.setattr(plain, "OF_INTEGERS", ())
    monkeypatch.setattr(plain, "FORMS", {"listed": True})
    lesson = lesson_for(ASKED, WARM)
    compiler, reference = toolchain.find(lesson.target), twin(lesson, WARM)
    (found,) = plain.opponents(lesson, plan_for(lesson), compiler, WARM, reference)
    assert found.counted.digest == reference.digest
    other = dataclasses.replace(reference, digest=reference.digest ^ 1)
    with pytest.raises(
        Divergence, match=r"ends with digest .*: expected the same state"
    ):
        plain._require_the_same_step("listed", found.counted, other, 0.0)


def test_plain_c_of_integers_takes_samples_alone() -> None:
    lesson = lesson_for(ASKED, WARM)
    window = Window(4, 1, (0.0,) * 3, (1.0,) * 3)
    spec = Spec(Network((3, 2)), inputs=Inputs("i16", 1.0, window), format="i16")
    compiler, reference = toolchain.find(lesson.target), twin(lesson, WARM)
    with pytest.raises(UsageError, match="i16 windows of 4x1 in i16 have no plain C"):
        plain.opponents(lesson, plan(spec, lesson.target), compiler, WARM, reference)
