"""Learning behind a frozen front: an imported model up to one of its tensors, on devices,
and every step compared."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hil
from codegen.errors import ModelError, SpecError
from codegen.fronts import imported
from codegen.frozen import Frozen
from codegen.graph import cutting
from codegen.graph.description import Graph
from codegen.reference import Learner
from codegen.reference.fronts import imported as twin
from codegen.rendering.render import render_network
from codegen.scaler import Scaler
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil.data import datasets
from hil.errors import DataError, UsageError
from hil.lesson import model_head
from hil.lesson.building import plan_for
from hil.lesson.preparing import prepare
from hil.records.record import EXPERIMENT, FRONT, RunRecord

from .building import Oracle
from .conftest import graph, places
from .odd import dense
from .usual import remembering

DENSE, FLOAT = "ptq_mnist_lenet-300-100", "simple_mnist"
"""A front of 8 bits behind a model of floats, and one of floats."""
SHORT = {"steps": 12, "test": 4, "seed": 3}


def bytes_of(name: str) -> bytes:
    return places()[name].read_bytes()


def learned(name: str, out: Path, target: str = "host", **keys: Any) -> RunRecord:
    """A short run behind a model's front, on the first digits."""
    front = str(places()[name])
    asked = {"front": front, "data": "mnist", "network": "-16-10", **SHORT, **keys}
    return hil.run(hil.Experiment(target=target, **asked), out=str(out))


# where a model is cut


def test_the_last_cut_is_what_the_last_dense_layer_takes() -> None:
    for name in ("pretrainedResnet_quant", "kws_ref_model", FLOAT):
        dense = graph(name).operators[-2]
        assert dense.kind == "FULLY_CONNECTED"
        assert cutting.tensor(graph(name), "-1") == dense.inputs[0]


def test_a_model_without_a_last_dense_layer_wants_a_tensor() -> None:
    with pytest.raises(ModelError, match="does not end with a dense layer"):
        cutting.tensor(Graph(0, (), (), (), ()), "-1")


def test_a_tensor_is_named_by_its_name_or_its_number() -> None:
    read = graph(FLOAT)
    last = read.operators[0].outputs[0]
    assert cutting.tensor(read, last.name) == cutting.tensor(read, str(last.index))
    with pytest.raises(ModelError, match="no tensor 'nowhere'"):
        cutting.tensor(read, "nowhere")


def test_a_cut_leaves_what_is_not_needed_and_what_only_quantises() -> None:
    front = Frozen(bytes_of(DENSE))
    assert [one.kind for one in front.graph.operators] == [
        "RESHAPE",
        "FULLY_CONNECTED",
        "FULLY_CONNECTED",
    ]
    assert (front.given.type, front.elements, front.features) == ("i8", 784, 100)
    assert front.integer


def test_what_nothing_computes_is_no_front() -> None:
    given = graph(FLOAT).inputs[0]
    with pytest.raises(ModelError, match="is not computed"):
        Frozen(bytes_of(FLOAT), str(given.index))


def test_a_network_must_be_as_wide_as_its_front() -> None:
    inputs = Inputs("u8", 255.0, frozen=Frozen(bytes_of(DENSE)))
    with pytest.raises(SpecError, match="takes 99 inputs, but its front gives 100"):
        Spec(Network((99, 10)), RuleChoice(), inputs)


# what comes of a sample


@pytest.mark.parametrize("name", [DENSE, "pretrainedResnet_quant"])
def test_features_are_those_of_tensorflow_lite(name: str) -> None:
    """The interpreter computes the whole model, and nothing here is asked where a model
    begins or ends."""
    model, whole = bytes_of(name), graph(name)
    front = Frozen(model)
    scale = 255.0 if whole.inputs[0].type == "f32" else 1.0
    inputs, oracle = Inputs("u8", scale, frozen=front), Oracle(model)
    for seed in range(2):
        sample = np.random.default_rng(seed).integers(0, 256, front.elements, np.uint8)
        given = sample.reshape(whole.inputs[0].shape)
        if scale == 1.0:
            given = (given.astype(np.int16) - 128).astype(np.int8)
        else:
            given = given.astype(np.float32) / np.float32(255)
        oracle.run([given])
        told = oracle.tensor(front.told.index).ravel()
        assert told.tobytes() == twin.features(inputs, sample).tobytes()


@pytest.mark.parametrize("name", [DENSE, "vww_96_int8"])
def test_what_is_remembered_of_samples_has_an_end(name: str) -> None:
    """Images are larger than digits, so fewer are."""
    front = Frozen(bytes_of(name))
    each = front.elements + front.features
    kept = twin.remembered(Inputs("u8", 1.0, frozen=front))
    assert 1 < kept * each <= 64 << 20


@pytest.mark.parametrize("kind", ["u8", "i16"])
def test_numbers_without_a_sign_and_of_16_bits_come_in_and_go_out(kind: str) -> None:
    model = dense(kind, shape=(1, 64, 12))
    front = Frozen(model, "t3")
    inputs, oracle = Inputs("u8", 16.0, frozen=front), Oracle(model)
    sample = np.random.default_rng(4).integers(0, 17, 64, np.uint8)
    given = twin.given(inputs, sample)
    assert len(np.unique(given)) > 4
    oracle.run([given])
    told = oracle.tensor(front.told.index).ravel()
    assert told.tobytes() == twin.features(inputs, sample).tobytes()
    assert front.feature_type == {"u8": "i8", "i16": "i16"}[kind]
    wide = Spec(Network((12, 10)), RuleChoice("bp"), inputs, format="i8")
    assert wide.inputs.floatless == (kind == "u8")


@pytest.mark.parametrize(
    "kind", ["i16", pytest.param("u8", marks=pytest.mark.full)]
)  # fmt: skip
def test_a_device_learns_behind_them(kind: str, tmp_path: Path) -> None:
    """Each step in lockstep, from samples and from kept features."""
    path = tmp_path / "front.tflite"
    scales = (0.004, 0.007, 0.02) if kind == "u8" else (0.0001, 0.007, 0.0005)
    path.write_bytes(dense(kind, scales, shape=(1, 64, 12)))
    keys = {"network": "-10", "rehearsal": 8, "rehearse": 1, "data": "digits", **SHORT}
    asked = hil.Experiment(target="host", front=str(path), cut="t3", **keys)
    assert hil.run(asked, out=str(tmp_path / "run")).result == "pass"


def test_a_front_that_remembers_samples_is_refused() -> None:
    with pytest.raises(
        SpecError, match=r"keeps tensor 4 .* from one sample to the next"
    ):
        Frozen(remembering("i8"), "t5")


# learning


def test_a_run_is_done_again_by_the_model_in_its_folder(tmp_path: Path) -> None:
    record = learned(DENSE, tmp_path)
    assert record.result == "pass"
    assert (record.folder / FRONT).read_bytes() == bytes_of(DENSE)
    assert str(record.folder / FRONT) in (record.folder / EXPERIMENT).read_text()
    assert main("replay", str(record.folder)) == 0


def test_a_front_of_floats_learns_to_the_bit(tmp_path: Path) -> None:
    """Nothing in the arena is read before it is written."""
    assert learned(FLOAT, tmp_path, debug=True).result == "pass"


def test_integers_come_to_the_network_without_a_float(tmp_path: Path) -> None:
    assert learned(DENSE, tmp_path, format="i8").result == "pass"


def test_integers_refuse_a_front_of_floats(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="behind a front in i8: no float"):
        learned(FLOAT, tmp_path, format="i8")


@pytest.mark.parametrize(
    ("target", "keys"),
    [
        ("qemu-rv64gcv", {"vlen": 128}),
        pytest.param("qemu-rv64gcv", {"vlen": 256}, marks=pytest.mark.full),
        pytest.param("qemu-rv64gcv", {"vlen": 1024}, marks=pytest.mark.full),
        pytest.param("mps2-an386", {}, marks=pytest.mark.full),
        pytest.param("qemu-rv64gcv", {"scaler": "standard"}, marks=pytest.mark.full),
        pytest.param("mps2-an386", {"format": "i16"}, marks=pytest.mark.full),
    ],
)
def test_machines_learn_behind_a_front_to_the_bit(
    tmp_path: Path, target: str, keys: dict[str, Any]
) -> None:
    assert learned(DENSE, tmp_path, target, **keys).result == "pass"


def test_a_front_that_computes_something_else_does_not_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that is off by one for one value of a sample, of which digits have many."""
    usual = imported._quantised
    monkeypatch.setattr(
        imported, "_quantised", lambda inputs, v: usual(inputs, v) + (v == 0)
    )
    record = learned(DENSE, tmp_path)
    assert (record.result, record.exit_code) == ("fail", 1)


def test_features_are_kept_and_learned_from_again(tmp_path: Path) -> None:
    """The reference computes them of the sample each time."""
    record = learned(DENSE, tmp_path, rehearsal=3, rehearse=2)
    assert record.result == "pass"
    assert record.experiment["rehearse_what"] == "features"


@pytest.mark.full
@pytest.mark.parametrize("target", ["host", "qemu-rv64gcv", "mps2-an386"])
@pytest.mark.parametrize("name", [DENSE, FLOAT])
def test_features_or_samples_that_are_kept_teach_the_same(
    tmp_path: Path, target: str, name: str
) -> None:
    keys = {"rehearsal": 3, "rehearse": 2, "steps": 30}
    digests = {
        learned(name, tmp_path, target, rehearse_what=what, **keys).digest
        for what in ("features", "samples")
    }
    assert len(digests) == 1


def test_features_are_scaled_by_those_of_the_first_task(tmp_path: Path) -> None:
    """What comes later nobody knows yet. The device scales what it keeps, too."""
    read = datasets.load("mnist")
    x, y = read.train_x[:40], read.train_y[:40].astype(np.int64)
    path = tmp_path / "stream.npz"
    stream = {"task_names": ["first", "second"], "task_ends": [30, 40]}
    np.savez(
        path, x=x, y=y, x_test=x[:4], y_test=y[:4], scale=np.float32(255),
        task_tests=[[0, 2], [2, 4]], **stream,
    )  # fmt: skip
    keys = {"data": str(path), "scaler": "standard", "rehearsal": 3, "rehearse": 1}
    record = learned(DENSE, tmp_path, **keys, steps=None, test=None)
    assert (record.result, record.compared) == ("pass", 80)
    inputs = prepare(hil.Experiment(**record.experiment)).dataset.inputs
    found = twin.network_input(inputs, x[:30])
    raw = twin.features(inputs, x[:30]).astype(float)
    moves = raw.std(axis=0) > 0
    expected = (raw - raw.mean(axis=0))[:, moves] / raw.std(axis=0)[moves]
    np.testing.assert_allclose(found[:, moves], expected, atol=1e-4)
    assert np.abs(found[:, ~moves]).max(initial=0) < 1e-6


def test_a_scaler_of_other_features_is_refused() -> None:
    with pytest.raises(SpecError, match="a front of 100 features, but its scaler has"):
        Frozen(bytes_of(DENSE), scaled=Scaler((0.0,), (1.0,)))


def test_the_models_own_head_takes_features_as_they_are() -> None:
    keys = {"front": "m.tflite", "init": "model", "scaler": "standard"}
    with pytest.raises(UsageError, match="takes features as they are"):
        hil.Experiment(**keys)


def test_integers_take_no_scaled_features(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="which no scaler scales"):
        learned(DENSE, tmp_path, format="i8", scaler="standard")


def test_features_without_a_front_are_refused() -> None:
    with pytest.raises(UsageError, match="no front to make any"):
        hil.Experiment(rehearsal=3, rehearse_what="features")


def test_a_buffer_of_features_takes_what_they_take(tmp_path: Path) -> None:
    asked = hil.Experiment(
        target="host", front=str(places()[DENSE]), data="mnist", rehearsal=10
    )
    kept = {
        what: {i.name: i.bytes for i in plan_for(lesson).bill}["rehearsal buffer"]
        for what in ("features", "samples")
        for lesson in [prepare(asked.override({"rehearse_what": what}))]
    }
    assert kept == {"features": 10 * (100 + 2 + 1) + 10, "samples": 10 * (784 + 2 + 1)}


# where learning begins


def test_the_models_own_head_is_where_learning_begins() -> None:
    """Its sums are the model's own, but for what 8 bits round away of them."""
    model = bytes_of("pretrainedResnet_quant")
    front = Frozen(model)
    inputs = Inputs("u8", 1.0, frozen=front)
    spec = Spec(Network((64, 12), "tanh", "softmax"), RuleChoice("bp"), inputs)
    state = model_head.load(spec)
    assert not state["W1"][:, 10:].any()
    head, oracle = front.head, Oracle(model)
    assert head is not None
    sample = np.random.default_rng(4).integers(0, 256, front.elements, np.uint8)
    shape = graph("pretrainedResnet_quant").inputs[0].shape
    oracle.run([(sample.astype(np.int16) - 128).astype(np.int8).reshape(shape)])
    last = head.outputs[0]
    assert last.quantisation is not None
    step, zero = last.quantisation.scales[0], last.quantisation.zeros[0]
    told = step * (oracle.tensor(last.index).ravel().astype(int) - zero)
    sums = twin.network_input(inputs, sample) @ state["W1"] + state["b1"]
    held = np.clip(sums[:10], step * (-128 - zero), step * (127 - zero))
    assert np.abs(held - told).max() < 0.51 * step


def test_a_network_unlike_the_models_head_is_refused() -> None:
    inputs = Inputs("u8", 255.0, frozen=Frozen(bytes_of(DENSE)))
    for layers in ((100, 8, 10), (100, 9)):
        with pytest.raises(DataError, match="expected one layer of float32"):
            model_head.load(Spec(Network(layers), RuleChoice(), inputs))


CALLER = """
#include <stdio.h>
#include <string.h>
#include "net.h"

int main(void)
{
    static net_t once, again;
    net_sample_t sample[NET_INPUTS];
    net_feature_t kept[NET_FEATURES];
    float loss;

    if (net_init(&once, 3) != NET_OK || net_init(&again, 3) != NET_OK) {
        return 2;
    }
    for (unsigned i = 0; i < NET_INPUTS; i++) {
        sample[i] = (net_sample_t)(i * 37 % 251);
    }
    net_infer(&again, sample);
    memcpy(kept, net_features(&again), sizeof kept);
    for (unsigned step = 0; step < 5; step++) {
        net_step(&once, sample, 7, 0.05f, &loss);
        net_step_again(&again, kept, 7, 0.05f, &loss);
    }
    printf("%08x %08x", (unsigned)net_digest(&once), (unsigned)net_digest(&again));
    return 0;
}
"""


def test_the_library_alone_learns_from_samples_and_from_kept_features(
    tmp_path: Path, host_cc: str
) -> None:
    """Without our runtime; both to the digest of the reference."""
    keys = {"network": "-10", "rule": "bp", "seed": 3, "data": "mnist"}
    asked = hil.Experiment(target="host", front=str(places()[DENSE]), **keys)
    lesson = prepare(asked)
    files = render_network(plan_for(lesson), portable=True)
    for name, text in {**files, "main.c": CALLER}.items():
        (tmp_path / name).write_text(text)
    made = [host_cc, "-std=c11", "-O1", "-ffp-contract=off", "-fno-strict-aliasing"]
    sources = ["main.c", "net.c", "net_const.c", "-lm", "-o", "main"]
    subprocess.run([*made, *sources], cwd=tmp_path, check=True, timeout=120)
    told = subprocess.run([tmp_path / "main"], capture_output=True, timeout=60).stdout
    learner = Learner(lesson.spec)
    sample = (np.arange(784) * 37 % 251).astype(np.uint8)
    for _ in range(5):
        learner.step(sample, 7, np.float32(0.05))
    assert told.decode().split() == [f"{learner.digest():08x}"] * 2


def main(*words: str) -> int:
    from hil.cli import main as command

    return command(words)
