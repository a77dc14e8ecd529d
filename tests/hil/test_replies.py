"""A reply that is not to what was asked is no reply."""

from __future__ import annotations

import pytest

from codegen import protocol
from hil import replies


def reply(step: int, count: int) -> bytes:
    assert protocol.STEP.reply is not None
    return protocol.STEP.reply.pack(step, 0, count, 0, tail=bytes(12 * count))


def test_a_step_reply_gives_its_steps_in_order() -> None:
    found = replies.step_results(reply(7, 2), 1, (7, 2))
    assert [result.step for result in found] == [7, 8]


@pytest.mark.parametrize(("step", "count"), [(8, 2), (7, 1), (7, 0)])
def test_a_step_reply_about_other_steps_is_refused(step: int, count: int) -> None:
    with pytest.raises(ValueError, match="expected 2 from step 7"):
        replies.step_results(reply(step, count), 1, (7, 2))
