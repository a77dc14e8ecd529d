"""The learner: what a step does, in which order, and when it refuses."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest

from codegen.errors import SpecError
from codegen.reference import Learner, NonFinite
from codegen.reference import random as generator
from codegen.spec import Inputs, Network, RuleChoice, Spec

Fmaf = Callable[[float, float, float], float]
ETA = np.float32(0.05)
F32 = Inputs("f32", 1.0)
NETWORK = Network((7, 17, 5, 3))


def learner(rule: str = "dfa", inputs: Inputs = F32, **network: str) -> Learner:
    chosen = Network(NETWORK.layers, **network)
    return Learner(Spec(chosen, RuleChoice(rule), inputs, seed=4))


def sample(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=7).astype(np.float32)


def test_state_is_named_and_ordered_as_the_digest_counts_it() -> None:
    state = learner().state
    assert list(state) == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert [t.shape for t in state.values()] == [
        (7, 17), (17,), (17, 5), (5,), (5, 3), (3,),
    ]  # fmt: skip
    assert all(t.dtype == np.float32 for t in state.values())


@pytest.mark.parametrize(
    "activation, limit", [("tanh", (6 / 24) ** 0.5), ("relu", (6 / 7) ** 0.5)]
)
def test_initial_weights_fill_their_limit(activation: str, limit: float) -> None:
    made = learner(activation=activation)
    right = generator.uniform(4, 11, np.float32(limit), 7 * 17)
    assert made.state["W1"].ravel().tolist() == right.tolist()
    assert not made.state["b1"].any()
    top = generator.uniform(4, 13, np.float32((6 / 8) ** 0.5), 15)
    assert made.state["W3"].ravel().tolist() == top.tolist()


def test_another_seed_draws_other_weights_and_signs() -> None:
    spec = Spec(NETWORK, RuleChoice("dfa"), F32, seed=4)
    ours, same, other = Learner(spec), Learner(spec, 4), Learner(spec, 5)
    assert ours.digest() == same.digest() != other.digest()
    other.load(ours.state)
    ours.step(sample(), 1, ETA)
    other.step(sample(), 1, ETA)
    assert ours.trace["d1"].tolist() != other.trace["d1"].tolist()


def test_stored_feedback_belongs_to_the_image_and_keeps_the_specs_seed() -> None:
    rule = RuleChoice("dfa", {"feedback": "uniform"})
    spec = Spec(NETWORK, rule, F32, seed=4)
    ours, other = Learner(spec), Learner(spec, 5)
    other.load(ours.state)
    ours.step(sample(), 1, ETA)
    other.step(sample(), 1, ETA)
    assert ours.digest() == other.digest()


@pytest.mark.parametrize("rule", ["dfa", "bp"])
def test_a_step_is_its_plain_loops(rule: str, fmaf: Fmaf) -> None:
    """relu and identity, so that every operation has an oracle: libm's fmaf."""
    network = Network((3, 4, 2), "relu", "identity")
    made = Learner(Spec(network, RuleChoice(rule), F32, seed=4))
    w1, b1, w2, b2 = (made.snapshot()[k].tolist() for k in ("W1", "b1", "W2", "b2"))
    x = [0.5, 0.0, -1.25]

    def forward(v: list[float], w: list[list[float]], b: list[float]) -> list[float]:
        for v_i, row in zip(v, w, strict=True):
            if v_i:
                b = [fmaf(v_i, m, a) for m, a in zip(row, b, strict=True)]
        return b

    h = [max(a, 0.0) for a in forward(x, w1, b1)]
    p = forward(h, w2, b2)
    e = [p[0], float(np.float32(p[1]) - np.float32(1))]
    if rule == "bp":
        u = [fmaf(row[1], e[1], fmaf(row[0], e[0], 0.0)) for row in w2]
    else:
        signs = generator.feedback_signs(4, 0, np.float32(0.25), 2, 4).tolist()
        pairs = zip(signs[0], signs[1], strict=True)
        u = [fmaf(e[1], second, fmaf(e[0], first, 0.0)) for first, second in pairs]
    d = [u_i if h_i > 0 else 0.0 for u_i, h_i in zip(u, h, strict=True)]

    def updated(v: list[float], w: list[list[float]], d: list[float]) -> list:
        scaled = [float(-(ETA * np.float32(v_i))) for v_i in v]
        return [
            [fmaf(s, d_j, m) for d_j, m in zip(d, row, strict=True)] if s else row
            for s, row in zip(scaled, w, strict=True)
        ]

    made.step(np.array(x, dtype=np.float32), 1, ETA)
    assert made.state["W2"].tolist() == updated(h, w2, e)
    assert made.state["W1"].tolist() == updated(x, w1, d)
    assert made.state["b1"].tolist() == [
        fmaf(-float(ETA), d_j, b_j) for d_j, b_j in zip(d, b1, strict=True)
    ]


def test_the_trace_holds_every_intermediate() -> None:
    made = learner()
    result = made.step(sample(), 2, ETA)
    assert list(made.trace) == ["x", "h1", "h2", "p", "e", "d2", "d1"]
    assert made.trace["p"].tolist() == result.p.tolist()
    assert made.step_number == 1


def test_inference_gives_the_outputs_of_a_step_and_changes_nothing() -> None:
    made = learner(output="softmax")
    before = made.digest()
    p = made.infer(sample())
    assert made.digest() == before and made.step_number == 0
    assert p.tolist() == made.step(sample(), 0, ETA).p.tolist()


@pytest.mark.parametrize(
    "inputs, raw",
    [
        (Inputs("u8", 255.0), np.array([0, 1, 2, 127, 128, 254, 255], np.uint8)),
        (Inputs("i16", 1000.0), np.array([0, 1, -2, 127, -32768, 9, 32767], np.int16)),
        (Inputs("f32", 3.0), np.array([0, 1, -2, 0.1, 1e30, 5, 7], np.float32)),
    ],
)
def test_a_sample_is_scaled_by_one_rounded_division(
    inputs: Inputs, raw: np.ndarray
) -> None:
    made = learner(inputs=inputs)
    made.infer(raw)
    exact = raw.astype(np.float64) / inputs.scale
    assert made.trace["x"].tolist() == exact.astype(np.float32).tolist()


@pytest.mark.parametrize("output", ["sigmoid", "softmax", "identity"])
@pytest.mark.parametrize("rule", ["dfa", "bp"])
def test_learning_one_sample_lowers_its_loss(rule: str, output: str) -> None:
    made = learner(rule, output=output)
    losses = [float(made.step(sample(), 1, ETA).loss) for _ in range(50)]
    assert losses[-1] < 0.5 * losses[0]


def test_a_network_without_hidden_layer_learns_alike_under_both_rules() -> None:
    specs = (Spec(Network((7, 3)), RuleChoice(r), F32) for r in ("dfa", "bp"))
    dfa, bp = (Learner(spec) for spec in specs)
    for made in (dfa, bp):
        made.step(sample(), 1, ETA)
    assert dfa.digest() == bp.digest()


@pytest.mark.parametrize("tensor", ["x", "h1", "h2", "p"])
@pytest.mark.parametrize("rule", ["dfa", "bp"])
def test_a_tensor_that_is_not_finite_stops_the_step_before_any_change(
    rule: str, tensor: str
) -> None:
    made = learner(rule)
    made.step(sample(), 0, ETA)
    given = sample()
    if tensor == "x":
        given[3] = np.nan
    else:
        layer = {"h1": 1, "h2": 2, "p": 3}[tensor]
        made.state[f"b{layer}"][0] = np.inf
    before = made.digest()
    with pytest.raises(NonFinite) as fault:
        made.step(given, 0, ETA)
    assert fault.value.tensor == tensor
    assert made.digest() == before and made.step_number == 1


def test_a_delta_that_overflows_stops_the_step_before_any_change() -> None:
    """The hidden unit is 0, so its weights of 3e38 are met going backward only."""
    network = Network((1, 1, 2), "identity", "identity")
    made = Learner(Spec(network, RuleChoice("bp"), F32))
    made.state["W2"][...] = 3e38
    made.state["b2"][0] = 9
    before = made.digest()
    with pytest.raises(NonFinite) as fault:
        made.step(np.zeros(1, dtype=np.float32), 1, ETA)
    assert fault.value.tensor == "d1"
    assert made.digest() == before


def test_bytes_are_finite_by_nature_so_that_the_first_layer_is_named() -> None:
    """255 / 1e-37 overflows; x is looked at only where it travels as float."""
    made = learner(inputs=Inputs("u8", 1e-37))
    with pytest.raises(NonFinite) as fault:
        made.step(np.full(7, 255, dtype=np.uint8), 0, ETA)
    assert fault.value.tensor == "h1"


def test_nothing_warns() -> None:
    made = learner(output="softmax")
    made.state["b3"][...] = (3e38, -3e38, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = made.step(sample(), 1, ETA)
    assert result.p.tolist()[0] == 1


def test_load_copies_and_snapshot_copies() -> None:
    made, other = learner(), learner()
    made.step(sample(), 0, ETA)
    kept = made.snapshot()
    other.load(kept, step_number=1)
    made.step(sample(), 1, ETA)
    assert other.digest() != made.digest()
    other.step(sample(), 1, ETA)
    assert other.digest() == made.digest() and other.step_number == 2


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda s: s.pop("b2"), "expected W1, b1, W2, b2, W3, b3"),
        (lambda s: s.update(b2=s["b2"][:-1]), r"'b2' is float32 \(4,\)"),
        (lambda s: s.update(b2=s["b2"].astype("f8")), "'b2' is float64"),
    ],
)
def test_load_refuses_other_tensors(
    change: Callable[[dict], object], sentence: str
) -> None:
    state = learner().snapshot()
    change(state)
    with pytest.raises(ValueError, match=sentence):
        learner().load(state)


@pytest.mark.parametrize(
    "given, label, sentence",
    [
        (np.zeros(6, np.float32), 0, r"sample is float32 \(6,\)"),
        (np.zeros(7, np.uint8), 0, "expected f32"),
        (np.zeros(7, np.float32), 3, "label 3 is not in 0..2"),
        (np.zeros(7, np.float32), -1, "label -1"),
    ],
)
def test_a_sample_or_label_the_network_cannot_have_is_refused(
    given: np.ndarray, label: int, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        learner().step(given, label, ETA)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(SpecError, match="unknown rule 'dfb'"):
        learner("dfb")
