"""The policy of a rehearsal buffer: what is kept, and what is learned again."""

from __future__ import annotations

import numpy as np

from codegen import streams
from codegen.reference import random
from hil.lesson.rehearsal import BLOCK, Rehearsal

SEEDS = 4000


def simulated(seed: int, slots: int, times: int, positions: int) -> list[tuple]:
    """Algorithm R position by position, with the buffer as a list: (position, slot,
    rehearsed) of every learning step."""
    kept = random.u32(seed, streams.KEPT, 0, positions)
    drawn = random.u32(seed, streams.REHEARSED, 0, positions * times)
    buffer: list[int] = []
    found: list[tuple] = []
    for position in range(positions):
        slot = int(kept[position]) * (position + 1) // 2**32
        if position < slots:
            slot = position
            buffer.append(position)
        elif slot < slots:
            buffer[slot] = position
        found.append((position, slot if slot < slots else None, False))
        for again in range(times):
            word = int(drawn[position * times + again])
            slot = word * len(buffer) // 2**32
            found.append((buffer[slot], slot, True))
    return found


def turns(seed: int, slots: int, times: int, steps: int) -> list[tuple]:
    rehearsal = Rehearsal(seed, slots, times)
    made = (rehearsal.turn(step) for step in range(steps))
    return [(turn.position, turn.slot, turn.rehearsed) for turn in made]


def test_two_slots_are_filled_and_rehearsed_as_computed_by_hand() -> None:
    """0.480 of 3 is 1, 0.732 of 4 is 2 and no slot, 0.041 of 5 and 0.133 of 6 are 0:
    the buffer is 0; 0, 1; 0, 2; 0, 2; 4, 2; 5, 2, and half of 2 divides its slots."""
    kept, drawn = (
        [f"{word / 2**32:.3f}" for word in random.u32(8, stream, 0, 6).tolist()]
        for stream in (streams.KEPT, streams.REHEARSED)
    )
    assert kept[2:] == ["0.480", "0.732", "0.041", "0.133"]
    assert drawn == ["0.945", "0.049", "0.039", "0.808", "0.377", "0.097"]
    made = turns(8, 2, 1, 12)
    assert [slot for _, slot, again in made if not again] == [0, 1, 1, None, 0, 0]
    assert [position for position, _, again in made if again] == [0, 0, 0, 2, 4, 5]


def test_a_buffer_that_is_not_full_keeps_everything_in_order() -> None:
    assert [t[1] for t in turns(5, 8, 2, 24) if not t[2]] == list(range(8))


def test_every_step_is_what_the_buffer_itself_would_give() -> None:
    for seed, slots, times in ((1, 3, 1), (2, 8, 3), (2**32 - 1, 1, 2), (7, 5000, 1)):
        positions = BLOCK + 500
        expected = simulated(seed, slots, times, positions)
        assert turns(seed, slots, times, len(expected)) == expected


def test_a_step_can_be_asked_for_out_of_order() -> None:
    rehearsal = Rehearsal(3, 8, 2)
    late = rehearsal.turn(5 * BLOCK)
    again = [rehearsal.turn(step) for step in range(300)]
    assert late == Rehearsal(3, 8, 2).turn(5 * BLOCK)
    assert [(t.position, t.slot, t.rehearsed) for t in again] == turns(3, 8, 2, 300)


def test_each_position_is_as_likely_to_be_kept() -> None:
    """4 of 20: one in five; over 4000 seeds 800 +- 25 (one standard deviation)."""
    counts = np.zeros(20)
    for seed in range(SEEDS):
        rehearsal = Rehearsal(seed, 4, 1)
        lying: dict[int, int] = {}
        for position in range(20):
            turn = rehearsal.turn(2 * position)
            if turn.slot is not None:
                lying[turn.slot] = position
        counts[list(lying.values())] += 1
    assert counts.sum() == 4 * SEEDS
    assert np.abs(counts - SEEDS / 5).max() < 4.5 * np.sqrt(SEEDS * 0.2 * 0.8)


def test_each_slot_is_as_likely_to_be_rehearsed() -> None:
    drawn = [t[1] for t in turns(1, 8, 4, 40_000) if t[2]]
    counts = np.bincount(drawn[32:], minlength=8)
    mean = len(drawn) / 8
    assert np.abs(counts - mean).max() < 4.5 * np.sqrt(mean)
