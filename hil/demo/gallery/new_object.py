"""Eight kinds of things, then two that the device has never been taught, behind the
frozen ResNet-8 of MLPerf Tiny."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hil.data import cifar10, datasets, files
from hil.demo import Arm, Part, Stream

HELD = ("ship", "truck")
"""Classes that come later."""
EIGHT, TWO = 800, 200
"""Images of the others, and of these."""
TESTED = 1000
MODEL = "mlperf_tiny/pretrainedResnet_quant.tflite"
ARMS = ("ncm", "slda", "plain", "replay")


def streams(seed: int) -> dict[str, Stream]:
    """Images of the training part in an order of the seed, each once."""
    x, y, test_x, test_y = cifar10.load()
    test_x, test_y = test_x[:TESTED], test_y[:TESTED]
    held = [cifar10.CLASSES.index(name) for name in HELD]
    order = datasets.order(seed, 0, len(x))
    later = np.isin(y[order], held)
    tests = np.isin(test_y, held)

    def part(name: str, come: np.ndarray, tested: np.ndarray) -> Part:
        return Part(name, x[come], y[come], (test_x[tested], test_y[tested]))

    parts = [
        part("eight", order[~later][:EIGHT], ~tests),
        part("two", order[later][:TWO], tests),
    ]
    return {"images": Stream(parts, scale=1.0, front=files.located("tflite", MODEL))}


def metrics(
    arms: Mapping[str, Arm], streams: Mapping[str, Stream]
) -> dict[str, float | None]:
    """Accuracies are of test images that no device ever learned."""
    tests = [part.test for part in streams["images"].parts]
    counts = [len(test[1]) for test in tests if test is not None]
    found: dict[str, float | None] = {}
    for name in ARMS:
        arm = arms[name]
        known, new = (arm.test(task, after="two") for task in ("eight", "two"))
        before = arm.test("eight", after="eight")
        found[f"eight_before_{name}"] = before
        found[f"two_{name}"] = new
        found[f"ten_{name}"] = (known * counts[0] + new * counts[1]) / sum(counts)
        found[f"{name}_forgot_points"] = before - known
    return found


def verdict(metrics: Mapping[str, float | None]) -> str:
    """The outcome, in one sentence."""
    best = max(ARMS, key=lambda name: metrics[f"ten_{name}"] or 0)
    return (
        f"of all ten classes {best} knows most, {metrics[f'ten_{best}']:.1%}; learning "
        f"what comes, as it comes, leaves {metrics['ten_plain']:.1%}"
    )
