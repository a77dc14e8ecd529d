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


def resident_reply(step: int, count: int) -> bytes:
    assert protocol.STEP_RESIDENT.reply is not None
    fields = (step, 0, 0, count, 99, 1)
    return protocol.STEP_RESIDENT.reply.pack(*fields, tail=bytes(12))


def test_a_resident_reply_is_of_its_last_step_and_stands_for_all() -> None:
    found = replies.resident_result(resident_reply(7, 3), 1, (7, 3))
    assert (found.first, found.step, found.steps) == (7, 9, 3)
    assert (found.fold, found.right) == (99, 1)


@pytest.mark.parametrize(("step", "count"), [(8, 2), (7, 1), (7, 0)])
def test_a_step_reply_about_other_steps_is_refused(step: int, count: int) -> None:
    with pytest.raises(ValueError, match="expected 2 from step 7"):
        replies.step_results(reply(step, count), 1, (7, 2))
    with pytest.raises(ValueError, match="expected 2 from step 7"):
        replies.resident_result(resident_reply(step, count), 1, (7, 2))
