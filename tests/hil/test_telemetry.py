"""Telemetry: taken because it was asked for, summed, and not kept."""

from __future__ import annotations

from hil.device.telemetry import KEPT, Condition, Telemetry


def told(step: int, instructions: int = 100) -> Telemetry:
    return Telemetry(0, step, instructions, 7, 0, 0, 0, 0.0)


def test_what_was_not_asked_for_or_comes_twice_changes_nothing() -> None:
    heard = Condition()
    heard.take(told(4))
    assert heard.last is None
    heard.expect(4, 2)
    heard.take(told(5))
    heard.take(told(4))
    heard.take(told(4))
    assert (heard.steps, heard.instructions, heard.cycles) == (2, 100, 7)
    assert [entry.step for entry in heard.latest] == [4]
    assert heard.after(3) == heard.last and heard.after(2) is None


def test_what_was_asked_for_and_does_not_come_before_the_next_reply_is_lost() -> None:
    heard = Condition()
    for end in (2, 4, 6):
        heard.expect(end, 2)
    heard.settle(4)
    assert heard.lost == 1, "that of step 4 follows its reply"
    heard.take(told(4))
    heard.settle()
    assert heard.lost == 2
    heard.take(told(6))
    assert heard.steps == 2, "what comes too late is lost"


def test_steps_that_are_done_again_tell_nothing_new() -> None:
    heard = Condition()
    heard.expect(8, 2)
    heard.take(told(8))
    heard.forget()
    heard.expect(6, 2)
    heard.settle()
    assert (heard.lost, heard.steps) == (0, 2)


def test_sums_are_of_all_and_the_latest_are_kept() -> None:
    heard = Condition()
    for end in range(1, 3 * KEPT + 1):
        heard.expect(end, 1)
        heard.take(told(end))
    assert heard.instructions == 100 * 3 * KEPT
    assert len(heard.latest) == KEPT and heard.last == heard.latest[-1]
