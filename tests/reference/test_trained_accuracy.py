"""Both rules learn real digits about as well as scikit-learn's perceptron."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

from codegen import streams
from codegen.reference import Learner
from codegen.reference.random import u32
from codegen.spec import Network, RuleChoice, Spec

TRAIN = 1437
EPOCHS = 2
HIDDEN = 32


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """1797 samples as u8 and their labels, shuffled: the first 1437 train."""
    x, y = load_digits(return_X_y=True)
    order = np.argsort(u32(0x5EED, streams.SPLIT, 0, len(y)), kind="stable")
    return x[order].astype(np.uint8), y[order]


def trained(rule: str, x: np.ndarray, y: np.ndarray) -> float:
    """Test accuracy after two epochs of batch 1."""
    learner = Learner(Spec(Network((64, HIDDEN, 10)), RuleChoice(rule)))
    for epoch in range(EPOCHS):
        keys = u32(learner.seed, streams.order(epoch), 0, TRAIN)
        eta = np.float32(0.05 * 0.95**epoch)
        for index in np.argsort(keys, kind="stable"):
            learner.step(x[index], int(y[index]), eta)
    right = [
        learner.infer(v).argmax() == t
        for v, t in zip(x[TRAIN:], y[TRAIN:], strict=True)
    ]
    return float(np.mean(right))


@pytest.fixture(scope="module")
def sklearns(digits: tuple[np.ndarray, np.ndarray]) -> float:
    """Test accuracy of the same network and settings in scikit-learn."""
    x, y = digits
    model = MLPClassifier(
        (HIDDEN,), activation="tanh", solver="sgd", alpha=0, batch_size=1,
        learning_rate_init=0.05, momentum=0, max_iter=EPOCHS, random_state=0,
    )  # fmt: skip
    model.fit(x[:TRAIN] / 16, y[:TRAIN])
    return float(model.score(x[TRAIN:] / 16, y[TRAIN:]))


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("rule", ["bp", "dfa"])
def test_digits_are_learned_as_by_scikit_learn(
    rule: str, digits: tuple[np.ndarray, np.ndarray], sklearns: float
) -> None:
    ours = trained(rule, *digits)
    assert ours > 0.93
    assert ours > sklearns - 0.02
