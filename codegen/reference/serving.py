"""The reference at the far end of two pipes: steps come in, answers go out.

Both are streams of pickled values. In: a `Spec`, with which a learner begins, then
batches of `Asked`, `packed`, and `Placed`, a state to go on from. Out: a `Reply` to
each batch.
"""

from __future__ import annotations

import os
import pickle
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, NamedTuple

import numpy as np

from codegen.errors import ReferenceUnsound
from codegen.reference.environment import require_sound
from codegen.reference.goals import Given
from codegen.reference.health import Health, health
from codegen.reference.learner import Learner, NonFinite, Result
from codegen.spec import Spec


class Asked(NamedTuple):
    """A step to compute, towards a `target` as the spec's goal is; `digest`, `state`
    and `health` say whether those after it are wanted; `signal` is what a device's
    counter told of it; `watched` are cells whose ticks health tells of."""

    sample: np.ndarray
    target: Given
    eta: np.float32
    digest: bool
    state: bool
    health: bool = False
    signal: int = 0
    watched: Sequence[int] = ()


def packed(batch: Sequence[Asked]) -> tuple[Any, ...]:
    """A batch as it travels, column by column: an array of all samples is pickled sooner
    than an array to a step."""
    samples, targets, rates, *others = zip(*batch, strict=True)
    return np.array(samples), targets, np.array(rates), *others


class Placed(NamedTuple):
    """The tensors that step `step` starts from."""

    state: Mapping[str, np.ndarray]
    step: int


class Answer(NamedTuple):
    """The outcome; `written`: weights that the step wrote. `result` is None when the step met a value that is not
    finite, in tensor `non_finite`; no answer follows that one."""

    result: Result | None
    digest: int | None = None
    state: Mapping[str, np.ndarray] | None = None
    non_finite: str = ""
    health: Health | None = None
    written: int = 0


class Reply(NamedTuple):
    """To one batch; `failure` is the traceback of an exception. `refusal`, sentence and
    hints, comes before all others where this process cannot compute the reference."""

    answers: list[Answer]
    seconds: float
    failure: str = ""
    refusal: tuple[str, ...] = ()

    @property
    def last(self) -> bool:
        """Whether the process ends with it."""
        return bool(self.refusal or self.failure or self.answers[-1].result is None)

    def __reduce__(self) -> tuple[Any, ...]:
        """It is pickled with its outputs in one array, and its losses in another."""
        results = [told.result for told in self.answers if told.result is not None]
        p, losses = [told.p for told in results], [told.loss for told in results]
        others = [told[1:] for told in self.answers]
        return _replied, (np.array(p), np.array(losses), others, *self[1:])


def _replied(
    p: np.ndarray, losses: np.ndarray, others: Sequence[Any], *rest: Any
) -> Reply:
    """The reply with these outputs and losses; only its last answer may have none."""
    results: list[Result | None] = list(map(Result, p, losses))
    results += [None] * (len(others) - len(results))
    answers = [
        Answer(first, *told) for first, told in zip(results, others, strict=True)
    ]
    return Reply(answers, *rest)


def unpickled(stream: IO[bytes]) -> Iterator[Any]:
    """The objects in a stream, up to its end, which may cut one off."""
    with suppress(EOFError, pickle.UnpicklingError):
        while True:
            yield pickle.load(stream)


def serve() -> None:
    """Read from descriptor 0, reply on descriptor 1, until there is nothing more
    to read, or a step has met a value that is not finite."""
    asked, told = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever is printed must not get among the replies
    for message in unpickled(asked):
        if isinstance(message, Spec):
            try:
                require_sound()
            except ReferenceUnsound as error:
                _tell(told, Reply([], 0.0, refusal=(str(error), *error.hints)))
                return
            learner = Learner(message)
            continue
        if isinstance(message, Placed):
            learner.load(message.state, message.step)
            continue
        reply = _reply(learner, list(map(Asked, *message)))
        _tell(told, reply)
        if reply.last:
            return


def _tell(told: IO[bytes], reply: Reply) -> None:
    try:
        pickle.dump(reply, told, pickle.HIGHEST_PROTOCOL)
        told.flush()
    except BrokenPipeError:
        os._exit(1)  # whoever asked has gone; no word about what is not sent


def _reply(learner: Learner, batch: Sequence[Asked]) -> Reply:
    answers: list[Answer] = []
    started = time.perf_counter()
    try:
        for asked in batch:
            answers.append(_answer(learner, asked))
            if answers[-1].result is None:
                break
    except Exception:
        return Reply([], 0.0, traceback.format_exc())
    return Reply(answers, time.perf_counter() - started)


def _answer(learner: Learner, asked: Asked) -> Answer:
    before = learner.snapshot() if asked.health else {}
    try:
        result = learner.step(asked.sample, asked.target, asked.eta, asked.signal)
    except NonFinite as error:
        return Answer(None, non_finite=error.tensor)
    return Answer(
        result,
        learner.digest() if asked.digest else None,
        learner.snapshot() if asked.state else None,
        health=health(learner, before, asked.sample, asked.target, asked.watched)
        if asked.health
        else None,
        written=sum(learner.changed.values()),
    )
