"""Where activations lie: outputs over inputs that are done with, as far as kernels allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.graph import arena, reading
from codegen.graph.description import Operator
from codegen.lowering import activations, operators, program
from codegen.lowering.folding import folded
from codegen.reference import graph as twin
from hil.models.cases import drawn

from .conftest import graph
from .odd import ODD
from .programs import compiled, this_computer

NAMES = ("conv-i8-0-1", "conv-i8-20", "depthwise-i8-0-1", "ADD-i8-relu6")
"""With dilation and without, whose output is larger than the input and needs it to the
last row; and a sum, which may lie where an input lies."""


@pytest.mark.parametrize(
    ("name", "vlen", "most"),
    [
        ("kws_ref_model", 0, 9 * 1024),
        ("kws_ref_model", 256, 9 * 1024),
        ("pretrainedResnet_quant", 0, 34 * 1024),
        ("pretrainedResnet_quant", 256, 34 * 1024),
        ("vww_96_int8", 0, 38 * 1024),
        ("vww_96_int8", 256, 38 * 1024),
    ],
)
def test_activations_fit_beside_what_is_done_with(
    name: str, vlen: int, most: int
) -> None:
    assert activations(graph(name), vlen) <= most
    assert most < arena.plan(folded(graph(name))).bytes


def _outputs_differ(tmp_path: Path, host_cc: str) -> set[str]:
    """The models whose outputs are not the twin's, of many cases."""
    graphs = {name: reading.read(ODD[name]) for name in NAMES}
    programs = compiled(graphs, tmp_path, this_computer(host_cc))
    wrong = set()
    for name, read in graphs.items():
        draw = np.random.default_rng(7)
        given = [[drawn(one, draw) for one in read.inputs] for _ in range(20)]
        for told, inputs in zip(programs.run(name, given), given, strict=True):
            expected = twin.run(read, inputs)[read.outputs[0].index]
            if told[0].tobytes() != expected.tobytes():
                wrong.add(name)
    return wrong


def test_an_output_over_an_input_is_right_and_further_back_is_not(
    tmp_path: Path, host_cc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the very word that is told; a row nearer, outputs write
    over what windows still have to see."""
    told = operators.leads

    def nearer(by: int) -> None:
        def leads(operator: Operator, vlen: int) -> Mapping[int, int]:
            row = operator.outputs[0].bytes // operator.outputs[0].shape[1]
            return {x: lead - by * row for x, lead in told(operator, vlen).items()}

        monkeypatch.setattr(operators, "leads", leads)

    monkeypatch.setattr(arena, "ALIGNMENT", 4)
    for name in NAMES:
        read = reading.read(ODD[name])
        made = program(read)
        apart = sum(one.nbytes for one in (*made.inputs, *made.outputs))
        assert made.arena < apart + operators.scratch(read.operators[0]), name
    for by, folder in ((0, "told"), (1, "nearer")):
        (tmp_path / folder).mkdir()
        nearer(by)
        wrong = _outputs_differ(tmp_path / folder, host_cc)
        assert wrong == (set() if by == 0 else {*NAMES} - {"ADD-i8-relu6"})


def test_a_tensor_that_others_read_is_not_written_over() -> None:
    """The ADD of a residual reads what convolutions before it have read."""
    model = folded(graph("pretrainedResnet_quant"))
    leads = {one.index: operators.leads(one, 0) for one in model.operators}
    first, last = model.operators[1], model.operators[3]
    kept = last.inputs[0]
    assert kept is not None and kept in first.inputs
    places = arena.plan(model, {}, leads).places
    y, x = first.outputs[0], kept
    apart = abs(places[y.index] - places[x.index])
    assert apart >= (x if places[x.index] < places[y.index] else y).bytes


def test_one_that_reads_twice_is_not_done_with() -> None:
    """A convolution of an image that its own output is added to."""
    model = folded(graph("pretrainedResnet_quant"))
    leads = {1: {model.operators[1].inputs[0].index: 0}}  # type: ignore[union-attr]
    shorter = replace(model, operators=model.operators[:2])
    assert arena.plan(shorter, {}, leads).bytes < arena.plan(model, {}, leads).bytes
