"""Imported models as devices compute them: the generated C against the numpy twin, to
the bit, under address and undefined-behaviour checks."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import targets
from codegen import kernels
from codegen.errors import ModelError
from codegen.graph import reading, support
from codegen.graph.description import Graph, Operator, Tensor
from codegen.kernels.imported import IMPORTED
from codegen.lowering import program
from codegen.lowering.folding import folded
from codegen.planning.imported import graph_plan
from codegen.reference import graph as twin
from hil.models.cases import drawn
from tests.kernels.test_vector_kernels import AGNOSTIC

from .building import Array
from .conftest import graph, places
from .every import ODD
from .programs import (
    Programs,
    compiled,
    of_32_bits,
    this_computer,
    with_dsp,
    with_vectors,
)
from .test_twin import cases, golden

CASES = 3
MODEL = "kws_ref_model"
LARGER = ("ad01_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")


def lowered(read: Graph) -> bool:
    """Whether a device computes it."""
    try:
        program(read)
    except ModelError:
        return False
    return True


SMALL = {name: reading.read(data) for name, data in ODD.items()}
MOVED = (
    "MAX", "MIN", "SUB", "pack", "expand", "slice", "PAD", "TRANSPOSE", "RELU6", "concatenation",
    "squeeze", "SPLIT", "UNPACK", "GATHER", "REDUCE", "transposed", "HARD", "REVERSE", "BROADCAST",
    "PADV2", "RELU_N1", "GELU", "MEAN",
)  # fmt: skip
"""Whose numbers without a sign have the kernels of those with one, and those of 16 bits the
text of their kernels: a compiler need not look at each."""


def seen_elsewhere(name: str) -> bool:
    """Whether a model has nothing that the one of i8 has not."""
    again = name.startswith(
        ("slice-i16", "expand-i16", "squeeze-i16", "RELU6-i16", "REVERSE_V2-i16", "PADV2-i16")
    )  # fmt: skip
    return again or ("-u8" in name and name.startswith(MOVED))


COMPUTED = [
    name for name, read in SMALL.items() if lowered(read) and not seen_elsewhere(name)
]
VECTORS = [
    name
    for name in COMPUTED
    if name.startswith(
        (
            "conv-i8",
            "conv-u8",
            "conv-i16",
            "depthwise-i8",
            "depthwise-u8",
            "depthwise-i16",
            "dense-i8",
            "dense-u8",
            "dense-i16",
            "dense-relu6",
            "conv-f32",
            "depthwise-f32",
            "dense-f32",
            "hybrid-conv",
            "hybrid-dense",
            "AVERAGE-f32",
            "MAX-f32",
            "ADD-f32",
            "SUB-f32-0",
            "MUL-f32",
            "RELU6-f32",
            "AVERAGE-i8",
            "ADD-i8",
            "SUB-i8",
        )
    )
]
DSP = [name for name in VECTORS if name.startswith(("conv", "depthwise", "dense"))]
"""What has kernels of its own on Cortex-M."""
NARROW = [name for name in DSP if "-f32" not in name]
"""The same on any core of 32 bits."""
ODDEST = (0.0, -0.0, 1e-40, -1e-40, 3e38, -3e38, np.inf, -np.inf, np.nan)
OF_SAMPLES = {"i16_ranked"}
"""What only samples of 16 bits before a front need."""
WHOLE = [name for name in places() if lowered(graph(name))]


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Programs:
    """Everything that a device computes."""
    every = {n: SMALL[n] for n in COMPUTED} | {n: graph(n) for n in WHOLE}
    folder = tmp_path_factory.mktemp("models")
    return compiled(every, folder, this_computer(host_cc))


@pytest.fixture(scope="session")
def vectors(tmp_path_factory: pytest.TempPathFactory, qemu_user: str) -> Programs:
    """What has kernels of vectors."""
    every = {name: SMALL[name] for name in VECTORS} | {MODEL: graph(MODEL)}
    made = compiled(every, tmp_path_factory.mktemp("vectors"), with_vectors())
    return replace(made, runner=(qemu_user,))


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory, host_cc: str) -> Programs:
    """What is planned for 32 bits."""
    folder = tmp_path_factory.mktemp("narrow")
    return compiled({n: SMALL[n] for n in NARROW}, folder, of_32_bits(host_cc))


@pytest.fixture(scope="session")
def dsp(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The same with DSP instructions."""
    runner = shutil.which("qemu-arm")
    assert runner is not None, "no qemu-arm: .ci/apt.sh installs it"
    every = {name: SMALL[name] for name in DSP} | {MODEL: graph(MODEL)}
    made = compiled(every, tmp_path_factory.mktemp("dsp"), with_dsp())
    return replace(made, runner=(runner,))


def with_registers(vectors: Programs, vlen: int) -> Programs:
    """On a machine with registers of so many bits, which overwrites what no kernel claims
    to keep."""
    cpu = f"rv64,v=true,vext_spec=v1.0,vlen={vlen},{AGNOSTIC}"
    return replace(vectors, runner=(*vectors.runner, "-cpu", cpu))


@pytest.mark.parametrize("vlen", [128, 1024])
def test_a_whole_model_on_vectors_of_any_length_gives_the_bits_of_the_twin(
    vectors: Programs, vlen: int
) -> None:
    """Whose outputs lie over inputs."""
    require_twin(with_registers(vectors, vlen), MODEL, cases(MODEL)[:1])


def wide(name: str) -> bool:
    """Whether weights have a zero point, or numbers 16 bits."""
    return "-u8" in name or "-i16" in name


def registers() -> Iterator[object]:
    """Names, and bits of a register: of wider products and of float32 each name with one, and with
    the other every night."""
    for number, name in enumerate(VECTORS):
        for vlen in (128, 1024):
            once = wide(name) or SMALL[name].inputs[0].type == "f32"
            later = once and (number % 2 == 0) == (vlen == 128)
            yield pytest.param(name, vlen, marks=[pytest.mark.full] if later else [])


@pytest.mark.parametrize(("name", "vlen"), [*registers()])
def test_vectors_of_any_length_give_the_bits_of_the_twin(
    vectors: Programs, name: str, vlen: int
) -> None:
    """Half of the cases are for a machine that takes fewer numbers at a time than fit."""
    given = many(name)
    machine = with_registers(vectors, vlen)
    require_twin(machine, name, given[::2])
    require_twin(replace(machine, halves=True), name, given[1::2])


def many(name: str) -> list[list[Array]]:
    """So many cases that negative sums halfway between two outputs are among them, where
    these are rounded in a way of their own; of float32 fewer, with numbers that are like
    no others."""
    draw = np.random.default_rng(6)
    inputs = SMALL[name].inputs
    count = 6 if inputs[0].type == "f32" else 50 if wide(name) else 200
    return [[hostile(one, draw) for one in inputs] for _ in range(count)]


def hostile(tensor: Tensor, draw: np.random.Generator) -> Array:
    """A few of its floats are zeros of either sign, tiny, huge, or none."""
    found = drawn(tensor, draw)
    if found.dtype.kind == "f":
        at = draw.random(found.shape) < 0.03
        found[at] = draw.choice(np.array(ODDEST, np.float32), at.sum())
    return found


def raw(values: Array) -> bytes:
    """The bits, with one NaN for all: compilers choose the sign of those they make."""
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), np.float32(np.nan), values)
    return values.tobytes()


def require_twin(programs: Programs, name: str, given: list[list[Array]]) -> None:
    """The device gives the bits of the twin."""
    read = programs.plans[name].graph
    for told, inputs in zip(programs.run(name, given), given, strict=True):
        made = twin.run(read, inputs)
        for mine, output in zip(told, read.outputs, strict=True):
            assert raw(mine) == raw(made[output.index]), output


@pytest.mark.parametrize("name", NARROW)
def test_a_core_of_32_bits_gives_the_bits_of_the_twin(
    narrow: Programs, name: str
) -> None:
    require_twin(narrow, name, many(name))


@pytest.mark.full
def test_dsp_instructions_come_without_those_that_lose_tiny_numbers() -> None:
    """A compiler clamps several floats at once by NEON, and -1e-40 is not below 0 then."""
    asked = [*with_dsp().compile, "-dM", "-E", "-xc", "/dev/null"]
    told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert "__ARM_NEON" not in told
    assert "__ARM_FEATURE_SIMD32 1" in told and "__ARM_FEATURE_FMA 1" in told


@pytest.mark.full
@pytest.mark.parametrize("name", [*DSP, MODEL])
def test_dsp_instructions_give_the_bits_of_the_twin(dsp: Programs, name: str) -> None:
    require_twin(dsp, name, cases(name) if name == MODEL else many(name))


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


def test_what_computes_a_shape_of_the_file_costs_nothing() -> None:
    """As Keras writes a Reshape whose batch is open: of SHAPE the first, PACK, RESHAPE."""

    def whole(index: int, shape: tuple[int, ...], *values: int) -> Tensor:
        data = memoryview(np.array(values, np.int32).tobytes()) if values else None
        return Tensor(index, f"t{index}", shape, "i32", data=data)

    x, y = (Tensor(k, "xy"[k], ((1, 6), (1, 3, 2))[k], "f32") for k in (0, 1))
    sizes, batch, asked = whole(2, (2,)), whole(3, ()), whole(4, (3,))
    begin, end = whole(5, (1,), 0), whole(6, (1,), 1)
    three, two = whole(7, (), 3), whole(8, (), 2)
    masks = dict.fromkeys(("begin", "end", "ellipsis", "new_axis", "shrink"), 0)
    slice = {f"{name}_mask": n for name, n in (masks | {"shrink": 1}).items()}
    operators = (
        Operator(0, "SHAPE", 1, (x,), (sizes,)),
        Operator(
            1,
            "STRIDED_SLICE",
            1,
            (sizes, begin, end, end),
            (batch,),
            (),
            slice | {"offset": False},
        ),
        Operator(
            2, "PACK", 1, (batch, three, two), (asked,), (), {"count": 3, "axis": 0}
        ),
        Operator(3, "RESHAPE", 1, (x, asked), (y,), (), {"shape": ()}),
    )
    tensors = (x, y, sizes, batch, asked, begin, end, three, two)
    read = Graph(0, tensors, operators, (x,), (y,))
    assert support.problems(read) == []
    given = np.arange(6, dtype=np.float32).reshape(1, 6)
    made = twin.run(read, [given])
    assert made[4].tolist() == [1, 3, 2]
    assert made[1].tolist() == given.reshape(1, 3, 2).tolist()
    assert [*program(read).ops()] == []
    assert program(read).arena == 32


def test_a_constant_everywhere_lies_in_the_image() -> None:
    """As Keras writes the state of an unrolled LSTM: its sizes are computed."""
    seven = memoryview(np.array([7], np.float32).tobytes())
    x, y = (Tensor(k, "xy"[k], (1, 2), "f32") for k in (0, 1))
    sizes, held = Tensor(2, "sizes", (2,), "i32"), Tensor(3, "held", (1, 2), "f32")
    value = Tensor(4, "value", (), "f32", data=seven)
    operators = (
        Operator(0, "SHAPE", 1, (x,), (sizes,)),
        Operator(1, "FILL", 1, (sizes, value), (held,)),
        Operator(2, "ADD", 1, (x, held), (y,), (), {"activation": 0}),
    )
    read = Graph(0, (x, y, sizes, held, value), operators, (x,), (y,))
    assert support.problems(read) == []
    made = twin.run(read, [np.ones((1, 2), np.float32)])
    assert made[1].tolist() == [[8, 8]]
    (constant,) = program(read).constants
    assert (len([*program(read).ops()]), [*constant.values()]) == (1, [7, 7])


def test_a_constant_in_another_shape_is_the_same_constant() -> None:
    """Also where it is reshaped twice."""
    data = memoryview(np.array([5, 6], np.float32).tobytes())
    x, y = (Tensor(k, "xy"[k], (1, 2), "f32") for k in (0, 1))
    told = Tensor(2, "told", (2,), "f32", data=data)
    once, twice = Tensor(3, "once", (2, 1), "f32"), Tensor(4, "twice", (1, 2), "f32")
    operators = (
        Operator(0, "RESHAPE", 1, (told,), (once,), (), {"shape": (2, 1)}),
        Operator(1, "RESHAPE", 1, (once,), (twice,), (), {"shape": (1, 2)}),
        Operator(2, "ADD", 1, (x, twice), (y,), (), {"activation": 0}),
    )
    read = Graph(0, (x, y, told, once, twice), operators, (x,), (y,))
    assert support.problems(read) == []
    (add,) = folded(read).operators
    assert (add.index, add.kind) == (0, "ADD")
    assert add.inputs[1] == replace(twice, data=data)
    assert len(program(read).constants) == 1


def test_every_model_of_the_data_is_computed() -> None:
    assert {*places()} == {*WHOLE}


def test_every_kernel_of_imported_models_is_some_models_choice(
    programs: Programs, narrow: Programs
) -> None:
    machine = targets.load("qemu-rv64gcv")
    larger = {name: graph(name) for name in LARGER} | {n: SMALL[n] for n in VECTORS}
    vectors = (graph_plan(name, read, machine) for name, read in larger.items())
    plans = (*programs.plans.values(), *narrow.plans.values(), *vectors)
    chosen = {row for plan in plans for row in plan.variants}
    asked = (row for row in kernels.TABLE if row.kernel in IMPORTED)
    left = [row for row in asked if row not in chosen]
    assert {row.kernel.name for row in left} == OF_SAMPLES


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shape", "which gives tensor 1 ('t1'): no device computes it yet: supported are ABS, ADD,"),
    ],
)  # fmt: skip
def test_what_no_device_computes_is_refused_by_its_name(name: str, said: str) -> None:
    with pytest.raises(ModelError) as error:
        program(SMALL[name])
    assert said in str(error.value)
