"""The generated library, called from here: whoever reads the state finds it as the
steps have left it, also where an update waits, and limits and gates hold."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

import targets
from codegen.planning.bill import structures
from codegen.planning.plan import plan
from codegen.planning.planned import Plan
from codegen.reference import Learner, NonFinite
from codegen.reference.arithmetic import F32
from codegen.reference.goals import Given
from codegen.rendering.render import render_network
from codegen.spec import Clip, Gate, Inputs, Network, RuleChoice, Spec

FLAGS = ("-std=c11", "-O1", "-ffp-contract=off", "-shared", "-fPIC")
DENSE = Spec(Network((9, 17, 6, 4)), RuleChoice("dfa"), Inputs("u8", 255.0), seed=3)
ETA = np.float32(0.05)
X = (np.arange(9) * 25 + 3).astype(np.uint8)
"""A sample without a zero: the update of the first layer can wait."""


@dataclass
class Library:
    """A network of the generated C, and the words for it."""

    made: Plan
    code: ctypes.CDLL

    def __post_init__(self) -> None:
        self.net = np.zeros(structures(self.made).net, np.uint8)
        self.code.net_outputs.restype = self.code.net_state.restype = ctypes.c_void_p
        self.code.net_digest.restype = ctypes.c_uint32
        self.init()

    @property
    def _net(self) -> ctypes.c_void_p:
        return ctypes.c_void_p(self.net.ctypes.data)

    def init(self) -> None:
        """net_init with the plan's seed."""
        self.code.net_init(self._net, self.made.spec.seed)

    def step(self, x: np.ndarray, target: Given) -> F32:
        """net_step, which must not refuse; returns the loss."""
        status, loss = self.asked(x, target)
        assert status == 0
        return loss

    def asked(self, x: np.ndarray, target: Given) -> tuple[int, F32]:
        """net_step's status, and its loss."""
        sample, loss = ctypes.c_void_p(x.ctypes.data), ctypes.c_float()
        given: list[object] = [] if target is None else [target]
        if isinstance(target, np.ndarray):
            given = [ctypes.c_void_p(target.ctypes.data)]
        status = self.code.net_step(
            self._net, sample, *given, ctypes.c_float(ETA), ctypes.byref(loss)
        )
        return status, np.float32([loss.value])

    def infer(self, x: np.ndarray) -> F32:
        """net_infer, and net_outputs."""
        assert self.code.net_infer(self._net, ctypes.c_void_p(x.ctypes.data)) == 0
        return self._words(
            self.code.net_outputs(self._net), self.made.spec.network.n_out
        )

    def state(self, name: str) -> F32:
        """A tensor by net_state."""
        count = ctypes.c_size_t()
        index = self.made.tensor(name).index
        at = self.code.net_state(self._net, ctypes.c_size_t(index), ctypes.byref(count))
        return self._words(at, count.value)

    def digest(self) -> int:
        """net_digest."""
        return int(self.code.net_digest(self._net))

    @staticmethod
    def _words(at: int, count: int) -> F32:
        return np.ctypeslib.as_array((ctypes.c_float * count).from_address(at)).copy()


Load = Callable[..., Library]


@pytest.fixture(scope="module")
def library(host_cc: str, tmp_path_factory: pytest.TempPathFactory) -> Load:
    """Makes a library of a spec, and loads it; `schedule` is the plan's."""

    def load(spec: Spec, schedule: str = "fused") -> Library:
        folder = tmp_path_factory.mktemp("library")
        made = plan(spec, targets.load("host"), schedule=schedule, density=1.0)
        for name, text in render_network(made).items():
            (folder / name).write_text(text)
        path = folder / "net.so"
        sources = sorted(map(str, folder.glob("net*.c")))
        command = [host_cc, *FLAGS, f"-I{folder}", *sources, "-o", str(path), "-lm"]
        subprocess.run(command, check=True)
        return Library(made, ctypes.CDLL(str(path)))

    return load


@pytest.fixture(scope="module")
def fused(library: Load) -> Library:
    """A network whose layers are fused."""
    made = library(DENSE)
    assert made.made.pending
    return made


@pytest.fixture
def stepped(fused: Library) -> tuple[Library, Learner]:
    """Both sides after a step, whose update waits on the library's."""
    learner = Learner(DENSE)
    fused.init()
    fused.step(X, 1)
    learner.step(X, 1, ETA)
    return fused, learner


def same(got: F32, want: F32) -> None:
    """Equal to the bit."""
    np.testing.assert_array_equal(got.view(np.uint32), want.ravel().view(np.uint32))


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "W3"])
def test_a_tensor_is_read_with_the_last_update_in_it(
    stepped: tuple[Library, Learner], name: str
) -> None:
    library, learner = stepped
    same(library.state(name), learner.state[name])


def test_an_inference_sees_the_last_update(stepped: tuple[Library, Learner]) -> None:
    library, learner = stepped
    same(library.infer(X[::-1].copy()), learner.infer(X[::-1]))


def test_a_digest_is_of_the_last_update(stepped: tuple[Library, Learner]) -> None:
    library, learner = stepped
    assert library.digest() == learner.digest()


def test_what_waits_is_forgotten_by_init(stepped: tuple[Library, Learner]) -> None:
    library, _ = stepped
    library.init()
    assert library.digest() == Learner(DENSE).digest()


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_a_network_begins_as_the_reference_does(library: Load, activation: str) -> None:
    network = Network(DENSE.network.layers, activation)
    spec = Spec(network, RuleChoice("local"), DENSE.inputs, seed=3)
    assert library(spec, "sequential").digest() == Learner(spec).digest()


def test_zeros_of_both_signs_keep_their_rows(library: Load) -> None:
    """An update of which a row is not touched does not wait, or a weight of -0 would
    become +0."""
    spec = Spec(Network((5, 4)), RuleChoice("dfa"), Inputs("f32", 1.0))
    made, learner, x = library(spec), Learner(spec), np.float32([1, 0, -0.0, 2, 3])
    at = made.made.tensor("W1").offset
    for state in (made.net[at:].view(np.float32)[:20], learner.state["W1"].reshape(-1)):
        state[4:12] = -0.0
    made.step(x, 0)
    learner.step(x, 0, ETA)
    same(made.state("W1"), learner.state["W1"])


def largest_error(label: int) -> np.float32:
    """The largest error of a first step with this label."""
    learner = Learner(DENSE)
    learner.step(X, label, ETA)
    return np.float32(np.abs(learner.trace["e"]).max())


@pytest.mark.parametrize("above", [False, True])
def test_an_error_at_the_gates_threshold_is_learned_from(
    library: Load, above: bool
) -> None:
    """And one a unit in the last place below it is not; that step is counted, too, or
    the next one would draw the same direction."""
    known, unknown = sorted(range(4), key=largest_error)[::3]
    at = largest_error(known)
    gate = Gate(error=float(np.nextafter(at, np.float32(9)) if above else at))
    spec = Spec(DENSE.network, RuleChoice("fg-activity"), DENSE.inputs, 3, gate)
    made, learner = library(spec, "sequential"), Learner(spec)
    for label, learns in ((known, not above), (unknown, True)):
        made.step(X, label)
        learner.step(X, label, ETA)
        assert bool(learner.changed) == learns
        assert made.digest() == learner.digest()


@pytest.mark.parametrize("rule", ["bp", "fg-weight"])
def test_weights_and_biases_stay_within_their_limit(library: Load, rule: str) -> None:
    clip = Clip(weights=0.02, error=0.5)
    spec = Spec(DENSE.network, RuleChoice(rule), DENSE.inputs, 3, Gate(), clip)
    made, learner = library(spec, "sequential"), Learner(spec)
    for label in (0, 1, 1, 2):
        made.step(X, label)
        learner.step(X, label, ETA)
    for name in ("b1", "b3", "W1", "W3"):
        same(made.state(name), learner.state[name])
        assert np.abs(made.state(name)).max() <= np.float32(0.02)
    assert np.abs(made.state("b3")).max() == np.float32(0.02)


def goal_of(goal: str, rule: str, most: float | None = None) -> Spec:
    """A square network of floats, so that any goal will do."""
    network = Network((6, 17, 6), "tanh", "sigmoid" if goal == "vector" else "identity")
    return Spec(
        network,
        RuleChoice(rule),
        Inputs("f32", 2.0),
        3,
        clip=Clip(error=most),
        goal=goal,
    )


@pytest.mark.parametrize("goal", ["vector", "sample"])
@pytest.mark.parametrize("rule", ["bp", "drtp", "fg-local"])
def test_a_goal_is_learned_as_the_reference_does(
    library: Load, rule: str, goal: str
) -> None:
    """Rules that hear of it at the end, on the way, and in every layer."""
    spec = goal_of(goal, rule)
    made, learner, rng = library(spec), Learner(spec), np.random.default_rng(1)
    for _ in range(4):
        x, t = rng.random((2, 6), np.float32)
        target = t if goal == "vector" else None
        same(made.step(x, target), np.float32([learner.step(x, target, ETA).loss]))
        assert made.digest() == learner.digest()


@pytest.mark.parametrize("rule", ["bp", "fg-local"])
def test_a_target_that_is_not_finite_changes_nothing(library: Load, rule: str) -> None:
    """Also where the error it makes would be cut to a limit."""
    spec = goal_of("vector", rule, 0.3)
    made, learner, x = library(spec), Learner(spec), np.ones(6, np.float32)
    before = made.digest()
    for wrong in (np.inf, -np.inf, np.nan):
        target = np.zeros(6, np.float32)
        target[4] = wrong
        with pytest.raises(NonFinite) as fault:
            learner.step(x, target, ETA)
        status, _ = made.asked(x, target)
        assert status == -1 - made.made.tensor(fault.value.tensor).index
        assert made.digest() == before == learner.digest()
