"""Weights of other programs' files predict here what they predict there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import skops.io
from onnx.reference import ReferenceEvaluator
from sklearn.neural_network import MLPClassifier, MLPRegressor

import hil
from codegen.reference import Learner
from codegen.spec import RuleChoice, Spec
from hil.cli import main
from hil.data import arrays
from hil.lesson import foreign, weights
from tests.hil.conftest import DIGITS
from tests.hil.trained import (
    B1,
    DUMPS,
    GEMM,
    HERE,
    MATMUL,
    THREE,
    TORCH,
    W1,
    Node,
    X,
    model,
    spec,
)  # fmt: skip

CLOSE = 2e-6
"""Other programs add in another order, some of them in float64."""
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
"""A few steps of training do not converge."""


def predicted(path: Path, of: Spec) -> np.ndarray:
    """What a network gives that began with this file."""
    learner = Learner(of)
    learner.load(foreign.load(str(path), of))
    return np.array([learner.infer(x) for x in X])


@pytest.fixture(scope="module")
def classifier() -> MLPClassifier:
    return MLPClassifier((5, 6), max_iter=9, random_state=1).fit(X, THREE)


@pytest.mark.parametrize("suffix", DUMPS)
def test_a_classifier_of_sklearn_predicts_what_it_predicts_there(
    tmp_path: Path, classifier: MLPClassifier, suffix: str
) -> None:
    path = tmp_path / f"mine{suffix}"
    DUMPS[suffix](classifier, path)
    apart = predicted(path, spec(4, 5, 6, 3)) - classifier.predict_proba(X)
    assert np.abs(apart).max() < CLOSE


@pytest.mark.parametrize("activation", ["logistic", "tanh", "identity"])
def test_activations_of_sklearn_are_those_of_the_same_name_here(
    tmp_path: Path, activation: str
) -> None:
    model = MLPClassifier((5,), activation, max_iter=3).fit(X, THREE)
    skops.io.dump(model, tmp_path / "mine.skops")
    ours = {"logistic": "sigmoid"}.get(activation, activation)
    apart = predicted(tmp_path / "mine.skops", spec(4, 5, 3, activation=ours))
    assert np.abs(apart - model.predict_proba(X)).max() < CLOSE


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize(
    "names", [[0, 1], ["no", "yes"], np.array(["no", "yes"], object)]
)
def test_one_output_that_tells_two_classes_becomes_two(
    tmp_path: Path, output: str, names: Any
) -> None:
    """Labels that are objects lie in the file as a pickle of their own."""
    model = MLPClassifier((5,), max_iter=9).fit(X, np.array(names)[THREE % 2])
    joblib.dump(model, tmp_path / "mine.joblib")
    apart = predicted(tmp_path / "mine.joblib", spec(4, 5, 2, output=output))
    assert np.abs(apart - model.predict_proba(X)).max() < CLOSE


def test_a_regressor_of_sklearn_predicts_what_it_predicts_there(tmp_path: Path) -> None:
    model = MLPRegressor(hidden_layer_sizes=(5,), activation="tanh", max_iter=9).fit(
        X, X[:, :2]
    )
    skops.io.dump(model, tmp_path / "mine.skops")
    of = spec(4, 5, 2, activation="tanh", output="identity")
    assert (
        np.abs(predicted(tmp_path / "mine.skops", of) - model.predict(X)).max() < CLOSE
    )


def test_a_state_dict_of_torch_predicts_what_it_predicts_there() -> None:
    """The file and the predictions are PyTorch 2.14's."""
    with arrays.opened(HERE / "torch-2.14.npz", "predictions") as stored:
        x, p = stored["x"], stored["p"]
    of = spec(4, 5, 3, activation="tanh")
    learner = Learner(of)
    learner.load(foreign.load(str(TORCH), of))
    assert np.abs(np.array([learner.infer(one) for one in x]) - p).max() < CLOSE


PROGRAM = """
import sys, numpy, torch
net = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
net[0].weight.data = torch.rand(4, 5).T  # a view
net.to(getattr(torch, sys.argv[2]))
torch.save(dict(net.named_parameters()), sys.argv[1] + "/mine.pt")
x = torch.from_numpy(numpy.load(sys.argv[1] + "/x.npy"))
numpy.save(sys.argv[1] + "/p.npy", net.float()(x).detach().numpy())
"""


@pytest.mark.parametrize("kind", ["float32", "float64", "float16"])
def test_parameters_and_views_of_torch_are_read(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("torch", reason="the extra peers is not installed")
    np.save(tmp_path / "x.npy", X)
    subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path, kind], check=True, timeout=120
    )
    there = np.load(tmp_path / "p.npy")
    of = spec(4, 5, 3, output="identity")
    assert np.abs(predicted(tmp_path / "mine.pt", of) - there).max() < CLOSE


@pytest.mark.parametrize(
    ("nodes", "activation", "output"),
    [(GEMM, "tanh", "softmax"), (MATMUL, "sigmoid", "sigmoid")],
)
def test_layers_of_onnx_predict_what_its_own_evaluator_predicts(
    tmp_path: Path, nodes: tuple[Node, ...], activation: str, output: str
) -> None:
    made = model(nodes)
    (tmp_path / "mine.onnx").write_bytes(made.SerializeToString())
    of = spec(4, 5, 3, activation=activation, output=output)
    (there,) = ReferenceEvaluator(made).run(None, {"x": X})
    assert np.abs(predicted(tmp_path / "mine.onnx", of) - there).max() < CLOSE


@pytest.mark.usefixtures("host_cc")
def test_a_device_begins_with_the_weights_of_a_classifier(tmp_path: Path) -> None:
    """And replay, which computes the steps again, does so as well."""
    x = DIGITS.train_x[:200] / 16
    there = MLPClassifier((8,), max_iter=60, random_state=1).fit(
        x, DIGITS.train_y[:200]
    )
    joblib.dump(there, tmp_path / "mine.joblib")
    record = hil.run(
        target="host", network="64-8-10", activation="relu", output="softmax", rule="bp",
        init=str(tmp_path / "mine.joblib"), steps=1, lr=1e-9, test=100,
        out=str(tmp_path / "runs"),
    )  # fmt: skip
    assert record.result == "pass"
    right = there.predict(DIGITS.test_x[:100] / 16) == DIGITS.test_y[:100]
    assert record.accuracy["test"] == pytest.approx(right.mean())
    assert main(["replay", str(record.folder), "--step", "0"]) == 0


def test_what_the_rule_learns_besides_begins_as_ever(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(model(GEMM).SerializeToString())
    of = replace(spec(4, 5, 3, activation="tanh"), rule=RuleChoice("local"))
    state = foreign.load(str(tmp_path / "mine.onnx"), of)
    first = Learner(of).state
    others = set(first) - {"W1", "b1", "W2", "b2"}
    assert others and list(state) == list(first)
    assert all(np.array_equal(state[name], first[name]) for name in others)


def test_a_file_of_ours_is_read_as_ever(tmp_path: Path) -> None:
    weights.save(str(tmp_path / "w.npz"), {"W1": W1, "b1": B1})
    shapes, types = {"W1": (4, 5), "b1": (5,)}, {"W1": "<f4", "b1": "<f4"}
    found = weights.initial(str(tmp_path / "w.npz"), spec(4, 5), shapes, types)
    assert np.array_equal(found["W1"], W1)
