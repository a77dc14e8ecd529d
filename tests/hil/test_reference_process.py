"""The reference in its own process: the same bits in order, and no way to hang."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from codegen.reference import Learner, NonFinite
from codegen.reference.serving import Answer, Asked
from codegen.spec import Inputs, Network, RuleChoice, Spec
from hil import Experiment
from hil.errors import ReferenceLost
from hil.learning import reference_process
from hil.learning.metrics import Status
from hil.learning.progress import Progress
from hil.learning.reference_process import ReferenceProcess, borrowed, kept
from hil.learning.session import Session
from hil.learning.telling import Learned
from hil.lesson.preparing import prepare

LIMIT = 60.0
ETA = np.float32(0.05)
ROOT = Path(__file__).parents[2]


def spec_of(*layers: int, activation: str = "tanh") -> Spec:
    return Spec(
        Network(layers, activation, "identity"), RuleChoice("dfa"), Inputs("f32"), 1
    )


def batch_of(spec: Spec, count: int, scale: float = 1.0) -> list[Asked]:
    rng = np.random.default_rng(5)
    samples = rng.normal(size=(count, spec.network.n_in)) * scale
    return [
        Asked(sample, place % spec.network.n_out, ETA, place % 2 == 0, place == 2)
        for place, sample in enumerate(samples.astype(np.float32))
    ]


@pytest.fixture
def reference() -> Iterator[ReferenceProcess]:
    with ReferenceProcess(spec_of(6, 5, 3)) as process:
        yield process


def same(answer: Answer, learner: Learner, asked: Asked) -> bool:
    """Whether it is what the learner says next."""
    result = learner.step(asked.sample, asked.target, asked.eta)
    assert answer.result is not None
    state = None if answer.state is None else {**answer.state}
    return (
        answer.result.p.tobytes() == result.p.tobytes()
        and answer.result.loss == result.loss
        and answer.digest == (learner.digest() if asked.digest else None)
        and (state is not None) == asked.state
        and all((state[name] == learner.state[name]).all() for name in state or ())
    )


def test_answers_are_the_learners_and_in_order(reference: ReferenceProcess) -> None:
    spec = spec_of(6, 5, 3)
    learner, batch = Learner(spec), batch_of(spec, 20)
    for first in range(0, 20, 5):
        reference.post(batch[first : first + 5])
    answers = [answer for _ in range(4) for answer in reference.take(LIMIT)]
    assert len(answers) == 20
    for answer, asked in zip(answers, batch, strict=True):
        assert same(answer, learner, asked)
    assert reference.take(0.0) == []


def test_it_goes_on_from_a_state(reference: ReferenceProcess) -> None:
    spec = spec_of(6, 5, 3)
    learner, batch = Learner(spec), batch_of(spec, 2)
    learner.step(batch[0].sample, batch[0].target, ETA)
    reference.load(learner.snapshot())
    reference.post(batch[1:])
    (answer,) = reference.take(LIMIT)
    assert same(answer, learner, batch[1])


def test_answers_that_no_pipe_holds_wait_until_they_are_taken() -> None:
    """Batches are posted one after another and nothing is taken: each side has
    more to say than fits into the pipes between them."""
    spec = spec_of(2000, 3000)
    batch = batch_of(spec, 4)
    with ReferenceProcess(spec) as reference:
        for _ in range(12):
            reference.post(batch)
        assert not reference.room
        taken = [len(reference.take(LIMIT)) for _ in range(12)]
        assert taken == [4] * 12 and reference.room


def test_a_non_finite_step_names_its_tensor_and_is_the_last() -> None:
    spec = spec_of(6, 5, 3, activation="identity")
    learner, batch = Learner(spec), batch_of(spec, 8, scale=1e20)
    with pytest.raises(NonFinite) as met:
        for asked in batch:
            learner.step(asked.sample, asked.target, asked.eta)
    with ReferenceProcess(spec) as reference:
        reference.post(batch)
        answers = reference.take(LIMIT)
    assert len(answers) == learner.step_number + 1 < len(batch)
    assert answers[-1] == Answer(None, non_finite=met.value.tensor)


def test_an_exception_in_it_is_raised_here(reference: ReferenceProcess) -> None:
    asked = batch_of(spec_of(6, 5, 3), 1)[0]
    for label in (99, 0, 0):  # what is posted after it fails is not what is told
        reference.post([asked._replace(target=label)])
    with pytest.raises(RuntimeError, match="label 99 is not in"):
        reference.take(LIMIT)


def test_its_end_is_told_and_not_waited_for(reference: ReferenceProcess) -> None:
    os.kill(reference.pid, signal.SIGKILL)
    reference.post(batch_of(spec_of(6, 5, 3), 1))
    with pytest.raises(ReferenceLost, match="was ended by SIGKILL"):
        reference.take(LIMIT)


@pytest.mark.parametrize("width", [5, 400])
def test_a_process_that_stands_still_is_given_up(
    monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    """Also one that takes no more: no pipe holds 24,000 weights."""
    monkeypatch.setattr(reference_process, "ANSWER_LIMIT", 0.2)
    spec = spec_of(60, width, 3)
    with ReferenceProcess(spec) as reference:
        os.kill(reference.pid, signal.SIGSTOP)
        with pytest.raises(ReferenceLost, match=r"has not answered for 0\.2 s"):
            reference.load(Learner(spec).snapshot())
            reference.post(batch_of(spec, 1))
            while not reference.take(0.05):
                pass


def test_ctrl_c_in_the_terminal_is_none_of_its_business(
    reference: ReferenceProcess,
) -> None:
    assert os.getsid(reference.pid) == reference.pid != os.getsid(0)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs pidfd_open")
def test_it_ends_when_we_are_killed() -> None:
    """Started by a script without a main guard, as a user's may be."""
    script = (
        "from codegen.spec import *\n"
        "from hil.learning.reference_process import ReferenceProcess\n"
        "spec = Spec(Network((6, 3)), RuleChoice('dfa'), Inputs('f32'), 1)\n"
        "print(ReferenceProcess(spec).pid, flush=True)\n"
        "input()\n"
    )
    command = [sys.executable, "-c", script]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as owner:
        assert owner.stdout is not None
        ended = os.pidfd_open(int(owner.stdout.readline()))
        owner.kill()
    try:
        assert select.select([ended], [], [], LIMIT)[0]
    finally:
        os.close(ended)


def answered(process: ReferenceProcess, spec: Spec, batch: list[Asked]) -> bool:
    """Whether it says what a new learner of `spec` does."""
    learner = Learner(spec)
    process.post(batch)
    answers = process.take(LIMIT)
    return all(map(same, answers, [learner] * len(batch), batch))


def test_a_process_that_is_kept_begins_anew_with_each_run() -> None:
    one, other = spec_of(6, 5, 3), spec_of(4, 3)
    with kept():
        pids = []
        for spec in (one, other, one):
            with borrowed(spec) as process:
                pids.append(process.pid)
                assert answered(process, spec, batch_of(spec, 3))
        assert len(set(pids)) == 1
    assert not process.alive


def test_outside_a_process_ends_with_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_process, "_shelves", [])
    with borrowed(spec_of(6, 5, 3)) as process:
        assert process.alive
    assert not process.alive


def test_two_runs_at_once_have_a_process_each() -> None:
    spec = spec_of(6, 5, 3)
    with kept(), borrowed(spec) as one, borrowed(spec) as other:
        assert one.pid != other.pid


def in_the_midst(process: ReferenceProcess, spec: Spec) -> None:
    """The run is over before the answers are there, as after a difference."""
    process.post(batch_of(spec, 3))


def at_an_infinity(process: ReferenceProcess, spec: Spec) -> None:
    process.post(batch_of(spec, 8, scale=1e20))
    assert process.take(LIMIT)[-1].result is None


def killed(process: ReferenceProcess, spec: Spec) -> None:
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


@pytest.mark.parametrize("ended", [in_the_midst, at_an_infinity, killed])
def test_a_process_that_is_not_as_good_as_new_serves_no_further_run(
    ended: Callable[[ReferenceProcess, Spec], None],
) -> None:
    spec = spec_of(6, 5, 3, activation="identity")
    with kept():
        with borrowed(spec) as process:
            ended(process, spec)
        with borrowed(spec) as next_one:
            assert next_one.pid != process.pid
            assert answered(next_one, spec, batch_of(spec, 3))


def test_a_process_that_would_find_other_modules_serves_no_further_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = spec_of(6, 5, 3)
    with kept():
        with borrowed(spec) as process:
            assert answered(process, spec, batch_of(spec, 1))
        monkeypatch.syspath_prepend(tmp_path)
        with borrowed(spec) as next_one:
            assert next_one.pid != process.pid


def test_a_fork_has_no_part_in_what_is_kept() -> None:
    """It has our pipes, and locks that nobody there lets go."""
    with kept():
        with borrowed(spec_of(6, 5, 3)) as process:
            pass
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)
            with borrowed(spec_of(6, 5, 3)) as other:
                pass
            os._exit(int(other.alive or other.pid == process.pid))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.usefixtures("host_cc")
def test_a_run_whose_reference_is_killed_ends_and_says_so(
    small: Experiment, folder: Path
) -> None:
    class Killer(Progress):
        def learning(
            self, done: Sequence[Learned], status: Callable[[], Status]
        ) -> None:
            assert session.reference is not None
            os.kill(session.reference.pid, signal.SIGKILL)

    session = Session(prepare(small.override({"epochs": 9})), folder, Killer())
    session.run()
    assert isinstance(session.failure, ReferenceLost)
    assert (session.record.result, session.record.exit_code) == ("error", 1)
    assert session.record.compared == session.record.learned > 0


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_it_starts_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    spec = spec_of(6, 5, 3)
    with ReferenceProcess(spec) as process:
        process.post(batch_of(spec, 1))
        assert process.take(LIMIT)
        assert len(list(Path(f"/proc/{process.pid}/task").iterdir())) == 1


def test_it_imports_no_templates() -> None:
    """It is started with every run, and computes while the image is built."""
    code = "import sys, codegen.reference.serving; print('jinja2' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "False"
