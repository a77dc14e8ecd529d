"""What a step learns from: a label, a vector, or the sample itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from codegen.errors import SpecError
from codegen.planning.checkpoint import identity
from codegen.spec import GOALS, Network, RuleChoice, Spec

SQUARE = Spec(Network((6, 4, 6)), RuleChoice("bp"))


@pytest.mark.parametrize(
    "network, goal, sentence",
    [
        (Network((6, 4, 6)), "class", "unknown goal 'class': expected one of label"),
        (Network((6, 4, 5)), "sample", "as many outputs as inputs, 6"),
        (Network((6, 4), output="softmax"), "vector", "goal 'vector' with softmax"),
        (Network((6, 6), output="softmax"), "sample", "goal 'sample' with softmax"),
    ],
)
def test_a_goal_that_a_network_cannot_have_is_refused(
    network: Network, goal: str, sentence: str
) -> None:
    with pytest.raises(SpecError, match=sentence):
        Spec(network, goal=goal)


def test_states_of_another_goal_are_those_of_another_network() -> None:
    assert len({identity(replace(SQUARE, goal=goal)) for goal in GOALS}) == 3


def test_checkpoints_from_before_there_were_goals_are_still_known() -> None:
    known = identity(Spec(Network((7, 5, 3)), RuleChoice("bp")))
    assert known.hex() == "1a6138b3031812e5607fde4ef93f7aef"
