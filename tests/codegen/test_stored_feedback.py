"""The feedback that lies in an image is what docs/arithmetic.md says, in plain
integers: its generator is not the kernels', so no run compares the two."""

from __future__ import annotations

import numpy as np
import pytest

import targets
from codegen.plan import plan
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
