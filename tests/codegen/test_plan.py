"""The plan: bytes, lifetimes, and refusing before compiling."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import targets
from codegen.errors import OverBudget, SpecError
from codegen.planning.arena import arrange
from codegen.planning.fitting import STACK_LEAST
from codegen.planning.plan import plan
from codegen.planning.resident import Resident
from codegen.program import Life, lives
from codegen.rendering.render import render
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec, UpdateChoice
from codegen.tensors import Tensor

TARGET = targets.load("qemu-rv64gcv")


def test_state_is_weights_and_biases_in_declared_order() -> None:
    made = plan(Spec(Network((64, 128, 10))), TARGET)
    assert [t.name for t in made.state] == ["W1", "b1", "W2", "b2"]
    assert [t.shape for t in made.state] == [(64, 128), (128,), (128, 10), (10,)]
    assert [t.offset for t in made.state] == [0, 32768, 33280, 38400]


def test_sign_feedback_costs_a_bit_and_stored_feedback_costs_flash() -> None:
    network = Network((64, 128, 64, 10))
    signs = plan(Spec(network), TARGET)
    stored = plan(Spec(network, RuleChoice("dfa", {"feedback": "uniform"})), TARGET)
    assert not signs.consts
    assert [c.words for c in stored.consts] == [1280, 640]
    # of every layer's delta, kept between steps
    assert sorted(w.words for w in signs.drawn) == [20, 40]
    assert signs.ram - stored.ram == 4 * (40 + 20)


def test_signs_are_kept_where_there_is_room_and_else_made_in_every_step() -> None:
    spec = Spec(Network((64, 64, 10)))
    kept = plan(spec, TARGET)
    made = plan(spec, TARGET, budget=kept.ram - 1)
    assert kept.ram == plan(spec, TARGET, budget=kept.ram).ram
    assert [w.words for w in kept.drawn] == [20]
    assert (made.drawn, made.ram < kept.ram) == ((), True)
    named = [{call.variant.kernel.name for call in one.step} for one in (kept, made)]
    assert "f32_feedback_words" in named[0] and "f32_feedback_signs" in named[1]


def test_a_machine_without_vectors_makes_signs_in_every_step() -> None:
    """They take little of its time, and its memory is small."""
    assert plan(Spec(Network((64, 64, 10))), targets.load("host")).drawn == ()


@pytest.mark.parametrize(
    ("network", "parameters", "asks"),
    [
        (Network((9, 7, 5)), {}, False),
        (Network((9, 7, 5), output="identity"), {}, True),
        (Network((9, 7, 5)), {"feedback": "uniform"}, True),
        (Network((9, 7, 5)), {"feedback_scale": 2.0**125}, True),
    ],
)
def test_deltas_are_looked_through_unless_none_can_be_infinite(
    network: Network, parameters: dict[str, object], asks: bool
) -> None:
    """An error of classes is at most 1, and so is a slope."""
    for rule in ("dfa", "drtp"):
        made = plan(Spec(network, RuleChoice(rule, parameters)), TARGET)
        slopes = [o for o in made.program.ops() if o.kernel.operation == "tanh_grad"]
        assert [bool(one.needs) for one in slopes] == [asks]


def test_over_budget_is_refused_and_names_the_largest() -> None:
    with pytest.raises(
        OverBudget, match=r"needs .* bytes of RAM, .*, but the budget"
    ) as e:
        plan(Spec(Network((784, 500, 10))), TARGET, budget=32 << 10)
    assert e.value.exit_code == 3
    assert "largest: W1 1,568,000 bytes" in e.value.hints[0]


def test_over_the_targets_own_ram_is_refused() -> None:
    with pytest.raises(OverBudget, match="target qemu-rv64gcv has 14,680,064"):
        plan(Spec(Network((4096, 4096, 10))), TARGET)


@pytest.mark.parametrize(
    ("samples", "labels", "sentence"),
    [
        (bytes(127), bytes(4), "has 127 bytes of samples"),
        (bytes(128), bytes(2), "and 2 of labels: expected 64 and 2 a sample"),
        (bytes(128), b"\0\0\x0a\0", "label 10, but network 64-10 has 10 outputs"),
    ],
)
def test_an_impossible_resident_set_is_refused(
    samples: bytes, labels: bytes, sentence: str
) -> None:
    with pytest.raises(SpecError, match=sentence):
        plan(Spec(Network((64, 10))), TARGET, resident=Resident(2, samples, labels, 1))


def test_a_rehearsal_buffer_over_budget_is_refused_and_named() -> None:
    spec = Spec(Network((64, 10)))
    assert TARGET.memory is not None
    least = plan(spec, TARGET).ram - TARGET.memory.stack + STACK_LEAST
    with pytest.raises(
        OverBudget, match=r"at least .* 256 of them for its st"
    ) as caught:
        plan(spec, TARGET, rehearsal=1000, budget=least + 60_000)
    assert "rehearsal buffer 67,000 bytes" in caught.value.hints[0]
    assert caught.value.hints[1].endswith("fewer samples for --rehearsal need less")
    plan(spec, TARGET, rehearsal=1000, budget=least + 67_016)


def test_what_is_advised_is_about_the_largest_items() -> None:
    with pytest.raises(OverBudget) as caught:
        plan(Spec(Network((8, 5))), TARGET, window=64, samples=64, budget=1024)
    assert "receive ring" in caught.value.hints[0]
    assert "--window 1" in caught.value.hints[1]
    assert "narrower" not in caught.value.hints[1]


def test_a_resident_set_is_constant_and_costs_no_ram() -> None:
    spec, budget = Spec(Network((64, 10))), 64 << 10
    resident = Resident(2000, bytes(128_000), bytes(4000), 32)
    made = plan(spec, TARGET, resident=resident, budget=budget)
    assert made.ram == plan(spec, TARGET).ram
    assert sum(i.bytes for i in made.bill if i.kind == "const") == 132_000


@pytest.mark.parametrize("window, samples", [(0, 1), (65, 1), (1, 0), (1, 256)])
def test_impossible_link_sizes_are_refused(window: int, samples: int) -> None:
    with pytest.raises(SpecError, match="expected 1 to"):
        plan(Spec(Network((64, 10))), TARGET, window=window, samples=samples)


def test_the_ring_holds_a_window_of_the_longest_frames() -> None:
    line = plan(Spec(Network((784, 10))), TARGET, window=3, samples=5).line
    encoded = line.frame + -(-line.frame // 254) + 2
    assert line.ring >= 3 * encoded
    assert line.ring & (line.ring - 1) == 0


lifetimes = st.tuples(st.integers(0, 8), st.integers(0, 8)).map(sorted)
scratches = st.lists(st.tuples(st.integers(1, 50), lifetimes), max_size=12).map(
    lambda rows: {
        Tensor(f"t{i}", (words,)): Life(*alive) for i, (words, alive) in enumerate(rows)
    }
)


@given(scratches)
def test_tensors_that_live_together_never_overlap(alive: dict[Tensor, Life]) -> None:
    arena, tensors = arrange(alive), list(alive)
    for i, a in enumerate(tensors):
        assert arena.offsets[a.name] + a.words <= arena.words
        for b in tensors[:i]:
            if alive[a].meets(alive[b]):
                start, other = arena.offsets[a.name], arena.offsets[b.name]
                assert start + a.words <= other or other + b.words <= start


def test_inference_alone_reuses_the_memory_of_dead_activations() -> None:
    deep = plan(Spec(Network((32,) * 9)), TARGET).program
    assert arrange(lives(deep.look, deep.results)).words == 2 * 32


def test_the_tape_is_the_hidden_activations_and_both_rules_keep_it() -> None:
    for rule in ("bp", "dfa"):
        made = plan(Spec(Network((64, 128, 64, 10)), RuleChoice(rule)), TARGET)
        assert made.tape == 4 * (128 + 64)


def test_a_uart_and_its_core_may_have_two_clocks() -> None:
    made = render(plan(Spec(Network((64, 10))), targets.load("mps3-an547")))
    config = next(text for name, text in made.files.items() if "hil_config.h" in name)
    assert "#define HIL_UART_CLOCK 25000000u" in config
    assert "#define HIL_CORE_CLOCK 32000000u" in config


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        (
            {"update": UpdateChoice("momentum", 0.9)},
            "update 'momentum' cannot wait for",
        ),
        ({"gate": Gate("row")}, "gate row changes rows as they are updated"),
        ({"clip": Clip(weights=1.0)}, "clip_weights changes rows as they are updated"),
    ],
)
def test_a_schedule_that_cannot_be_says_what_hinders(
    changed: dict[str, object], why: str
) -> None:
    spec = replace(Spec(Network((64, 10)), RuleChoice("bp")), **changed)  # type: ignore[arg-type]
    with pytest.raises(SpecError, match=f"schedule is 'fused', but {why}"):
        plan(spec, TARGET, schedule="fused")


def test_a_sample_longer_than_any_frame_is_taken_in_parts() -> None:
    spec = Spec(Network((27648, 4, 2)), inputs=Inputs("f32", 1.0))
    with pytest.raises(SpecError, match="expected at most 65535"):
        plan(spec, TARGET, window=1, samples=1)
    made = plan(spec, TARGET, window=1, samples=1, chunk=4096)
    assert made.line.max_payload == 8 + 4096


@pytest.mark.parametrize(
    ("chunk", "window", "samples", "rehearsal", "sentence"),
    [
        (0, 1, 1, 0, "chunk is 0: expected 1 to 65524 bytes"),
        (65525, 1, 1, 0, "chunk is 65525: expected 1 to 65524 bytes"),
        (9, 2, 1, 0, "expected one STEP of one sample that travels"),
        (9, 1, 2, 0, "expected one STEP of one sample that travels"),
        (9, 1, 1, 3, "expected one STEP of one sample that travels"),
    ],
)
def test_parts_of_more_than_one_sample_are_refused(
    chunk: int, window: int, samples: int, rehearsal: int, sentence: str
) -> None:
    with pytest.raises(SpecError, match=sentence):
        plan(
            Spec(Network((5, 3))), TARGET, window=window, samples=samples,
            rehearsal=rehearsal, chunk=chunk,
        )  # fmt: skip
