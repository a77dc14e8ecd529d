"""Predictive coding: its equations in float64, what it tends to, and what it promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import targets
from codegen.errors import SpecError
from codegen.planning.plan import plan
from codegen.reference import Learner
from codegen.reference.health import health
from codegen.spec import Clip, Inputs, Network, RuleChoice, Spec, UpdateChoice
from hil.data.datasets import load

LAYERS = (6, 17, 18, 5)
LABEL = 2
X = np.random.default_rng(2).normal(size=LAYERS[0]).astype(np.float32)
State = dict[str, np.ndarray]
SLOPES = {
    "tanh": (np.tanh, lambda h: 1 - h**2),
    "relu": (lambda a: np.maximum(a, 0), lambda h: h > 0),
    "identity": (lambda a: a, np.ones_like),
}


def learner(
    rule: str = "pc", activation: str = "tanh", **parameters: object
) -> Learner:
    network = Network(LAYERS, activation, "identity")
    return Learner(Spec(network, RuleChoice(rule, parameters), Inputs("f32", 1.0), 2))


def stepped(*args: str, **parameters: object) -> tuple[Learner, State]:
    """A learner after one step of rate 1, and the state before it in float64."""
    made = learner(*args, **parameters)
    before = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, np.float32(1))
    return made, before


def settled(
    state: State, activation: str, iterations: int, gamma: float, variance: float
) -> tuple[list[np.ndarray], list[np.ndarray], list[float]]:
    """Layers' inputs and deltas, and energies, by the equations alone (Whittington and
    Bogacz 2017; docs/rules.md), with the papers' sign of errors: value minus
    prediction."""
    phi, slope = SLOPES[activation]
    weights = [state[f"W{n}"] for n in (1, 2, 3)]
    predict = [lambda h, n=n: h @ state[f"W{n}"] + state[f"b{n}"] for n in (1, 2, 3)]
    spread = [1.0, 1.0, variance]
    z = [predict[0](X.astype(np.float64))]
    z.append(predict[1](phi(z[0])))
    z.append(np.eye(LAYERS[-1])[LABEL])

    def errors() -> list[np.ndarray]:
        inputs = [X.astype(np.float64), phi(z[0]), phi(z[1])]
        return [
            (z[n] - predict[n](inputs[n])) / spread[n] for n in range(3)
        ]  # fmt: skip

    def energy(eps: list[np.ndarray]) -> float:
        return sum(s * float(one @ one) for s, one in zip(spread, eps, strict=True)) / 2

    eps = errors()
    energies = [energy(eps)]
    for _ in range(iterations):
        moves = [
            gamma * (-eps[n] + slope(phi(z[n])) * (weights[n + 1] @ eps[n + 1]))
            for n in (0, 1)
        ]
        z[0], z[1] = z[0] + moves[0], z[1] + moves[1]
        eps = errors()
        energies.append(energy(eps))
        gamma = gamma / 2 if energies[-1] > energies[-2] else gamma
    inputs = [X.astype(np.float64), phi(z[0]), phi(z[1])]
    return inputs, [-variance * one for one in eps], energies


@pytest.mark.parametrize("activation", SLOPES)
@pytest.mark.parametrize("gamma", [0.3, 1.0])
def test_a_step_is_that_of_the_equations(activation: str, gamma: float) -> None:
    made, before = stepped("pc", activation, iterations=5, gamma=gamma, variance=2.0)
    inputs, deltas, energies = settled(before, activation, 5, gamma, 2.0)
    np.testing.assert_allclose(made.trace["energy"], energies, rtol=1e-5)
    for n in (1, 2, 3):
        moved = before[f"W{n}"] - made.state[f"W{n}"]
        np.testing.assert_allclose(
            moved, np.outer(inputs[n - 1], deltas[n - 1]), atol=2e-5, rtol=2e-4
        )
        moved = before[f"b{n}"] - made.state[f"b{n}"]
        np.testing.assert_allclose(moved, deltas[n - 1], atol=2e-5, rtol=2e-4)


def test_a_variance_learns_how_far_its_unit_is_from_what_was_predicted() -> None:
    """dS = rate/2 (eps^2 - 1/S), within the limits; errors are divided by it, deltas are
    not, and the energy is that of errors so divided."""
    chosen = {"precision": "learned", "precision_rate": 0.5, "variance": 3.0}
    made = learner(iterations=3, least_variance=0.8, **chosen)
    rng = np.random.default_rng(5)
    for n in (1, 2, 3):
        sigma = made.state[f"sigma{n}"]
        assert (sigma == (3 if n == 3 else 1)).all()
        sigma[...] = rng.uniform(0.8, 4, sigma.shape)
    before = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, np.float32(0.1))
    trace, energy = made.trace, 0.0
    for n in (1, 2, 3):
        eps, sigma = trace[f"eps{n}"].astype(np.float64), before[f"sigma{n}"]
        gap = trace[f"gap{n}"] if n < 3 else trace["mu3"] - np.eye(5)[LABEL]
        np.testing.assert_allclose(eps, gap / sigma, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(made.delta_of(n), 3 * eps, rtol=1e-6)
        energy += float(eps @ (eps * sigma)) / 2
        moved = sigma + 0.25 * (eps**2 - 1 / sigma)
        within = np.clip(moved, np.float32(0.8), 100)
        np.testing.assert_allclose(made.state[f"sigma{n}"], within, rtol=1e-6)
    assert (made.state["sigma1"] == np.float32(0.8)).any()
    assert trace["energy"][-1] == pytest.approx(energy, rel=1e-5)


def test_variances_are_no_weights() -> None:
    """The limit of weights does not hold them, and momentum does not know them."""
    choice = RuleChoice("pc", {"precision": "learned"})
    spec = Spec(Network(LAYERS, "tanh", "identity"), choice, clip=Clip(weights=0.5))
    made = Learner(spec)
    assert (made.state["sigma3"] == 10).all()
    assert list(made.state)[-3:] == ["sigma1", "sigma2", "sigma3"]
    with pytest.raises(SpecError, match=r"'momentum' with rule 'pc', .*sigma1"):
        plan(replace(spec, update=UpdateChoice("momentum", 0.9)), targets.load("host"))


def test_what_cannot_be_learned_together_is_refused() -> None:
    with pytest.raises(SpecError, match="'learned' with inference 'z-il', in which"):
        learner(precision="learned", inference="z-il")
    with pytest.raises(
        SpecError,
        match=r"least_variance 9 above most_variance 2: expected the reverse$",
    ):
        learner(precision="learned", least_variance=9.0, most_variance=2.0)


def test_steps_that_are_too_long_are_halved_until_the_energy_falls() -> None:
    """Weights so large that a whole step goes too far; the energies of the equations
    tell when it was halved."""
    made = learner(iterations=12, gamma=1.0, variance=1.0)
    for name in ("W2", "W3"):
        made.state[name] *= np.float32(4)
    before = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, np.float32(0))
    energies = made.trace["energy"]
    assert np.count_nonzero(np.diff(energies) > 0) >= 2
    assert energies[-1] < energies.max() / 5
    _, _, expected = settled(before, "tanh", 12, 1.0, 1.0)
    np.testing.assert_allclose(energies, expected, rtol=1e-3)


def test_the_answer_and_its_loss_are_those_before_anything_moves() -> None:
    made = learner()
    answer = made.infer(X).copy()
    result = made.step(X, LABEL, np.float32(0))
    np.testing.assert_array_equal(result.p, answer)
    assert result.loss == learner("bp").step(X, LABEL, np.float32(0)).loss
    assert (made.trace["mu3"] != answer).all()


def cosines(one: Learner, other: Learner, before: State) -> list[float]:
    """Between the two updates of each layer's weights."""
    found = []
    for n in (1, 2, 3):
        a, b = ((m.state[f"W{n}"] - before[f"W{n}"]).ravel() for m in (one, other))
        found.append(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
    return found


def test_updates_tend_to_those_of_bp_as_the_outputs_variance_grows() -> None:
    """Whittington and Bogacz 2017: at 100 the cosine is above 0.999 in every layer."""
    exact, before = stepped("bp")
    worst = [
        min(cosines(stepped(variance=v, iterations=64)[0], exact, before))
        for v in (1.0, 10.0, 100.0)
    ]
    assert worst == sorted(worst)
    assert worst[0] < 0.999 < worst[-1]


def test_an_error_climbs_one_layer_an_iteration() -> None:
    made, before = stepped(iterations=1)
    np.testing.assert_array_equal(made.state["W1"], before["W1"])
    assert (made.state["W2"] != before["W2"]).any()
    made, before = stepped(iterations=2)
    assert (made.state["W1"] != before["W1"]).any()


def test_health_tells_how_the_energy_has_fallen() -> None:
    data = load("digits")
    made = Learner(Spec(Network((64, 17, 10), "tanh", "identity"), RuleChoice("pc")))
    sample, label = data.train_x[0], int(data.train_y[0])
    before = made.snapshot()
    made.step(sample, label, np.float32(0.02))
    found = health(made, before, sample, label).table()
    assert found["energy"] == made.trace["energy"].tolist()
    assert found["energy"] == sorted(found["energy"], reverse=True)
    assert all(angle is not None and angle < 20 for angle in found["angle"])


@pytest.mark.parametrize("layers", [(64, 10), (64, 17, 10), (64, 33, 17, 10)])
def test_z_il_is_backpropagation(layers: tuple[int, ...]) -> None:
    """On real digits, from the same weights. A delta is mu - (mu - u): bp's, but for the
    rounding of mu - u. So it is within one unit in the last place of the largest value
    or delta, and one more for each layer between it and the outputs."""
    data = load("digits")
    made, exact = (
        Learner(Spec(Network(layers, "tanh", "identity"), RuleChoice(rule, chosen)))
        for rule, chosen in (("pc", {"inference": "z-il"}), ("bp", {}))
    )
    for x, y in zip(data.train_x[:50], data.train_y[:50], strict=True):
        exact.load(made.snapshot())
        for one in (made, exact):
            one.step(x, int(y), np.float32(0.02))
        for n in range(1, len(layers)):
            d, other = made.delta_of(n), exact.delta_of(n)
            largest = max(np.abs(made.trace.get(f"mu{n}", d)).max(), np.abs(d).max())
            ulp = np.spacing(np.float32(largest))
            assert np.abs(d - other).max() <= ulp * (len(layers) - n)


def test_without_a_hidden_layer_it_is_backpropagation_to_the_bit() -> None:
    data, digests = load("digits"), set()
    for rule in ("pc", "bp"):
        made = Learner(Spec(Network((64, 10), "tanh", "identity"), RuleChoice(rule)))
        for x, y in zip(data.train_x[:20], data.train_y[:20], strict=True):
            made.step(x, int(y), np.float32(0.02))
        digests.add(made.digest())
    assert len(digests) == 1


def test_outputs_that_are_not_linear_are_refused() -> None:
    with pytest.raises(SpecError, match="'sigmoid' makes no sense with rule 'pc'"):
        Learner(Spec(Network(LAYERS), RuleChoice("pc")))


@pytest.mark.parametrize("name, value", [("variance", 0.0), ("gamma", -0.5)])
def test_numbers_that_cannot_be_are_refused(name: str, value: float) -> None:
    with pytest.raises(SpecError, match=rf"has {name} = .*: expected a number from"):
        learner(**{name: value})
