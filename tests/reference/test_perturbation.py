"""Random directions: what they are drawn from, and what is estimated with them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erfinv
from scipy.stats import kstest, norm

from codegen.reference import Learner
from codegen.reference.perturbation import (
    DISTRIBUTIONS,
    direction,
    gaussian,
    normal,
    rademacher,
)
from codegen.spec import Inputs, Network, RuleChoice, Spec
from tests.reference.test_generator import u32

FALSE_ALARMS = 1e-6
"""Share of right programs that a statistical test here would refuse; the seeds are
fixed, so that it says the same every time."""
LAYERS = (5, 7, 6, 4)
LABEL = 2


def test_a_normal_number_is_the_inverse_error_function() -> None:
    rng = np.random.default_rng(1)
    ends = np.arange(3000)
    k = np.concatenate([rng.integers(0, 2**23, 100_000), ends, 2**23 - 1 - ends])
    z = normal((k << 9).astype(np.uint32))
    exact = math.sqrt(2) * erfinv((2 * k + 1) * 2.0**-23 - 1)
    assert np.max(np.abs(z - exact) / np.abs(exact)) < 6e-7
    assert 5.29 < z.max() < 5.3 and z.max() == -z.min()


def test_gaussian_elements_are_normal() -> None:
    drawn = gaussian(11, 1, 200, 500).ravel()
    assert kstest(drawn, norm.cdf).pvalue > FALSE_ALARMS


def test_rademacher_elements_are_as_often_minus_as_plus() -> None:
    drawn = rademacher(11, 1, 300, 500)
    assert set(np.unique(drawn)) == {-1.0, 1.0}
    bound = norm.isf(FALSE_ALARMS / 2) / math.sqrt(drawn.size)
    assert abs(drawn.mean()) < bound
    along = (drawn[:, 1:] * drawn[:, :-1]).mean(), (drawn[1:] * drawn[:-1]).mean()
    assert max(map(abs, along)) < bound


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_steps_directions_and_layers_draw_their_own(name: str) -> None:
    draw = DISTRIBUTIONS[name]
    one = draw(direction(1, 0), 1, 4, 40)
    for other in (draw(direction(1, 1), 1, 4, 40), draw(direction(1, 0), 2, 4, 40),
                  draw(direction(2, 0), 1, 4, 40)):  # fmt: skip
        assert (one != other).mean() > 0.3
    np.testing.assert_array_equal(one, draw(direction(1, 2**32), 1, 4, 40))


def test_directions_are_numbered_by_step_and_k() -> None:
    """Direction k of K in step s is number s K + k, and its signs are of its own seed:
    in plain integers, as docs/arithmetic.md has it."""
    rule = RuleChoice("fg-activity", {"k": 3})
    made = Learner(Spec(Network(LAYERS), rule, Inputs("f32", 1.0), seed=9))
    for step, k, number in ((0, 2, 2), (1, 0, 3), (2, 1, 7)):
        made.step_number = step
        seed = u32(9, 98, number)
        word = u32(seed, 110 + 2, 0)
        right = [1 - 2 * (word >> bit & 1) for bit in range(LAYERS[2])]
        assert made.drawn(k, 2, 1, LAYERS[2])[0].tolist() == right


@pytest.mark.parametrize("n", [1, 31, 32, 33, 65])
def test_rows_of_signs_begin_with_a_new_word(n: int) -> None:
    words = -(-n // 32)
    whole = rademacher(7, 2, 4 * words, 32).reshape(4, 32 * words)
    np.testing.assert_array_equal(rademacher(7, 2, 4, n), whole[:, :n])


def test_rows_of_normal_numbers_follow_each_other() -> None:
    one = gaussian(7, 2, 1, 4 * 33)
    np.testing.assert_array_equal(gaussian(7, 2, 4, 33), one.reshape(4, 33))


# -- estimates

Layers = dict[str, np.ndarray]


def learner(rule: str, **parameters: object) -> Learner:
    network = Network(LAYERS)
    return Learner(Spec(network, RuleChoice(rule, parameters), Inputs("f32", 1.0), 3))


X = np.random.default_rng(4).normal(size=LAYERS[0]).astype(np.float32)


def loss(state: Layers) -> float:
    """The network in float64, as a textbook writes it."""
    h = X.astype(np.float64)
    for layer in range(1, len(LAYERS) - 1):
        h = np.tanh(h @ state[f"W{layer}"] + state[f"b{layer}"])
    top = len(LAYERS) - 1
    p = 1 / (1 + np.exp(-(h @ state[f"W{top}"] + state[f"b{top}"])))
    t = np.eye(p.size)[LABEL]
    return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum())


def moved(of: Learner, step: int) -> np.ndarray:
    """What a step of rate 1 does to all weights and biases, downhill as positive."""
    before = of.snapshot()
    of.step_number = step
    of.step(X, LABEL, np.float32(1))
    change = np.concatenate([(before[n] - of.state[n]).ravel() for n in before])
    of.load(before)
    return change.astype(np.float64)


def gradient() -> np.ndarray:
    return moved(learner("bp"), 0)


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_the_derivative_along_a_direction_is_a_finite_difference(kind: str) -> None:
    """By an antithetic pair, whose even error terms cancel."""
    made = learner("fg-weight", perturbation=kind)
    state = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, np.float32(0))
    seed, h = direction(made.seed, 0), 1e-6
    along = {}
    for layer in range(1, len(LAYERS)):
        n_in, n_out = LAYERS[layer - 1], LAYERS[layer]
        v = DISTRIBUTIONS[kind](seed, layer, n_in + 1, n_out)
        along[f"W{layer}"], along[f"b{layer}"] = v[:-1], v[-1]
    there = {n: t + h * along[n] for n, t in state.items()}
    back = {n: t - h * along[n] for n, t in state.items()}
    assert made.trace["jvp"][0] == pytest.approx(
        (loss(there) - loss(back)) / (2 * h), rel=1e-4
    )


def nudged(state: Layers, along: Layers, h: float) -> float:
    """The textbook network with h u_l added to its hidden pre-activations."""
    moved = {n: t + h * along[n] if n in along else t for n, t in state.items()}
    return loss(moved)


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_the_derivative_along_activities_is_a_finite_difference(kind: str) -> None:
    """What is added to a pre-activation might as well be added to its bias."""
    made = learner("fg-activity", perturbation=kind)
    state = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, np.float32(0))
    seed, h = direction(made.seed, 0), 1e-6
    along = {
        f"b{layer}": DISTRIBUTIONS[kind](seed, layer, 1, LAYERS[layer])[0]
        for layer in (1, 2)
    }
    difference = nudged(state, along, h) - nudged(state, along, -h)
    assert made.trace["jvp"][0] == pytest.approx(difference / (2 * h), rel=1e-4)


@pytest.mark.parametrize("layer", [1, 2])
def test_the_derivative_of_a_local_loss_is_a_finite_difference(layer: int) -> None:
    made = learner("fg-local")
    state = {n: t.astype(np.float64) for n, t in made.snapshot().items()}
    made.step(X, LABEL, np.float32(0))
    below = made.input_of(layer).astype(np.float64)
    u = rademacher(direction(made.seed, 0), layer, 1, LAYERS[layer])[0]

    def local(h: float) -> float:
        a = below @ state[f"W{layer}"] + state[f"b{layer}"] + h * u
        p = 1 / (1 + np.exp(-(np.tanh(a) @ state[f"R{layer}"])))
        t = np.eye(p.size)[LABEL]
        return float(-(t * np.log(p) + (1 - t) * np.log(1 - p)).sum())

    h = 1e-6
    difference = (local(h) - local(-h)) / (2 * h)
    assert made.trace[f"jvp{layer}"][0] == pytest.approx(difference, rel=1e-4)


@pytest.mark.parametrize("rule", ["fg-weight", "fg-activity", "fg-local"])
def test_along_minus_v_the_update_is_the_same_to_the_bit(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exact derivative makes antithetic pairs a no-op."""
    one, other = learner(rule), learner(rule)
    one.step(X, LABEL, np.float32(0.1))
    monkeypatch.setitem(DISTRIBUTIONS, "rademacher", lambda *given: -rademacher(*given))
    other.step(X, LABEL, np.float32(0.1))
    assert one.digest() == other.digest()


ESTIMATES = 3000


def agrees(found: np.ndarray, expected: float) -> None:
    """The mean of independent numbers is the expected one, by the central limit."""
    allowed = norm.isf(FALSE_ALARMS / 2) * found.std(ddof=1) / math.sqrt(found.size)
    assert abs(found.mean() - expected) < allowed


@pytest.mark.parametrize(
    ("rule", "kind", "more"),
    [("fg-weight", "rademacher", 0), ("fg-weight", "gaussian", 2),
     ("fg-activity", "rademacher", 0)],
)  # fmt: skip
def test_estimates_are_unbiased_and_as_long_as_theory_says(
    rule: str, kind: str, more: int
) -> None:
    """E g^ = g and E|g^|^2 = (N + more) |g|^2 (Ren et al. 2022, table 1), N the
    perturbed numbers: so the mean of n estimates is at a squared distance of
    (N + more - 1) |g|^2 / n from g. Both are held by the central limit theorem
    over batches of estimates."""
    made = learner(rule, perturbation=kind)
    true = gradient()
    sizes = [made.state[n].size for n in made.state]
    if rule == "fg-activity":
        # what is perturbed: the hidden pre-activations; each estimate is compared
        # in the biases, whose gradient is the one in the pre-activations
        cut = np.cumsum(sizes)
        hidden = [slice(cut[0], cut[1]), slice(cut[2], cut[3])]
        pick = np.concatenate([np.arange(true.size)[s] for s in hidden])
    else:
        pick = np.arange(true.size)
    g = true[pick]
    found = np.array([moved(made, step)[pick] for step in range(ESTIMATES)])
    n = g.size
    agrees((found**2).sum(axis=1) / (g @ g), n + more)
    agrees(found @ g / (g @ g), 1)
    for count in (10, 100):
        means = found.reshape(-1, count, n).mean(axis=1)
        squared = ((means - g) ** 2).sum(axis=1) / (g @ g)
        agrees(squared, (n + more - 1) / count)


def test_k_directions_are_averaged() -> None:
    """The K estimates of one step are those of K steps with one direction each."""
    four, one = learner("fg-weight", k=4), learner("fg-weight")
    apart = np.mean([moved(one, step) for step in range(4)], axis=0)
    np.testing.assert_allclose(moved(four, 0), apart, atol=1e-5)
