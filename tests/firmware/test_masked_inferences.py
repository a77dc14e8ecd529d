"""An inference of an imported model is counted alone, whatever the line brings meanwhile."""

from __future__ import annotations

import pytest

from hil.experiment import Experiment
from hil.inferring import image
from hil.inferring.running import computing
from tests.graph.conftest import places
from tests.graph.test_twin import cases

MODEL, TARGET = "ad01_int8", "qemu-rv64gc"
NOTHING = b"\0" * 600
"""Delimiters with no frame between them: they interrupt, and ask for nothing."""
OFTEN = 48
"""QEMU hands bytes over when it comes to it: without masking some of so many inferences
are interrupted, at least."""


def test_an_inference_costs_the_same_on_a_busy_line(
    qemu64: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Experiment(target=TARGET, icount=True)
    model = image.prepare(asked, str(places()[MODEL]))
    built, inputs = image.build(image.plan_for(model), model), cases(MODEL)[0]
    with computing(model, built) as device:
        alone = device.case(inputs).instructions
        line = device.attached.channel
        send = line.send
        monkeypatch.setattr(line, "send", lambda data: send(data + NOTHING))
        assert {device.case(inputs).instructions for _ in range(OFTEN)} == {alone}
