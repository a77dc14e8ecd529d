"""docs/arithmetic.md says what the code does: numbers, bounds, vectors."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codegen import constants, streams
from codegen.reference import Learner, functions, random
from codegen.reference.accuracy import SWEPT
from codegen.reference.fronts.window import features
from codegen.spec import Network, RuleChoice, Spec
from codegen.window import Window
from tests.mutants.catalogue import exists

TEXT = (Path(__file__).parents[2] / "docs" / "arithmetic.md").read_text("utf-8")


def rows(after: str) -> list[list[str]]:
    """Cells of the first table after a line that begins with `after`."""
    table = TEXT.split("\n" + after, 1)[1].split("\n|---", 1)[1]
    lines = table.split("\n\n", 1)[0].splitlines()[1:]
    return [
        [cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines
    ]


def declared() -> dict[str, float]:
    """Every constant by the name the document gives it."""
    found: dict[str, float] = {}
    for name, value in vars(constants).items():
        if name.isupper() and isinstance(value, tuple):
            found.update({f"{name}[{i}]": c for i, c in enumerate(value)})
        elif name.isupper():
            found[name] = value
    return found


def as_number(text: str) -> float:
    return float.fromhex(text) if "p" in text else int(text, 16)


def bits(value: object) -> str:
    return f"{int(np.float32(value).view(np.uint32)):#010x}"


def test_the_constants_are_those_of_the_code() -> None:
    documented = {name: as_number(value) for name, value, _ in rows("## 2. Constants")}
    assert documented == declared()


def test_every_constant_is_exactly_binary32_or_an_integer() -> None:
    for name, value in declared().items():
        assert isinstance(value, int) or float(np.float32(value)) == value, name


def test_the_bounds_are_those_that_are_tested() -> None:
    documented = {name: float(bound) for name, _, bound, *_ in rows("### Largest")}
    assert documented == {swept.name: swept.bound for swept in SWEPT}


def test_the_streams_are_those_of_the_code() -> None:
    documented = {number for _, number, _ in rows("## 7. Random")}
    assert documented == {
        "0", "1", "2", "3", "4", "6", "10 + l", "50 + l", "70 + l", "97", "98", "99", "110 + l",
        "200", "201", "202", "203", "1000 + n",
    }  # fmt: skip
    assert (streams.SPLIT, streams.DENSE, streams.SIGN_FEEDBACK) == (0, 1, 99)
    assert (streams.HOLDOUT, streams.SPIKES, streams.DIRECTIONS) == (2, 97, 98)
    assert (streams.KEPT, streams.REHEARSED) == (3, 4)
    assert streams.perturbation(1) == 111
    assert (streams.SOURCES, streams.RECURRENT, streams.DRIVEN) == (200, 201, 202)
    assert (streams.DELAYS, streams.TRIALS) == (203, 6)
    assert streams.order(3) == 1003
    by_layer = streams.weights(1), streams.feedback(2), streams.readout(19)
    assert by_layer == (11, 52, 89)
    assert streams.weights(20) == (10 << 16) + 20


def test_what_is_shared_is_held_by_tests_that_exist() -> None:
    root = Path(__file__).parents[2]
    shared = rows("## 10. What")
    assert len(shared) > 10
    for what, file, _, test in shared:
        assert (root / file).is_file(), what
        assert exists(root, test), what


CALLS: dict[str, Callable[..., np.ndarray]] = {
    "exp": functions.exp,
    "log": functions.log,
    "tanh": functions.tanh,
    "sigmoid": functions.sigmoid,
}


def evaluated(call: str) -> str:
    name, inner = re.fullmatch(r"(\w+)\((.*)\)", call).groups()  # type: ignore[union-attr]
    if name == "mix":
        return f"{int(random.mix(np.array([int(inner)], dtype=np.uint32))[0]):#010x}"
    if name == "u32":
        seed, stream, index = map(int, inner.split(","))
        return f"{int(random.u32(seed, stream, index, 1)[0]):#010x}"
    text = inner.removesuffix("f")
    x = float.fromhex(text) if "p" in text else float(text)
    return bits(CALLS[name](np.array([x], dtype=np.float32))[0])


def test_the_vectors_are_what_the_code_computes() -> None:
    for call, right in rows("## 9. Vectors"):
        assert evaluated(call) == right, call


def test_the_window_is_what_the_code_computes() -> None:
    readings = [3, -32768, -7, 32767, 250, -32768, 40, 32767]
    window = Window(4, 2, tuple(range(1, 7)), (3.0,) * 6)
    x = features(np.array(readings, np.int16), window)
    found = [[f"x_{k}", bits(value)] for k, value in enumerate(x)]
    assert found == rows("A window of 4 rows of 2 axes")


@pytest.mark.parametrize("column, rule", [(1, "dfa"), (2, "bp")])
def test_the_steps_are_what_the_code_computes(column: int, rule: str) -> None:
    learner = Learner(Spec(Network((64, 128, 64, 10)), RuleChoice(rule)))
    found = [f"{learner.digest():#010x}", bits(learner.state["W1"][0, 0])]
    for t in range(100):
        sample = (np.arange(64) * (t + 1) % 17).astype(np.uint8)
        result = learner.step(sample, t % 10, np.float32(0.05))
        if t == 0:
            found += [bits(result.loss), bits(result.p[0]), f"{learner.digest():#010x}"]
    found += [bits(result.loss), f"{learner.digest():#010x}"]
    assert found == [row[column] for row in rows("A network 64-128-64-10")]
