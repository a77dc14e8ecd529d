"""hil infer: cases over the line through a device, and what does not fit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.errors import OverBudget
from codegen.graph import reading
from codegen.planning.imported import graph_plan
from hil.cli import main
from hil.desk.attach import attach, greet
from hil.device.device import Device
from hil.errors import Refused
from hil.experiment import Experiment
from hil.inferring import image, running
from hil.models import check
from targets import load

from .building import Array, Given, Oracle, model
from .conftest import PLACE, graph, places
from .hybrids import HYBRIDS
from .lanes import two_sums
from .odd import dense, depthwise
from .usual import remembering

SMALL, LARGER = "hello_world_int8", "kws_ref_model"


def command(name: str, inputs: Path, *more: str) -> int:
    model = ("--model", str(places()[name]), "--inputs", str(inputs))
    return main(["infer", *model, "--target", "host", *more])


def goldens(name: str) -> Path:
    return PLACE / "golden" / f"{name}.npz"


def few(name: str, tmp_path: Path, count: int = 2) -> Path:
    """Some of a model's cases."""
    path = tmp_path / "few.npz"
    with np.load(goldens(name)) as found:
        np.savez(path, **{key: found[key][:count] for key in ("in0", "ref0")})
    return path


def test_limits_are_those_of_a_guest_whose_instructions_are_counted() -> None:
    plain, counted = (
        image.prepare(
            Experiment(target="qemu-rv32imac", icount=icount), str(places()[SMALL])
        )
        for icount in (False, True)
    )
    assert counted.target == plain.target.counted()


def test_every_case_goes_through_the_device_and_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Inputs that need several frames, and a plan whose bytes the linker has counted."""
    told = tmp_path / "told.npz"
    inputs = few(LARGER, tmp_path)
    assert command(LARGER, inputs, "--outputs", str(told), "--json", "-") == 0
    seen = capsys.readouterr()
    assert "PASS: 2 of 2 cases bit-exact" in seen.err
    document = json.loads(seen.out)["infer"]
    assert document["cases"] == document["equal"] == 2
    assert document["others"]["outputs"][0]["equal"] == 2
    with np.load(told) as made, np.load(inputs) as found:
        assert np.array_equal(made["out0"], found["ref0"])


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("mps2-an386", LARGER),  # whose clock ticks meanwhile
        ("microbit", "str_ww_ref_model"),  # which neither multiplies far nor divides
        ("qemu-rv64gc", "gesture_model_8"),
    ],
)
def test_other_machines_give_the_same_bits(
    target: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    narrow = ("--target", target, "--window", "1")
    assert command(name, few(name, tmp_path), *narrow) == 0
    assert "PASS: 2 of 2 cases bit-exact" in capsys.readouterr().out


def odd(data: bytes, folder: Path, target: str, *more: str, **cases: Array) -> int:
    """A model that is in no file yet, with its cases."""
    path, inputs = folder / "odd.tflite", folder / "odd.npz"
    path.write_bytes(data)
    np.savez(inputs, **cases)
    given = ("--model", str(path), "--inputs", str(inputs), "--target", target)
    return main(["infer", *given, *more])


def test_a_core_that_does_not_divide_takes_places_three_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A compiler that makes a division of a loop calls a function that is not there."""
    data = depthwise("i8", 0, DilationHFactor=2, DilationWFactor=3)
    given = np.arange(-90, 99, dtype=np.int8).reshape(1, 1, 9, 7, 3)
    assert odd(data, tmp_path, "microbit", in0=given) == 0
    assert "PASS: 1 of 1 cases bit-exact" in capsys.readouterr().out


def test_sums_of_48_bits_are_those_of_a_core_that_multiplies_32(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And shifts them by no variable without a function that is not there; also where the
    high half of a product is enough."""
    given = np.random.default_rng(1).integers(-32768, 32768, (2, 1, 600), np.int16)
    assert odd(two_sums(), tmp_path, "microbit", in0=given) == 0
    assert "PASS: 2 of 2 cases bit-exact" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("mps2-an386", "hybrid-conv"),
        *(
            pytest.param(target, name, marks=pytest.mark.full)
            for target, name in (
                ("mps2-an386", "hybrid-depthwise"),
                ("mps2-an386", "hybrid-dense"),
                *(("qemu-rv64gcv", name) for name in HYBRIDS),
            )
        ),
    ],
)
def test_inputs_become_integers_on_a_core_without_binary64(
    target: str, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And on one with vectors; of ranges from the least numbers to large ones."""
    data, draw = HYBRIDS[name], np.random.default_rng(1)
    (x,) = reading.read(data).inputs
    sizes = np.float32(10) ** np.arange(-42, 30, 9, dtype=np.float32)
    given = np.stack([draw.normal(0, 1, x.shape) * size for size in sizes])
    assert odd(data, tmp_path, target, in0=given.astype(np.float32)) == 0
    assert "PASS: 8 of 8 cases bit-exact" in capsys.readouterr().out


def test_numbers_without_a_sign_go_in_and_come_out_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = np.random.default_rng(1).integers(0, 256, (2, 2, 33), np.uint8)
    assert odd(dense("u8"), tmp_path, "host", in0=given) == 0
    assert "PASS: 2 of 2 cases bit-exact" in capsys.readouterr().out


def test_zeros_of_both_signs_are_pooled_as_the_device_pools_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = Given((1, 1, 2, 1), "f32"), Given((1, 1, 1, 1), "f32")
    window = {"FilterHeight": 1, "FilterWidth": 2, "StrideH": 1, "StrideW": 1}
    data = model("MAX_POOL_2D", 2, (x,), y, "Pool2DOptions", window | {"Padding": 1})
    zeros = np.array([[0.0, -0.0], [-0.0, 0.0]], np.float32).reshape(2, 1, 1, 2, 1)
    assert odd(data, tmp_path, "host", in0=zeros) == 0
    assert "PASS: 2 of 2 cases bit-exact" in capsys.readouterr().out


def test_one_nan_equals_another_and_no_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A core chooses the bits of the NaN that it makes, and its sign."""
    one = Given((1, 2), "f32")
    data = model("SUB", 1, (one, one), one, "SubOptions", {})
    inf = np.array([[[np.inf, 1]]], np.float32)
    assert odd(data, tmp_path, "host", in0=inf, in1=inf) == 0
    assert "PASS: 1 of 1 cases bit-exact" in capsys.readouterr().out
    nan, number = (np.array([k], np.float32) for k in (np.nan, 1))
    assert running.Inferred((nan,), (-nan,), 0).equal
    assert not running.Inferred((nan,), (number,), 0).equal


@pytest.mark.parametrize("vlen", ["128", "1024"])
@pytest.mark.parametrize(
    "name",
    [
        LARGER,
        "micro_speech_quantized",
        "pretrainedResnet_quant",
    ],  # 64, 8 x 1, 3 channels
)
def test_vectors_of_any_length_give_the_same_bits(
    name: str, vlen: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = ("--target", "qemu-rv64gcv", "--vlen", vlen)
    assert command(name, few(name, tmp_path, 1), *machine) == 0
    assert "PASS: 1 of 1 cases bit-exact" in capsys.readouterr().out


def test_a_faulty_line_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is lost is sent again, and an inference that is asked for twice is done once:
    it has written over its inputs."""
    faults = ("--faults", "drop=0.05,duplicate=0.3,reorder=0.1,seed=3")
    assert command(SMALL, few(SMALL, tmp_path, 12), *faults) == 0
    assert "PASS: 12 of 12 cases bit-exact" in capsys.readouterr().out


def test_a_difference_is_told_with_its_place_and_both_values(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The twin is made another model's: what the device gave is written all the same."""
    honest = check.outputs

    def wrong(*given: object) -> list[np.ndarray]:
        (made,) = honest(*given)  # type: ignore[arg-type]
        made = made.copy()
        made.flat[3] ^= 1
        return [made]

    monkeypatch.setattr(running.check, "outputs", wrong)
    told = tmp_path / "told.npz"
    assert command(LARGER, few(LARGER, tmp_path), "--outputs", str(told)) == 1
    seen = capsys.readouterr()
    assert (
        "differ first in case 0, output 0, element 3: the device has 99, numpy 98"
        in seen.err
    )
    assert "FAIL: 0 of 2 cases bit-exact" in seen.out
    assert told.is_file()


def test_another_interpreters_output_that_differs_is_no_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = few(SMALL, tmp_path)
    with np.load(inputs) as found:
        arrays = dict(found)
    arrays["ref0"][1] ^= 64
    np.savez(inputs, **arrays)
    assert command(SMALL, inputs) == 1
    seen = capsys.readouterr()
    assert "FAIL: 2 of 2 cases bit-exact, 1 of them equal ref0" in seen.out
    assert "PASS" not in seen.out


def test_cases_whose_axes_are_in_another_order_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "turned.npz"
    np.savez(path, in0=np.zeros((2, 1, 10, 49, 1), np.int8))
    assert command(LARGER, path) == 2
    told = capsys.readouterr().err
    assert "array 'in0' is int8 [2, 1, 10, 49, 1]: expected" in told
    assert "int8 [cases, 1, 49, 10, 1]" in told


def test_a_write_to_an_output_is_refused_and_changes_nothing() -> None:
    model = image.prepare(Experiment(target="host"), str(places()[SMALL]))
    built = image.build(image.plan_for(model), model)
    (output,) = built.plan.outputs
    with attach(model, built.image.path, ready=lambda _: None) as attached:
        device = Device(attached.channel, built.plan, model.target.limits)
        greet(device, model, built)
        device.init(0)
        before = device.read(output)
        with pytest.raises(Refused, match="WRITE"):
            device.write(output, before + 1)
        assert device.read(output) == before
        device.leave()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "vww_96_int8",
            "needs at least 50,896 bytes of RAM, 256 of them for its stack",
        ),
        (
            "ad01_int8",
            "270,930 bytes for its constants, but target microbit has 262,144",
        ),
    ],
)
def test_a_model_that_is_too_large_is_refused_before_it_is_built(
    name: str, said: str
) -> None:
    with pytest.raises(OverBudget) as error:
        graph_plan(name, graph(name), load("microbit"))
    assert f"model {name!r} needs" in str(error.value) and said in str(error.value)


def test_cases_that_do_not_fit_are_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "wrong.npz"
    np.savez(path, in0=np.zeros((2, 3), np.int8))
    assert command(SMALL, path) == 2
    assert "array 'in0' is int8 [2, 3]" in capsys.readouterr().err.splitlines()[0]


def test_the_plan_names_what_the_link_can_write_and_read() -> None:
    plan = graph_plan(SMALL, graph(SMALL), load("host"))
    named = [(one.name, one.index, one.shape) for one in plan.tensors]
    assert named == [("in0", 0, (1,)), ("out0", 1, (1,))]
    assert replace(plan, budget=5).subject == f"model {SMALL!r}"


@pytest.mark.parametrize(
    "target", ["host", pytest.param("microbit", marks=pytest.mark.full)]
)
def test_what_a_model_has_seen_goes_on_in_a_stream_alone(
    target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The interpreter's variables go on too, or begin anew."""
    data = remembering("i8")
    given = np.random.default_rng(1).integers(-128, 128, (6, 2, 9)).astype(np.int8)
    for more, anew in ((), True), (("--stream",), False):
        oracle, told = Oracle(data), []
        for case in given:
            oracle.run([case], anew=anew)
            told.append(oracle.tensor(5).copy())
        asked = {"in0": given, "ref0": np.stack(told)}
        assert odd(data, tmp_path, target, *more, **asked) == 0
        seen = capsys.readouterr().out
        assert "equal    't5' i8 [2, 3]: 6 of 6 cases equal ref0 to the bit" in seen
        assert "PASS: 6 of 6 cases bit-exact" in seen
    assert len({one.tobytes() for one in told}) == 6
