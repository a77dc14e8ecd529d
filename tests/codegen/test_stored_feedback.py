"""The feedback that lies in an image is what docs/arithmetic.md says, in plain
integers, and what the reference draws: two generators that share no code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import targets
from codegen import drawn
from codegen.planning.plan import plan
from codegen.reference import random
from codegen.spec import Network, RuleChoice, Spec
from tests.reference.test_generator import u32

SEED = 7


@pytest.mark.parametrize("rule", ["dfa", "drtp"])
def test_stored_feedback_is_that_of_plain_integers(rule: str) -> None:
    spec = Spec(
        Network((9, 17, 6, 5)), RuleChoice(rule, {"feedback": "uniform"}), seed=SEED
    )
    made = {c.name: list(c.values()) for c in plan(spec, targets.load("host")).consts}
    limit = np.float32(np.sqrt(3 / 5))
    for layer, width in ((1, 17), (2, 6)):
        words = [u32(SEED, 50 + layer, k) >> 8 for k in range(5 * width)]
        right = [np.float32(2 * word * 2.0**-24 - 1) * limit for word in words]
        assert made[f"feedback{layer}"] == right
    assert len(made) == 2


@settings(derandomize=True)
@given(
    st.integers(0, 2**32 - 1), st.integers(0, 2**24), st.floats(2.0**-10, 2, width=32)
)
def test_what_an_image_holds_is_what_the_reference_draws(
    seed: int, stream: int, limit: float
) -> None:
    ours = random.uniform(seed, stream, np.float32(limit), 40)
    assert drawn.uniform(seed, stream, limit, 40) == ours.tolist()
