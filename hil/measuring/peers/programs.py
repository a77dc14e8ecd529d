"""Backpropagation of one sample at a time, as users of each library write it.

    python -m hil.measuring.peers.programs NAME

is a process of its own, so that each has one thread, and no library is imported where
another is measured. It reads a pickled `Job` and writes a pickled `Done`.

The hidden layers' function is tanh, the output's softmax, the loss its cross-entropy.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable

import numpy as np

from hil.measuring.peers.job import Done, Job, Weights

Learn = Callable[[np.ndarray, np.ndarray], None]
Made = tuple[Learn, Callable[[], Weights], str]
"""What learns raw samples and labels in order; the weights then; the settings."""


def with_numpy(weights: Weights, scale: np.float32, eta: np.float32) -> Made:
    """float32 arrays, updated in place, with no array made twice."""
    ws, bs = weights[::2], weights[1::2]
    moved = [np.empty_like(w) for w in ws]

    def learn(xs: np.ndarray, ys: np.ndarray) -> None:
        for sample, label in zip(xs, ys, strict=True):
            values = [sample.astype(np.float32) / scale]
            for w, b in zip(ws, bs, strict=True):
                sums = values[-1] @ w + b
                values.append(np.tanh(sums) if w is not ws[-1] else sums)
            p = np.exp(values[-1] - values[-1].max())
            p /= p.sum()
            -np.log(p[label])  # the loss, which every step of ours tells
            p[label] -= 1
            delta = p
            for k in range(len(ws) - 1, -1, -1):
                x, now = values[k], delta
                if k:
                    delta = (ws[k] @ now) * (1 - x * x)
                np.multiply.outer(x, eta * now, out=moved[k])
                ws[k] -= moved[k]
                bs[k] -= eta * now

    return learn, lambda: weights, f"numpy {np.__version__}, float32, in place"


def with_sklearn(weights: Weights, scale: np.float32, eta: np.float32) -> Made:
    """`MLPClassifier.partial_fit` of one sample."""
    import sklearn
    from sklearn.neural_network import MLPClassifier

    ws, bs = weights[::2], weights[1::2]
    model = MLPClassifier(
        tuple(w.shape[1] for w in ws[:-1]), activation="tanh", solver="sgd", alpha=0.0,
        batch_size=1, learning_rate_init=float(eta), momentum=0.0,
        nesterovs_momentum=False, random_state=0,
    )  # fmt: skip
    classes = np.arange(bs[-1].size)
    model.partial_fit(np.zeros((1, ws[0].shape[0]), np.float32), [0], classes=classes)
    for there, given in ((model.coefs_, ws), (model.intercepts_, bs)):
        for one, other in zip(there, given, strict=True):
            one[...] = other

    def learn(xs: np.ndarray, ys: np.ndarray) -> None:
        for sample, label in zip(xs, ys, strict=True):
            model.partial_fit(sample[None].astype(np.float32) / scale, [label])

    def left() -> Weights:
        pairs = zip(model.coefs_, model.intercepts_, strict=True)
        return [each for pair in pairs for each in pair]

    said = (
        f"scikit-learn {sklearn.__version__}, MLPClassifier.partial_fit, {ws[0].dtype}"
    )
    return learn, left, f"{said}, sgd, alpha 0, momentum 0, batch_size 1"


def with_torch(weights: Weights, scale: np.float32, eta: np.float32) -> Made:
    """Eager, by autograd, with its own SGD, on one thread."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    layers: list[nn.Module] = []
    for w, b in zip(weights[::2], weights[1::2], strict=True):
        linear = nn.Linear(*w.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T.copy()))
            linear.bias.copy_(torch.from_numpy(b))
        layers += [linear, nn.Tanh()]
    model = nn.Sequential(*layers[:-1])
    descent = torch.optim.SGD(model.parameters(), lr=float(eta))
    cross_entropy = nn.CrossEntropyLoss()

    def learn(xs: np.ndarray, ys: np.ndarray) -> None:
        for sample, label in zip(
            torch.from_numpy(xs), torch.from_numpy(ys), strict=True
        ):
            descent.zero_grad()
            loss = cross_entropy(model(sample.float() / float(scale)), label)
            loss.backward()
            descent.step()

    def left() -> Weights:
        tensors = [p.detach().numpy() for p in model.parameters()]
        return [tensor.T for tensor in tensors]

    return learn, left, f"PyTorch {torch.__version__}, eager, autograd, SGD, one thread"


PROGRAMS: dict[str, Callable[[Weights, np.float32, np.float32], Made]] = {
    "numpy": with_numpy,
    "scikit-learn": with_sklearn,
    "PyTorch": with_torch,
}


def main(name: str) -> None:
    """Carry out the job on descriptor 0; tell on descriptor 1."""
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get among it
    job: Job = pickle.load(sys.stdin.buffer)
    seconds = []
    for _ in range(job.rounds):
        begin = [each.copy() for each in job.weights]
        learn, left, settings = PROGRAMS[name](begin, job.scale, job.eta)
        started = time.process_time()
        learn(job.x, job.y)
        seconds.append(time.process_time() - started)
    pickle.dump(Done(tuple(seconds), [each.copy() for each in left()], settings), told)
    told.flush()


if __name__ == "__main__":
    main(sys.argv[1])
