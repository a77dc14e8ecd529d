"""HAPT behind a convolutional network that examples/activities.py has trained: windows of
raw readings, first of people whom it knows, then of one whom it never saw."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np

from codegen.frozen import Frozen
from codegen.reference.fronts import imported
from codegen.spec import Inputs
from hil.data import datasets, hapt
from hil.demo import Arm, Part, Stream
from hil.demo.gallery.personal import KNOWN, newcomer

MODEL = "activities.tflite"
SCALE = 4096.0
"""A reading that is 1 to the model: 5.7 g, or 1.25 rad/s."""
LEARNED, TESTED = 600, 500
"""Windows of people that it knows, and of those that nobody learns from."""
HEADS = ("ncm", "slda", "plain", "replay")
PARTS = ("others", "person")
SKLEARN = ("others_sklearn", "person_sklearn")


def streams(seed: int) -> dict[str, Stream]:
    """Windows of many people, mixed; then of one, in the order of recording. The second
    recording of that person tests, and people who are in no part."""
    data = hapt.load()
    person, first = newcomer(data, seed)
    order = datasets.order(seed, 0, len(person))
    known = order[data.users[order] <= KNOWN][:LEARNED]
    apart = order[(data.users[order] > KNOWN) & ~person[order]][:TESTED]

    def some(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return data.windows[chosen], data.labels[chosen]

    parts = [
        Part("others", *some(known), some(apart)),
        Part("person", *some(first), some(person & ~first)),
    ]
    return {"windows": Stream(parts, scale=SCALE, front=MODEL)}


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies are of windows that no device ever learned."""
    settings = arms["frozen"].record["experiment"]
    model = Frozen(Path(settings["front"]).read_bytes(), settings.get("cut") or "-1")
    found = dict(zip(SKLEARN, retrained(streams["windows"], model), strict=True))
    for name in ("frozen", *HEADS):
        before, after = (arms[name].test("others", after=t) for t in PARTS)
        found[f"person_{name}"] = arms[name].test("person", after="person")
        found[f"others_{name}"] = after
        if name in HEADS:
            found[f"{name}_forgot_points"] = before - after
    return found


@lru_cache(maxsize=1)
def retrained(stream: Stream, model: Frozen) -> list[float | None]:
    """What scikit-learn's head has right of each part's tests, trained on the same
    features of all windows at once; None where it is not installed."""
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        return [None for _ in stream.parts]
    inputs = Inputs("i16", SCALE, frozen=model)
    head = LogisticRegression(max_iter=5000).fit(
        imported.network_input(inputs, np.concatenate([p.x for p in stream.parts])),
        np.concatenate([part.y for part in stream.parts]),
    )
    tests = [part.test for part in stream.parts if part.test is not None]
    return [head.score(imported.network_input(inputs, x), y) for x, y in tests]


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    best = max(HEADS, key=lambda name: metrics[f"person_{name}"] or 0)
    beside = metrics["person_sklearn"]
    told = "is not installed" if beside is None else f"comes to {beside:.1%}"
    return (
        f"for the new person the model is at {metrics['person_frozen']:.1%} as it came, and "
        f"with {best} behind it at {metrics[f'person_{best}']:.1%}; scikit-learn {told}"
    )
