"""Imported models as devices compute them: the generated C against the numpy twin, to
the bit, under address and undefined-behaviour checks."""

from __future__ import annotations

import numpy as np
import pytest

from codegen import kernels
from codegen.errors import ModelError
from codegen.graph import reading
from codegen.graph.description import Graph
from codegen.kernels.imported import IMPORTED
from codegen.lowering import program
from codegen.reference import graph as twin

from .building import Array
from .conftest import graph, places
from .odd import ODD
from .programs import Programs, compiled
from .test_twin import cases, drawn, golden

CASES = 3


def lowered(read: Graph) -> bool:
    """Whether a device computes it."""
    try:
        program(read)
    except ModelError:
        return False
    return True


SMALL = {name: reading.read(data) for name, data in ODD.items()}
COMPUTED = [name for name, read in SMALL.items() if lowered(read)]
WHOLE = [name for name in places() if lowered(graph(name))]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Programs:
    """Everything that a device computes."""
    every = {n: SMALL[n] for n in COMPUTED} | {n: graph(n) for n in WHOLE}
    return compiled(every, tmp_path_factory.mktemp("models"), host_cc)


def require_twin(programs: Programs, name: str, given: list[list[Array]]) -> None:
    """The device gives the bits of the twin."""
    read = programs.plans[name].graph
    for told, inputs in zip(programs.run(name, given), given, strict=True):
        made = twin.run(read, inputs)
        for mine, output in zip(told, read.outputs, strict=True):
            assert mine.tobytes() == made[output.index].tobytes(), output


@pytest.mark.parametrize("name", COMPUTED)
def test_an_operator_by_itself_gives_the_bits_of_the_twin(
    programs: Programs, name: str
) -> None:
    draw = np.random.default_rng(5)
    given = [[drawn(one, draw) for one in SMALL[name].inputs] for _ in range(CASES)]
    require_twin(programs, name, given)


@pytest.mark.parametrize("name", WHOLE)
def test_a_model_gives_the_bits_of_the_twin_and_the_goldens(
    programs: Programs, name: str
) -> None:
    given, found = cases(name), golden(name)
    require_twin(programs, name, given)
    for case, told in enumerate(programs.run(name, given)):
        for place, output in enumerate(graph(name).outputs):
            if output.type != "f32":
                expected = found[f"ref{place}"][case]
                assert told[place].tobytes() == expected.tobytes(), output


def test_every_model_of_the_data_is_computed_but_those_with_an_lstm() -> None:
    assert {*places()} - {*WHOLE} == {"mnist_lstm_float", "mnist_lstm_int8"}


def test_every_kernel_of_imported_models_is_some_models_choice(
    programs: Programs,
) -> None:
    chosen = {row for plan in programs.plans.values() for row in plan.variants}
    assert [r for r in kernels.TABLE if r.kernel in IMPORTED and r not in chosen] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("conv-u8-0-0", "no device computes it of u8 yet: supported is i8, f32"),
        ("MEAN-i8-apart", "MEAN), which gives tensor 2 ('t2'): axes [1, 3]: a device takes axes that"),
    ],
)  # fmt: skip
def test_what_no_device_computes_is_refused_by_its_name(name: str, said: str) -> None:
    with pytest.raises(ModelError) as error:
        program(SMALL[name])
    assert said in str(error.value)
